"""How many readings the node holds, day by day: asked before anything is paid."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx

from offchain.billing.registers import Span
from offchain.billing.window_parts import whole_utc_days
from offchain.errors import FormatError
from offchain.member.errors import MemberError
from offchain.records import canonical_json, held_days
from offchain.records.held_days import HeldDay

_TIMEOUT_S = 30.0
_MAX_BYTES = 4_194_304


def fetch_days(node_url: str, device: str, window: Span) -> list[HeldDay]:
    """Return the UTC days around a window of which the node holds readings of a device, with the
    nearest such day before and behind them.

    Raises MemberError when it does not say.
    """
    is_local = urlsplit(node_url).hostname in ("127.0.0.1", "localhost", "::1")
    start, end = whole_utc_days(window)
    url = f"{node_url.rstrip('/')}/v1/days/{device}"
    try:
        with httpx.Client(timeout=_TIMEOUT_S, trust_env=not is_local) as client:
            answer = client.get(url, params={"from": start, "to": end})
            answer.raise_for_status()
        return held_days.from_json(canonical_json.parse(answer.content, max_bytes=_MAX_BYTES))
    except (httpx.HTTPError, FormatError) as error:
        raise MemberError(
            f"{url} does not tell how many readings it holds: {error}; is the node running? "
            "Nothing was paid"
        ) from error
