"""Locks, bonds and judges as in the tests of PrepaidLock, for those who would misuse them."""

from __future__ import annotations

from tests.contracts.PrepaidLock.conftest import *  # noqa: F403
