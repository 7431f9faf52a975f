"""Aggregate sets over the node's HTTP: announcements out, openings of totals in
(docs/formats.md §14).

The node is a notice board: what it serves is signed and proven, and checked by who fetches it.
"""

from __future__ import annotations

from threading import Lock

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool

from offchain.audit.aggregate_opening import verify_opening
from offchain.audit.aggregates import Aggregate, AggregateBook
from offchain.errors import DmsmError
from offchain.node.aggregate_store import AggregateStore
from offchain.node.intake import read_body
from offchain.node.refusal import IntakeRefused
from offchain.records import aggregate_opening, aggregate_set, fields
from offchain.records.aggregate_opening import MemberOpening
from offchain.storage import ContentStore

_MAX_CACHED = 4


class OpeningReception:
    """Check openings and keep the good ones."""

    def __init__(self, held: AggregateStore, book: AggregateBook, content: ContentStore) -> None:
        self._held = held
        self._book = book
        self._content = content
        self._opened: dict[bytes, Aggregate] = {}
        self._one_at_a_time = Lock()  # proofs cost a second of work: strangers queue

    def take(self, data: bytes) -> bytes:
        """Keep a member's opening of an announced set; return its content digest.

        Raises IntakeRefused, and FormatError for other bytes.
        """
        opening = aggregate_opening.decode_member_opening(data)
        with self._one_at_a_time:
            if not verify_opening(self._aggregate(opening), opening):
                raise IntakeRefused(
                    422, "opening_refused", "the opening is not a member's, or not proven"
                )
        digest = self._content.put(data, lasting=True).digest
        self._held.put_opening(set_digest=opening.set_digest, member=opening.member, digest=digest)
        return digest

    def _aggregate(self, opening: MemberOpening) -> Aggregate:
        if opening.set_digest not in self._opened:
            announced = self._held.announcement_of(opening.set_digest)
            if announced is None:
                raise IntakeRefused(404, "no_such_set", "this node announced no such set")
            while len(self._opened) >= _MAX_CACHED:
                self._opened.pop(next(iter(self._opened)))
            announcement = aggregate_set.decode_announcement(announced)
            self._opened[opening.set_digest] = self._book.open(announcement)
        return self._opened[opening.set_digest]


def add_aggregates(
    app: FastAPI, *, held: AggregateStore, book: AggregateBook, content: ContentStore
) -> None:
    """Serve aggregate sets on the application of `create_intake`."""
    reception = OpeningReception(held, book, content)

    @app.get("/v1/aggregates")
    def announcements() -> fields.Json:
        return {"announcements": [fields.to_base64(one) for one in held.announcements()]}

    @app.get("/v1/aggregates/{set_digest}/openings")
    def openings(set_digest: str) -> fields.Json:
        digest = fields.from_hex(set_digest, "a set digest", length=32)
        return {"openings": [one.hex() for one in held.openings(digest)]}

    @app.post("/v1/aggregates/openings")
    async def take_opening(request: Request) -> fields.Json:
        body = await read_body(request, max_bytes=aggregate_opening.MAX_OPENING_BYTES)
        digest = await run_in_threadpool(_taken, reception, body)
        return {"digest": digest.hex()}


def _taken(reception: OpeningReception, body: bytes) -> bytes:
    try:
        return reception.take(body)
    except IntakeRefused:
        raise
    except DmsmError as error:
        raise IntakeRefused(422, "opening_refused", str(error)) from error
