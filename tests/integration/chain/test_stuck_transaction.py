"""Anvil may keep a transaction waiting for a nonce that is mined already: the sender frees it."""

import pytest

from offchain.chain import sender as sending
from offchain.chain.attempt import Attempt
from offchain.chain.endpoint import Endpoint
from offchain.chain.sender import Sender, Unsigned


def test_send__anvil_waits_for_a_nonce_that_is_used__is_mined_by_the_same_bytes(
    anvil, account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "_RESEND_S", 0.05)
    sender = Sender(
        Endpoint([anvil.url]), chain_id=anvil.chain_id, account=account, outbox=None, timeout_s=10
    )
    nonce = sender._nonce()
    plain = Unsigned(to=sender.address, data=b"", value_wei=0, gas=21_000)
    early = sender._sign(plain, nonce + 1, 2 * 10**9)
    assert sender._broadcast([early]) == {}
    # What the race comes to: the transaction before it is mined while this one comes in.
    anvil.request("anvil_setNonce", sender.address, hex(nonce + 1))
    assert anvil.request("txpool_status") == {"pending": "0x0", "queued": "0x1"}
    (receipt,) = sender._wait([Attempt([early])])
    assert receipt.tx_hash == early.tx_hash
    assert anvil.request("txpool_status") == {"pending": "0x0", "queued": "0x0"}
