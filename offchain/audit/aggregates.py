"""Aggregate sets as everyone sees them: announced, fetched, checked, multiplied
(docs/formats.md §14). No private key is needed for any of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from offchain.chain.gateway import ChainGateway
from offchain.crypto import paillier, threshold_paillier
from offchain.crypto.packing import slots_per_plaintext
from offchain.crypto.threshold_key import ThresholdPublicKey, verify_dealing
from offchain.errors import CryptoError, FormatError, StorageError
from offchain.index.chain_index import ChainIndex
from offchain.member.aggregation_consent import consenting_devices
from offchain.member.directory import MemberDirectory
from offchain.member.errors import AggregateInvalid, UnfitMember, UnknownMember
from offchain.member.roles import MemberRole
from offchain.records import aggregate_key, aggregate_set, signing, slots
from offchain.records.aggregate_key import AggregateKey
from offchain.records.aggregate_set import (
    AggregateSet,
    Announcement,
    HomeRow,
)
from offchain.storage import ContentStore

_BATCH = 200


@dataclass(frozen=True)
class Aggregate:
    """A checked set with its key and rows; `region_id` is its processor's."""

    announcement: Announcement
    entry: AggregateSet
    key: AggregateKey
    public_key: ThresholdPublicKey
    rows: tuple[HomeRow, ...]
    region_id: bytes

    @property
    def set_digest(self) -> bytes:
        """What names the set."""
        return self.announcement.set_digest

    @property
    def slots(self) -> int:
        """How many slots the window has."""
        return slots.slot_count(
            from_s=self.entry.from_s, to_s=self.entry.to_s, slot_s=self.key.slot_s
        )

    @cached_property
    def sums(self) -> tuple[int, ...]:
        """The ciphertexts of the totals: for each position the product over all homes.

        Raises DecryptionError for a row that holds no ciphertext of the key.
        """
        columns = zip(*(row.ciphertexts for row in self.rows), strict=True)
        return tuple(
            threshold_paillier.product(
                self.public_key.encryption, [int.from_bytes(one, "big") for one in column]
            )
            for column in columns
        )


