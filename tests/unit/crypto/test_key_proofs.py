"""Proofs that a modulus is well formed: complete, bound to their context, and hard to forge."""

from math import prod

import gmpy2
import pytest

from offchain.crypto import blum_proof, factor_proof, key_file, paillier
from offchain.crypto.factor_proof import RSA_2048
from offchain.crypto.paillier import PaillierPrivateKey
from offchain.crypto.proof_hash import KeyContext, SecretStream, hash_below
from offchain.errors import CryptoError, EncodingError, InvalidKeyError

CONTEXT = KeyContext(31337, "0x" + "11" * 20, "0x" + "22" * 20)


def blum_prime(bits, start=0, residue=3):
    candidate = gmpy2.next_prime((3 << (bits - 2)) + start)
    while candidate % 4 != residue:
        candidate = gmpy2.next_prime(candidate)
    return int(candidate)


P, Q = blum_prime(512), blum_prime(512, 1 << 400)
N = P * Q


@pytest.fixture(scope="module")
def proof():
    return blum_proof.prove(P, Q, CONTEXT)


@pytest.fixture(scope="module")
def large():
    return factor_proof.prove(P, Q, CONTEXT)


def blum_holds(n, data, context=CONTEXT):
    return blum_proof.verify(n, data, context, allow_small=True)


# --- two primes, 3 modulo 4 ----------------------------------------------------------------------


def test_blum_verify__honest_proof__holds_and_is_the_only_one(proof):
    assert blum_holds(N, proof)
    assert proof == blum_proof.prove(Q, P, CONTEXT)
    assert len(proof) == blum_proof.proof_length(128) == 32 + 135 * 128


def test_blum_verify__any_region_changed__is_false(proof):
    width = 128
    starts = [0, 15, 16, 31, 32, 32 + width - 1, 32 + 127 * width, 32 + 128 * width, len(proof) - 1]
    for position in starts:
        for bit in (1, 128):
            changed = bytearray(proof)
            changed[position] ^= bit
            assert not blum_holds(N, bytes(changed))


def test_blum_verify__other_roots_or_residues__are_not_canonical(proof):
    x = int.from_bytes(proof[32 : 32 + 128], "big")
    z_start = 32 + 128 * 128
    for value, start in [(N - x, 32), (0, 32), (N, 32), (0, z_start), (N, z_start)]:
        changed = proof[:start] + value.to_bytes(128, "big") + proof[start + 128 :]
        assert not blum_holds(N, changed)


def test_blum_verify__wrong_length_or_type__is_false(proof):
    for hostile in (b"", proof[:-1], proof + b"\0", proof[128:], None, proof.hex(), bytearray(5)):
        assert not blum_holds(N, hostile)


@pytest.mark.parametrize(
    "context",
    [
        KeyContext(1, CONTEXT.registry, CONTEXT.account),
        KeyContext(31337, "0x" + "12" * 20, CONTEXT.account),
        KeyContext(31337, CONTEXT.registry, "0x" + "23" * 20),
        KeyContext(31337, CONTEXT.account, CONTEXT.registry),
    ],
)
def test_verify__another_chain_registry_or_account__is_false(proof, large, context):
    assert not blum_holds(N, proof, context)
    assert not factor_proof.verify(N, large, context)


def test_verify__another_modulus__is_false(proof, large):
    other = P * blum_prime(512, 1 << 300)
    assert not blum_holds(other, proof) and not factor_proof.verify(other, large, CONTEXT)


@pytest.mark.parametrize(
    "n",
    [
        P,
        2 * P,
        P * P,
        15,
        0,
        -N,
        N + 1,
        prod(int(gmpy2.next_prime(2**15 + 1000 * i)) for i in range(16)) * blum_prime(780),
        3.0,
        None,
    ],
)
def test_blum_verify__modulus_refused_at_sight__is_false(proof, n):
    assert not blum_holds(n, proof)


