"""A dealer publishes t+1 or t−1 commitments: the threshold moves, and every share still "fits".

Trail of Bits 2024: a verifier that takes as many commitments as it is given accepts a polynomial of
any degree. Here the vector has exactly t entries, for the contract and for every member.
"""

from __future__ import annotations

import pytest

from offchain.crypto import curve, delivery, sharing
from offchain.crypto.curve import G2, G2_GENERATOR, GROUP_ORDER, multiply
from offchain.crypto.delivery import DeliverySecretKey
from offchain.crypto.hash_to_curve import H
from offchain.crypto.polynomial import evaluate_newton, lagrange_at_zero
from offchain.crypto.sharing import DataKey, Grant, Transcript
from offchain.errors import SharingError

MEMBERS, THRESHOLD = 5, 3
SECRETS = [DeliverySecretKey(100 + i) for i in range(MEMBERS)]
KEYS = tuple(delivery.public_key(secret) for secret in SECRETS)
DATA_KEY = DataKey(0xFEED)
GRANT = Grant(
    chain_id=1,
    prepaid_lock="0x" + "44" * 20,
    lock_id=bytes(32),
    data_set_id=bytes(32),
    threshold=THRESHOLD,
    delivery_keys=KEYS,
    key_commitment=sharing.key_commitment(DATA_KEY),
)


def deal_with_degree(degree: int) -> tuple[Transcript, list[int]]:
    """Deal as a dishonest dealer: degree+1 commitments, whatever the grant says."""
    coefficients = [DATA_KEY.reveal(), *(7**j for j in range(1, degree + 1))]
    values = [evaluate_newton(coefficients, i, GROUP_ORDER) for i in range(1, MEMBERS + 1)]
    commitments = tuple(multiply(G2_GENERATOR, b) for b in coefficients)
    shares = tuple(multiply(key, value) for key, value in zip(KEYS, values, strict=True))
    return Transcript(commitments, shares), values


def naive_check(value: int, index: int, commitments: tuple[G2, ...]) -> bool:
    """Verify a share against however many commitments there are."""
    from math import comb

    terms = [multiply(f, comb(index, j)) for j, f in enumerate(commitments)]
    return multiply(G2_GENERATOR, value) == curve.sum_points(terms)


def recovered(values: list[int], indices: list[int]) -> bool:
    weights = lagrange_at_zero(indices, GROUP_ORDER)
    total = sum(weights[i] * values[i - 1] for i in indices)
    return multiply(H, total) == sharing.group_secret(DATA_KEY)


@pytest.mark.parametrize(("degree", "enough"), [(THRESHOLD, 4), (THRESHOLD - 2, 2)])
def test_naive_verifier__vector_of_another_length__accepts_a_moved_threshold(
    degree: int, enough: int
) -> None:
    """The negative control: all shares pass, and 4, or 2, members are needed in place of 3."""
    transcript, values = deal_with_degree(degree)
    for index, value in enumerate(values, start=1):
        assert naive_check(value, index, transcript.commitments)
    assert recovered(values, list(range(1, enough + 1)))
    assert not recovered(values, list(range(1, enough)))


@pytest.mark.parametrize("degree", [THRESHOLD, THRESHOLD - 2])
def test_verify_transcript__vector_of_another_length__is_false_whatever_the_pairing_says(
    degree: int,
) -> None:
    transcript, values = deal_with_degree(degree)
    assert not sharing.verify_transcript(transcript, GRANT, pairing_check=lambda pairs: True)
    shares = {i: multiply(H, value) for i, value in enumerate(values, start=1)}
    with pytest.raises(SharingError, match="exactly 3 commitments"):
        sharing.recover(
            shares,
            commitments=transcript.commitments,
            threshold=THRESHOLD,
            members=MEMBERS,
            pairing_check=lambda pairs: True,
        )


def test_verify_transcript__padded_with_infinity__needs_the_exact_length_still() -> None:
    transcript, _ = deal_with_degree(THRESHOLD - 1)
    padded = Transcript((*transcript.commitments, G2.infinity()), transcript.shares)
    assert not sharing.verify_transcript(padded, GRANT, pairing_check=lambda pairs: True)
