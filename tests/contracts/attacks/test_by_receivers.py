"""Receivers that refuse or call back: as payer, as payee, as disputer."""

import disputes
import money
import pytest
from brownie import ReentrantReceiver, RevertingReceiver
from members import Role, region_id


@pytest.fixture
def contract_node(admit, revoke, deployer, processor, lock, relayer):
    """``contract_node(Mock)``: a processing node of the north that is a contract, with a bond."""

    def make(mock):
        revoke(processor)
        wallet = mock.deploy({"from": deployer})
        node = admit(Role.PROCESSOR, region_id("north"), account=wallet)
        data = lock.addBond.encode_input(wallet.address)
        wallet.execute(lock.address, 10**17, data, {"from": relayer, "value": 10**17})
        return node

    return make


@pytest.fixture
def open_with(pay, lock, meter_owner, relayer, now):
    """``open_with(node)``: an accepted and claimed advice of a node that is a contract."""

    def make(node):
        order = money.request_order(
            node, expires_at=now() + 2 * money.SHORTEST_S, type_id=money.ADVICE
        )
        pay(order)
        lock_id, secret = money.id_of(lock, meter_owner, order.nonce), money.digest_of("x")
        c = money.commitment_of(node, secret)
        data = lock.accept.encode_input(lock_id, c, disputes.ANSWER_DIGEST, len(disputes.ANSWER))
        node.account.execute(lock.address, 0, data, {"from": relayer})
        lock.claim(lock_id, secret, {"from": relayer})
        return lock_id

    return make


def test_refusing_payee__when_its_lock_ends__keeps_nobody_from_anything(
    contract_node, open_with, lock, consortium, relayer, at, reverts_with
):
    node = contract_node(RevertingReceiver)
    lock_id = open_with(node)
    at(lock.lockOf(lock_id)["dueAt"])
    lock.settle(lock_id, {"from": relayer})
    assert lock.lockOf(lock_id)["state"] == money.SETTLED
    fee = money.fee_of(money.ADVICE_PRICE_WEI)
    due = money.ADVICE_PRICE_WEI - fee
    with reverts_with("PrepaidLock_TransferFailed", node.address, due):
        lock.withdrawFor(node.address, {"from": relayer})
    lock.withdrawFor(consortium.address, {"from": relayer})
    assert consortium.balance() == fee
    assert lock.withdrawableOf(node.address) == due
    node.account.setOpen(True, {"from": relayer})
    lock.withdrawFor(node.address, {"from": relayer})
    assert node.account.balance() == due


def test_refusing_payee__if_it_were_paid_by_a_push__would_keep_the_lock_from_ending(
    contract_node, outsider, reverts_with
):
    """Control: the wallet does refuse ether that is sent to it."""
    node = contract_node(RevertingReceiver)
    with reverts_with("RevertingReceiver_Closed"):
        outsider.transfer(node.address, 1)


ATTEMPTS = {
    "withdraw": ("PrepaidLock_NothingToWithdraw(address)", "withdrawFor", "wallet"),
    "settle": ("PrepaidLock_WrongState(bytes32,uint8)", "settle", "lock"),
    "refund": ("PrepaidLock_WrongState(bytes32,uint8)", "refund", "lock"),
    "slash": ("PrepaidLock_WrongState(bytes32,uint8)", "slash", "lock"),
    "take bond": ("PrepaidLock_BondTooSmall(address,uint256,uint256)", "takeBond", "bond"),
}


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_reentrant_payee__when_paid__gets_nothing_twice(
    attempt, contract_node, open_with, lock, relayer, at, owes
):
    error, function, argument = ATTEMPTS[attempt]
    node = contract_node(ReentrantReceiver)
    lock_id = open_with(node)
    at(lock.lockOf(lock_id)["dueAt"])
    lock.settle(lock_id, {"from": relayer})
    values = {"wallet": node.address, "lock": lock_id, "bond": 10**17 + 1}
    data = getattr(lock, function).encode_input(values[argument])
    node.account.prepare(lock, data, {"from": relayer})
    lock.withdrawFor(node.address, {"from": relayer})
    fee = money.fee_of(money.ADVICE_PRICE_WEI)
    assert node.account.balance() == money.ADVICE_PRICE_WEI - fee
    assert (node.account.attempts(), node.account.successes()) == (1, 0)
    assert bytes(node.account.lastResult())[:4] == money.keccak(text=error)[:4]
    owes(10**17 + fee)


def test_reentrant_payee__with_a_call_that_is_open__is_heard(
    contract_node, open_with, lock, relayer, at
):
    """Control: the wallet does call back in the middle of its payment."""
    node = contract_node(ReentrantReceiver)
    lock_id = open_with(node)
    at(lock.lockOf(lock_id)["dueAt"])
    lock.settle(lock_id, {"from": relayer})
    node.account.prepare(lock, lock.takeBond.encode_input(5), {"from": relayer})
    lock.withdrawFor(node.address, {"from": relayer})
    assert (node.account.attempts(), node.account.successes()) == (1, 1)
    assert lock.withdrawableOf(node.address) == 5
    assert lock.balance() == lock.liabilitiesWei()
