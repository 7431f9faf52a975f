"""Decryption by t of n (Damgård–Jurik, PKC 2001, s = 1), each part proven.

    c_i = c^(2Δ·s_i)                       member i's part of c, with a proof that
    log_{c⁴}(c_i²) = log_{v²}(v_i²) = Δ·s_i    modulo n²
    Π c_i^(2λ_i) = (1 + n)^(4Δ²·M)         over any t valid parts

What is decrypted is a ciphertext that every member can see and multiplies itself, so errors say
nothing that is not public. Still every malformed input meets one uniform DecryptionError.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from typing import Self

import gmpy2

from offchain.crypto import integer_sharing
from offchain.crypto.encoding import any_bytes, fixed_width
from offchain.crypto.equality_proof import (
    EqualityProof,
    EqualityStatement,
    proof_bytes,
    prove_equality,
    verify_equality,
)
from offchain.crypto.paillier import PaillierPublicKey
from offchain.crypto.secret_power import secret_power
from offchain.crypto.threshold_key import (
    KeyShare,
    ThresholdPublicKey,
    is_unit,
    raised_product,
    require_unit,
)
from offchain.errors import CryptoError, DecryptionError, InvalidKeyError, NotEnoughSharesError

_TAG = b"DMSM-V1-partial-decryption"
_MOST_TRIES = 64  # every group of t of seven members, and a bound to what a false dealer costs


@dataclass(frozen=True, slots=True)
class PartialDecryption:
    """Member `index`'s part c_i of one ciphertext, with its proof."""

    index: int
    value: int
    proof: EqualityProof

    def to_bytes(self, public_key: ThresholdPublicKey) -> bytes:
        """Return c_i in twice the width of n ‖ the proof."""
        value = fixed_width(self.value, 2 * public_key.encryption.byte_length)
        return value + self.proof.to_bytes(public_key.exponent_bits)

    @classmethod
    def from_bytes(cls, data: bytes, *, index: int, public_key: ThresholdPublicKey) -> Self:
        """Read what `to_bytes` wrote. Raises DecryptionError for anything else."""
        if not isinstance(data, bytes) or len(data) != partial_bytes(public_key):
            raise DecryptionError
        cut = 2 * public_key.encryption.byte_length
        value = int.from_bytes(data[:cut], "big")
        require_unit(public_key.encryption, value)
        bits = public_key.exponent_bits
        return cls(index, value, EqualityProof.from_bytes(data[cut:], exponent_bits=bits))


@dataclass(frozen=True, slots=True, repr=False)
class ThresholdOpening:
    """A plaintext in [0, n), and the indices of those whose parts were refused."""

    plaintext: int
    false_indices: tuple[int, ...]


def partial_bytes(public_key: ThresholdPublicKey) -> int:
    """Return the length of an encoded partial decryption."""
    return 2 * public_key.encryption.byte_length + proof_bytes(public_key.exponent_bits)


def product(public_key: PaillierPublicKey, ciphertexts: Sequence[int]) -> int:
    """Multiply ciphertexts: the encryption of the sum of their plaintexts modulo n.

    Deterministic, so that everyone who multiplies gets the same; for the same reason it is not
    randomised anew, and hides nothing of a sum of one. Raises DecryptionError for an empty list
    and for whatever is not in Z*_{n²} (one gcd tells for all of them).
    """
    n_squared, result = public_key.n_squared, gmpy2.mpz(1)
    if not ciphertexts:
        raise DecryptionError
    for ciphertext in ciphertexts:
        if type(ciphertext) is not int or not 0 < ciphertext < n_squared:
            raise DecryptionError
        result = result * ciphertext % n_squared
    require_unit(public_key, int(result))
    return int(result)


def partially_decrypt(
    public_key: ThresholdPublicKey, share: KeyShare, ciphertext: int, *, context: bytes
) -> PartialDecryption:
    """Compute the own part of a ciphertext, with its proof bound to `context`. Random.

    Raises DecryptionError for whatever is not an element of Z*_{n²}. What the ciphertext holds
    is for the caller to know: a part given for a single reading helps to open that reading.
    """
    require_unit(public_key.encryption, ciphertext)
    exponent = public_key.delta * share.reveal()
    value = int(secret_power(ciphertext, 2 * exponent, public_key.n_squared))
    bound = _context(public_key, ciphertext, share.index, value, context)
    statement = _statement(public_key, ciphertext, share.index, value)
    return PartialDecryption(share.index, value, prove_equality(statement, exponent, context=bound))


