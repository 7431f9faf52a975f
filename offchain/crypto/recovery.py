"""What members do with their shares: decrypt, verify, and recover [k]H (protocol.md §5).

S_i = [s_i⁻¹]Y_i = [f(i)]H; any t of them give [k]H by interpolation in the exponent. False ones
are found first and their senders named.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb

from offchain.crypto.curve import (
    G1,
    G2,
    G2_GENERATOR,
    GROUP_ORDER,
    PairingCheck,
    is_in_subgroup,
    multiply,
    negate,
    pairing_product_is_one,
    weighted_sum,
)
from offchain.crypto.delivery import DeliverySecretKey
from offchain.crypto.encoding import is_integer
from offchain.crypto.hash_to_curve import H
from offchain.crypto.polynomial import lagrange_at_zero
from offchain.errors import CryptoError, NotEnoughSharesError, SharingError

MAX_MEMBERS = 100
_WEIGHT_BITS = 128


@dataclass(frozen=True, slots=True, repr=False)
class Recovery:
    """The recovered [k]H (secret), and the members whose shares were refused."""

    group_secret: G1
    false_indices: tuple[int, ...]


def require_commitments(
    commitments: Sequence[G2], threshold: int, *, in_subgroup: bool = True
) -> None:
    """Raise SharingError unless there are exactly t valid commitments, none at infinity.

    `in_subgroup` False leaves the order of the points to a pairing check that follows.
    """
    # A longer vector would raise the threshold, a shorter one lower it.
    if len(commitments) != threshold:
        raise SharingError(f"expected exactly {threshold} commitments, got {len(commitments)}")
    if not all(isinstance(point, G2) for point in commitments) or (
        in_subgroup and not all(is_in_subgroup(point) for point in commitments)
    ):
        raise SharingError("a commitment is not a G2 point of the subgroup")
    if not commitments or any(point.is_infinity for point in commitments):
        raise SharingError("there is no commitment, or one is the point at infinity")


def decrypt_share(secret: DeliverySecretKey, encrypted_share: G1) -> G1:
    """Decrypt one's own share: S_i = [s_i⁻¹]Y_i = [f(i)]H.

    Raises SharingError for the point at infinity. Check the result with `verify_share`.
    """
    if encrypted_share.is_infinity:
        raise SharingError("an encrypted share may not be the point at infinity")
    return multiply(encrypted_share, pow(secret.reveal(), -1, GROUP_ORDER))


def verify_share(
    share: G1,
    *,
    index: int,
    commitments: Sequence[G2],
    members: int,
    pairing_check: PairingCheck = pairing_product_is_one,
) -> bool:
    """Tell whether e(S_i, G2) = e(H, Σ_j C(i,j)F_j) for member `index` in 1..members."""
    try:
        require_commitments(commitments, len(commitments))
        _require_indices([index], members)
    except (CryptoError, IndexError, TypeError):
        return False
    return not _find_false({index: share}, commitments, pairing_check)


def _require_indices(indices: Sequence[int], members: int) -> None:
    if not all(is_integer(index) and 1 <= index <= members <= MAX_MEMBERS for index in indices):
        raise SharingError(f"share indices are the contract's positions 1..{members}")


def _find_false(
    shares: Mapping[int, G1], commitments: Sequence[G2], pairing_check: PairingCheck
) -> list[int]:
    """Return the indices of the shares that do not verify, by halving a batched check."""
    false = [i for i, s in shares.items() if not isinstance(s, G1) or s.is_infinity]
    finite = {i: share for i, share in shares.items() if i not in false}
    if not finite or _is_batch_valid(finite, commitments, pairing_check):
        return false
    if len(finite) == 1:
        return [*false, *finite]
    indices = sorted(finite)
    middle = len(indices) // 2
    for half in (indices[:middle], indices[middle:]):
        false += _find_false({i: finite[i] for i in half}, commitments, pairing_check)
    return false


def _is_batch_valid(
    shares: Mapping[int, G1], commitments: Sequence[G2], pairing_check: PairingCheck
) -> bool:
    # Fresh weights that no sender could know; one share alone needs none.
    one = len(shares) == 1
    rho = {i: 1 if one else 1 + secrets.randbelow((1 << _WEIGHT_BITS) - 1) for i in shares}
    left = weighted_sum(list(shares.values()), list(rho.values()))
    totals = [sum(rho[i] * comb(i, j) for i in shares) for j in range(len(commitments))]
    return pairing_check([(left, G2_GENERATOR), (negate(H), weighted_sum(commitments, totals))])


def recover(
    shares: Mapping[int, G1],
    *,
    commitments: Sequence[G2],
    threshold: int,
    members: int,
    pairing_check: PairingCheck = pairing_product_is_one,
) -> Recovery:
    """Recover [k]H from decrypted shares S_i by index, whatever false ones are among them.

    Checks every share first and names the false. Raises NotEnoughSharesError below `threshold`
    valid ones, SharingError for an index outside 1..members or wrong commitments.
    """
    require_commitments(commitments, threshold)
    _require_indices(list(shares), members)
    false = tuple(sorted(_find_false(shares, commitments, pairing_check)))
    valid = sorted(set(shares) - set(false))
    if len(valid) < threshold:
        raise NotEnoughSharesError(needed=threshold, valid=len(valid), false_indices=false)
    lagrange = lagrange_at_zero(valid[:threshold], GROUP_ORDER)
    points = [shares[index] for index in lagrange]
    return Recovery(weighted_sum(points, list(lagrange.values())), false)
