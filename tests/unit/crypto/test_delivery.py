"""Delivery keys: the Schnorr proof, what it binds, and what is no proof."""

import pytest

from offchain.crypto import curve, delivery
from offchain.crypto.curve import G1, G1_GENERATOR, G2_GENERATOR, GROUP_ORDER
from offchain.crypto.delivery import DeliveryProof, DeliverySecretKey
from offchain.crypto.hash_to_curve import H

BINDING = {
    "chain_id": 31337,
    "registry": "0x" + "11" * 20,
    "account": "0x" + "22" * 20,
    "member_role": 4,
}


@pytest.fixture(scope="module")
def secret():
    return DeliverySecretKey.generate()


@pytest.fixture(scope="module")
def proof(secret):
    return delivery.prove(secret, **BINDING)


def test_public_key__secret_one__is_the_second_generator():
    assert delivery.public_key(DeliverySecretKey(1)) == H


def test_verify_proof__honest__holds_and_is_fresh_each_time(secret, proof):
    key = delivery.public_key(secret)
    assert delivery.verify_proof(key, proof, **BINDING)
    assert delivery.prove(secret, **BINDING) != proof


@pytest.mark.parametrize(
    "change",
    [
        {"chain_id": 1},
        {"registry": "0x" + "33" * 20},
        {"account": "0x" + "33" * 20},
        {"member_role": 3},
        {"account": "no address"},
        {"chain_id": -1},
    ],
)
def test_verify_proof__another_binding__is_false(secret, proof, change):
    assert not delivery.verify_proof(delivery.public_key(secret), proof, **{**BINDING, **change})


def test_verify_proof__malformed__is_false(secret, proof):
    key, r, z = delivery.public_key(secret), proof.commitment, proof.response
    for hostile in [
        DeliveryProof(r, z + GROUP_ORDER),
        DeliveryProof(r, -z),
        DeliveryProof(r, float(3)),
        DeliveryProof(r, (z + 1) % GROUP_ORDER),
        DeliveryProof(curve.negate(r), z),
        DeliveryProof(G1.infinity(), z),
        DeliveryProof(G2_GENERATOR, z),
        None,
    ]:
        assert delivery.verify_proof(key, hostile, **BINDING) is False


@pytest.mark.parametrize("key", [G1.infinity(), G1_GENERATOR, None, G2_GENERATOR], ids=repr)
def test_verify_proof__another_or_no_key__is_false(proof, key):
    assert delivery.verify_proof(key, proof, **BINDING) is False
