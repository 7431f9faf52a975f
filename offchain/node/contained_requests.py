"""A request that fails for a reason nobody foresaw costs itself alone: it is answered by 500."""

from __future__ import annotations

import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from offchain.containment import contained
from offchain.errors import DmsmError, StoreConflict, StoreError, Unforeseen
from offchain.records import canonical_json

_log = logging.getLogger(__name__)


class ContainedRequests:
    """Answer what the application beneath did not: 503 when a store cannot work now, 409 for what
    is there with another value, 500 with the `id` under which the log has an unforeseen error.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_begun = False

        async def note_begin(message: Message) -> None:
            nonlocal has_begun
            has_begun = has_begun or message["type"] == "http.response.start"
            await send(message)

        try:
            with contained(f"{scope['method']} {_route(scope)}"):
                await self._app(scope, receive, note_begin)
        except DmsmError as error:
            _log.warning("%s %s failed: %s", scope["method"], _route(scope), error)
            if not has_begun:  # else the connection just ends: nothing can be taken back
                await _answer(send, error)


def _route(scope: Scope) -> str:
    """Name what is asked without what it names: a path may hold an account."""
    return "/".join(str(scope["path"]).split("/")[:3])


async def _answer(send: Send, error: DmsmError) -> None:
    status, name, detail = 500, "failed", "the request failed; it may be sent again"
    body = {}
    if isinstance(error, Unforeseen):
        name, body = "unforeseen", {"id": error.name}
    elif isinstance(error, StoreConflict):
        status, name, detail = 409, "taken", "another value is held"
    elif isinstance(error, StoreError):
        status, name, detail = 503, "store_unavailable", "the store cannot work now; try again"
    content = canonical_json.dumps({"error": name, "detail": detail, **body})
    head = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": content})
