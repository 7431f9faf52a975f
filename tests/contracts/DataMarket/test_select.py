"""DataMarket.select (select.tree)."""

from contextlib import contextmanager

import disputes
import money
import publishing
import pytest
from brownie import web3
from members import NOBODY
from money import APPLICATION_WEI

from offchain.crypto import sharing
from tests.contracts.DataMarket.conftest import BOND_WEI, BONDS_WEI

PRICE, PRICE_TWO = 10**15, 2 * 10**15


@pytest.fixture
def answered(broadcast, respond, processor, processor_two):
    """A broadcast with both nodes' responses."""
    ad = broadcast()
    respond(ad, processor, price=PRICE)
    respond(ad, processor_two, price=PRICE_TWO)
    return ad


def test_select__given_other_state__reverts(
    answered, broadcast, choose, select, refuses, market, processor, at, outsider
):
    choices = [choose(answered, processor)]
    closed = broadcast()
    select(answered, choices, value=PRICE)
    with refuses("DataMarket_WrongState", answered.id, 2):
        select(answered, choices, value=PRICE)
    at(closed.conditions.select_by)
    market.close(closed.id, {"from": outsider})
    with refuses("DataMarket_WrongState", closed.id, 3):
        select(closed, choices, value=PRICE)
    with refuses("DataMarket_WrongState", money.NOTHING, 0):
        select(closed._replace(id=money.NOTHING), choices, value=PRICE)


@pytest.mark.parametrize("late", [0, 1])
def test_select__when_select_by_is_reached__reverts(
    answered, choose, select, refuses, processor, at, late
):
    choices, by = [choose(answered, processor)], answered.conditions.select_by
    at(by + late)
    with refuses("DataMarket_TooLate", answered.id, by, by + late):
        select(answered, choices, value=PRICE)


def test_select__when_select_by_is_not_reached__selects(
    answered, choose, select, market, processor, at
):
    choices = [choose(answered, processor)]
    at(answered.conditions.select_by - 1)
    select(answered, choices, value=PRICE)
    assert market.broadcastOf(answered.id)[1] == 2


def test_select__when_caller_is_not_requester__reverts(
    answered, choose, select, refuses, processor, buyer_two
):
    choices = [choose(answered, processor)]
    for member in (buyer_two, processor):
        with refuses("DataMarket_NotRequester", answered.id, member.address):
            select(answered, choices, value=PRICE, by=member)


def test_select__given_revoked_requester__reverts(
    answered, choose, select, refuses, processor, buyer, revoke
):
    choices = [choose(answered, processor)]
    revoke(buyer)
    with refuses("DataMarket_NotSharer", buyer.address):
        select(answered, choices, value=PRICE)


def test_select__when_group_has_another_size__reverts(
    answered, choose, select, refuses, processor, group
):
    choices = [choose(answered, processor)]
    for members in ([], group.accounts[:2], [*group.accounts, "0x" + "ff" * 20]):
        with refuses("DataMarket_BadGroup", answered.id, NOBODY):
            select(answered, choices, value=PRICE, members=members)


def test_select__when_group_does_not_ascend__reverts(
    answered, choose, select, refuses, processor, group
):
    choices = [choose(answered, processor)]
    a, b, c = group.accounts
    for members, faulty in (([a, a, b], a), ([b, a, c], a), ([a, c, b], b)):
        with refuses("DataMarket_BadGroup", answered.id, faulty):
            select(answered, choices, value=PRICE, members=members)
    with refuses("DataMarket_BadGroup", answered.id, NOBODY):
        select(answered, choices, value=PRICE, members=[NOBODY, a, b])


def test_select__when_group_lacks_the_requester__reverts(
    answered, choose, select, refuses, processor, buyer, buyer_two, buyer_three, admit
):
    from members import Role

    others = money.group_of(buyer_two, buyer_three, admit(Role.SHARER))
    choices = [choose(answered, processor, group=others)]
    with refuses("DataMarket_BadGroup", answered.id, buyer.address):
        select(answered, choices, value=PRICE, members=others.accounts)


def test_select__when_member_is_no_active_sharer__reverts(
    answered, choose, select, refuses, processor, buyer, buyer_two, meter_owner, outsider, revoke
):
    choices = [choose(answered, processor)]
    for stranger in (meter_owner.address, processor.address, outsider.address):
        members = sorted((buyer.address, buyer_two.address, stranger), key=lambda a: int(a, 16))
        with refuses("DataMarket_BadGroup", answered.id, stranger):
            select(answered, choices, value=PRICE, members=members)
    revoke(buyer_two)
    with refuses("DataMarket_BadGroup", answered.id, buyer_two.address):
        select(answered, choices, value=PRICE)


