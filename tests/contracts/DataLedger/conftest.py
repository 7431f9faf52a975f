import pytest
from brownie import web3
from members import words

from offchain.crypto import messages, sharing

DAY = 86_400
GOOD = {
    "windowFrom": 20_000 * DAY,
    "windowTo": 20_007 * DAY,
    "kind": 1,
    "rowCount": 168,
    "manifestLength": 32_768,
    "readingsRoot": b"\x11" * 32,
    "manifestDigest": b"\x22" * 32,
}


@pytest.fixture
def publication(ledger):
    """``publication(processor, key=…, **changed)``: what `publish` takes, its proof valid."""

    def make(processor, *, key=None, prove_for=None, prove_id=None, ledger_address=None, **changed):
        key = key or sharing.DataKey.generate()
        commitment = sharing.key_commitment(key)
        message = messages.data_key_message(
            chain_id=changed.pop("chain_id", web3.eth.chain_id),
            data_ledger=ledger_address or ledger.address,
            processor=(prove_for or processor).address,
            data_set_id=bytes(prove_id or ledger.nextDataSetId(processor.address)),
            key_commitment=commitment,
        )
        fields = GOOD | {
            "keyCommitment": words(commitment),
            "keyPossession": words(sharing.prove_data_key(key, message)),
        }
        return tuple((fields | changed).values())

    return make
