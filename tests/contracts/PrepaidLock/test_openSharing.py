"""PrepaidLock.openSharing, reached as the market (openSharing.tree)."""

import disputes
import money
import pytest
from money import SHARING_SHORTEST_S

LONGEST_S = 90 * 86_400
PUT_UP_WEI = 10**18  # by each processing node (conftest)


def test_open_sharing__when_caller_is_not_market__reverts(
    pay_sharing, a_sharing_order, refuses, outsider, buyer
):
    for account in (outsider, buyer.account):
        with refuses("PrepaidLock_NotMarket", account):
            pay_sharing(a_sharing_order, sender=account)


def test_open_sharing__when_value_is_not_the_price__reverts(pay_sharing, a_sharing_order, refuses):
    price = a_sharing_order.price_wei
    for value in (0, price - 1, price + 1):
        with refuses("PrepaidLock_WrongValue", value, price):
            pay_sharing(a_sharing_order, value=value)


def test_open_sharing__when_t_is_too_near__reverts(pay_sharing, a_sharing_order, refuses, at, now):
    begin = now() + 10
    order = a_sharing_order._replace(expires_at=begin + SHARING_SHORTEST_S - 1)
    at(begin)
    with refuses("PrepaidLock_TooLittleTime", order.expires_at, order.expires_at + 1):
        pay_sharing(order)


def test_open_sharing__when_t_is_just_far_enough__opens(
    pay_sharing, a_sharing_order, at, now, owes
):
    begin = now() + 10
    at(begin)
    pay_sharing(a_sharing_order._replace(expires_at=begin + SHARING_SHORTEST_S))
    owes(a_sharing_order.price_wei)


def test_open_sharing__when_t_is_too_far__reverts(pay_sharing, a_sharing_order, refuses, at, now):
    begin = now() + 10
    order = a_sharing_order._replace(expires_at=begin + LONGEST_S + 1)
    at(begin)
    with refuses("PrepaidLock_TooMuchTime", order.expires_at, order.expires_at - 1):
        pay_sharing(order)


@pytest.mark.parametrize("spare", [-1, 0])
def test_open_sharing__when_t_is_just_near_enough__opens(
    pay_sharing, a_sharing_order, at, now, owes, spare
):
    begin = now() + 10
    at(begin)
    pay_sharing(a_sharing_order._replace(expires_at=begin + LONGEST_S + spare))
    owes(a_sharing_order.price_wei)


@pytest.mark.parametrize("spare_wei", [-1, 0])
def test_open_sharing__given_too_small_bond__reverts(
    pay_sharing, a_sharing_order, refuses, lock, processor, bond_is, spare_wei
):
    needed = money.bond_of(a_sharing_order.price_wei)
    taken = PUT_UP_WEI - needed - spare_wei
    lock.takeBond(taken, {"from": processor.account})
    if spare_wei < 0:
        with refuses("PrepaidLock_BondTooSmall", processor.address, needed - 1, needed):
            pay_sharing(a_sharing_order)
        return
    pay_sharing(a_sharing_order)
    bond_is(held=needed, lost=taken)


def test_open_sharing__when_message_is_unsound__reverts(pay_sharing, a_sharing_order, refuses):
    for order in (
        a_sharing_order._replace(message_digest=money.NOTHING),
        a_sharing_order._replace(message_length=0),
        a_sharing_order._replace(message_length=money.MAX_SEALED_BYTES + 1),
    ):
        with refuses("PrepaidLock_BadMessage", order.message_digest, order.message_length):
            pay_sharing(order)


def test_open_sharing__given_used_nonce__reverts(
    pay_sharing, a_sharing_order, refuses, lock, buyer
):
    pay_sharing(a_sharing_order)
    with refuses("PrepaidLock_NonceUsed", money.id_of(lock, buyer, a_sharing_order.nonce)):
        pay_sharing(a_sharing_order)


@pytest.mark.parametrize(
    "change",
    [
        {"chain_id": 1},
        {"prepaid_lock": "0x" + "11" * 20},
        {"requester": "0x" + "22" * 20},
        {"processor": "0x" + "33" * 20},
        {"broadcast_id": money.digest_of("other")},
        {"data_set_id": money.digest_of("other")},
        {"message_digest": money.digest_of("other")},
        {"message_length": 1_499},
        {"nonce": money.digest_of("nonce")},
        {"signed_at": 1},
        {"expires_at": 2**40 - 1},
        {"group_hash": money.digest_of("other")},
    ],
    ids=lambda change: next(iter(change)),
)
def test_open_sharing__when_signature_is_over_something_else__reverts(
    pay_sharing, a_sharing_order, refuses, lock, buyer, change
):
    false = money.sign_sharing(lock, buyer, a_sharing_order, **change)
    with refuses("PrepaidLock_BadSignature", money.id_of(lock, buyer, a_sharing_order.nonce)):
        pay_sharing(a_sharing_order, signature=false)


