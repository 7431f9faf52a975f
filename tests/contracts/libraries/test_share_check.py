"""ShareCheck.verify against transcripts of an independent model, good and hostile."""

import pytest
from bn254_model import (
    G1_INFINITY,
    G2_INFINITY,
    G2_OFF_SUBGROUP,
    H,
    P,
    Q,
    add,
    deal,
    g2,
    multiply,
    random_scalar,
    seed,
    weights,
)
from brownie import web3

from offchain.crypto import delivery, sharing

PREPAID_LOCK = "0x00000000000000000000000000000000000A11cE"
OFF_CURVE = (1, 3)
# gasUsed of the whole transaction that the check may take, of the delivery's budget in figures.md.
GAS_LIMITS = {(3, 5): 300_000, (6, 10): 500_000, (34, 50): 2_450_000, (67, 100): 5_400_000}


@pytest.fixture(scope="module")
def transcript():
    return deal(3, 5, prepaid_lock=PREPAID_LOCK)


@pytest.fixture(scope="module")
def verify(harness):
    return lambda transcript: harness.verifyShares(*transcript.arguments)


@pytest.mark.parametrize(("threshold", "members"), [(2, 2), (2, 3), (3, 3), (3, 5), (6, 10)])
def test_share_check__given_honest_transcript__holds(verify, threshold, members):
    assert verify(deal(threshold, members, prepaid_lock=PREPAID_LOCK))


def test_share_check__given_offchain_transcript__holds_and_agrees_on_the_seed(harness):
    secrets = [delivery.DeliverySecretKey.generate() for _ in range(5)]
    keys = [delivery.public_key(secret) for secret in secrets]
    data_key = sharing.DataKey.generate()
    dealt = sharing.deal(data_key, threshold=3, delivery_keys=keys)
    grant = sharing.Grant(
        chain_id=web3.eth.chain_id,
        prepaid_lock=PREPAID_LOCK,
        lock_id=b"\x01" * 32,
        data_set_id=b"\x02" * 32,
        threshold=3,
        delivery_keys=tuple(keys),
        key_commitment=sharing.key_commitment(data_key),
    )
    lists = [[point.words() for point in points] for points in (keys, dealt.shares)]
    arguments = ((PREPAID_LOCK, grant.lock_id, grant.data_set_id, 3), *lists)
    commitments = [point.words() for point in dealt.commitments]
    assert harness.verifyShares(*arguments, commitments)
    assert not harness.verifyShares(*arguments, [*commitments[:2], commitments[1]])
    expected = sharing.transcript_seed(dealt, grant)
    assert bytes(harness.seedOfShares(*arguments, commitments)) == expected


@pytest.mark.parametrize(("threshold", "members"), GAS_LIMITS)
def test_share_check__given_honest_transcript__stays_within_gas(
    harness, gas_used, threshold, members
):
    dealt = deal(threshold, members, prepaid_lock=PREPAID_LOCK)
    assert harness.verifyShares(*dealt.arguments)
    used = gas_used(harness.verifyShares, *dealt.arguments)
    print(f"share check ({threshold},{members}): {used} gas")
    assert used <= GAS_LIMITS[threshold, members]


def test_share_check__seed_of_given_transcript__is_the_hash_of_the_format(harness, transcript):
    expected = seed(transcript, chain_id=web3.eth.chain_id)
    assert harness.seedOfShares(*transcript.arguments) == "0x" + expected.hex()


def test_share_check__given_transcript__multiplies_by_weights_of_128_bits(harness, transcript):
    """Traces the call: the scalars of the multiplications, keys and shares in turn."""
    message = {
        "to": harness.address,
        "data": harness.verifyShares.encode_input(*transcript.arguments),
    }
    answer = web3.provider.make_request(
        "debug_traceCall", [message, "latest", {"tracer": "callTracer"}]
    )
    calls = [call for call in answer["result"]["calls"] if int(call["to"], 16) == 7]
    scalars = [int(call["input"][-64:], 16) for call in calls]
    rho = weights(seed(transcript, chain_id=web3.eth.chain_id), 5)
    assert scalars == [weight for weight in rho for _ in ("key", "share")]


