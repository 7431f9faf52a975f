"""How a network is: heads, signers, peers, pins, lag, disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import requests

from offchain.chain.errors import NodeRefused, NodeUnavailable
from offchain.network.errors import VoteFailed
from offchain.network.ipc import Ipc
from offchain.network.operation import Network
from offchain.network.plan import SignerPlan
from offchain.network.voting import signers_of

Row = dict[str, Any]


def chain_rows(network: Network) -> list[Row]:
    """Return a row for each signer; `lag` counts blocks behind the furthest of them."""
    rows = [_signer_row(network, signer) for signer in network.plan.signers]
    furthest = max((row["head"] for row in rows if row["head"] is not None), default=0)
    for row in rows:
        row["lag"] = None if row["head"] is None else furthest - row["head"]
    try:
        sealing = signers_of(network)
    except VoteFailed:
        sealing = set()
    for row, signer in zip(rows, network.plan.signers, strict=True):
        row["signs"] = signer.address in sealing if sealing else None
    return rows


def ipfs_rows(network: Network) -> list[Row]:
    """Return a row for each IPFS node."""
    rows = []
    for node in network.plan.ipfs:
        row: Row = {"node": node.name, "runs": network.processes.is_running(node.name)}
        row |= {"peers": None, "pins": None, "blocks_mb": None}
        try:
            kubo = network.kubo(node.name)
            row |= {"peers": kubo.peers(), "pins": kubo.pins()}
            row["blocks_mb"] = kubo.disk_bytes() // 10**6
        except requests.RequestException:
            row["runs"] = False
        rows.append(row)
    return rows


def _signer_row(network: Network, signer: SignerPlan) -> Row:
    row: Row = {
        "node": signer.name,
        "account": signer.address,
        "runs": network.processes.is_running(signer.name),
        "head": None,
        "block_at": None,
        "peers": None,
        "waiting": None,
    }
    try:
        with Ipc(network.plan.ipc_path(signer.name), timeout_s=3.0) as node:
            head = node.request("eth_getBlockByNumber", "latest", False)
            row["head"], row["block_at"] = int(head["number"], 16), int(head["timestamp"], 16)
            row["peers"] = int(node.request("net_peerCount"), 16)
            row["waiting"] = int(node.request("txpool_status")["pending"], 16)
    except (NodeUnavailable, NodeRefused):
        row["runs"] = False
    return row | {"disk_mb": disk_bytes(network.plan.home(signer.name)) // 10**6}


def disk_bytes(folder: Path) -> int:
    """Return the size of all files in a folder; what vanishes meanwhile counts as nothing."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_size
        except FileNotFoundError:
            continue
    return total