def forged(n, primes):
    """The best a prover can do: all the roots that there are, and 1 elsewhere."""
    seed, w = blum_proof._statement(n, CONTEXT)
    width, signs, factors, numbers, missing = -(-n.bit_length() // 8), 0, 0, [], 0
    for index in range(blum_proof.ROOT_ROUNDS):
        y = blum_proof._challenge(seed, index, n)
        found = None
        for sign, factor in ((0, 0), (0, 1), (1, 0), (1, 1)):
            value = (-1) ** sign * w**factor * y % n
            root = fourth_root(value, primes)
            if root is not None:
                found = (sign, factor, min(root, n - root))
        missing += found is None
        sign, factor, root = found or (0, 0, 1)
        signs, factors = signs << 1 | sign, factors << 1 | factor
        numbers.append(root)
    for index in range(blum_proof.ROOT_ROUNDS, blum_proof.ROOT_ROUNDS + blum_proof.POWER_ROUNDS):
        order = prod(prime - 1 for prime in primes)
        root = gmpy2.invert(n, order) if gmpy2.gcd(n, order) == 1 else 1
        numbers.append(int(gmpy2.powmod(blum_proof._challenge(seed, index, n), root, n)))
    head = signs.to_bytes(16, "big") + factors.to_bytes(16, "big")
    return head + b"".join(number.to_bytes(width, "big") for number in numbers), missing


def fourth_root(value, primes):
    root, modulus = 0, 1
    for prime in primes:
        if pow(value, (prime - 1) // gmpy2.gcd(4, prime - 1), prime) != 1:
            return None
        part = value % prime
        for _ in range(2):
            part = square_root(part, prime)
        root += modulus * ((part - root) * pow(modulus, -1, prime) % prime)
        modulus *= prime
    return int(root)


def square_root(value, prime):
    """The root that is a square itself where there is one (Cipolla would do; primes are 3 or 5)."""
    if prime % 4 == 3:
        return pow(value, (prime + 1) // 4, prime)
    root = pow(value, (prime + 3) // 8, prime)
    if root * root % prime != value:
        root = root * pow(2, (prime - 1) // 4, prime) % prime
    if pow(root, (prime - 1) // 2, prime) != 1:
        root = root * pow(2, (prime - 1) // 4, prime) % prime
    return root


def test_forged__by_two_blum_primes__is_the_proof(proof):
    assert forged(N, [P, Q])[1] == 0 and blum_holds(N, forged(N, [P, Q])[0])


@pytest.mark.parametrize(
    "primes",
    [
        [blum_prime(342), blum_prime(342, 1 << 200), blum_prime(342, 1 << 250)],
        [P, blum_prime(512, residue=1) if blum_prime(512, residue=1) % 8 == 5 else 0],
    ],
    ids=["three primes", "a prime 1 modulo 4"],
)
def test_blum_verify__best_forgery_for_a_wrong_modulus__is_false(primes):
    if 0 in primes:
        start = 0
        while blum_prime(512, start, residue=1) % 8 != 5:
            start += 1 << 300
        primes = [P, blum_prime(512, start, residue=1)]
    data, missing = forged(prod(primes), primes)
    assert missing > 30  # about half of 128 have no root
    assert not blum_holds(prod(primes), data)


def test_blum_verify__squareful_modulus__has_no_nth_roots():
    n = P * P * blum_prime(300)
    seed, _ = blum_proof._statement(n, CONTEXT)
    challenges = [blum_proof._challenge(seed, i, n) for i in range(128, 135)]
    order = P * (P - 1) * (blum_prime(300) - 1)
    assert all(pow(y, order // P, n) != 1 for y in challenges)  # an n-th power would give 1
    data = bytes(32) + b"\0" * (134 * 166) + (1).to_bytes(166, "big")
    assert not blum_holds(n, data)


def test_blum_prove__other_primes__are_refused():
    for p, q in [(P, blum_prime(512, residue=1)), (blum_prime(512, residue=1), P)]:
        with pytest.raises(InvalidKeyError, match="3 modulo 4"):
            blum_proof.prove(p, q, CONTEXT)
    with pytest.raises(InvalidKeyError):
        blum_proof.prove(11, 23, CONTEXT)  # 11 divides 22


# --- two large factors ---------------------------------------------------------------------------


def test_factor_verify__honest_proof__holds_and_is_the_same_again(large):
    assert factor_proof.verify(N, large, CONTEXT)
    assert large == factor_proof.prove(P, Q, CONTEXT)
    assert len(large) == factor_proof.proof_length(N)


def test_factor_verify__any_number_changed__is_false(large):
    position = 0
    for width in factor_proof._Ranges(N).widths:
        for offset in (0, width - 1):
            changed = bytearray(large)
            changed[position + offset] ^= 1
            assert not factor_proof.verify(N, bytes(changed), CONTEXT)
        position += width


def test_factor_verify__wrong_length_type_or_modulus__is_false(large):
    for hostile in (b"", large[:-1], large + b"\0", None, large.hex()):
        assert not factor_proof.verify(N, hostile, CONTEXT)
    for n in (0, -N, 15, 2**5000, None, 1.5):
        assert not factor_proof.verify(n, large, CONTEXT)


def test_factor_verify__commitment_that_is_no_unit__is_false(large):
    for value in (0, RSA_2048):
        changed = value.to_bytes(256, "big") + large[256:]
        assert not factor_proof.verify(N, changed, CONTEXT)


def test_proofs__small_factor_above_two_to_the_twenty__only_the_second_refuses(monkeypatch):
    small, rest = blum_prime(40), blum_prime(984)
    n = small * rest
    assert blum_holds(n, blum_proof.prove(small, rest, CONTEXT))  # the negative control
    for p, q in [(small, rest), (1, n)]:
        with pytest.raises(EncodingError):  # its z does not fit its range
            factor_proof.prove(p, q, CONTEXT)
    monkeypatch.setattr(factor_proof, "_RANGE_BITS", 256 + 512)
    wide = factor_proof.prove(small, rest, CONTEXT)
    assert factor_proof.verify(n, wide, CONTEXT)
    monkeypatch.undo()
    assert not factor_proof.verify(n, wide, CONTEXT)


def test_auxiliary_bases__hashed_squares__generate_nothing_small():
    s, t = factor_proof.auxiliary_bases()
    assert RSA_2048.bit_length() == 2048 and not gmpy2.is_prime(RSA_2048)
    assert len(str(RSA_2048)) == 617 and s != t
    for base in (s, t):
        assert gmpy2.jacobi(base, RSA_2048) == 1 and base.bit_length() > 2000
        assert gmpy2.gcd(base - 1, RSA_2048) == gmpy2.gcd(base, RSA_2048) == 1


# --- the hashes ----------------------------------------------------------------------------------


def test_seed__numbers_cut_otherwise__is_another():
    assert CONTEXT.seed(b"X", b"ab", b"c") != CONTEXT.seed(b"X", b"a", b"bc")
    assert CONTEXT.seed(b"X", b"ab") != CONTEXT.seed(b"Y", b"ab") != CONTEXT.seed(b"Y", b"a", b"b")


def test_secret_stream__one_key_and_seed__is_one_stream_within_its_bounds():
    first, again = (SecretStream(b"k" * 32, b"s") for _ in range(2))
    draws = [first.below(1000) for _ in range(50)]
    assert draws == [again.below(1000) for _ in range(50)]
    assert max(draws) < 1000 and len(set(draws)) > 30
    assert SecretStream(b"k" * 32, b"t").below(2**256) != SecretStream(b"l" * 32, b"t").below(
        2**256
    )
    assert hash_below(b"seed", 1, 10**40, tag=b"T") != hash_below(b"seed", 2, 10**40, tag=b"T")


# --- the file ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def file(private_key):
    return key_file.make(private_key, CONTEXT)


def test_read__honest_file__gives_the_key(private_key, file):
    assert key_file.read(file, CONTEXT, bits=2048) == private_key.public_key
    assert key_file.read(file, CONTEXT, bits=None) == private_key.public_key
    assert file == key_file.make(
        PaillierPrivateKey.from_bytes(private_key.to_bytes(), bits=None), CONTEXT
    )
    # Some widths follow the bits of √n, so a byte more or less.
    assert 38_150 < len(file) < 38_170 < key_file.MAX_BYTES
    assert len(key_file.digest(file)) == 32


def test_read__full_size_key__fits_in_one_block(full_private_key):
    file = key_file.make(full_private_key, CONTEXT)
    assert key_file.read(file, CONTEXT) == full_private_key.public_key
    assert 55_900 < len(file) <= 55_951 < key_file.MAX_BYTES  # numbers may begin with zero bytes


def test_read__another_context_or_size__is_refused(file):
    with pytest.raises(InvalidKeyError, match="two primes"):
        key_file.read(file, KeyContext(1, CONTEXT.registry, CONTEXT.account), bits=2048)
    with pytest.raises(InvalidKeyError, match="3072 bits"):
        key_file.read(file, CONTEXT)


def test_read__proofs_missing_or_changed__is_refused(private_key, other_private_key, file):
    key = private_key.public_key.to_bytes()
    other = key_file.make(other_private_key, CONTEXT)
    swapped = bytearray(file)
    swapped[-1] ^= 1
    for hostile in [
        b"",
        key,
        file[:-1],
        file + b"\0",
        key + b"DMZ2" + file[len(key) + 4 :],
        key + other[len(key) :],
        other[: len(key)] + file[len(key) :],
        bytes(swapped),
        file[:6],
        bytearray(file),
        None,
        bytes(key_file.MAX_BYTES + 1),
    ]:
        with pytest.raises(CryptoError):
            key_file.read(hostile, CONTEXT, bits=2048)


def test_make__key_of_other_primes__is_refused():
    p, q = blum_prime(512, residue=1), Q
    key = paillier.PaillierPrivateKey(p, q, allow_small=True)
    with pytest.raises(InvalidKeyError):
        key_file.make(key, CONTEXT)
