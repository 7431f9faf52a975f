"""Check a request again off chain: message, ID opening, devices, window (protocol §3)."""

from __future__ import annotations

from typing import Any

from offchain.billing.window import is_day_start, require_window
from offchain.billing.window_parts import whole_utc_days
from offchain.billing.zones import zone
from offchain.chain.facts import ChainEvent
from offchain.chain.gateway import ChainGateway
from offchain.crypto import kem
from offchain.errors import BillingError, CryptoError, RecordError
from offchain.member.directory import MemberDirectory
from offchain.member.errors import MemberError, RequestRefused
from offchain.member.keys import MemberKeys
from offchain.member.locks import Lock
from offchain.member.roles import MemberRole, Reason
from offchain.node.store import NodeStore
from offchain.node.windows import HeldWindow, held_between, held_window
from offchain.records import contexts, request
from offchain.records.request import RequestText
from offchain.storage import ContentStore
from offchain.storage.errors import ObjectMalformed, ObjectNotFound, ObjectTooLarge
from offchain.storage.search import PatientSearch

_UNREADABLE = (ObjectMalformed, ObjectTooLarge, CryptoError, RecordError)


class MessagePending(MemberError):
    """Nobody has the message yet; it may still come."""


class RequestCheck:
    """What a node looks at before it answers; each refusal names the reason that goes on chain."""

    def __init__(
        self,
        gateway: ChainGateway,
        store: ContentStore,
        keys: MemberKeys,
        readings: NodeStore,
    ) -> None:
        self._gateway = gateway
        self._store = PatientSearch(store)
        self._keys = keys
        self._held = readings

    def message(self, event: ChainEvent) -> bytes:
        """Return the sealed message M. Raises RequestRefused for one that cannot be read, and
        MessagePending while nobody has it.
        """
        order = event.args["order"]
        try:
            return self._store.get(bytes(order.messageDigest), max_bytes=order.messageLength)
        except ObjectNotFound as error:
            raise MessagePending(f"nobody has the message: {error}") from error
        except _UNREADABLE as error:
            raise RequestRefused(Reason.MESSAGE_UNREADABLE, str(error)) from error

    def text(
        self, lock: Lock, event: ChainEvent, sealed: bytes, directory: MemberDirectory
    ) -> RequestText:
        """Open M, recognise who asks, and look at devices and window. Raises RequestRefused."""
        text = self._open_message(lock, event, sealed, directory)
        for device in text.devices:
            self._check_device(device, lock.payer, directory)
        try:
            local = zone(text.time_zone)
            require_window(text.from_s, text.to_s)
        except BillingError as error:
            raise RequestRefused(Reason.WINDOW_UNAVAILABLE, str(error)) from error
        for instant in (text.from_s, text.to_s):
            if not is_day_start(instant, local):
                raise RequestRefused(
                    Reason.WINDOW_UNAVAILABLE,
                    f"no local day of {text.time_zone} begins at {instant}",
                )
        return text

    def windows(self, text: RequestText, *, as_of_block: int) -> list[HeldWindow]:
        """Return the readings of the whole UTC days around what is asked, anchored by a block;
        where a device has none there, those before and behind.

        Raises RequestRefused, and WindowPending while something asked for is still on its way.
        """
        start, end = whole_utc_days((text.from_s, text.to_s))
        where: dict[str, Any] = {"from_s": start, "to_s": end, "block": as_of_block}
        windows = []
        for device in text.devices:
            of_device = (self._held, self._gateway, device)
            window = held_window(*of_device, **where) or held_between(*of_device, **where)
            if window is None:
                raise RequestRefused(
                    Reason.WINDOW_UNAVAILABLE,
                    f"no reading of {device} lies in the window, nor on both sides of it: nothing "
                    "of it can be billed; ask for days between its first reading and its last",
                )
            windows.append(window)
        return windows

    def _open_message(
        self, lock: Lock, event: ChainEvent, sealed: bytes, directory: MemberDirectory
    ) -> RequestText:
        order = event.args["order"]
        context = contexts.request(
            chain_id=self._gateway.chain_id,
            prepaid_lock=self._gateway.deployment.address("PrepaidLock"),
            requester=lock.payer,
            processor=lock.payee,
            type_id=lock.type_id,
            nonce=bytes(order.nonce),
        )
        try:
            plain = kem.open_sealed(self._keys.decryption_key, sealed, context=context)
            text = request.decode(plain)
        except _UNREADABLE as error:
            raise RequestRefused(Reason.MESSAGE_UNREADABLE, str(error)) from error
        if not directory.recognises(lock.payer, text.identity, text.salt):
            raise RequestRefused(
                Reason.ID_NOT_RECOGNISED, "the ID does not open the registered commitment"
            )
        return text

    def _check_device(self, device: str, requester: str, directory: MemberDirectory) -> None:
        region = directory.member(self._keys.address).region_id
        try:
            member = directory.member(device)
        except MemberError as error:
            raise RequestRefused(Reason.WINDOW_UNAVAILABLE, str(error)) from error
        is_theirs = member.role is MemberRole.DEVICE and member.owner == requester
        if not is_theirs or member.region_id != region:
            raise RequestRefused(
                Reason.WINDOW_UNAVAILABLE,
                f"{device} is not a device of the requester in this region",
            )
