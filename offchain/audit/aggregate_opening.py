"""Whether a member's opening of an aggregate set holds, and the totals that t openings give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from offchain.audit.aggregates import Aggregate
from offchain.crypto import packing
from offchain.crypto.threshold_paillier import (
    PartialDecryption,
    combine,
    verify_partial,
)
from offchain.errors import CryptoError, DecryptionError
from offchain.member.errors import AggregateInvalid
from offchain.records import signing
from offchain.records.aggregate_opening import MemberOpening, partial_context
from offchain.records.slots import VALUES_A_SLOT, SlotEnergy
from offchain.types import Account


@dataclass(frozen=True, slots=True, repr=False)
class Totals:
    """Energies of all homes a slot, from `from_s` on, `slot_s` seconds each.

    false_members: whose openings were refused on the way.
    """

    from_s: int
    slot_s: int
    homes: int
    slots: tuple[SlotEnergy, ...]
    false_members: tuple[Account, ...]


def verify_opening(aggregate: Aggregate, opening: MemberOpening) -> bool:
    """Tell whether a member of the group signed an opening of this set and every proof holds."""
    try:
        parts = _parts(aggregate, opening)
    except (AggregateInvalid, CryptoError):
        return False
    return all(
        verify_partial(
            aggregate.public_key, total, part, context=partial_context(aggregate.set_digest, at)
        )
        for at, (total, part) in enumerate(zip(aggregate.sums, parts, strict=True))
    )


def combine_openings(aggregate: Aggregate, openings: Sequence[MemberOpening]) -> Totals:
    """Open the totals of a set from t members' openings, leaving false ones out and naming them.

    Raises NotEnoughSharesError below the threshold, AggregateInvalid for totals that no such
    number of homes could have.
    """
    usable: list[list[PartialDecryption]] = []
    false: set[Account] = set()
    for opening in openings:
        try:
            usable.append(_parts(aggregate, opening))
        except (AggregateInvalid, DecryptionError):
            false.add(opening.member)
    plaintexts = []
    for position, total in enumerate(aggregate.sums):
        opened = combine(
            aggregate.public_key,
            total,
            [parts[position] for parts in usable],
            context=partial_context(aggregate.set_digest, position),
        )
        plaintexts.append(opened.plaintext)
        false |= {aggregate.key.members[index - 1].account for index in opened.false_indices}
    return Totals(
        from_s=aggregate.entry.from_s,
        slot_s=aggregate.key.slot_s,
        homes=len(aggregate.rows),
        slots=_unpacked(aggregate, plaintexts),
        false_members=tuple(sorted(false)),
    )


def _parts(aggregate: Aggregate, opening: MemberOpening) -> list[PartialDecryption]:
    index = aggregate.key.index_of(opening.member)
    if index is None or opening.set_digest != aggregate.set_digest:
        raise AggregateInvalid(f"{opening.member} opens another set, or holds no share")
    if len(opening.partials) != len(aggregate.sums):
        raise AggregateInvalid(f"the opening of {opening.member} is not complete")
    digest = opening.digest(aggregate.announcement)
    if not signing.verify_signature(digest, opening.signature, opening.member):
        raise AggregateInvalid(f"the opening is not signed by {opening.member}")
    return [
        PartialDecryption.from_bytes(one, index=index, public_key=aggregate.public_key)
        for one in opening.partials
    ]


def _unpacked(aggregate: Aggregate, plaintexts: Sequence[int]) -> tuple[SlotEnergy, ...]:
    try:
        sums = packing.unpack_sums(
            plaintexts,
            count=VALUES_A_SLOT * aggregate.slots,
            summands=len(aggregate.rows),
            key_bits=aggregate.public_key.encryption.bits,
        )
    except CryptoError as error:
        raise AggregateInvalid(f"the totals are no sums of such homes: {error}") from error
    return tuple(map(SlotEnergy, sums[::VALUES_A_SLOT], sums[1::VALUES_A_SLOT]))
