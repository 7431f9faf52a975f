"""Who waits for a block on a real node is told of it, and asks nothing meanwhile."""

import statistics
import threading
import time

import pytest
from eth_account import Account

from offchain.chain import subscription
from offchain.chain.anvil import start_anvil
from offchain.chain.gateway import ChainGateway
from offchain.chain.heads import wait_for_block, wait_for_events

PROBE = "GatewayProbe"
MOST_S = 0.05  # from an event on the chain to who waits for it; the median


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


def test_wait_for_events__told_and_idle__returns_within_the_median_time(own_anvil, told):
    sender = told.with_account(Account.from_key(own_anvil.keys[1]))
    mined_at, waits = [0.0], []
    for number in range(11):
        head = told.block_number()

        def speak(number=number):
            receipt = sender.transact(PROBE, "increment", f"n{number}", gas=100_000, dry_call=False)
            assert receipt.success

        def wait(head=head):
            wait_for_events(
                told, [PROBE], after=head, depth=0, timeout_s=20, stop=threading.Event()
            )
            waits.append(time.monotonic())

        waiter = threading.Thread(target=wait)
        waiter.start()
        time.sleep(0.1)
        own_anvil.request("evm_setAutomine", False)
        speaker = threading.Thread(target=speak)
        speaker.start()
        while own_anvil.request("txpool_status")["pending"] == "0x0":
            time.sleep(0.005)
        mined_at.append(time.monotonic())
        own_anvil.request("evm_setAutomine", True)
        own_anvil.mine()
        waiter.join()
        speaker.join()
    late_s = [seen - mined for seen, mined in zip(waits, mined_at[1:], strict=True)]
    assert statistics.median(late_s) <= MOST_S, late_s


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
