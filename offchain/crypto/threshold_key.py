"""Keys of threshold Paillier (Damgård–Jurik, PKC 2001, s = 1): dealt by one, held by n, used by t.

The dealer knows the safe primes and forgets them: it is trusted for secrecy. That it dealt well
is checked by everyone. Beyond the paper, the base v of the verification keys is hashed from n,
and the dealer opens it as a Paillier ciphertext, v = ((1 + a·n)·ρ^n)². So

    Π v_i^2λ_i  over any t members must equal  v^(2Δ²·d) = 1 + 4·a·Δ²·n  modulo n²,

which shows d ≡ 1 modulo n and d ≡ 0 modulo v's order; that all t-th differences vanish shows that
the v_i² lie on one polynomial of degree t − 1 (`verify_dealing`). Both are exact in any group.
Everything is said of squares: who knows the primes finds roots of 1, and might change a v_i by one.

That p and q are *safe* primes is not shown. If they are not, v may lack a factor of m that other
elements have: then a dealing passes under which some ciphertexts are opened by few or no groups
(`threshold_paillier.combine` tries), and a false proof may be found for a false part.
"""

import hashlib
from collections.abc import Mapping
from itertools import count, pairwise
from typing import Self

import gmpy2

from offchain.crypto import integer_sharing, paillier
from offchain.crypto.encoding import exact_bytes, fixed_width, is_integer
from offchain.crypto.kdf import hkdf
from offchain.crypto.paillier import PaillierPrivateKey, PaillierPublicKey
from offchain.crypto.safe_prime import is_safe_prime
from offchain.crypto.secret import Secret
from offchain.crypto.secret_power import secret_power
from offchain.errors import DecryptionError, InvalidKeyError, InvalidShareError

_BASE_INFO = b"DMSM-V1-threshold-base"
_EXTRA_BYTES = 16  # a hash that much longer than n² is uniform modulo n²
_INDEX_BYTES = 2


class ThresholdPublicKey:
    """A modulus with a group: threshold, one verification key a member, and the base's opening.

    Raises InvalidKeyError or SharingError for what no honest dealer could have made; whether the
    dealing holds is `verify_dealing`'s to say. `opening` is (a, ρ) as above; `squares` are the
    v_i².
    """

    __slots__ = (
        *("base", "base_root", "delta", "encryption", "opening"),
        *("squares", "threshold", "verification"),
    )

    def __init__(
        self,
        n: int,
        *,
        threshold: int,
        verification: tuple[int, ...],
        opening: tuple[int, int],
        allow_small: bool = False,
    ) -> None:
        self.encryption = PaillierPublicKey(n, allow_small=allow_small)
        integer_sharing.require_group(threshold=threshold, members=len(verification))
        if not all(is_unit(self.encryption, value) for value in verification):
            raise InvalidKeyError("a verification key is no unit modulo n²")
        squares = tuple(int(one * one % self.n_squared) for one in verification)
        if len(set(squares)) != len(squares):
            raise InvalidKeyError("two members have one verification key")
        self.threshold = threshold
        self.verification = tuple(verification)
        self.squares = squares
        self.opening = opening
        self.delta = integer_sharing.delta(len(verification))
        self.base_root = _hashed_base(self.encryption)
        self.base = int(self.base_root**2 % self.encryption.n_squared)

    @property
    def n(self) -> int:
        """The modulus."""
        return self.encryption.n

    @property
    def n_squared(self) -> int:
        """The modulus of ciphertexts."""
        return self.encryption.n_squared

    @property
    def members(self) -> int:
        """How many members hold a share; their indices are 1..members."""
        return len(self.verification)

    @property
    def exponent_bits(self) -> int:
        """Bits of n²·Δ, above every Δ·s_i."""
        return self.n_squared.bit_length() + self.delta.bit_length()

    def fingerprint(self) -> bytes:
        """Return SHA-256 over threshold, members, n and the verification keys."""
        width = 2 * self.encryption.byte_length
        head = fixed_width(self.threshold, 2) + fixed_width(self.members, 2)
        keys = b"".join(fixed_width(value, width) for value in self.verification)
        return hashlib.sha256(head + self.encryption.to_bytes() + keys).digest()

    def __repr__(self) -> str:
        group = f"{self.threshold} of {self.members}"
        return f"<ThresholdPublicKey {self.encryption.bits} bits, {group}>"


class KeyShare(Secret):
    """Member `index`'s share s_i in [0, n²) of the decryption exponent. Redacted."""

    __slots__ = ("_value", "_width", "index")

    def __init__(self, index: int, value: int, *, width: int) -> None:
        if not is_integer(index) or not 1 <= index <= integer_sharing.MAX_MEMBERS:
            raise InvalidShareError(index)
        self.index = index
        self._value = int.from_bytes(fixed_width(value, width), "big")
        self._width = width

    def reveal(self) -> int:
        """Return s_i."""
        return self._value

    def to_bytes(self) -> bytes:
        """Return index (2 bytes) ‖ s_i in twice the width of n: seal it before it leaves."""
        return fixed_width(self.index, _INDEX_BYTES) + fixed_width(self._value, self._width)

    @classmethod
    def from_bytes(cls, data: bytes, *, public_key: ThresholdPublicKey) -> Self:
        """Read a share strictly and hold it against its verification key.

        Raises EncodingError for other bytes, InvalidShareError for a share that was not dealt.
        """
        width = 2 * public_key.encryption.byte_length
        data = exact_bytes(data, _INDEX_BYTES + width, name="a key share")
        index = int.from_bytes(data[:_INDEX_BYTES], "big")
        share = cls(index, int.from_bytes(data[_INDEX_BYTES:], "big"), width=width)
        if not verify_key_share(public_key, share):
            raise InvalidShareError(index)
        return share


