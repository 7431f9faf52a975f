"""PrepaidLock.deliver: the share-lock (deliver.tree)."""

import money
import publishing
import pytest
from members import new_keys, words

from offchain.crypto import curve, delivery, sharing

GAS_LIMITS = {(3, 5): 390_000, (6, 10): 600_000, (34, 50): 2_900_000, (67, 100): 6_300_000}
OFF_CURVE = (1, 3)
FIELD_PRIME = 0x30644E72E131A029B85045B68181585D97816A916871CA8D3C208C16D87CFD47


@pytest.fixture
def it(open_sharing):
    return open_sharing()


@pytest.fixture
def dealt(transcript):
    """Commitments and shares of the honest transcript."""
    return money.transcript_words(transcript)


def test_deliver__given_other_state__reverts(other_states, deliver, refuses):
    for other, state in other_states(money.SELECTED):
        with refuses("PrepaidLock_WrongState", other.id, state):
            deliver(other)


@pytest.mark.parametrize("late", [0, 1])
def test_deliver__when_t_is_reached__reverts(it, deliver, refuses, at, late):
    at(it.expires_at + late)
    with refuses("PrepaidLock_Expired", it.id, it.expires_at, it.expires_at + late):
        deliver(it)


def test_deliver__when_t_is_not_reached__delivers(it, deliver, at, state_of):
    at(it.expires_at - 1)
    deliver(it)
    assert state_of(it) == money.SETTLED


def test_deliver__when_group_is_another__reverts(it, deliver, refuses, group, outsider):
    accounts, keys = group
    swapped = [accounts[1], accounts[0], accounts[2]]
    stranger = curve.G1(*words(new_keys().delivery_key))
    for other in (
        money.Group(swapped, keys),
        money.Group(accounts, [keys[1], keys[0], keys[2]]),
        money.Group([*accounts[:2], outsider.address], keys),
        money.Group(accounts, [*keys[:2], stranger]),
        money.Group(accounts[:2], keys[:2]),
        money.Group([*accounts, outsider.address], [*keys, stranger]),
        money.Group([], []),
    ):
        with refuses("PrepaidLock_WrongGroup", it.id):
            deliver(it, group=other)


def test_deliver__when_commitments_are_not_t__reverts(it, deliver, refuses, dealt, data_set, group):
    commitments, _ = dealt
    for wrong in ([], commitments[:1], [*commitments, commitments[1]]):
        with refuses("ShareCheck_CommitmentCount", 2, len(wrong)):
            deliver(it, commitments=wrong)
    # An honest dealing with another threshold: t + 1 would lock out t members, t − 1 let fewer in.
    higher = sharing.deal(data_set.key, threshold=3, delivery_keys=group.keys)
    commitments, shares = money.transcript_words(higher)
    with refuses("ShareCheck_CommitmentCount", 2, 3):
        deliver(it, commitments=commitments, shares=shares)


def test_deliver__when_shares_are_not_n__reverts(it, deliver, refuses, dealt, processor):
    _, shares = dealt
    for wrong in ([], shares[:2], [*shares, shares[0]]):
        with refuses("ShareCheck_ShareCount", 3, len(wrong)):
            deliver(it, shares=wrong, by=processor.account)


def test_deliver__when_key_is_another__reverts(
    it, deliver, refuses, group, data_sets, processor, dealt
):
    other = money.publish(data_sets, processor)  # the same node's next data set
    transcript = sharing.deal(other.key, threshold=2, delivery_keys=group.keys)
    commitments, shares = money.transcript_words(transcript)
    with refuses("PrepaidLock_WrongKey", it.id, publishing.id_of(data_sets, commitments[0])):
        deliver(it, commitments=commitments, shares=shares)
    infinite = [(0, 0, 0, 0), dealt[0][1]]
    with refuses("PrepaidLock_WrongKey", it.id, publishing.id_of(data_sets, infinite[0])):
        deliver(it, commitments=infinite)


