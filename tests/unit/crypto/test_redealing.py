"""The same k dealt to another group: fresh polynomial, same secret, shares that do not mix."""

import pytest

from offchain.crypto import delivery, sharing
from offchain.crypto.curve import G2_GENERATOR, GROUP_ORDER, multiply, negate, sum_points
from offchain.crypto.delivery import DeliverySecretKey
from offchain.crypto.hash_to_curve import H
from offchain.crypto.polynomial import lagrange_at_zero
from offchain.crypto.sharing import DataKey, Grant
from offchain.errors import NotEnoughSharesError

DATA_KEY = DataKey.generate()
OLD = [DeliverySecretKey.generate() for _ in range(3)]
NEW = [OLD[0], *(DeliverySecretKey.generate() for _ in range(3))]  # one is in both groups


def deal(members, threshold):
    keys = [delivery.public_key(secret) for secret in members]
    transcript = sharing.deal(DATA_KEY, threshold=threshold, delivery_keys=keys)
    pairs = zip(members, transcript.shares, strict=True)
    shares = {i: sharing.decrypt_share(*pair) for i, pair in enumerate(pairs, start=1)}
    return transcript, shares


@pytest.fixture(scope="module")
def old():
    return deal(OLD, 2)


@pytest.fixture(scope="module")
def new():
    return deal(NEW, 3)


def interpolate(shares):
    weights = lagrange_at_zero(sorted(shares), GROUP_ORDER)
    return sum_points([multiply(shares[i], weight) for i, weight in weights.items()])


def test_deal__again_to_another_group__shares_the_same_secret_by_a_fresh_polynomial(old, new):
    secret = sharing.group_secret(DATA_KEY)
    assert interpolate({i: old[1][i] for i in (1, 3)}) == secret
    assert interpolate({i: new[1][i] for i in (1, 2, 4)}) == secret
    assert old[0].commitments[0] == new[0].commitments[0] == sharing.key_commitment(DATA_KEY)
    assert set(old[0].commitments[1:]).isdisjoint(new[0].commitments[1:])
    assert set(old[0].shares).isdisjoint(new[0].shares)  # also for the member of both groups


def test_recover__shares_of_both_groups_together__does_not_reach_a_threshold(old, new):
    mixed = {1: new[1][1], 2: new[1][2], 3: old[1][3]}  # two true ones, and one of the old dealing
    assert interpolate(mixed) != sharing.group_secret(DATA_KEY)
    with pytest.raises(NotEnoughSharesError) as caught:
        sharing.recover(mixed, commitments=new[0].commitments, threshold=3, members=4)
    assert caught.value.false_indices == (3,)


def test_naive_redealing__with_the_old_coefficients__adds_up_across_groups():
    """The negative control: one polynomial for two groups lowers both thresholds."""
    coefficients = [DATA_KEY.reveal(), 11, 13]

    def share(index):
        value = sum(c * index**j for j, c in enumerate(coefficients))
        return multiply(H, value)

    assert interpolate({1: share(1), 2: share(2), 7: share(7)}) == sharing.group_secret(DATA_KEY)


def test_verify_transcript__shown_for_another_lock__has_another_seed(old):
    def grant(lock_id):
        return Grant(
            chain_id=1,
            prepaid_lock="0x" + "44" * 20,
            lock_id=lock_id,
            data_set_id=bytes(32),
            threshold=2,
            delivery_keys=tuple(delivery.public_key(secret) for secret in OLD),
            key_commitment=multiply(G2_GENERATOR, DATA_KEY.reveal()),
        )

    first, second = grant(b"\x01" * 32), grant(b"\x02" * 32)
    assert sharing.transcript_seed(old[0], first) != sharing.transcript_seed(old[0], second)
    assert sharing.verify_transcript(old[0], first)  # the equation holds for every honest dealing
    wrong = sharing.Transcript(old[0].commitments, (negate(old[0].shares[0]), *old[0].shares[1:]))
    assert not sharing.verify_transcript(wrong, second)
