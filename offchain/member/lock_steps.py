"""What whoever paid for a lock can do next, as the commands name it."""

from __future__ import annotations

from offchain.member.locks import Lock
from offchain.member.roles import LockState
from offchain.types import utc

_OPEN = (LockState.REQUESTED, LockState.ACCEPTED, LockState.SELECTED)
_MONEY_BACK = (LockState.REJECTED, LockState.DECLINED, LockState.REFUNDED, LockState.SLASHED)


def payer_can(lock: Lock, now: int) -> str:
    """Return what the payer can do with its lock at the chain's time `now`."""
    name = "0x" + lock.lock_id.hex()
    group = "share" if lock.group_size else "user"
    if lock.state in _MONEY_BACK:
        return f"what it gave back: dmsm {group} withdraw"
    if lock.state is LockState.SETTLED:
        return "it has ended: the node is paid"
    if lock.end_at is None:
        return "nothing"
    is_over, until = now >= lock.end_at, utc(lock.end_at)
    if lock.state in _OPEN or lock.state is LockState.DISPUTED:
        if is_over:
            return f"dmsm {group} refund {name}"
        waits_for = "the judges" if lock.state is LockState.DISPUTED else "the node"
        return f"wait for {waits_for} until {until}; then dmsm {group} refund"
    if lock.state is LockState.DEMANDED:
        return f"dmsm user slash {name}" if is_over else f"wait for the node to serve until {until}"
    return "nothing: anybody settles it" if is_over else _while_it_can_be_disputed(lock, until)


def _while_it_can_be_disputed(lock: Lock, until: str) -> str:
    if lock.group_size:
        return f"recover and verify it; a bad one: dmsm share dispute, until {until}"
    demand = "" if lock.is_demanded else "; withheld: dmsm user demand"
    return f"audit it{demand}; a bad one: dmsm user dispute, until {until}"
