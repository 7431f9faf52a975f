"""How the intake reads a body: whole, within its cap, and whoever sends it may vanish."""

import asyncio
from typing import Any

import pytest
from fastapi import Request

from offchain.node.intake import read_body
from offchain.node.refusal import IntakeRefused


def read(*messages: dict[str, Any], max_bytes: int = 10) -> bytes:
    waiting = list(messages)

    async def receive() -> dict[str, Any]:
        return waiting.pop(0)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [], "query_string": b""}
    return asyncio.run(read_body(Request(scope, receive), max_bytes=max_bytes))


def part(body: bytes, *, more: bool) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def test_read_body__in_parts__returns_the_whole() -> None:
    assert read(part(b"01234", more=True), part(b"56789", more=False)) == b"0123456789"


def test_read_body__above_the_cap__is_refused_at_once() -> None:
    with pytest.raises(IntakeRefused) as refused:
        read(part(b"0123456789", more=True), part(b"x", more=True))
    assert refused.value.status == 413


def test_read_body__the_sender_vanishes__is_refused_without_an_exception_of_the_server() -> None:
    with pytest.raises(IntakeRefused, match="ended early"):
        read(part(b"0123", more=True), {"type": "http.disconnect"})
