"""DeliveryKey.verify: Schnorr proofs of the model, and everything that must not pass."""

from dataclasses import replace

import pytest
from bn254_model import G1_INFINITY, H, P, Q, add, multiply, random_scalar, schnorr_proof
from brownie import web3

from offchain.crypto import delivery

REGISTRY = "0x00000000000000000000000000000000000ABcDe"
ACCOUNT = "0x000000000000000000000000000000000000dEaD"
ROLE = 2


@pytest.fixture(scope="module")
def secret():
    return random_scalar()


@pytest.fixture(scope="module")
def proof(secret):
    chain_id = web3.eth.chain_id
    return schnorr_proof(secret, chain_id=chain_id, registry=REGISTRY, account=ACCOUNT, role=ROLE)


@pytest.fixture(scope="module")
def verify(harness):
    def call(proof, registry=REGISTRY, account=ACCOUNT, role=ROLE):
        claim = (proof.key, proof.nonce, proof.response)
        return harness.verifyDeliveryKey(registry, account, role, *claim)

    return call


def test_delivery_key__given_honest_proof__holds(verify, proof):
    assert verify(proof)


def test_delivery_key__given_offchain_proof__holds(harness):
    secret = delivery.DeliverySecretKey.generate()
    context = {"chain_id": web3.eth.chain_id, "registry": REGISTRY, "account": ACCOUNT}
    proof = delivery.prove(secret, **context, member_role=ROLE)
    claim = (delivery.public_key(secret).words(), proof.commitment.words(), proof.response)
    assert harness.verifyDeliveryKey(REGISTRY, ACCOUNT, ROLE, *claim)


def test_delivery_key__when_context_differs__fails(verify, proof, secret):
    assert not verify(proof, registry=ACCOUNT)
    assert not verify(proof, account=REGISTRY)
    assert not verify(proof, role=ROLE + 1)
    other_chain = web3.eth.chain_id + 1
    assert not verify(
        schnorr_proof(secret, chain_id=other_chain, registry=REGISTRY, account=ACCOUNT, role=ROLE)
    )


def test_delivery_key__when_key_differs__fails(verify, proof):
    assert not verify(replace(proof, key=add(proof.key, H)))


def test_delivery_key__when_nonce_or_response_differ__fails(verify, proof):
    assert not verify(replace(proof, nonce=add(proof.nonce, H)))
    assert not verify(replace(proof, response=(proof.response + 1) % Q))


def test_delivery_key__when_response_is_negated__fails(verify, proof):
    """[−z]H has the right x and the wrong y."""
    assert not verify(replace(proof, response=Q - proof.response))


def test_delivery_key__when_response_is_not_canonical__fails(verify, proof):
    assert not verify(replace(proof, response=proof.response + Q))


def test_delivery_key__when_response_is_zero__fails(verify, proof):
    assert not verify(replace(proof, response=0))


def test_delivery_key__when_point_is_invalid__fails(verify, proof):
    for bad in (G1_INFINITY, (1, 3), (H[0] + P, H[1]), (H[0], H[1] + P)):
        assert not verify(replace(proof, key=bad))
        assert not verify(replace(proof, nonce=bad))


def test_delivery_key__given_key_over_the_first_generator__fails(verify, secret):
    """A key [s]G1 with a proof over H: the base must be H."""
    honest = schnorr_proof(
        secret, chain_id=web3.eth.chain_id, registry=REGISTRY, account=ACCOUNT, role=ROLE
    )
    assert not verify(replace(honest, key=multiply((1, 2), secret)))
