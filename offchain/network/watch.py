"""How a network is: heads, signers, peers, pins, lag, disk. Asked of the nodes of this machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import requests

from offchain.chain import questions
from offchain.chain.errors import NodeRefused, NodeUnavailable
from offchain.network.errors import VoteFailed
from offchain.network.halting import ChainState, chain_state
from offchain.network.ipc import Ipc
from offchain.network.operation import Network
from offchain.network.plan import NetworkPlan, SignerPlan
from offchain.network.voting import signers_of

Row = dict[str, Any]
_ASK_S = 3.0  # a signer that takes longer to answer is told as one that does not run


def is_here(plan: NetworkPlan, name: str) -> bool:
    """Whether a node belongs on this machine: of several, each holds its own nodes' folders."""
    return not plan.is_spread or plan.home(name).is_dir()


def chain_rows(network: Network) -> list[Row]:
    """Return a row for each signer; `lag` counts blocks behind the furthest of them.

    A node runs if it answers, whoever started it. Of one on another machine nothing is known.
    """
    rows = [_signer_row(network, signer) for signer in network.plan.signers]
    furthest = max((row["head"] for row in rows if row["head"] is not None), default=0)
    for row in rows:
        row["lag"] = None if row["head"] is None else furthest - row["head"]
    try:
        sealing = signers_of(network, timeout_s=_ASK_S)
    except VoteFailed:
        sealing = set()
    for row, signer in zip(rows, network.plan.signers, strict=True):
        row["signs"] = signer.address in sealing if sealing else None
    return rows


def ipfs_rows(network: Network) -> list[Row]:
    """Return a row for each IPFS node; of one on another machine nothing is known."""
    rows = []
    for node in network.plan.ipfs:
        row: Row = {"node": node.name, "runs": None}
        row |= {"peers": None, "pins": None, "blocks_mb": None}
        if is_here(network.plan, node.name):
            try:
                kubo = network.kubo(node.name)
                row |= {"runs": True, "peers": kubo.peers(), "pins": kubo.pins()}
                row["blocks_mb"] = kubo.disk_bytes() // 10**6
            except requests.RequestException:
                row["runs"] = False
        rows.append(row)
    return rows


def state_of(network: Network) -> ChainState | None:
    """Return what the chain does as this machine's signers see it; None where none is here."""
    here = [one.name for one in network.plan.signers if is_here(network.plan, one.name)]
    return chain_state(network, here) if here else None


def fault_of(plan: NetworkPlan, rows: Sequence[Row], state: ChainState | None = None) -> str | None:
    """Return what is wrong with the signers of `chain_rows`, if something is: too few of them run,
    of several machines' one that belongs on this machine does not, or the chain is halted.
    """
    if state is ChainState.HALTED:
        return f"the chain is {state}; `dmsm net rescue` sets its signers on one head"
    if plan.is_spread:
        silent = [row["node"] for row in rows if row["runs"] is False]
        return f"{', '.join(silent)} of this machine does not run" if silent else None
    alive = sum(row["runs"] for row in rows)
    if alive < len(rows) // 2 + 1:
        return f"{alive} of {len(rows)} signers run: no blocks are made"
    return None


def _signer_row(network: Network, signer: SignerPlan) -> Row:
    row: Row = {
        "node": signer.name,
        "account": signer.address,
        "runs": None,
        "head": None,
        "block_at": None,
        "peers": None,
        "waiting": None,
        "disk_mb": None,
    }
    if not is_here(network.plan, signer.name):
        return row
    try:
        with Ipc(network.plan.ipc_path(signer.name), timeout_s=_ASK_S) as node:
            row["runs"] = True
            head = node.ask(questions.header("latest"))
            row["head"], row["block_at"] = head.number, head.timestamp
            row["peers"] = node.ask(questions.peer_count())
            row["waiting"] = node.ask(questions.waiting_count())
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