def test_deliver__when_transcript_is_scaled__reverts(it, deliver, refuses, transcript, data_sets):
    commitments = [words(curve.multiply(f, 5)) for f in transcript.commitments]
    shares = [words(curve.multiply(y, 5)) for y in transcript.shares]
    with refuses("PrepaidLock_WrongKey", it.id, publishing.id_of(data_sets, commitments[0])):
        deliver(it, commitments=commitments, shares=shares)


def test_deliver__when_payee_has_not_signed_it__reverts(
    open_sharing, deliver, refuses, lock, group, dealt, processor, processor_two, buyer, relayer
):
    it, other = open_sharing(), open_sharing()
    good = money.sign_delivery(lock, processor, it.id, group, dealt)
    commitments, shares = dealt
    swapped = (commitments, [shares[1], shares[0], shares[2]])
    for false in (
        money.NO_AUTHORISATION,
        money.sign_delivery(lock, processor, other.id, group, dealt),
        money.sign_delivery(lock, processor_two, it.id, group, dealt),
        money.sign_delivery(lock, buyer, it.id, group, dealt),
        money.sign_delivery(lock, processor, it.id, group, swapped),
        money.sign_delivery(lock, processor, it.id, group, dealt, chain_id=1),
        money.sign_delivery(lock, processor, it.id, group, dealt, lock_address=buyer.address),
        money.sign_delivery(lock, processor, it.id, group, dealt, tag=bytes(32)),
        (good[0] ^ 7, *good[1:]),
        (good[0], good[2], good[1]),
    ):
        for sender in (relayer, buyer.account):
            with refuses("PrepaidLock_NotAuthorised", it.id, sender):
                deliver(it, authorisation=false, by=sender)
    deliver(it, authorisation=good, by=buyer.account)


def test_deliver__when_payee_sends_it__needs_no_signature(it, deliver, processor, state_of):
    deliver(it, authorisation=money.NO_AUTHORISATION, by=processor.account)
    assert state_of(it) == money.SETTLED


def test_deliver__when_a_commitment_is_infinity__reverts(it, deliver, refuses, dealt):
    """A highest coefficient of zero: every member could recover the key alone."""
    with refuses("ShareCheck_InfiniteCommitment", 1):
        deliver(it, commitments=[dealt[0][0], (0, 0, 0, 0)])


def test_deliver__when_share_is_no_point__reverts(it, deliver, refuses, dealt):
    _, shares = dealt
    with refuses("ShareCheck_InfiniteShare", 2):
        deliver(it, shares=[shares[0], (0, 0), shares[2]])
    x, y = shares[2]
    for wrong in (OFF_CURVE, (x + FIELD_PRIME, y)):
        with refuses("ShareCheck_InvalidShare", 3):
            deliver(it, shares=[*shares[:2], wrong])


def test_deliver__when_commitment_is_no_point__reverts(it, deliver, refuses, dealt):
    commitments, _ = dealt
    with refuses("ShareCheck_InvalidCommitments"):
        deliver(it, commitments=[commitments[0], (1, 1, 1, 1)])


def test_deliver__when_shares_are_false__reverts(
    it, deliver, refuses, transcript, data_set, group, dealt
):
    first, second, third = transcript.shares
    other = sharing.deal(data_set.key, threshold=2, delivery_keys=group.keys)
    stranger = sharing.deal(
        data_set.key, threshold=2, delivery_keys=[delivery_key(), *group.keys[1:]]
    )
    for wrong in (
        [second, first, third],
        [first, second, curve.negate(third)],
        [first, curve.multiply(second, 2), third],
        [first, second, other.shares[2]],
        list(other.shares),
        [stranger.shares[0], second, third],
    ):
        with refuses("PrepaidLock_BadShares", it.id):
            deliver(it, shares=[words(share) for share in wrong])


def delivery_key():
    return delivery.public_key(delivery.DeliverySecretKey.generate())


