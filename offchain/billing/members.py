"""Strict reading of a parsed document, member by member; a refusal names the member."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, NoReturn

from offchain.errors import TariffError

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# The years before and after must exist in every zone, too: midnights are found by looking around.
FIRST_YEAR, LAST_YEAR = 3, 9997


class Member:
    """A value of a document and its place, such as `import[0].periods[2].price`."""

    __slots__ = ("path", "value")

    def __init__(self, value: Any, path: str = "") -> None:
        self.value = value
        self.path = path

    def refuse(self, reason: str) -> NoReturn:
        """Raise TariffError with the place and what is wrong there."""
        raise TariffError(f"{self.path or 'the document'}: {reason}")

    def members(self, names: str, *, optional: str = "") -> dict[str, Member]:
        """Return the members of an object: all of `names`, and of `optional` those that are there.

        Both are given in one text each. Raises TariffError for a missing or an unknown one.
        """
        if not isinstance(self.value, dict):
            self.refuse(f"must be an object with the members {names}")
        for name in names.split():
            if name not in self.value:
                self.refuse(f"the member {name!r} is missing")
        known = {*names.split(), *optional.split()}
        for name in self.value:
            if name not in known:
                self.refuse(f"the member {name[:40]!r} is not known here; there may be {names}")
        return {name: Member(item, self._child(name)) for name, item in self.value.items()}

    def document(self, names: str, *, version: int) -> dict[str, Member]:
        """Return the members of a document: `v`, which must be `version`, and all of `names`."""
        if isinstance(self.value, dict) and "v" in self.value:  # another version has other members
            Member(self.value["v"], self._child("v")).one_of(version)
        return self.members(f"v {names}")

    def items(self, *, high: int, low: int = 0) -> list[Member]:
        """Return the items of a list of `low` to `high` items."""
        if not isinstance(self.value, list) or not low <= len(self.value) <= high:
            self.refuse(f"must be a list of {low} to {high} items")
        return [Member(item, f"{self.path}[{i}]") for i, item in enumerate(self.value)]

    def integer(self, *, low: int, high: int) -> int:
        """Return an integer in [low, high]; a bool is none."""
        value = self.value
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            self.refuse(f"must be an integer in [{low}, {high}]")
        return value

    def integers(self, *, low: int, high: int, max_items: int) -> tuple[int, ...]:
        """Return a list of one to `max_items` integers in [low, high]; quick where it is long."""
        items = self.value
        if not isinstance(items, list) or not 1 <= len(items) <= max_items:
            self.refuse(f"must be a list of 1 to {max_items} items")
        for i, item in enumerate(items):
            if type(item) is not int or not low <= item <= high:
                Member(item, f"{self.path}[{i}]").integer(low=low, high=high)
        return tuple(items)

    def text(self, *, max_bytes: int = 128) -> str:
        """Return text of 1 to `max_bytes` bytes of UTF-8."""
        if not isinstance(self.value, str) or not 1 <= len(self.value.encode()) <= max_bytes:
            self.refuse(f"must be text of 1 to {max_bytes} bytes")
        return self.value

    def matching(self, pattern: str, *, what: str) -> str:
        """Return text that matches a regular expression as a whole; `what` says it in words."""
        if not isinstance(self.value, str) or not re.fullmatch(pattern, self.value):
            self.refuse(f"must be {what}")
        return self.value

    def one_of(self, *options: Any) -> Any:
        """Return the value if it is one of `options`."""
        if isinstance(self.value, bool) or self.value not in options:
            shown = ", ".join(str(option) for option in options)
            self.refuse(f"must be one of {shown}" if len(options) > 1 else f"must be {shown}")
        return self.value

    def date(self) -> date:
        """Return a date written YYYY-MM-DD."""
        found = parse_date(self.value)
        if found is None:
            self.refuse("must be a date YYYY-MM-DD")
        return found

    def _child(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name


def parse_date(value: object) -> date | None:
    """Return the date that a text YYYY-MM-DD says, None for anything else."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return None
    try:
        found = date.fromisoformat(value)
    except ValueError:
        return None
    return found if FIRST_YEAR <= found.year <= LAST_YEAR else None
