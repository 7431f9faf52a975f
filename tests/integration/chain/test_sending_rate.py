"""The measurement of the node's sender beside web3.py's default way: `make bench-net` judges it."""

from collections.abc import Callable
from typing import Any

import pytest
from eth_account import Account
from web3 import HTTPProvider, Web3

from bench import sending
from bench.sending import Peer, measure_sending


@pytest.fixture
def peer(anvil) -> Peer:
    account = Account.create()
    anvil.set_balance(account.address, 10**18)
    return Peer(Web3(HTTPProvider(anvil.url)), account)


@pytest.fixture
def no_blocks(anvil):
    anvil.request("evm_setAutomine", False)
    yield
    anvil.request("evm_setAutomine", True)


def transfer(peer: Peer) -> Callable[[int], dict[str, Any]]:
    fixed = {
        "chainId": peer.web3.eth.chain_id,
        "gasPrice": 10**9,
        "gas": 21_000,
        "to": peer.account.address,
        "value": 1,
    }
    return lambda nonce: {**fixed, "nonce": nonce}


def sent_count(peer: Peer) -> int:
    return peer.web3.eth.get_transaction_count(peer.account.address)


def test_measure_sending__on_anvil__measures_both_ways_to_the_last_receipt(anvil) -> None:
    rates = measure_sending(anvil.url, anvil.keys[5], transactions=60, rounds=2)

    assert rates.sender_per_s > 0 < rates.web3_per_s
    assert (rates.transactions, rates.rounds) == (60, 2)
    assert rates.lost == {"sender": 0, "web3": 0}
    names = [figure.name for figure in rates.figures("anvil")]
    assert names == [
        "sender-vs-web3-anvil",
        "sender-anvil",
        "sender-lost-anvil",
        "web3-default-anvil",
        "web3-default-sent-again-anvil",
    ]


def test_peer__nonce_is_used_meanwhile__is_tried_anew_and_counted(peer) -> None:
    plain, other = transfer(peer), Peer(peer.web3, peer.account)

    def beaten(nonce: int) -> dict[str, Any]:
        if sent_count(peer) == 0:
            assert other.send(plain) is not None
        return plain(nonce)

    receipt = peer.wait([peer.send(beaten)])

    assert receipt is not None and receipt["status"] == 1
    assert peer.troubles.refused == 1
    assert sent_count(peer) == 2


def test_peer__node_forgets_what_was_sent__sends_the_same_bytes_again(
    peer, anvil, no_blocks, monkeypatch
) -> None:
    monkeypatch.setattr(sending, "_AGAIN_S", 0.05)
    sent = [peer.send(transfer(peer)) for _ in range(3)]
    anvil.request("anvil_dropAllTransactions")
    anvil.request("evm_setAutomine", True)

    receipt = peer.wait(sent)

    assert receipt is not None and peer.troubles.sent_again >= 3
    assert sent_count(peer) == 3


def test_peer__chain_never_has_it__is_lost_and_no_exception(
    peer, anvil, no_blocks, monkeypatch
) -> None:
    monkeypatch.setattr(sending, "_GIVE_UP_S", 0.1)

    assert peer.wait([peer.send(transfer(peer))]) is None
    anvil.request("anvil_dropAllTransactions")


def test_peer__every_send_is_refused__is_given_up_and_no_exception(peer, monkeypatch) -> None:
    monkeypatch.setattr(sending, "_GIVE_UP_S", 0.1)
    poor = Peer(peer.web3, Account.create())  # it has nothing to pay with

    assert poor.wait([poor.send(transfer(poor))]) is None
    assert poor.troubles.refused > 1
