"""Paillier: algebra, hostile ciphertexts and moduli, canonical bytes, why phe needs a door."""

import ast
import os
from math import prod
from pathlib import Path

import gmpy2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phe import paillier as phe

from offchain.crypto import modulus, paillier, paillier_decryption
from offchain.crypto.paillier import PaillierPrivateKey, PaillierPublicKey
from offchain.errors import (
    CryptoError,
    DecryptionError,
    EncodingError,
    InvalidKeyError,
    InvalidPlaintextError,
)

_OFFCHAIN = Path(paillier.__file__).resolve().parents[1]


def _prime(bits, start=0):
    return int(gmpy2.next_prime((3 << bits - 2) + start))


# --- algebra and round trips -------------------------------------------------------------------


def test_decrypt__full_range__gives_the_plaintext_back(private_key):
    public_key = private_key.public_key
    for plaintext in (0, 1, public_key.n // 3, public_key.n // 2, public_key.n - 1):
        assert paillier.decrypt(private_key, paillier.encrypt(public_key, plaintext)) == plaintext


def test_decrypt__full_size_key__gives_the_plaintext_back(full_private_key):
    public_key = full_private_key.public_key
    assert public_key.bits == 3072
    assert paillier.decrypt(full_private_key, paillier.encrypt(public_key, 42)) == 42


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(min_value=0, max_value=2**2046), min_size=1, max_size=4))
def test_add_ciphertexts__any_plaintexts__encrypts_their_sum_modulo_n(private_key, plaintexts):
    public_key = private_key.public_key
    ciphertexts = [paillier.encrypt(public_key, m % public_key.n) for m in plaintexts]
    total = paillier.add_ciphertexts(public_key, ciphertexts)
    assert paillier.decrypt(private_key, total) == sum(plaintexts) % public_key.n


def test_encrypt__same_plaintext_or_same_sum__is_never_the_same_ciphertext(private_key):
    public_key = private_key.public_key
    one = paillier.encrypt(public_key, 1)
    assert one != paillier.encrypt(public_key, 1)
    sums = {paillier.add_ciphertexts(public_key, [one, one]) for _ in range(3)}
    assert len(sums) == 3


def test_phe__reads_what_we_encrypt_and_we_what_phe_encrypts(private_key):
    theirs = phe.PaillierPrivateKey(
        phe.PaillierPublicKey(private_key.public_key.n), private_key._p, private_key._q
    )
    assert theirs.raw_decrypt(paillier.encrypt(private_key.public_key, 77)) == 77
    assert paillier.decrypt(private_key, theirs.public_key.raw_encrypt(78)) == 78


def test_extract_coins__any_ciphertext__opens_it_fully(private_key):
    public_key = private_key.public_key
    coins = paillier.random_unit(public_key.n)
    ciphertext = paillier.encrypt_with_coins(public_key, 5, coins=coins)
    assert paillier.extract_coins(private_key, ciphertext) == coins


def test_has_coins__those_of_the_ciphertext__and_no_others(private_key):
    n = private_key.public_key.n
    coins = paillier.random_unit(n)
    for plaintext in (0, 5, n - 1):
        ciphertext = paillier.encrypt_with_coins(private_key.public_key, plaintext, coins=coins)
        assert paillier.has_coins(private_key, ciphertext, coins)
        for other in (coins + 1, n - coins, coins * 2 % n, 1):
            assert not paillier.has_coins(private_key, ciphertext, other)


def test_has_coins__right_modulo_one_prime_alone__is_false(private_key):
    p, q = private_key._p, private_key._q
    coins = paillier.random_unit(p * q)
    ciphertext = paillier.encrypt_with_coins(private_key.public_key, 5, coins=coins)
    for prime in (p, q):
        assert not paillier.has_coins(private_key, ciphertext, (coins + prime) % (p * q))


def test_encrypt_as_owner__any_plaintext__is_read_by_everyone_with_the_key(private_key):
    n = private_key.public_key.n
    for plaintext in (0, 1, n - 1):
        ciphertext = paillier.encrypt_as_owner(private_key, plaintext)
        assert paillier.decrypt(private_key, ciphertext) == plaintext
        assert private_key._phe.raw_decrypt(ciphertext) == plaintext


