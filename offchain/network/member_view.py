"""`network.toml`: what a member's profile needs to know of a network, and nothing secret."""

from __future__ import annotations

import json

from offchain.network.genesis import confirmations
from offchain.network.heartbeat import GAS_PRICE_WEI
from offchain.network.plan import NetworkPlan, write_whole

NETWORK_FILE = "network.toml"


def write_member_view(plan: NetworkPlan) -> None:
    """Write the file that profiles name with `network = "…/network.toml"`."""
    lines = {
        "engine": plan.engine,
        "chain_id": plan.chain_id,
        "rpc_url": list(plan.rpc_urls),
        "deployment": "deployment.json",
        **({"store": list(plan.ipfs_urls)} if plan.ipfs else {}),
        "confirmations": confirmations(plan.engine, len(plan.signers)),
        "signers": len(plan.signers),
        "heartbeat_s": max(plan.heartbeat_s, plan.period_s),
        "gas_price_wei": GAS_PRICE_WEI,
        "owner_key_file": "keys/consortium",
    }
    head = "# Written by `dmsm net`. A profile's own values win over these.\n"
    text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in lines.items())
    write_whole(plan.folder / NETWORK_FILE, head + text)
