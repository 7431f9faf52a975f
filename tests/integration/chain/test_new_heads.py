"""Who waits for a block on a real node is told of it, and asks nothing meanwhile."""

import threading
import time

import pytest
from eth_account import Account

from offchain.chain import subscription
from offchain.chain.anvil import start_anvil
from offchain.chain.gateway import ChainGateway
from offchain.chain.heads import wait_for_block

PROBE = "GatewayProbe"


@pytest.fixture(scope="module")
def own_anvil():
    with start_anvil() as running:
        yield running


@pytest.fixture
def told(own_anvil, deploy_probe, monkeypatch):
    """A gateway that anvil, at its one port, tells of its blocks."""
    monkeypatch.setattr(subscription, "_SETTLED_S", 0.0)
    gateway = ChainGateway(own_anvil.url, deploy_probe(own_anvil))
    be_told(gateway)
    yield gateway
    gateway.new_heads.close()


def be_told(gateway):
    give_up_at, head = time.monotonic() + 20, gateway.block_number()
    while not gateway.new_heads.is_told:
        assert time.monotonic() < give_up_at
        wait_for_block(gateway, after=head, timeout_s=0.1)


def count_questions(gateway, monkeypatch):
    asked, ask = [], gateway.endpoint.ask
    monkeypatch.setattr(gateway.endpoint, "ask", lambda one: asked.append(one.method) or ask(one))
    return asked


def test_wait_for_block__told_and_nothing_happens__asks_next_to_nothing(told, monkeypatch):
    asked, head = count_questions(told, monkeypatch), told.block_number()
    assert wait_for_block(told, after=head, timeout_s=3) == head
    assert len(asked) <= 3


def test_wait_for_block__nobody_tells__asks_ever_less_often(own_anvil, deploy_probe, monkeypatch):
    gateway = ChainGateway(own_anvil.url, deploy_probe(own_anvil))
    monkeypatch.setattr(gateway.new_heads, "_addresses", [])
    asked, head = count_questions(gateway, monkeypatch), gateway.block_number()
    gateway.new_heads.note_change(0)
    assert wait_for_block(gateway, after=head, timeout_s=2) == head
    assert len(asked) <= 70  # of 200, one each 10 ms
    gateway.new_heads._changed_at -= 60
    asked.clear()
    assert wait_for_block(gateway, after=head, timeout_s=2) == head
    assert len(asked) <= 10


def test_wait_for_block__line_breaks__still_sees_the_block_and_is_told_again(
    own_anvil, told, monkeypatch
):
    monkeypatch.setattr(subscription, "_AGAIN_S", 0.05)
    head = told.block_number()
    told.new_heads._line.close()
    threading.Timer(0.2, own_anvil.mine).start()
    assert wait_for_block(told, after=head, timeout_s=20) == head + 1
    be_told(told)


def test_gateway__given_a_line_beside_its_address__asks_the_address_and_is_told_by_the_line(
    own_anvil, deploy_probe, monkeypatch
):
    monkeypatch.setattr(subscription, "_SETTLED_S", 0.0)
    line = own_anvil.url.replace("http", "ws")
    gateway = ChainGateway([line, own_anvil.url], deploy_probe(own_anvil))
    assert gateway.endpoint.urls == (own_anvil.url,)
    be_told(gateway)
    gateway.new_heads.close()


def test_transact__told_of_blocks__looks_for_its_receipt_when_one_comes(
    own_anvil, deploy_probe, monkeypatch
):
    account = Account.create()
    own_anvil.set_balance(account.address, 10**18)
    gateway = ChainGateway(own_anvil.url, deploy_probe(own_anvil), account=account)
    gateway.new_heads.begin()
    while not gateway.new_heads.is_told:
        time.sleep(0.01)
    batches, batch = [], gateway.endpoint.batch
    monkeypatch.setattr(
        gateway.endpoint, "batch", lambda asked, **how: batches.append(1) or batch(asked, **how)
    )
    own_anvil.request("evm_setAutomine", False)
    threading.Timer(1.0, own_anvil.mine).start()
    try:
        assert gateway.transact(PROBE, "increment", "x", gas=90_000, dry_call=False).success
    finally:
        own_anvil.request("evm_setAutomine", True)
        gateway.new_heads.close()
    assert len(batches) <= 10  # of some 60 by the clock
