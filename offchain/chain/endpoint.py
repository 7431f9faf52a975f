"""JSON-RPC over one or several nodes: requests, batches, failover."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from offchain.chain import questions
from offchain.chain.answers import AnswerUnreadable, refusal, result_or_refusal
from offchain.chain.errors import ChainMismatch, NodeRefused, NodeUnavailable
from offchain.chain.questions import Question
from offchain.chain.rpc import RpcConnection
from offchain.errors import ChainError
from offchain.forking import ForkLock

BATCH_SIZE = 200  # Geth answers at most 1,000 requests and 25 MB in a batch
RETRY_AFTER_S = 15.0
_MOST_RETRIES = 5  # the pause doubles so often: a node that hangs costs its time limit each time

T = TypeVar("T")
_Asking = Callable[[RpcConnection], T]  # what is done at one node, through its connection
FAILURES = (OSError, AnswerUnreadable)
_log = logging.getLogger(__name__)


class Endpoint:
    """The nodes behind a gateway, in the order of preference: one's own first.

    A node that fails rests for a while, and the next one is asked; one that serves another chain
    is never believed; one that lags behind (`avoid`) is asked last. Threads may share it. An error
    that a node answers is an answer; what does not decode is none, and the next node is asked.
    """

    def __init__(
        self,
        rpc_urls: Sequence[str],
        *,
        timeout_s: float = 30.0,
        retry_after_s: float = RETRY_AFTER_S,
        chain_id: int | None = None,
    ) -> None:
        """Prepare connections to `rpc_urls` (at least one); nothing is asked yet.

        `chain_id`: what a node must serve, asked of each before it is used; None: not asked.
        """
        if not rpc_urls:
            raise NodeUnavailable("no RPC address was given")
        self.urls = tuple(rpc_urls)
        self.providers = [RpcConnection(url, timeout_s=timeout_s) for url in rpc_urls]
        self._retry_after_s, self._chain_id = retry_after_s, chain_id
        self._rests_until = [0.0] * len(rpc_urls)
        self._failed_times = [0] * len(rpc_urls)
        self._is_checked = [False] * len(rpc_urls)
        self._avoided: Mapping[int, str] = {}
        self._lock = ForkLock()

    def ask(self, question: Question[T]) -> T:
        """Return the answer of one question, decoded.

        Raises NodeRefused, NodeUnavailable, ChainMismatch, what `question.read` raises of the
        caller's fault.
        """
        found = self._ask(lambda node: _ask_alone(node, question))
        if isinstance(found, NodeRefused):
            raise found
        return found

    def request(self, method: str, *params: Any) -> Any:
        """Return any request's result as it is in JSON: for development nodes, and for tests.

        Raises NodeRefused, NodeUnavailable, ChainMismatch.
        """
        return self.ask(questions.plain(method, *params))

    def batch(self, asked: Sequence[Question[Any]], *, first_alone: bool = False) -> list[Any]:
        """Return the answer of each question in order; a refused one is its NodeRefused, unraised.

        `first_alone`: nobody but the first node is asked, also when it does not answer. Raises like
        `ask`. The questions of one chunk of 200 are all answered by one node.
        """
        results: list[Any] = []
        for start in range(0, len(asked), BATCH_SIZE):
            results += self._batch(asked[start : start + BATCH_SIZE], first_alone)
        return results

    def ask_all(self, asked: Sequence[Question[Any]]) -> list[Any]:
        """Return the answer of each question in order. Raises like `ask`, for the first refused."""
        answers = self.batch(asked)
        for answer in answers:
            if isinstance(answer, NodeRefused):
                raise answer
        return answers

    def avoid(self, reasons: Mapping[int, str]) -> None:
        """Ask these nodes, by position, only when no other answers; said in the log on a change."""
        with self._lock:
            before, self._avoided = self._avoided, dict(reasons)
        for position in reasons.keys() - before.keys():
            _log.warning("%s is avoided: %s", self.urls[position], reasons[position])
        for position in before.keys() - reasons.keys():
            _log.info("%s is used again", self.urls[position])

    def _batch(self, asked: Sequence[Question[Any]], first_alone: bool) -> list[Any]:
        ask = self._ask_first if first_alone else self._ask
        found = ask(lambda node: ask_together(node, asked))
        if isinstance(found, NodeRefused):  # the whole batch was refused
            raise found
        return found

    # ---- who is asked

    def _ask_first(self, asking: _Asking[T]) -> T:
        try:
            return self._ask_one(0, asking)
        except FAILURES as error:
            raise NodeUnavailable(
                f"the first chain node, {self.urls[0]}, does not answer ({error}); what must stay "
                "secret is shown to no other: start it, or name your own node first in rpc_url"
            ) from error

    def _ask(self, asking: _Asking[T]) -> T:
        try:
            return self._ask_each(asking)
        except (NodeUnavailable, ChainMismatch):
            raise
        except ChainError:  # that the caller is at fault is believed when it is said twice
            return self._ask_each(asking)

    def _ask_each(self, asking: _Asking[T]) -> T:
        failures: list[str] = []
        strangers: list[ChainMismatch] = []
        doubts: dict[int, ChainError] = {}
        for position in self._order():
            try:
                answer = self._ask_one(position, asking)
            except ChainMismatch as error:
                strangers.append(error)
                self._rest(position, error)
                failures.append(str(error))
            except FAILURES as error:
                self._rest(position, error)
                failures.append(f"{self.urls[position]}: {error}")
            except ChainError as error:  # the caller's fault if all say so, or else this node's
                doubts[position] = error
                failures.append(f"{self.urls[position]}: {error}")
            else:
                self._failed_times[position] = 0
                self._rest_all(doubts)
                return answer
        if len(strangers) == len(self.urls):
            raise strangers[0]
        if len(doubts) == len(self.urls):
            raise next(iter(doubts.values()))
        raise NodeUnavailable("no chain node answers; is it running? " + "; ".join(failures))

    def _ask_one(self, position: int, asking: _Asking[T]) -> T:
        provider = self.providers[position]
        if self._chain_id is not None and not self._is_checked[position]:
            served = _ask_alone(provider, questions.chain_id())
            if isinstance(served, NodeRefused):
                raise AnswerUnreadable(f"it does not say which chain it serves: {served}")
            if served != self._chain_id:
                raise ChainMismatch(
                    f"the node {self.urls[position]} serves chain {served}, the deployment is on "
                    f"{self._chain_id}; give the RPC address of that chain"
                )
            self._is_checked[position] = True
        return asking(provider)

    def _order(self) -> list[int]:
        """Return the positions to try: the healthy ones first, those that rest at the end."""
        now = time.monotonic()
        with self._lock:
            avoided = self._avoided
        return sorted(
            range(len(self.urls)),
            key=lambda one: (self._rests_until[one] > now, one in avoided, one),
        )

    def _rest_all(self, doubts: Mapping[int, ChainError]) -> None:
        """Leave alone those whose answer another node's has proved wrong. A block that a node does
        not have yet is no fault of it.
        """
        for position, error in doubts.items():
            if not isinstance(error, NodeRefused):
                self._rest(position, error)

    def _rest(self, position: int, error: Exception) -> None:
        """Leave a node alone for a while; when it comes back it may serve another chain."""
        times = self._failed_times[position]
        pause_s = self._retry_after_s * 2 ** min(times, _MOST_RETRIES)
        self._rests_until[position] = time.monotonic() + pause_s
        self._failed_times[position] = times + 1
        self._is_checked[position] = False
        if len(self.urls) > 1:
            url = self.urls[position]
            _log.warning("%s is left alone for %.0f s: %s", url, pause_s, error)


def _ask_alone(node: RpcConnection, question: Question[T]) -> T | NodeRefused:
    answer = node.make_request(question.method, question.params)
    return result_or_refusal(question.method, answer, question.read)


def ask_together(
    node: RpcConnection, asked: Sequence[Question[Any]]
) -> list[Any | NodeRefused] | NodeRefused:
    """Return one node's answers in order, or its refusal of them all.

    Raises RpcFailure, AnswerUnreadable: one answer that is none spoils them all.
    """
    if len(asked) == 1:
        return [_ask_alone(node, asked[0])]
    found = node.make_batch_request([(one.method, one.params) for one in asked])
    if isinstance(found, dict):
        if found.get("error") is None:
            raise AnswerUnreadable("a batch is answered with neither results nor an error")
        return refusal("batch", found["error"])
    return [
        result_or_refusal(one.method, answer, one.read)
        for one, answer in zip(asked, found, strict=True)
    ]