def test_deliver__when_commitments_are_false__reverts(it, deliver, refuses, dealt, data_set, group):
    other = sharing.deal(data_set.key, threshold=2, delivery_keys=group.keys)
    with refuses("PrepaidLock_BadShares", it.id):
        deliver(it, commitments=[dealt[0][0], words(other.commitments[1])])


def test_deliver__given_no_window__settles_at_once(
    it, deliver, dealt, processor, buyer, credit, only_event, state_of, at, owes, may_withdraw,
    bond_is,
):  # fmt: skip
    at(it.expires_at - 9)
    tx = deliver(it)
    assert state_of(it) == money.SETTLED
    price_wei, fee = it.order.price_wei, money.fee_of(it.order.price_wei)
    may_withdraw(processor=price_wei - fee, consortium=fee)
    owes(price_wei)
    bond_is(held=0)
    assert credit.creditOf(processor.address) == money.gain_of(credit, price_wei) > 0
    event = only_event(tx, "Delivered")
    assert bytes(event["lockId"]) == it.id
    assert (event["payer"], event["payee"]) == (buyer.address, processor.address)
    assert event["dueAt"] == it.expires_at - 9
    assert [tuple(f) for f in event["commitments"]] == dealt[0]
    assert [tuple(y) for y in event["shares"]] == dealt[1]
    settled = only_event(tx, "Settled")
    assert (settled["priceWei"], settled["feeWei"], settled["gainWei"]) == (price_wei, fee, 0)
    assert [event.name for event in tx.events] == ["Delivered", "Settled", "CreditChanged"]


def test_deliver__given_no_window__lets_members_recover(
    it, deliver, only_event, group, transcript, data_set, buyer, buyer_two
):
    event = only_event(deliver(it), "Delivered")
    opened = {}
    for member in (buyer, buyer_two):
        index = group.accounts.index(member.address) + 1
        share = curve.G1(*event["shares"][index - 1])
        opened[index] = sharing.decrypt_share(member.keys.delivery_secret, share)
    found = sharing.recover(opened, commitments=transcript.commitments, threshold=2, members=3)
    assert found.group_secret == sharing.group_secret(data_set.key)


def test_deliver__given_window__waits(
    open_sharing, deliver, set_sharing_window, lock, processor, credit, only_event, at, owes,
    may_withdraw, bond_is,
):  # fmt: skip
    set_sharing_window(120)
    it = open_sharing()
    set_sharing_window(0)  # binds only what begins after it
    at(it.expires_at - 1)
    tx = deliver(it)
    stored = lock.lockOf(it.id)
    assert (stored["state"], stored["dueAt"]) == (money.DELIVERED, it.expires_at + 119)
    assert only_event(tx, "Delivered")["dueAt"] == stored["dueAt"]
    assert len(tx.events) == 1
    may_withdraw()
    owes(it.order.price_wei)
    bond_is(held=money.bond_of(it.order.price_wei))
    assert credit.creditOf(processor.address) == 0


def test_deliver__given_revoked_members__uses_the_snapshot(
    it, deliver, revoke, processor, buyer_two, may_withdraw
):
    revoke(processor)
    revoke(buyer_two)
    deliver(it)
    fee = money.fee_of(it.order.price_wei)
    may_withdraw(processor=it.order.price_wei - fee, consortium=fee)


@pytest.mark.parametrize(("threshold", "size"), GAS_LIMITS)
def test_deliver__given_group_size__stays_within_gas(
    open_sharing, deliver, data_set, threshold, size
):
    keys = [delivery_key() for _ in range(size)]
    group = money.Group([f"0x{i + 1:040x}" for i in range(size)], keys)
    deliver(open_sharing())  # not the payee's first
    it = open_sharing(group_hash=group.hash, threshold=threshold, group_size=size)
    dealt = sharing.deal(data_set.key, threshold=threshold, delivery_keys=keys)
    commitments, shares = money.transcript_words(dealt)
    used = deliver(it, group=group, commitments=commitments, shares=shares).gas_used
    print(f"gas deliver ({threshold},{size}): {used}")
    assert used <= GAS_LIMITS[threshold, size]