def test_select__when_nobody_is_chosen__reverts(answered, select, refuses):
    with refuses("DataMarket_NothingChosen", answered.id):
        select(answered, [], value=0)


def test_select__when_chosen_has_no_standing_response__reverts(
    broadcast, respond, choose, select, refuses, market, processor, processor_two, outsider
):
    ad = broadcast()
    respond(ad, processor, price=PRICE)
    choices = [choose(ad, processor)]
    market.withdrawResponse(ad.id, {"from": processor.account})
    with refuses("DataMarket_NoResponse", ad.id, processor.address):
        select(ad, choices, value=PRICE)
    respond(ad, processor_two, price=PRICE)  # into the slot that became free
    with refuses("DataMarket_NoResponse", ad.id, processor.address):
        select(ad, choices, value=PRICE)
    with refuses("DataMarket_NoResponse", ad.id, outsider):
        select(ad, [choose(ad, outsider)], value=PRICE)


def test_select__when_chosen_twice__reverts(answered, choose, select, refuses, processor):
    choices = [choose(answered, processor), choose(answered, processor)]
    with refuses("DataMarket_BadChoice", answered.id, processor.address):
        select(answered, choices, value=2 * PRICE)


def test_select__given_revoked_choice__reverts(
    answered, choose, select, refuses, processor, processor_two, revoke
):
    choices = [choose(answered, processor_two), choose(answered, processor)]
    revoke(processor)
    with refuses("DataMarket_BadChoice", answered.id, processor.address):
        select(answered, choices, value=PRICE + PRICE_TWO)


@pytest.mark.parametrize("why", ["its time", "retired"])
@pytest.mark.parametrize("late", [-1, 0, 1])
def test_select__given_ended_sale__reverts(
    broadcast, respond, choose, select, refuses, data_sets, processor, at, now, why, late
):
    moment = now() + 100
    sale_until = moment if why == "its time" else None
    it = money.publish(data_sets, processor, sale_until=sale_until)
    ad = broadcast()
    respond(ad, processor, price=PRICE, data_set_id=it.data_set_id)
    choices = [choose(ad, processor)]
    if why == "retired" and late >= 0:
        at(moment)
        data_sets.retire(it.data_set_id, {"from": processor.account})
    at(moment + late + (why == "retired"))
    if late < 0:
        select(ad, choices, value=PRICE)
        return
    with refuses("DataMarket_NotOnSale", ad.id, it.data_set_id):
        select(ad, choices, value=PRICE)


def test_select__given_one_retired__selects_the_other(
    answered, choose, select, refuses, data_sets, data_set, processor, processor_two, market
):
    data_sets.retire(data_set.data_set_id, {"from": processor.account})
    one, other = (choose(answered, node) for node in (processor, processor_two))
    with refuses("DataMarket_NotOnSale", answered.id, data_set.data_set_id):
        select(answered, [other, one], value=PRICE + PRICE_TWO)
    select(answered, [other], value=PRICE_TWO)
    assert market.broadcastOf(answered.id)[1] == 2


def test_select__given_retired_in_the_same_block__reverts(
    broadcast, respond, choose, market, lock, data_sets, consents, processor, device, meter_owner,
    buyer, group, outsider, now, at,
):  # fmt: skip
    """The race: the withdrawal is mined just before the selection."""
    owners = publishing.owners_of((device, 168))
    expires_at = now() + money.DAY
    sender = {"from": meter_owner.account}
    consents.give(device.address, publishing.PURPOSE, expires_at, sender)
    it = money.publish(data_sets, processor, owners=owners)
    ad = broadcast()
    respond(ad, processor, price=PRICE, data_set_id=it.data_set_id)
    choices = [choose(ad, processor)]
    before = (lock.balance(), lock.liabilitiesWei(), lock.bondOf(processor.address)["freeWei"])

    with one_block():
        options = {"gas_limit": 1_000_000, "required_confs": 0}
        consents.withdraw(device.address, publishing.PURPOSE, {**sender, **options})
        data_sets.retireFor(it.data_set_id, owners.leaf(device), {"from": outsider, **options})
        call = {"from": buyer.account, "value": PRICE, "allow_revert": True, **options}
        tx = market.select(ad.id, group.accounts, choices, call)
    assert web3.eth.get_transaction_receipt(tx.txid)["status"] == 0
    assert data_sets.offerOf(it.data_set_id)[4] == now()
    assert market.broadcastOf(ad.id)[1] == 1
    after = (lock.balance(), lock.liabilitiesWei(), lock.bondOf(processor.address)["freeWei"])
    assert after == before


