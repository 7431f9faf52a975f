"""Publish a data set of the node's region: consenting devices, whole days, a fresh key (protocol
§2.5).

The files lie on this machine before the key, the Paillier pair and the sealed manifest are
journaled, and these before anything leaves it: a retry stores and publishes the same bytes, and a
data set that could never be sold again for want of its key does not come about. The transaction is
sent when the store has shown all files back.
"""

from __future__ import annotations

import logging

from offchain.chain.gateway import ChainGateway
from offchain.crypto import messages, paillier, sharing
from offchain.crypto.sharing import DataKey
from offchain.index.asked import data_sets as asked
from offchain.index.asked import members
from offchain.index.chain_index import ChainIndex
from offchain.member.consent import lacking_consent
from offchain.member.crash_points import crash_point
from offchain.member.data_sets import (
    Publication,
    PublishedDataSet,
    data_set_id_of,
    data_set_of,
    published_in,
    sale_of,
)
from offchain.member.directory import MemberDirectory
from offchain.member.errors import DataSetInvalid, NothingToPublish
from offchain.member.keys import MemberKeys
from offchain.member.roles import MemberRole
from offchain.node import stored_files
from offchain.node.data_set_files import build_data_set
from offchain.node.outcome import LONGEST_SALE_DAYS, MAX_OBJECT_BYTES
from offchain.node.outlook import Gathered, LeftOut, Outlook, named, outlook, why_unfit
from offchain.node.store import NodeStore, StoredDataSet
from offchain.node.windows import HeldWindow, WindowPending, held_window
from offchain.records import owners
from offchain.records.dataset import KIND_FULL_READINGS
from offchain.storage import Cid, ContentStore
from offchain.storage.errors import ObjectNotFound
from offchain.types import SECONDS_PER_DAY, Account

_log = logging.getLogger(__name__)
# Counted from the newest block's time. By that of the block that it is mined in a sale must be no
# longer than the contract's longest, also on another branch, whose time may be behind.
_LONGEST_SALE_S = LONGEST_SALE_DAYS * SECONDS_PER_DAY - 3_600


