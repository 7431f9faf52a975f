"""Price series: prices of a market, instant after instant, as documents of their own."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

from offchain.billing.component_document import MAX_PRICE, RESOLUTIONS_S
from offchain.billing.members import Member
from offchain.errors import FormatError, TariffError
from offchain.records import canonical_json

MAX_BYTES = 2**23
MAX_PRICES = 400_000  # eleven years of quarter hours
_KEPT = 16  # documents: every answer is priced by the same few
MAX_INSTANT = 2**38  # unix seconds, in the year 10680
_MEMBERS = "name currency resolution_s from prices"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSeries:
    """Prices in micro-units a kWh; number n holds for `resolution_s` from start + n·resolution_s.

    `digest` is the SHA-256 of the document's canonical JSON, in hex.
    """

    digest: str
    name: str
    currency: str
    resolution_s: int
    start: int
    prices: tuple[int, ...]

    @property
    def end(self) -> int:
        """The instant from which on there is no price."""
        return self.start + self.resolution_s * len(self.prices)


def encode(
    *, name: str, currency: str, resolution_s: int, start: int, prices: Sequence[int]
) -> bytes:
    """Return a series as canonical JSON. Raises TariffError for what `decode` would refuse."""
    value = {
        "v": 1,
        "name": name,
        "currency": currency,
        "resolution_s": resolution_s,
        "from": start,
        "prices": list(prices),
    }
    data = canonical_json.dumps(value)
    _read(value, data)
    return data


@lru_cache(maxsize=_KEPT)  # a refusal is an exception, which is not kept
def decode(data: bytes) -> PriceSeries:
    """Read a series from its canonical JSON, as from a content store. Raises TariffError."""
    try:
        return _read(canonical_json.loads(data, max_bytes=MAX_BYTES), data)
    except FormatError as error:
        raise TariffError(f"this is no price series: {error}") from error


def parse(data: bytes) -> PriceSeries:
    """Read a series from JSON of any layout, as from a file. Raises TariffError."""
    try:
        value = canonical_json.parse(data, max_bytes=MAX_BYTES)
        return _read(value, canonical_json.dumps(value))
    except FormatError as error:
        raise TariffError(f"this is no price series: {error}") from error


def refuse_overlap(series: Sequence[PriceSeries]) -> None:
    """Raise TariffError where two series hold one instant."""
    for before, after in pairwise(sorted(series, key=lambda one: (one.start, one.end))):
        if after.start < before.end:
            raise TariffError(
                f"the price series {before.digest[:8]}… and {after.digest[:8]}… both hold "
                f"{after.start}; the tariff may name one of them"
            )


def _read(value: Any, canonical: bytes) -> PriceSeries:
    found = Member(value).document(_MEMBERS, version=1)
    return PriceSeries(
        digest=hashlib.sha256(canonical).hexdigest(),
        name=found["name"].text(),
        currency=found["currency"].matching("[A-Z]{3}", what="a currency's three letters"),
        resolution_s=found["resolution_s"].one_of(*RESOLUTIONS_S),
        start=found["from"].integer(low=0, high=MAX_INSTANT),
        prices=found["prices"].integers(low=-MAX_PRICE, high=MAX_PRICE, max_items=MAX_PRICES),
    )
