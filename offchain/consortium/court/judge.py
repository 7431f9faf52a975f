"""A judge: looks at every open case, and votes once it is sure or has waited long enough."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from offchain.audit.answer_look import AnswerLook, ShownAnswer
from offchain.audit.data_set_look import DataSetLook
from offchain.audit.look import Look, Side
from offchain.audit.shown import ShownEvidence
from offchain.chain.errors import NodeUnavailable
from offchain.chain.facts import Receipt
from offchain.chain.gateway import ChainGateway
from offchain.chain.health import HealthGate
from offchain.consortium.court.voters import may_vote
from offchain.containment import ENDING, contained
from offchain.crypto import paillier
from offchain.errors import DmsmError
from offchain.index.chain_index import ChainIndex
from offchain.member.cases import Case, CaseBook
from offchain.member.crash_points import crash_point
from offchain.member.directory import MemberDirectory
from offchain.member.errors import MemberError
from offchain.member.grants import GrantBook
from offchain.member.keys import MemberKeys
from offchain.member.locks import Lock, LockBook
from offchain.member.roles import REQUEST_TYPE_NAMES, LockState
from offchain.records.evidence import AnswerEvidence, DataSetEvidence, Evidence
from offchain.storage import ContentStore
from offchain.types import Account


@dataclass(frozen=True)
class Opinion:
    """A case as this judge sees it: what follows, what was read, what was not and why.

    `may_vote`: whether it is a judge of this case and has not voted.
    """

    case: Case
    lock: Lock
    look: Look
    claims: tuple[tuple[Account, str], ...]
    unread: tuple[str, ...]
    may_vote: bool


@dataclass(frozen=True)
class Step:
    """What a judge did with a case: `kind` is voted, waits, failed, or paused for all of them."""

    kind: str
    id: bytes
    detail: str
    receipt: Receipt | None = None


class JudgeAgent:
    """Act for a member of the consortium as a judge. Reads only its own chain node and store."""

    def __init__(
        self,
        *,
        gateway: ChainGateway,
        index: ChainIndex,
        store: ContentStore,
        keys: MemberKeys,
        directory: MemberDirectory,
        type_names: Mapping[int, str] = REQUEST_TYPE_NAMES,
        paillier_bits: int | None = paillier.DEFAULT_BITS,
        confirmations: int | None = None,
        health: HealthGate | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Put its parts together. `health` says when the chain is not to be believed: a vote cannot
        be taken back. None: always is. `clock` counts seconds, for what is not to be had yet.
        """
        self._gateway, self._index, self._health = gateway, index, health
        self._store = store
        self._keys = keys
        self._cases = CaseBook(gateway, index, confirmations=confirmations)
        self._book = LockBook(gateway, index, confirmations=confirmations)
        self._grants = GrantBook(gateway, index, confirmations=confirmations)
        shared: dict[str, Any] = {
            "gateway": gateway,
            "index": index,
            "store": store,
            "directory": directory,
            "book": self._book,
        }
        self._shown = ShownEvidence(
            gateway=gateway, store=store, keys=keys, cases=self._cases, clock=clock
        )
        self._answers = AnswerLook(**shared, type_names=type_names)
        self._data_sets = DataSetLook(**shared, paillier_bits=paillier_bits)

    def open_cases(self) -> list[Case]:
        """Return the cases that can be decided still, oldest first."""
        return self._cases.open_cases()

    def look(self, lock_id: bytes) -> Opinion:
        """Fetch and open everything and say what follows. Votes nothing.

        Raises NotJudgeable, StoreUnavailable, ObjectCorrupt, NodeUnavailable when nothing follows.
        """
        case, lock = self._cases.case(lock_id), self._book.lock(lock_id)
        if lock.state is LockState.NONE:
            raise MemberError(f"lock {lock_id.hex()} is not yet deep enough in the chain")
        documents, unread = self._read_all(case, lock)
        if lock.threshold == 0:
            shown = [
                ShownAnswer(by == lock.payer, one)
                for by, one in documents
                if isinstance(one, AnswerEvidence)
            ]
            look = self._answers.look(lock, shown)
        else:
            secrets = [one for _, one in documents if isinstance(one, DataSetEvidence)]
            look = self._data_sets.look(lock, secrets)
        claims = tuple((by, claim) for by, one in documents for claim in one.claims)
        return Opinion(case, lock, look, claims, tuple(unread), self._may_vote(case))

    def vote(self, lock_id: bytes, side: Side) -> Receipt:
        """Vote on a case; the k-th equal vote decides it.

        Raises MemberError when this account has voted: a vote stays.
        """
        me = self._keys.address
        if self._gateway.call("DisputeCourt", "hasVoted", lock_id, me):
            raise MemberError(f"{me} has voted on lock {lock_id.hex()} already, and a vote stays")
        crash_point("vote:begun")
        return self._gateway.transact(
            "DisputeCourt", "vote", lock_id, side is Side.PAYER, intent=f"vote:{lock_id.hex()}"
        )

    def run_once(self) -> list[Step]:
        """Look at each open case of one's own, and vote where it is time to.

        A case that fails is reported as `failed` and tried again at the next poll. Raises
        NodeUnavailable, and StoreDamaged or StoreVersion, which no other poll can mend.
        """
        faults = self._health.check() if self._health else []
        if faults:
            return [Step("paused", b"", "votes on nothing: " + "; ".join(faults))]
        cases = self.open_cases()
        self._shown.forget_all_but({case.lock_id for case in cases})
        return [self._attempt(case) for case in cases if self._may_vote(case)]

    def _may_vote(self, case: Case) -> bool:
        return may_vote(self._gateway, self._index, case, self._keys.address)

    def _attempt(self, case: Case) -> Step:
        try:
            with contained("judging a case"):  # no party's bytes may stop the other cases
                return self._step(case)
        except (NodeUnavailable, *ENDING):
            raise
        except DmsmError as error:
            return Step("failed", case.lock_id, str(error))

    def _step(self, case: Case) -> Step:
        look = self.look(case.lock_id).look
        if not look.is_final and self._gateway.contract_time() < case.patient_until:
            detail = f"for the {look.side} in the end: {look.why}"
            return Step("waits", case.lock_id, detail)
        receipt = self.vote(case.lock_id, look.side)
        return Step("voted", case.lock_id, f"for the {look.side}: {look.why}", receipt)

    # ---- evidence

    def _read_all(self, case: Case, lock: Lock) -> tuple[list[tuple[Account, Evidence]], list[str]]:
        def is_enough(document: Evidence) -> bool:
            if lock.threshold == 0 or not isinstance(document, DataSetEvidence):
                return False
            return self._data_sets.is_shown(lock, document)

        return self._shown.read(case, self._heard(lock), is_enough)

    def _heard(self, lock: Lock) -> set[Account]:
        """Return whose evidence counts: of the parties and of a sharing lock's group."""
        parties = {lock.payer, lock.payee}
        if lock.threshold == 0:
            return parties
        return parties | set(self._grants.selection(lock.lock_id).members)
