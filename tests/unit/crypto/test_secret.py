"""Secrets do not print, pickle, copy or hash."""

import copy
import pickle

import pytest

from offchain.crypto.bls import BlsSecretKey
from offchain.crypto.kdf import DeviceSecret
from offchain.crypto.secret import SecretBytes, SecretScalar
from offchain.crypto.sharing import DataKey
from offchain.errors import CryptoError, EncodingError, InvalidScalarError

SECRETS = [
    SecretBytes(b"hunter2-hunter2"),
    DeviceSecret(b"\x41" * 32),
    BlsSecretKey(123456789),
    DataKey(123456789),
]


@pytest.mark.parametrize("secret", SECRETS, ids=repr)
def test_secret__in_text__is_redacted(secret):
    for text in (repr(secret), str(secret), f"{secret}", repr([secret])):
        assert "redacted" in text
        assert "hunter2" not in text and "123456789" not in text and "AAAA" not in text


@pytest.mark.parametrize("secret", SECRETS, ids=repr)
def test_secret__pickled_copied_or_hashed__is_refused(secret):
    for leak in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(CryptoError):
            leak(secret)
    with pytest.raises(TypeError):
        hash(secret)


def test_secret__of_another_kind__is_not_equal():
    assert BlsSecretKey(5) == BlsSecretKey(5)
    assert BlsSecretKey(5) != BlsSecretKey(6)
    assert BlsSecretKey(5) != DataKey(5)
    assert SecretBytes(b"a") != b"a"


def test_secret__paillier_key__is_redacted(private_key):
    p = private_key._p
    assert str(p) not in repr(private_key) and hex(p)[2:] not in repr(vars(type(private_key)))
    with pytest.raises(CryptoError):
        pickle.dumps(private_key)


def test_from_bytes__round_trip_and_range():
    key = SecretScalar.generate()
    assert SecretScalar.from_bytes(key.to_bytes()) == key
    with pytest.raises(InvalidScalarError):
        SecretScalar.from_bytes(bytes(32))
    with pytest.raises(InvalidScalarError):
        SecretScalar.from_bytes(b"\xff" * 32)
    with pytest.raises(EncodingError):
        SecretScalar.from_bytes(bytes(31))
