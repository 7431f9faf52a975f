"""PrepaidLock.request: everything is checked before the money counts (request.tree)."""

import disputes
import money
import pytest
from members import NOBODY
from money import ADVICE, BILL, PRICE_WEI, SHORTEST_S

OFF_CURVE = (1, 3)
LONGEST_S = 90 * 86_400
FIELD_PRIME = 0x30644E72E131A029B85045B68181585D97816A916871CA8D3C208C16D87CFD47


def lock_id(lock, payer, order):
    return money.id_of(lock, payer, order.nonce)


def test_request__when_caller_is_no_active_user__reverts(
    pay, refuses, an_order, outsider, processor, buyer, device, meter_owner, revoke, lock
):
    for member in (processor, buyer, device):
        with refuses("PrepaidLock_NotUser", member.address):
            pay(an_order, payer=member)
    with refuses("PrepaidLock_NotUser", outsider):
        lock.request(an_order, OFF_CURVE, {"from": outsider, "value": PRICE_WEI})
    revoke(meter_owner)
    with refuses("PrepaidLock_NotUser", meter_owner.address):
        pay(an_order)


def test_request__when_processor_is_not_active__reverts(
    pay, refuses, an_order, processor, buyer, outsider, revoke
):
    for address in (outsider.address, buyer.address, NOBODY):
        with refuses("PrepaidLock_NotProcessor", address):
            pay(an_order._replace(processor=address))
    revoke(processor)
    with refuses("PrepaidLock_NotProcessor", processor.address):
        pay(an_order)


def test_request__when_processor_serves_another_region__reverts(
    pay, refuses, an_order, meter_owner, processor_two
):
    with refuses("PrepaidLock_WrongRegion", meter_owner.address, processor_two.address):
        pay(an_order._replace(processor=processor_two.address))


def test_request__when_type_is_not_open__reverts(pay, refuses, an_order, govern, catalogue):
    with refuses("PrepaidLock_UnknownType", 999):
        pay(an_order._replace(type_id=999))
    closed = (False, SHORTEST_S, 0, money.LONGEST_ANSWER, PRICE_WEI, b"bill".ljust(32, b"\0"))
    govern(catalogue, "setType", BILL, closed)
    with refuses("PrepaidLock_UnknownType", BILL):
        pay(an_order)


@pytest.mark.parametrize("value", [0, PRICE_WEI - 1, PRICE_WEI + 1])
def test_request__when_value_is_not_the_price__reverts(pay, refuses, an_order, value):
    with refuses("PrepaidLock_WrongValue", value, PRICE_WEI):
        pay(an_order, value=value)


def test_request__when_t_is_one_second_too_near__reverts(pay, refuses, an_order, at, now):
    begin = now() + 10
    for expires_at in (begin + SHORTEST_S - 1, begin + 1, begin, 0):
        at(begin)
        with refuses("PrepaidLock_TooLittleTime", expires_at, begin + SHORTEST_S):
            pay(an_order._replace(expires_at=expires_at))
        begin += 1


@pytest.mark.parametrize("spare", [0, 1])
def test_request__when_t_is_just_far_enough__takes_the_money(pay, an_order, at, now, owes, spare):
    begin = now() + 10
    at(begin)
    pay(an_order._replace(expires_at=begin + SHORTEST_S + spare))
    owes(PRICE_WEI)


@pytest.mark.parametrize("beyond", [1, 1_000, 2**40 - 1])
def test_request__when_t_is_too_far__reverts(pay, refuses, an_order, at, now, beyond):
    begin = now() + 10
    latest = begin + LONGEST_S
    expires_at = min(latest + beyond, 2**40 - 1)
    at(begin)
    with refuses("PrepaidLock_TooMuchTime", expires_at, latest):
        pay(an_order._replace(expires_at=expires_at))


@pytest.mark.parametrize("spare", [-1, 0])
def test_request__when_t_is_just_near_enough__takes_the_money(pay, an_order, at, now, owes, spare):
    begin = now() + 10
    at(begin)
    pay(an_order._replace(expires_at=begin + LONGEST_S + spare))
    owes(PRICE_WEI)


def advice_of(order):
    """Return the same order of the other type."""
    return order._replace(type_id=ADVICE, terms=money.request_terms(ADVICE))


@pytest.mark.parametrize(
    "change",
    [
        {"rules_version": 0},
        {"rules_version": 2},
        {"sharing_version": 1},
        {"dispute_window_s": 60},
        {"fee_bps": money.RULES.fee_bps - 1},
        {"longest_answer_bytes": money.LONGEST_ANSWER - 1},
        {"bond_wei": money.bond_of(PRICE_WEI) + 1},
    ],
    ids=lambda change: "-".join(map(str, *change.items())),
)
def test_request__when_terms_are_not_those_that_hold__reverts(pay, refuses, an_order, change):
    with refuses("PrepaidLock_OtherTerms", an_order.terms):
        pay(an_order._replace(terms=an_order.terms._replace(**change)))


