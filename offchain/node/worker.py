"""The chain loop of a processing node: one poll does one step of what waits, of each kind only so
many.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from offchain.billing.tariff import Tariff
from offchain.chain.errors import NodeUnavailable
from offchain.chain.facts import Receipt
from offchain.chain.gateway import ChainGateway
from offchain.chain.health import HealthGate
from offchain.errors import DmsmError
from offchain.index.chain_index import ChainIndex
from offchain.index.errors import IndexBehind
from offchain.member.directory import MemberDirectory
from offchain.member.keys import MemberKeys
from offchain.member.locks import MOST_ENDED
from offchain.member.money import Money
from offchain.node.bond import BondKeeper
from offchain.node.defence import DefenceDesk
from offchain.node.desk import NodeParts
from offchain.node.market import MarketDesk
from offchain.node.outcome import NodeTerms, Outcome
from offchain.node.requests import RequestDesk
from offchain.node.settlements import SettlementDesk
from offchain.node.store import NodeStore
from offchain.storage import ContentStore

_log = logging.getLogger(__name__)

NEW_PER_POLL = 20  # of each kind: a poll ends, however much is asked
_CATCH_UP_S = 2.0  # claims come again after it, however far the tables are behind

Step = Callable[[bytes], Outcome]
_Ready = tuple[str, list[bytes], Step]
_Kind = tuple[str, Callable[[], Iterable[bytes]], Step]


class NodeWorker:
    """Poll the chain and serve what concerns this node.

    Give it a gateway to one's own chain node: dry calls show secrets.
    """

    def __init__(
        self,
        *,
        gateway: ChainGateway,
        index: ChainIndex,
        store: ContentStore,
        keys: MemberKeys,
        readings: NodeStore,
        directory: MemberDirectory,
        tariff: Tariff,
        terms: NodeTerms,
        health: HealthGate | None = None,
    ) -> None:
        """Put the desks together. `health` says when nothing new may begin; None: always may."""
        self._gateway, self._index, self._health = gateway, index, health
        self._faults: list[str] = []
        self._unread: dict[str, str] = {}
        self._money = Money(gateway)
        self.bond = BondKeeper(gateway, terms)
        self._had_turn: dict[str, set[bytes]] = {}
        parts = NodeParts(
            gateway=gateway,
            index=index,
            store=store,
            keys=keys,
            readings=readings,
            directory=directory,
            terms=terms,
        )
        self.requests = RequestDesk(parts, self.bond, tariff)
        self.market = MarketDesk(parts, self.bond)
        self.defence = DefenceDesk(parts)
        self.settlements = SettlementDesk(parts)

    def run_once(self) -> list[Outcome]:
        """Do one step of what waits, at most NEW_PER_POLL of a kind. What has a deadline and is
        begun (claims, deliveries) comes first, and again after every other step; then demands and
        disputes are answered, before anything new is read. What is new waits while the chain is
        not to be believed: a `paused` outcome says why, `resumed` that it is; before it the bond is
        topped up. What is due is ended last: locks by one transaction, then broadcasts that nobody
        selected.

        An item that fails is reported as `failed` and tried again at the next poll; a kind that
        cannot be read is reported once, and keeps no other waiting. Raises NodeUnavailable alone.
        """
        tried: dict[bytes, str] = {}
        outcomes = self._send_again() + self._urgent(tried)
        faults = self._health.check() if self._health else []  # steers to the nodes that are asked
        said, unreadable = self._catch_up()
        outcomes, faults = outcomes + said, [*faults, *unreadable]
        begun: list[_Kind] = [
            ("demands", self.defence.demands, self.defence.serve),
            ("disputes", self.defence.disputes, self.defence.reply),
        ]
        fresh: list[_Kind] = [
            ("selections", self.market.selections, self.market.deliver),
            ("requests", self.requests.pending, self.requests.handle),
            ("broadcasts", self.market.open_broadcasts, self.market.respond),
        ]
        for kind, find, step in begun:
            found, error = _found(kind, find)
            outcomes += self._said_once(kind, error)
            outcomes += self._steps(kind, found, step, tried)
        changes, ready = self._judge(fresh, faults)
        outcomes += changes
        if ready:
            outcomes += self._top_up_bond()
        for kind, found, step in ready:
            outcomes += self._steps(kind, found, step, tried)
        outcomes += self._end_what_is_due(tried)
        return [*outcomes, *self._close_broadcasts(tried)]

    def _catch_up(self) -> tuple[list[Outcome], list[str]]:
        """Bring the tables up to the chain; return what is to be said, and why nothing new may
        begin: who cannot read a log of the contracts may be blind to more.

        What the tables know already goes on.
        """
        try:
            self._index.follower.catch_up(_CATCH_UP_S)
        except NodeUnavailable:
            raise
        except IndexBehind as error:  # at the first start, or after a long rest
            _log.info("%s", error)
        except DmsmError as error:
            _log.warning("the chain's events could not be read: %s", error)
            return self._said_once("the chain's events", error), self._unreadable()
        return self._said_once("the chain's events", None), self._unreadable()

    def _unreadable(self) -> list[str]:
        try:
            return self._index.unreadable(self._index.newest())
        except DmsmError as error:
            return [str(error)]

    def _steps(
        self, kind: str, found: list[bytes], step: Step, tried: dict[bytes, str]
    ) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for one in self._turn(kind, [one for one in found if one not in tried]):
            outcomes.append(_attempt(step, one))
            outcomes += self._urgent(tried)
        return outcomes

    def _said_once(self, kind: str, error: DmsmError | None) -> list[Outcome]:
        """Report why a kind could not be read, unless that was said at the last poll."""
        before = self._unread.pop(kind, None)
        if error is None:
            return []
        self._unread[kind] = str(error)
        if str(error) == before:
            return []
        return [Outcome("failed", b"", f"{kind} could not all be read: {error}")]

    def _top_up_bond(self) -> list[Outcome]:
        me = bytes.fromhex(self.bond.account[2:])
        try:
            receipt = self.bond.top_up()
        except NodeUnavailable:
            raise
        except DmsmError as error:
            _log.warning("the bond was not topped up: %s", error)
            return [Outcome("failed", me, f"the bond was not topped up: {error}")]
        if receipt is None:
            return []
        added_wei = receipt.event("BondAdded").args["amountWei"]
        return [Outcome("bonded", me, f"{added_wei} wei added to the bond", receipt)]

    def _end_what_is_due(self, tried: dict[bytes, str]) -> list[Outcome]:
        earned, error = _found("ends", self.settlements.due)
        said = self._said_once("ends", error)
        due = [one for one in earned if one not in tried][:MOST_ENDED]
        try:
            return said + self.settlements.end(due)
        except NodeUnavailable:
            raise
        except DmsmError as error:
            _log.warning("ending %d locks failed: %s", len(due), error)
            return [Outcome("failed", one, str(error)) for one in due]

    def _close_broadcasts(self, tried: dict[bytes, str]) -> list[Outcome]:
        """Close what nobody selected, once the locks that ended have given their bonds back: at the
        close a responder's free bond must cover its offer.
        """
        found, error = _found("closings", self.market.closable)
        said = self._said_once("closings", error)
        return said + self._steps("closings", found, self.market.close, tried)

    def _send_again(self) -> list[Outcome]:
        """Let the outbox send again what a reorganisation took off the chain."""
        try:
            self._gateway.settle()
        except NodeUnavailable:
            raise
        except DmsmError as error:  # what is due must not wait for it; the next poll tries again
            _log.warning("what is not final could not be settled: %s", error)
            return [Outcome("failed", b"", str(error))]
        return []

    def _judge(self, fresh: list[_Kind], faults: list[str]) -> tuple[list[Outcome], list[_Ready]]:
        """Read what is new; return what changed, and what may begin. `faults`: why the nodes are
        not to be believed, which stops everything new. Another fault stops its own kind.
        """
        ready, said = list[_Ready](), list[Outcome]()
        for kind, find, step in fresh:
            found, error = _found(kind, find)
            said += self._said_once(kind, error)
            ready.append((kind, found, step))
        before, self._faults = self._faults, faults
        if faults and faults != before:
            said.append(Outcome("paused", b"", "takes nothing new on: " + "; ".join(faults)))
        if before and not faults:
            said.append(Outcome("resumed", b"", "takes new work on again"))
        return said, [] if faults else ready

    def _urgent(self, tried: dict[bytes, str]) -> list[Outcome]:
        """Do the due claims and deliveries: each once a poll, or until its block is deep enough."""
        outcomes: list[Outcome] = []
        due: list[tuple[Callable[[], Iterable[bytes]], Step]] = [
            (self.requests.claimable, self.requests.claim),
            (self.market.deliveries, self.market.deliver),
        ]
        for waiting, step in due:
            for one in waiting():
                before = tried.get(one)
                if before not in (None, "skipped"):
                    continue
                outcome = _attempt(step, one)
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


def _found(kind: str, find: Callable[[], Iterable[bytes]]) -> tuple[list[bytes], DmsmError | None]:
    """Return what waits of a kind, or nothing and why that could not be read."""
    try:
        return list(find()), None
    except NodeUnavailable:
        raise
    except DmsmError as error:
        _log.warning("%s could not be read: %s", kind, error)
        return [], error


def _attempt(step: Step, one: bytes) -> Outcome:
    try:
        return step(one)
    except NodeUnavailable:
        raise
    except DmsmError as error:
        _log.warning("a step for %s failed: %s", one.hex(), error)
        return Outcome("failed", one, str(error))
