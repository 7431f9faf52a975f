"""Keys of answers made ahead: each for one request, one key and one answer."""

import pytest

from offchain.crypto import kem
from offchain.crypto.paillier import generate_private_key
from offchain.node.seals_ahead import SealsAhead

CONTEXT = b"an answer"
ONE, OTHER = b"\x01" * 32, b"\x02" * 32


@pytest.fixture(scope="module")
def keys():
    return [generate_private_key(1024, allow_small=True) for _ in range(2)]


@pytest.fixture
def made(monkeypatch):
    """How many encapsulations were begun, by their context."""
    begun, begin = [], kem.begin_encapsulation

    def counted(public_key, *, context):
        begun.append(context)
        return begin(public_key, context=context)

    monkeypatch.setattr(kem, "begin_encapsulation", counted)
    return begun


def test_begin__again_for_the_same_key__makes_no_second(keys, made):
    seals = SealsAhead()
    for _ in range(3):
        seals.begin(ONE, keys[0].public_key, context=CONTEXT)
    assert made == [CONTEXT]
    sealed = seals.take(ONE).seal(b"a bill")
    assert kem.open_sealed(keys[0], sealed, context=CONTEXT) == b"a bill"


def test_begin__after_the_user_changed_keys__is_for_the_new_one(keys, made):
    seals = SealsAhead()
    seals.begin(ONE, keys[0].public_key, context=CONTEXT)
    seals.begin(ONE, keys[1].public_key, context=CONTEXT)
    assert made == [CONTEXT, CONTEXT]
    sealed = seals.take(ONE).seal(b"a bill")
    assert kem.open_sealed(keys[1], sealed, context=CONTEXT) == b"a bill"


def test_begin__after_it_was_taken__makes_another(keys, made):
    seals = SealsAhead()
    taken = []
    for _ in range(2):
        seals.begin(ONE, keys[0].public_key, context=CONTEXT)
        taken.append(seals.take(ONE))
    assert taken[0] is not taken[1]
    assert taken[0].opening != taken[1].opening


def test_keep_only__forgets_the_others_alone(keys, made):
    seals = SealsAhead()
    for one in (ONE, OTHER):
        seals.begin(one, keys[0].public_key, context=one)
    seals.keep_only([OTHER])
    for one in (ONE, OTHER):
        seals.begin(one, keys[0].public_key, context=one)
    assert made == [ONE, OTHER, ONE]
