"""Commitments: encodings, and why a nonce must be inside what is hashed."""

import hashlib

import pytest

from offchain.crypto import commitment, kdf
from offchain.errors import EncodingError


def test_sha256d__known_input__is_sha256_of_sha256():
    expected = hashlib.sha256(hashlib.sha256(b"hello").digest()).hexdigest()
    assert commitment.sha256d(b"hello").hex() == expected
    # The published double hash of "hello" (Bitcoin wiki, protocol documentation).
    assert expected.startswith("9595c9df90075148eb06860365df33584b75bff782a510c6cd4883a419833d50")


def test_verify_identity__opening__holds_and_any_change_refuses():
    salt = commitment.generate_salt()
    committed = commitment.identity_commitment("EAN 541448820000000000", salt)
    assert commitment.verify_identity(committed, "EAN 541448820000000000", salt)
    assert not commitment.verify_identity(committed, "EAN 541448820000000001", salt)
    changed = bytes([salt[0] ^ 1]) + salt[1:]
    assert not commitment.verify_identity(committed, "EAN 541448820000000000", changed)
    assert not commitment.verify_identity(committed, "", salt)
    assert not commitment.verify_identity(None, "EAN 541448820000000000", salt)


def test_identity_commitment__same_id_twice__is_unlinkable():
    one, two = (commitment.identity_commitment("id", commitment.generate_salt()) for _ in range(2))
    assert one != two


@pytest.mark.parametrize("identity", ["", "x" * 65, "ü" * 33, "\ud800", None, b"id"])
def test_identity_commitment__id_out_of_range__is_refused(identity):
    with pytest.raises(EncodingError):
        commitment.identity_commitment(identity, bytes(32))


@pytest.mark.parametrize("salt", [b"", bytes(31), bytes(33), "x" * 32, None])
def test_identity_commitment__salt_not_32_bytes__is_refused(salt):
    with pytest.raises(EncodingError):
        commitment.identity_commitment("id", salt)


def _brute_force(anchor, register_from, guesses, nonce):
    """What everyone with the ledger can do: hash all likely registers."""
    for register in range(register_from, register_from + guesses):
        if commitment.sha256d(b"record" + register.to_bytes(8, "big") + nonce) == anchor:
            return register
    return None


def test_brute_force__without_a_nonce__finds_the_register():
    anchor = commitment.sha256d(b"record" + (1_234_567).to_bytes(8, "big"))
    assert _brute_force(anchor, 1_200_000, 60_000, b"") == 1_234_567


def test_brute_force__with_the_nonce_of_a_reading__finds_nothing():
    device = kdf.DeviceSecret.generate()
    place = {"chain_id": 1, "data_ledger": "0x" + "22" * 20, "device": "0x" + "11" * 20}
    key = kdf.nonce_day_key(device, **place, day=17_000)
    nonce = kdf.reading_nonce(key, 5)
    anchor = commitment.sha256d(b"record" + (1_234_567).to_bytes(8, "big") + nonce)
    for guessed_nonce in (b"", bytes(32), kdf.reading_nonce(key, 4)):
        assert _brute_force(anchor, 1_200_000, 60_000, guessed_nonce) is None
    assert _brute_force(anchor, 1_200_000, 60_000, nonce) == 1_234_567  # only with the nonce
