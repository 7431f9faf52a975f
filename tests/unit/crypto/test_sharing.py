"""Secret sharing: dealing, the batched check, blame, recovery, and hostile transcripts."""

from dataclasses import replace
from itertools import combinations
from math import comb

import pytest
from eth_abi import encode
from eth_utils import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.crypto import curve, delivery, messages, sharing
from offchain.crypto.curve import G1, G1_GENERATOR, G2, G2_GENERATOR, GROUP_ORDER
from offchain.crypto.delivery import DeliverySecretKey
from offchain.crypto.polynomial import lagrange_at_zero
from offchain.crypto.sharing import DataKey, Grant
from offchain.errors import NotEnoughSharesError, SharingError

from .points import off_subgroup_point

MEMBERS, THRESHOLD = 5, 3
LOCK = "0x" + "44" * 20


def always_true(pairs):
    """A pairing check that lets everything through: what is refused was refused before it."""
    return True


@pytest.fixture(scope="module")
def secrets():
    return [DeliverySecretKey.generate() for _ in range(MEMBERS)]


@pytest.fixture(scope="module")
def delivery_keys(secrets):
    return tuple(delivery.public_key(secret) for secret in secrets)


@pytest.fixture(scope="module")
def data_key():
    return DataKey.generate()


@pytest.fixture(scope="module")
def grant(data_key, delivery_keys):
    return Grant(
        chain_id=31337,
        prepaid_lock=LOCK,
        lock_id=b"\x01" * 32,
        data_set_id=b"\x02" * 32,
        threshold=THRESHOLD,
        delivery_keys=delivery_keys,
        key_commitment=sharing.key_commitment(data_key),
    )


@pytest.fixture(scope="module")
def transcript(data_key, delivery_keys):
    return sharing.deal(data_key, threshold=THRESHOLD, delivery_keys=delivery_keys)


@pytest.fixture(scope="module")
def shares(secrets, transcript):
    pairs = zip(secrets, transcript.shares, strict=True)
    return {i: sharing.decrypt_share(s, y) for i, (s, y) in enumerate(pairs, 1)}


@pytest.fixture
def group(transcript):
    """What `recover` needs besides shares."""
    return {
        "commitments": transcript.commitments,
        "threshold": THRESHOLD,
        "members": MEMBERS,
    }


# --- dealing and the batched check -------------------------------------------------------------


def test_verify_transcript__honest__holds_with_threshold_plus_one_pairings(transcript, grant):
    counts = []

    def counting(pairs):
        counts.append(len(pairs))
        return curve.pairing_product_is_one(pairs)

    assert sharing.verify_transcript(transcript, grant, pairing_check=counting)
    assert counts == [THRESHOLD + 1]


def test_deal__twice__uses_a_fresh_polynomial_for_the_same_key(transcript, data_key, grant):
    again = sharing.deal(data_key, threshold=THRESHOLD, delivery_keys=grant.delivery_keys)
    assert again.commitments[0] == transcript.commitments[0] == grant.key_commitment
    assert not set(again.commitments[1:]) & set(transcript.commitments[1:])
    assert not set(again.shares) & set(transcript.shares)


def test_verify_transcript__one_share_wrong__is_false(transcript, grant):
    for position in (0, MEMBERS - 1):
        changed = list(transcript.shares)
        changed[position] = curve.add(changed[position], G1_GENERATOR)
        assert not sharing.verify_transcript(replace(transcript, shares=tuple(changed)), grant)


def test_verify_transcript__shares_swapped_or_higher_degree__is_false(transcript, grant, data_key):
    swapped = transcript.shares[1::-1] + transcript.shares[2:]
    assert not sharing.verify_transcript(replace(transcript, shares=swapped), grant)
    steep = sharing.deal(data_key, threshold=THRESHOLD + 1, delivery_keys=grant.delivery_keys)
    cut = replace(steep, commitments=steep.commitments[:THRESHOLD])
    assert not sharing.verify_transcript(cut, grant)


