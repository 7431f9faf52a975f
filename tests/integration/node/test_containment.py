"""A node goes on whatever one of its steps meets: each costs itself alone, claims come first."""

import logging
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from offchain.chain.errors import NodeUnavailable
from offchain.errors import StoreBusy, StoreDamaged, StoreFull
from offchain.member.locks import LockBook
from offchain.member.roles import LockState
from offchain.node.serve import serve
from tests.integration.node.test_requests import ask
from tests.integration.town import Town


def raising(error: Exception) -> Callable[..., Any]:
    def step(*_: object, **__: object) -> Any:
        raise error

    return step


ANY = [TypeError("x"), MemoryError(), OSError(5, "bad"), StoreBusy("held"), StoreFull("no room")]


@pytest.mark.parametrize("error", ANY, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(
    "broken",
    [
        "defence.demands",
        "defence.disputes",
        "market.selections",
        "market.open_broadcasts",
        "market.deliveries",
        "settlements.due",
        "market.closable",
        "bond.top_up",
    ],
)
def test_run_once__given_any_other_kind_that_fails__claims_and_accepts(
    fresh: Town, monkeypatch: pytest.MonkeyPatch, error: Exception, broken: str
) -> None:
    house = fresh.houses[0]
    worker, begun, new = house.node.worker, ask(house), ask(house)
    assert worker.requests.handle(begun).kind == "accepted"
    desk, name = broken.split(".")
    monkeypatch.setattr(getattr(worker, desk), name, raising(error))

    outcomes = worker.run_once()

    by_id = {one.id: one.kind for one in outcomes}
    assert by_id[begun] in ("claimed", "settled") and by_id[new] in ("claimed", "settled")
    book = LockBook(house.gateway, fresh.index)
    assert {book.lock(one).state for one in (begun, new)} <= {
        LockState.CLAIMED,
        LockState.SETTLED,
    }
    assert "failed" in [one.kind for one in outcomes]
    assert "failed" not in [one.kind for one in worker.run_once() if one.id == b""]  # said once


def test_run_once__given_settling_and_health_that_fail__claims_and_begins_nothing(
    fresh: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = fresh.houses[0]
    worker, begun = house.node.worker, ask(house)
    assert worker.requests.handle(begun).kind == "accepted"
    new = ask(house)

    class Gate:
        check = staticmethod(raising(KeyError("result")))

    monkeypatch.setattr(worker, "_health", Gate())
    monkeypatch.setitem(vars(worker._gateway), "settle", raising(ValueError("x")))

    kinds = [one.kind for one in worker.run_once()]

    assert "claimed" in kinds and "paused" in kinds
    assert LockBook(house.gateway, fresh.index).lock(new).state is LockState.REQUESTED


@pytest.mark.parametrize("error", [TypeError("x"), NodeUnavailable("no answer to this one")])
def test_run_once__given_one_claim_that_always_fails__makes_the_others(
    fresh: Town, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    house = fresh.houses[0]
    worker, bad, good = house.node.worker, ask(house), ask(house)
    for one in (bad, good):
        assert worker.requests.handle(one).kind == "accepted"
    claim = worker.requests.claim
    monkeypatch.setattr(
        worker.requests, "claim", lambda one: raising(error)() if one == bad else claim(one)
    )

    by_id = {one.id: one.kind for one in worker.run_once()}

    assert by_id[bad] == "failed" and by_id[good] == "claimed"
    monkeypatch.undo()
    assert (bad, "claimed") in [(one.id, one.kind) for one in worker.run_once()]


def test_run_once__given_a_damaged_store__raises_it(
    fresh: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = fresh.houses[0]
    lock_id = ask(house)
    monkeypatch.setattr(house.node.worker.requests, "handle", raising(StoreDamaged("damaged")))
    with pytest.raises(StoreDamaged):
        house.node.worker.run_once()
    monkeypatch.undo()
    kinds = {one.id: one.kind for one in house.node.worker.run_once()}
    assert kinds[lock_id] in ("claimed", "settled")


def test_pending__given_a_request_that_cannot_be_taken_in__passes_it_over(
    fresh: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = fresh.houses[0]
    worker, bad = house.node.worker, ask(house)
    put = house.node.held.put_request

    def but_one(lock_id: bytes, **facts: Any) -> None:
        if lock_id == bad:
            raise OverflowError
        put(lock_id, **facts)

    monkeypatch.setattr(house.node.held, "put_request", but_one)
    good, kinds = ask(house), []
    for _ in range(4):
        kinds += [one.kind for one in worker.run_once() if one.id == good]
    assert kinds[:2] == ["accepted", "claimed"]
    assert house.node.held.request(bad) is None


@pytest.mark.parametrize(
    ("error", "status", "name"),
    [
        (TypeError("4711 Wh"), 500, "unforeseen"),
        (MemoryError(), 500, "unforeseen"),
        (StoreFull("no room"), 503, "store_unavailable"),
        (StoreBusy("held"), 503, "store_unavailable"),
    ],
)
def test_intake__given_a_body_that_meets_an_error__answers_and_serves_the_next(
    caplog: pytest.LogCaptureFixture, error: Exception, status: int, name: str
) -> None:
    from fastapi import FastAPI

    app, calls = FastAPI(), []

    @app.post("/v1/readings")
    def readings() -> dict[str, int]:
        calls.append(1)
        if len(calls) <= 2:
            raise error
        return {"next_seq": 2}

    with serve(app) as server, caplog.at_level(logging.INFO):
        answers = [httpx.post(f"{server.url}/v1/readings", content=b"{}") for _ in range(3)]
        server.require_running()
    assert [one.status_code for one in answers] == [status, status, 200]
    body = answers[0].json()
    assert body["error"] == name and "4711" not in caplog.text + answers[0].text
    if status == 500:
        assert body["id"] in caplog.text and caplog.text.count("trace: ") <= 1
