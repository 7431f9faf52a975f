"""What a user can ask for, and the types of requests that ask for it."""

from __future__ import annotations

from enum import Enum


class Kind(Enum):
    """What is asked for; the values are what is typed."""

    BILL = "bill"
    ADVICE = "advice"


TYPE_IDS = {Kind.BILL: 1, Kind.ADVICE: 2}
