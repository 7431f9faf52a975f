"""The same network for Hyperledger Besu with QBFT: written, never run by this project.

What is checked is the form of the genesis, against the examples of Besu's documentation.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from eth_account import Account
from eth_keys import keys

from offchain.network.genesis import qbft_genesis
from offchain.network.plan import TARGET, NetworkPlan, SignerPlan, write_whole

NOT_RUN = "written for Besu and not started: Besu is not run by this project (docs/network.md)"


def validator(name: str, key: bytes, *, host: str, ports: Sequence[int]) -> SignerPlan:
    """Return the plan of the validator whose node key is `key`: its account is that key's."""
    return SignerPlan(
        name=name,
        host=host,
        address=Account.from_key(key).address,
        node_id=keys.PrivateKey(key).public_key.to_bytes().hex(),
        p2p_port=ports[0],
        rpc_port=ports[1],
        auth_port=ports[2],
        metrics_port=ports[3],
    )


def write_besu(
    plan: NetworkPlan, *, node_keys: dict[str, bytes], funds_wei: dict[str, int]
) -> None:
    """Write genesis, and for each validator key, peers and configuration; for several machines
    with the paths that each will have there.
    """
    there = replace(plan, folder=TARGET) if plan.is_spread else plan
    genesis = qbft_genesis(
        chain_id=plan.chain_id,
        period_s=plan.period_s,
        validators=[one.address for one in plan.signers],
        funds_wei=funds_wei,
    )
    write_whole(plan.folder / "genesis.json", json.dumps(genesis, indent=1) + "\n")
    for signer in plan.signers:
        home = plan.home(signer.name)
        home.mkdir(mode=0o700)
        write_whole(home / "key", "0x" + node_keys[signer.name].hex(), mode=0o600)
        others = [one.enode for one in plan.signers if one.name != signer.name]
        write_whole(home / "static-nodes.json", json.dumps(others, indent=1) + "\n")
        write_whole(home / "besu.toml", besu_config(there, signer))


def besu_config(plan: NetworkPlan, signer: SignerPlan) -> str:
    """Return a validator's configuration file. RPC is at 127.0.0.1 only."""
    home = plan.home(signer.name)
    lines = {
        "data-path": home / "data",
        "genesis-file": plan.folder / "genesis.json",
        "node-private-key-file": home / "key",
        "static-nodes-file": home / "static-nodes.json",
        "p2p-host": signer.host,
        "p2p-interface": signer.host,
        "p2p-port": signer.p2p_port,
        "discovery-enabled": False,
        "rpc-http-enabled": True,
        "rpc-http-host": "127.0.0.1",
        "rpc-http-port": signer.rpc_port,
        "rpc-http-api": ["ETH", "NET", "WEB3", "TXPOOL"],
        "host-allowlist": ["localhost", "127.0.0.1"],
        "min-gas-price": 1,
        "metrics-enabled": True,
        "metrics-host": "127.0.0.1",
        "metrics-port": signer.metrics_port,
        "sync-mode": "FULL",
        "data-storage-format": "FOREST",
    }
    return "".join(f"{key} = {_toml(value)}\n" for key, value in lines.items())


def command(plan: NetworkPlan, signer: SignerPlan) -> list[str]:
    """Return the command line that would run a validator."""
    return ["besu", f"--config-file={plan.home(signer.name) / 'besu.toml'}"]


def _toml(value: object) -> str:
    return json.dumps(str(value) if isinstance(value, Path) else value)
