"""A sharing node's own part in opening the totals of an aggregate set."""

from __future__ import annotations

from dataclasses import replace

from offchain.audit.aggregates import Aggregate, AggregateBook
from offchain.buyer.opening_record import OpeningRecord
from offchain.crypto import kem
from offchain.crypto.secret import SecretBytes
from offchain.crypto.threshold_key import KeyShare
from offchain.crypto.threshold_paillier import partially_decrypt
from offchain.errors import CryptoError
from offchain.member.errors import AggregateInvalid, AggregateRefused
from offchain.member.keys import MemberKeys
from offchain.records import aggregate_key, aggregate_opening, signing
from offchain.records.aggregate_key import LEAST_HOMES
from offchain.records.aggregate_opening import MemberOpening, partial_context
from offchain.records.aggregate_set import Announcement
from offchain.storage import Cid, ContentStore


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
