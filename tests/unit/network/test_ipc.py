"""A control socket whose node is halted: nobody takes the connection, nobody answers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from offchain.chain.errors import NodeUnavailable
from offchain.network.ipc import Ipc


@pytest.fixture
def halted(tmp_path: Path) -> Iterator[Path]:
    """A socket that listens and takes no connection, as a halted process leaves it."""
    path = tmp_path / "geth.ipc"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as node:
        node.bind(str(path))
        node.listen(1)
        yield path


def test_ipc__halted_node_with_a_full_queue__gives_up(halted: Path) -> None:
    with ExitStack() as left_behind:
        for _ in range(2):  # what earlier rounds have left
            waiting = left_behind.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            waiting.connect(str(halted))
        said: list[BaseException] = []

        def connect() -> None:
            try:
                Ipc(halted, timeout_s=0.2)
            except NodeUnavailable as error:
                said.append(error)

        thread = threading.Thread(target=connect, daemon=True)
        thread.start()
        thread.join(10)
        assert not thread.is_alive()
        assert str(halted) in str(said[0])


def test_request__halted_node__gives_up(halted: Path) -> None:
    with Ipc(halted, timeout_s=0.2) as node:
        with pytest.raises(NodeUnavailable, match=r"no answer in 0\.2 s"):
            node.request("eth_chainId")
