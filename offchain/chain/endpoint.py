"""JSON-RPC over one or several nodes: requests, batches, failover."""

import ipaddress
import threading
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import requests
from web3 import HTTPProvider

from offchain.chain.errors import NodeRefused, NodeUnavailable

BATCH_SIZE = 200  # Geth answers at most 1,000 requests and 25 MB in a batch

Request = tuple[str, Sequence[Any]]
_FAILURES = (requests.RequestException, OSError, ValueError)


class Endpoint:
    """The nodes behind a gateway; the one that answered last is asked first.

    Threads may share it. Only transport failures move on to the next node: an error that a node
    answers is an answer.
    """

    def __init__(self, rpc_urls: Sequence[str], *, timeout_s: float = 30.0) -> None:
        """Prepare connections to `rpc_urls` (at least one); nothing is asked yet."""
        if not rpc_urls:
            raise NodeUnavailable("no RPC address was given")
        self.urls = tuple(rpc_urls)
        self.providers = [_provider(url, timeout_s) for url in rpc_urls]
        self._preferred = 0
        self._lock = threading.Lock()

    def request(self, method: str, *params: Any) -> Any:
        """Return the result of one request. Raises NodeRefused, NodeUnavailable."""
        return _result(method, self._ask(lambda provider: provider.make_request(method, params)))

    def batch(self, calls: Sequence[Request], *, first_alone: bool = False) -> list[Any]:
        """Return the result of each request in order; a refused one is its NodeRefused, unraised.

        `first_alone`: nobody but the first node is asked, also when it does not answer. Raises
        NodeUnavailable. The requests of one chunk of 200 go to one node.
        """
        results: list[Any] = []
        for start in range(0, len(calls), BATCH_SIZE):
            results += self._batch(calls[start : start + BATCH_SIZE], first_alone)
        return results

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

    def _ask_first(self, question: Any) -> Any:
        try:
            return question(self.providers[0])
        except _FAILURES as error:
            raise NodeUnavailable(
                f"the first chain node, {self.urls[0]}, does not answer ({error}); what must stay "
                "secret is shown to no other: start it, or name your own node first in rpc_url"
            ) from error

    def _ask(self, question: Any) -> Any:
        with self._lock:
            first = self._preferred
        failures = []
        for offset in range(len(self.providers)):
            position = (first + offset) % len(self.providers)
            try:
                answer = question(self.providers[position])
            except _FAILURES as error:
                failures.append(f"{self.urls[position]}: {error}")
                continue
            with self._lock:
                self._preferred = position
            return answer
        raise NodeUnavailable("no chain node answers; is it running? " + "; ".join(failures))


def _provider(url: str, timeout_s: float) -> HTTPProvider:
    session = requests.Session()
    session.mount("http", requests.adapters.HTTPAdapter(pool_maxsize=32))
    session.trust_env = not is_loopback(url)  # a proxy has no business with a local node
    return HTTPProvider(
        url,
        request_kwargs={"timeout": timeout_s},
        session=session,
        exception_retry_configuration=None,
    )


def is_loopback(url: str) -> bool:
    """Whether a URL names this machine, where no proxy has any business."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


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