def test_phe_encrypted_numbers__mixed_with_ours__add_up(private_key):
    theirs = private_key.public_key._phe
    ours = phe.EncryptedNumber(theirs, paillier.encrypt(private_key.public_key, 40), exponent=0)
    total = (ours + theirs.encrypt(2)).ciphertext()
    assert paillier.decrypt(private_key, total) == 42
    assert private_key._phe.decrypt(ours) == 40


def test_decrypt__same_ciphertext_many_times__is_computed_on_copies(private_key, monkeypatch):
    seen = []
    real = paillier_decryption.secret_power
    noting = lambda c, *rest: seen.append(c) or real(c, *rest)  # noqa: E731
    monkeypatch.setattr(paillier_decryption, "secret_power", noting)
    ciphertext = paillier.encrypt(private_key.public_key, 9)
    assert {paillier.decrypt(private_key, ciphertext) for _ in range(70)} == {9}
    squares = {private_key._p**2, private_key._q**2}
    bare = {ciphertext % square for square in squares}
    assert len(seen) == 140 and len({int(c) for c in seen}) == 140
    assert not bare & {int(c) % square for c in seen for square in squares}


def test_decrypt__after_fork__blinds_with_other_factors(private_key, monkeypatch):
    paillier.decrypt(private_key, paillier.encrypt(private_key.public_key, 9))
    before = private_key.decryptor._blinding
    monkeypatch.setattr(os, "getpid", lambda: before[0] + 1)
    paillier.decrypt(private_key, paillier.encrypt(private_key.public_key, 9))
    after = private_key.decryptor._blinding
    assert after[2] != before[2] ** 2 % private_key._p**2 and after[1] == 31


# --- hostile ciphertexts -----------------------------------------------------------------------


def _hostile_ciphertexts(key):
    n = key.public_key.n
    ciphertext = paillier.encrypt(key.public_key, 1)
    return {
        "zero": 0,
        "n": n,
        "5n": 5 * n,
        "n squared": n * n,
        "n squared + 5": n * n + 5,
        "n squared + valid": n * n + ciphertext,
        "p": key._p,
        "minus one": -1,
        "minus valid": -ciphertext,
        "True": True,
        "float": 5.0,
        "text": "5",
        "none": None,
        "mpz": gmpy2.mpz(ciphertext),
    }


def test_decrypt__hostile_ciphertext__is_one_uniform_error(private_key):
    messages = set()
    for name, hostile in _hostile_ciphertexts(private_key).items():
        for call in (paillier.decrypt, paillier.extract_coins):
            with pytest.raises(DecryptionError) as caught:
                call(private_key, hostile)
            messages.add((str(caught.value), caught.value.__cause__, name and None))
    assert len(messages) == 1


def test_add_ciphertexts__hostile_ciphertext_or_none__is_refused(private_key):
    public_key = private_key.public_key
    good = paillier.encrypt(public_key, 1)
    for hostile in _hostile_ciphertexts(private_key).values():
        with pytest.raises(DecryptionError):
            paillier.add_ciphertexts(public_key, [good, hostile])
    with pytest.raises(InvalidPlaintextError):
        paillier.add_ciphertexts(public_key, [])


def test_raw_phe__one_crafted_ciphertext__yields_the_private_key(private_key):
    # The negative control: why nothing but the door may call phe. D(n) = (p+q)^-1 mod n.
    n = private_key.public_key.n
    leaked = private_key._phe.raw_decrypt(n)
    total = int(gmpy2.invert(leaked, n))
    root = int(gmpy2.isqrt(total * total - 4 * n))
    assert {(total - root) // 2, (total + root) // 2} == {private_key._p, private_key._q}
    with pytest.raises(DecryptionError):
        paillier.decrypt(private_key, n)


def test_phe__anywhere_else__is_not_imported():
    importers = set()
    for path in _OFFCHAIN.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, (ast.Import, ast.ImportFrom)):
                continue
            names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
            if any(name.split(".")[0] == "phe" for name in names):
                importers.add(path.name)
    assert importers == {"paillier_keys.py"}


