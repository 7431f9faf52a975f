"""How a contract's events are bound to what they do to the tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Table

from offchain.index.changes import Changes
from offchain.index.decoding import Told
from offchain.index.errors import IndexIncomplete

Effect = Callable[[Told, Changes], None]


@dataclass(frozen=True, slots=True)
class Rule:
    """What one kind of event does. `changes`: the rows that it will look at, (table, argument) by
    the first column of their key, to be read for many events at once. `is_timed`: it needs its
    block's time.
    """

    effect: Effect
    changes: tuple[tuple[Table, str], ...]
    is_timed: bool


class Projection:
    """The rules of one contract."""

    def __init__(self, contract: str) -> None:
        self.contract = contract
        self.rules: dict[str, Rule] = {}

    def on(
        self, event: str, *changes: tuple[Table, str], timed: bool = False
    ) -> Callable[[Effect], Effect]:
        """Bind a function to an event by its name."""

        def bind(effect: Effect) -> Effect:
            self.rules[event] = Rule(effect, changes, timed)
            return effect

        return bind


class Rules:
    """All projections as one: what is to be read, and what it does."""

    def __init__(self, projections: Iterable[Projection]) -> None:
        self._rules = {
            (one.contract, event): rule for one in projections for event, rule in one.rules.items()
        }

    @property
    def sources(self) -> list[tuple[str, str]]:
        """Return (contract, event) of all that is read."""
        return list(self._rules)

    def is_timed(self, source: tuple[str, str]) -> bool:
        """Whether an event needs its block's time."""
        return self._rules[source].is_timed

    def apply(self, events: Sequence[Told], changes: Changes, *, has_gaps: bool = False) -> None:
        """Do to the tables what the events say, in their order. `has_gaps`: what changes nothing
        that is known is passed over; else that raises IndexIncomplete.
        """
        wanted: dict[Table, list[object]] = {}
        for told in events:
            for table, argument in self._rules[told.source].changes:
                wanted.setdefault(table, []).append(told.values[argument])
        for table, first in wanted.items():
            changes.load(table, first)
        for told in events:
            try:
                self._rules[told.source].effect(told, changes)
            except IndexIncomplete:
                if not has_gaps:
                    raise
