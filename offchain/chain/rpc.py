"""JSON-RPC over HTTP to one node: the transport below `Endpoint`.

urllib3 without `requests` and web3.py around it: a poll or a call costs half the time, and a node
asks some hundred small questions for each request it serves (docs/decisions/028).
"""

import ipaddress
import json
import os
from collections.abc import Sequence
from itertools import count
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies

import certifi
import urllib3

Request = tuple[str, Sequence[Any]]

_CONNECT_S = 5.0
_CONNECTIONS = 32  # of one process to one node


class RpcFailure(OSError):
    """A node did not answer, or not with JSON-RPC: another may be asked."""


class RpcConnection:
    """A pool of connections to one node; threads may share it. Nothing is tried twice.

    An https node is believed by the authorities of REQUESTS_CA_BUNDLE, or of certifi. A proxy of
    the environment is used, but not for what `no_proxy` names, and never for this machine.
    """

    def __init__(self, url: str, *, timeout_s: float) -> None:
        """Prepare to ask `url` (http or https, with user:password@ if need be)."""
        self.url = url
        parts = urlsplit(url)
        self._headers = {"Content-Type": "application/json"}
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers |= urllib3.make_headers(basic_auth=pair)
        address = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        port = f":{parts.port}" if parts.port else ""
        query = f"?{parts.query}" if parts.query else ""
        self._target = f"{parts.scheme}://{address}{port}{parts.path or '/'}{query}"
        self._ids = count()
        settings: dict[str, Any] = {
            "maxsize": _CONNECTIONS,
            "ca_certs": _authorities(),
            "timeout": urllib3.Timeout(connect=min(_CONNECT_S, timeout_s), read=timeout_s),
            "retries": False,
        }
        self._pool, self._fault = _pool_for(url, settings)

    def make_request(self, method: str, params: Sequence[Any]) -> dict[str, Any]:
        """Return the node's answer, with `result` or `error`. Raises RpcFailure."""
        body = self._body(method, params)
        answer = self._post(body)
        if not isinstance(answer, dict):
            raise RpcFailure(f"{method} is answered by no object")
        if not _is_answer_to(body, answer):
            raise RpcFailure(f"{method} is answered by what answers another question")
        return answer

    def make_batch_request(self, calls: Sequence[Request]) -> list[dict[str, Any]] | dict[str, Any]:
        """Return the answers in the order of the calls, or what the whole batch is refused with.

        Raises RpcFailure.
        """
        bodies = [self._body(method, params) for method, params in calls]
        answer = self._post(bodies)
        if isinstance(answer, dict):
            return answer
        if not isinstance(answer, list):
            raise RpcFailure("a batch is answered by no list")
        by_id = {one.get("id"): one for one in answer if _has_plain_id(one)}
        found = [by_id.get(body["id"]) for body in bodies]
        if len(answer) == 1 and None in found and "error" in by_id.get(None, {}):
            return by_id[None]
        if None in found:
            raise RpcFailure(f"{found.count(None)} of {len(bodies)} requests are not answered")
        return [one for one in found if one is not None]

    def _body(self, method: str, params: Sequence[Any]) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": list(params)}

    def _post(self, body: Any) -> Any:
        if self._pool is None:
            raise RpcFailure(self._fault)
        try:
            response = self._pool.request(
                "POST", self._target, body=json.dumps(body).encode(), headers=self._headers
            )
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            raise RpcFailure(str(error)) from error
        if response.status >= 300:
            raise RpcFailure(f"HTTP status {response.status} {response.reason or ''}".rstrip())
        try:
            return json.loads(response.data)
        except (ValueError, RecursionError) as error:
            raise RpcFailure(f"the answer is no JSON: {error}") from error


def is_loopback(url: str) -> bool:
    """Whether a URL names this machine, where no proxy has any business."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _pool_for(url: str, settings: dict[str, Any]) -> tuple[urllib3.PoolManager | None, str]:
    """Return the connections to a node, or why there can be none."""
    if is_loopback(url) or not getproxies():
        return urllib3.PoolManager(**settings), ""
    # What a proxy of the environment means is for requests to say; it takes long to import.
    from requests.utils import (
        get_auth_from_url,
        get_environ_proxies,
        prepend_scheme_if_needed,
        select_proxy,
    )

    proxy = select_proxy(url, get_environ_proxies(url))
    if not proxy:
        return urllib3.PoolManager(**settings), ""
    proxy = prepend_scheme_if_needed(proxy, "http")
    user, password = get_auth_from_url(proxy)
    if user:
        settings["proxy_headers"] = urllib3.make_headers(proxy_basic_auth=f"{user}:{password}")
    try:
        return urllib3.ProxyManager(proxy, **settings), ""
    except urllib3.exceptions.HTTPError as error:
        return None, f"the proxy that the environment names for it cannot be used: {error}"


def _authorities() -> str:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        if bundle := os.environ.get(name):
            return bundle
    return certifi.where()


def _has_plain_id(answer: object) -> bool:
    return isinstance(answer, dict) and isinstance(answer.get("id"), int | str | None)


def _is_answer_to(body: dict[str, Any], answer: dict[str, Any]) -> bool:
    """Whether it has the question's id; a node that could not read the question gives none."""
    given = answer.get("id")
    return given == body["id"] or (given is None and "error" in answer)
