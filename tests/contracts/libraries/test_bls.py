"""BLS.verify: signatures of the model, and everything that must not pass."""

import pytest
from bn254_model import (
    G1_INFINITY,
    G2_INFINITY,
    G2_OFF_SUBGROUP,
    P,
    Q,
    add,
    g2,
    multiply,
    negate,
    random_scalar,
)

from offchain.crypto import bls
from offchain.crypto.hash_to_curve import hash_to_curve
from offchain.crypto.messages import Role

TAG = b"DMSM-V1-REQUEST-CS01-with-BN254G1_XMD:SHA-256_SVDW_RO_"
OTHER_TAG = b"DMSM-V1-ANSWER-CS01-with-BN254G1_XMD:SHA-256_SVDW_RO_"
MESSAGE = bytes(range(256)) + bytes(64)  # as long as a request's


@pytest.fixture(scope="module")
def hashed():
    point = hash_to_curve(MESSAGE, tag=TAG)
    return (point.x, point.y)


@pytest.fixture(scope="module")
def signed(hashed):
    secret = random_scalar()
    return g2(secret), multiply(hashed, secret)


def test_bls__given_honest_signature__holds_within_gas(harness, gas_used, signed):
    key, signature = signed
    assert harness.verifySignature(key, MESSAGE, TAG, signature)
    used = gas_used(harness.verifySignature, key, MESSAGE, TAG, signature)
    print(f"BLS verify as a transaction: {used} gas")
    assert used <= 180_000


def test_bls__given_offchain_signature__holds(harness):
    secret = bls.BlsSecretKey.generate()
    signature = bls.sign(secret, MESSAGE, role=Role.REQUEST)
    key = bls.public_key(secret).words()
    assert harness.verifySignature(key, MESSAGE, TAG, signature.words())
    assert not harness.verifySignature(key, MESSAGE, OTHER_TAG, signature.words())


def test_bls__given_key_one__holds(harness, hashed):
    assert harness.verifySignature(g2(1), MESSAGE, TAG, hashed)


def test_bls__when_message_or_tag_differ__fails(harness, signed):
    key, signature = signed
    assert not harness.verifySignature(key, MESSAGE[:-1] + b"\x01", TAG, signature)
    assert not harness.verifySignature(key, MESSAGE + b"\x00", TAG, signature)
    assert not harness.verifySignature(key, MESSAGE, OTHER_TAG, signature)


def test_bls__when_key_differs__fails(harness, signed):
    key, signature = signed
    assert not harness.verifySignature(add(key, g2(1)), MESSAGE, TAG, signature)


def test_bls__when_signature_differs__fails(harness, signed, hashed):
    key, signature = signed
    for bad in (add(signature, hashed), negate(signature), hashed):
        assert not harness.verifySignature(key, MESSAGE, TAG, bad)


def test_bls__when_key_and_signature_are_infinity__fails(harness, signed):
    key, signature = signed
    assert not harness.verifySignature(G2_INFINITY, MESSAGE, TAG, G1_INFINITY)
    assert not harness.verifySignature(G2_INFINITY, MESSAGE, TAG, signature)
    assert not harness.verifySignature(key, MESSAGE, TAG, G1_INFINITY)


def test_bls__when_signature_is_not_canonical_or_off_curve__fails(harness, signed):
    key, (x, y) = signed
    for bad in ((x + P, y), (x, y + P), (1, 3), (y, x)):
        assert not harness.verifySignature(key, MESSAGE, TAG, bad)


def test_bls__when_key_is_invalid__fails(harness, signed):
    (x_im, x_re, y_im, y_re), signature = signed
    for bad in (
        (x_re, x_im, y_re, y_im),
        (x_im + P, x_re, y_im, y_re),
        (1, 2, 3, 4),
        G2_OFF_SUBGROUP,
    ):
        assert not harness.verifySignature(bad, MESSAGE, TAG, signature)


def test_bls__given_negated_key__holds_for_negated_signature_alone(harness, signed, hashed):
    """Malleable only with the key: −σ is the signature of −pk."""
    key, signature = signed
    assert not harness.verifySignature(multiply(key, Q - 1), MESSAGE, TAG, signature)
    assert harness.verifySignature(multiply(key, Q - 1), MESSAGE, TAG, negate(signature))


def test_bls__when_tag_is_empty__reverts(harness, revert_data, error_bytes, signed):
    key, signature = signed
    error = error_bytes("HashToCurve_TagLength(uint256)", 0)
    assert revert_data(harness.verifySignature, key, MESSAGE, b"", signature) == error
