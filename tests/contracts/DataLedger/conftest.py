import pytest
from brownie import web3
from members import Role, region_id, words

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


@pytest.fixture(scope="module")
def signers(module_isolation, cast, admit, meter_owner):
    """Two devices whose keys the tests hold, so that they can sign batches."""
    return [admit(Role.DEVICE, region_id("north"), owner=meter_owner) for _ in range(2)]


@pytest.fixture
def signer(signers):
    return signers[0]
