"""Demands and disputes by those who paid (protocol §3): what they cost, what judges would say of
them by what is at hand, and the evidence that goes with them.

Whoever disputes runs the judges' own code first, over the same bytes: what it concludes they
conclude, as far as they see what it sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from offchain.audit.answer_look import AnswerLook, ShownAnswer
from offchain.audit.data_set_look import DataSetLook, judged
from offchain.audit.evidence import judges_of, seal_evidence
from offchain.audit.look import Look, Side
from offchain.audit.opened_answer import answer_bytes, open_outer
from offchain.billing.tariff import Tariff
from offchain.chain.facts import Receipt
from offchain.chain.gateway import ChainGateway
from offchain.crypto import kem, paillier
from offchain.crypto.curve import G1
from offchain.errors import CryptoError
from offchain.member.errors import (
    AnswerNotServed,
    MemberError,
    NothingToDispute,
    TermsUnfit,
)
from offchain.member.grants import GrantBook
from offchain.member.locks import Lock, LockBook
from offchain.member.member_keys import MemberKeys
from offchain.member.members import MemberDirectory
from offchain.member.request_notes import AskedRequest
from offchain.member.roles import LockState
from offchain.records.evidence import AnswerEvidence, DataSetEvidence, Evidence, fitting_claims
from offchain.storage import ContentStore

_HANDED_OVER = (LockState.CLAIMED, LockState.DELIVERED)


@dataclass(frozen=True)
class PreparedDispute:
    """What a dispute would say and cost: nothing was sent.

    cost_wei: the disputer's bond, which it gets back unless it loses. until_at: when the lock
    settles (unix seconds). look: what the judges' code concludes here.
    """

    lock: Lock
    document: Evidence = field(repr=False)
    look: Look
    cost_wei: int
    until_at: int

    def require_worth(self) -> None:
        """Raise NothingToDispute when the judges would decide for the payee."""
        if self.look.side is not Side.PAYER:
            raise NothingToDispute(
                f"nothing wrong was found in lock {self.lock.lock_id.hex()} ({self.look.why}): the "
                f"judges would decide for the node, and {self.cost_wei} wei would be lost"
            )


class Disputes:
    """What both kinds of disputes have in common."""

    def __init__(
        self,
        *,
        gateway: ChainGateway,
        store: ContentStore,
        keys: MemberKeys,
        directory: MemberDirectory,
        confirmations: int | None = None,
    ) -> None:
        self._gateway = gateway
        self._store = store
        self._keys = keys
        self._directory = directory
        self._book = LockBook(gateway, confirmations=confirmations)
        self._parts: dict[str, Any] = {
            "gateway": gateway,
            "store": store,
            "directory": directory,
            "book": self._book,
        }

    def _open_lock(self, lock_id: bytes) -> Lock:
        """Return a lock that can be disputed. Raises TermsUnfit."""
        lock = self._book.lock(lock_id)
        if lock.state not in _HANDED_OVER:
            raise TermsUnfit(f"lock {lock_id.hex()} is {lock.state.name}: {_why_not(lock.state)}")
        if self._gateway.contract_time() >= lock.due_at:
            raise TermsUnfit(
                f"the time to dispute lock {lock_id.hex()} ended at {lock.due_at}: it can only be "
                "settled"
            )
        return lock

    def _prepared(self, lock: Lock, document: Evidence, look: Look) -> PreparedDispute:
        cost_wei = int(self._gateway.call("PrepaidLock", "disputeWeiOf", lock.lock_id))
        return PreparedDispute(lock, document, look, cost_wei, lock.due_at)

    def _stored(
        self, lock_id: bytes, document: Evidence, *, before: int | None
    ) -> tuple[bytes, int]:
        """Seal a document to the judges and store it; return digest and length."""
        sealed = seal_evidence(
            document,
            lock_id=lock_id,
            by=self._keys.address,
            judges=judges_of(self._gateway, before=before),
            gateway=self._gateway,
            directory=self._directory,
        )
        return self._store.put(sealed).digest, len(sealed)

    def _add(self, lock_id: bytes, document: Evidence) -> Receipt:
        case = self._gateway.call("DisputeCourt", "caseOf", lock_id)
        if case.needed == 0:
            raise TermsUnfit(f"lock {lock_id.hex()} is not disputed: there is no case to add to")
        digest, length = self._stored(lock_id, document, before=case.openedAt)
        return self._gateway.transact(
            "DisputeCourt",
            "addEvidence",
            lock_id,
            digest,
            length,
            intent=f"evidence:{lock_id.hex()}",
        )


class AnswerDisputes(Disputes):
    """Demand or dispute the answer to one's own request."""

    def __init__(self, *, type_names: Mapping[int, str], **parts: Any) -> None:
        super().__init__(**parts)
        self._type_names = type_names

    def demand_wei(self, lock_id: bytes) -> int:
        """Return what a demand deposits. Raises TermsUnfit when none is possible."""
        lock = self._open_lock(lock_id)
        if lock.is_demanded:
            raise TermsUnfit(f"the answer of lock {lock_id.hex()} was demanded and served already")
        return int(self._gateway.call("PrepaidLock", "demandWeiOf", lock_id))

    def demand(self, lock_id: bytes) -> Receipt:
        """Demand the sealed answer on chain. The deposit is the node's if it serves."""
        return self._gateway.transact(
            "PrepaidLock",
            "demand",
            lock_id,
            value_wei=self.demand_wei(lock_id),
            intent=f"demand:{lock_id.hex()}",
        )

    def slash(self, lock_id: bytes) -> Receipt:
        """End a lock whose answer was demanded and not served in time."""
        return self._gateway.transact("PrepaidLock", "slash", lock_id)

    def prepare(
        self, lock_id: bytes, tariff: Tariff, asked: AskedRequest | None, *, force: bool = False
    ) -> PreparedDispute:
        """Make the evidence and look at it as a judge does. Sends nothing.

        `asked` is the note of the request; without its opening the judges know no window. `force`:
        although the answer is not served. A node that brings it to the judges later wins then,
        unless evidence is added: nobody else shows them what it says.
        Raises TermsUnfit, NotJudgeable.
        """
        lock = self._open_lock(lock_id)
        try:
            document = self._document(lock, asked)
        except AnswerNotServed as error:
            if not force:
                raise TermsUnfit(
                    f"the answer is not served: demand it first (dmsm user demand {lock_id.hex()})"
                ) from error
            document = AnswerEvidence(answer=None, request=_opening_of(asked))
        self._put_message(asked)
        looks = AnswerLook(**self._parts, tariffs=[tariff], type_names=self._type_names)
        look = looks.look(lock, [ShownAnswer(True, document)])
        return self._prepared(lock, _with_claims(document, look), look)

    def dispute(self, prepared: PreparedDispute) -> Receipt:
        """Send the evidence and put up the bond. Raises NoJudges before anything is paid."""
        lock_id = prepared.lock.lock_id
        digest, length = self._stored(lock_id, prepared.document, before=None)
        return self._gateway.transact(
            "PrepaidLock",
            "dispute",
            lock_id,
            digest,
            length,
            value_wei=prepared.cost_wei,
            intent=f"dispute:{lock_id.hex()}",
        )

    def add_evidence(self, lock_id: bytes, asked: AskedRequest | None) -> Receipt:
        """Show the judges of one's own dispute what the answer says, now that it is served.

        An account adds once a case, so that nothing is sent before there is something to show.
        Raises TermsUnfit.
        """
        lock = self._book.lock(lock_id)
        if lock.state is not LockState.DISPUTED:
            raise TermsUnfit(
                f"lock {lock_id.hex()} is {lock.state.name} and not disputed: there is no case to "
                "add to"
            )
        try:
            document = self._document(lock, asked)
        except AnswerNotServed as error:
            raise TermsUnfit(
                f"the answer of lock {lock_id.hex()} is not served, so that there is nothing to "
                "show yet: repeat it once the answer can be had"
            ) from error
        self._put_message(asked)
        return self._add(lock_id, document)

    def _put_message(self, asked: AskedRequest | None) -> None:
        if asked is not None and asked.message is not None:
            self._store.put(asked.message)

    def _document(self, lock: Lock, asked: AskedRequest | None) -> AnswerEvidence:
        """Make the evidence. Raises AnswerNotServed."""
        return AnswerEvidence(answer=self._opening(lock), request=_opening_of(asked))

    def _opening(self, lock: Lock) -> bytes | None:
        """Return r ‖ coins of the answer's seal; None where everybody sees that it is none.

        Raises AnswerNotServed: what nobody could read yet may still be garbage.
        """
        outer = answer_bytes(lock, store=self._store, book=self._book)
        try:
            sealed = open_outer(lock, outer, gateway=self._gateway, book=self._book)
            key = self._keys.decryption_key
            return kem.opening(key, sealed).to_bytes(key.public_key)
        except CryptoError:
            return None


