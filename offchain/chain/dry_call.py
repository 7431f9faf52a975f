"""Call transactions dry and estimate their gas before they are signed, in one batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from offchain.chain import questions
from offchain.chain.endpoint import Endpoint
from offchain.chain.errors import NodeRefused
from offchain.chain.questions import BlockId, Question
from offchain.chain.reverts import is_revert

PENDING = "pending"
CallAt = tuple[Mapping[str, Any], BlockId]


def dry_call(
    endpoint: Endpoint,
    requests_at: Callable[[BlockId], Sequence[CallAt]],
    block: BlockId,
    *,
    first_alone: bool,
    beside: Question[Any],
) -> tuple[list[tuple[bytes | NodeRefused, int | NodeRefused | None]], Any]:
    """Return for each its answer and its estimate, and the answer of the question `beside` them; a
    refusal is its NodeRefused.

    requests_at: the parameters of each at a block. The estimate is None where they name the gas:
    it costs a node several times what the call does. What a node calls pending may lag behind what
    it calls latest (a signer renews it once it has built on a block). So a revert there is asked
    for again: at the latest block if the pending one is behind, else at the pending one, which may
    have been renewed just now.
    """
    found = _ask(endpoint, requests_at(block), first_alone, beside)
    said = [one for answer in found[0] for one in answer]
    is_refused = any(isinstance(one, NodeRefused) and is_revert(one) for one in said)
    if block != PENDING or not is_refused:
        return found
    again = "latest" if _is_pending_behind(endpoint, first_alone) else PENDING
    return _ask(endpoint, requests_at(again), first_alone, beside)


def _ask(
    endpoint: Endpoint, requests: Sequence[CallAt], first_alone: bool, beside: Question[Any]
) -> tuple[list[tuple[Any, Any]], Any]:
    unknown = [position for position, (fields, _) in enumerate(requests) if "gas" not in fields]
    asked: list[Question[Any]] = [questions.call(*request) for request in requests]
    asked += [questions.estimate_gas(*requests[position]) for position in unknown]
    *answers, last = endpoint.batch([*asked, beside], first_alone=first_alone)
    estimates = dict(zip(unknown, answers[len(requests) :], strict=True))
    return [(answer, estimates.get(n)) for n, answer in enumerate(answers[: len(requests)])], last


def _is_pending_behind(endpoint: Endpoint, first_alone: bool) -> bool:
    asked: list[Question[Any]] = [questions.pending_number(), questions.block_number()]
    pending, latest = endpoint.batch(asked, first_alone=first_alone)
    if isinstance(latest, NodeRefused):
        return False
    if isinstance(pending, NodeRefused) or pending is None:
        return True
    return bool(pending <= latest)