def test_verify_transcript__correct_shares_of_another_key__is_false(grant):
    other = sharing.deal(DataKey.generate(), threshold=THRESHOLD, delivery_keys=grant.delivery_keys)
    assert not sharing.verify_transcript(other, grant, pairing_check=always_true)


def test_verify_transcript__malformed__is_false_before_any_pairing(transcript, grant):
    f, y = transcript.commitments, transcript.shares
    for hostile in [
        replace(transcript, commitments=f[:-1]),
        replace(transcript, commitments=(*f, G2_GENERATOR)),
        replace(transcript, commitments=(*f, G2.infinity())),
        replace(transcript, commitments=()),
        replace(transcript, commitments=(G2.infinity(), *f[1:])),
        replace(transcript, commitments=(*f[:-1], None)),
        replace(transcript, shares=y[:-1]),
        replace(transcript, shares=(*y, G1_GENERATOR)),
        replace(transcript, shares=(*y[:-1], G1.infinity())),
        replace(transcript, shares=(*y[:-1], None)),
        None,
    ]:
        assert sharing.verify_transcript(hostile, grant, pairing_check=always_true) is False


def test_verify_transcript__commitment_outside_the_subgroup__is_false(transcript, grant):
    hostile = replace(transcript, commitments=(*transcript.commitments[:-1], off_subgroup_point()))
    assert sharing.verify_transcript(hostile, grant) is False


def test_verify_transcript__senseless_group__is_false_before_any_pairing(transcript, grant):
    keys = grant.delivery_keys
    for change in [
        {"threshold": THRESHOLD + 1},
        {"threshold": 1},
        {"threshold": 3.0},
        {"delivery_keys": keys[:-1]},
        {"delivery_keys": (*keys[:-1], keys[0])},
        {"delivery_keys": (*keys[:-1], G1.infinity())},
        {"key_commitment": G2_GENERATOR},
        {"lock_id": bytes(31)},
        {"prepaid_lock": "nowhere"},
    ]:
        hostile = replace(grant, **change)
        assert not sharing.verify_transcript(transcript, hostile, pairing_check=always_true)


def test_verify_transcript__infinity_at_a_later_commitment__is_false(delivery_keys, grant):
    # Here f is the constant k, so that one share alone is the secret: Y_i = [k]ek_i.
    key = DataKey(7)
    constant = sharing.Transcript(
        (sharing.key_commitment(key), G2.infinity(), G2.infinity()),
        tuple(curve.multiply(ek, 7) for ek in delivery_keys),
    )
    own = replace(grant, key_commitment=sharing.key_commitment(key))
    assert not sharing.verify_transcript(constant, own)
    assert not sharing.verify_transcript(constant, own, pairing_check=always_true)


@pytest.mark.parametrize("at", [1, 2])
def test_verify_share_and_recover__infinity_at_a_later_commitment__is_refused(
    transcript, shares, group, at
):
    f = list(transcript.commitments)
    f[at] = G2.infinity()
    public = {"commitments": f, "members": MEMBERS}
    assert not sharing.verify_share(shares[1], index=1, **public, pairing_check=always_true)
    with pytest.raises(SharingError, match="infinity"):
        sharing.recover(shares, **{**group, "commitments": f})


def test_deal__when_a_coefficient_is_drawn_lowest__has_no_commitment_at_infinity(
    monkeypatch, data_key, delivery_keys
):
    monkeypatch.setattr(sharing.secrets, "randbelow", lambda bound: 0)
    dealt = sharing.deal(data_key, threshold=THRESHOLD, delivery_keys=delivery_keys)
    assert not any(one.is_infinity for one in dealt.commitments)


def test_transcript_seed__any_part_changed__changes_the_seed(transcript, grant):
    f, y, keys = transcript.commitments, transcript.shares, grant.delivery_keys
    base = (transcript, grant)
    variants = [
        base,
        (replace(transcript, commitments=f[::-1]), grant),
        (replace(transcript, shares=y[::-1]), grant),
        (transcript, replace(grant, chain_id=1)),
        (transcript, replace(grant, prepaid_lock="0x" + "45" * 20)),
        (transcript, replace(grant, lock_id=bytes(32))),
        (transcript, replace(grant, data_set_id=bytes(32))),
        (transcript, replace(grant, threshold=2)),
        (transcript, replace(grant, delivery_keys=keys[::-1])),
    ]
    assert len({sharing.transcript_seed(*variant) for variant in variants}) == len(variants)


