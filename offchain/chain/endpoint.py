"""JSON-RPC over one or several nodes: requests, batches, failover."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from offchain.chain.errors import ChainMismatch, NodeRefused, NodeUnavailable
from offchain.chain.rpc import Request, RpcConnection

BATCH_SIZE = 200  # Geth answers at most 1,000 requests and 25 MB in a batch
RETRY_AFTER_S = 15.0
_MOST_RETRIES = 5  # the pause doubles so often: a node that hangs costs its time limit each time

Question = Callable[[Any], Any]  # what one node is asked, through its provider
FAILURES = (OSError, ValueError)
_log = logging.getLogger(__name__)


class Endpoint:
    """The nodes behind a gateway, in the order of preference: one's own first.

    A node that fails rests for a while, and the next one is asked; one that serves another chain
    is never believed; one that lags behind (`avoid`) is asked last. Threads may share it. Only
    transport failures move on to the next node: an error that a node answers is an answer.
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
        self._lock = threading.Lock()

    def request(self, method: str, *params: Any) -> Any:
        """Return the result of one request. Raises NodeRefused, NodeUnavailable, ChainMismatch."""
        return _result(method, self._ask(lambda provider: provider.make_request(method, params)))

    def batch(self, calls: Sequence[Request], *, first_alone: bool = False) -> list[Any]:
        """Return the result of each request in order; a refused one is its NodeRefused, unraised.

        `first_alone`: nobody but the first node is asked, also when it does not answer. Raises
        NodeUnavailable, ChainMismatch. The requests of one chunk of 200 go to one node.
        """
        results: list[Any] = []
        for start in range(0, len(calls), BATCH_SIZE):
            results += self._batch(calls[start : start + BATCH_SIZE], first_alone)
        return results

    def avoid(self, reasons: Mapping[int, str]) -> None:
        """Ask these nodes, by position, only when no other answers; said in the log on a change."""
        with self._lock:
            before, self._avoided = self._avoided, dict(reasons)
        for position in reasons.keys() - before.keys():
            _log.warning("%s is avoided: %s", self.urls[position], reasons[position])
        for position in before.keys() - reasons.keys():
            _log.info("%s is used again", self.urls[position])

    def _batch(self, calls: Sequence[Request], first_alone: bool) -> list[Any]:
        ask = self._ask_first if first_alone else self._ask
        if len(calls) == 1:
            answers = [ask(lambda provider: provider.make_request(*calls[0]))]
        else:
            answers = ask(lambda provider: provider.make_batch_request(list(calls)))
        if not isinstance(answers, list):  # the whole batch was refused
            raise _refusal("batch", answers)
        return [
            _refusal(method, answer) if "error" in answer else answer.get("result")
            for (method, _), answer in zip(calls, answers, strict=True)
        ]

    # ---- who is asked

    def _ask_first(self, question: Question) -> Any:
        try:
            return self._ask_one(0, question)
        except FAILURES as error:
            raise NodeUnavailable(
                f"the first chain node, {self.urls[0]}, does not answer ({error}); what must stay "
                "secret is shown to no other: start it, or name your own node first in rpc_url"
            ) from error

    def _ask(self, question: Question) -> Any:
        failures: list[str] = []
        strangers: list[ChainMismatch] = []
        for position in self._order():
            try:
                answer = self._ask_one(position, question)
            except ChainMismatch as error:
                strangers.append(error)
                self._rest(position, error)
                failures.append(str(error))
            except FAILURES as error:
                self._rest(position, error)
                failures.append(f"{self.urls[position]}: {error}")
            else:
                self._failed_times[position] = 0
                return answer
        if len(strangers) == len(self.urls):
            raise strangers[0]
        raise NodeUnavailable("no chain node answers; is it running? " + "; ".join(failures))

    def _ask_one(self, position: int, question: Question) -> Any:
        provider = self.providers[position]
        if self._chain_id is not None and not self._is_checked[position]:
            answer = provider.make_request("eth_chainId", [])
            if "result" not in answer:
                raise ValueError(f"it does not say which chain it serves: {answer}")
            served = int(answer["result"], 16)
            if served != self._chain_id:
                raise ChainMismatch(
                    f"the node {self.urls[position]} serves chain {served}, the deployment is on "
                    f"{self._chain_id}; give the RPC address of that chain"
                )
            self._is_checked[position] = True
        return question(provider)

    def _order(self) -> list[int]:
        """Return the positions to try: the healthy ones first, those that rest at the end."""
        now = time.monotonic()
        with self._lock:
            avoided = self._avoided
        return sorted(
            range(len(self.urls)),
            key=lambda one: (self._rests_until[one] > now, one in avoided, one),
        )

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


def _result(method: str, answer: Any) -> Any:
    if "error" in answer:
        raise _refusal(method, answer)
    return answer.get("result")


def _refusal(method: str, answer: Any) -> NodeRefused:
    error = answer.get("error", "neither a result for each request nor an error")
    if not isinstance(error, dict):
        return NodeRefused(method, 0, str(error))
    return NodeRefused(
        method, error.get("code", 0), str(error.get("message", "")), error.get("data")
    )