class AggregateBook:
    """Fetch announced sets and check them against the registry, the ledger and the consents.

    `paillier_bits` is the exact size a threshold modulus must have; None allows 2048..4096.
    """

    def __init__(
        self,
        gateway: ChainGateway,
        index: ChainIndex,
        store: ContentStore,
        directory: MemberDirectory,
        *,
        paillier_bits: int | None = paillier.DEFAULT_BITS,
    ) -> None:
        self._gateway, self._index = gateway, index
        self._store = store
        self._directory = directory
        self._paillier_bits = paillier_bits
        self._keys: dict[bytes, tuple[AggregateKey, ThresholdPublicKey]] = {}

    def open(self, announcement: Announcement) -> Aggregate:
        """Fetch and check a set: signature, key and dealing, rows, homes and consents.

        Raises AggregateInvalid with what does not hold.
        """
        region_id = self.require_announced(announcement)
        try:
            data = self._store.get(announcement.set_digest, max_bytes=aggregate_set.MAX_SET_BYTES)
            entry = aggregate_set.decode_aggregate_set(data)
            key, public_key = self.key(entry.key_digest)
            rows = self._rows(entry, public_key)
            aggregate = Aggregate(announcement, entry, key, public_key, rows, region_id)
            _require_shape(aggregate)
            _ = aggregate.sums  # refuses rows that hold no ciphertexts of the key
        except (FormatError, CryptoError, StorageError) as error:
            raise AggregateInvalid(
                f"the aggregate set {announcement.set_digest.hex()} does not hold: {error}"
            ) from error
        self._require_homes(aggregate)
        return aggregate

    def require_announced(self, announcement: Announcement) -> bytes:
        """Check that an active processor of this chain signed; return its region.

        Raises AggregateInvalid.
        """
        ledger = self._gateway.deployment.address("DataLedger")
        if (announcement.chain_id, announcement.data_ledger) != (self._gateway.chain_id, ledger):
            raise AggregateInvalid("the announcement is of another chain or ledger")
        if not signing.verify_signature(
            announcement.digest(), announcement.signature, announcement.processor
        ):
            raise AggregateInvalid(f"the announcement is not signed by {announcement.processor}")
        try:
            member = self._directory.active_member(announcement.processor, MemberRole.PROCESSOR)
        except (UnknownMember, UnfitMember) as error:
            raise AggregateInvalid(f"the announcement is of no processor: {error}") from error
        return member.region_id

    def key(self, digest: bytes) -> tuple[AggregateKey, ThresholdPublicKey]:
        """Fetch a key and check its dealing, once. Raises AggregateInvalid, or what fetching
        and decoding raise.
        """
        if digest not in self._keys:
            data = self._store.get(digest, max_bytes=aggregate_key.MAX_KEY_BYTES)
            key = aggregate_key.decode_aggregate_key(data)
            if self._paillier_bits not in (None, key.n.bit_length()):
                raise AggregateInvalid(f"the key's modulus must have {self._paillier_bits} bits")
            public_key = key.public_key()
            if not verify_dealing(public_key):
                raise AggregateInvalid("the threshold key was dealt falsely")
            self._keys[digest] = key, public_key
        return self._keys[digest]

    def _rows(self, entry: AggregateSet, public_key: ThresholdPublicKey) -> tuple[HomeRow, ...]:
        data = self._store.get(entry.rows_digest, max_bytes=entry.rows_length)
        if len(data) != entry.rows_length or hashlib.sha256(data).digest() != entry.rows_sha256:
            raise AggregateInvalid("the rows of the set are not those that it names")
        width = public_key.encryption.byte_length
        return aggregate_set.decode_rows(data, modulus_bytes=width)

    def _require_homes(self, aggregate: Aggregate) -> None:
        """Every home is a user of the region, every device its own, and every consent stood."""
        if aggregate.entry.block > self._gateway.final_number():
            raise AggregateInvalid(
                f"the chain has no block {aggregate.entry.block} yet that is final, and its "
                "consents are of that block; try again later"
            )
        consenting = consenting_devices(self._gateway, self._index, block=aggregate.entry.block)
        for start in range(0, len(aggregate.rows), _BATCH):
            self._require_owners(aggregate.rows[start : start + _BATCH], aggregate.region_id)
        for row in aggregate.rows:
            lacking = [device for device in row.devices if device not in consenting]
            if lacking:
                raise AggregateInvalid(f"no consent stood for device {lacking[0]}")

    def _require_owners(self, rows: Sequence[HomeRow], region_id: bytes) -> None:
        accounts = [account for row in rows for account in (row.owner, *row.devices)]
        calls = [("MemberRegistry", "memberOf", (account,)) for account in accounts]
        found = iter(self._gateway.call_many(calls, self._gateway.final()))
        for row in rows:
            (role, region, *_), _ = next(found)
            if role != MemberRole.USER or bytes(region) != region_id:
                raise AggregateInvalid(f"{row.owner} is no home of the region")
            for device in row.devices:
                (role, region, owner, *_), _ = next(found)
                known = (role, bytes(region), owner)
                if known != (MemberRole.DEVICE, region_id, row.owner):
                    raise AggregateInvalid(f"{device} is no device of {row.owner} in the region")


def _require_shape(one: Aggregate) -> None:
    of_key = (one.key.chain_id, one.key.data_ledger, one.key.processor)
    announced = one.announcement
    if of_key != (announced.chain_id, announced.data_ledger, announced.processor):
        raise AggregateInvalid("the set is under the key of another chain, ledger or processor")
    if len(one.rows) != one.entry.homes or one.entry.homes < one.key.min_homes:
        raise AggregateInvalid(
            f"the set has {len(one.rows)} homes, says {one.entry.homes}, "
            f"and needs {one.key.min_homes}"
        )
    values = slots.VALUES_A_SLOT * one.slots
    wanted = -(-values // slots_per_plaintext(one.public_key.encryption.bits))
    if any(len(row.ciphertexts) != wanted for row in one.rows):
        raise AggregateInvalid(f"a home of {one.slots} slots has {wanted} ciphertexts")
