"""Dealing of threshold keys: what everyone can check, and every way of dealing falsely."""

import pickle

import gmpy2
import pytest

from offchain.crypto import paillier, threshold_key
from offchain.crypto.threshold_key import (
    KeyShare,
    ThresholdPublicKey,
    deal_key,
    verify_dealing,
    verify_key_share,
)
from offchain.crypto.threshold_paillier import combine, partially_decrypt, verify_partial
from offchain.errors import CryptoError, EncodingError, InvalidKeyError, InvalidShareError
from tests.unit.crypto.threshold_keys import dealt, dealt_of, prime_with, public_primes


def rebuilt(key: ThresholdPublicKey, **changes: object) -> ThresholdPublicKey:
    parts = {
        "threshold": key.threshold,
        "verification": key.verification,
        "opening": key.opening,
        **changes,
    }
    return ThresholdPublicKey(key.n, allow_small=True, **parts)  # type: ignore[arg-type]


def falsely_dealt(monkeypatch: pytest.MonkeyPatch, change: object) -> ThresholdPublicKey:
    """Deal with a polynomial that `change` makes of (secret, modulus, shares)."""
    honest = threshold_key.integer_sharing.deal_shares

    def deal(secret: int, *, modulus: int, threshold: int, members: int) -> tuple[int, ...]:
        return change(honest, secret, modulus, threshold, members)  # type: ignore[operator]

    monkeypatch.setattr(threshold_key.integer_sharing, "deal_shares", deal)
    return deal_key(*public_primes(512), threshold=3, members=5, allow_small=True)[0]


@pytest.mark.parametrize(("threshold", "members"), [(2, 2), (2, 5), (3, 5), (5, 5), (6, 11)])
def test_deal_key__given_safe_primes__verifies_for_everyone(threshold: int, members: int) -> None:
    key, shares = dealt(512, threshold, members)
    assert verify_dealing(key)
    assert [share.index for share in shares] == list(range(1, members + 1))
    assert all(verify_key_share(key, share) for share in shares)


def test_deal_key__at_full_size__verifies() -> None:
    key, shares = dealt(3072, 2, 3)
    assert key.encryption.bits == 3072
    assert verify_dealing(key)
    assert verify_key_share(key, shares[0])


def test_deal_key__given_unsafe_primes__is_refused() -> None:
    p, _ = public_primes(512)
    unsafe = 2**255 + 95  # a prime, (unsafe − 1)/2 is none
    for pair in [(p, p), (p, unsafe), (p, 15), (p, -p), (p, public_primes(1024)[0])]:
        with pytest.raises(InvalidKeyError):
            deal_key(*pair, threshold=2, members=3, allow_small=True)
    with pytest.raises(InvalidKeyError):  # 512 bits only where they are asked for
        deal_key(*public_primes(512), threshold=2, members=3)


def test_verify_dealing__given_another_secret__is_false(monkeypatch: pytest.MonkeyPatch) -> None:
    # Twice the exponent would decrypt everything to twice its plaintext.
    key = falsely_dealt(
        monkeypatch,
        lambda deal, secret, modulus, t, n: deal(
            2 * secret % modulus, modulus=modulus, threshold=t, members=n
        ),
    )
    assert not verify_dealing(key)


