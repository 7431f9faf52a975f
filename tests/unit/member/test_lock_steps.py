"""What a payer is told that it can do next, for each state, before its deadline and from it on."""

from typing import Any

import pytest

from offchain.member.lock_steps import payer_can
from offchain.member.locks import Lock
from offchain.member.roles import LockState
from offchain.types import to_account

ID = bytes(31) + b"\x05"
NAME = "0x" + ID.hex()
T, DUE = 1_000, 2_000
SOMEBODY = to_account("0x" + "00" * 19 + "01")


def lock_in(state: LockState, **changes: Any) -> Lock:
    values: dict[str, Any] = {
        "lock_id": ID,
        "payer": SOMEBODY,
        "payee": SOMEBODY,
        "state": state,
        "expires_at": T,
        "due_at": DUE,
        "price_wei": 10_000,
        "threshold": 0,
        "group_size": 0,
        "is_demanded": False,
        "dispute_window_s": 60,
        "answer_length": 1,
        "fee_bps": 200,
        "owners_bps": 0,
        "rules_version": 1,
        "bond_wei": 10_000,
        "subject": bytes(32),
        "binding": bytes(32),
        "answer_digest": bytes(32),
    }
    return Lock(**values | changes)


@pytest.mark.parametrize("state", [LockState.REQUESTED, LockState.ACCEPTED])
def test_payer_can__before_and_from_t__wait_then_refund(state: LockState) -> None:
    assert payer_can(lock_in(state), T - 1).startswith(
        "wait for the node until 1970-01-01T00:16:40"
    )
    assert payer_can(lock_in(state), T) == f"dmsm user refund {NAME}"


def test_payer_can__with_a_selected_lock__refund_as_a_sharer() -> None:
    selected = lock_in(LockState.SELECTED, group_size=3)
    assert payer_can(selected, T) == f"dmsm share refund {NAME}"


def test_payer_can__with_a_claimed_lock__demand_once_or_dispute_until_it_settles() -> None:
    said = payer_can(lock_in(LockState.CLAIMED), DUE - 1)
    assert "dmsm user demand" in said and "dmsm user dispute" in said
    assert "dmsm user demand" not in payer_can(
        lock_in(LockState.CLAIMED, is_demanded=True), DUE - 1
    )
    assert payer_can(lock_in(LockState.CLAIMED), DUE) == "nothing: anybody settles it"


def test_payer_can__with_a_delivered_lock__dispute_as_a_sharer() -> None:
    assert "dmsm share dispute" in payer_can(lock_in(LockState.DELIVERED, group_size=3), DUE - 1)


def test_payer_can__with_a_demanded_lock__wait_then_slash() -> None:
    assert payer_can(lock_in(LockState.DEMANDED), DUE - 1).startswith("wait for the node to serve")
    assert payer_can(lock_in(LockState.DEMANDED), DUE) == f"dmsm user slash {NAME}"


def test_payer_can__with_a_disputed_lock__wait_then_refund() -> None:
    assert payer_can(lock_in(LockState.DISPUTED), DUE - 1).startswith("wait for the judges until")
    assert payer_can(lock_in(LockState.DISPUTED), DUE) == f"dmsm user refund {NAME}"


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (LockState.REJECTED, "dmsm user withdraw"),
        (LockState.REFUNDED, "dmsm user withdraw"),
        (LockState.SLASHED, "dmsm user withdraw"),
        (LockState.SETTLED, "the node is paid"),
        (LockState.NONE, "nothing"),
    ],
)
def test_payer_can__with_an_ended_lock__is_told_who_has_the_money(
    state: LockState, said: str
) -> None:
    assert said in payer_can(lock_in(state), DUE)


def test_end_at__of_each_state__is_t_then_due_then_none() -> None:
    assert lock_in(LockState.ACCEPTED).end_at == T
    assert lock_in(LockState.DISPUTED).end_at == DUE
    assert lock_in(LockState.SETTLED).end_at is None


def test_fee_wei__of_a_lock__is_rounded_down() -> None:
    assert lock_in(LockState.CLAIMED, price_wei=149).fee_wei == 2


def test_earned_wei__of_a_sale__is_what_fee_and_owners_leave() -> None:
    lock = lock_in(LockState.DELIVERED, price_wei=149, owners_bps=5_000)
    assert (lock.fee_wei, lock.owners_wei, lock.earned_wei) == (2, 74, 73)
