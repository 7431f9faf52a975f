"""A meter that cannot be read again: no outage loses a reading or sends one twice."""

import itertools
import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from device_agent.assembly import claim, make_agent, open_kit
from device_agent.config import load_config
from device_agent.notify import Watcher
from device_agent.outbox import Outbox
from offchain.types import MeterSample

from .conftest import FIRST_S, Gate, Home, samples, write_csv

ROWS = 72
OUTAGES = [("chain",), ("node",), ("chain", "node")]


def lines_of(process: "subprocess.Popen[str]") -> Iterator[dict[str, object]]:
    return (json.loads(line) for line in process.stdout)


def take(
    events: Iterator[dict[str, object]], *, samples: int = 0, until: str | None = None
) -> list[str]:
    """Read events until so many samples more are in the outbox, and until one of a name came."""
    names: list[str] = []
    for event in events:
        names.append(event["event"])
        taken = names.count("waiting") + names.count("sampled")
        if taken >= samples and (until is None or until in names):
            break
    return names


def assert_all_there_once(home: Home) -> None:
    rows = home.street.store.readings(home.device, from_s=0, to_s=2**32)
    assert [one.time_s for one in rows] == [one.time_s for one in samples(3)]
    assert [one.seq for one in rows] == list(range(1, ROWS + 1))
    assert home.anchored() == [(1, 24), (25, 24), (49, 24)]
    assert home.transactions() == 3 + home.reports_on_chain()


@pytest.fixture
def paced(home: Home, gates: dict[str, Gate]) -> Home:
    urls = {"rpc_url": gates["chain"].url, "node_url": gates["node"].url}
    home.configure(pace_s=0.05, give_up_after_s=60, **urls)
    return home


@pytest.mark.parametrize("shut", OUTAGES, ids="+".join)
def test_run__given_outage_at_the_start__samples_at_once_and_catches_up(paced, gates, shut):
    for name in shut:
        gates[name].shut()
    process = paced.start()
    names = take(lines_of(process), samples=20)
    assert names.count("waiting") == 20 and "started" not in names
    for gate in gates.values():
        gate.open()
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert_all_there_once(paced)


@pytest.mark.parametrize("shut", OUTAGES, ids="+".join)
def test_run__given_outage_in_mid_run__goes_on_sampling_and_catches_up(paced, gates, shut):
    process = paced.start()
    events = lines_of(process)
    take(events, until="sent")
    for name in shut:
        gates[name].shut()
    names = take(events, samples=5, until="delayed")
    assert names.count("sampled") >= 5 and "waiting" not in names
    for gate in gates.values():
        gate.open()
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert_all_there_once(paced)


def test_run__given_node_away_alone__goes_on_anchoring(paced, gates):
    process = paced.start()
    events = lines_of(process)
    take(events, until="sent")
    gates["node"].shut()
    anchored = (one["from_seq"] for one in events if one["event"] == "anchored")
    assert [next(anchored), next(anchored)] == [1, 25]
    assert paced.street.store.next_batch_seq(paced.device) == 1
    gates["node"].open()
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert_all_there_once(paced)


def test_run__given_kills_and_restarts_during_an_outage__loses_nothing(paced, gates):
    paced.set_policy()
    for gate in gates.values():
        gate.shut()
    for _ in range(2):
        process = paced.start()
        take(lines_of(process), samples=15)
        process.kill()
        process.communicate()
    for gate in gates.values():
        gate.open()
    paced.configure()
    code, events, err = paced.run()
    assert (code, err) == (0, "")
    assert events[-1]["reported"] == paced.reports_on_chain() > 0
    assert_all_there_once(paced)


