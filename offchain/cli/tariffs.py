"""Tariffs: from a file, from a node, or made of two prices."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from offchain.errors import DmsmError

if TYPE_CHECKING:
    from offchain.billing.tariff import Tariff

_TIMEOUT_S = 10.0
_MONTHS, _HOURS = 12, 24


class TariffUnavailable(DmsmError):
    """The node's tariff could not be fetched."""


def read_tariff(path: Path) -> Tariff:
    """Read a tariff file; its JSON need not be canonical. Raises FormatError, OSError."""
    from offchain.billing import tariff
    from offchain.records import canonical_json

    value = canonical_json.parse(path.read_bytes(), max_bytes=tariff.MAX_BYTES)
    return tariff.decode(canonical_json.dumps(value))


def fetch_tariff(node_url: str) -> Tariff:
    """Fetch the tariff that a node serves. Raises TariffUnavailable, FormatError."""
    import httpx

    from offchain.billing import tariff

    is_local = urlsplit(node_url).hostname in ("127.0.0.1", "localhost", "::1")
    url = f"{node_url.rstrip('/')}/v1/tariff"
    try:
        with httpx.Client(timeout=_TIMEOUT_S, trust_env=not is_local) as client:
            answer = client.get(url)
            answer.raise_for_status()
    except httpx.HTTPError as error:
        raise TariffUnavailable(f"{url} gives no tariff: {error}; is the node running?") from error
    return tariff.decode(answer.content)


def two_price_tariff(
    *, name: str, utc_offset_s: int, flat: int, off_peak: int, peak: int, peak_hours: range
) -> Tariff:
    """Make a tariff with one peak a weekday, the same in every month (micro-dollars a kWh)."""
    from offchain.billing.tariff import Tariff

    weekday = tuple(peak if hour in peak_hours else off_peak for hour in range(_HOURS))
    weekend = (off_peak,) * _HOURS
    return Tariff(
        name=name,
        utc_offset_s=utc_offset_s,
        flat_microusd_per_kwh=flat,
        time_of_use_microusd_per_kwh=((weekday, weekend),) * _MONTHS,
    )
