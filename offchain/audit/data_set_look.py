"""Look at a disputed data set as a judge does (docs/formats.md §16): with the group secret that a
party shows, every file is opened and every row compared with the chain.
"""

from __future__ import annotations

from collections.abc import Sequence

from offchain.audit.data_sets import verify_data_set
from offchain.audit.look import Look, first_fault, for_payee, for_payer
from offchain.audit.opened_data_set import open_data_set
from offchain.chain.gateway import ChainGateway
from offchain.chain.pairing import configured_pairing
from offchain.crypto.curve import G1, G2, G2_GENERATOR, negate
from offchain.crypto.hash_to_curve import H
from offchain.index.chain_index import ChainIndex
from offchain.member.data_sets import PublishedDataSet, data_set_of
from offchain.member.directory import MemberDirectory
from offchain.member.errors import DataSetInvalid, DataSetNotServed, NotJudgeable
from offchain.member.locks import Lock, LockBook
from offchain.records.evidence import DataSetEvidence
from offchain.storage import ContentStore


class DataSetLook:
    """Look at data sets. `paillier_bits` is the exact size their keys must have."""

    def __init__(
        self,
        *,
        gateway: ChainGateway,
        index: ChainIndex,
        store: ContentStore,
        directory: MemberDirectory,
        book: LockBook,
        paillier_bits: int | None,
    ) -> None:
        self._gateway, self._index = gateway, index
        self._store = store
        self._directory = directory
        self._book = book
        self._paillier_bits = paillier_bits

    def look(self, lock: Lock, shown: Sequence[DataSetEvidence]) -> Look:
        """Return what follows from the bytes at hand. Raises like `AnswerLook.look`."""
        secret = self._first_true(lock, shown)
        if secret is None:
            return for_payee("nobody showed the secret of the data set's key", is_final=False)
        published = self._published(lock.subject)
        try:
            opened = open_data_set(
                published,
                secret,
                gateway=self._gateway,
                store=self._store,
                paillier_bits=self._paillier_bits,
            )
        except DataSetNotServed as error:
            return for_payer(f"nobody serves the data: {error}", is_final=False)
        except DataSetInvalid as error:
            return for_payer(str(error))
        report = verify_data_set(
            opened,
            gateway=self._gateway,
            index=self._index,
            directory=self._directory,
            lock_id=lock.lock_id,
        )
        if fault := first_fault(report.findings):
            why = f"{fault.name.replace('_', ' ')} does not hold"
            return for_payer(why, report.findings)
        return for_payee("every row is what the chain anchored, and its owner's", report.findings)

    def _published(self, data_set_id: bytes) -> PublishedDataSet:
        """Return what was sold. Raises NotJudgeable where one's own node tells nothing or lies."""
        try:
            return data_set_of(self._gateway, self._index, data_set_id)
        except DataSetInvalid as error:
            raise NotJudgeable(str(error)) from error

    def is_shown(self, lock: Lock, document: DataSetEvidence) -> bool:
        """Whether a document has the true secret: with it nobody else's is needed."""
        return self._first_true(lock, [document]) is not None

    def _first_true(self, lock: Lock, shown: Sequence[DataSetEvidence]) -> G1 | None:
        delivered = self._book.event_of("Delivered", lock.lock_id).args
        commitment = G2.from_words(delivered["commitments"][0])
        for one in shown:
            if one.secret is not None and self._is_secret(one.secret, commitment):
                return one.secret
        return None

    def _is_secret(self, secret: G1, commitment: G2) -> bool:
        """e(S, G2) = e(H, F_0) has one solution, [k]H."""
        check = configured_pairing(self._gateway)
        return check([(secret, G2_GENERATOR), (negate(H), commitment)])
