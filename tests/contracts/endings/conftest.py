"""Locks and judges as in the tests of PrepaidLock, to see how each may end."""

from __future__ import annotations

from tests.contracts.PrepaidLock.conftest import *  # noqa: F403
