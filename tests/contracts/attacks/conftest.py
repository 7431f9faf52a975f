"""Locks, judges and broadcasts of the other folders, for those who would misuse them.

Each test of an attack goes with a control that shows that the attack would work without the
defence, or that what it rests on is real.
"""

from __future__ import annotations

from tests.contracts.DataMarket.conftest import (  # noqa: F401
    broadcast,
    choose,
    data_set_two,
    respond,
    select,
    send_broadcast,
    some_conditions,
)
from tests.contracts.PrepaidLock.conftest import *  # noqa: F403