def test_transcript_seed__written_out_by_hand__has_the_documented_bytes(transcript, grant):
    data = keccak(b"DMSM-V1-SHARES") + (31337).to_bytes(32, "big") + bytes(12) + b"\x44" * 20
    data += b"\x01" * 32 + b"\x02" * 32 + (3).to_bytes(32, "big") + (5).to_bytes(32, "big")
    for points in (grant.delivery_keys, transcript.shares, transcript.commitments):
        data += b"".join(point.to_bytes() for point in points)
    seed = sharing.transcript_seed(transcript, grant)
    assert seed == keccak(data)
    first = int.from_bytes(keccak(seed + (1).to_bytes(32, "big")), "big") & (2**128 - 1)
    assert sharing.weights(seed, 3)[0] == first


@settings(max_examples=8, deadline=None)
@given(st.integers(min_value=1, max_value=7), st.integers(min_value=1, max_value=7))
def test_binomial_sums__additions_alone__equal_the_multiplications(members, count):
    points = [curve.multiply(G1_GENERATOR, 3 * i + 1) for i in range(members)]
    sums = curve.binomial_sums(points, count)
    for j in range(count):
        factor = sum(comb(i, j) * (3 * (i - 1) + 1) for i in range(1, members + 1))
        assert sums[j] == curve.multiply(G1_GENERATOR, factor)


def test_deal__senseless_group__is_refused(data_key, delivery_keys):
    for threshold, keys in [
        (1, delivery_keys),
        (0, delivery_keys),
        (MEMBERS + 1, delivery_keys),
        (True, delivery_keys),
        (2, delivery_keys[:1]),
        (2, (*delivery_keys, delivery_keys[0])),
        (2, (*delivery_keys, G1.infinity())),
        (2, (*delivery_keys, G2_GENERATOR)),
        (2, delivery_keys * 21),
    ]:
        with pytest.raises(SharingError):
            sharing.deal(data_key, threshold=threshold, delivery_keys=keys)


# --- shares and recovery -----------------------------------------------------------------------


def test_verify_share__own_and_others__holds_only_at_its_index(shares, transcript):
    public = {"commitments": transcript.commitments, "members": MEMBERS}
    assert sharing.verify_share(shares[2], index=2, **public)
    assert not sharing.verify_share(shares[2], index=3, **public)
    assert not sharing.verify_share(transcript.shares[1], index=2, **public)


@pytest.mark.parametrize("index", [0, -1, MEMBERS + 1, GROUP_ORDER, GROUP_ORDER + 2, True, 2.0])
def test_verify_share__index_outside_the_group__is_false(shares, transcript, index):
    public = {"commitments": transcript.commitments, "members": MEMBERS}
    check = {**public, "pairing_check": always_true}
    assert sharing.verify_share(shares[2], index=index, **check) is False


@pytest.mark.parametrize("share", [G1.infinity(), None, G2_GENERATOR], ids=repr)
def test_verify_share__not_a_finite_point__is_false(transcript, share):
    public = {"commitments": transcript.commitments, "members": MEMBERS}
    assert not sharing.verify_share(share, index=2, **public, pairing_check=always_true)
    assert not sharing.verify_share(G1_GENERATOR, index=2, commitments=(), members=MEMBERS)


def test_recover__every_threshold_subset__gives_the_group_secret(shares, group, data_key):
    expected = sharing.group_secret(data_key)
    for chosen in combinations(shares, THRESHOLD):
        part = {i: shares[i] for i in chosen}
        recovery = sharing.recover(part, **group, pairing_check=always_true)
        assert recovery.group_secret == expected and recovery.false_indices == ()


