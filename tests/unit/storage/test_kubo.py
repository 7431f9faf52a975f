"""What is Kubo's own: dead, lying and forgetful daemons, and peers that have nothing."""

import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import ipfshttpclient
import pytest

from offchain.storage import Cid
from offchain.storage.blocks import BLOCK_BYTES
from offchain.storage.car import write_car
from offchain.storage.errors import (
    ObjectCorrupt,
    ObjectNotFound,
    ObjectTooLarge,
    PinMissing,
    StoreUnavailable,
)
from offchain.storage.group import group_of, raw_link
from offchain.storage.kubo import KuboStore, _multiaddress
from offchain.storage.objects import Condition

from .conftest import running_kubo


@pytest.fixture
def daemon():
    """A daemon that answers each request with the bytes in `.answers` by path; 503 for none."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            path = self.path.partition("?")[0].removeprefix("/api/v0")
            self.server.asked.append(path)
            if self.headers.get("Transfer-Encoding") == "chunked":
                while size := int(self.rfile.readline(), 16):
                    self.rfile.read(size + 2)
                self.rfile.readline()
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = self.server.answers.get(path)
            self.send_response(503 if body is None else self.server.status.get(path, 200))
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_):
            """Keep the test's output clean."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.answers, server.asked, server.status = {}, [], {}
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
    )
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def _store(server) -> KuboStore:
    return KuboStore(f"http://127.0.0.1:{server.server_port}", timeout_s=2)


def test_get__daemon_serves_wrong_bytes__is_refused(daemon):
    daemon.answers["/cat"] = b"wrong bytes"
    with pytest.raises(ObjectCorrupt):
        _store(daemon).get(Cid.of_block(b"right bytes"), max_bytes=100)


def test_get__daemon_ignores_the_length__stops_at_the_limit(daemon):
    daemon.answers["/cat"] = bytes(BLOCK_BYTES)
    with pytest.raises(ObjectTooLarge):
        _store(daemon).get(Cid.of_block(bytes(BLOCK_BYTES)), max_bytes=100)


def test_put__daemon_names_the_block_otherwise__is_refused(daemon):
    daemon.answers["/block/put"] = b'{"Key": "bafyother", "Size": 0}'
    with pytest.raises(ObjectCorrupt, match="bafyother"):
        _store(daemon).put(b"")


def test_put__daemon_is_overloaded__is_unavailable(daemon):
    with pytest.raises(StoreUnavailable, match=str(daemon.server_port)):
        _store(daemon).put(b"data")


def test_get__nobody_listens__is_tried_again_then_unavailable(monkeypatch):
    store, tries = KuboStore("http://127.0.0.1:9"), []
    real = store._client.cat
    monkeypatch.setattr(
        store._client, "cat", lambda *args, **kwargs: tries.append(1) or real(*args, **kwargs)
    )
    with pytest.raises(StoreUnavailable, match="ipfs daemon"):
        store.get(Cid.of_block(b""), max_bytes=1)
    assert len(tries) == 4


def test_get__daemon_comes_back_while_trying__succeeds(daemon, monkeypatch):
    store, tries = _store(daemon), []
    daemon.answers["/cat"] = b"data"
    real = store._client.cat

    def flaky(*args, **kwargs):
        tries.append(1)
        if len(tries) < 3:
            raise ipfshttpclient.exceptions.ConnectionError(OSError("connection reset"))
        return real(*args, **kwargs)

    monkeypatch.setattr(store._client, "cat", flaky)
    assert store.get(Cid.of_block(b"data"), max_bytes=4) == b"data"
    assert len(tries) == 3


def test_put__block_is_not_pinned__is_refused(kubo_url, monkeypatch):
    with KuboStore(kubo_url) as store:
        monkeypatch.setattr(
            "offchain.storage.kubo._ADD", {"cid-version": "1", "raw-leaves": "true", "pin": "false"}
        )
        with pytest.raises(PinMissing):
            store.put(os.urandom(50))


def test_unpin__then_garbage_collection__removes_it_and_keeps_the_pinned(kubo_url):
    with KuboStore(kubo_url) as store:
        kept, dropped = (
            store.put(os.urandom(BLOCK_BYTES + 5)),
            store.put(os.urandom(BLOCK_BYTES + 5)),
        )
        store.unpin(dropped)
        assert store.has(dropped)
        store._client.repo.gc()
        assert not store.has(dropped)
        assert store.is_pinned(kept)
        assert len(store.get(kept, max_bytes=BLOCK_BYTES + 5)) == BLOCK_BYTES + 5


def test_get__unknown_to_all__answers_within_its_time(kubo_url):
    started = time.monotonic()
    with KuboStore(kubo_url, timeout_s=1) as store, pytest.raises(ObjectNotFound):
        store.get(Cid.of_block(os.urandom(9)), max_bytes=9)
    assert time.monotonic() - started < 15  # a search without a limit would take a minute


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:5001", "/ip4/127.0.0.1/tcp/5001/http"),
        ("https://ipfs.example:443/", "/dns/ipfs.example/tcp/443/https"),
        ("http://[::1]:5001", "/ip6/::1/tcp/5001/http"),
    ],
)
def test_multiaddress__each_kind_of_host__is_written(url, address):
    assert _multiaddress(url) == address


OBJECTS = [b"one", b"two"]
BLOCKS = [Cid.of_block(data) for data in OBJECTS]
GROUP = group_of(BLOCKS)


