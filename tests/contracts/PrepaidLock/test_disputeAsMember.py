"""PrepaidLock.disputeAsMember, by a member of the group (disputeAsMember.tree)."""

import disputes
import money
import pytest
from disputes import EVIDENCE_DIGEST, EVIDENCE_LENGTH
from members import Role
from reading import plain

from offchain.crypto import delivery, sharing


def test_dispute_as_member__given_other_state__reverts(other_states, dispute_as_member, refuses):
    for it, state in other_states(money.CLAIMED, money.DELIVERED):
        with refuses("PrepaidLock_WrongState", it.id, state):
            dispute_as_member(it)


def test_dispute_as_member__given_claimed_request__reverts(
    open_claimed, dispute_as_member, refuses, group, meter_owner
):
    it = open_claimed()
    for members, by in ((group, None), (money.Group([], []), meter_owner)):
        with refuses("PrepaidLock_WrongGroup", it.id):
            dispute_as_member(it, group=members, **({"by": by} if by else {}))


@pytest.mark.parametrize("late", [0, 1])
def test_dispute_as_member__when_window_is_over__reverts(
    open_delivered, due_of, dispute_as_member, refuses, at, late
):
    it = open_delivered()
    due = due_of(it)
    at(due + late)
    with refuses("PrepaidLock_TooLate", it.id, due, due + late):
        dispute_as_member(it)


def test_dispute_as_member__when_window_is_open__disputes(
    open_delivered, due_of, dispute_as_member, state_of, at
):
    it = open_delivered()
    at(due_of(it) - 1)
    dispute_as_member(it)
    assert state_of(it) == money.DISPUTED


def test_dispute_as_member__when_group_is_another__reverts(
    open_delivered, dispute_as_member, refuses, group, outsider
):
    it, (accounts, keys) = open_delivered(), group
    for other in (
        money.Group([accounts[1], accounts[0], accounts[2]], keys),
        money.Group(accounts, [keys[1], keys[0], keys[2]]),
        money.Group([*accounts[:2], outsider.address], keys),
        money.Group(accounts[:2], keys[:2]),
        money.Group([], []),
    ):
        with refuses("PrepaidLock_WrongGroup", it.id):
            dispute_as_member(it, group=other)


def test_dispute_as_member__when_caller_is_no_member__reverts(
    open_delivered, dispute_as_member, refuses, processor, meter_owner, outsider
):
    it = open_delivered()
    for account in (processor.account, meter_owner.account, outsider):
        with refuses("PrepaidLock_NotParty", it.id, account):
            dispute_as_member(it, by=account)


def test_dispute_as_member__when_evidence_is_unsound__reverts(
    open_delivered, dispute_as_member, refuses
):
    it = open_delivered()
    for evidence in (
        (money.NOTHING, EVIDENCE_LENGTH),
        (EVIDENCE_DIGEST, 0),
        (EVIDENCE_DIGEST, money.MAX_SEALED_BYTES + 1),
    ):
        with refuses("PrepaidLock_BadEvidence", *evidence):
            dispute_as_member(it, evidence=evidence)


def test_dispute_as_member__when_value_is_not_the_bond__reverts(
    open_delivered, dispute_as_member, refuses
):
    it = open_delivered()
    bond = disputes.dispute_wei(it.order.price_wei)
    for value in (0, bond - 1, bond + 1):
        with refuses("PrepaidLock_WrongValue", value, bond):
            dispute_as_member(it, value=value)


def test_dispute_as_member__given_revoked_member__disputes(
    open_delivered, dispute_as_member, revoke, buyer_two, state_of
):
    it = open_delivered()
    revoke(buyer_two)
    dispute_as_member(it)
    assert state_of(it) == money.DISPUTED


@pytest.mark.parametrize("who", ["buyer", "buyer_two", "buyer_three"])
def test_dispute_as_member__when_everything_holds__stores_and_emits(
    request, who, open_delivered, dispute_as_member, lock, court, processor, credit, only_event,
    at, now, owes, may_withdraw, bond_is,
):  # fmt: skip
    it, member = open_delivered(), request.getfixturevalue(who)
    price_wei, bond = it.order.price_wei, disputes.dispute_wei(it.order.price_wei)
    before = member.account.balance()
    disputed_at = now() + 7
    at(disputed_at)
    tx = dispute_as_member(it, by=member)
    stored = lock.lockOf(it.id)
    assert stored["state"] == money.DISPUTED
    assert stored["dueAt"] == disputed_at + money.RULES.decide_seconds
    assert plain(lock.disputeOf(it.id)) == (member.address, bond)
    assert plain(court.caseOf(it.id)) == (disputed_at, stored["dueAt"], 2, 0, 0, False)
    assert member.account.balance() == before - bond
    owes(price_wei + bond)
    may_withdraw()
    bond_is(held=money.bond_of(price_wei))
    assert credit.creditOf(processor.address) == 0
    event = only_event(tx, "Disputed")
    assert bytes(event["lockId"]) == it.id
    assert (event["payee"], event["by"]) == (processor.address, member.address)
    assert (event["bondWei"], event["dueAt"]) == (bond, stored["dueAt"])
    assert bytes(event["evidenceDigest"]) == EVIDENCE_DIGEST
    assert event["evidenceLength"] == EVIDENCE_LENGTH
    assert [event.name for event in tx.events] == ["Disputed", "CaseOpened"]
    print(f"gas disputeAsMember (2,3): {tx.gas_used}")


def test_dispute_as_member__given_largest_group__stays_within_gas(
    open_sharing, deliver, dispute_as_member, set_sharing_window, data_set, buyer
):
    set_sharing_window(disputes.SHARING_WINDOW_S)
    keys = [delivery.public_key(delivery.DeliverySecretKey.generate()) for _ in range(99)]
    accounts = [f"0x{i + 1:040x}" for i in range(99)]
    group = money.Group([*accounts, buyer.address], [*keys, buyer.keys.delivery_key])
    assert buyer.role == Role.SHARER
    it = open_sharing(group_hash=group.hash, threshold=2, group_size=100)
    dealt = sharing.deal(data_set.key, threshold=2, delivery_keys=group.keys)
    commitments, shares = money.transcript_words(dealt)
    deliver(it, group=group, commitments=commitments, shares=shares)
    used = dispute_as_member(it, group=group, by=buyer).gas_used
    print(f"gas disputeAsMember of 100: {used}")
    assert used < 1_000_000
