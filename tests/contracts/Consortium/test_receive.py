"""Consortium.receive: the fees (receive.tree)."""

import money
import pytest
from reading import plain


@pytest.mark.parametrize("amount_wei", [0, 1, 10**18])
def test_receive__when_ether_comes__keeps_it(council, outsider, only_event, amount_wei):
    tx = outsider.transfer(council.contract, amount_wei)
    assert council.contract.balance() == amount_wei
    assert plain(only_event(tx, "Received")) == plain({"from": outsider, "amountWei": amount_wei})


def test_receive__when_it_comes_with_data__reverts(council, outsider, reverts_with):
    with reverts_with(None):
        outsider.transfer(council.contract, 1, data="0x12345678")
    assert council.contract.balance() == 0


def test_receive__when_fees_are_paid_out__keeps_them(
    lock, consortium, govern, catalogue, processor, meter_owner, relayer, now, only_event
):
    money.set_terms(govern, catalogue)
    money.put_up(lock, processor)
    order = money.request_order(processor, expires_at=now() + 5_000)
    signature = money.sign_request(lock, meter_owner, order)
    value = {"from": meter_owner.account, "value": money.PRICE_WEI}
    lock.request(order, signature, value)
    lock_id = money.id_of(lock, meter_owner, order.nonce)
    secret_hash = money.commitment_of(processor, b"\5" * 32)
    lock.accept(lock_id, secret_hash, b"\6" * 32, 100, {"from": processor.account})
    lock.claim(lock_id, b"\5" * 32, {"from": relayer})
    fee_wei = money.fee_of(money.PRICE_WEI)
    assert lock.withdrawableOf(consortium) == fee_wei > 0
    before = consortium.balance()

    tx = lock.withdrawFor(consortium, {"from": relayer})

    assert consortium.balance() == before + fee_wei
    received = {"from": lock, "amountWei": fee_wei}
    assert plain(only_event(tx, "Received")) == plain(received)
