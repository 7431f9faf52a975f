"""Decryption by t of n: round trips, t − 1, hostile ciphertexts, parts and proofs."""

from contextlib import suppress
from dataclasses import replace
from itertools import combinations

import gmpy2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.crypto import packing, paillier
from offchain.crypto.equality_proof import EqualityProof, EqualityStatement, verify_equality
from offchain.crypto.paillier import PaillierPrivateKey
from offchain.crypto.threshold_key import (
    KeyShare,
    ThresholdPublicKey,
    verify_dealing,
    verify_key_share,
)
from offchain.crypto.threshold_paillier import (
    PartialDecryption,
    combine,
    partial_bytes,
    partially_decrypt,
    product,
    verify_partial,
)
from offchain.errors import DecryptionError, InvalidKeyError, NotEnoughSharesError
from tests.unit.crypto.threshold_keys import dealt, dealt_of, prime_with, public_primes

CONTEXT = b"an aggregate set"
KEY, SHARES = dealt()
CIPHERTEXT = paillier.encrypt(KEY.encryption, 20_190_101)
PARTS = [partially_decrypt(KEY, share, CIPHERTEXT, context=CONTEXT) for share in SHARES]


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_combine__given_any_t_parts__opens_every_plaintext(data: st.DataObject) -> None:
    edges = st.sampled_from([0, 1, KEY.n - 1, KEY.n // 2])
    plaintext = data.draw(st.integers(0, KEY.n - 1) | edges)
    chosen = data.draw(st.permutations(SHARES))[: KEY.threshold]
    ciphertext = paillier.encrypt(KEY.encryption, plaintext)
    parts = [partially_decrypt(KEY, share, ciphertext, context=CONTEXT) for share in chosen]
    opened = combine(KEY, ciphertext, parts, context=CONTEXT)
    assert (opened.plaintext, opened.false_indices) == (plaintext, ())


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.integers(0, 2**20 - 1), min_size=9, max_size=9), min_size=1))
def test_product__of_packed_rows__opens_to_the_sums_of_their_slots(rows: list[list[int]]) -> None:
    bits = KEY.encryption.bits
    packed = [packing.pack(row, key_bits=bits)[0] for row in rows]
    total = product(KEY.encryption, [paillier.encrypt(KEY.encryption, one) for one in packed])
    parts = [partially_decrypt(KEY, share, total, context=CONTEXT) for share in SHARES[:3]]
    opened = combine(KEY, total, parts, context=CONTEXT)
    sums = packing.unpack_sums([opened.plaintext], count=9, summands=len(rows), key_bits=bits)
    assert sums == [sum(column) for column in zip(*rows, strict=True)]


def test_combine__given_every_subset__opens_from_t_on_and_not_below() -> None:
    for size in range(len(PARTS) + 1):
        for subset in combinations(PARTS, size):
            if size >= KEY.threshold:
                assert combine(KEY, CIPHERTEXT, subset, context=CONTEXT).plaintext == 20_190_101
            else:
                with pytest.raises(NotEnoughSharesError) as caught:
                    combine(KEY, CIPHERTEXT, subset, context=CONTEXT)
                assert (caught.value.needed, caught.value.valid) == (3, size)


def test_combine__at_full_size__agrees_with_the_owner_of_the_primes() -> None:
    key, shares = dealt(3072, 2, 3)
    owner = PaillierPrivateKey(*public_primes(3072))
    ciphertexts = [paillier.encrypt(key.encryption, one) for one in (5, 70_000, 2**3000)]
    total = product(key.encryption, ciphertexts)
    parts = [partially_decrypt(key, share, total, context=CONTEXT) for share in shares[1:]]
    assert combine(key, total, parts, context=CONTEXT).plaintext == 2**3000 + 70_005
    assert paillier.decrypt(owner, total) == 2**3000 + 70_005


def test_combine__given_false_parts__names_them_and_opens_without_them() -> None:
    false = replace(PARTS[1], value=PARTS[1].value * 4 % KEY.n_squared)
    opened = combine(KEY, CIPHERTEXT, [false, *PARTS[2:], PARTS[0]], context=CONTEXT)
    assert (opened.plaintext, opened.false_indices) == (20_190_101, (2,))
    with pytest.raises(NotEnoughSharesError) as caught:
        combine(KEY, CIPHERTEXT, [false, *PARTS[2:4]], context=CONTEXT)
    assert caught.value.false_indices == (2,)


def unfit_dealing() -> tuple[ThresholdPublicKey, tuple[KeyShare, ...]]:
    """Deal for an order without its factor 7, where the base of the keys has none of it either.

    All that can be checked holds, and so does every proof of every honest member.
    """
    q = public_primes(512)[1]
    while True:
        p = prime_with.__wrapped__(7)
        order = (p >> 1) * (q >> 1) // 7
        key, shares = dealt_of(p, q, order, threshold=3, members=5)
        if gmpy2.powmod(key.base, order * p * q, key.n_squared) == 1:
            return key, shares


def test_combine__given_a_dealing_that_fails_some__tries_others_and_names_nobody() -> None:
    opened_by_others = unopened = 0
    while not (opened_by_others and unopened):
        # Dealt anew each time: with some any three open everything, with some no three anything.
        key, shares = unfit_dealing()
        assert verify_dealing(key) and all(verify_key_share(key, one) for one in shares)
        ciphertext = paillier.encrypt(key.encryption, 42)
        parts = [partially_decrypt(key, one, ciphertext, context=CONTEXT) for one in shares]
        assert all(verify_partial(key, ciphertext, one, context=CONTEXT) for one in parts)
        try:
            combine(key, ciphertext, parts[:3], context=CONTEXT)
        except InvalidKeyError as error:
            assert "dealt falsely" in str(error)
            unopened += 1
        else:
            continue
        with suppress(InvalidKeyError):
            opened = combine(key, ciphertext, parts, context=CONTEXT)
            assert (opened.plaintext, opened.false_indices) == (42, ())
            opened_by_others += 1


