"""A household's notifications: status changes on chain, and the readable reports sealed to the
owner (paper §V.A).
"""

from __future__ import annotations

from dataclasses import dataclass

from offchain.chain.facts import ChainEvent
from offchain.chain.gateway import ChainGateway
from offchain.errors import CryptoError, RecordError, StorageError
from offchain.member.directory import MemberDirectory
from offchain.member.keys import MemberKeys
from offchain.member.roles import Status
from offchain.records import contexts, report
from offchain.records.report import StatusReport
from offchain.storage import ContentStore
from offchain.types import Account

_MAX_REPORT_BYTES = 16 * 1024


@dataclass(frozen=True)
class Notification:
    """One status change, or one report of a device in sealed mode (then the values come from the
    report alone).

    `report` is the opened report if there is one; `report_valid` says whether the device signed
    it, it fits the event and, in sealed mode, opens the commitment; None where no report was
    sent. `is_final`: no reorganisation can take it back.
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
        store: ContentStore,
        keys: MemberKeys,
        directory: MemberDirectory,
    ) -> None:
        self._gateway = gateway
        self._store = store
        self._keys = keys
        self._directory = directory

    def received(self, *, from_block: int | None = None) -> list[Notification]:
        """Return the notifications of all own devices, oldest first, with the reports opened and
        verified.
        """
        found = [
            one
            for device in self._directory.devices_of(self._keys.address)
            for one in self.of_device(device, from_block=from_block)
        ]
        return sorted(found, key=lambda one: one.block_number)

    def of_device(self, device: Account, *, from_block: int | None = None) -> list[Notification]:
        """Return a device's notifications, oldest first, those that are not final too."""
        board = "NotificationBoard"
        start = self._gateway.deployment.block(board) if from_block is None else from_block
        changed = self._gateway.events(board, "StatusChanged", from_block=start, device=device)
        veiled = self._gateway.events(board, "SealedReport", from_block=start, device=device)
        events = sorted((*changed, *veiled), key=lambda one: (one.block_number, one.log_index))
        read = {"StatusChanged": self._open_mode, "SealedReport": self._sealed_mode}
        final = self._gateway.final_number()
        return [read[event.name](event, is_final=event.block_number <= final) for event in events]

    def _open_mode(self, event: ChainEvent, *, is_final: bool) -> Notification:
        said = event.args
        opened = self._report(said["device"], bytes(said["reportDigest"]))
        fits = opened is not None and (
            opened.power_w == said["powerW"]
            and opened.temperature_dc == said["temperatureDc"]
            and opened.injected == said["injected"]
            and opened.status == said["status"]
        )
        return Notification(
            device=said["device"],
            status=Status(said["status"]),
            previous=Status(said["previous"]),
            temperature_too_high=said["temperatureTooHigh"],
            power_w=said["powerW"],
            temperature_dc=said["temperatureDc"],
            injected=said["injected"],
            block_number=event.block_number,
            at=self._gateway.block(event.block_number).timestamp,
            report=opened,
            report_valid=fits if any(bytes(said["reportDigest"])) else None,
            is_final=is_final,
        )

    def _sealed_mode(self, event: ChainEvent, *, is_final: bool) -> Notification:
        said = event.args
        opened = self._report(said["device"], bytes(said["reportDigest"]))
        fits = opened is not None and (
            report.sealed_commitment(report.encode(opened)) == bytes(said["commitment"])
        )
        return Notification(
            device=said["device"],
            status=opened.status if opened else Status.NONE,
            previous=Status.NONE,
            temperature_too_high=None,
            power_w=opened.power_w if opened else None,
            temperature_dc=opened.temperature_dc if opened else None,
            injected=bool(opened and opened.injected),
            block_number=event.block_number,
            at=self._gateway.block(event.block_number).timestamp,
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