def test_open_sharing__when_signature_is_not_the_payers__reverts(
    pay_sharing, a_sharing_order, refuses, lock, buyer, buyer_two
):
    for false in (
        money.sign_sharing(lock, buyer, a_sharing_order, tag=money.Tag.REQUEST),
        money.sign_sharing(lock, buyer_two, a_sharing_order),
        (0, 0),
    ):
        with refuses("PrepaidLock_BadSignature", money.id_of(lock, buyer, a_sharing_order.nonce)):
            pay_sharing(a_sharing_order, signature=false)


@pytest.mark.parametrize(
    "change",
    [
        {"rules_version": 2},
        {"sharing_version": 2},
        {"dispute_window_s": 1},
        {"fee_bps": 0},
        {"owners_bps": 1},
        {"longest_answer_bytes": 1},
        {"bond_wei": 0},
    ],
    ids=lambda change: next(iter(change)),
)
def test_open_sharing__when_terms_are_not_those_of_their_versions__reverts(
    pay_sharing, a_sharing_order, reverts_with, govern, catalogue, change
):
    govern(catalogue, "setSharingTerms", (money.SHARING_SHORTEST_S, 777, 1, 0))
    other = disputes.OTHER_RULES
    govern(catalogue, "setRules", disputes.rules_words(other))
    good = a_sharing_order.terms
    order = a_sharing_order._replace(terms=good._replace(**change))
    expected = good
    if "rules_version" in change:
        bond = order.price_wei * other.bond_bps // money.BPS
        expected = good._replace(rules_version=2, fee_bps=other.fee_bps, bond_wei=bond)
    if "sharing_version" in change:
        expected = good._replace(sharing_version=2, dispute_window_s=777)
    with reverts_with("PrepaidLock_OtherTerms", expected):
        pay_sharing(order)


def test_open_sharing__given_later_terms__keeps_those_that_were_signed(
    pay_sharing, a_sharing_order, govern, catalogue, lock, buyer, bond_is
):
    """Whenever somebody carries out what was agreed: the lock is that of its signed terms."""
    govern(catalogue, "setSharingTerms", (30 * 86_400, 30 * 86_400, 1, 8_000))
    govern(catalogue, "setRules", disputes.rules_words(disputes.OTHER_RULES))
    pay_sharing(a_sharing_order)
    stored = lock.lockOf(money.id_of(lock, buyer, a_sharing_order.nonce))
    kept = (stored["rulesVersion"], stored["disputeWindowSeconds"], stored["feeBps"])
    assert (*kept, stored["ownersBps"]) == (1, 0, money.RULES.fee_bps, 0)
    bond_is(held=money.bond_of(a_sharing_order.price_wei))


def test_open_sharing__when_everything_holds__stores_and_emits(
    pay_sharing, a_sharing_order, lock, buyer, processor, only_event, set_sharing_window, owes,
    may_withdraw, bond_is,
):  # fmt: skip
    set_sharing_window(123, 5_000)
    parts = {"version": 2, "window_s": 123, "owners_bps": 5_000}
    terms = money.sharing_terms(a_sharing_order.price_wei, **parts)
    order = a_sharing_order._replace(terms=terms)
    signature = money.sign_sharing(lock, buyer, order)
    tx = pay_sharing(order, signature=signature)
    lock_id = money.id_of(lock, buyer, order.nonce)
    stored = lock.lockOf(lock_id)
    assert (stored["payer"], stored["payee"]) == (buyer.address, processor.address)
    assert stored["state"] == money.SELECTED
    assert (stored["expiresAt"], stored["dueAt"]) == (order.expires_at, 0)
    bond_wei = money.bond_of(order.price_wei)
    assert (stored["priceWei"], stored["bondWei"]) == (order.price_wei, bond_wei)
    owes(order.price_wei)
    may_withdraw()
    bond_is(held=bond_wei)
    assert stored["disputeWindowSeconds"] == 123
    assert (stored["rulesVersion"], stored["feeBps"]) == (1, money.RULES.fee_bps)
    assert stored["ownersBps"] == 5_000
    assert (stored["threshold"], stored["groupSize"]) == (order.threshold, order.group_size)
    assert bytes(stored["subject"]) == order.data_set_id
    assert bytes(stored["binding"]) == order.group_hash
    event = only_event(tx, "Selected")
    assert len(tx.events) == 1
    assert terms == (1, 2, 123, money.RULES.fee_bps, 5_000, 0, bond_wei)
    assert (event["payer"], event["payee"]) == (buyer.address, processor.address)
    assert bytes(event["lockId"]) == lock_id
    assert tuple(event["signature"]) == signature
    *fields, emitted_terms = event["order"]
    assert tuple(emitted_terms) == terms
    emitted = [v if isinstance(v, int) else str(v).lower() for v in fields]
    assert emitted == [
        "0x" + v.hex() if isinstance(v, bytes) else v if isinstance(v, int) else v.lower()
        for v in order[:-1]
    ]
    print(f"gas openSharing (as the market): {tx.gas_used}")