def test_combine__given_one_part_t_times__counts_it_once() -> None:
    with pytest.raises(NotEnoughSharesError) as caught:
        combine(KEY, CIPHERTEXT, [PARTS[0]] * 3, context=CONTEXT)
    assert (caught.value.valid, caught.value.false_indices) == (1, ())
    renamed = [replace(PARTS[0], index=index) for index in (1, 2, 3)]
    with pytest.raises(NotEnoughSharesError) as caught:
        combine(KEY, CIPHERTEXT, renamed, context=CONTEXT)
    assert caught.value.false_indices == (2, 3)


@pytest.mark.parametrize("index", [0, -1, 6, 2, 1.0, True, None])
def test_verify_partial__given_another_index__is_false(index: int) -> None:
    assert verify_partial(KEY, CIPHERTEXT, PARTS[0], context=CONTEXT)
    renamed = replace(PARTS[0], index=index)
    assert not verify_partial(KEY, CIPHERTEXT, renamed, context=CONTEXT)


def hostile(key_n: int) -> dict[str, object]:
    p, _ = public_primes(512)
    n2 = key_n**2
    return {
        "zero": 0,
        "n": key_n,
        "5n": 5 * key_n,
        "n2": n2,
        "above": n2 + 5,
        "negative": -1,
        "factor": p,
        "float": 3.0,
        "bool": True,
        "text": "5",
        "none": None,
    }


@pytest.mark.parametrize("name", hostile(15))
def test_every_door__given_a_hostile_ciphertext__meets_one_error(name: str) -> None:
    bad = hostile(KEY.n)[name]
    errors = set()
    for door in (
        lambda: partially_decrypt(KEY, SHARES[0], bad, context=CONTEXT),  # type: ignore[arg-type]
        lambda: combine(KEY, bad, PARTS, context=CONTEXT),  # type: ignore[arg-type]
        lambda: product(KEY.encryption, [CIPHERTEXT, bad]),  # type: ignore[list-item]
    ):
        with pytest.raises(DecryptionError) as caught:
            door()
        errors.add(str(caught.value))
    assert len(errors) == 1
    assert not verify_partial(KEY, bad, PARTS[0], context=CONTEXT)  # type: ignore[arg-type]
    assert not verify_partial(
        KEY,
        CIPHERTEXT,
        replace(PARTS[0], value=bad),  # type: ignore[arg-type]
        context=CONTEXT,
    )


def test_product__of_nothing__is_refused() -> None:
    with pytest.raises(DecryptionError):
        product(KEY.encryption, [])


def test_verify_partial__replayed__is_false() -> None:
    other = paillier.encrypt(KEY.encryption, 20_190_101)
    assert not verify_partial(KEY, other, PARTS[0], context=CONTEXT)
    assert not verify_partial(KEY, CIPHERTEXT, PARTS[0], context=b"another set")
    again, _ = dealt(512, 3, 4)
    assert not verify_partial(again, CIPHERTEXT, PARTS[0], context=CONTEXT)


def test_verify_partial__given_the_negative_part__is_false() -> None:
    # Its square is the same; the proof binds the part itself.
    mirrored = replace(PARTS[0], value=KEY.n_squared - PARTS[0].value)
    assert not verify_partial(KEY, CIPHERTEXT, mirrored, context=CONTEXT)


def test_from_bytes__given_any_flipped_bit__refuses_or_does_not_verify() -> None:
    data = PARTS[2].to_bytes(KEY)
    assert len(data) == partial_bytes(KEY)
    assert PartialDecryption.from_bytes(data, index=3, public_key=KEY) == PARTS[2]
    for bit in range(0, 8 * len(data), 7):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            part = PartialDecryption.from_bytes(bytes(flipped), index=3, public_key=KEY)
        except DecryptionError:
            continue
        assert not verify_partial(KEY, CIPHERTEXT, part, context=CONTEXT)


def test_from_bytes__given_another_length__is_refused() -> None:
    data = PARTS[0].to_bytes(KEY)
    for wrong in (b"", data[:-1], data + b"\0", data.hex()):
        with pytest.raises(DecryptionError):
            PartialDecryption.from_bytes(wrong, index=1, public_key=KEY)  # type: ignore[arg-type]


def test_verify_equality__given_numbers_out_of_range__is_false() -> None:
    part = PARTS[0]
    for proof in (
        EqualityProof(part.proof.challenge + 2**256, part.proof.response),
        EqualityProof(part.proof.challenge, part.proof.response + 2**4096),
        EqualityProof(-1, part.proof.response),
        EqualityProof(part.proof.challenge, -1),
        EqualityProof(0, 0),
        EqualityProof(1.5, 2),  # type: ignore[arg-type]
    ):
        assert not verify_partial(KEY, CIPHERTEXT, replace(part, proof=proof), context=CONTEXT)


def test_verify_equality__given_bases_that_are_no_units__is_false() -> None:
    statement = EqualityStatement(
        modulus=KEY.n_squared,
        base=KEY.n,
        value=KEY.n,
        other_base=KEY.base,
        other_value=KEY.verification[0],
        exponent_bits=KEY.exponent_bits,
    )
    assert not verify_equality(statement, EqualityProof(3, 5), context=CONTEXT)


def test_partially_decrypt__twice__proves_with_fresh_coins() -> None:
    again = partially_decrypt(KEY, SHARES[0], CIPHERTEXT, context=CONTEXT)
    assert again.value == PARTS[0].value
    assert again.proof != PARTS[0].proof  # one nonce twice would give the share away