class DataSetPublisher:
    """Build and publish data sets. `paillier_bits` is the size of each set's own key pair."""

    def __init__(
        self,
        *,
        gateway: ChainGateway,
        index: ChainIndex,
        store: ContentStore,
        keys: MemberKeys,
        readings: NodeStore,
        directory: MemberDirectory,
        price_wei: int,
        sale_days: int = LONGEST_SALE_DAYS,
        paillier_bits: int = paillier.DEFAULT_BITS,
    ) -> None:
        self._gateway, self._index = gateway, index
        self._store = store
        self._keys = keys
        self._held = readings
        self._directory = directory
        self._price_wei = price_wei
        self._sale_s = min(sale_days * SECONDS_PER_DAY, _LONGEST_SALE_S)
        self._paillier_bits = paillier_bits

    def publish(self, window_from: int, window_to: int) -> PublishedDataSet:
        """Publish the window's data set, or return the one that is for sale.

        Both ends are UTC midnights. Consent is looked up again right before it is sent. A window
        whose sale has ended gets another data set, with a key of its own. Raises NothingToPublish
        when no consenting device has anchored readings there.
        """
        self._bring_back()
        for begun in self._held.data_sets():
            if not begun.published:
                self._finish(begun)  # begun before a crash
        for known in self._of_window(window_from, window_to):
            if self._is_on_sale(known):
                return self._send(known)
        while True:
            published = self._finish(self._build(window_from, window_to))
            if published is not None:
                return published

    def is_final(self, data_set_id: bytes) -> bool:
        """Whether a data set's publication cannot be taken off the chain any more."""
        return sale_of(self._gateway, data_set_id, block=self._gateway.final()) is not None

    def published(self) -> list[PublishedDataSet]:
        """Return the data sets that this node published, oldest first."""
        newest = self._index.follower.catch_up()
        told = asked.of_processor(self._index, self._keys.address, newest)
        return [published_in(one) for one in told]

    def look(self, window_from: int, window_to: int) -> Outlook | None:
        """Return what `publish` would sell; None if it would find the window's data set for sale,
        or built before.

        Raises NothingToPublish.
        """
        for known in self._of_window(window_from, window_to):
            if not known.published or self._is_on_sale(known):
                return None
        gathered = self._gather_some(window_from, window_to)
        return outlook(gathered, from_s=window_from, to_s=window_to)

    def gather(self, window_from: int, window_to: int) -> Gathered:
        """Return what may be published now, by account: active devices of the region whose owner
        is active and consents, as the contracts say of the devices that the tables list.

        A device with readings still on their way, or with a step that no row has room for, is left
        out: nobody else's data waits for it.
        """
        region = self._directory.member(self._keys.address).region_id
        newest = self._index.follower.catch_up()
        found = members.active(self._index, MemberRole.DEVICE, newest, region_id=region)
        owners = {Account(one["account"]): Account(one["owner"]) for one in found}
        lacking = lacking_consent(self._gateway, list(owners))
        windows, left_out = list[HeldWindow](), list[LeftOut]()
        for device in sorted((one for one in owners if one not in lacking), key=_by_account):
            window, why = self._window(device, window_from, window_to)
            if why is not None:
                left_out.append(LeftOut(device, owners[device], why))
            elif window is not None:
                windows.append(window)
        return Gathered(tuple(windows), owners, tuple(left_out))

    def _window(
        self, device: Account, window_from: int, window_to: int
    ) -> tuple[HeldWindow | None, str | None]:
        """Return a device's readings, and why they cannot be published; None, None without any."""
        try:
            window = held_window(
                self._held, self._gateway, device, from_s=window_from, to_s=window_to
            )
        except WindowPending as pending:
            return None, str(pending)
        return window, None if window is None else why_unfit(window)

    def _gather_some(self, window_from: int, window_to: int) -> Gathered:
        gathered = self.gather(window_from, window_to)
        if not gathered.windows:
            others = f"; left out: {named(gathered.left_out)}" if gathered.left_out else ""
            raise NothingToPublish(
                "no device whose owner consents has complete anchored readings in this window "
                f"of whole UTC days{others}"
            )
        return gathered

    def _of_window(self, window_from: int, window_to: int) -> list[StoredDataSet]:
        """Return what was built of a window, the newest first."""
        known = reversed(self._held.data_sets())
        return [one for one in known if (one.from_s, one.to_s) == (window_from, window_to)]

    def _is_on_sale(self, known: StoredDataSet) -> bool:
        sale = sale_of(self._gateway, known.data_set_id)
        return sale is not None and sale.sale_until > self._gateway.now()

    def _is_over(self, known: StoredDataSet) -> bool:
        """Whether it could not be published any more: by a block's time, which only grows."""
        return known.sale_until <= self._gateway.contract_time()

    def _bring_back(self) -> None:
        """Send again what a reorganisation took off the chain, unless consent ended meanwhile."""
        for known in self._held.data_sets():
            if not known.published or self._is_over(known):
                continue
            if sale_of(self._gateway, known.data_set_id) is not None:
                continue
            if lacking := self._lacking(known):
                _log.warning(
                    "data set %s is off the chain after a reorganisation and is not published "
                    "again, since consent ended: %s",
                    known.data_set_id.hex(),
                    lacking,
                )
                continue
            self._send(known)

    def _build(self, window_from: int, window_to: int) -> StoredDataSet:
        gathered = self._gather_some(window_from, window_to)
        if gathered.left_out:
            _log.warning("left out of the data set: %s", named(gathered.left_out))
        windows = gathered.windows
        data_key = DataKey.generate()
        data_set_id = data_set_id_of(self._gateway, sharing.key_commitment(data_key))
        paillier_key = paillier.generate_private_key(self._paillier_bits)
        built = build_data_set(
            windows,
            data_set_id=data_set_id,
            processor=self._keys.address,
            window=(window_from, window_to),
            data_key=data_key,
            paillier_key=paillier_key,
            gateway=self._gateway,
        )
        if len(built.manifest) > MAX_OBJECT_BYTES:
            raise DataSetInvalid(
                f"the manifest has {len(built.manifest)} bytes; publish a shorter window"
            )
        cids = self._store.stage(built.files)
        crash_point("publish:staged")
        stored_files.note(self._held, data_set_id, cids, built.files)
        self._held.put_data_set(
            data_set_id=data_set_id,
            data_key=data_key,
            paillier=paillier_key,
            from_s=window_from,
            to_s=window_to,
            rows=built.rows,
            readings_root=built.readings_root,
            manifest=built.manifest,
            owned=owners.decode(built.owners),
            sale_until=self._gateway.contract_time() + self._sale_s,
            price_wei=self._price_wei,
        )
        crash_point("publish:journaled")
        stored = self._held.data_set(data_set_id)
        if stored is None:
            raise DataSetInvalid("the data set that was just stored is not there")
        return stored

    def _finish(self, stored: StoredDataSet) -> PublishedDataSet | None:
        """Publish what was built; None, and it is forgotten, if consent or its sale ended."""
        if self._is_over(stored) and not self._is_begun(stored):
            _log.warning("a data set is built anew, since the time of its sale is over")
            self._drop(stored)
            return None
        if lacking := self._lacking(stored):
            _log.warning("a data set is not published, since consent ended: %s", lacking)
            self._drop(stored)
            return None
        try:
            return self._send(stored)
        except ObjectNotFound as error:
            if self._is_begun(stored):
                raise
            _log.warning("a data set is built anew, since its files are gone: %s", error)
            self._drop(stored)
            return None

    def _drop(self, stored: StoredDataSet) -> None:
        self._store.unpin(*(cid for cid, _ in stored_files.noted(self._held, stored)))
        self._held.drop_data_set(stored.data_set_id)

    def _lacking(self, stored: StoredDataSet) -> dict[Account, str]:
        """Return its devices without consent, while it can still be kept from the chain."""
        if self._is_begun(stored):
            return {}
        return lacking_consent(self._gateway, stored.devices)

    def _is_begun(self, stored: StoredDataSet) -> bool:
        """Tell whether its publication was sent or is on the chain."""
        if self._gateway.is_begun(_intent(stored.data_set_id)):
            return True
        return sale_of(self._gateway, stored.data_set_id) is not None

    def _send(self, stored: StoredDataSet) -> PublishedDataSet:
        cids = stored_files.put_all(self._store, self._held, stored)
        crash_point("publish:stored")
        if sale_of(self._gateway, stored.data_set_id) is None:
            self._gateway.transact(
                "DataSetBook",
                "publish",
                *self._signed(stored, manifest_digest=cids[-1].digest),
                intent=_intent(stored.data_set_id),
            )
            crash_point("publish:sent")
        published = data_set_of(self._gateway, self._index, stored.data_set_id)
        self._held.set_published(stored.data_set_id)
        return published

    def _signed(
        self, stored: StoredDataSet, *, manifest_digest: bytes
    ) -> tuple[tuple[object, ...], tuple[int, int]]:
        """Return what is published, and the proof that binds all of it."""
        publication = Publication(
            window_from=stored.from_s,
            window_to=stored.to_s,
            sale_until=stored.sale_until,
            kind=KIND_FULL_READINGS,
            row_count=stored.rows,
            device_count=len(stored.owned),
            manifest_length=len(stored.manifest),
            readings_root=stored.readings_root,
            manifest_digest=manifest_digest,
            owners_root=owners.root(stored.owned),
            owners_digest=Cid.of_object(owners.encode(stored.owned)).digest,
            key_commitment=sharing.key_commitment(stored.data_key),
        ).words()
        message = messages.data_key_message(
            chain_id=self._gateway.chain_id,
            data_sets=self._gateway.deployment.address("DataSetBook"),
            processor=self._keys.address,
            data_set_id=stored.data_set_id,
            publication_digest=messages.publication_digest(publication),
        )
        return publication, sharing.prove_data_key(stored.data_key, message).words()


def _intent(data_set_id: bytes) -> str:
    return f"publish:{data_set_id.hex()}"


def _by_account(account: str) -> int:
    return int(account, 16)
