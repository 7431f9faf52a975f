"""JSON-RPC over a node's control socket, where votes and peers are decided.

Who may open the socket commands the node; its folder's mode keeps others out.
"""

from __future__ import annotations

import itertools
import json
import socket
import time
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from offchain.chain import answers, questions
from offchain.chain.answers import AnswerUnreadable, FeeHead, result_or_refusal
from offchain.chain.errors import NodeRefused, NodeUnavailable
from offchain.chain.questions import Question

T = TypeVar("T")

_CHUNK = 1 << 16
_HEAD_TOLD = answers.field("result", answers.fee_head)


class Ipc:
    """One connection; one thread at a time."""

    def __init__(self, path: Path, *, timeout_s: float = 15.0) -> None:
        """Connect. Raises NodeUnavailable."""
        self._path, self._timeout_s = path, timeout_s
        self._buffer, self._ids = b"", itertools.count(1)
        self._heads: deque[FeeHead] = deque()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout_s)
        try:
            # A node that is halted takes no connection: once its queue is full, this ends at once.
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            raise self._unavailable(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    def ask(self, question: Question[T]) -> T:
        """Return a question's answer, decoded. Raises NodeRefused, NodeUnavailable."""
        try:
            found = result_or_refusal(question.method, self._answer_to(question), question.read)
        except AnswerUnreadable as error:
            raise self._unavailable(error) from error
        if isinstance(found, NodeRefused):
            raise found
        return found

    def request(self, method: str, *params: Any) -> Any:
        """Return a request's result as it is in JSON. Raises NodeRefused, NodeUnavailable."""
        return self.ask(questions.plain(method, *params))

    def _answer_to(self, question: Question[Any]) -> dict[str, Any]:
        number = next(self._ids)
        asked = {"jsonrpc": "2.0", "id": number, "method": question.method}
        asked["params"] = list(question.params)
        self._socket.settimeout(self._timeout_s)
        try:
            self._socket.sendall(json.dumps(asked).encode() + b"\n")
        except OSError as error:
            raise self._unavailable(error) from error
        give_up_at = time.monotonic() + self._timeout_s
        while (answer := self._message(give_up_at)) is not None:
            if answer.get("id") == number:
                return answer
            self._keep(answer)
        raise self._unavailable(f"no answer in {self._timeout_s} s")

    def subscribe_heads(self) -> None:
        """Ask to be told of each new block. Raises NodeRefused, NodeUnavailable."""
        self.request("eth_subscribe", "newHeads")

    def next_head(self, timeout_s: float) -> FeeHead | None:
        """Return the next new header, or None when none comes in time. Raises NodeUnavailable."""
        give_up_at = time.monotonic() + timeout_s
        while not self._heads:
            message = self._message(give_up_at)
            if message is None:
                return None
            self._keep(message)
        return self._heads.popleft()

    def _keep(self, message: dict[str, Any]) -> None:
        if message.get("method") != "eth_subscription":
            return
        try:
            self._heads.append(_HEAD_TOLD(message.get("params")))
        except AnswerUnreadable as error:
            raise self._unavailable(error) from error

    def _message(self, give_up_at: float) -> dict[str, Any] | None:
        while b"\n" not in self._buffer:
            self._socket.settimeout(max(0.001, give_up_at - time.monotonic()))
            try:
                chunk = self._socket.recv(_CHUNK)
            except TimeoutError:
                return None
            except OSError as error:
                raise self._unavailable(error) from error
            if not chunk:
                raise self._unavailable("it closed the connection")
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        try:
            message = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise self._unavailable(f"it says what is no JSON: {error}") from error
        if not isinstance(message, dict):
            raise self._unavailable("it says what is no JSON-RPC")
        return message

    def _unavailable(self, why: object) -> NodeUnavailable:
        return NodeUnavailable(f"no node answers at {self._path}: {why}; is it running?")
