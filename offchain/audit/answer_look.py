"""Look at a disputed answer as a judge does (docs/formats.md §16): the bytes that were committed on
chain, opened by what the parties show, against the chain and its book of tariffs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from offchain.audit.answers import AuditReport, audit_answer
from offchain.audit.findings import Finding
from offchain.audit.look import Look, first_fault, for_payee, for_payer
from offchain.audit.opened_answer import (
    OpenedAnswer,
    answer_bytes,
    answer_context,
    open_outer,
    read_reply,
)
from offchain.chain.gateway import ChainGateway
from offchain.crypto import kem
from offchain.crypto.kem import Opening
from offchain.crypto.paillier import PaillierPublicKey
from offchain.errors import CryptoError, DecryptionError, RecordError, StorageError
from offchain.index.chain_index import ChainIndex
from offchain.member.directory import MemberDirectory
from offchain.member.errors import AnswerNotServed, UnfitMember
from offchain.member.locks import Lock, LockBook
from offchain.member.request_notes import AskedRequest
from offchain.member.tariff_book import TariffBook
from offchain.records import contexts
from offchain.records import request as requests
from offchain.records.evidence import AnswerEvidence
from offchain.records.request import RequestText
from offchain.storage import ContentStore
from offchain.storage.errors import says_nothing


@dataclass(frozen=True)
class ShownAnswer:
    """One document about a request's lock, and whether the payer brought it."""

    is_payers: bool
    document: AnswerEvidence


class _NotAtHand(Exception):
    """A Paillier key of a party cannot be had or is not sound; the text says why."""