def deal_key(
    p: int, q: int, *, threshold: int, members: int, allow_small: bool = False
) -> tuple[ThresholdPublicKey, tuple[KeyShare, ...]]:
    """Deal the key of two safe primes to members 1..n, t of which can decrypt. Random.

    `allow_small` admits moduli of 512 bits and up, for tests. Raises InvalidKeyError for primes
    that are not safe, equal, or of two lengths. The primes are not kept.
    """
    if p == q or not is_safe_prime(p) or not is_safe_prime(q):
        raise InvalidKeyError("a threshold key needs two different safe primes")
    private_key = PaillierPrivateKey(p, q, allow_small=allow_small)
    n, n_squared = private_key.public_key.n, private_key.public_key.n_squared
    order = (p >> 1) * (q >> 1)  # m = p'q'
    exponent = order * int(gmpy2.invert(order, n))  # d ≡ 0 mod m, d ≡ 1 mod n
    values = integer_sharing.deal_shares(
        exponent, modulus=n * order, threshold=threshold, members=members
    )
    root = _hashed_base(private_key.public_key)
    scale = integer_sharing.delta(members)
    verification = (secret_power(root**2 % n_squared, scale * one, n_squared) for one in values)
    public_key = ThresholdPublicKey(
        n,
        threshold=threshold,
        verification=tuple(map(int, verification)),
        opening=(paillier.decrypt(private_key, root), paillier.extract_coins(private_key, root)),
        allow_small=allow_small,
    )
    width = 2 * public_key.encryption.byte_length
    shares = (KeyShare(index, one, width=width) for index, one in enumerate(values, start=1))
    return public_key, tuple(shares)


def verify_key_share(public_key: ThresholdPublicKey, share: KeyShare) -> bool:
    """Tell whether v^(2Δ·s_i) = v_i²: the share is the one its index was dealt."""
    if share.index > public_key.members or not share.reveal() < public_key.n_squared:
        return False
    exponent = 2 * public_key.delta * share.reveal()
    raised = secret_power(public_key.base, exponent, public_key.n_squared)
    return bool(raised == public_key.squares[share.index - 1])


def verify_dealing(public_key: ThresholdPublicKey) -> bool:
    """Tell whether any t members decrypt rightly, as everyone can check. Never raises.

    For a modulus of two safe primes, which the dealer alone knows it to be: see above. Costs one
    exponentiation of the size of n, t small ones, and t·n inversions.
    """
    return _base_is_opened(public_key) and _secret_is_right(public_key) and _has_degree(public_key)


def is_unit(public_key: PaillierPublicKey, value: int) -> bool:
    """Tell whether a value is an integer of Z*_{n²} in [1, n²)."""
    in_range = is_integer(value) and 0 < value < public_key.n_squared
    return in_range and gmpy2.gcd(value, public_key.n) == 1


def require_unit(public_key: PaillierPublicKey, value: int) -> None:
    """Raise the one uniform DecryptionError unless a value is in Z*_{n²}."""
    if not is_unit(public_key, value):
        raise DecryptionError


def _hashed_base(public_key: PaillierPublicKey) -> int:
    """Hash n to a unit modulo n² whose square is the base v: nobody chooses it."""
    length = 2 * public_key.byte_length + _EXTRA_BYTES
    for counter in count():
        info = _BASE_INFO + fixed_width(counter, 4)
        stream = hkdf(public_key.n_bytes(), salt=b"", info=info, length=length)
        candidate = int.from_bytes(stream, "big") % public_key.n_squared
        if is_unit(public_key, candidate):
            return candidate
    raise InvalidKeyError("unreachable: the counter never ends")


def _base_is_opened(key: ThresholdPublicKey) -> bool:
    a, rho = key.opening
    if not all(is_integer(one) and 0 <= one < key.n for one in key.opening):
        return False
    noise = gmpy2.powmod(rho, key.n, key.n_squared)
    return bool((1 + a * key.n) * noise % key.n_squared == key.base_root)


def _secret_is_right(key: ThresholdPublicKey) -> bool:
    weights = integer_sharing.integer_weights(range(1, key.threshold + 1), members=key.members)
    expected = (1 + 4 * key.opening[0] * key.delta**2 * key.n) % key.n_squared
    squares = dict(enumerate(key.squares, start=1))
    return raised_product(key, weights, squares) == expected


def _has_degree(key: ThresholdPublicKey) -> bool:
    """Whether the exponents' t-th differences vanish: each v_i² follows from the t before it."""
    row = [gmpy2.mpz(one) for one in key.squares]
    for _ in range(key.threshold):
        row = [
            after * gmpy2.invert(before, key.n_squared) % key.n_squared
            for before, after in pairwise(row)
        ]
    return all(one == 1 for one in row)


def raised_product(
    key: ThresholdPublicKey, weights: Mapping[int, int], values: Mapping[int, int]
) -> int:
    """Return Π value_i^weight_i modulo n²."""
    product = gmpy2.mpz(1)
    for index, weight in weights.items():
        power = gmpy2.powmod(values[index], weight, key.n_squared)
        product = product * power % key.n_squared
    return int(product)
