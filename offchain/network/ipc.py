"""JSON-RPC over a node's control socket, where votes and peers are decided.

Who may open the socket commands the node; its folder's mode keeps others out.
"""

from __future__ import annotations

import itertools
import json
import time
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from offchain.chain import answers, questions
from offchain.chain.answers import AnswerUnreadable, FeeHead, result_or_refusal
from offchain.chain.errors import NodeRefused, NodeUnavailable
from offchain.chain.questions import Question
from offchain.chain.rpc import RpcFailure
from offchain.chain.streams import IpcStream

T = TypeVar("T")

_LONGEST = 1 << 27  # a block with its transactions, a pool: of one's own node
_HEAD_TOLD = answers.field("result", answers.fee_head)


class Ipc:
    """One connection; one thread at a time."""

    def __init__(self, path: Path, *, timeout_s: float = 15.0) -> None:
        """Connect. Raises NodeUnavailable."""
        self._path, self._timeout_s = path, timeout_s
        self._ids = itertools.count(1)
        self._heads: deque[FeeHead] = deque()
        try:
            self._line = IpcStream(str(path), timeout_s=timeout_s, longest=_LONGEST)
        except RpcFailure as error:
            raise self._unavailable(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._line.close()

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
        try:
            self._line.send(json.dumps(asked))
        except RpcFailure as error:
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
        try:
            message = self._line.receive(give_up_at - time.monotonic())
            return None if message is None else answers.object_in(message)
        except (RpcFailure, AnswerUnreadable) as error:
            raise self._unavailable(error) from error

    def _unavailable(self, why: object) -> NodeUnavailable:
        return NodeUnavailable(f"no node answers at {self._path}: {why}; is it running?")
