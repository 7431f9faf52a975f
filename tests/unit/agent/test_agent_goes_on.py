"""Sampling never ends because sending, a sample or the store failed; each failure is told once."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from device_agent.agent import Agent
from device_agent.errors import BadSetup, NodeUnreachable, SafeMode
from device_agent.progress import Progress
from offchain.errors import StoreBusy, StoreDamaged, StoreFull, Unforeseen
from offchain.types import MeterSample

from .test_recorder import POLICY, Desk, sample

ROWS = 12


class Meter:
    """Shows `ROWS` samples; raises `fault` once, after so many."""

    def __init__(self, *, is_live: bool = True, fault_after: int | None = None) -> None:
        self.is_live = is_live
        self._fault_after = fault_after

    def samples(self, *, after_s: int) -> Iterator[MeterSample]:
        for number in range(ROWS):
            if number == self._fault_after:
                self._fault_after = None
                raise ValueError("a telegram of 17 Wh")
            if sample(number).time_s > after_s:
                yield sample(number)


class Courier:
    """Sends nothing; each round does what the test says."""

    def __init__(self, each: Callable[[int], None]) -> None:
        self._each, self.rounds = each, 0

    def round(self, *, is_end: bool) -> None:
        self.rounds += 1
        self._each(self.rounds)

    def prepare(self) -> None:
        """Seals nothing beforehand."""

    def is_final(self) -> bool:
        return True


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr("device_agent.sampling._METER_RETRY_S", 0.01)
    monkeypatch.setattr("device_agent.agent._WAIT_S", 0.01)
    monkeypatch.setattr("device_agent.patience.FULL_RETRY_S", 0.01)
    monkeypatch.setattr("device_agent.backoff._FIRST_WAIT_S", 0.01)
    monkeypatch.setattr("device_agent.backoff._LAST_WAIT_S", 0.01)
    made = Desk(tmp_path / "outbox.sqlite", is_live=True)
    monkeypatch.setattr("device_agent.recorder.time.time", lambda: sample(ROWS).time_s)
    yield made
    made.outbox.close()


def run(desk: Desk, each: Callable[[int], None], *, meter: Meter | None = None) -> None:
    agent = Agent(
        meter=meter or Meter(),
        outbox=desk.outbox,
        recorder=desk.recorder,
        courier=Courier(each),  # type: ignore[arg-type]
        progress=desk.progress,
        pace_s=0.01,
        flush_every=4,
        give_up_after_s=0.2,
    )
    desk.outbox.is_drained = lambda: True  # type: ignore[method-assign]
    agent.run()


def assert_all_stored(desk: Desk, *, but: int | None = None) -> None:
    wanted = [sample(number) for number in range(ROWS) if number != but]
    assert desk.outbox.samples() == wanted


def told(desk: Desk, event: str) -> list[dict[str, Any]]:
    return [one for one in desk.events if one["event"] == event]


def always(error: Exception) -> Callable[[int], None]:
    def each(number: int) -> None:
        raise error

    return each


def first(count: int, error: Exception) -> Callable[[int], None]:
    def each(number: int) -> None:
        if number <= count:
            raise error

    return each


@pytest.mark.parametrize(
    ("error", "event"),
    [
        (TypeError("x"), "unforeseen"),
        (MemoryError(), "unforeseen"),
        (StoreFull("no room"), "no_room"),
        (StoreBusy("held"), "store_busy"),
        (NodeUnreachable("silent"), "delayed"),
        (SafeMode("an old copy"), "safe_mode"),
    ],
)
def test_run__sending_fails_for_a_while__samples_all_and_tells_begin_and_end(
    desk: Desk, error: Exception, event: str
) -> None:
    run(desk, first(5, error))
    assert_all_stored(desk)
    assert len(told(desk, event)) == 1
    (ended,) = told(desk, "works_again")
    assert (ended["after"], ended["times"]) == (event, 5)


def test_run__sending_always_fails_unforeseen__samples_all_and_then_says_so(desk: Desk) -> None:
    with pytest.raises(Unforeseen, match="TypeError"):
        run(desk, always(TypeError("x")))
    assert_all_stored(desk)


def test_run__preparing_fails_unforeseen__samples_all(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Courier, "prepare", lambda self: always(IndexError())(0))
    run(desk, lambda number: None)
    assert_all_stored(desk)


def test_run__set_up_that_never_sent__ends_at_once(desk: Desk) -> None:
    with pytest.raises(BadSetup):
        run(desk, always(BadSetup("no active device")))


def test_run__device_that_is_stopped_after_it_had_sent__samples_on(desk: Desk) -> None:
    def each(number: int) -> None:
        if 1 < number < 4:
            raise BadSetup("no active device")

    run(desk, each)
    assert_all_stored(desk)
    assert len(told(desk, "refused")) == 1


def test_run__store_damaged_under_way__ends_the_process(desk: Desk) -> None:
    with pytest.raises(StoreDamaged):
        run(desk, always(StoreDamaged("damaged")))


def test_run__meter_that_fails_once__is_read_again_from_where_it_was(desk: Desk) -> None:
    run(desk, lambda number: None, meter=Meter(fault_after=5))
    assert_all_stored(desk)
    (said,) = told(desk, "meter_failed")
    assert "17" not in said["reason"].split(" at ")[0]


@pytest.mark.parametrize("error", [StoreFull("no room"), StoreBusy("held")])
def test_run__no_room_for_a_sample__waits_and_loses_none(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    take, failures = desk.recorder.take, [error] * 4

    def sometimes(one: MeterSample) -> None:
        if one == sample(3) and failures:
            raise failures.pop()
        take(one)

    monkeypatch.setattr(desk.recorder, "take", sometimes)
    run(desk, lambda number: None)
    assert_all_stored(desk)
    (ended,) = told(desk, "store_works_again")
    assert ended["times"] == 4
    assert len(told(desk, "no_room") + told(desk, "store_busy")) == 1


def test_run__sample_that_fails_unforeseen__costs_itself_alone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = desk.recorder.take

    def but_one(one: MeterSample) -> None:
        if one == sample(3):
            raise ZeroDivisionError
        take(one)

    monkeypatch.setattr(desk.recorder, "take", but_one)
    run(desk, lambda number: None)
    assert_all_stored(desk, but=3)
    assert desk.outbox.skipped() == {"unforeseen": 1}


def test_take__that_fails_at_its_end__may_be_repeated_with_its_report(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.recorder.open(POLICY)
    with monkeypatch.context() as patched:
        patched.setattr(desk.outbox, "clear_samples", lambda: always(StoreFull("no room"))(0))
        with pytest.raises(StoreFull):
            desk.recorder.take(sample(0))
    assert desk.outbox.open_reports() == [] and desk.outbox.next_seq == 1
    desk.recorder.take(sample(0))
    assert [one.origin for one in desk.outbox.open_reports()] == ["reading:1"]


def test_progress__without_anyone_listening__raises_nothing(tmp_path: Path) -> None:
    class Closed:
        def write(self, text: str) -> None:
            raise BrokenPipeError

        def flush(self) -> None:
            raise BrokenPipeError

    folder = tmp_path / "no" / "such"
    progress = Progress(device=None, status_file=folder / "status.json", out=Closed())  # type: ignore[arg-type]
    progress.tell("sampled")
    progress.status(at=1)
    assert not folder.exists()