class AnswerLook:
    """Look at answers. `type_names` say which request type asks for a "bill" and which for
    "advice". What the answer should say follows from the chain's tariffs as of its block.
    """

    def __init__(
        self,
        *,
        gateway: ChainGateway,
        index: ChainIndex,
        store: ContentStore,
        directory: MemberDirectory,
        book: LockBook,
        type_names: Mapping[int, str],
    ) -> None:
        self._gateway, self._index = gateway, index
        self._store = store
        self._directory = directory
        self._book = book
        self._tariffs = TariffBook(gateway, index, store)
        self._type_names = type_names

    def look(self, lock: Lock, shown: Sequence[ShownAnswer]) -> Look:
        """Return what follows from the bytes at hand.

        Raises NotJudgeable, StoreUnavailable, ObjectCorrupt and ChainError when one's own chain
        node or store does not answer or has spoilt bytes: nothing follows from that.
        """
        try:
            outer = answer_bytes(lock, store=self._store, book=self._book)
        except AnswerNotServed as error:
            return for_payer(f"nobody serves the answer: {error}", is_final=False)
        try:
            sealed = open_outer(lock, outer, gateway=self._gateway, book=self._book)
        except DecryptionError:
            return for_payer("the answer does not open under the revealed secret x")
        try:
            key = self._key_of(lock.payer)
        except _NotAtHand as error:
            return for_payee(f"the payer's own key is missing: {error}", is_final=False)
        if not kem.verify_form(key, sealed):
            return for_payer("under x there is no message sealed to the payer's key")
        return self._look_within(lock, sealed, key, shown)

    def _look_within(
        self, lock: Lock, sealed: bytes, key: PaillierPublicKey, shown: Sequence[ShownAnswer]
    ) -> Look:
        openings = [(one.is_payers, one.document.answer) for one in shown]
        opening, is_false = _true_opening(key, sealed, openings)
        if opening is None and is_false:
            return for_payee("the payer showed an opening that is not the answer's")
        if opening is None:
            return for_payee("nobody showed what the answer says", is_final=False)
        context = answer_context(lock, self._gateway)
        if not kem.verify_coins(key, opening, context=context):
            return for_payer("the answer's coins are not derived from its key as they must be")
        try:
            reply = kem.open_with_opening(key, sealed, opening, context=context)
        except DecryptionError:
            return for_payer("the answer does not open: its key commitment or its tag is false")
        try:
            opened = read_reply(lock, reply, gateway=self._gateway, directory=self._directory)
        except RecordError as error:
            return for_payer(f"the answer is malformed: {error}")
        return self._audit(opened, lock, shown)

    def _audit(self, opened: OpenedAnswer, lock: Lock, shown: Sequence[ShownAnswer]) -> Look:
        findings = list(self._audited(opened, None).findings)
        if fault := first_fault(findings):
            return for_payer(_told(fault), findings)
        asked, unknown = self._asked(lock, shown)
        if asked is None:
            assert unknown is not None
            return Look(unknown.side, unknown.is_final, unknown.why, tuple(findings))
        findings = list(self._audited(opened, asked).findings)
        if fault := first_fault(findings):
            return for_payer(_told(fault), findings)
        return for_payee("the answer is what was asked for and what the chain anchored", findings)

    def _audited(self, opened: OpenedAnswer, asked: AskedRequest | None) -> AuditReport:
        kind = self._type_names.get(opened.lock.type_id, f"type {opened.lock.type_id}")
        return audit_answer(
            opened, asked, self._tariffs, gateway=self._gateway, index=self._index, kind=kind
        )

    def _asked(
        self, lock: Lock, shown: Sequence[ShownAnswer]
    ) -> tuple[AskedRequest | None, Look | None]:
        """Return devices and window as the message M has them, or what follows without them."""
        openings = [(one.is_payers, one.document.request) for one in shown]
        if all(data is None for _, data in openings):
            return None, for_payee("nobody showed what was asked; all else holds", is_final=False)
        try:
            key = self._key_of(lock.payee)
        except _NotAtHand as error:
            return None, for_payer(f"the payee's own key is missing: {error}", is_final=False)
        order = self._book.event_of("Requested", lock.lock_id).args["order"]
        message = self._message(bytes(order.messageDigest), order.messageLength)
        if message is None:
            return None, for_payee("the request cannot be had; all else holds", is_final=False)
        opening, is_false = _true_opening(key, message, openings)
        if opening is None and is_false:
            return None, for_payee("the payer showed an opening that is not the request's")
        if opening is None:
            return None, for_payee("nobody showed what was asked; all else holds", is_final=False)
        return self._read_request(lock, message, key, opening, bytes(order.nonce))

    def _read_request(
        self, lock: Lock, message: bytes, key: PaillierPublicKey, opening: Opening, nonce: bytes
    ) -> tuple[AskedRequest | None, Look | None]:
        context = contexts.request(
            chain_id=self._gateway.chain_id,
            prepaid_lock=self._gateway.deployment.address("PrepaidLock"),
            requester=lock.payer,
            processor=lock.payee,
            type_id=lock.type_id,
            nonce=nonce,
        )
        try:
            text = requests.decode(kem.open_with_opening(key, message, opening, context=context))
        except (CryptoError, RecordError):
            return None, for_payee("the payer's request is malformed; all else holds")
        return _asked(lock.type_id, text), None

    def _message(self, digest: bytes, length: int) -> bytes | None:
        try:
            return self._store.get(digest, max_bytes=length)
        except StorageError as error:
            if says_nothing(error):
                raise
            return None

    def _key_of(self, account: str) -> PaillierPublicKey:
        try:
            return self._directory.paillier_key(account)
        except UnfitMember as error:
            if error.__cause__ is not None and says_nothing(error.__cause__):
                raise error.__cause__ from error
            raise _NotAtHand(str(error)) from error


def _true_opening(
    key: PaillierPublicKey, sealed: bytes, shown: Sequence[tuple[bool, bytes | None]]
) -> tuple[Opening | None, bool]:
    """Return the opening that fits, whoever showed it, and whether the payer showed a false one."""
    is_false = False
    for is_payers, data in shown:
        if data is None:
            continue
        try:
            opening = Opening.from_bytes(key, data)
        except CryptoError:
            opening = None
        if opening is not None and kem.verify_opening(key, sealed, opening):
            return opening, is_false
        is_false = is_false or is_payers
    return None, is_false


def _asked(type_id: int, text: RequestText) -> AskedRequest:
    return AskedRequest(type_id, text.devices, text.from_s, text.to_s, text.time_zone, text.product)


def _told(fault: Finding) -> str:
    return f"{fault.name.replace('_', ' ')} does not hold"
