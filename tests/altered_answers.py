"""A hostile node: stands before an honest one and alters a share of its answers.

It alters in every way that JSON allows and no honest node would: what comes is no answer to what
was asked. It does not lie in answers that are well formed (an event left out, another number):
that is for the health gate, and for who reads the chain of several nodes.
"""

import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import urllib3

# What stands in the place of a result, or of a member of it.
WRONG: list[Any] = [
    {},
    "",
    "0x",
    "0xzz",
    "12",
    True,
    0,
    -1,
    1.5,
    10**30,
    "0x" + "f" * 80,
    "\ud800",
    [[]],
    {"number": {"number": []}},
    {"hash": None, "blockNumber": 7},
]
BAD_ERRORS: list[Any] = [
    "busy",
    7,
    [],
    {},
    {"code": "1", "message": "no"},
    {"code": 1},
    {"message": "no"},
    {"code": True, "message": []},
]
NO_JSON = [b"", b"<html>", b"\xff\xfe", b"{'a': 1}"]
Alteration = Callable[[random.Random, dict[str, Any]], Any]


def _null(_: random.Random, answer: dict[str, Any]) -> Any:
    return answer | {"result": None}


def _wrong_result(chance: random.Random, answer: dict[str, Any]) -> Any:
    return answer | {"result": chance.choice(WRONG)}


def _no_result(_: random.Random, answer: dict[str, Any]) -> Any:
    return {key: value for key, value in answer.items() if key != "result"}


def _wrong_member(chance: random.Random, answer: dict[str, Any]) -> Any:
    """Alter something inside the result: it is missing, or of another type."""
    place = answer
    key: Any = "result"
    while True:
        inner = place[key]
        if isinstance(inner, dict) and inner:
            place, key = inner, chance.choice(sorted(inner))
        elif isinstance(inner, list) and inner:
            place, key = inner, chance.randrange(len(inner))
        else:
            break
        if chance.random() < 0.4:
            break
    if isinstance(place, dict) and place is not answer and chance.random() < 0.3:
        del place[key]
    else:
        place[key] = chance.choice(WRONG)
    return answer


def _wrong_id(chance: random.Random, answer: dict[str, Any]) -> Any:
    return answer | {"id": chance.choice([None, "x", -5, [], {}, 1.25, True])}


def _bad_error(chance: random.Random, answer: dict[str, Any]) -> Any:
    kept = {"jsonrpc": "2.0", "id": answer["id"]}
    if chance.random() < 0.3:
        kept["result"] = answer.get("result")
        return kept | {"error": {"code": 1, "message": "both"}}
    return kept | {"error": chance.choice(BAD_ERRORS)}


def _no_object(chance: random.Random, _: dict[str, Any]) -> Any:
    return chance.choice([None, [], "x", 7, True])


IN_ANSWER: dict[str, Alteration] = {
    one.__name__.strip("_"): one
    for one in (_null, _wrong_result, _no_result, _wrong_member, _wrong_id, _bad_error, _no_object)
}
Rewriting = Callable[[random.Random, bytes], tuple[int, bytes]]  # of the whole body: status, bytes
IN_BODY: dict[str, Rewriting] = {
    "truncated": lambda chance, body: (200, body[: chance.randrange(len(body))]),
    "no_json": lambda chance, body: (
        200,
        chance.choice([b"", b"<html>", b"\xff\xfe", b"{'a': 1}"]),
    ),
    "doubled": lambda chance, body: (200, body + body),
    "nested": lambda chance, body: (200, b"[" * 100_000),
    "repeated_key": lambda chance, body: (200, body.rstrip(b"]}\n ") + b',"result":null}'),
    "status": lambda chance, body: (chance.choice([204, 302, 404, 500, 503]), b""),
}


class AlteringNode:
    """The node at `url`, between a member and the honest one; `altered` counts what it did."""

    def __init__(self, honest_url: str, *, share: float, seed: int, kind: str | None) -> None:
        self.share, self.kind, self.altered = share, kind, Counter[str]()
        self._honest_url, self._chance = honest_url, random.Random(seed)
        self._lock, self._pool = threading.Lock(), urllib3.PoolManager(maxsize=16)
        node = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                asked = self.rfile.read(int(self.headers["Content-Length"]))
                status, body = node.answer(asked)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self) -> None:
                self.send_error(405)  # no WebSocket here

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, asked: bytes) -> tuple[int, bytes]:
        """Return status and body, altered or not."""
        headers = {"Content-Type": "application/json"}
        body = self._pool.request("POST", self._honest_url, body=asked, headers=headers).data
        with self._lock:
            return self._altered(body)

    def _altered(self, body: bytes) -> tuple[int, bytes]:
        if self._is_altered():
            kind = self.kind or self._chance.choice([*IN_ANSWER, *IN_BODY])
            if kind in IN_BODY:
                self.altered[kind] += 1
                return IN_BODY[kind](self._chance, body)
            return 200, self._with_one_altered(kind, body)
        return 200, body

    def _with_one_altered(self, kind: str, body: bytes) -> bytes:
        """Alter an answer; of a batch, one of them."""
        answers = json.loads(body)
        alter = IN_ANSWER[kind]
        batch = answers if isinstance(answers, list) else [answers]
        place = self._chance.randrange(len(batch))
        if "result" in batch[place]:  # a refusal stays one
            self.altered[kind] += 1
            batch[place] = alter(self._chance, batch[place])
        return json.dumps(batch if isinstance(answers, list) else batch[0]).encode()

    def _is_altered(self) -> bool:
        return self._chance.random() < self.share


@contextmanager
def altering_node(
    honest_url: str, *, share: float = 0.05, seed: int = 1, kind: str | None = None
) -> Iterator[AlteringNode]:
    """Start a node that alters a `share` of the answers; `kind` None: in any way, by `seed`."""
    node = AlteringNode(honest_url, share=share, seed=seed, kind=kind)
    thread = threading.Thread(target=node.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield node
    finally:
        node.server.shutdown()
        node.server.server_close()
        thread.join(10)
