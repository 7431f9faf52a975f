"""Contexts and signatures: bound to every field, canonical form only."""

from dataclasses import replace

import pytest
from eth_abi import encode as abi
from eth_account import Account as EthAccount
from eth_utils import keccak

from offchain.crypto.secret import SecretBytes
from offchain.errors import DmsmError
from offchain.records import contexts, signing
from offchain.types import to_account

from .samples import CHAIN_ID, DEVICE, LEDGER, LINK, OWNER, PROCESSOR

KEY = SecretBytes(b"\x11" * 32)
SIGNER = to_account(EthAccount.from_key(KEY.reveal()).address)
LINK_TYPES = ["bytes32", "uint256", "address", "address", "address"]
LINK_VALUES = [CHAIN_ID, LEDGER, DEVICE, PROCESSOR]
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def test_day__given_link__is_the_abi_encoding():
    expected = abi([*LINK_TYPES, "uint32"], [keccak(b"DMSM-V1-day"), *LINK_VALUES, 17])
    assert contexts.day(LINK, day=17) == expected


def test_reading__given_link__is_the_abi_encoding():
    values = [keccak(b"DMSM-V1-reading"), *LINK_VALUES, 5, 17]
    assert contexts.reading(LINK, seq=5, day=17) == abi([*LINK_TYPES, "uint64", "uint32"], values)


def test_request__given_parties__is_the_abi_encoding():
    made = contexts.request(
        chain_id=CHAIN_ID,
        prepaid_lock=LEDGER,
        requester=DEVICE,
        processor=PROCESSOR,
        type_id=3,
        nonce=b"n" * 32,
    )
    values = [keccak(b"DMSM-V1-request"), *LINK_VALUES, 3, b"n" * 32]
    assert made == abi([*LINK_TYPES, "uint32", "bytes32"], values)


def test_answer__given_lock__is_the_abi_encoding():
    made = contexts.answer(
        chain_id=CHAIN_ID,
        prepaid_lock=LEDGER,
        lock_id=b"l" * 32,
        requester=DEVICE,
        processor=PROCESSOR,
    )
    types = ["bytes32", "uint256", "address", "bytes32", "address", "address"]
    assert made == abi(
        types, [keccak(b"DMSM-V1-answer"), CHAIN_ID, LEDGER, b"l" * 32, DEVICE, PROCESSOR]
    )


def test_contexts__given_the_same_parties__all_differ():
    made = [
        contexts.day(LINK, day=1),
        contexts.status(chain_id=CHAIN_ID, notification_board=LEDGER, device=DEVICE, owner=OWNER),
        contexts.companion(chain_id=CHAIN_ID, data_sets=LEDGER, data_set_id=bytes(32)),
        contexts.manifest(chain_id=CHAIN_ID, data_sets=LEDGER, data_set_id=bytes(32)),
        contexts.opening(
            chain_id=CHAIN_ID,
            data_market=LEDGER,
            requester=DEVICE,
            processor=PROCESSOR,
            nonce=bytes(32),
        ),
        contexts.sharing(
            chain_id=CHAIN_ID,
            prepaid_lock=LEDGER,
            requester=DEVICE,
            processor=PROCESSOR,
            nonce=bytes(32),
        ),
        contexts.share(
            chain_id=CHAIN_ID,
            prepaid_lock=LEDGER,
            lock_id=bytes(32),
            sender=DEVICE,
            recipient=PROCESSOR,
        ),
    ]
    assert len({context[:32] for context in made}) == len(made)


@pytest.mark.parametrize("day", [-1, 2**32])
def test_day__given_day_out_of_range__raises(day):
    with pytest.raises(DmsmError):
        contexts.day(LINK, day=day)


def test_factor_key__given_other_lock__differs():
    assert contexts.factor_key(b"x" * 32, b"a" * 32) != contexts.factor_key(b"x" * 32, b"b" * 32)


def test_envelope_digest__given_link__is_the_hash_of_the_abi_encoding():
    import hashlib

    types = [*LINK_TYPES, "uint64", "uint32", "bytes32"]
    values = [keccak(b"DMSM-V1-envelope"), *LINK_VALUES, 5, 17, hashlib.sha256(b"box").digest()]
    assert signing.envelope_digest(LINK, seq=5, day=17, box=b"box") == keccak(abi(types, values))


def test_verify_signature__given_own_signature__agrees_with_eth_account():
    digest = keccak(b"anything")
    signature = signing.sign(digest, KEY)
    assert len(signature) == 65 and signature[64] in (27, 28)
    assert EthAccount._recover_hash(digest, signature=signature) == SIGNER
    assert signing.verify_signature(digest, signature, SIGNER)
    assert signing.verify_signature(digest, signature, SIGNER.lower())


def test_verify_signature__given_high_s_twin__refuses_it():
    digest = keccak(b"anything")
    raw = signing.sign(digest, KEY)
    s = ORDER - int.from_bytes(raw[32:64], "big")
    twin = raw[:32] + s.to_bytes(32, "big") + bytes([55 - raw[64]])
    assert EthAccount._recover_hash(digest, signature=twin) == SIGNER
    assert not signing.verify_signature(digest, twin, SIGNER)


@pytest.mark.parametrize(
    "bad", [b"", bytes(65), b"\xff" * 65, bytes(64), None, "text", bytes(64) + b"\x1b"]
)
def test_verify_signature__given_garbage__is_false(bad):
    assert not signing.verify_signature(keccak(b"x"), bad, SIGNER)


def test_verify_signature__given_each_flipped_byte__is_false():
    digest = keccak(b"x")
    good = signing.sign(digest, KEY)
    for index in range(65):
        bad = good[:index] + bytes([good[index] ^ 1]) + good[index + 1 :]
        assert not signing.verify_signature(digest, bad, SIGNER)
    assert not signing.verify_signature(digest[:31], good, SIGNER)
    assert not signing.verify_signature(digest, good, "nobody")


@pytest.mark.parametrize("name", ["chain_id", "data_ledger", "device", "processor"])
def test_digests__given_another_link__differ(name):
    other = replace(LINK, **{name: 1 if name == "chain_id" else OWNER})
    assert signing.day_keys_digest(LINK, day=1, sealed=b"s") != signing.day_keys_digest(
        other, day=1, sealed=b"s"
    )
    assert signing.report_digest(LINK, sealed=b"s") != signing.report_digest(other, sealed=b"s")
    assert signing.report_digest(LINK, sealed=b"s") != signing.report_digest(LINK, sealed=b"t")