@contextmanager
def one_block():
    """Mine everything that is sent in here in one block, in the order of sending."""
    for method, argument in (("evm_setAutomine", False), ("anvil_setBlockGasLimit", hex(10**9))):
        web3.provider.make_request(method, [argument])
    block = web3.eth.block_number
    try:
        yield
    finally:
        web3.provider.make_request("evm_mine", [])
        web3.provider.make_request("evm_setAutomine", [True])
    assert web3.eth.block_number == block + 1
    assert len(web3.eth.get_block(block + 1)["transactions"]) == 3


def test_select__when_value_is_not_the_sum__reverts(
    answered, choose, select, refuses, processor, processor_two
):
    choices, total = [choose(answered, p) for p in (processor, processor_two)], PRICE + PRICE_TWO
    for value in (0, PRICE, total - 1, total + 1):
        with refuses("DataMarket_WrongValue", value, total):
            select(answered, choices, value=value)


def test_select__when_a_signature_is_false__reverts_whole(
    answered, choose, select, refuses, market, lock, processor, processor_two, buyer, group
):
    accounts, keys = group
    other = money.Group(accounts, [keys[1], keys[0], keys[2]])
    good, false = choose(answered, processor), choose(answered, processor_two, group=other)
    with refuses("PrepaidLock_BadSignature", money.id_of(lock, buyer, false[5])):
        select(answered, [good, false], value=PRICE + PRICE_TWO)
    assert lock.lockOf(money.id_of(lock, buyer, good[5]))["state"] == money.NONE
    assert market.broadcastOf(answered.id)[1] == 1
    assert lock.applicationOf(answered.id) == APPLICATION_WEI


def test_select__when_t_is_too_near__reverts(answered, choose, select, refuses, processor, at, now):
    begin = now() + 10
    soon = begin + money.SHARING_SHORTEST_S - 1
    choices = [choose(answered, processor, expires_at=soon)]
    at(begin)
    with refuses("PrepaidLock_TooLittleTime", soon, soon + 1):
        select(answered, choices, value=PRICE)


@pytest.mark.parametrize("short", [1, 0, -1])
def test_select__given_too_small_a_bond__reverts_whole(
    answered, choose, select, refuses, market, lock, processor, processor_two, short
):
    needed = money.bond_of(PRICE_TWO)
    free = needed - short
    lock.takeBond(BOND_WEI - free, {"from": processor_two.account})
    choices = [choose(answered, p) for p in (processor, processor_two)]
    if short <= 0:
        select(answered, choices, value=PRICE + PRICE_TWO)
        assert lock.bondOf(processor_two.address)["heldWei"] == needed
        return
    with refuses("PrepaidLock_BondTooSmall", processor_two.address, free, needed):
        select(answered, choices, value=PRICE + PRICE_TWO)
    assert market.broadcastOf(answered.id)[1] == 1
    assert lock.bondOf(processor.address)["heldWei"] == 0


def test_select__when_choices_share_a_nonce__reverts(
    answered, choose, select, refuses, lock, buyer, processor, processor_two
):
    nonce = money.digest_of("nonce")
    choices = [choose(answered, p, nonce=nonce) for p in (processor, processor_two)]
    with refuses("PrepaidLock_NonceUsed", money.id_of(lock, buyer, nonce)):
        select(answered, choices, value=PRICE + PRICE_TWO)


