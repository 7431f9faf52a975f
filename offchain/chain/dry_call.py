"""Call transactions dry and estimate their gas before they are signed, in one batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from offchain.chain.endpoint import Endpoint
from offchain.chain.errors import NodeRefused
from offchain.chain.reverts import is_revert

PENDING = "pending"


def dry_call(
    endpoint: Endpoint,
    requests_at: Callable[[int | str], Sequence[Any]],
    block: int | str,
    *,
    first_alone: bool,
) -> list[Any]:
    """Return the answers of all dry calls, then of all estimates; a refusal is its NodeRefused.

    requests_at: the parameters of each at a block. What a node calls pending may lag behind what
    it calls latest (a signer renews it once it has built on a block). So a revert there is asked
    for again: at the latest block if the pending one is behind, else at the pending one, which may
    have been renewed just now.
    """
    answers = _ask(endpoint, requests_at(block), first_alone)
    is_refused = any(isinstance(one, NodeRefused) and is_revert(one) for one in answers)
    if block != PENDING or not is_refused:
        return answers
    again = "latest" if _is_pending_behind(endpoint, first_alone) else PENDING
    return _ask(endpoint, requests_at(again), first_alone)


def _ask(endpoint: Endpoint, requests: Sequence[Any], first_alone: bool) -> list[Any]:
    return endpoint.batch(
        [("eth_call", request) for request in requests]
        + [("eth_estimateGas", request) for request in requests],
        first_alone=first_alone,
    )


def _is_pending_behind(endpoint: Endpoint, first_alone: bool) -> bool:
    asked = [("eth_getBlockByNumber", (block, False)) for block in (PENDING, "latest")]
    pending, latest = endpoint.batch(asked, first_alone=first_alone)
    if isinstance(latest, NodeRefused) or latest is None:
        return False
    if isinstance(pending, NodeRefused) or pending is None or pending.get("number") is None:
        return True
    return int(pending["number"], 16) <= int(latest["number"], 16)