class DataSetDisputes(Disputes):
    """Dispute a data set that one's group bought."""

    def __init__(
        self,
        *,
        paillier_bits: int | None = paillier.DEFAULT_BITS,
        confirmations: int | None = None,
        **parts: Any,
    ) -> None:
        super().__init__(**parts, confirmations=confirmations)
        self._grants = GrantBook(self._gateway, confirmations=confirmations)
        self._paillier_bits = paillier_bits

    def prepare(self, lock_id: bytes, group_secret: G1) -> PreparedDispute:
        """Make the evidence and look at the data as a judge does. Sends nothing.

        Raises TermsUnfit, NotJudgeable.
        """
        lock = self._open_lock(lock_id)
        document = DataSetEvidence(secret=group_secret)
        looks = DataSetLook(**self._parts, paillier_bits=self._paillier_bits)
        look = looks.look(lock, [document])
        return self._prepared(lock, _with_claims(document, look), look)

    def dispute(self, prepared: PreparedDispute) -> Receipt:
        """Send the evidence and put up the bond: as the payer, or as a member of the group."""
        lock = prepared.lock
        digest, length = self._stored(lock.lock_id, prepared.document, before=None)
        arguments: tuple[Any, ...] = (digest, length)
        function = "dispute"
        if lock.payer != self._keys.address:
            selection = self._grants.selection(lock.lock_id)
            keys = [key.words() for key in selection.delivery_keys]
            function = "disputeAsMember"
            arguments = (list(selection.members), keys, digest, length)
        return self._gateway.transact(
            "PrepaidLock",
            function,
            lock.lock_id,
            *arguments,
            value_wei=prepared.cost_wei,
            intent=f"dispute:{lock.lock_id.hex()}",
        )

    def add_evidence(self, lock_id: bytes, group_secret: G1) -> Receipt:
        """Show the judges of somebody else's dispute the group secret, so that they can look."""
        return self._add(lock_id, DataSetEvidence(secret=group_secret))


def _opening_of(asked: AskedRequest | None) -> bytes | None:
    return None if asked is None else asked.opening


def _with_claims(document: Any, look: Look) -> Any:
    said = [f"{one.name}: {one.detail}" for one in judged(look.findings) if not one.ok]
    claims = fitting_claims([look.why, *said])
    if isinstance(document, AnswerEvidence):
        return AnswerEvidence(answer=document.answer, request=document.request, claims=claims)
    if isinstance(document, DataSetEvidence):
        return DataSetEvidence(secret=document.secret, claims=claims)
    raise MemberError("evidence of this kind is not known here")


def _why_not(state: LockState) -> str:
    return {
        LockState.DEMANDED: "wait until it is served; what is not served in time can be slashed",
        LockState.DISPUTED: "the judges look at it already; evidence can be added",
        LockState.ACCEPTED: "the node has not claimed yet, so that there is nothing to dispute",
        LockState.SELECTED: "nothing was delivered yet, so that there is nothing to dispute",
        LockState.SETTLED: "it was settled; a lock without a dispute window settles at once",
    }.get(state, "it has no answer and no delivery that could be disputed")
