"""Gateways before a real Kubo node that pass everything on: one changes bytes on the way out, one
kills the node while an archive is on its way in.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests

_PIECE_BYTES = 64 * 1024


class _Gateway(BaseHTTPRequestHandler):
    """Passes everything on to the RPC at `url`."""

    protocol_version = "HTTP/1.1"
    url: str
    session: requests.Session

    def do_POST(self) -> None:
        answer = self.session.post(
            f"{self.url}{self.path}",
            data=self.body(),
            headers={"Content-Type": self.headers.get("Content-Type", "")},
            timeout=30,
        )
        content = self.content_of(answer)
        self.send_response(answer.status_code)
        self.send_header("Content-Type", answer.headers.get("Content-Type", "text/plain"))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def body(self) -> bytes | Iterator[bytes]:
        return b"".join(self.pieces())

    def content_of(self, answer: requests.Response) -> bytes:
        return answer.content

    def pieces(self) -> Iterator[bytes]:
        """Yield the body of the request as it comes in."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            left = int(self.headers.get("Content-Length") or 0)
            while left and (piece := self.rfile.read(min(left, _PIECE_BYTES))):
                left -= len(piece)
                yield piece
            return
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


def lying_gateway(url: str, *, about: bytes, instead: bytes) -> AbstractContextManager[str]:
    """Yield the address of a gateway to the RPC at `url` that says `instead` for `about`."""

    class Lying(_Gateway):
        def content_of(self, answer: requests.Response) -> bytes:
            return answer.content.replace(about, instead)

    return _serve(Lying, url)


def killing_gateway(
    url: str, *, after_bytes: int, kill: Callable[[], None]
) -> AbstractContextManager[str]:
    """Yield the address of a gateway to the RPC at `url` that calls `kill`, once, when so many
    bytes of an archive have been passed on; the rest of it is never sent.
    """
    is_killed = threading.Event()

    class Killing(_Gateway):
        def do_POST(self) -> None:
            try:
                super().do_POST()
            except requests.RequestException:  # as the node itself: it ends in mid-sentence
                self.close_connection = True

        def body(self) -> bytes | Iterator[bytes]:
            is_archive = self.path.startswith("/api/v0/dag/import")
            return self.until_killed() if is_archive and not is_killed.is_set() else super().body()

        def until_killed(self) -> Iterator[bytes]:
            passed = 0
            for piece in self.pieces():
                yield piece
                passed += len(piece)
                if passed >= after_bytes:
                    is_killed.set()
                    kill()
                    raise requests.ConnectionError("the node was killed")

    return _serve(Killing, url)


@contextmanager
def _serve(handler: type[_Gateway], url: str) -> Iterator[str]:
    handler.url, handler.session = url, requests.Session()
    handler.session.trust_env = False
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
