"""The HTTP face of a buyer's inbox (docs/formats.md §13)."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from offchain.buyer.inbox import ShareInbox
from offchain.errors import DmsmError, FormatError
from offchain.member.errors import ShareRefused
from offchain.records import canonical_json

_MAX_BODY_BYTES = 16 * 1024


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
