"""`dmsm-agent recover`: a fresh outbox that uses no seq twice."""

import json
import sqlite3

import pytest
from typer.testing import CliRunner

from device_agent.cli import app
from device_agent.outbox import Outbox
from offchain.node.store import NodeStore

from .conftest import Home, samples, write_csv
from .test_agent import held_values, metered_values


def recover(home: Home, *options: str) -> tuple[int, list[dict[str, object]], str]:
    command = ["recover", "--config", str(home.folder / "agent.json"), *options]
    result = CliRunner().invoke(app, command)
    return (
        result.exit_code,
        [json.loads(line) for line in result.stdout.splitlines()],
        result.stderr,
    )


def lose_outbox(home: Home) -> None:
    for path in home.folder.glob("outbox.sqlite*"):
        path.unlink()


def send_unanchored(home: Home, *, rows: int) -> None:
    """Bring readings to the node and stop before their batch, as a loss in mid-day does."""
    write_csv(home.folder / "meter.csv", samples(3)[:rows])
    code, _, err = home.run(DMSM_CRASH_AT="batch-cut@2" if rows > 24 else "batch-cut")
    assert code == -9, err


def test_recover__given_the_newest_outbox__does_nothing(home):
    home.run("--days", "1")
    code, events, err = recover(home, "--yes")
    assert (code, err) == (0, "")
    assert [one["event"] for one in events] == ["nothing_to_recover"]
    assert list(home.folder.glob("*replaced*")) == []


def test_recover__given_no_confirmation__says_what_it_would_do_alone(home):
    home.run("--days", "1")
    lose_outbox(home)
    assert home.run()[0] == 4
    code, events, _ = recover(home)
    assert code == 0
    assert (events[0]["event"], events[0]["next_seq"]) == ("recovery_planned", 25)
    assert "--yes" in events[0]["advice"]
    assert home.run()[0] == 4


def test_recover__given_lost_outbox__goes_on_behind_what_is_anchored(home):
    home.run("--days", "1")
    lose_outbox(home)
    code, events, err = recover(home, "--yes")
    assert (code, err) == (0, "") and events[0]["given_back"] == 0
    code, _, err = home.run()
    assert (code, err) == (0, "")
    assert held_values(home, home.street.store) == metered_values(3)
    assert home.anchored() == [(1, 24), (25, 24), (49, 24)]


def test_recover__given_readings_at_the_node_in_no_batch__takes_them_back(home):
    send_unanchored(home, rows=30)
    before = home.street.store.readings_by_seq(home.device, from_seq=1, count=99)
    assert len(before) == 30 and home.anchored() == []
    lose_outbox(home)
    write_csv(home.folder / "meter.csv", samples(3))
    assert home.run()[0] == 4
    code, events, err = recover(home, "--yes")
    assert (code, err) == (0, "")
    assert (events[0]["given_back"], events[0]["next_seq"]) == (30, 31)
    code, _, err = home.run()
    assert (code, err) == (0, "")
    assert home.street.store.readings_by_seq(home.device, from_seq=1, count=30) == before
    assert held_values(home, home.street.store) == metered_values(3)
    assert home.anchored() == [(1, 24), (25, 24), (49, 24)]


def test_recover__given_batch_anchored_and_not_sent__sends_it(home):
    code, _, _ = home.run("--days", "1", DMSM_CRASH_AT="batch-anchored")
    assert code == -9 and home.anchored() == [(1, 24)]
    lose_outbox(home)
    code, events, err = recover(home, "--yes")
    assert (code, err) == (0, "") and events[0]["given_back"] == 24
    assert home.run()[0] == 0
    assert home.street.store.next_batch_seq(home.device) == 73
    assert home.anchored() == [(1, 24), (25, 24), (49, 24)]


def test_recover__given_old_copy_with_waiting_samples__keeps_them_and_puts_the_copy_aside(home):
    home.run("--days", "1")
    saved = (home.folder / "outbox.sqlite").read_bytes()
    home.run("--days", "2")
    lose_outbox(home)
    (home.folder / "outbox.sqlite").write_bytes(saved)
    assert home.run()[0] == 4
    with Outbox(home.folder / "outbox.sqlite") as outbox:
        for sample in samples(3)[48:60]:
            outbox.add_sample(sample)
    code, events, err = recover(home, "--yes")
    assert (code, err) == (0, "") and events[0]["samples_kept"] == 12
    with sqlite3.connect(home.folder / "outbox.sqlite.replaced-1") as old:
        assert old.execute("SELECT count(*) FROM readings").fetchone() == (24,)
    assert home.run()[0] == 0
    assert held_values(home, home.street.store) == metered_values(3)
    assert home.anchored() == [(1, 24), (25, 24), (49, 24)]


def test_recover__given_node_without_its_store_too__names_what_is_lost(home, tmp_path):
    home.run("--days", "2")
    lose_outbox(home)
    with NodeStore(tmp_path / "empty.sqlite") as empty, home.street.serve_node(empty) as server:
        home.configure(node_url=server.url)
        code, events, err = recover(home, "--yes")
        assert (code, err) == (0, "")
        assert events[0]["anchored_and_lost"] == [1, 48]
        write_csv(home.folder / "meter.csv", samples(4)[48:])
        code, _, err = home.run()
        assert (code, err) == (0, "")
        assert held_values(home, empty) == metered_values(4)[48:]
        assert empty.batch_of(home.device, 49).batch.count == 24
    assert home.anchored() == [(1, 24), (25, 24), (49, 24), (73, 24)]


@pytest.mark.parametrize("which", ["rpc_url", "node_url"])
def test_recover__given_chain_or_node_away__changes_nothing(home, which):
    home.run("--days", "1")
    lose_outbox(home)
    home.configure(**{which: "http://127.0.0.1:9"})
    code, _, _ = recover(home, "--yes")
    assert code == 3
    assert list(home.folder.glob("*replaced*")) == []


def test_recover__given_another_holder_of_the_account__refuses(home, make_home):
    home.run("--days", "1")
    with sqlite3.connect(home.folder / "outbox.sqlite") as database:
        database.execute("UPDATE batches SET root=?", (b"r" * 32,))
    assert home.run()[0] == 4
    code, _, err = recover(home, "--yes")
    assert code == 4 and "revoked" in err