def test_run__given_lost_outbox_during_an_outage__gives_out_no_seq(paced, gates):
    paced.configure()
    assert paced.run("--days", "1")[0] == 0
    for path in paced.folder.glob("outbox.sqlite*"):
        path.unlink()
    urls = {"rpc_url": gates["chain"].url, "node_url": gates["node"].url}
    paced.configure(pace_s=0.03, **urls)
    for gate in gates.values():
        gate.shut()
    process = paced.start()
    events = lines_of(process)
    take(events, samples=10)
    for gate in gates.values():
        gate.open()
    told = list(events)
    process.communicate(timeout=60)
    assert process.returncode == 4
    assert "safe_mode" in {one["event"] for one in told}
    assert "sampled" not in {one["event"] for one in told}
    with Outbox(paced.folder / "outbox.sqlite") as outbox:
        assert len(outbox.samples()) == ROWS and outbox.next_seq == 1


# ---- a live meter, in this process


class Endless:
    """A live meter: it shows what a test puts in, until the test ends it."""

    is_live = True

    def __init__(self, shown: Iterator[MeterSample]) -> None:
        self._shown = shown

    def samples(self, *, after_s: int) -> Iterator[MeterSample]:
        return self._shown


def run_live(home: Home, shown: Iterator[MeterSample]) -> Outbox:
    with open_kit(load_config(home.folder / "agent.json")) as kit:
        with Outbox(home.folder / "outbox.sqlite") as outbox:
            claim(outbox, kit.place)
            make_agent(kit, outbox, Endless(shown), Watcher(last=None)).run()
            assert outbox.is_drained()
    return outbox


def test_run__given_live_meter_and_long_outage__does_not_give_up_before_its_end(home, gates):
    urls = {"rpc_url": gates["chain"].url, "node_url": gates["node"].url}
    home.configure(give_up_after_s=0, pace_s=0.03, **urls)

    def shown() -> Iterator[MeterSample]:
        rows = samples(3)
        for gate in gates.values():
            gate.shut()
        yield from rows[:40]
        for gate in gates.values():
            gate.open()
        for row in rows[40:]:
            yield row
            if row is rows[-1]:  # until the courier has caught up, as a real meter goes on
                wait_until_sampled(home, 70)

    run_live(home, shown())
    assert_all_there_once(home)


def wait_until_sampled(home: Home, seq: int) -> None:
    deadline = time.monotonic() + 30
    while home.street.store.next_seq(home.device) <= seq and time.monotonic() < deadline:
        time.sleep(0.05)


def test_run__given_clock_that_goes_back_and_ahead__skips_and_goes_on(home, capsys):
    rows = samples(1)
    shown = list(rows[:10])
    shown += [replace(one, import_wh=rows[9].import_wh) for one in rows[5:9]]  # set back
    shown += [replace(rows[9], time_s=2**32 - 1)]  # a glitch: believed, it would block for ever
    shown += rows[10:]
    run_live(home, iter(shown))
    held = home.street.store.readings(home.device, from_s=0, to_s=2**32)
    assert [one.time_s for one in held] == [one.time_s for one in rows]
    assert [one.import_wh for one in held] == [one.import_wh for one in rows]
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    told = [one for one in events if one["event"] in ("skipping", "skipped")]
    assert [one.get("reason", one.get("samples")) for one in told] == ["time_not_rising", 5]
    assert events[-1]["skipped"] == 5


# ---- windows


def test_run__given_quarter_hour_windows__anchors_each_window_and_ends_at_midnight(home):
    rows = samples(2, step_s=300)[276:300]  # from 23:00 to 01:00
    write_csv(home.folder / "meter.csv", rows)
    home.configure(batch_seconds=2_700)
    code, _, err = home.run()
    assert (code, err) == (0, "")
    windows = itertools.groupby(
        (one.time_s // 86_400, one.time_s % 86_400 // 2_700) for one in rows
    )
    counts = [len(list(group)) for _, group in windows]
    assert [count for _, count in home.anchored()] == counts == [3, 9, 9, 3]
    midnight = FIRST_S + 86_400
    of_day = home.street.store.batches(home.device, from_s=FIRST_S, to_s=midnight)
    assert [one.batch.count for one in of_day] == counts[:2]
    assert home.street.store.next_batch_seq(home.device) == 25
