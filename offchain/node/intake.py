"""The node's HTTP intake for its devices (docs/formats.md §8). An answer 200 means durable.

Besides §8 it gives out members' public Paillier keys, because devices have no content store.
"""

import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from offchain.chain.gateway import ChainGateway
from offchain.chain.pairing import configured_pairing
from offchain.errors import ChainError, FormatError, StorageError, StoreError
from offchain.node.held_days import held_days
from offchain.node.reception import NodeIdentity, Reception
from offchain.node.refusal import IntakeRefused, malformed, too_large
from offchain.node.region import Region
from offchain.node.store import NodeStore
from offchain.records import canonical_json, fields
from offchain.records.envelope import BatchNotice, DayKeys, Envelopes, SealedReport, SignedSeq
from offchain.records.held_days import to_json
from offchain.storage import ContentStore
from offchain.types import Account, to_account

__all__ = ["NodeIdentity", "create_intake", "read_body"]

MAX_SMALL_BODY_BYTES = 32_768
MAX_READINGS_BODY_BYTES = 1_048_576
_MAX_KEY_BYTES = 1 << 18
_SECONDS = re.compile(r"[0-9]{1,10}")
_log = logging.getLogger(__name__)

Handler = Callable[[bytes], fields.Json]


def create_intake(
    *,
    store: NodeStore,
    gateway: ChainGateway,
    identity: NodeIdentity,
    content: ContentStore,
) -> FastAPI:
    """Make the application that serves formats.md §8 for the devices of the node's region."""
    reception = Reception(
        store=store,
        content=content,
        identity=identity,
        region=Region(gateway, to_account(identity.account)),
        chain_id=gateway.chain_id,
        data_ledger=to_account(gateway.deployment.address("DataLedger")),
        pairing_check=configured_pairing(gateway),
    )
    app = FastAPI(title="DMSM node intake", docs_url=None, redoc_url=None, openapi_url=None)
    _add_posts(app, reception)
    _add_reads(app, gateway, content)
    _add_held_days(app, store)
    _add_device_state(app, store, to_account(identity.account))
    add_refusals(app)
    return app


def _add_posts(app: FastAPI, reception: Reception) -> None:
    def days(value: Any) -> fields.Json:
        reception.take_day_keys(DayKeys.from_json(value))
        return {}

    def readings(value: Any) -> fields.Json:
        return {"next_seq": reception.take_readings(Envelopes.from_json(value))}

    def batches(value: Any) -> fields.Json:
        reception.take_batch(BatchNotice.from_json(value))
        return {}

    def reports(value: Any) -> fields.Json:
        return {"digest": reception.take_report(SealedReport.from_json(value)).hex()}

    def starts(value: Any) -> fields.Json:
        reception.take_start(SignedSeq.from_json(value))
        return {}

    def recoveries(value: Any) -> fields.Json:
        envelopes = reception.give_back(SignedSeq.from_json(value))
        return {"envelopes": [envelope.to_json() for envelope in envelopes]}

    app.post("/v1/days")(_post(days, MAX_SMALL_BODY_BYTES))
    app.post("/v1/readings")(_post(readings, MAX_READINGS_BODY_BYTES))
    app.post("/v1/batches")(_post(batches, MAX_SMALL_BODY_BYTES))
    app.post("/v1/reports")(_post(reports, MAX_SMALL_BODY_BYTES))
    app.post("/v1/starts")(_post(starts, MAX_SMALL_BODY_BYTES))
    app.post("/v1/recoveries")(_post(recoveries, MAX_SMALL_BODY_BYTES))


def _add_reads(app: FastAPI, gateway: ChainGateway, content: ContentStore) -> None:
    @app.get("/v1/paillier/{account}")
    def paillier_key(account: str) -> fields.Json:
        member = fields.normal_account(account, "account")
        profile, active = gateway.call("MemberRegistry", "memberOf", member)
        digest = bytes(profile[4])
        if not active or digest == bytes(32):
            raise IntakeRefused(404, "no_key", f"{member} has no Paillier key in the registry")
        key = content.get(digest, max_bytes=_MAX_KEY_BYTES)
        return {"key": fields.to_base64(key)}


def _add_held_days(app: FastAPI, store: NodeStore) -> None:
    @app.get("/v1/days/{account}")
    def days(account: str, request: Request) -> fields.Json:
        device = fields.normal_account(account, "account")
        start, end = (_instant(request, name) for name in ("from", "to"))
        return to_json(held_days(store, device, (start, end)) if start < end else [])


def _instant(request: Request, name: str) -> int:
    text = request.query_params.get(name, "")
    if not _SECONDS.fullmatch(text):
        raise malformed(f"{name} must be unix seconds")
    return int(text)


def _add_device_state(app: FastAPI, store: NodeStore, processor: Account) -> None:
    @app.get("/v1/devices/{device}")
    def device_state(device: str) -> fields.Json:
        account = fields.normal_account(device, "device")
        return {
            "processor": fields.from_account(processor),
            "next_seq": store.next_seq(account),
            "days": store.days(account),
            "next_batch_seq": store.next_batch_seq(account),
        }


def _post(
    handle: Callable[[Any], fields.Json], max_bytes: int
) -> Callable[[Request], Awaitable[fields.Json]]:
    async def endpoint(request: Request) -> fields.Json:
        body = await read_body(request, max_bytes=max_bytes)
        value = canonical_json.parse(body, max_bytes=max_bytes)
        return await run_in_threadpool(handle, value)

    return endpoint


async def read_body(request: Request, *, max_bytes: int) -> bytes:
    """Read a request's body, never holding more than `max_bytes`.

    Raises IntakeRefused: 413, or 422 when the sender is gone before its end.
    """
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > max_bytes:
                raise too_large(max_bytes)
    except ClientDisconnect as error:  # a device that was switched off; nobody hears the answer
        raise malformed("the body ended early") from error
    return bytes(body)


def add_refusals(app: FastAPI) -> None:
    """Answer refusals as `{"error": name, "detail": sentence}`; nothing that was sent is logged."""

    def answer(refusal: IntakeRefused) -> Response:
        error = {"error": refusal.name, "detail": refusal.detail, **refusal.hints}
        return Response(
            canonical_json.dumps(error), status_code=refusal.status, media_type="application/json"
        )

    @app.exception_handler(IntakeRefused)
    async def refused(request: Request, error: IntakeRefused) -> Response:
        _log.info("refused %s: %s", request.url.path, error.name)
        return answer(error)

    @app.exception_handler(FormatError)
    async def misformed(request: Request, error: FormatError) -> Response:
        return answer(malformed(str(error)))

    @app.exception_handler(ChainError)
    async def no_chain(request: Request, error: ChainError) -> Response:
        _log.warning("the chain does not answer: %s", error)
        return answer(IntakeRefused(503, "chain_unavailable", "the node's chain does not answer"))

    @app.exception_handler(StorageError)
    async def no_storage(request: Request, error: StorageError) -> Response:
        _log.warning("the content store does not answer: %s", error)
        return answer(IntakeRefused(503, "storage_unavailable", "the content store fails"))

    @app.exception_handler(StoreError)
    async def no_store(request: Request, error: StoreError) -> Response:
        _log.warning("nothing was taken in: %s", error)
        return answer(IntakeRefused(503, "store_unavailable", "the node's store fails; try again"))
