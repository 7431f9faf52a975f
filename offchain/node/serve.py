"""Serve an HTTP application from a thread of this process, on a port of its own."""

import socket
import threading
import time
from typing import Self

import uvicorn
from fastapi import FastAPI

from offchain.errors import Unforeseen
from offchain.member.errors import MemberError
from offchain.node.contained_requests import ContainedRequests

_START_S = 10.0
_STOP_S = 5.0


class RunningServer:
    """A server that answers until `stop()`. Also a context manager."""

    def __init__(self, app: FastAPI, *, host: str, port: int) -> None:
        try:
            self._socket = socket.create_server((host, port))
        except OSError as error:
            raise MemberError(f"cannot listen on {host}:{port}: {error.strerror}") from error
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://{host}:{self.port}"
        if app.middleware_stack is None:  # else it was served before, and has it
            app.add_middleware(ContainedRequests)
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=2,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="http", daemon=True
        )
        self._thread.start()
        self._await_start()

    def require_running(self) -> None:
        """Raise Unforeseen when its thread has ended: the process is then to be started again."""
        if not self._thread.is_alive():
            why = "the HTTP server has ended by itself; start this service again"
            raise Unforeseen(why, name="http-thread", times=1)

    def _await_start(self) -> None:
        deadline = time.monotonic() + _START_S
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                self.stop()
                raise MemberError("the HTTP server did not start")
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop answering and free the port; may be called twice."""
        self._server.should_exit = True
        self._thread.join(_STOP_S)
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()


def serve(app: FastAPI, *, host: str = "127.0.0.1", port: int = 0) -> RunningServer:
    """Serve `app`; port 0 takes a free one. Raises MemberError when the port is taken."""
    return RunningServer(app, host=host, port=port)