@pytest.mark.parametrize("what", ["window", "rules", "longest answer"])
def test_request__given_terms_changed_since_it_was_signed__reverts(
    pay, refuses, an_order, govern, catalogue, what
):
    """A payee that carries out what was agreed, just before a request is mined, gains nothing."""
    order = advice_of(an_order)
    name = b"advice".ljust(32, b"\0")
    head, price = (True, SHORTEST_S), money.ADVICE_PRICE_WEI
    if what == "window":
        govern(catalogue, "setType", ADVICE, (*head, 0, money.LONGEST_ANSWER, price, name))
        expected = order.terms._replace(dispute_window_s=0)
    elif what == "longest answer":
        govern(catalogue, "setType", ADVICE, (*head, money.WINDOW_S, 9, price, name))
        expected = order.terms._replace(longest_answer_bytes=9)
    else:
        other = disputes.OTHER_RULES
        govern(catalogue, "setRules", disputes.rules_words(other))
        expected = order.terms._replace(rules_version=2, fee_bps=other.fee_bps, bond_wei=price)
    with refuses("PrepaidLock_OtherTerms", expected):
        pay(order)
    pay(order._replace(terms=expected))  # signed anew, it is taken


def test_request__given_emergency_stop__reverts(pay, refuses, an_order, govern, registry):
    govern(registry, "stopBeginnings")
    with refuses("MemberRegistry_Stopped", registry.stoppedUntil()):
        pay(an_order)


def test_request__when_message_is_unsound__reverts(pay, refuses, an_order):
    largest = an_order._replace(message_length=money.MAX_SEALED_BYTES)
    for order in (
        an_order._replace(message_digest=money.NOTHING),
        an_order._replace(message_length=0),
        an_order._replace(message_length=money.MAX_SEALED_BYTES + 1),
    ):
        with refuses("PrepaidLock_BadMessage", order.message_digest, order.message_length):
            pay(order)
    pay(largest)


def test_request__given_used_nonce__reverts(pay, refuses, an_order, lock, meter_owner, processor):
    pay(an_order)
    used = lock_id(lock, meter_owner, an_order)
    with refuses("PrepaidLock_NonceUsed", used):
        pay(an_order)
    lock.reject(used, money.NOT_RECOGNISED, {"from": processor.account})
    with refuses("PrepaidLock_NonceUsed", used):
        pay(advice_of(an_order))


def test_request__given_nonce_of_another_payer__takes_the_money(
    pay, an_order, lock, neighbour, processor_two
):
    pay(an_order)
    theirs = an_order._replace(processor=processor_two.address)
    pay(theirs, payer=neighbour)
    assert lock.lockOf(lock_id(lock, neighbour, theirs))["payer"] == neighbour.address


@pytest.mark.parametrize(
    "change",
    [
        {"chain_id": 1},
        {"prepaid_lock": "0x" + "11" * 20},
        {"requester": "0x" + "22" * 20},
        {"processor": "0x" + "33" * 20},
        {"type_id": ADVICE},
        {"terms": (2, 0, 0, money.RULES.fee_bps, 0, money.LONGEST_ANSWER, 1)},
        {"message_digest": money.digest_of("other")},
        {"message_length": 1_499},
        {"nonce": money.digest_of("nonce")},
        {"signed_at": 1},
        {"expires_at": 2**40 - 1},
    ],
    ids=lambda change: next(iter(change)),
)
def test_request__when_signature_is_over_something_else__reverts(
    pay, refuses, an_order, lock, meter_owner, change
):
    false = money.sign_request(lock, meter_owner, an_order, **change)
    with refuses("PrepaidLock_BadSignature", lock_id(lock, meter_owner, an_order)):
        pay(an_order, signature=false)


def test_request__when_signature_is_of_another_member__reverts(
    pay, refuses, an_order, lock, meter_owner, neighbour
):
    message_of_payer = {"requester": meter_owner.address}
    false = money.sign_request(lock, neighbour, an_order, **message_of_payer)
    with refuses("PrepaidLock_BadSignature", lock_id(lock, meter_owner, an_order)):
        pay(an_order, signature=false)


def test_request__when_signature_has_another_tag__reverts(
    pay, refuses, an_order, lock, meter_owner
):
    false = money.sign_request(lock, meter_owner, an_order, tag=money.Tag.SHARING)
    with refuses("PrepaidLock_BadSignature", lock_id(lock, meter_owner, an_order)):
        pay(an_order, signature=false)


def test_request__when_signature_is_no_point__reverts(pay, refuses, an_order, lock, meter_owner):
    x, y = money.sign_request(lock, meter_owner, an_order)
    for false in ((0, 0), OFF_CURVE, (x + FIELD_PRIME, y), (x, FIELD_PRIME - y), (y, x)):
        with refuses("PrepaidLock_BadSignature", lock_id(lock, meter_owner, an_order)):
            pay(an_order, signature=false)


