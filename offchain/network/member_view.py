"""`network.toml`: what a member's profile needs to know of a network, and nothing secret."""

from __future__ import annotations

import json
from typing import Any

from offchain.network.genesis import confirmations
from offchain.network.heartbeat import GAS_PRICE_WEI
from offchain.network.plan import NetworkPlan, write_whole

NETWORK_FILE = "network.toml"
_COPIES = 2  # so many nodes hold what a member puts (docs/decisions/021)
_OWN_STORES = """\
# The machines are several, and 127.0.0.1 is each one's own. So each profile names its stores: its
# own machine's Kubo and a second one, which it reaches through a tunnel (docs/network.md):
#   store = ["http://127.0.0.1:5001", "http://127.0.0.1:5011"]
"""


def write_member_view(plan: NetworkPlan) -> None:
    """Write the file that profiles name with `network = "…/network.toml"`."""
    lines = {
        "engine": plan.engine,
        "chain_id": plan.chain_id,
        "rpc_url": list(plan.shared_rpc_urls),
        "deployment": "deployment.json",
        **_stores(plan),
        "confirmations": confirmations(plan.engine, len(plan.signers)),
        "signers": len(plan.signers),
        "heartbeat_s": max(plan.heartbeat_s, plan.period_s),
        "gas_price_wei": GAS_PRICE_WEI,
        "owner_key_file": "keys/consortium",
    }
    head = "# Written by `dmsm net`. A profile's own values win over these.\n"
    if plan.is_spread:
        head += _OWN_STORES
    text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in lines.items())
    write_whole(plan.folder / NETWORK_FILE, head + text)


def depth_note(before: NetworkPlan, after: NetworkPlan) -> str | None:
    """Return what members must be told when a change of signers changes what is final."""
    old, new = (confirmations(plan.engine, len(plan.signers)) for plan in (before, after))
    if old == new:
        return None
    return (
        f"what is final lies {new} blocks deep now, not {old}: start the members that run again, "
        "they read it from network.toml when they start; change it where a profile names it"
    )


def _stores(plan: NetworkPlan) -> dict[str, Any]:
    """Return what is said of content stores. On several machines each Kubo has the same address,
    its machine's loopback: a list of them would be one store by several names, and one copy.
    """
    if not plan.is_spread:
        return {"store": list(plan.ipfs_urls)} if plan.ipfs else {}
    return {"store_copies": _COPIES} if len(plan.ipfs) >= _COPIES else {}