# --- plaintexts --------------------------------------------------------------------------------


@pytest.mark.parametrize("plaintext", [-1, 1.0, 0.5, True, "1", None, float("nan"), gmpy2.mpz(1)])
def test_encrypt__not_an_integer_in_range__is_refused(private_key, plaintext):
    with pytest.raises(InvalidPlaintextError):
        paillier.encrypt(private_key.public_key, plaintext)


def test_encrypt__n_or_more__is_refused_not_wrapped(private_key):
    for excess in (0, 7, private_key.public_key.n):
        with pytest.raises(InvalidPlaintextError):
            paillier.encrypt(private_key.public_key, private_key.public_key.n + excess)


def test_encrypt_with_coins__coins_outside_the_units__are_refused(private_key):
    n = private_key.public_key.n
    for coins in (0, -1, n, n + 1, private_key._p, 1.0, True):
        with pytest.raises(InvalidPlaintextError):
            paillier.encrypt_with_coins(private_key.public_key, 1, coins=coins)


# --- hostile moduli ----------------------------------------------------------------------------


def _bitforge(bits):
    """Sixteen primes of 16 bits and one large: CVE-2023-33241."""
    small = [int(gmpy2.next_prime(2**15 + 1000 * i)) for i in range(16)]
    return prod(small) * _prime(bits - prod(small).bit_length() + 1)


def _near(bits, factor):
    """An odd multiple of `factor` with exactly this many bits."""
    return factor * _prime(bits - factor.bit_length() + 1)


HOSTILE_MODULI = {
    "zero": (0, "positive integer"),
    "negative": (-15, "positive integer"),
    "fifteen": (15, "bits"),
    "four": (4, "bits"),
    "power of two": (2**2047, "even"),
    "even": (2 * _prime(1023) * _prime(1024, 1 << 500), "even"),
    "prime": (_prime(2048), "is prime"),
    "square": (_prime(1024) ** 2, "perfect power"),
    "fifth power": (_prime(410) ** 5, "perfect power"),
    "smooth": (prod(int(gmpy2.next_prime(2**19 + 999 * i)) for i in range(110)), "factor below"),
    "bitforge": (_bitforge(2048), "factor below"),
    "factor 3": (_near(2048, 3), "factor below"),
    "largest small factor": (_near(2048, int(gmpy2.prev_prime(2**20))), "factor below"),
    "too short": (_prime(1023) * _prime(1023, 1 << 500), "bits"),
    "too long": (_prime(2049) * _prime(2049, 1 << 500), "bits"),
    "float": (15.0, "positive integer"),
    "bool": (True, "positive integer"),
    "text": ("15", "positive integer"),
    "none": (None, "positive integer"),
}


@pytest.mark.parametrize("name", HOSTILE_MODULI)
def test_public_key__hostile_modulus__is_refused_for_its_reason(name):
    n, reason = HOSTILE_MODULI[name]
    with pytest.raises(InvalidKeyError, match=reason):
        PaillierPublicKey(n)


@pytest.mark.parametrize("name", ["even", "prime", "square", "smooth", "bitforge", "fifteen"])
def test_public_key__hostile_modulus_where_small_ones_are_allowed__is_still_refused(name):
    n, reason = HOSTILE_MODULI[name]
    with pytest.raises(InvalidKeyError, match=reason):
        PaillierPublicKey(n, allow_small=True)


def test_public_key__smallest_factor_above_the_bound__passes():
    # The limit of these checks, stated: such a modulus needs the owner's proof to be refused.
    n = _near(2048, int(gmpy2.next_prime(2**20)))
    assert PaillierPublicKey(n).n == n


def test_raw_phe__hostile_moduli__are_accepted():
    for n in (15, 4, 2**64, 7):  # the negative control
        assert phe.PaillierPublicKey(n).n == n


# --- sizes and bytes ---------------------------------------------------------------------------


