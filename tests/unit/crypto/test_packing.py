"""Packing: round trips, sums at the slot edges, and everything that does not fit."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.crypto import packing, paillier
from offchain.errors import PackingError

BITS = 2048
TOP = 2**20 - 1
values = st.lists(st.one_of(st.integers(0, TOP), st.sampled_from([0, 1, TOP])), max_size=160)


@settings(max_examples=60, deadline=None)
@given(values)
def test_unpack__what_was_packed__is_the_same(energies):
    packed = packing.pack(energies, key_bits=BITS)
    assert packing.unpack(packed, count=len(energies), key_bits=BITS) == energies


@pytest.mark.parametrize(("bits", "slots"), [(3072, 76), (2048, 50), (4096, 102)])
def test_slots_per_plaintext__full_sums__stay_far_below_n(bits, slots):
    assert packing.slots_per_plaintext(bits) == slots
    largest = packing.pack([TOP] * slots, key_bits=bits)[0] * packing.MAX_SUMMANDS
    assert largest < 2 ** (bits - 1) // 3  # the smallest n of this length, over 3


def test_unpack_sums__most_summands_of_the_largest_values__do_not_touch_neighbours():
    slots = packing.slots_per_plaintext(BITS)
    energies = [TOP, 0] * (slots // 2)
    total = packing.pack(energies, key_bits=BITS)[0] * packing.MAX_SUMMANDS
    sums = packing.unpack_sums(
        [total], count=len(energies), summands=packing.MAX_SUMMANDS, key_bits=BITS
    )
    assert sums == [value * packing.MAX_SUMMANDS for value in energies]


def test_unpack_sums__added_under_encryption__are_the_sums_a_slot(private_key):
    public_key = private_key.public_key
    homes = [[TOP, 0, 5], [TOP, TOP, 7], [1, 2, 3]]
    rows = [packing.pack(home, key_bits=BITS)[0] for home in homes]
    total = paillier.add_ciphertexts(
        public_key, [paillier.encrypt(public_key, row) for row in rows]
    )
    opened = paillier.decrypt(private_key, total)
    sums = packing.unpack_sums([opened], count=3, summands=3, key_bits=BITS)
    assert sums == [sum(column) for column in zip(*homes, strict=True)]


@pytest.mark.parametrize("value", [-1, TOP + 1, 1.0, True, "1", None])
def test_pack__value_that_does_not_fit__is_refused(value):
    with pytest.raises(PackingError):
        packing.pack([1, value, 2], key_bits=BITS)


@pytest.mark.parametrize(
    ("plaintexts", "count", "summands"),
    [
        ([1 << 20], 1, 1),  # more than one summand can reach
        ([2 * TOP + 1], 1, 2),
        ([1 << 40], 1, 1),  # a second slot although one value is declared
        ([1 << 2000], 50, 1),
        ([-1], 1, 1),
        ([1.0], 1, 1),
        ([True], 1, 1),
        ([1, 1], 1, 1),
        ([], 1, 1),
        ([1], 0, 1),
        ([1], -1, 1),
        ([1], 1, 0),
        ([1], 1, 2**20 + 1),
        ([1], 1, 1.0),
    ],
)
def test_unpack_sums__not_what_pack_makes__is_refused(plaintexts, count, summands):
    with pytest.raises(PackingError):
        packing.unpack_sums(plaintexts, count=count, summands=summands, key_bits=BITS)


def test_slots_per_plaintext__tiny_key__is_refused():
    with pytest.raises(PackingError):
        packing.slots_per_plaintext(83)
    assert packing.slots_per_plaintext(84) == 2
