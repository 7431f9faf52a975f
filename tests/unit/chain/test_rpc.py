"""The transport to one node, against a real HTTP server."""

import json
import ssl
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from offchain.chain.rpc import RpcConnection, RpcFailure

LOOPBACK = IPv4Address("127.0.0.1")


class QuietServer(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """Say nothing of clients that go away: the tests are about those."""


class Server:
    """Answers what it is told; `seen` holds (path, headers, body) of each request."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, dict[str, str], Any]] = []
        self.answer: Callable[[Any], tuple[int, bytes]] = lambda body: (
            200,
            json.dumps(body).encode(),
        )
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.seen.append((self.path, dict(self.headers), body))
                status, answer = server.answer(body)
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                if status == 302:
                    self.send_header("Location", f"http://{server.address}/elsewhere")
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._http = QuietServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def encrypt(self, certificate: Path) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._http.socket = context.wrap_socket(self._http.socket, server_side=True)

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server = Server()
    yield server
    server.close()


def connect(server: Server, *, timeout_s: float = 5.0) -> RpcConnection:
    return RpcConnection(f"http://{server.address}", timeout_s=timeout_s)


def answering(results: Callable[[Any], Any]) -> Callable[[Any], tuple[int, bytes]]:
    return lambda body: (200, json.dumps(results(body)).encode())


def named(body: dict[str, Any]) -> dict[str, Any]:
    return {"id": body["id"], "result": body["method"]}


def test_make_request__given_an_answer__returns_it_and_sends_json_rpc(server: Server) -> None:
    server.answer = answering(named)
    assert connect(server).make_request("eth_chainId", ["0x1"])["result"] == "eth_chainId"
    ((path, headers, body),) = server.seen
    assert (path, headers["Content-Type"]) == ("/", "application/json")
    assert (body["jsonrpc"], body["method"], body["params"]) == ("2.0", "eth_chainId", ["0x1"])


def test_make_request__given_path_query_and_password__sends_them(server: Server) -> None:
    server.answer = answering(named)
    url = f"http://me:p%40ss@{server.address}/rpc/key?chain=1"
    RpcConnection(url, timeout_s=5.0).make_request("eth_chainId", [])
    ((path, headers, _),) = server.seen
    assert path == "/rpc/key?chain=1"
    authorization = {name.lower(): value for name, value in headers.items()}["authorization"]
    assert authorization == "Basic " + b64encode(b"me:p@ss").decode()


@pytest.mark.parametrize(
    ("status", "answer", "why"),
    [
        (503, b"{}", "503"),
        (302, b"", "302"),  # nobody is sent on: a secret is for the node that was named
        (200, b"<html>", "no JSON"),
        (200, b"[]", "no object"),
    ],
)
def test_make_request__given_no_json_rpc__fails(
    server: Server, status: int, answer: bytes, why: str
) -> None:
    server.answer = lambda _: (status, answer)
    with pytest.raises(RpcFailure, match=why):
        connect(server).make_request("eth_chainId", [])
    assert len(server.seen) == 1  # nothing is tried twice


def test_make_request__nobody_listens__fails(server: Server) -> None:
    server.close()
    with pytest.raises(RpcFailure, match="refused"):
        connect(server).make_request("eth_chainId", [])


def test_make_request__no_answer_in_time__fails(server: Server) -> None:
    is_over = threading.Event()
    server.answer = lambda _: (200, b"{}") if is_over.wait(30) else (500, b"")
    with pytest.raises(RpcFailure, match="timed out"):
        connect(server, timeout_s=0.2).make_request("eth_chainId", [])
    is_over.set()


def test_make_batch_request__answers_in_another_order__are_put_in_that_of_the_calls(
    server: Server,
) -> None:
    server.answer = answering(lambda bodies: [named(body) for body in reversed(bodies)])
    answers = connect(server).make_batch_request([("a", []), ("b", []), ("c", [])])
    assert [one["result"] for one in answers] == ["a", "b", "c"]


@pytest.mark.parametrize("wrap", [lambda one: one, lambda one: [one]])
def test_make_batch_request__refused_as_a_whole__returns_the_refusal(
    server: Server, wrap: Callable[[Any], Any]
) -> None:
    refusal = {"id": None, "error": {"code": -32600, "message": "batch too large"}}
    server.answer = answering(lambda _: wrap(refusal))
    assert connect(server).make_batch_request([("a", []), ("b", [])]) == refusal


@pytest.mark.parametrize("other", [[], [{"id": [1], "result": 1}]])
def test_make_batch_request__one_is_not_answered__fails(server: Server, other: list[Any]) -> None:
    server.answer = answering(lambda bodies: [named(bodies[0]), *other])
    with pytest.raises(RpcFailure, match="1 of 2"):
        connect(server).make_batch_request([("a", []), ("b", [])])


def test_connection__given_a_proxy__is_for_other_machines_alone(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answer = answering(named)
    monkeypatch.setenv("http_proxy", f"http://{server.address}")
    far = RpcConnection("http://node.example:8545/rpc", timeout_s=5.0)
    assert far.make_request("far", [])["result"] == "far"
    assert server.seen[-1][0] == "http://node.example:8545/rpc"

    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # nobody listens there
    assert connect(server).make_request("near", [])["result"] == "near"
    assert server.seen[-1][0] == "/"


def test_connection__given_a_proxy_without_scheme__is_asked_by_http(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answer = answering(named)
    monkeypatch.setenv("http_proxy", server.address)
    RpcConnection("http://node.example:8545", timeout_s=5.0).make_request("far", [])
    assert server.seen[-1][0] == "http://node.example:8545/"


def test_connection__given_a_proxy_with_a_password__tells_it(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answer = answering(named)
    monkeypatch.setenv("http_proxy", f"http://me:p%40ss@{server.address}")
    RpcConnection("http://node.example:8545", timeout_s=5.0).make_request("far", [])
    headers = {name.lower(): value for name, value in server.seen[-1][1].items()}
    assert headers["proxy-authorization"] == "Basic " + b64encode(b"me:p@ss").decode()


def test_connection__given_a_proxy_that_cannot_be_used__fails_when_it_is_asked(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:1080")
    node = RpcConnection("http://node.example:8545", timeout_s=5.0)
    with pytest.raises(RpcFailure, match="proxy"):
        node.make_request("far", [])


@pytest.mark.parametrize(
    ("host", "no_proxy"),
    [("node.invalid", "node.invalid"), ("192.0.2.7", "192.0.2.0/24"), ("localhost", "")],
)
def test_connection__given_no_proxy_for_a_host__asks_it_itself(
    server: Server, monkeypatch: pytest.MonkeyPatch, host: str, no_proxy: str
) -> None:
    server.answer = answering(named)
    monkeypatch.setenv("http_proxy", f"http://{server.address}")
    monkeypatch.setenv("no_proxy", no_proxy)
    with pytest.raises(RpcFailure):
        RpcConnection(f"http://{host}:9", timeout_s=0.3).make_request("far", [])
    assert server.seen == []


def test_connection__certificate_of_nobody_known__is_refused(
    server: Server, tmp_path: Path
) -> None:
    server.encrypt(_self_signed(tmp_path))
    with pytest.raises(RpcFailure, match="certificate verify failed"):
        RpcConnection(f"https://{server.address}", timeout_s=5.0).make_request("eth_chainId", [])


def test_connection__certificate_of_an_authority_of_the_environment__is_believed(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answer = answering(named)
    certificate = _self_signed(tmp_path)
    server.encrypt(certificate)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    node = RpcConnection(f"https://{server.address}", timeout_s=5.0)
    assert node.make_request("eth_chainId", [])["result"] == "eth_chainId"


def _self_signed(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(LOOPBACK)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path = folder / "self-signed.pem"
    path.write_bytes(key.private_bytes(pem, pkcs8, plain) + certificate.public_bytes(pem))
    return path
