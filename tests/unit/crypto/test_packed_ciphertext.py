"""Packed ciphertexts: their type holds the number of summands, so that no slot overflows."""

from itertools import count, islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.crypto import packed_ciphertext, packing, paillier
from offchain.crypto.noise_pool import NoisePool
from offchain.crypto.packed_ciphertext import (
    PackedCiphertext,
    add_packed,
    decrypt_values,
    encrypt_values,
)
from offchain.errors import DecryptionError, PackingError

TOP = 2**20 - 1


@pytest.mark.parametrize("length", [0, 1, 49, 50, 51, 101])
def test_decrypt_values__whatever_was_encrypted__is_the_same(private_key, length):
    values = [(7 * i + TOP * (i % 2)) % 2**20 for i in range(length)]
    for key in (private_key, private_key.public_key):
        packed = list(encrypt_values(key, values))
        assert len(packed) == -(-length // 50)
        assert [v for one in packed for v in decrypt_values(private_key, one)] == values


@settings(max_examples=10, deadline=None)
@given(st.lists(st.lists(st.sampled_from([0, 1, TOP]), min_size=3, max_size=3), min_size=1))
def test_add_packed__any_homes__are_summed_slot_by_slot(private_key, homes):
    packed = [next(encrypt_values(private_key, home)) for home in homes]
    total = add_packed(packed)
    assert total.summands == len(homes)
    assert decrypt_values(private_key, total) == [sum(c) for c in zip(*homes, strict=True)]


def test_add_packed__thousands_of_full_ciphertexts__are_exact(private_key):
    full = next(encrypt_values(private_key, [TOP] * 50))
    total = add_packed([full] * 5000)
    assert total.summands == 5000
    assert decrypt_values(private_key, total) == [TOP * 5000] * 50


def test_add_packed__up_to_the_last_summand__is_exact_and_one_more_is_refused(private_key):
    half = next(encrypt_values(private_key, [TOP, 0, TOP]))
    for _ in range(19):
        half = add_packed([half, half])
    total = add_packed([half, half])
    assert total.summands == packing.MAX_SUMMANDS
    assert decrypt_values(private_key, total) == [TOP << 20, 0, TOP << 20]
    one = next(encrypt_values(private_key, [0, 0, 0]))
    with pytest.raises(PackingError, match="at most 2\\^20"):
        add_packed([total, one])


def test_add_packed__twice_the_same__is_never_the_same_ciphertext(private_key):
    one = next(encrypt_values(private_key, [1]))
    assert add_packed([one]).ciphertext != add_packed([one]).ciphertext


def test_add_packed__another_key_or_length_or_nothing__is_refused(private_key, other_private_key):
    one = next(encrypt_values(private_key, [1, 2]))
    for other in (
        next(encrypt_values(private_key, [1])),
        next(encrypt_values(other_private_key, [1, 2])),
    ):
        with pytest.raises(PackingError):
            add_packed([one, other])
    with pytest.raises(PackingError):
        add_packed([])
    with pytest.raises(DecryptionError):
        add_packed([one, PackedCiphertext(one.public_key, private_key._p, 2)])


@pytest.mark.parametrize(
    ("count_", "summands"), [(0, 1), (52, 1), (True, 1), (1, 0), (1, 2**20 + 1), (1, 1.0)]
)
def test_packed_ciphertext__impossible_numbers__are_refused(private_key, count_, summands):
    with pytest.raises(PackingError):
        PackedCiphertext(private_key.public_key, 1, count_, summands)


def test_decrypt_values__more_than_was_said__is_refused(private_key, other_private_key):
    one = next(encrypt_values(private_key, [TOP, TOP]))
    product = paillier.add_ciphertexts(one.public_key, [one.ciphertext] * 3)
    for lie in (
        PackedCiphertext(one.public_key, product, 2, 2),  # three summands, said to be two
        PackedCiphertext(one.public_key, one.ciphertext, 1),  # two values, said to be one
    ):
        with pytest.raises(PackingError):
            decrypt_values(private_key, lie)
    with pytest.raises(PackingError, match="another key"):
        decrypt_values(other_private_key, one)


def test_encrypt_values__value_that_does_not_fit__is_refused(private_key):
    for value in (-1, 2**20, 0.5, True):
        with pytest.raises(PackingError):
            list(encrypt_values(private_key, [1, value]))


def test_encrypt_values__endless_stream__is_read_only_as_far_as_needed(private_key):
    read = []
    stream = encrypt_values(private_key, (read.append(i) or i for i in count()))
    assert len(list(islice(stream, 2))) == 2 and len(read) == 100


def test_encrypt_values__with_a_pool__uses_its_stock(private_key):
    pool = NoisePool(private_key, capacity=2)
    pool.refill()
    one = next(encrypt_values(private_key.public_key, [3], noise=pool))
    assert len(pool) == 1 and decrypt_values(private_key, one) == [3]


def test_naive_sum__one_summand_too_many__overflows_into_the_neighbour():
    # The negative control: without the count, 2^20 + 1 largest values corrupt the next slot.
    plaintext = packing.pack([TOP, 0], key_bits=2048)[0]
    slots = plaintext * (packing.MAX_SUMMANDS + 2)
    assert slots >> packing.SLOT_BITS != 0
    assert packed_ciphertext.PackedCiphertext.__dataclass_params__.frozen
