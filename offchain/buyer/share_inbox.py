"""The inbox of a sharing node: shares that other members of a group hand over by HTTP
(docs/formats.md §13).
"""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from sqlalchemy import Column, Integer, LargeBinary, MetaData, Table, select

from offchain.chain.gateway import ChainGateway
from offchain.crypto.curve import G1
from offchain.database import Place, Schema, Store
from offchain.errors import CryptoError, DmsmError, FormatError, RecordError
from offchain.member.errors import MemberError, ShareRefused
from offchain.member.grants import GrantBook
from offchain.member.member_keys import MemberKeys
from offchain.records import canonical_json, contexts, signing
from offchain.records import sharing as sharing_records
from offchain.records.sharing import ShareDelivery

_MAX_BODY_BYTES = 16 * 1024
_tables = MetaData()
_shares = Table(
    "shares",
    _tables,
    Column("lock_id", LargeBinary, primary_key=True),
    Column("member", Integer, primary_key=True, autoincrement=False),
    Column("share", LargeBinary, nullable=False),
)

SHARES = Schema("shares", _tables, Path(__file__).parent / "migrations/shares")


class ShareInbox(Store):
    """Keep the shares S_i of one's grants durably: one's own, and those handed over by the group.

    A share is taken from its sender alone and opened here; whether it is the one that was dealt
    is checked when the key is recovered, so that a false one can be named. A sender may replace
    its share.
    """

    schema = SHARES

    def __init__(self, place: Place, *, gateway: ChainGateway, keys: MemberKeys) -> None:
        """Open the database. Raises StoreError."""
        super().__init__(place)
        self._gateway = gateway
        self._keys = keys
        self._grants = GrantBook(gateway)

    def accept(self, body: object) -> None:
        """Take a share in.

        Raises ShareRefused for one that is not its sender's, not for us, or not readable.
        """
        try:
            delivery = ShareDelivery.from_json(body)
            index = self._index_of(delivery)
            self._require_signed(delivery)
            message = self._open(delivery)
        except (RecordError, CryptoError, MemberError) as error:
            raise ShareRefused(f"the share was refused: {error}") from error
        if (message.lock_id, message.index) != (delivery.lock_id, index):
            raise ShareRefused("the share names another lock or another member than its sender")
        self.keep(delivery.lock_id, index, message.share)

    def keep(self, lock_id: bytes, index: int, share: G1) -> None:
        """Store the share of member `index` (1..n)."""
        self._put(_shares, lock_id=lock_id, member=index, share=share.to_bytes())

    def shares(self, lock_id: bytes) -> dict[int, G1]:
        """Return the shares held for a lock, by member index."""
        query = select(_shares.c.member, _shares.c.share).where(_shares.c.lock_id == lock_id)
        return {index: G1.from_bytes(share) for index, share in self._all(query)}

    def _index_of(self, delivery: ShareDelivery) -> int:
        selection = self._grants.selection(delivery.lock_id)
        selection.index_of(self._keys.address)
        return selection.index_of(delivery.sender)

    def _require_signed(self, delivery: ShareDelivery) -> None:
        digest = signing.share_digest(
            chain_id=self._gateway.chain_id,
            prepaid_lock=self._gateway.deployment.address("PrepaidLock"),
            sender=delivery.sender,
            recipient=self._keys.address,
            lock_id=delivery.lock_id,
            sealed=delivery.sealed,
        )
        if not signing.verify_signature(digest, delivery.signature, delivery.sender):
            raise ShareRefused(f"the signature is not {delivery.sender}'s")

    def _open(self, delivery: ShareDelivery) -> sharing_records.ShareMessage:
        context = contexts.share(
            chain_id=self._gateway.chain_id,
            prepaid_lock=self._gateway.deployment.address("PrepaidLock"),
            lock_id=delivery.lock_id,
            sender=delivery.sender,
            recipient=self._keys.address,
        )
        plain = self._keys.open_sealed(delivery.sealed, context=context)
        return sharing_records.decode_share(plain)


def create_share_app(inbox: ShareInbox) -> FastAPI:
    """Build the HTTP face of an inbox: POST /v1/shares. 200 means kept durably."""
    app = FastAPI(title="DMSM share inbox", docs_url=None, redoc_url=None, openapi_url=None)

    @app.post("/v1/shares")
    async def take_share(request: Request) -> JSONResponse:
        try:
            body = await _limited_body(request)
            inbox.accept(canonical_json.parse(body, max_bytes=_MAX_BODY_BYTES))
        except FormatError as error:
            return _refusal(400, "BadBody", f"the body is refused: {error}")
        except ShareRefused as error:
            return _refusal(400, "ShareRefused", str(error))
        except DmsmError as error:
            return _refusal(503, "Unavailable", str(error))
        return JSONResponse({"kept": True})

    return app


async def _limited_body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY_BYTES:
            raise FormatError(f"it has more than {_MAX_BODY_BYTES} bytes")
    return body


def _refusal(status: int, name: str, detail: str) -> JSONResponse:
    return JSONResponse({"error": name, "detail": detail}, status_code=status)
