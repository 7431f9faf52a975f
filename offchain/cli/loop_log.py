"""What a loop does and says: each of its steps is contained, each state said when it begins and
when it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from structlog.stdlib import BoundLogger

from offchain.chain.errors import NodeUnavailable
from offchain.chain.facts import Receipt
from offchain.cli.output import hex_id
from offchain.containment import ENDING, FULL_AGAIN_S, contained
from offchain.errors import DmsmError, StoreBusy, StoreFull
from offchain.states import Ended, States, words

_WARNED = ("failed", "expired", "paused")
_T = TypeVar("_T")


class Done(Protocol):
    """What an agent did in one step: `id` is the item's, empty for the agent itself."""

    @property
    def kind(self) -> str: ...
    @property
    def id(self) -> bytes: ...
    @property
    def detail(self) -> str: ...
    @property
    def receipt(self) -> Receipt | None: ...


class LoopLog:
    """One loop's steps and states. `lasting`: the kinds of `Done` that go on from poll to poll."""

    def __init__(self, log: BoundLogger, *, lasting: Sequence[str] = ()) -> None:
        self._log, self._lasting = log, lasting
        self._faults, self._items = States(), States()

    def attempt(self, what: str, step: Callable[[], _T]) -> _T | None:
        """Do a step of the loop, named `what`; None when it failed: the loop goes on.

        A failure is said once while it lasts, a full disk at every minute. Raises StoreDamaged and
        StoreVersion alone, which no other try can mend.
        """
        try:
            with contained(what):
                found = step()
        except ENDING:
            raise
        except DmsmError as error:
            self._failed(what, error)
            return None
        ended = self._faults.end(what)
        if ended is not None:
            self._log.info(f"{what} works again", **_lasted(ended))
        return found

    def say(self, done: Sequence[Done]) -> None:
        """Say what one poll did. Whatever lasted and is not in it is over."""
        for one in done:
            self._say(one)
        for key, ended in self._items.end_others({_key(one) for one in done}):
            if ended.times > 1:  # one that was met once has been said already
                self._log.info("waits no longer", what=key, **_lasted(ended))

    def _say(self, one: Done) -> None:
        facts: dict[str, Any] = {"id": hex_id(one.id)} if one.id else {}
        facts["detail"] = one.detail
        if one.receipt is not None:
            facts |= {"tx": one.receipt.tx_hash, "gas": one.receipt.gas_used}
        if one.kind in self._lasting:
            if not self._items.hold(_key(one), f"{one.kind}: {one.detail}"):
                return
        elif (ended := self._items.end(_key(one))) is not None and ended.times > 1:
            facts |= _lasted(ended)
        log = self._log.warning if one.kind in _WARNED else self._log.info
        log(one.kind, **facts)

    def _failed(self, what: str, error: DmsmError) -> None:
        again_s = FULL_AGAIN_S if isinstance(error, StoreFull) else None
        if not self._faults.hold(what, str(error), again_s=again_s):
            return
        if isinstance(error, NodeUnavailable):
            self._log.warning("chain unavailable", reason=str(error))
        elif isinstance(error, StoreBusy):
            self._log.warning("store busy", reason=str(error))
        elif isinstance(error, StoreFull):
            self._log.error("no room", reason=str(error))
        else:
            self._log.error(f"{what} failed", error=type(error).__name__, reason=str(error))


def _key(one: Done) -> str:
    return hex_id(one.id) if one.id else words(f"{one.kind}: {one.detail}")


def _lasted(ended: Ended) -> dict[str, Any]:
    return {"lasted_s": ended.lasted_s, "times": ended.times}
