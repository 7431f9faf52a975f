"""Is the chain to be believed now? Steers the endpoint to the nodes that are, and names faults.

A node that follows a chain which stands still, which its own nodes disagree about, or whose logs
it cannot read, must begin nothing: what it has begun it goes on with (CVE-2022-39389 is a node
that went on blindly).
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from offchain.chain import questions
from offchain.chain.answers import AnswerUnreadable
from offchain.chain.endpoint import FAILURES, Endpoint, ask_together
from offchain.chain.errors import NodeRefused
from offchain.chain.questions import Question
from offchain.chain.rpc import RpcConnection

STALE_BEATS = 3
_PROBE_S = 5.0  # a node that takes longer is no help
_SILENT_S = 15.0  # and is asked no more for a while: each time costs that long


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthLimits:
    """When a chain is not to be believed.

    heartbeat_s: so often at least it makes a block; a head older than three of these is stale.
    None: age is not judged (a development chain stands still while nobody sends). lag_blocks: how
    far behind the others a node may be and still be asked. confirmations: nodes must agree about
    the block with so many on it. recheck_s: a clean bill of health holds so long.
    """

    heartbeat_s: float | None = None
    lag_blocks: int = 8
    confirmations: int = 0
    recheck_s: float = 2.0


@dataclass(frozen=True, slots=True)
class NodeHead:
    """The newest block of one node; `position` is the node's in the endpoint's order."""

    position: int
    url: str
    number: int
    timestamp: int


class HealthGate:
    """Look at all nodes of an endpoint. One thread at a time."""

    def __init__(
        self,
        endpoint: Endpoint,
        limits: HealthLimits,
        *,
        chain_id: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Prepare; nothing is asked yet. `clock` gives unix seconds."""
        self._endpoint, self._limits, self._chain_id = endpoint, limits, chain_id
        self._clock = clock
        self._probes = [RpcConnection(url, timeout_s=_PROBE_S) for url in endpoint.urls]
        self._silent: dict[int, tuple[float, str]] = {}  # until when a node is not probed, and why
        self._well_until = 0.0

    def check(self) -> list[str]:
        """Return why nothing new should be begun: nothing, if all is well. Never raises.

        Nodes that do not answer, serve another chain or lag behind are avoided from then on.
        """
        if time.monotonic() < self._well_until:
            return []
        faults = self._check()
        self._well_until = 0.0 if faults else time.monotonic() + self._limits.recheck_s
        return faults

    def _check(self) -> list[str]:
        heads, avoided = self._heads()
        if not heads:
            self._silent.clear()
            return ["no chain node answers: " + "; ".join(avoided.values())]
        forked = self._disagreement(heads)
        highest = max(head.number for head in heads)
        for head in heads:
            behind = highest - head.number
            # On another fork a higher head is no reason to leave one's own node.
            if behind > self._limits.lag_blocks and not forked:
                avoided[head.position] = f"its head is {behind} blocks behind the others'"
        self._endpoint.avoid(avoided)
        level = [head for head in heads if head.position not in avoided]
        return self._stale(level) + forked

    def _heads(self) -> tuple[list[NodeHead], dict[int, str]]:
        heads, avoided = [], {}
        for position, probe in enumerate(self._probes):
            url = self._endpoint.urls[position]
            until, why = self._silent.get(position, (0.0, ""))
            if time.monotonic() < until:
                avoided[position] = why
                continue
            try:
                served, block = _ask(probe, [questions.chain_id(), questions.header("latest")])
                if served != self._chain_id:
                    avoided[position] = f"it serves chain {served}, not {self._chain_id}"
                    continue
            except FAILURES as error:
                avoided[position] = why = f"it does not answer: {error}"
                self._silent[position] = time.monotonic() + _SILENT_S, why
                continue
            heads.append(NodeHead(position, url, block.number, block.timestamp))
        return heads, avoided

    def _stale(self, heads: Sequence[NodeHead]) -> list[str]:
        if self._limits.heartbeat_s is None:
            return []
        newest = max(heads, key=lambda head: head.timestamp)
        age_s, most_s = self._clock() - newest.timestamp, STALE_BEATS * self._limits.heartbeat_s
        if age_s <= most_s:
            return []
        return [
            f"the head, block {newest.number} of {newest.url}, is {age_s:.0f} s old and should be "
            f"at most {most_s:.0f} s: the chain stands still, the node is cut off, or a clock "
            "is wrong"
        ]

    def _disagreement(self, heads: Sequence[NodeHead]) -> list[str]:
        """Compare what should be final: above it nodes may differ for a moment."""
        number = min(head.number for head in heads) - self._limits.confirmations
        if len(heads) < 2 or number < 0:
            return []
        found: dict[str, list[str]] = {}
        for head in heads:
            try:
                (block,) = _ask(self._probes[head.position], [questions.header(number)])
                found.setdefault("0x" + block.hash.hex(), []).append(head.url)
            except FAILURES:
                continue  # fell silent since it told its head: the next check says so
        if len(found) < 2:
            return []
        sides = "; ".join(f"{', '.join(urls)}: {digest}" for digest, urls in found.items())
        return [f"the chain nodes disagree about block {number}, which should be final: {sides}"]


def _ask(node: RpcConnection, asked: Sequence[Question[Any]]) -> list[Any]:
    """Ask one node. Raises AnswerUnreadable also when it refuses, RpcFailure when it is silent."""
    found = ask_together(node, asked)
    results = [found] if isinstance(found, NodeRefused) else found
    for one in results:
        if isinstance(one, NodeRefused):
            raise AnswerUnreadable(f"it refuses: {one}")
    return results
