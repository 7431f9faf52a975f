"""A sharing node's part in opening the totals of an aggregate set, and what t parts give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from offchain.crypto import kem, packing
from offchain.crypto.secret import SecretBytes
from offchain.crypto.threshold_key import KeyShare
from offchain.crypto.threshold_paillier import (
    PartialDecryption,
    combine,
    partially_decrypt,
    verify_partial,
)
from offchain.errors import CryptoError, DecryptionError
from offchain.records import aggregate_key, aggregate_opening, signing
from offchain.records.aggregate_key import LEAST_HOMES
from offchain.records.aggregate_opening import MemberOpening, partial_context
from offchain.records.aggregate_set import Announcement
from offchain.services.aggregates import Aggregate, AggregateBook
from offchain.services.errors import AggregateInvalid, AggregateRefused
from offchain.services.member_keys import MemberKeys
from offchain.services.opening_record import OpeningRecord
from offchain.storage import Cid, ContentStore
from offchain.types import Account


class AggregateOpener:
    """Give partial decryptions of totals, never of anything else.

    The node multiplies the rows itself; `min_homes` is its own lower bound beside the key's.
    """

    def __init__(
        self,
        *,
        store: ContentStore,
        keys: MemberKeys,
        book: AggregateBook,
        record: OpeningRecord,
        min_homes: int = LEAST_HOMES,
    ) -> None:
        self._store = store
        self._keys = keys
        self._book = book
        self._record = record
        self._min_homes = max(min_homes, LEAST_HOMES)

    def open(self, announcement: Announcement) -> tuple[MemberOpening, Cid]:
        """Check an announced set, note it as the one of its slots, and decrypt the own part of
        its totals; the opening is also put into the content store.

        Raises AggregateInvalid for a set that does not hold, AggregateRefused for one that may
        not be opened.
        """
        aggregate = self._book.open(announcement)
        if len(aggregate.rows) < self._min_homes:
            raise AggregateRefused(f"this node opens totals of {self._min_homes} homes or more")
        share = self._share(aggregate)
        sums = aggregate.sums
        self._record.note(
            region_id=aggregate.region_id,
            from_s=aggregate.entry.from_s,
            to_s=aggregate.entry.to_s,
            set_digest=aggregate.set_digest,
        )
        partials = tuple(
            partially_decrypt(
                aggregate.public_key,
                share,
                total,
                context=partial_context(aggregate.set_digest, position),
            ).to_bytes(aggregate.public_key)
            for position, total in enumerate(sums)
        )
        opening = self._signed(aggregate, partials)
        return opening, self._store.put(aggregate_opening.encode_member_opening(opening))

    def _share(self, aggregate: Aggregate) -> KeyShare:
        me, key = self._keys.address, aggregate.key
        index = key.index_of(me)
        if index is None:
            raise AggregateRefused(f"{me} holds no share of the set's key")
        context = aggregate_key.share_context(
            chain_id=key.chain_id,
            data_ledger=key.data_ledger,
            processor=key.processor,
            member=me,
            n_digest=aggregate.public_key.encryption.digest(),
        )
        sealed = key.members[index - 1].sealed_share
        try:
            plain = kem.open_sealed(self._keys.decryption_key, sealed, context=context)
            share = KeyShare.from_bytes(plain, public_key=aggregate.public_key)
        except CryptoError as error:
            raise AggregateInvalid(f"the share dealt to {me} does not hold: {error}") from error
        if share.index != index:
            raise AggregateInvalid(f"the share dealt to {me} is member {share.index}'s")
        return share

    def _signed(self, aggregate: Aggregate, partials: tuple[bytes, ...]) -> MemberOpening:
        opening = MemberOpening(
            set_digest=aggregate.set_digest, member=self._keys.address, partials=partials
        )
        digest = opening.digest(aggregate.announcement)
        key = SecretBytes(bytes(self._keys.account.key))
        return replace(opening, signature=signing.sign(digest, key))


@dataclass(frozen=True, slots=True)
class Totals:
    """Energy of all homes a slot (Wh), from `from_s` on, `slot_s` seconds each.

    false_members: whose openings were refused on the way.
    """

    from_s: int
    slot_s: int
    homes: int
    totals_wh: tuple[int, ...]
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
        totals_wh=_unpacked(aggregate, plaintexts),
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


def _unpacked(aggregate: Aggregate, plaintexts: Sequence[int]) -> tuple[int, ...]:
    try:
        sums = packing.unpack_sums(
            plaintexts,
            count=aggregate.slots,
            summands=len(aggregate.rows),
            key_bits=aggregate.public_key.encryption.bits,
        )
    except CryptoError as error:
        raise AggregateInvalid(f"the totals are no sums of such homes: {error}") from error
    return tuple(sums)
