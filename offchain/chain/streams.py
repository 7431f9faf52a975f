"""A line to a node by which it can speak unasked: a WebSocket, or the socket of its IPC."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from typing import Any, Protocol
from urllib.parse import urlsplit

from offchain.chain.rpc import RpcFailure, is_loopback

_OPEN_S = 5.0
_CHUNK = 1 << 16
_LONGEST = 1 << 20  # of one message: a header takes a kilobyte


class NotOffered(RpcFailure):
    """A node answers at that address, but not so."""


class Stream(Protocol):
    """A line to one node; one thread reads it."""

    def send(self, message: str) -> None:
        """Send one message. Raises RpcFailure."""

    def receive(self, timeout_s: float) -> str | None:
        """Return the next message, or None when none comes in time. Raises RpcFailure."""

    def close(self) -> None:
        """Close the line; whoever reads it is told. Any thread may; never raises."""


def is_stream(address: str) -> bool:
    """Whether an address is of a line: ws://, wss://, or the path of a socket."""
    return address.startswith(("ws://", "wss://", "/"))


def stream_beside(url: str) -> str:
    """Return where a node that answers at `url` (http or https) may offer a WebSocket too."""
    return "ws" + url.removeprefix("http")


def open_stream(address: str) -> Stream:
    """Open a line. Raises NotOffered, RpcFailure."""
    return IpcStream(address) if address.startswith("/") else _WebSocket(address)


class _WebSocket:
    """Pings of the library find out a line that is dead and silent."""

    def __init__(self, url: str) -> None:
        from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
        from websockets.sync.client import connect

        options: dict[str, Any] = {"open_timeout": _OPEN_S, "close_timeout": 1.0}
        if is_loopback(url):
            options["proxy"] = None
        try:
            self._line = connect(url, max_size=_LONGEST, **options)
        except (InvalidHandshake, InvalidURI) as error:
            raise NotOffered(f"{urlsplit(url).hostname} offers no WebSocket: {error}") from error
        except (OSError, EOFError, ValueError, ConnectionClosed) as error:
            raise RpcFailure(str(error)) from error

    def send(self, message: str) -> None:
        from websockets.exceptions import ConnectionClosed

        try:
            self._line.send(message)
        except (OSError, ConnectionClosed) as error:
            raise RpcFailure(f"the line broke: {error}") from error

    def receive(self, timeout_s: float) -> str | None:
        from websockets.exceptions import ConnectionClosed

        try:
            message = self._line.recv(timeout=timeout_s)
        except TimeoutError:
            return None
        except (OSError, ConnectionClosed, UnicodeDecodeError) as error:
            raise RpcFailure(f"the line broke: {error}") from error
        return message if isinstance(message, str) else message.decode(errors="replace")

    def close(self) -> None:
        self._line.close()


class IpcStream:
    """The control socket of a node: a message a line, as Geth and Besu write it."""

    def __init__(self, path: str, *, timeout_s: float = _OPEN_S, longest: int = _LONGEST) -> None:
        """Connect; sending waits so long, too. Raises RpcFailure."""
        self._buffer, self._timeout_s, self._longest = b"", timeout_s, longest
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout_s)
        try:
            # A node that is halted takes no connection: once its queue is full, this ends at once.
            self._socket.connect(path)
        except OSError as error:
            self._socket.close()
            raise RpcFailure(str(error)) from error

    def send(self, message: str) -> None:
        """Send one message. Raises RpcFailure."""
        self._socket.settimeout(self._timeout_s)
        try:
            self._socket.sendall(message.encode() + b"\n")
        except OSError as error:
            raise RpcFailure(f"the line broke: {error}") from error

    def receive(self, timeout_s: float) -> str | None:
        """Return the next message, or None when none comes whole in time. Raises RpcFailure."""
        give_up_at = time.monotonic() + timeout_s
        try:
            while b"\n" not in self._buffer:
                self._socket.settimeout(max(0.001, give_up_at - time.monotonic()))
                chunk = self._socket.recv(_CHUNK)
                self._buffer += chunk
                if not chunk or len(self._buffer) > self._longest:
                    raise RpcFailure("the line broke: it was closed, or says too much")
        except TimeoutError:
            return None
        except OSError as error:
            raise RpcFailure(f"the line broke: {error}") from error
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.decode(errors="replace")

    def close(self) -> None:
        """Close the line; whoever reads it is told. Any thread may; never raises."""
        with suppress(OSError):  # it was closed by the node
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes who reads
        self._socket.close()
