"""How a member is called where people read of it."""

from __future__ import annotations


def named(account: str) -> str:
    """Return what to call a member: its account."""
    return account
