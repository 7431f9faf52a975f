"""PrepaidLock.withdrawFor, with hostile receivers (withdrawFor.tree)."""

import money
import pytest
from brownie import ReentrantReceiver, RevertingReceiver
from members import Role, region_id


@pytest.fixture
def refunded_wallet(lock, admit, processor, deployer, relayer, at, now):
    """``refunded_wallet(Mock)``: a user that is a contract, whose request was refunded."""

    def make(mock):
        wallet = mock.deploy({"from": deployer})
        member = admit(Role.USER, region_id("north"), account=wallet)
        order = money.request_order(processor, expires_at=now() + 2 * money.SHORTEST_S)
        data = lock.request.encode_input(order, money.sign_request(lock, member, order))
        options = {"from": relayer, "value": money.PRICE_WEI}
        wallet.execute(lock.address, money.PRICE_WEI, data, options)
        at(order.expires_at)
        lock_id = money.id_of(lock, member, order.nonce)
        lock.refund(lock_id, {"from": relayer})
        return wallet, lock_id

    return make


@pytest.fixture
def rejected(open_request, lock, processor):
    """Meter_owner has PRICE_WEI to withdraw."""
    it = open_request()
    lock.reject(it.id, money.NOT_RECOGNISED, {"from": processor.account})
    return it


def test_withdraw_for__given_nothing__reverts(
    rejected, refuses, lock, meter_owner, outsider, relayer
):
    with refuses("PrepaidLock_NothingToWithdraw", outsider):
        lock.withdrawFor(outsider, {"from": outsider})
    lock.withdrawFor(meter_owner.address, {"from": relayer})
    with refuses("PrepaidLock_NothingToWithdraw", meter_owner.address):
        lock.withdrawFor(meter_owner.address, {"from": relayer})


def test_withdraw_for__given_something__sends_it(
    rejected, open_request, lock, meter_owner, relayer, only_event, owes
):
    open_request()  # stays
    before, relayers = meter_owner.account.balance(), relayer.balance()
    tx = lock.withdrawFor(meter_owner.address, {"from": relayer})
    assert meter_owner.account.balance() == before + money.PRICE_WEI
    assert relayer.balance() == relayers
    assert lock.withdrawableOf(meter_owner.address) == 0
    owes(money.PRICE_WEI)
    event = only_event(tx, "Withdrawn")
    assert (event["account"], event["by"]) == (meter_owner.address, relayer.address)
    assert event["amountWei"] == money.PRICE_WEI
    print(f"gas withdrawFor: {tx.gas_used}")


def test_withdraw_for__given_several_locks__sends_the_sum(
    rejected, open_accepted, open_sharing, deliver, lock, processor, relayer, consortium, owes,
    may_withdraw,
):  # fmt: skip
    it = open_accepted()
    lock.claim(it.id, it.secret, {"from": relayer})
    sold = open_sharing()
    deliver(sold)
    fee = money.fee_of(money.PRICE_WEI) + money.fee_of(sold.order.price_wei)
    due = money.PRICE_WEI + sold.order.price_wei - fee
    before = processor.account.balance()
    lock.withdrawFor(processor.address, {"from": processor.account})
    assert processor.account.balance() == before + due
    owes(money.PRICE_WEI + fee)
    lock.withdrawFor(consortium.address, {"from": relayer})
    assert consortium.balance() == fee
    may_withdraw(meter_owner=money.PRICE_WEI)
    owes(money.PRICE_WEI)


def test_withdraw_for__given_revoked_member__sends_it(
    rejected, lock, meter_owner, revoke, relayer, owes
):
    revoke(meter_owner)
    lock.withdrawFor(meter_owner.address, {"from": relayer})
    owes(0)


def test_withdraw_for__given_refusing_receiver__reverts(refunded_wallet, refuses, lock, relayer):
    wallet, _ = refunded_wallet(RevertingReceiver)
    with refuses("PrepaidLock_TransferFailed", wallet, money.PRICE_WEI):
        lock.withdrawFor(wallet, {"from": relayer})
    assert lock.withdrawableOf(wallet) == money.PRICE_WEI


def test_withdraw_for__given_refusing_receiver__harms_nobody_else(
    refunded_wallet, rejected, lock, meter_owner, relayer
):
    refunded_wallet(RevertingReceiver)
    before = meter_owner.account.balance()
    lock.withdrawFor(meter_owner.address, {"from": relayer})
    assert meter_owner.account.balance() == before + money.PRICE_WEI


def test_withdraw_for__given_refusing_receiver__keeps_the_sum(refunded_wallet, lock, relayer, owes):
    wallet, _ = refunded_wallet(RevertingReceiver)
    wallet.setOpen(True, {"from": relayer})
    lock.withdrawFor(wallet, {"from": relayer})
    assert wallet.balance() == money.PRICE_WEI
    owes(0)


@pytest.fixture
def pays_once(refunded_wallet, open_request, lock, relayer, owes):
    """Withdraw to a wallet that calls back with what ``attack(lock_id, wallet)`` encodes."""

    def check(attack, expected_error):
        wallet, lock_id = refunded_wallet(ReentrantReceiver)
        open_request()  # somebody else's money, to be stolen
        wallet.prepare(lock, attack(lock_id, wallet), {"from": relayer})
        lock.withdrawFor(wallet, {"from": relayer})
        assert wallet.balance() == money.PRICE_WEI
        assert (wallet.attempts(), wallet.successes()) == (1, 0)
        assert bytes(wallet.lastResult())[:4] == bytes.fromhex(expected_error)
        assert lock.withdrawableOf(wallet) == 0
        owes(money.PRICE_WEI)

    return check


def selector(signature):
    return money.keccak(text=signature)[:4].hex()


def test_withdraw_for__given_receiver_that_withdraws_again__pays_once(pays_once, lock):
    pays_once(
        lambda _, wallet: lock.withdrawFor.encode_input(wallet),
        selector("PrepaidLock_NothingToWithdraw(address)"),
    )


def test_withdraw_for__given_receiver_that_refunds_again__pays_once(pays_once, lock):
    pays_once(
        lambda lock_id, _: lock.refund.encode_input(lock_id),
        selector("PrepaidLock_WrongState(bytes32,uint8)"),
    )