@pytest.mark.parametrize("coefficients", [[7, 0, 9], [7, 9, 0], [7, 0, 0]])
def test_share_check__given_infinite_higher_commitment__reverts(
    harness, revert_data, error_bytes, coefficients
):
    """The equation holds, with a threshold that is lower than it looks."""
    dealt = deal(3, 5, prepaid_lock=PREPAID_LOCK, coefficients=coefficients)
    index = coefficients.index(0)
    assert dealt.commitments[index] == G2_INFINITY
    error = error_bytes("ShareCheck_InfiniteCommitment(uint256)", index)
    assert revert_data(harness.verifyShares, *dealt.arguments) == error


@pytest.mark.parametrize("index", range(5))
def test_share_check__when_one_share_is_wrong__fails(verify, transcript, index):
    wrong = add(transcript.shares[index], transcript.keys[index])
    assert not verify(transcript.with_share(index, wrong))


def test_share_check__when_shares_are_swapped__fails(verify, transcript):
    y = transcript.shares
    assert not verify(transcript.but(shares=(y[1], y[0], *y[2:])))


def test_share_check__when_errors_of_two_shares_cancel_unweighted__fails(verify, transcript):
    y = list(transcript.shares)
    y[0], y[1] = add(y[0], H), add(y[1], multiply(H, Q - 1))
    assert not verify(transcript.but(shares=tuple(y)))


def test_share_check__when_share_is_negated__fails(verify, transcript):
    assert not verify(transcript.with_share(2, multiply(transcript.shares[2], Q - 1)))


def test_share_check__when_keys_are_swapped__fails(verify, transcript):
    keys = transcript.keys
    assert not verify(transcript.but(keys=(keys[0], keys[2], keys[1], *keys[3:])))


@pytest.mark.parametrize("index", range(3))
def test_share_check__when_one_commitment_is_wrong__fails(verify, transcript, index):
    wrong = add(transcript.commitments[index], g2(1))
    assert not verify(transcript.with_commitment(index, wrong))


def test_share_check__when_commitments_are_swapped__fails(verify, transcript):
    f = transcript.commitments
    assert not verify(transcript.but(commitments=(f[1], f[0], f[2])))


def test_share_check__given_polynomial_of_higher_degree__fails(verify):
    dealt = deal(4, 5, prepaid_lock=PREPAID_LOCK)
    assert not verify(dealt.but(threshold=3, commitments=dealt.commitments[:3]))


def test_share_check__given_polynomial_of_monomial_basis__fails(verify, transcript):
    b = [random_scalar() for _ in range(3)]
    shares = tuple(
        multiply(key, sum(b[j] * i**j for j in range(3)))
        for i, key in enumerate(transcript.keys, start=1)
    )
    assert not verify(transcript.but(shares=shares, commitments=tuple(map(g2, b))))


def test_share_check__given_scaled_transcript__holds_for_another_key_alone(verify, transcript):
    """Linear by nature: the caller compares F_0 with the published key commitment."""
    shares = tuple(multiply(y, 5) for y in transcript.shares)
    commitments = tuple(multiply(f, 5) for f in transcript.commitments)
    assert verify(transcript.but(shares=shares, commitments=commitments))
    assert commitments[0] != transcript.commitments[0]
    kept_key = (transcript.commitments[0], *commitments[1:])
    assert not verify(transcript.but(shares=shares, commitments=kept_key))


@pytest.mark.parametrize(
    ("threshold", "members"), [(0, 0), (2, 0), (2, 1), (0, 3), (1, 3), (4, 3), (2, 101)]
)
def test_share_check__when_size_is_out_of_range__reverts(
    harness, revert_data, error_bytes, threshold, members
):
    grant = (PREPAID_LOCK, b"\x01" * 32, b"\x02" * 32, threshold)
    lists = [H] * members, [H] * members, [g2(1)] * threshold
    error = error_bytes("ShareCheck_BadSize(uint256,uint256)", threshold, members)
    assert revert_data(harness.verifyShares, grant, *lists) == error


