"""Index 0 is the secret itself, and equal indices break interpolation (Trail of Bits 2021).

Both count modulo the group order. Here an index is the contract's position 1..n and nothing else.
"""

from __future__ import annotations

import pytest

from offchain.crypto import delivery, sharing
from offchain.crypto.curve import GROUP_ORDER, multiply
from offchain.crypto.delivery import DeliverySecretKey
from offchain.crypto.hash_to_curve import H
from offchain.crypto.polynomial import evaluate_newton, lagrange_at_zero
from offchain.crypto.sharing import DataKey
from offchain.errors import SharingError

DATA_KEY = DataKey(0xFEED)
KEYS = [delivery.public_key(DeliverySecretKey(100 + i)) for i in range(4)]
TRANSCRIPT = sharing.deal(DATA_KEY, threshold=2, delivery_keys=KEYS)
HOSTILE = [0, -1, GROUP_ORDER, GROUP_ORDER + 1, 5, True, 1.0, "1", None]


@pytest.mark.parametrize("index", [0, GROUP_ORDER])
def test_naive_dealer__member_who_chose_its_index__gets_the_secret(index: int) -> None:
    """The negative control: a share at 0 (mod q) is the secret, alone and at once."""
    share = evaluate_newton([DATA_KEY.reveal(), 12345], index, GROUP_ORDER)
    assert share == DATA_KEY.reveal()


def test_naive_interpolation__indices_equal_modulo_q__breaks_down() -> None:
    """The negative control: one member's share shown twice stops everybody's recovery."""
    with pytest.raises(ZeroDivisionError):
        naive_lagrange([1, GROUP_ORDER + 1])


def naive_lagrange(indices: list[int]) -> list[int]:
    """Interpolate at 0 as a text book does, without a look at the indices."""
    weights = []
    for i in indices:
        top = bottom = 1
        for j in indices:
            if i != j:
                top, bottom = top * -j % GROUP_ORDER, bottom * (i - j) % GROUP_ORDER
        if bottom == 0:
            raise ZeroDivisionError("no inverse")
        weights.append(top * pow(bottom, -1, GROUP_ORDER) % GROUP_ORDER)
    return weights


@pytest.mark.parametrize("index", HOSTILE)
def test_recover__index_that_is_no_position__is_refused_before_any_pairing(index: object) -> None:
    shares = {1: multiply(H, 3), index: multiply(H, 4)}
    if index in (True, 1.0):  # equal to 1 in Python: the key that counts is looked at
        shares = {index: multiply(H, 4), 2: multiply(H, 3)}
    with pytest.raises((SharingError, TypeError)):
        sharing.recover(
            shares,  # type: ignore[arg-type]
            commitments=TRANSCRIPT.commitments,
            threshold=2,
            members=4,
            pairing_check=lambda pairs: True,
        )


@pytest.mark.parametrize("index", HOSTILE)
def test_verify_share__index_that_is_no_position__is_false(index: object) -> None:
    assert not sharing.verify_share(
        multiply(H, DATA_KEY.reveal()),
        index=index,  # type: ignore[arg-type]
        commitments=TRANSCRIPT.commitments,
        members=4,
        pairing_check=lambda pairs: True,
    )


@pytest.mark.parametrize("indices", [[0, 1], [1, 1], [1, GROUP_ORDER + 1], [GROUP_ORDER, 1]])
def test_lagrange_at_zero__zero_or_equal_modulo_q__is_refused(indices: list[int]) -> None:
    with pytest.raises(SharingError):
        lagrange_at_zero(indices, GROUP_ORDER)


def test_deal__one_key_twice__is_refused() -> None:
    with pytest.raises(SharingError, match="twice"):
        sharing.deal(DATA_KEY, threshold=2, delivery_keys=[KEYS[0], KEYS[0]])