def test_select__when_everything_holds__opens_the_locks(
    answered, choose, select, market, lock, buyer, processor, processor_two, group, only_event,
    data_set, data_set_two,
):  # fmt: skip
    choices = [choose(answered, processor_two), choose(answered, processor)]
    tx = select(answered, choices, value=PRICE + PRICE_TWO)
    ids = [money.id_of(lock, buyer, choice[5]) for choice in choices]
    for lock_id, payee, own, price in zip(
        ids, (processor_two, processor), (data_set_two, data_set), (PRICE_TWO, PRICE), strict=True
    ):
        stored = lock.lockOf(lock_id)
        assert (stored["payer"], stored["payee"]) == (buyer.address, payee.address)
        assert (stored["state"], stored["priceWei"]) == (money.SELECTED, price)
        assert (stored["threshold"], stored["groupSize"]) == (2, 3)
        assert bytes(stored["subject"]) == own.data_set_id
        assert bytes(stored["binding"]) == group.hash
    assert market.broadcastOf(answered.id)[1] == 2
    event = only_event(tx, "GroupSelected")
    assert (bytes(event["broadcastId"]), event["requester"]) == (answered.id, buyer.address)
    assert bytes(event["groupHash"]) == group.hash
    assert list(event["members"]) == group.accounts
    assert [tuple(key) for key in event["deliveryKeys"]] == group.key_words
    assert [bytes(lock_id) for lock_id in event["lockIds"]] == ids
    names = [event.name for event in tx.events]
    assert names == ["GroupSelected", "Selected", "Selected", "ApplicationReleased"]
    print(f"gas select (2 nodes, 3 members): {tx.gas_used}")


def test_select__when_everything_holds__moves_the_money(
    answered, choose, select, market, lock, credit, buyer, processor
):
    before = buyer.account.balance()
    select(answered, [choose(answered, processor)], value=PRICE)
    assert buyer.account.balance() == before - PRICE
    assert lock.withdrawableOf(buyer.address) == APPLICATION_WEI
    assert lock.applicationOf(answered.id) == 0
    assert lock.balance() == lock.liabilitiesWei() == BONDS_WEI + PRICE + APPLICATION_WEI
    assert money.bond_of(PRICE) > 0
    bond = lock.bondOf(processor.address)
    expected = (BOND_WEI - money.bond_of(PRICE), money.bond_of(PRICE))
    assert (bond["freeWei"], bond["heldWei"]) == expected
    assert market.balance() == 0
    assert credit.creditOf(processor.address) == 0


def test_select__when_everything_holds__can_be_delivered(
    answered, choose, select, lock, processor, buyer, group, data_set, relayer, revoke, buyer_three
):
    choice = choose(answered, processor)
    select(answered, [choice], value=PRICE)
    revoke(buyer_three)
    dealt = sharing.deal(data_set.key, threshold=2, delivery_keys=group.keys)
    words = money.transcript_words(dealt)
    lock_id = money.id_of(lock, buyer, choice[5])
    leave = money.sign_delivery(lock, processor, lock_id, group, words)
    lock.deliver(lock_id, group.accounts, group.key_words, *words, leave, {"from": relayer})
    assert lock.withdrawableOf(processor.address) == PRICE - money.fee_of(PRICE)


@pytest.mark.parametrize("change", [{"rules_version": 2}, {"sharing_version": 2}])
def test_select__when_versions_are_not_the_offers__reverts(
    answered, choose, select, processor, refuses, govern, catalogue, change
):
    govern(catalogue, "setSharingTerms", (60, 0, 1, 0))
    govern(catalogue, "setRules", disputes.rules_words(disputes.OTHER_RULES))
    terms = money.sharing_terms(PRICE)._replace(**change)
    with refuses("DataMarket_OtherTerms", answered.id, 1, 1):
        select(answered, [choose(answered, processor, terms=terms)], value=PRICE)


def test_select__given_later_rules_and_terms__begins_under_the_offers(
    answered, choose, select, processor, lock, buyer, govern, catalogue, now
):
    """A buyer, or a node, that carries out what was agreed between offer and selection changes
    nothing: neither the shortest T, nor window, fee or bond."""
    govern(catalogue, "setSharingTerms", (60, 300, 1, 8_000))
    govern(catalogue, "setRules", disputes.rules_words(disputes.OTHER_RULES))
    short = choose(answered, processor, expires_at=now() + 800)
    with pytest.raises(Exception, match="PrepaidLock_TooLittleTime"):
        select(answered, [short], value=PRICE)
    choice = choose(answered, processor)
    select(answered, [choice], value=PRICE)
    stored = lock.lockOf(money.id_of(lock, buyer, choice[5]))
    kept = (stored["rulesVersion"], stored["disputeWindowSeconds"], stored["feeBps"])
    assert kept == (1, 0, money.RULES.fee_bps)
    assert stored["bondWei"] == money.bond_of(PRICE)
