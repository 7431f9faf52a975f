"""The chain loop of a processing node: one poll does one step of what waits, of each kind only so
many.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from offchain.chain.errors import NodeUnavailable
from offchain.chain.facts import Receipt
from offchain.chain.heads import head_or_none
from offchain.chain.health import HealthGate
from offchain.containment import ENDING, contained
from offchain.errors import DmsmError
from offchain.index.errors import IndexBehind
from offchain.member.locks import MOST_ENDED
from offchain.member.money import Money
from offchain.member.tariff_book import TariffBook
from offchain.node.bond import BondKeeper
from offchain.node.defence import DefenceDesk
from offchain.node.desk import NodeParts
from offchain.node.market import MarketDesk
from offchain.node.outcome import Outcome
from offchain.node.publisher import DataSetPublisher
from offchain.node.requests import RequestDesk
from offchain.node.retiring import RetiringDesk
from offchain.node.settlements import SettlementDesk
from offchain.states import States

_log = logging.getLogger(__name__)

NEW_PER_POLL = 20  # of each kind: a poll ends, however much is asked
_CATCH_UP_S = 2.0  # claims come again after it, however far the tables are behind

_T = TypeVar("_T")
Step = Callable[[bytes], Outcome]
_Ready = tuple[str, list[bytes], Step]
_Kind = tuple[str, Callable[[], Iterable[bytes]], Step]
_PAUSE = "pause"


class NodeWorker:
    """Poll the chain and serve what concerns this node.

    Give it a gateway to one's own chain node: dry calls show secrets.
    """

    def __init__(
        self,
        parts: NodeParts,
        *,
        tariffs: TariffBook,
        publisher: DataSetPublisher,
        health: HealthGate | None = None,
    ) -> None:
        """Put the desks together. `health` says when nothing new may begin; None: always may."""
        self._gateway, self._index, self._health = parts.gateway, parts.index, health
        self._states = States()
        self._money = Money(parts.gateway)
        self.bond = BondKeeper(parts.gateway, parts.terms)
        self._had_turn: dict[str, set[bytes]] = {}
        self.requests = RequestDesk(parts, self.bond, tariffs)
        self.market = MarketDesk(parts, self.bond)
        self.defence = DefenceDesk(parts)
        self.settlements = SettlementDesk(parts)
        self.retiring = RetiringDesk(parts, publisher)

    def run_once(self) -> list[Outcome]:
        """Do one step of what waits, at most NEW_PER_POLL of a kind. What has a deadline and is
        begun (claims, deliveries) comes first, and again after every other step; then demands and
        disputes are answered, and sales ended that somebody withdrew from, before anything new is
        read. What is new waits while the chain is
        not to be believed: a `paused` outcome says why, `resumed` that it is; after it the bond is
        topped up. What is due is ended last: locks by one transaction, then broadcasts that nobody
        selected.

        An item that fails, for whatever reason, is reported as `failed` and tried again at the next
        poll; a kind that cannot be read is reported once, and keeps no other waiting. Raises
        NodeUnavailable, StoreDamaged and StoreVersion alone.
        """
        tried: dict[bytes, str] = {}
        outcomes = self._send_again() + self._urgent(tried)
        faults = self._why_not_believed()  # steers to the nodes that are asked
        said, unreadable = self._catch_up()
        outcomes, faults = outcomes + said, [*faults, *unreadable]
        begun: list[_Kind] = [
            ("demands", self.defence.demands, self.defence.serve),
            ("disputes", self.defence.disputes, self.defence.reply),
            ("withdrawn consents", self.retiring.due, self.retiring.retire),
        ]
        fresh: list[_Kind] = [
            ("selections", self.market.selections, self.market.deliver),
            ("requests", self.requests.pending, self.requests.handle),
            ("broadcasts", self.market.open_broadcasts, self.market.respond),
            ("retired data sets", self.retiring.to_republish, self.retiring.republish),
        ]
        for kind, find, step in begun:
            found, error = self._found(kind, find)
            outcomes += self._said_once(kind, error)
            outcomes += self._steps(kind, found, step, tried)
        changes, ready = self._judge(fresh, faults)
        outcomes += changes
        for kind, found, step in ready:
            outcomes += self._steps(kind, found, step, tried)
        if ready:  # what needs more than is there has topped it up before
            outcomes += self._top_up_bond()
        outcomes += self._end_what_is_due(tried)
        return [*outcomes, *self._close_broadcasts(tried)]

    def _catch_up(self) -> tuple[list[Outcome], list[str]]:
        """Bring the tables up to the chain; return what is to be said, and why nothing new may
        begin: who cannot read a log of the contracts may be blind to more.

        What the tables know already goes on.
        """
        follower = self._index.follower
        error = None
        if not follower.is_abreast:
            _, error = self._tried("following", lambda: follower.catch_up(_CATCH_UP_S))
        if isinstance(error, IndexBehind):  # at the first start, or after a long rest
            _log.info("%s", error)
            error = None
        said = self._said_once("the chain's events", error)
        unreadable, error = self._tried(
            "unreadable events", lambda: self._index.unreadable(self._index.newest())
        )
        return said, [str(error)] if unreadable is None else unreadable

    def _steps(
        self, kind: str, found: list[bytes], step: Step, tried: dict[bytes, str]
    ) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for one in self._turn(kind, [one for one in found if one not in tried]):
            outcomes.append(self._attempt(kind, step, one))
            outcomes += self._urgent(tried)
        return outcomes

    def _why_not_believed(self) -> list[str]:
        """Return why the chain nodes are not to be believed; that it cannot be told is one why."""
        if self._health is None:
            return []
        found, error = self._tried("the health check", self._health.check)
        return found if found is not None else [f"health unknown: {error}"]

    def _said_once(self, kind: str, error: DmsmError | None) -> list[Outcome]:
        """Report why a kind could not be read, unless that was said and goes on."""
        if error is None:
            self._states.end(kind)
            return []
        if not self._states.hold(kind, str(error)):
            return []
        return [Outcome("failed", b"", f"{kind} could not all be read: {error}")]

    def _top_up_bond(self) -> list[Outcome]:
        me = bytes.fromhex(self.bond.account[2:])
        receipt, error = self._tried("topping up the bond", self.bond.top_up)
        if error is not None:
            return [Outcome("failed", me, f"the bond was not topped up: {error}")]
        if receipt is None:
            return []
        added_wei = receipt.event("BondAdded").args["amountWei"]
        return [Outcome("bonded", me, f"{added_wei} wei added to the bond", receipt)]

    def _end_what_is_due(self, tried: dict[bytes, str]) -> list[Outcome]:
        earned, error = self._found("ends", self.settlements.due)
        said = self._said_once("ends", error)
        due = [one for one in earned if one not in tried][:MOST_ENDED]
        outcomes, error = self._tried("ending locks", lambda: self.settlements.end(due))
        if error is not None:
            return said + [Outcome("failed", one, str(error)) for one in due]
        return said + (outcomes or [])

    def _close_broadcasts(self, tried: dict[bytes, str]) -> list[Outcome]:
        """Close what nobody selected, once the locks that ended have given their bonds back: at the
        close a responder's free bond must cover its offer.
        """
        found, error = self._found("closings", self.market.closable)
        said = self._said_once("closings", error)
        return said + self._steps("closings", found, self.market.close, tried)

    def _send_again(self) -> list[Outcome]:
        """Let the outbox send again what a reorganisation took off the chain. What is due must not
        wait for it; the next poll tries again.
        """
        _, error = self._tried("settling what is not final", self._gateway.settle)
        return [] if error is None else [Outcome("failed", b"", str(error))]

    def _judge(self, fresh: list[_Kind], faults: list[str]) -> tuple[list[Outcome], list[_Ready]]:
        """Read what is new; return what changed, and what may begin. `faults`: why the nodes are
        not to be believed, which stops everything new. Another fault stops its own kind.
        """
        ready, said = list[_Ready](), list[Outcome]()
        for kind, find, step in fresh:
            found, error = self._found(kind, find)
            said += self._said_once(kind, error)
            ready.append((kind, found, step))
        return said + self._pause(faults), [] if faults else ready

    def _pause(self, faults: list[str]) -> list[Outcome]:
        """Report that a pause begins or has another reason, and, at its end, how long it was."""
        if faults:
            why = "takes nothing new on: " + "; ".join(faults)
            return [Outcome("paused", b"", why)] if self._states.hold(_PAUSE, why) else []
        ended = self._states.end(_PAUSE)
        if ended is None:
            return []
        how_long = f"after {ended.lasted_s} s, {ended.times} polls"
        return [Outcome("resumed", b"", f"takes new work on again, {how_long}")]

    def _urgent(self, tried: dict[bytes, str]) -> list[Outcome]:
        """Do the due claims and deliveries: each once a poll, or until its block is deep enough."""
        outcomes: list[Outcome] = []
        due: list[_Kind] = [
            ("claims", self.requests.claimable, self.requests.claim),
            ("deliveries", self.market.deliveries, self.market.deliver),
        ]
        for kind, waiting, step in due:
            found, error = self._found(kind, waiting)
            outcomes += self._said_once(kind, error)
            for one in found:
                before = tried.get(one)
                if before not in (None, "skipped"):
                    continue
                outcome = self._attempt(kind, step, one)
                tried[one] = outcome.kind
                if outcome.kind != before:  # a wait is reported once
                    outcomes.append(outcome)
        return outcomes

    def _turn(self, kind: str, waiting: list[bytes]) -> list[bytes]:
        """Return whose turn it is: those that had none yet come first, so that items which go on
        waiting keep no others out.
        """
        had = self._had_turn.get(kind, set()) & set(waiting)
        fresh = [one for one in waiting if one not in had]
        again = [one for one in waiting if one in had]
        turn = (fresh + again)[:NEW_PER_POLL]
        self._had_turn[kind] = had | set(turn) if len(fresh) > len(turn) else set(turn)
        return turn

    def withdraw(self) -> Receipt | None:
        """Withdraw what the node earned; None if there is nothing."""
        return self._money.withdraw()

    # ---- a step at a time

    def _found(
        self, kind: str, find: Callable[[], Iterable[bytes]]
    ) -> tuple[list[bytes], DmsmError | None]:
        """Return what waits of a kind, or nothing and why that could not be read."""
        found, error = self._tried(f"reading {kind}", lambda: list(find()))
        return found or [], error

    def _attempt(self, kind: str, step: Step, one: bytes) -> Outcome:
        outcome, error = self._tried(f"a step of {kind}", lambda: step(one))
        return outcome or Outcome("failed", one, str(error))

    def _tried(self, what: str, step: Callable[[], _T]) -> tuple[_T, None] | tuple[None, DmsmError]:
        """Do a step; return what it returned, or why it failed, whatever that was.

        Raises NodeUnavailable when no chain node answers anything: then no other step can do
        without. What one question alone is not answered costs its own step.
        """
        try:
            with contained(what):
                return step(), None
        except ENDING:
            raise
        except DmsmError as error:
            if isinstance(error, NodeUnavailable) and head_or_none(self._gateway) is None:
                raise
            _log.debug("%s failed: %s", what, error)
            return None, error
