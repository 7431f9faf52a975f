"""BLS: algebra, aggregation, rogue keys, and keys or signatures that are none."""

import pytest

from offchain.crypto import bls, curve
from offchain.crypto.bls import BlsSecretKey
from offchain.crypto.curve import G1, G1_GENERATOR, G2, G2_GENERATOR, GROUP_ORDER
from offchain.crypto.hash_to_curve import hash_to_curve
from offchain.crypto.messages import Role, domain_tag, possession_message
from offchain.errors import InvalidPointError, InvalidScalarError

from .points import off_subgroup_point

REGISTRY, ACCOUNT = "0x" + "11" * 20, "0x" + "22" * 20


def always_true(pairs):
    """A pairing check that lets everything through: what is refused was refused before it."""
    return True


@pytest.fixture(scope="module")
def signer():
    return BlsSecretKey.generate()


@pytest.fixture(scope="module")
def other():
    return BlsSecretKey.generate()


def test_verify__honest_signature__holds_and_any_change_refuses(signer, other):
    key, signature = bls.public_key(signer), bls.sign(signer, b"m", role=Role.REQUEST)
    assert bls.verify(key, b"m", signature, role=Role.REQUEST)
    assert not bls.verify(key, b"n", signature, role=Role.REQUEST)
    assert not bls.verify(key, b"m", signature, role=Role.ANSWER)
    assert not bls.verify(bls.public_key(other), b"m", signature, role=Role.REQUEST)
    assert not bls.verify(key, b"m", curve.negate(signature), role=Role.REQUEST)


def test_sign__same_message__is_deterministic_and_linear():
    one, two = BlsSecretKey(1), BlsSecretKey(2)
    point = hash_to_curve(b"m", tag=domain_tag(Role.ROOT))
    assert bls.sign(one, b"m", role=Role.ROOT) == point
    assert bls.sign(two, b"m", role=Role.ROOT) == curve.add(point, point)


@pytest.mark.parametrize(
    "key", [G2.infinity(), off_subgroup_point(), None, G1_GENERATOR, b"key"], ids=repr
)
def test_verify__invalid_key__is_false_before_any_pairing(key):
    args = (key, b"m", G1_GENERATOR)
    assert bls.verify(*args, role=Role.REQUEST, pairing_check=always_true) is False


@pytest.mark.parametrize("signature", [G1.infinity(), None, G2_GENERATOR, b"s"], ids=repr)
def test_verify__invalid_signature__is_false_before_any_pairing(signature):
    args = (G2_GENERATOR, b"m", signature)
    assert bls.verify(*args, role=Role.REQUEST, pairing_check=always_true) is False


def test_verify__injected_check__gets_the_equation_of_the_contract(signer):
    seen = []
    key, signature = bls.public_key(signer), bls.sign(signer, b"m", role=Role.ROOT)
    bls.verify(key, b"m", signature, role=Role.ROOT, pairing_check=lambda p: not seen.append(p))
    point = hash_to_curve(b"m", tag=domain_tag(Role.ROOT))
    assert seen == [[(signature, curve.negate(G2_GENERATOR)), (point, key)]]


def test_verify_aggregate__many_messages_of_two_keys__is_one_pairing_a_key(signer, other):
    entries, signatures, pair_counts = [], [], []
    for secret, count in ((signer, 3), (other, 2)):
        for index in range(count):
            message = b"root %d" % index
            entries.append((message, bls.public_key(secret)))
            signatures.append(bls.sign(secret, message, role=Role.ROOT))
    total = bls.aggregate(signatures)

    def counting(pairs):
        pair_counts.append(len(pairs))
        return curve.pairing_product_is_one(pairs)

    check = {"role": Role.ROOT, "pairing_check": counting}
    assert bls.verify_aggregate(entries[::-1], total, **check)
    assert pair_counts == [3]
    assert not bls.verify_aggregate(entries[:-1], total, **check)
    assert not bls.verify_aggregate([*entries[:-1], (b"x", entries[-1][1])], total, **check)


def test_verify_aggregate__empty_or_repeated_pairs__is_false(signer):
    entry = (b"m", bls.public_key(signer))
    for entries in ([], [entry, entry], [("m", entry[1])]):
        check = {"role": Role.ROOT, "pairing_check": always_true}
        assert not bls.verify_aggregate(entries, G1_GENERATOR, **check)


def test_aggregate__nothing__is_refused():
    with pytest.raises(InvalidPointError):
        bls.aggregate([])


def _possession(key, **changes):
    arguments = {"chain_id": 1, "registry": REGISTRY, "account": ACCOUNT, "member_role": 2}
    return possession_message(**{**arguments, **changes}, bls_key=key)


def test_verify_possession__copied_by_another_account__is_false(signer):
    key = bls.public_key(signer)
    proof = bls.prove_possession(signer, _possession(key))
    assert bls.verify_possession(key, _possession(key), proof)
    for change in ({"account": REGISTRY}, {"chain_id": 2}, {"member_role": 3}):
        assert not bls.verify_possession(key, _possession(key, **change), proof)


def test_rogue_key__without_possession__forges_and_with_it_does_not(signer):
    # The attacker registers [x]G2 − pk of the victim and so "signs" for both with x alone.
    victim, attacker = bls.public_key(signer), BlsSecretKey.generate()
    rogue = curve.add(bls.public_key(attacker), curve.negate(victim))
    forged = bls.sign(attacker, b"pay", role=Role.REQUEST)
    entries = [(b"pay", victim), (b"pay", rogue)]
    assert bls.verify_aggregate(entries, forged, role=Role.REQUEST)  # the attack is real
    message = _possession(rogue)
    assert not bls.verify_possession(rogue, message, bls.prove_possession(attacker, message))


@pytest.mark.parametrize("value", [0, -1, GROUP_ORDER, 1.0, True, "1", None])
def test_secret_key__outside_its_range__is_refused(value):
    with pytest.raises(InvalidScalarError):
        BlsSecretKey(value)
