"""Publish a region's aggregate set of a window: one row of ciphertexts a consenting home."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from offchain.audit.aggregates import AggregateBook
from offchain.chain.gateway import ChainGateway
from offchain.crypto import paillier
from offchain.crypto.packed_ciphertext import encrypt_values
from offchain.crypto.paillier import PaillierPublicKey
from offchain.crypto.secret import SecretBytes
from offchain.errors import FormatError
from offchain.index.asked import members
from offchain.index.chain_index import ChainIndex
from offchain.member.aggregation_consent import consenting_devices
from offchain.member.consent import lacking_consent
from offchain.member.directory import MemberDirectory
from offchain.member.errors import NothingToPublish
from offchain.member.keys import MemberKeys
from offchain.member.roles import MemberRole
from offchain.node.aggregate_store import AggregateStore
from offchain.node.store import NodeStore
from offchain.node.windows import WindowPending, held_window
from offchain.records import aggregate_set, signing, slots
from offchain.records.aggregate_key import AggregateKey
from offchain.records.aggregate_set import (
    AGGREGATION_PURPOSE,
    AggregateSet,
    Announcement,
    HomeRow,
)
from offchain.records.slots import SlotEnergy
from offchain.storage import ContentStore
from offchain.types import Account, Reading, to_account


@dataclass(frozen=True, slots=True, repr=False)
class HomeSlots:
    """A consenting home: its devices that take part, and their summed energies a slot."""

    owner: Account
    devices: tuple[Account, ...]
    slots: tuple[SlotEnergy, ...]


@dataclass(frozen=True, slots=True)
class GatheredHomes:
    """The homes of a window by owner, and why consenting ones were left out."""

    homes: tuple[HomeSlots, ...]
    left_out: dict[Account, str]


class AggregatePublisher:
    """Build, encrypt and announce aggregate sets."""

    def __init__(
        self,
        *,
        gateway: ChainGateway,
        index: ChainIndex,
        store: ContentStore,
        keys: MemberKeys,
        readings: NodeStore,
        directory: MemberDirectory,
        held: AggregateStore,
        book: AggregateBook,
    ) -> None:
        self._gateway, self._index = gateway, index
        self._store = store
        self._keys = keys
        self._readings = readings
        self._directory = directory
        self._held = held
        self._book = book

    def publish(self, window_from: int, window_to: int) -> Announcement:
        """Announce the window's set, or return the announcement that was made before.

        Both ends are UTC midnights. Raises NothingToPublish below N_min homes and without a key,
        StoreConflict when a set of some of these slots was announced.
        """
        known = self._held.announcement(from_s=window_from, to_s=window_to)
        if known is not None:
            return aggregate_set.decode_announcement(known)
        digest = self._held.current_key()
        if digest is None:
            raise NothingToPublish("deal a key first: `dmsm node aggregate-key`")
        key, public_key = self._book.key(digest)
        block = self._gateway.final_number()
        gathered = self.homes(window_from, window_to, slot_s=key.slot_s, block=block)
        if len(gathered.homes) < key.min_homes:
            raise NothingToPublish(
                f"{len(gathered.homes)} homes can be added, {key.min_homes} are needed; "
                f"left out: {gathered.left_out}"
            )
        rows = [_encrypted(home, public_key.encryption) for home in gathered.homes]
        data = aggregate_set.encode_rows(rows, modulus_bytes=public_key.encryption.byte_length)
        entry = AggregateSet(
            key_digest=digest,
            from_s=window_from,
            to_s=window_to,
            block=block,
            homes=len(rows),
            rows_digest=self._store.put(data, lasting=True).digest,
            rows_length=len(data),
            rows_sha256=hashlib.sha256(data).digest(),
        )
        return self._announce(entry, key)

    def homes(self, window_from: int, window_to: int, *, slot_s: int, block: int) -> GatheredHomes:
        """Return the region's consenting homes whose readings show every slot of the window.

        Consent stood at the block, as the tables tell it, and stands now, as the contracts do.
        """
        devices: defaultdict[Account, list[Account]] = defaultdict(list)
        for device, owner in self._consenting(block):
            devices[owner].append(device)
        homes, left_out = [], {}
        for owner in sorted(devices, key=lambda one: one.lower()):
            try:
                homes.append(self._home(owner, devices[owner], (window_from, window_to), slot_s))
            except (FormatError, WindowPending) as reason:
                left_out[owner] = str(reason)
        return GatheredHomes(tuple(homes), left_out)

    def _consenting(self, block: int) -> list[tuple[Account, Account]]:
        """Return the region's consenting devices, each with its owner."""
        region = self._directory.member(self._keys.address).region_id
        consenting = consenting_devices(self._gateway, self._index, block=block)
        active = members.active(self._index, MemberRole.DEVICE, block, region_id=region)
        found = [
            (to_account(one["account"]), to_account(one["owner"]))
            for one in active
            if one["account"] in consenting
        ]
        devices = [device for device, _ in found]
        lacking = lacking_consent(self._gateway, devices, AGGREGATION_PURPOSE)
        return [(device, owner) for device, owner in found if device not in lacking]

    def _home(
        self, owner: Account, devices: Sequence[Account], window: tuple[int, int], slot_s: int
    ) -> HomeSlots:
        columns = [self._energies(device, window, slot_s) for device in sorted(devices)]
        energies = tuple(map(SlotEnergy.total, zip(*columns, strict=True)))
        if max(map(max, energies)) > slots.MAX_SLOT_WH:
            raise FormatError(f"a slot has more than {slots.MAX_SLOT_WH} Wh")
        return HomeSlots(owner, tuple(sorted(devices)), energies)

    def _energies(self, device: Account, window: tuple[int, int], slot_s: int) -> list[SlotEnergy]:
        """Return every slot's energies of a device. Raises FormatError where one is not shown."""
        from_s, to_s = window
        energies = slots.slot_energies(
            self._anchored(device, from_s, to_s), from_s=from_s, to_s=to_s, slot_s=slot_s
        )
        shown = [energy for energy in energies if energy is not None]
        if len(shown) != len(energies):
            raise FormatError(
                f"readings of {device} are missing at an end of the window, or a register restarted"
            )
        return shown

    def _anchored(self, device: Account, from_s: int, to_s: int) -> list[Reading]:
        """Return the window's readings with one more at each end, all of them anchored."""
        found = held_window(self._readings, self._gateway, device, from_s=from_s, to_s=to_s)
        if found is None:
            raise FormatError(f"{device} has no reading in the window")
        around = [[] if one is None else [one] for one in (found.opening, found.closing)]
        return [*around[0], *found.readings, *around[1]]

    def _announce(self, entry: AggregateSet, key: AggregateKey) -> Announcement:
        unsigned = Announcement(
            chain_id=key.chain_id,
            data_ledger=key.data_ledger,
            processor=to_account(self._keys.address),
            set_digest=self._store.put(
                aggregate_set.encode_aggregate_set(entry), lasting=True
            ).digest,
            signature=b"",
        )
        signature = signing.sign(unsigned.digest(), SecretBytes(bytes(self._keys.account.key)))
        announcement = Announcement(
            chain_id=unsigned.chain_id,
            data_ledger=unsigned.data_ledger,
            processor=unsigned.processor,
            set_digest=unsigned.set_digest,
            signature=signature,
        )
        encoded = aggregate_set.encode_announcement(announcement)
        self._held.put_set(
            from_s=entry.from_s,
            to_s=entry.to_s,
            set_digest=announcement.set_digest,
            announcement=encoded,
        )
        self._store.put(encoded, lasting=True)
        return announcement


def _encrypted(home: HomeSlots, key: PaillierPublicKey) -> HomeRow:
    return HomeRow(
        owner=home.owner,
        devices=home.devices,
        ciphertexts=tuple(
            paillier.ciphertext_to_bytes(key, one.ciphertext)
            for one in encrypt_values(key, chain.from_iterable(home.slots))
        ),
    )
