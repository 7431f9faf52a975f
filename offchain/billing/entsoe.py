"""Day-ahead prices as ENTSO-E's transparency platform gives them: documents of type A44.

In curve type A03 a position that is left out repeats the price before it; in A01 none is left out.
Source: ENTSO-E, Transparency Platform RESTful API, "Energy Prices" (12.1.D); IEC 62325-451-3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from fractions import Fraction
from xml.etree.ElementTree import Element

from offchain.billing import safe_xml
from offchain.billing.market_prices import Stretch, parse_decimal
from offchain.billing.price_series import MAX_PRICES
from offchain.errors import TariffError

_RESOLUTIONS_S = {"PT15M": 900, "PT30M": 1_800, "PT60M": 3_600, "PT1H": 3_600}
_MICRO_A_KWH = 1_000  # 1 a MWh is 0.001 a kWh
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?Z")
_SEQUENCE = "classificationSequence_AttributeInstanceComponent.position"


def parse(data: bytes) -> list[Stretch]:
    """Return the stretches of prices of an A44 document, in its order.

    Raises TariffError for anything else: other documents, DTDs and entities, more than 16 MiB.
    """
    root = safe_xml.parse(data)
    if root.tag == "Acknowledgement_MarketDocument":
        reason = "; ".join(text.text or "" for text in root.iter("text"))
        raise TariffError(f"this is no document of prices but ENTSO-E's answer: {reason[:200]}")
    if root.tag != "Publication_MarketDocument" or _text(root, "type") != "A44":
        raise TariffError("this is no document of prices (Publication_MarketDocument, type A44)")
    found, count = [], 0
    for series in root.iter("TimeSeries"):
        for stretch in _stretches(series):
            found.append(stretch)
            count += len(stretch.prices)
            if count > MAX_PRICES:
                raise TariffError(f"the document holds more than {MAX_PRICES} prices")
    if not found:
        raise TariffError("the document holds no prices")
    return found


def _stretches(series: Element) -> Iterator[Stretch]:
    unit, curve = _text(series, "price_Measure_Unit.name"), _text(series, "curveType")
    if unit != "MWH":
        raise TariffError(f"the prices are a {unit[:20]!r}; only prices a MWH can be read")
    if curve not in ("A01", "A03"):
        raise TariffError(f"the curve type {curve[:20]!r} cannot be read; A01 and A03 can")
    position = series.findtext(_SEQUENCE)
    for period in series.iter("Period"):
        resolution, start, count = _slots(period)
        yield Stretch(
            start=start,
            resolution_s=resolution,
            currency=_text(series, "currency_Unit.name"),
            prices=tuple(_prices(period, count, may_repeat=curve == "A03")),
            sequence=None if position is None else _number(position, "a sequence position"),
        )


def _slots(period: Element) -> tuple[int, int, int]:
    """Return the resolution, the start and the number of slots of a Period."""
    name = _text(period, "resolution")
    if name not in _RESOLUTIONS_S:
        raise TariffError(f"the resolution {name[:20]!r} cannot be read; PT15M and PT60M can")
    start = _instant(_text(period, "timeInterval/start"))
    count, rest = divmod(_instant(_text(period, "timeInterval/end")) - start, _RESOLUTIONS_S[name])
    if not 0 < count <= MAX_PRICES or rest:
        raise TariffError(f"the Period that begins at {start} is no whole number of {name}")
    return _RESOLUTIONS_S[name], start, count


def _prices(period: Element, count: int, *, may_repeat: bool) -> Iterator[Fraction]:
    """Yield the price of each of the `count` slots of a Period."""
    reached, last = 0, None
    for point in period.iter("Point"):
        position = _number(_text(point, "position"), "a position")
        if not reached < position <= count:
            raise TariffError(f"the position {position} is out of order, or above {count}")
        yield from _repeated(last if may_repeat else None, reached, position - 1)
        reached, last = position, _price(point)
        yield last
    yield from _repeated(last if may_repeat else None, reached, count)


def _repeated(price: Fraction | None, reached: int, until: int) -> Iterator[Fraction]:
    """Yield a price for the positions after `reached` up to `until`, where it may stand there."""
    if reached == until:
        return
    if price is None:
        raise TariffError(f"the position {reached + 1} is missing")
    yield from [price] * (until - reached)


def _price(point: Element) -> Fraction:
    text = _text(point, "price.amount")
    price = parse_decimal(text)
    if price is None:
        raise TariffError(f"the price {text[:20]!r} is no decimal number")
    return price * _MICRO_A_KWH


def _text(element: Element, path: str) -> str:
    found = element.findtext(path)
    if found is None:
        raise TariffError(f"{element.tag}: the element {path} is missing")
    return found.strip()


def _number(text: str, what: str) -> int:
    if not re.fullmatch("[0-9]{1,6}", text.strip()):
        raise TariffError(f"{what} is no number: {text[:20]!r}")
    return int(text)


def _instant(text: str) -> int:
    if not _TIME.fullmatch(text):
        raise TariffError(f"{text[:40]!r} is no time in UTC like 2024-10-05T22:00Z")
    try:
        return int(datetime.fromisoformat(text).timestamp())
    except ValueError:
        raise TariffError(f"{text[:40]!r} is no time in UTC like 2024-10-05T22:00Z") from None
