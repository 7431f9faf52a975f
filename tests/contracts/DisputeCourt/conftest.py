"""Locks and judges as in the tests of PrepaidLock, and cases that are open."""

from __future__ import annotations

from tests.contracts.PrepaidLock.conftest import *  # noqa: F403