def test_verify_dealing__given_a_secret_without_the_order__is_false(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = falsely_dealt(
        monkeypatch,
        lambda deal, secret, modulus, t, n: deal(1, modulus=modulus, threshold=t, members=n),
    )
    assert not verify_dealing(key)


def test_verify_dealing__given_a_higher_degree__is_false(monkeypatch: pytest.MonkeyPatch) -> None:
    key = falsely_dealt(
        monkeypatch,
        lambda deal, secret, modulus, t, n: deal(
            secret, modulus=modulus, threshold=t + 1, members=n
        ),
    )
    assert not verify_dealing(key)


def test_verify_dealing__given_one_false_share__is_false(monkeypatch: pytest.MonkeyPatch) -> None:
    def change(deal, secret, modulus, t, n):  # type: ignore[no-untyped-def]
        *others, last = deal(secret, modulus=modulus, threshold=t, members=n)
        return (*others, (last + 1) % modulus)

    assert not verify_dealing(falsely_dealt(monkeypatch, change))


@pytest.mark.parametrize("change", ["plus", "swap", "huge", "float"])
def test_verify_dealing__given_a_false_opening_of_the_base__is_false(change: str) -> None:
    key, _ = dealt()
    a, rho = key.opening
    opening = {"plus": (a + 1, rho), "swap": (rho, a), "huge": (a + key.n, rho), "float": (1.0, 1)}
    assert not verify_dealing(rebuilt(key, opening=opening[change]))


@pytest.mark.parametrize("negated", [1, 2, 0b10101, 0b11111])
def test_verify_dealing__given_negated_keys__holds_for_every_honest_member(negated: int) -> None:
    """Minus one is no square modulo n², and nobody sees it but who knows the primes."""
    honest, shares = dealt()
    signs = [-1 if negated >> at & 1 else 1 for at in range(5)]
    pairs = zip(signs, honest.verification, strict=True)
    key = rebuilt(honest, verification=tuple(sign * one % honest.n_squared for sign, one in pairs))
    assert verify_dealing(key)
    again = [KeyShare.from_bytes(one.to_bytes(), public_key=key) for one in shares]
    ciphertext = paillier.encrypt(key.encryption, 7)
    parts = [partially_decrypt(key, one, ciphertext, context=b"set") for one in again]
    assert all(verify_partial(key, ciphertext, part, context=b"set") for part in parts)
    for chosen in (parts[:3], parts[2:]):
        opened = combine(key, ciphertext, chosen, context=b"set")
        assert (opened.plaintext, opened.false_indices) == (7, ())


def test_public_key__given_one_key_and_its_negative__is_refused() -> None:
    key, _ = dealt()
    first, _, *others = key.verification
    with pytest.raises(InvalidKeyError, match="one verification key"):
        rebuilt(key, verification=(first, key.n_squared - first, *others))


def test_verify_dealing__given_a_key_off_by_a_small_order__is_false() -> None:
    """With three of the order of p, a third of the random tests of the degree passed this."""
    p, q = prime_with(3), public_primes(512)[1]
    roots = (int(gmpy2.powmod(base, (p - 1) * p // 3, p * p)) for base in range(2, 100))
    root = next(one for one in roots if one != 1)
    step = root + p * p * (1 - root) * int(gmpy2.invert(p * p, q * q)) % (p * q) ** 2
    assert step != 1 and pow(step, 3, (p * q) ** 2) == 1
    order = (p >> 1) * (q >> 1)
    honest, _ = dealt_of(p, q, order, threshold=2, members=4)
    assert verify_dealing(honest)
    first, *others = honest.verification
    changed = (first * step % honest.n_squared, *others)
    for _ in range(20):
        key = rebuilt(honest, threshold=2, verification=changed)
        assert not verify_dealing(key)


def test_verify_dealing__given_exchanged_keys__is_false() -> None:
    key, _ = dealt()
    first, second, *others = key.verification
    assert not verify_dealing(rebuilt(key, verification=(second, first, *others)))


@pytest.mark.parametrize("value", [0, -1, "n", "n2", 1.0, True])
def test_public_key__given_no_unit_as_verification_key__is_refused(value: object) -> None:
    key, _ = dealt()
    bad = {"n": key.n, "n2": key.n_squared + 1}.get(str(value), value)
    with pytest.raises(CryptoError):
        rebuilt(key, verification=(bad, *key.verification[1:]))


def test_public_key__given_one_key_twice__is_refused() -> None:
    key, _ = dealt()
    with pytest.raises(InvalidKeyError, match="one verification key"):
        rebuilt(key, verification=(key.verification[0],) * 5)


def test_share__read_back__is_the_same_and_shows_nothing() -> None:
    key, shares = dealt()
    again = KeyShare.from_bytes(shares[1].to_bytes(), public_key=key)
    assert again == shares[1] and again.index == 2
    assert str(shares[1].reveal()) not in repr(shares[1])
    with pytest.raises(CryptoError):
        pickle.dumps(shares[1])


def test_share__given_other_bytes__is_refused() -> None:
    key, shares = dealt()
    data = shares[0].to_bytes()
    for changed in (data[:-1], data + b"\0", b"", "text"):
        with pytest.raises(EncodingError):
            KeyShare.from_bytes(changed, public_key=key)  # type: ignore[arg-type]
    for index in (0, 2, 6, 0xFFFF):  # of nobody, of another, outside
        with pytest.raises(InvalidShareError):
            KeyShare.from_bytes(index.to_bytes(2, "big") + data[2:], public_key=key)
    for bit in (16, 100, 8 * len(data) - 1):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(InvalidShareError):
            KeyShare.from_bytes(bytes(flipped), public_key=key)
    with pytest.raises(InvalidShareError):
        KeyShare.from_bytes(b"\0\1" + bytes(len(data) - 2), public_key=key)


def test_fingerprint__of_another_dealing__differs() -> None:
    again, _ = deal_key(*public_primes(512), threshold=3, members=5, allow_small=True)
    assert again.fingerprint() != dealt()[0].fingerprint()
