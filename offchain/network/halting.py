"""Whether a chain makes blocks, is idle or is halted, as this machine's signers see it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from offchain.chain import questions
from offchain.chain.errors import NodeRefused, NodeUnavailable
from offchain.network.ipc import Ipc
from offchain.network.operation import Network

# So long with transactions waiting and no block; waits out of turn are shorter.
HALTED_AFTER_S = 5.0
_ASK_S = 2.0
_POLL_S = 0.25


class ChainState(StrEnum):
    """What a chain does."""

    RUNS = "makes blocks"
    IDLE = "idle: no transaction waits"
    HALTED = "halted: transactions wait, and no block comes though a majority answers"
    TOO_FEW = "stands still: too few signers answer"


@dataclass(frozen=True, slots=True)
class Glimpse:
    """One look: how many signers answered, the highest block, how many transactions wait."""

    answered: int
    height: int
    waiting: int


def glimpse(network: Network, names: Sequence[str]) -> Glimpse:
    """Ask these signers once."""
    answered = height = waiting = 0
    for name in names:
        with suppress(NodeUnavailable, NodeRefused):
            with Ipc(network.plan.ipc_path(name), timeout_s=_ASK_S) as node:
                height = max(height, node.ask(questions.block_number()))
                waiting = max(waiting, node.ask(questions.waiting_count()))
                answered += 1
    return Glimpse(answered, height, waiting)


def chain_state(network: Network, names: Sequence[str]) -> ChainState:
    """Look at the signers `names` for as long as it takes: a chain that makes blocks is told at its
    next one, a halted one after HALTED_AFTER_S and the block time.

    What waits at a price below the base fee counts as waiting: with the heartbeat at work, which
    offers more, blocks come all the same.
    """
    patience_s = HALTED_AFTER_S + network.plan.period_s
    first = now = glimpse(network, names)
    begun = time.monotonic()
    while now.height == first.height:
        # Without transactions a chain of period 0 has nothing to seal; any other one makes blocks.
        if now.waiting == 0 and network.plan.is_idle_without_beat and now.answered:
            return ChainState.IDLE
        if time.monotonic() - begun > patience_s:
            return ChainState.HALTED if _is_majority(network, now) else ChainState.TOO_FEW
        time.sleep(_POLL_S)
        now = glimpse(network, names)
    return ChainState.RUNS


def _is_majority(network: Network, now: Glimpse) -> bool:
    """Whether enough answered; of several machines each sees its own signers, and any will do."""
    if network.plan.is_spread:
        return now.answered > 0
    return now.answered > len(network.plan.signers) // 2