def _import_line(root: str, error: str = "") -> bytes:
    return json.dumps({"Root": {"Cid": {"/": root}, "PinErrorMsg": error}}).encode() + b"\n"


def _archive(*blocks: tuple[bytes, bytes]) -> bytes:
    return b"".join(write_car(GROUP.root, [*GROUP.nodes, *blocks]))


def _honest(server) -> None:
    server.answers["/dag/import"] = _import_line(GROUP.root_cid)
    server.answers["/pin/ls"] = json.dumps({"Keys": {GROUP.root_cid: {}}}).encode()
    pairs = zip(map(raw_link, BLOCKS), OBJECTS, strict=True)
    server.answers["/dag/export"] = _archive(*pairs)


def test_put_all__daemon_imports_pins_and_shows_all__is_done(daemon):
    _honest(daemon)
    assert _store(daemon).put_all(OBJECTS) == BLOCKS
    assert daemon.asked == ["/dag/import", "/pin/ls", "/dag/export"]


@pytest.mark.parametrize("checks_hashes", [True, False])
def test_put_all__block_rotten_on_the_daemons_disk__is_found(kubo_program, tmp_path, checks_hashes):
    with (
        running_kubo(kubo_program, tmp_path, checks_hashes=checks_hashes) as url,
        KuboStore(url) as store,
    ):
        objects = [os.urandom(700) for _ in range(20)]
        cids = store.put_all(objects)
        assert store.put_all(objects) == cids
        (path,) = [one for one in tmp_path.rglob("*.data") if one.read_bytes() == objects[7]]
        path.chmod(0o600)
        path.write_bytes(objects[7][:-1] + bytes([objects[7][-1] ^ 1]))
        with pytest.raises(ObjectCorrupt):
            store.put_all(objects)  # what the daemon has it does not write again
        assert store.examine(*cids)[cids[7]] is Condition.DAMAGED
        with pytest.raises(ObjectCorrupt, match=str(cids[7])):
            store.get(cids[7], max_bytes=700)
        assert store.renew(objects) == cids
        assert store.examine(*cids) == {}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", PinMissing),
        (_import_line(GROUP.root_cid, "a block is missing"), PinMissing),
        (_import_line("bafyother"), PinMissing),
        (b"{}", StoreUnavailable),
        (b"out of memory", StoreUnavailable),
        (b'{"Message": "no space left", "Type": "error"}', StoreUnavailable),
    ],
)
def test_put_all__import_that_says_anything_else__is_refused(daemon, answer, error):
    _honest(daemon)
    daemon.answers["/dag/import"] = answer
    with pytest.raises(error):
        _store(daemon).put_all(OBJECTS)


def test_put_all__daemon_refuses__says_why_and_is_not_asked_again(daemon):
    daemon.answers["/dag/import"] = b'{"Message": "no space left on device"}'
    daemon.status["/dag/import"] = 500
    with pytest.raises(StoreUnavailable, match="no space left on device"):
        _store(daemon).put_all(OBJECTS)
    assert daemon.asked == ["/dag/import"]


def test_put_all__daemon_is_overloaded__is_asked_again_then_unavailable(daemon):
    with pytest.raises(StoreUnavailable, match=str(daemon.server_port)):
        _store(daemon).put_all(OBJECTS)
    assert daemon.asked == ["/dag/import"] * 4


@pytest.mark.parametrize(
    ("shown", "error"),
    [
        (_archive((raw_link(BLOCKS[0]), b"one")), PinMissing),
        (_archive((raw_link(BLOCKS[0]), b"one"), (raw_link(BLOCKS[1]), b"TWO")), ObjectCorrupt),
        (_archive()[:-1], ObjectCorrupt),
        (b"", ObjectCorrupt),
    ],
)
def test_put_all__daemon_shows_back_other_than_all__is_refused(daemon, shown, error):
    _honest(daemon)
    daemon.answers["/dag/export"] = shown
    with pytest.raises(error):
        _store(daemon).put_all(OBJECTS)


def test_is_up__503_or_nobody__is_false(daemon):
    assert not _store(daemon).is_up()
    assert not KuboStore("http://127.0.0.1:9").is_up()
    daemon.answers["/version"] = b"{}"
    assert _store(daemon).is_up()


def test_put_all__more_objects_than_one_node_of_the_tree_lists__are_all_there(
    kubo_url, monkeypatch
):
    monkeypatch.setattr("offchain.storage.group.MAX_LINKS", 3)
    objects = [os.urandom(12) for _ in range(11)]  # 4 nodes, 2 above them, the root
    assert len(group_of([Cid.of_block(data) for data in objects]).nodes) == 7
    with KuboStore(kubo_url) as store:
        cids = store.put_all(objects)
        assert store.examine(*cids) == {}
        store._client.repo.gc()
        assert store.examine(*cids) == {}


def test_put_all__then_unpinned_and_collected__is_gone_and_put_again(kubo_url):
    objects = [os.urandom(BLOCK_BYTES + 5), os.urandom(9)]
    with KuboStore(kubo_url) as store:
        cids = store.put_all(objects)
        store.unpin(*cids)
        store._client.repo.gc()
        assert not any(map(store.has, cids))
        assert set(store.examine(*cids).values()) == {Condition.MISSING}
        assert store.put_all(objects) == cids
        assert store.examine(*cids) == {}
