"""A household's notifications: status changes on chain, and the readable reports sealed to the
owner (paper §V.A).
"""

from __future__ import annotations

from dataclasses import dataclass

from offchain.chain.gateway import ChainGateway
from offchain.errors import CryptoError, RecordError, StorageError
from offchain.index.asked import notifications as asked
from offchain.index.asked.members import devices_of
from offchain.index.asked.rows import Row
from offchain.index.chain_index import ChainIndex
from offchain.member.keys import MemberKeys
from offchain.member.roles import Status
from offchain.records import contexts, report
from offchain.records.report import StatusReport
from offchain.records.temperature import from_number
from offchain.storage import ContentStore
from offchain.types import Account

_MAX_REPORT_BYTES = 16 * 1024


@dataclass(frozen=True, repr=False)
class Notification:
    """One status change, or one report of a device in sealed mode (then the values come from the
    report alone).

    `temperature_dc`: None where it was not measured. `report` is the opened report if there is one;
    `report_valid` says whether the device signed it, it fits the event and, in sealed mode, opens
    the commitment; None where no report was sent. `is_final`: no reorganisation can take it back.
    """

    device: Account
    status: Status
    previous: Status
    temperature_too_high: bool | None
    power_w: int | None
    temperature_dc: int | None
    injected: bool
    block_number: int
    at: int
    report: StatusReport | None
    report_valid: bool | None
    is_final: bool


class Notifications:
    """Read what the chain says of an owner's devices and open the reports."""

    def __init__(
        self,
        *,
        gateway: ChainGateway,
        index: ChainIndex,
        store: ContentStore,
        keys: MemberKeys,
    ) -> None:
        self._gateway, self._index = gateway, index
        self._store = store
        self._keys = keys

    def received(self, *, from_block: int | None = None) -> list[Notification]:
        """Return the notifications of all own devices, oldest first, with the reports opened and
        verified.
        """
        newest = self._index.follower.catch_up()
        found = [
            one
            for device in devices_of(self._index, self._keys.address, newest)
            for one in self.of_device(Account(device), from_block=from_block)
        ]
        return sorted(found, key=lambda one: one.block_number)

    def of_device(self, device: Account, *, from_block: int | None = None) -> list[Notification]:
        """Return a device's notifications, oldest first, those that are not final too."""
        newest = self._index.follower.catch_up()
        final = self._index.final(self._gateway.confirmations)
        return [
            self._read(said, is_final=said["block"] <= final)
            for said in asked.of_device(self._index, device, newest)
            if from_block is None or said["block"] >= from_block
        ]

    def _read(self, said: Row, *, is_final: bool) -> Notification:
        is_open = said["commitment"] is None
        return (self._open_mode if is_open else self._sealed_mode)(said, is_final=is_final)

    def _open_mode(self, said: Row, *, is_final: bool) -> Notification:
        opened = self._report(said["device"], said["report_digest"])
        fits = opened is not None and (
            opened.power_w == said["power_w"]
            and opened.temperature_dc == from_number(said["temperature_dc"])
            and opened.injected == said["injected"]
            and opened.status == said["status"]
        )
        return Notification(
            device=said["device"],
            status=Status(said["status"]),
            previous=Status(said["previous"]),
            temperature_too_high=said["temperature_too_high"],
            power_w=said["power_w"],
            temperature_dc=from_number(said["temperature_dc"]),
            injected=said["injected"],
            block_number=said["block"],
            at=said["at_s"],
            report=opened,
            report_valid=fits if any(said["report_digest"]) else None,
            is_final=is_final,
        )

    def _sealed_mode(self, said: Row, *, is_final: bool) -> Notification:
        opened = self._report(said["device"], said["report_digest"])
        fits = opened is not None and (
            report.sealed_commitment(report.encode(opened)) == said["commitment"]
        )
        return Notification(
            device=said["device"],
            status=opened.status if opened else Status.NONE,
            previous=Status.NONE,
            temperature_too_high=None,
            power_w=opened.power_w if opened else None,
            temperature_dc=opened.temperature_dc if opened else None,
            injected=bool(opened and opened.injected),
            block_number=said["block"],
            at=said["at_s"],
            report=opened,
            report_valid=fits,
            is_final=is_final,
        )

    def _report(self, device: Account, digest: bytes) -> StatusReport | None:
        """Return the report if it opens, names the device, and the device signed it; else None."""
        if not any(digest):
            return None
        deployment = self._gateway.deployment
        context = contexts.status(
            chain_id=self._gateway.chain_id,
            notification_board=deployment.address("NotificationBoard"),
            device=device,
            owner=self._keys.address,
        )
        try:
            sealed = self._store.get(digest, max_bytes=_MAX_REPORT_BYTES)
            plain = self._keys.open_sealed(sealed, context=context)
            opened = report.decode(plain)
        except (StorageError, CryptoError, RecordError):
            return None
        is_signed = report.verify_report(
            opened,
            chain_id=self._gateway.chain_id,
            data_ledger=deployment.address("DataLedger"),
            owner=self._keys.address,
        )
        return opened if is_signed and opened.device == device else None
