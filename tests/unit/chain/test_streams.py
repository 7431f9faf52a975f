"""A line to a node that breaks while it is opened is no answer of the node, whenever it breaks."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator

import pytest

from offchain.chain.rpc import RpcFailure
from offchain.chain.streams import open_stream

_RESET = struct.pack("ii", 1, 0)  # closing a socket so sends a reset, not an end


def end(line: socket.socket) -> None:
    line.close()


def reset(line: socket.socket) -> None:
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    line.close()


def read_and_end(line: socket.socket) -> None:
    line.recv(4_096)
    line.close()


def read_and_reset(line: socket.socket) -> None:
    line.recv(4_096)
    reset(line)


def answer_half(line: socket.socket) -> None:
    line.recv(4_096)
    line.sendall(b"HTTP/1.1 101 Switching Pro")
    line.close()


@pytest.fixture
def server() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """Serve each line as told; return the address."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve(treat: Callable[[socket.socket], None]) -> str:
        def run() -> None:
            while True:
                try:
                    line, _ = listening.accept()
                except OSError:
                    return
                treat(line)

        threading.Thread(target=run, daemon=True).start()
        return f"ws://127.0.0.1:{listening.getsockname()[1]}"

    yield serve
    listening.close()


@pytest.mark.parametrize("treat", [end, reset, read_and_end, read_and_reset, answer_half])
def test_open_stream__line_breaks_in_the_handshake__is_a_failure_of_the_line(
    server: Callable[[Callable[[socket.socket], None]], str],
    treat: Callable[[socket.socket], None],
) -> None:
    address = server(treat)
    for _ in range(20):  # where it breaks is the system's choice
        with pytest.raises(RpcFailure):
            open_stream(address)