def test_request__when_much_is_wrong__names_the_first_fault(
    pay, refuses, an_order, at, now, lock, meter_owner, processor, processor_two, outsider, device
):
    pay(an_order)  # uses the nonce
    used = lock_id(lock, meter_owner, an_order)
    begin = now() + 10
    order = an_order._replace(
        processor=outsider.address, type_id=999, expires_at=begin, message_length=0
    )
    wrong = {"value": 1, "signature": OFF_CURVE}
    with refuses("PrepaidLock_NotUser", device.address):
        pay(order, payer=device, **wrong)
    with refuses("PrepaidLock_NotProcessor", outsider.address):
        pay(order, **wrong)
    order = order._replace(processor=processor_two.address)
    with refuses("PrepaidLock_WrongRegion", meter_owner.address, processor_two.address):
        pay(order, **wrong)
    order = order._replace(processor=processor.address)
    with refuses("PrepaidLock_UnknownType", 999):
        pay(order, **wrong)
    order = order._replace(type_id=BILL)
    with refuses("PrepaidLock_WrongValue", 1, PRICE_WEI):
        pay(order, **wrong)
    del wrong["value"]
    with refuses("PrepaidLock_OtherTerms", order.terms):
        pay(order._replace(terms=order.terms._replace(fee_bps=0)), **wrong)
    at(begin)
    with refuses("PrepaidLock_TooLittleTime", begin, begin + SHORTEST_S):
        pay(order, **wrong)
    begin += 1
    at(begin)
    far = order._replace(expires_at=begin + LONGEST_S + 1)
    with refuses("PrepaidLock_TooMuchTime", far.expires_at, far.expires_at - 1):
        pay(far, **wrong)
    order = order._replace(expires_at=begin + 2 * SHORTEST_S)
    with refuses("PrepaidLock_BadMessage", order.message_digest, 0):
        pay(order, **wrong)
    order = order._replace(message_length=1)
    with refuses("PrepaidLock_NonceUsed", used):
        pay(order, **wrong)


def test_request__when_everything_holds__stores_the_lock(
    pay, an_order, lock, meter_owner, processor
):
    order = advice_of(an_order)
    pay(order)
    stored = lock.lockOf(lock_id(lock, meter_owner, order))
    assert stored["payer"] == meter_owner.address
    assert stored["payee"] == processor.address
    assert stored["state"] == money.REQUESTED
    assert stored["expiresAt"] == order.expires_at
    assert stored["dueAt"] == 0
    assert stored["priceWei"] == money.ADVICE_PRICE_WEI
    assert stored["disputeWindowSeconds"] == money.WINDOW_S
    assert int.from_bytes(stored["subject"], "big") == ADVICE
    assert (stored["threshold"], stored["groupSize"]) == (0, 0)
    assert (stored["isDemanded"], stored["answerLength"]) == (False, money.LONGEST_ANSWER)
    assert (stored["rulesVersion"], stored["feeBps"]) == (1, money.RULES.fee_bps)
    assert stored["bondWei"] == money.bond_of(money.ADVICE_PRICE_WEI)
    assert bytes(stored["binding"]) == bytes(stored["answerDigest"]) == money.NOTHING


def test_request__when_everything_holds__holds_the_money(
    pay, an_order, meter_owner, processor, credit, owes, may_withdraw, bond_is
):
    before = meter_owner.account.balance()
    pay(an_order)
    assert meter_owner.account.balance() == before - PRICE_WEI
    owes(PRICE_WEI)
    may_withdraw()
    bond_is(held=0)
    assert credit.creditOf(processor.address) == 0


def test_request__when_everything_holds__emits(
    pay, an_order, lock, meter_owner, processor, only_event
):
    an_order = advice_of(an_order)
    signature = money.sign_request(lock, meter_owner, an_order)
    tx = pay(an_order, signature=signature)
    event = only_event(tx, "Requested")
    assert len(tx.events) == 1
    assert bytes(event["lockId"]) == lock_id(lock, meter_owner, an_order)
    assert (event["payer"], event["payee"]) == (meter_owner.address, processor.address)
    assert event["priceWei"] == money.ADVICE_PRICE_WEI
    assert tuple(event["signature"]) == signature
    bond_wei = money.bond_of(money.ADVICE_PRICE_WEI)
    order = tuple(event["order"])
    terms = (1, 0, money.WINDOW_S, money.RULES.fee_bps, 0, money.LONGEST_ANSWER, bond_wei)
    assert tuple(order[7]) == an_order.terms == terms
    assert order[:5] == an_order[:5]
    assert (bytes(order[5]), bytes(order[6])) == (an_order.message_digest, an_order.nonce)


def test_request__when_everything_holds__stays_within_gas(pay, an_order):
    pay(an_order._replace(nonce=money.digest_of("first")))
    used = pay(an_order).gas_used
    print(f"gas request: {used}")
    assert used <= 325_000
