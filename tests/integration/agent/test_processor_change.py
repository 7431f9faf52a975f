"""A region's node is revoked, another admitted: devices go on, and their past comes along."""

import json
import signal
import sqlite3

import pytest

from device_agent.outbox import Outbox
from offchain.node.store import NodeStore
from offchain.types import to_account

from .conftest import Home, samples, write_csv
from .test_agent import held_values, metered_values


def replace_processor(home: Home) -> None:
    home.street.admin.revoke(to_account(home.street.processor.address))
    home.street.admit_processor()


@pytest.fixture
def stores(tmp_path):
    with NodeStore(tmp_path / "old.sqlite") as old, NodeStore(tmp_path / "new.sqlite") as new:
        yield old, new


def test_run__given_another_processor__seals_all_that_is_kept_anew_for_it(cottage, stores):
    old, new = stores
    with cottage.street.serve_node(old) as server:
        cottage.configure(node_url=server.url)
        assert cottage.run("--days", "2")[0] == 0
    replace_processor(cottage)
    with cottage.street.serve_node(new) as server:
        cottage.configure(node_url=server.url)
        code, events, err = cottage.run()
    assert (code, err) == (0, "")
    assert events[0]["processor"] == cottage.street.processor.address
    assert held_values(cottage, new) == metered_values(3)
    assert held_values(cottage, old) == metered_values(2)
    assert new.next_batch_seq(cottage.device) == 73 and old.next_batch_seq(cottage.device) == 49
    assert cottage.anchored() == [(1, 24), (25, 24), (49, 24)]
    assert cottage.transactions() == 3
    records = [one.readings_by_seq(cottage.device, from_seq=1, count=48) for one in stores]
    assert records[0] == records[1]
    assert old.box_digest(cottage.device, 1) != new.box_digest(cottage.device, 1)


def test_run__given_change_in_mid_run__waits_for_the_new_node_and_goes_on(cottage, stores):
    old, new = stores
    cottage.set_policy()
    first = cottage.street.serve_node(old)
    spare = cottage.street.serve_node(new)  # its port becomes the second node's
    spare.stop()
    urls = [first.url, spare.url]
    # Slow enough that it is halted before the last reading.
    cottage.configure(node_url=urls, pace_s=0.2, give_up_after_s=60)
    process = cottage.start()
    for line in process.stdout:
        event = json.loads(line)
        if event["event"] == "sent" and event["seq"] >= 10:
            break
    process.send_signal(signal.SIGSTOP)
    cottage.street.admin.revoke(to_account(cottage.street.processor.address))
    process.send_signal(signal.SIGCONT)
    reasons = (json.loads(line).get("reason", "") for line in process.stdout)
    assert next(one for one in reasons if "no processing node" in one)
    cottage.street.admit_processor()
    with first, cottage.street.serve_node(new, port=spare.port):
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert held_values(cottage, new) == metered_values(3)
    assert 10 < old.next_seq(cottage.device) <= 72
    assert cottage.anchored() == [(1, 24), (25, 24), (49, 24)]
    assert cottage.transactions() == 3 + cottage.reports_on_chain()


def test_run__given_retention_that_has_passed__gives_the_new_node_what_is_kept(cottage, stores):
    old, new = stores
    with cottage.street.serve_node(old) as server:
        cottage.configure(node_url=server.url, keep_days=1)
        assert cottage.run()[0] == 0
    replace_processor(cottage)
    write_csv(cottage.folder / "meter.csv", samples(4))
    with cottage.street.serve_node(new) as server:
        cottage.configure(node_url=server.url, keep_days=1)
        code, _, err = cottage.run()
    assert (code, err) == (0, "")
    assert held_values(cottage, new) == metered_values(4)[24:]
    assert new.readings_by_seq(cottage.device, from_seq=1, count=25)[0].seq == 25
    assert new.batch_of(cottage.device, 25).batch.count == 24
    assert cottage.anchored() == [(1, 24), (25, 24), (49, 24), (73, 24)]


def test_run__given_restart_for_the_same_processor__seals_nothing_twice(home):
    home.run("--days", "1")

    def sealed() -> list[tuple[object, ...]]:
        with sqlite3.connect(home.folder / "outbox.sqlite") as database:
            envelopes = database.execute("SELECT * FROM envelopes ORDER BY seq").fetchall()
            return (
                envelopes + database.execute("SELECT processor, day, sealed FROM days").fetchall()
            )

    before = sealed()
    with sqlite3.connect(home.folder / "outbox.sqlite") as database:
        database.execute("UPDATE processors SET readings_before=1, batches_before=1")
        database.execute("UPDATE days SET sent=0")
    assert home.run("--days", "1")[0] == 0
    assert sealed() == before and len(before) == 25
    with Outbox(home.folder / "outbox.sqlite") as outbox:
        assert outbox.is_drained()