@pytest.mark.parametrize("actual", [0, 4, 6])
def test_share_check__when_share_count_is_wrong__reverts(
    harness, revert_data, error_bytes, transcript, actual
):
    shares = (*transcript.shares, H)[:actual]
    error = error_bytes("ShareCheck_ShareCount(uint256,uint256)", 5, actual)
    assert revert_data(harness.verifyShares, *transcript.but(shares=shares).arguments) == error


@pytest.mark.parametrize("actual", [0, 2, 4])
def test_share_check__when_commitment_count_is_wrong__reverts(
    harness, revert_data, error_bytes, transcript, actual
):
    commitments = (*transcript.commitments, G2_INFINITY)[:actual]
    error = error_bytes("ShareCheck_CommitmentCount(uint256,uint256)", 3, actual)
    bad = transcript.but(commitments=commitments)
    assert revert_data(harness.verifyShares, *bad.arguments) == error


def test_share_check__when_key_commitment_is_infinite__reverts(
    harness, revert_data, error_bytes, transcript
):
    bad = transcript.with_commitment(0, G2_INFINITY)
    error = error_bytes("ShareCheck_InfiniteCommitment(uint256)", 0)
    assert revert_data(harness.verifyShares, *bad.arguments) == error


@pytest.mark.parametrize("index", range(5))
def test_share_check__when_share_is_infinite__reverts(
    harness, revert_data, error_bytes, transcript, index
):
    bad = transcript.with_share(index, G1_INFINITY)
    error = error_bytes("ShareCheck_InfiniteShare(uint256)", index + 1)
    assert revert_data(harness.verifyShares, *bad.arguments) == error


@pytest.mark.parametrize("bad", [OFF_CURVE, (H[0] + P, H[1]), (H[0], H[1] + P), (0, P)])
def test_share_check__when_share_is_invalid__reverts(
    harness, revert_data, error_bytes, transcript, bad
):
    error = error_bytes("ShareCheck_InvalidShare(uint256)", 2)
    found = revert_data(harness.verifyShares, *transcript.with_share(1, bad).arguments)
    assert found == error


@pytest.mark.parametrize("bad", [OFF_CURVE, (H[0] + P, H[1])])
def test_share_check__when_delivery_key_is_invalid__reverts(
    harness, revert_data, error_bytes, transcript, bad
):
    keys = (*transcript.keys[:4], bad)
    error = error_bytes("ShareCheck_InvalidDeliveryKey(uint256)", 5)
    found = revert_data(harness.verifyShares, *transcript.but(keys=keys).arguments)
    assert found == error


def test_share_check__when_delivery_key_is_infinite__never_holds(
    harness, verify, revert_data, error_bytes, transcript
):
    """[f(i)]·infinity is infinity, which is no share; and no other point is one for that key."""
    keys = (*transcript.keys[:4], G1_INFINITY)
    assert not verify(transcript.but(keys=keys))
    bad = transcript.but(keys=keys).with_share(4, G1_INFINITY)
    error = error_bytes("ShareCheck_InfiniteShare(uint256)", 5)
    assert revert_data(harness.verifyShares, *bad.arguments) == error


def test_share_check__given_transcript_of_another_dealing__fails(verify, transcript):
    """Whole or in part, what was dealt for one group and key is nothing for another."""
    other = deal(3, 5, prepaid_lock=PREPAID_LOCK)
    assert verify(other)
    for bad in (
        other.but(keys=transcript.keys),
        transcript.but(shares=other.shares),
        transcript.but(commitments=other.commitments),
        transcript.with_share(0, other.shares[0]),
    ):
        assert not verify(bad)


@pytest.mark.parametrize("bad", ["off_subgroup", "off_twist", "not_canonical"])
def test_share_check__when_commitment_is_invalid__reverts(
    harness, revert_data, error_bytes, transcript, bad
):
    honest = transcript.commitments[1]
    point = {
        "off_subgroup": G2_OFF_SUBGROUP,
        "off_twist": (1, 2, 3, 4),
        "not_canonical": (*honest[:3], honest[3] + P),
    }[bad]
    found = revert_data(harness.verifyShares, *transcript.with_commitment(1, point).arguments)
    assert found == error_bytes("ShareCheck_InvalidCommitments()")