def verify_partial(
    public_key: ThresholdPublicKey, ciphertext: int, partial: PartialDecryption, *, context: bytes
) -> bool:
    """Tell whether a part is its member's part of this ciphertext in this context."""
    try:
        is_known = 1 <= partial.index <= public_key.members
        units = all(is_unit(public_key.encryption, one) for one in (ciphertext, partial.value))
        if not is_known or not units:
            return False
        bound = _context(public_key, ciphertext, partial.index, partial.value, context)
        statement = _statement(public_key, ciphertext, partial.index, partial.value)
        return verify_equality(statement, partial.proof, context=bound)
    except (CryptoError, TypeError, AttributeError):
        return False


def combine(
    public_key: ThresholdPublicKey,
    ciphertext: int,
    partials: Sequence[PartialDecryption],
    *,
    context: bytes,
) -> ThresholdOpening:
    """Decrypt from any t valid parts, verifying each and naming the false ones.

    A second part of one index is ignored. Where t valid parts do not open, the key was dealt
    falsely (`threshold_key`): others are tried, 64 groups at most, and nobody whose proof holds
    is named. Raises DecryptionError for a malformed ciphertext, NotEnoughSharesError below the
    threshold, InvalidKeyError where no group opens.
    """
    require_unit(public_key.encryption, ciphertext)
    valid: dict[int, int] = {}
    false: set[int] = set()
    tries = 0
    for partial in partials:
        if partial.index in valid:
            continue
        if not verify_partial(public_key, ciphertext, partial, context=context):
            false.add(partial.index)
            continue
        valid[partial.index] = partial.value
        for group in islice(_groups_with_last(valid, public_key.threshold), _MOST_TRIES - tries):
            tries += 1
            plaintext = _joined(public_key, group)
            if plaintext is not None:
                return ThresholdOpening(plaintext, tuple(sorted(false - valid.keys())))
    if len(valid) < public_key.threshold:
        false_indices = tuple(sorted(false - valid.keys()))
        raise NotEnoughSharesError(
            needed=public_key.threshold, valid=len(valid), false_indices=false_indices
        )
    raise InvalidKeyError(
        "parts whose proofs hold do not open: the threshold key was dealt falsely; ask more "
        "members, or its dealer for another key"
    )


def _groups_with_last(valid: dict[int, int], threshold: int) -> Iterator[dict[int, int]]:
    """Yield the groups of t that the newest part makes possible."""
    *earlier, last = valid
    for others in combinations(earlier, threshold - 1):
        yield {index: valid[index] for index in (*others, last)}


def _joined(public_key: ThresholdPublicKey, values: dict[int, int]) -> int | None:
    """Return the plaintext that t parts give, or None when they do not fit each other."""
    n, scale = public_key.n, public_key.delta
    weights = integer_sharing.integer_weights(list(values), members=public_key.members)
    doubled = {index: 2 * weight for index, weight in weights.items()}
    quotient, rest = divmod(raised_product(public_key, doubled, values) - 1, n)
    if rest:
        return None
    return int(quotient * gmpy2.invert(4 * scale * scale, n) % n)


def _statement(
    public_key: ThresholdPublicKey, ciphertext: int, index: int, value: int
) -> EqualityStatement:
    modulus = public_key.n_squared
    return EqualityStatement(
        modulus=modulus,
        base=int(gmpy2.powmod(ciphertext, 4, modulus)),
        value=value * value % modulus,
        other_base=public_key.base**2 % modulus,
        other_value=public_key.squares[index - 1],
        exponent_bits=public_key.exponent_bits,
    )


def _context(
    public_key: ThresholdPublicKey, ciphertext: int, index: int, value: int, context: bytes
) -> bytes:
    """Bind key, member, ciphertext, the part itself (not its square alone) and the purpose."""
    width = 2 * public_key.encryption.byte_length
    numbers = fixed_width(ciphertext, width) + fixed_width(value, width)
    purpose = hashlib.sha256(any_bytes(context, name="a context")).digest()
    return _TAG + public_key.fingerprint() + fixed_width(index, 2) + numbers + purpose
