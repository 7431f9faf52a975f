"""The tariff document, version 2, read strictly; every refusal names its member."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

from offchain.billing.component_document import MAX_COMPONENTS, MAX_ITEMS, MAX_PPM, components
from offchain.billing.components import FixedCharge, Schedule, Tariff, Tax
from offchain.billing.day_pattern import DayPatterns, clock
from offchain.billing.members import Member
from offchain.billing.zones import zone_names
from offchain.errors import FormatError, TariffError
from offchain.records import canonical_json

MAX_BYTES = 2**18
_MAX_AMOUNT = 10**15
_KEPT = 16  # documents: every answer is priced by the same few
_MEMBERS = (
    "name currency minor_digits time_zone valid_from valid_to holidays import export fixed taxes"
)


@lru_cache(maxsize=_KEPT)  # a refusal is an exception, which is not kept
def decode(data: bytes) -> Tariff:
    """Read a tariff from its canonical JSON, as from a content store. Raises TariffError."""
    try:
        return _read(canonical_json.loads(data, max_bytes=MAX_BYTES), data)
    except FormatError as error:
        raise TariffError(f"this is no tariff: {error}") from error


def parse(data: bytes) -> Tariff:
    """Read a tariff from JSON of any layout, as from a file. Raises TariffError.

    Its digest is that of its canonical JSON, whatever the layout.
    """
    try:
        value = canonical_json.parse(data, max_bytes=MAX_BYTES)
        return _read(value, canonical_json.dumps(value))
    except FormatError as error:
        raise TariffError(f"this is no tariff: {error}") from error


def _read(value: Any, canonical: bytes) -> Tariff:
    found = Member(value).document(_MEMBERS, version=2)
    if found["time_zone"].text() not in zone_names():
        found["time_zone"].refuse("is no time zone; write one like Europe/Amsterdam")
    tariff = Tariff(
        digest=hashlib.sha256(canonical).hexdigest(),
        name=found["name"].text(),
        currency=found["currency"].matching("[A-Z]{3}", what="a currency's three letters"),
        minor_digits=found["minor_digits"].integer(low=0, high=6),
        time_zone=found["time_zone"].text(),
        valid_from=found["valid_from"].date(),
        valid_to=None if found["valid_to"].value is None else found["valid_to"].date(),
        holidays=frozenset(day.date() for day in found["holidays"].items(high=MAX_ITEMS)),
        imports=components(found["import"], "flat schedule dynamic tiered peak"),
        exports=components(found["export"], "flat schedule dynamic"),
        fixed=tuple(_fixed(one) for one in found["fixed"].items(high=MAX_COMPONENTS)),
        taxes=tuple(_tax(one) for one in found["taxes"].items(high=MAX_COMPONENTS)),
    )
    if tariff.valid_to is not None and tariff.valid_to <= tariff.valid_from:
        found["valid_to"].refuse("must be later than valid_from; it is not included")
    _refuse_holes(tariff)
    return tariff


def _refuse_holes(tariff: Tariff) -> None:
    for section, listed in (("import", tariff.imports), ("export", tariff.exports)):
        for i, component in enumerate(listed):
            if not isinstance(component, Schedule):
                continue
            patterns = DayPatterns(component, tariff.holidays)
            hole = patterns.first_hole(tariff.valid_from, tariff.valid_to)
            if hole is not None:
                day, part = hole
                raise TariffError(
                    f"{section}[{i}]: {component.name!r} has no price on {day} from "
                    f"{clock(part.start)} to {clock(part.end)}; add a period that holds then"
                )


def _fixed(member: Member) -> FixedCharge:
    found = member.members("name per amount")
    return FixedCharge(
        name=found["name"].text(),
        per=found["per"].one_of("day", "month"),
        amount=found["amount"].integer(low=-_MAX_AMOUNT, high=_MAX_AMOUNT),
    )


def _tax(member: Member) -> Tax:
    found = member.members("name rate_ppm on")
    sections = [one.one_of("import", "export", "fixed") for one in found["on"].items(high=3)]
    return Tax(
        name=found["name"].text(),
        rate_ppm=found["rate_ppm"].integer(low=-MAX_PPM, high=MAX_PPM),
        on=frozenset(sections),
    )
