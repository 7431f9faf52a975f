"""Orders that are no orders, or that fail for an unforeseen reason, cost themselves alone."""

import errno
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from offchain.cli.node_orders import (
    OrderFailed,
    carry_out_orders,
    give_order,
    refuse_interrupted,
)
from offchain.errors import DmsmError, StoreFull


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "orders"
    made.mkdir()
    return made


def old(file: Path, content: bytes) -> Path:
    """A file that nobody writes any more."""
    file.write_bytes(content)
    long_ago = time.time() - 60
    os.utime(file, (long_ago, long_ago))
    return file


def refused(folder: Path) -> set[str]:
    return {file.name for file in (folder / "refused").iterdir()}


@pytest.mark.parametrize(
    "content", [b"", b'{"do": "wit', b"\xff\xfe", b"[1]", b"null", b"[" * 100_000]
)
def test_carry_out__no_order__is_refused_with_the_reason_and_the_others_go_on(
    folder: Path, tmp_path: Path, content: bytes
) -> None:
    old(folder / "a.json", content)
    old(folder / "b.json", b'{"do": "withdraw"}')
    done: list[Any] = []
    carry_out_orders(tmp_path, lambda order: done.append(order) or {})
    assert done == [{"do": "withdraw"}]
    assert refused(folder) == {"a.json", "a.reason"}
    assert (folder / "refused" / "a.json").read_bytes() == content
    assert "order" in (folder / "refused" / "a.reason").read_text()
    assert json.loads((folder / "b.answer").read_text()) == {"facts": {}}
    assert not list(folder.glob("*.json"))


def test_carry_out__half_written_file__gets_a_moment(folder: Path, tmp_path: Path) -> None:
    (folder / "a.json").write_bytes(b'{"do": ')
    carry_out_orders(tmp_path, lambda order: {})
    assert (folder / "a.json").exists() and not (folder / "refused").exists()
    (folder / "a.json").write_bytes(b'{"do": "withdraw"}')
    carry_out_orders(tmp_path, lambda order: {"did": order["do"]})
    assert json.loads((folder / "a.answer").read_text()) == {"facts": {"did": "withdraw"}}


def test_carry_out__unforeseen_error__puts_the_order_aside_and_answers(
    folder: Path, tmp_path: Path
) -> None:
    old(folder / "a.json", b'{"do": "publish"}')  # without its window
    old(folder / "b.json", b'{"do": "withdraw"}')
    carry_out_orders(tmp_path, lambda order: {"from": order["from"]} if "p" in order["do"] else {})
    assert refused(folder) == {"a.json", "a.reason"}
    assert "unforeseen KeyError" in json.loads((folder / "a.answer").read_text())["failed"]
    assert (folder / "b.answer").exists()


def test_carry_out__error_of_ours__is_answered_and_not_put_aside(
    folder: Path, tmp_path: Path
) -> None:
    def refuse(order: Any) -> dict[str, Any]:
        raise DmsmError("not today")

    old(folder / "a.json", b'{"do": "withdraw"}')
    carry_out_orders(tmp_path, refuse)
    assert json.loads((folder / "a.answer").read_text()) == {"failed": "not today"}
    assert not (folder / "refused").exists() and not list(folder.glob("*.taken"))


def test_carry_out__without_room_for_the_answer__leaves_the_order(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    old(folder / "a.json", b'{"do": "withdraw"}')
    done: list[Any] = []
    with monkeypatch.context() as patched:
        patched.setattr("offchain.cli.node_orders._private", full)
        with pytest.raises(StoreFull, match="free room"):
            carry_out_orders(tmp_path, lambda order: done.append(order) or {})
    assert [file.name for file in folder.iterdir()] == ["a.json"] and done == []
    carry_out_orders(tmp_path, lambda order: done.append(order) or {})
    assert len(done) == 1


def test_refuse_interrupted__an_order_that_was_begun__is_never_begun_again(
    folder: Path, tmp_path: Path
) -> None:
    def die(order: Any) -> dict[str, Any]:
        raise KeyboardInterrupt

    old(folder / "a.json", b'{"do": "add bond", "wei": 1}')
    with pytest.raises(KeyboardInterrupt):
        carry_out_orders(tmp_path, die)
    refuse_interrupted(tmp_path)
    carry_out_orders(tmp_path, die)
    assert refused(folder) == {"a.json", "a.reason"}
    assert "while it carried this out" in json.loads((folder / "a.answer").read_text())["failed"]


def test_give_order__of_many_at_once__is_never_seen_half(tmp_path: Path) -> None:
    stop, seen = threading.Event(), []

    def serve() -> None:
        while not stop.is_set():
            carry_out_orders(tmp_path, lambda order: seen.append(order) or {"n": order["n"]})

    server = threading.Thread(target=serve)
    server.start()
    try:
        for n in range(5):
            assert give_order(tmp_path, {"do": "count", "n": n}, timeout_s=10) == {"n": n}
        with pytest.raises(OrderFailed, match="unforeseen KeyError"):
            give_order(tmp_path, {"do": "count"}, timeout_s=10)
    finally:
        stop.set()
        server.join()
    assert [order.get("n") for order in seen] == [0, 1, 2, 3, 4, None]
