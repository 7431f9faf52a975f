"""When bought data are withheld or wrong: the payer or a member of the group asks the judges
(protocol §3).
"""

from __future__ import annotations

from typing import Any

from offchain.audit.data_set_look import DataSetLook
from offchain.audit.disputes import Disputes, PreparedDispute
from offchain.buyer.shares import Shares
from offchain.chain.facts import Receipt
from offchain.crypto import paillier
from offchain.crypto.curve import G1
from offchain.member.grants import GrantBook
from offchain.member.locks import Lock
from offchain.records.evidence import DataSetEvidence


class DataSetDisputes(Disputes):
    """Dispute a data set that one's group bought.

    Each step takes the group secret [k]H, and recovers it from the shares at hand if it is not
    given: without it nothing can be shown.
    """

    def __init__(
        self,
        *,
        shares: Shares,
        paillier_bits: int | None = paillier.DEFAULT_BITS,
        confirmations: int | None = None,
        **parts: Any,
    ) -> None:
        super().__init__(**parts, confirmations=confirmations)
        self._grants = GrantBook(self._gateway, self._index, confirmations=confirmations)
        self._shares = shares
        self._paillier_bits = paillier_bits

    def prepare(self, lock_id: bytes, *, group_secret: G1 | None = None) -> PreparedDispute:
        """Make the evidence and look at the data as a judge does. Sends nothing.

        Raises TermsUnfit, NotJudgeable, NotEnoughSharesError.
        """
        lock = self._open_lock(lock_id)
        document = self._document(lock_id, group_secret)
        looks = DataSetLook(**self._parts, paillier_bits=self._paillier_bits)
        look = looks.look(lock, [document])
        return self._prepared(lock, document, look)

    def dispute(self, prepared: PreparedDispute) -> Receipt:
        """Send the evidence and put up the bond: as the payer, or as a member of the group.

        Raises TermsUnfit with too many disputes open, before anything is paid.
        """
        self._require_room()
        lock = prepared.lock
        digest, length = self._stored(lock.lock_id, prepared.document, before=None)
        group = self._group_of(lock)
        return self._gateway.transact(
            "PrepaidLock",
            "disputeAsMember" if group else "dispute",
            lock.lock_id,
            *group,
            digest,
            length,
            value_wei=prepared.cost_wei,
            intent=f"dispute:{lock.lock_id.hex()}",
        )

    def add_evidence(self, lock_id: bytes, *, group_secret: G1 | None = None) -> Receipt:
        """Show the judges of somebody else's dispute the group secret, so that they can look."""
        document = self._document(lock_id, group_secret)
        return self._add(lock_id, document, group=self._group_of(self._book.lock(lock_id)))

    def _group_of(self, lock: Lock) -> tuple[Any, ...]:
        """Return what names the lock's group to the contracts; nothing for the payer itself."""
        if lock.payer == self._keys.address:
            return ()
        selection = self._grants.selection(lock.lock_id)
        return list(selection.members), [key.words() for key in selection.delivery_keys]

    def _document(self, lock_id: bytes, group_secret: G1 | None) -> DataSetEvidence:
        if group_secret is None:
            group_secret = self._shares.recover(lock_id).group_secret
        return DataSetEvidence(secret=group_secret)
