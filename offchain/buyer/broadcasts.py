"""A buyer's broadcasts: they ask the nodes of some regions for data (protocol §5)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from offchain.chain.facts import Receipt
from offchain.crypto import kem
from offchain.member.acting import Acting
from offchain.member.broadcast import Conditions
from offchain.records import contexts, fields
from offchain.records import sharing as sharing_records
from offchain.records.dataset import KIND_FULL_READINGS
from offchain.records.sharing import MAX_PURPOSE_BYTES, IdOpening


class Broadcasts(Acting):
    """Broadcast a call for data, and close one in which nobody was selected."""

    def make(
        self,
        *,
        regions: Sequence[bytes],
        window_from: int,
        window_to: int,
        max_price_wei: int,
        group_size: int,
        threshold: int | None = None,
        respond_by: int,
        select_by: int,
        purpose: str,
        kind: int = KIND_FULL_READINGS,
    ) -> bytes:
        """Ask for data and pay the application deposit; return the broadcast's id.

        `threshold` is ⌊n/2⌋+1 if left out. `purpose` says what the data is for: it is public, and
        the owners read it. Seals the own ID to the active node of each region. Raises FormatError
        for a purpose of no or more than 256 bytes.
        """
        fields.text(purpose, "the purpose", min_bytes=1, max_bytes=MAX_PURPOSE_BYTES)
        nonce = secrets.token_bytes(32)
        openings = self._openings(regions, nonce)
        conditions = Conditions(
            window_from=window_from,
            window_to=window_to,
            kind=kind,
            group_size=group_size,
            threshold=group_size // 2 + 1 if threshold is None else threshold,
            max_price_wei=max_price_wei,
            respond_by=respond_by,
            select_by=select_by,
            openings_length=len(openings),
            openings_digest=self._store.put(openings).digest,
            nonce=nonce,
            regions=tuple(sorted(set(regions))),
            purpose=purpose.encode(),
        )
        broadcast_id = conditions.id(self._gateway, self._keys.address)
        terms = self._gateway.call("RequestCatalogue", "sharingTerms")
        self._gateway.transact(
            "DataMarket",
            "broadcast",
            conditions.words(),
            value_wei=terms.applicationWei,
            intent=f"broadcast:{broadcast_id.hex()}",
        )
        return broadcast_id

    def close(self, broadcast_id: bytes) -> Receipt:
        """End a broadcast that was not selected in time."""
        return self._gateway.transact("DataMarket", "close", broadcast_id)

    def _openings(self, regions: Sequence[bytes], nonce: bytes) -> bytes:
        """Seal the own ID opening to the active node of each region."""
        opening = IdOpening(identity=self._keys.identity, salt=self._keys.salt)
        plain = sharing_records.encode_opening(opening)
        sealed = {}
        for region in regions:
            processor = self._directory.processor_of(region)
            context = contexts.opening(
                chain_id=self._gateway.chain_id,
                data_market=self._gateway.deployment.address("DataMarket"),
                requester=self._keys.address,
                processor=processor,
                nonce=nonce,
            )
            key = self._directory.paillier_key(processor)
            sealed[processor] = kem.seal(key, plain, context=context)
        return sharing_records.encode_openings(sealed)