def test_recover__every_smaller_subset__is_refused_and_interpolates_to_nonsense(
    shares, group, data_key
):
    for size in range(THRESHOLD):
        part = {i: shares[i] for i in list(shares)[:size]}
        with pytest.raises(NotEnoughSharesError) as caught:
            sharing.recover(part, **group, pairing_check=always_true)
        assert (caught.value.needed, caught.value.valid) == (THRESHOLD, size)
    naive = lagrange_at_zero([1, 2], GROUP_ORDER)
    points = [curve.multiply(shares[i], weight) for i, weight in naive.items()]
    assert curve.sum_points(points) != sharing.group_secret(data_key)


def test_recover__as_many_false_shares_as_can_be__names_them(shares, group, data_key):
    hostile = {**shares, 2: G1_GENERATOR, 5: shares[1]}
    recovery = sharing.recover(hostile, **group)
    assert recovery.false_indices == (2, 5)
    assert recovery.group_secret == sharing.group_secret(data_key)


def test_recover__false_shares_that_cancel_in_a_plain_sum__are_found(shares, group):
    offset = curve.multiply(G1_GENERATOR, 99)
    hostile = {
        1: curve.add(shares[1], offset),
        2: curve.add(shares[2], curve.negate(offset)),
        3: shares[3],
        4: G1.infinity(),
    }
    with pytest.raises(NotEnoughSharesError) as caught:
        sharing.recover(hostile, **group)
    assert caught.value.false_indices == (1, 2, 4) and caught.value.valid == 1
    assert "[1, 2, 4]" in str(caught.value)


@pytest.mark.parametrize("index", [0, -1, MEMBERS + 1, GROUP_ORDER + 1, True])
def test_recover__index_outside_the_group__is_refused(shares, group, index):
    hostile = {2: shares[2], 3: shares[3], 4: shares[4], index: shares[1]}
    with pytest.raises(SharingError):
        sharing.recover(hostile, **group)


def test_recover__one_commitment_more_or_fewer__is_refused(shares, group, transcript):
    f = transcript.commitments
    for commitments in [f[:-1], (*f, G2.infinity()), (G2.infinity(), *f[1:]), ()]:
        with pytest.raises(SharingError):
            sharing.recover(shares, **{**group, "commitments": commitments})


def test_decrypt_share__infinity__is_refused(secrets):
    with pytest.raises(SharingError):
        sharing.decrypt_share(secrets[0], G1.infinity())


# --- the key's own proof and the group's hash --------------------------------------------------


def test_verify_data_key__scaled_commitment_of_another__has_no_proof(data_key):
    own = sharing.key_commitment(data_key)
    binding = {
        "chain_id": 1,
        "data_sets": LOCK,
        "processor": "0x" + "55" * 20,
        "publication_digest": b"\x08" * 32,
    }
    where = {"chain_id": 1, "data_sets": LOCK}
    own_id = messages.data_set_id(**where, key_commitment=own)
    message = messages.data_key_message(**binding, data_set_id=own_id)
    proof = sharing.prove_data_key(data_key, message)
    assert sharing.verify_data_key(own, message, proof)
    # A reseller scales F_0 and the proof by c: the id commits to F_0, so the proof breaks.
    scaled = curve.multiply(own, 5)
    other_id = messages.data_set_id(**where, key_commitment=scaled)
    other = messages.data_key_message(**binding, data_set_id=other_id)
    assert not sharing.verify_data_key(scaled, other, curve.multiply(proof, 5))


def test_group_hash__known_members__is_keccak_of_the_abi(delivery_keys):
    accounts = ["0x" + f"{i:02x}" * 20 for i in (1, 2, 3)]
    members = list(zip(accounts, delivery_keys, strict=False))
    words = [key.words() for key in delivery_keys[:3]]
    expected = keccak(encode(["address[]", "uint256[2][]"], [accounts, words]))
    assert sharing.group_hash(members) == expected


def test_group_hash__wrong_order_or_repetition__is_refused(delivery_keys):
    one, two, three = (("0x" + f"{i:02x}" * 20, delivery_keys[i]) for i in (1, 2, 3))
    for members in [
        [two, one, three],
        [one, one, two],
        [one, (two[0], one[1])],
        [one, (two[0], G1.infinity())],
        [one],
        [],
    ]:
        with pytest.raises(SharingError):
            sharing.group_hash(members)