def test_generate_private_key__sizes__are_exact_and_bounded():
    assert paillier.generate_private_key(1024, allow_small=True).public_key.bits == 1024
    for bits, small in [
        (2047, False),
        (2049, False),
        (1024, False),
        (4097, False),
        (511, True),
        (2048.0, False),
    ]:
        with pytest.raises(InvalidKeyError):
            paillier.generate_private_key(bits, allow_small=small)


def test_from_bytes__default__demands_exactly_3072_bits(private_key, full_private_key):
    full = full_private_key.public_key
    assert PaillierPublicKey.from_bytes(full.to_bytes()) == full
    assert PaillierPrivateKey.from_bytes(full_private_key.to_bytes()) == full_private_key
    short = private_key.public_key
    for kind, data in [
        (PaillierPublicKey, short.to_bytes()),
        (PaillierPrivateKey, private_key.to_bytes()),
    ]:
        with pytest.raises(InvalidKeyError):
            kind.from_bytes(data)
        assert kind.from_bytes(data, bits=None).to_bytes() == data
        assert kind.from_bytes(data, bits=2048).to_bytes() == data
    assert len(short.digest()) == 32 and short.digest() != full.digest()


@pytest.mark.parametrize("kind", [PaillierPublicKey, PaillierPrivateKey])
def test_from_bytes__not_canonical__is_refused(private_key, kind):
    key = private_key if kind is PaillierPrivateKey else private_key.public_key
    data = key.to_bytes()
    width = int.from_bytes(data[4:6], "big")
    padded = data[:4] + (width + 1).to_bytes(2, "big") + b"\0" + data[6:]
    for hostile in [
        b"",
        data[:6],
        data[:-1],
        data + b"\0",
        b"XXXX" + data[4:],
        data[:4] + bytes(2),
        data[:4] + b"\xff\xff" + bytes(65535),
        padded,
        data.hex(),
        None,
    ]:
        with pytest.raises(EncodingError):
            kind.from_bytes(hostile, bits=None)


def test_private_key_from_bytes__bad_primes__are_refused(private_key):
    p, q = private_key._p, private_key._q
    width = 128

    def encoded(first, second):
        body = first.to_bytes(width, "big") + second.to_bytes(width, "big")
        return paillier.PRIVATE_MAGIC + width.to_bytes(2, "big") + body

    for first, second in [(q, p), (p, p), (p - 2, q), (p, q + 2), (p >> 1 | 1, q)]:
        with pytest.raises(CryptoError):
            PaillierPrivateKey.from_bytes(encoded(first, second), bits=None)


def test_ciphertext_bytes__round_trip_and_strict_width(private_key):
    public_key = private_key.public_key
    ciphertext = paillier.encrypt(public_key, 3)
    data = paillier.ciphertext_to_bytes(public_key, ciphertext)
    assert len(data) == 512
    assert paillier.ciphertext_from_bytes(public_key, data) == ciphertext
    for hostile in [data[1:], b"\0" + data, bytes(512), b"\xff" * 512, data.hex(), None]:
        with pytest.raises(DecryptionError):
            paillier.ciphertext_from_bytes(public_key, hostile)
    with pytest.raises(DecryptionError):
        paillier.ciphertext_to_bytes(public_key, 0)


def test_require_sound_modulus__checked_twice__costs_once(full_private_key):
    modulus.require_sound_modulus(full_private_key.public_key.n)
    hits = modulus.require_sound_modulus.cache_info().hits
    modulus.require_sound_modulus(full_private_key.public_key.n)
    assert modulus.require_sound_modulus.cache_info().hits == hits + 1


def test_public_key__checked_n_of_another_type__is_refused(private_key):
    with pytest.raises(InvalidKeyError):
        PaillierPublicKey(gmpy2.mpz(private_key.public_key.n))


def test_public_key__as_value__compares_hashes_and_prints_without_n(private_key):
    key = PaillierPublicKey(private_key.public_key.n)
    assert {key, private_key.public_key} == {key} and key != 5
    assert "2048 bits" in repr(key) and str(key.n) not in repr(key)
