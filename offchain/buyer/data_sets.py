"""Bought data sets: opened with the group's secret, and every row audited (protocol §5.6)."""

from __future__ import annotations

from offchain.audit.data_sets import VerificationReport, verify_data_set
from offchain.audit.opened_data_set import OpenedDataSet, open_data_set
from offchain.buyer.shares import Shares
from offchain.chain.gateway import ChainGateway
from offchain.crypto import paillier
from offchain.crypto.curve import G1
from offchain.index.chain_index import ChainIndex
from offchain.member.data_sets import data_set_of
from offchain.member.directory import MemberDirectory
from offchain.storage import ContentStore


class DataSets:
    """Open and audit what one's groups bought.

    `paillier_bits` is the exact size that a data set's key must have; None allows 2048..4096.
    """

    def __init__(
        self,
        *,
        gateway: ChainGateway,
        index: ChainIndex,
        store: ContentStore,
        directory: MemberDirectory,
        shares: Shares,
        paillier_bits: int | None = paillier.DEFAULT_BITS,
    ) -> None:
        self._gateway, self._index = gateway, index
        self._store = store
        self._directory = directory
        self._shares = shares
        self._paillier_bits = paillier_bits

    def open(self, lock_id: bytes, *, group_secret: G1 | None = None) -> OpenedDataSet:
        """Open the bought data set; recovers the key if `group_secret` is not given.

        Raises DataSetInvalid.
        """
        secret = (
            self._shares.recover(lock_id).group_secret if group_secret is None else group_secret
        )
        data_set_id = self._shares.grant(lock_id).data_set_id
        published = data_set_of(self._gateway, self._index, data_set_id)
        return open_data_set(
            published,
            secret,
            gateway=self._gateway,
            store=self._store,
            paillier_bits=self._paillier_bits,
        )

    def verify(self, lock_id: bytes, *, opened: OpenedDataSet | None = None) -> VerificationReport:
        """Decrypt and audit every row of the bought data set against the chain."""
        return verify_data_set(
            opened or self.open(lock_id),
            gateway=self._gateway,
            index=self._index,
            directory=self._directory,
            lock_id=lock_id,
        )
