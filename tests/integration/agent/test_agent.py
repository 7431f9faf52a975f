"""The agent as a process against the real intake and the real contracts."""

import json
import signal
import sqlite3
import time
from dataclasses import replace

from device_agent.crash_points import STEPS
from offchain.crypto import kem, merkle
from offchain.node.store import NodeStore
from offchain.records import batch as batch_codec
from offchain.records import contexts, report
from offchain.records import reading as record_codec
from offchain.types import Role, Status

from .conftest import FIRST_S, POLICY, Home, samples, write_csv

DAY_S = 86_400
NOTHING_LEFT = {"sent", "anchored", "reported"}


def expected_reports(days: int, *, step_s: int = 3_600) -> int:
    """Reports on change and one heartbeat a day, from the powers' rhythm of eight hours."""
    statuses = [
        (one.time_s // DAY_S, {150: "low", 2_500: "high", 0: "off"}.get(one.power_w, "on"))
        for one in samples(days, step_s=step_s)
    ]
    last, count, last_day = None, 0, None
    for day, status in statuses:
        if status != last or day != last_day:
            count, last, last_day = count + 1, status, day
    return count


def held_values(home: Home, store: NodeStore) -> list[tuple[int, int, int, int]]:
    rows = store.readings(home.device, from_s=0, to_s=2**32)
    return [
        (one.time_s, one.import_wh, one.export_wh, one.power_w, one.temperature_dc) for one in rows
    ]


def metered_values(days: int, *, step_s: int = 3_600) -> list[tuple[int, int, int, int]]:
    rows = samples(days, step_s=step_s)
    return [
        (one.time_s, one.import_wh, one.export_wh, one.power_w, one.temperature_dc) for one in rows
    ]


def test_run__given_three_days__brings_every_reading_to_node_and_chain(home):
    home.set_policy()
    code, events, err = home.run()
    assert (code, err) == (0, "")
    done = events[-1]
    assert done["event"] == "done" and done["readings"] == done["sent"] == 72
    assert done["batches"] == done["anchored"] == 3
    assert held_values(home, home.street.store) == metered_values(3)
    assert home.anchored() == [(1, 24), (25, 24), (49, 24)]
    assert home.reports_on_chain() == done["reported"] == expected_reports(3)
    assert home.transactions() == 3 + expected_reports(3)
    batches = home.street.store.batches(home.device, from_s=FIRST_S, to_s=FIRST_S + 3 * DAY_S)
    assert [one.batch.from_seq for one in batches] == [1, 25, 49]
    status = json.loads((home.folder / "status.json").read_text())
    assert status["next_seq"] == 73 and status["error"] is None


def test_run__given_anchored_batch__chain_verifies_each_reading(home):
    home.run("--days", "1")
    rows = home.street.store.readings(home.device, from_s=0, to_s=2**32)
    made = batch_codec.make(rows)
    assert merkle.root([record_codec.commitment_of(one) for one in rows]) == made.root
    for one in (rows[0], rows[11], rows[-1]):
        arguments = (one.seq, record_codec.commitment_of(one), 1, 24, made.root)
        proof = batch_codec.prove(rows, one.seq)
        assert home.street.gateway.call(
            "DataLedger", "verifyReading", home.device, *arguments, proof
        )


def test_run__given_another_start_after_the_end__repeats_nothing(home):
    home.set_policy()
    home.run()
    before = home.transactions(), home.reports_on_chain()
    code, events, _ = home.run()
    assert code == 0 and not {event["event"] for event in events} & {
        "sampled",
        "anchored",
        "reported",
    }
    assert (home.transactions(), home.reports_on_chain()) == before


def test_run__given_no_policy__sends_no_report(home):
    code, events, _ = home.run("--days", "1")
    assert code == 0 and events[-1]["reports"] == 0
    assert home.transactions() == 1


def test_run__given_a_kill_at_every_step__loses_and_repeats_nothing(home):
    """Each step kills a run in which there is one more day of input; the last run is left alone."""
    days, step_s, rows = len(STEPS) + 1, 14_400, 6
    write_csv(home.folder / "meter.csv", samples(days, step_s=step_s))
    home.set_policy()
    for day, step in enumerate(STEPS, start=1):
        code, _, err = home.run("--days", str(day), DMSM_CRASH_AT=step)
        assert code == -signal.SIGKILL, (step, err)
    code, events, err = home.run()
    assert (code, err) == (0, "")
    assert held_values(home, home.street.store) == metered_values(days, step_s=step_s)
    ranges = home.anchored()
    assert [seq for start, count in ranges for seq in range(start, start + count)] == list(
        range(1, rows * days + 1)
    )
    assert home.reports_on_chain() == events[-1]["reported"]
    assert home.reports_on_chain() >= expected_reports(days, step_s=step_s)
    assert home.transactions() == len(ranges) + home.reports_on_chain()
    assert home.street.store.next_batch_seq(home.device) == rows * days + 1


def test_run__given_a_kill_in_mid_run__goes_on(home):
    home.configure(pace_s=0.01)
    process = home.start()
    sampled = 0
    for line in process.stdout:
        sampled += json.loads(line)["event"] == "sampled"
        if sampled == 30:
            break
    process.kill()
    process.communicate()
    home.configure()
    code, _, _ = home.run()
    assert code == 0
    assert held_values(home, home.street.store) == metered_values(3)
    assert home.anchored() == [(1, 24), (25, 24), (49, 24)]


def test_run__given_trials__reports_them_marked_and_returns_to_operation(home):
    home.set_policy()
    trials = [
        {"after_seq": 7, "power_w": 9_000, "temperature_dc": 200},
        {"after_seq": 7, "power_w": 900, "temperature_dc": 999},
        {"after_seq": 8, "power_w": 0, "temperature_dc": 200},
    ]
    (home.folder / "trials.json").write_text(json.dumps(trials))
    code, events, _ = home.run("--days", "1", "--inject", str(home.folder / "trials.json"))
    assert code == 0
    reported = [event for event in events if event["event"] == "reported"]
    injected = [(one["status"], one["temperature_too_high"]) for one in reported if one["injected"]]
    assert injected == [("too_high", False), ("in_operation", True), ("shut_down", False)]
    changes = home.street.gateway.events(
        "NotificationBoard", "StatusChanged", from_block=0, device=home.device
    )
    assert sum(change.args["injected"] for change in changes) == 3
    assert changes[-1].args["status"] == Status.IN_OPERATION
    assert len(held_values(home, home.street.store)) == 24


def test_run__given_a_policy_for_both_ways__reports_feed_in_as_in_operation(home):
    home.set_policy(replace(POLICY, high_feed_in_w=4_000, temperature_warning_dc=-(2**31)))
    feed_in = [{"after_seq": 3, "power_w": -2_500, "temperature_dc": None}]
    (home.folder / "trials.json").write_text(json.dumps(feed_in))
    code, events, _ = home.run("--days", "1", "--inject", str(home.folder / "trials.json"))
    assert code == 0
    (told,) = [one for one in events if one["event"] == "reported" and one["injected"]]
    assert (told["status"], told["temperature_too_high"]) == ("in_operation", False)
    changes = home.street.gateway.events(
        "NotificationBoard", "StatusChanged", from_block=0, device=home.device
    )
    (fed_in,) = [one.args for one in changes if one.args["injected"]]
    assert (fed_in["powerW"], fed_in["temperatureDc"]) == (-2_500, -32_768)
    assert (fed_in["status"], fed_in["temperatureTooHigh"]) == (Status.IN_OPERATION, False)


def test_run__given_report__its_owner_opens_and_verifies_it(home):
    home.set_policy()
    home.run("--days", "1")
    street = home.street
    changes = street.gateway.events(
        "NotificationBoard", "StatusChanged", from_block=0, device=home.device
    )
    too_high = next(one for one in changes if one.args["status"] == Status.TOO_HIGH)
    sealed = street.content.get(bytes(too_high.args["reportDigest"]), max_bytes=8_192)
    context = contexts.status(
        chain_id=street.deployment.chain_id,
        notification_board=street.deployment.address("NotificationBoard"),
        device=home.device,
        owner=street.owner.address,
    )
    opened = report.decode(kem.open_sealed(street.owner.paillier, sealed, context=context))
    assert (opened.power_w, opened.status, opened.injected) == (2_500, Status.TOO_HIGH, False)
    place = {
        "chain_id": street.deployment.chain_id,
        "data_ledger": street.deployment.address("DataLedger"),
        "owner": street.owner.address,
    }
    assert report.verify_report(opened, **place)
    assert not report.verify_report(replace(opened, power_w=1), **place)


def test_run__given_sealed_mode__publishes_commitments_alone(home):
    home.set_policy(replace(POLICY, is_sealed=True))
    code, events, err = home.run("--days", "1")
    assert (code, err) == (0, "")
    assert home.reports_on_chain() == events[-1]["reported"] == expected_reports(1)
    sealed = home.street.gateway.events(
        "NotificationBoard", "SealedReport", from_block=0, device=home.device
    )
    assert len({bytes(one.args["commitment"]) for one in sealed}) == expected_reports(1)


def test_run__given_policy_set_anew_between_runs__reports_by_the_new_one(home):
    home.set_policy()
    home.run("--days", "1")
    home.set_policy(replace(POLICY, is_sealed=True))
    code, events, err = home.run("--days", "2")
    assert (code, err) == (0, "")
    assert [one for one in events if one["event"] == "reported"]
    assert home.reports_on_chain() > 0


def test_run__given_lost_outbox__refuses_in_safe_mode(home):
    home.run("--days", "1")
    (home.folder / "outbox.sqlite").unlink()
    for tail in ("-wal", "-shm"):
        (home.folder / f"outbox.sqlite{tail}").unlink(missing_ok=True)
    code, events, err = home.run()
    assert code == 4 and "restore" in err
    assert events[-1]["event"] == "error"
    assert home.anchored() == [(1, 24)]


def test_run__given_damaged_outbox__puts_it_aside_and_refuses(home):
    home.run("--days", "1")
    path = home.folder / "outbox.sqlite"
    data = bytearray(path.read_bytes())
    data[100:4_096] = b"\xff" * 3_996
    path.write_bytes(data)
    code, events, _ = home.run()
    assert code == 4
    assert events[0]["event"] == "damaged"
    assert (home.folder / "outbox.sqlite.damaged-1").read_bytes() == bytes(data)


def test_run__given_old_copy_of_the_outbox__refuses_in_safe_mode(home):
    home.run("--days", "1")
    saved = (home.folder / "outbox.sqlite").read_bytes()
    home.run("--days", "2")
    with sqlite3.connect(home.folder / "outbox.sqlite") as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (home.folder / "outbox.sqlite").write_bytes(saved)
    code, _, err = home.run()
    assert code == 4 and "seq" in err


def test_run__given_node_that_lost_its_store__sends_everything_again(home, tmp_path):
    home.run("--days", "2")
    with NodeStore(tmp_path / "empty.sqlite") as empty, home.street.serve_node(empty) as server:
        home.configure(node_url=server.url)
        code, _, err = home.run()
        assert (code, err) == (0, "")
        assert held_values(home, empty) == metered_values(3)
        assert empty.next_batch_seq(home.device) == 73
    assert home.transactions() == 3


def test_run__given_reorganised_chain__anchors_again(home):
    home.run("--days", "1")
    home.street.anvil.reorg(1)
    assert home.anchored() == []
    code, _, err = home.run()
    assert (code, err) == (0, "")
    assert home.anchored() == [(1, 24), (25, 24), (49, 24)]


def test_run__given_unreachable_node__gives_up_with_3(home):
    home.configure(node_url="http://127.0.0.1:9", give_up_after_s=0.5)
    code, events, err = home.run()
    assert code == 3 and "does not answer" in err
    assert "delayed" in {event["event"] for event in events}


def test_run__given_node_that_comes_back__delivers_what_waited(home, tmp_path):
    with NodeStore(tmp_path / "late.sqlite") as late:
        server = home.street.serve_node(late)
        home.configure(node_url=server.url, give_up_after_s=30, pace_s=0.02)
        process = home.start()
        for line in process.stdout:
            if json.loads(line).get("seq") == 10:
                break
        server.stop()
        for line in process.stdout:
            if json.loads(line)["event"] == "delayed":
                break
        time.sleep(0.3)
        with home.street.serve_node(late, port=server.port):
            out, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        assert json.loads(out.splitlines()[-1])["event"] == "done"
        assert held_values(home, late) == metered_values(3)


def test_run__during_the_emergency_stop__waits_and_anchors_after_it(home):
    chain, snapshot = home.street.anvil, home.street.anvil.snapshot()
    stop = home.street.admin.stop_beginnings().receipt.event("BeginningsStopped")
    try:
        home.configure(give_up_after_s=1)
        code, events, err = home.run()
        assert code == 3
        assert "emergency stop holds" in err and "nothing is lost" in err
        assert {"delayed"} <= {event["event"] for event in events}
        assert home.street.gateway.call("DataLedger", "nextSeqOf", home.device) == 1
        assert (
            len(held_values(home, home.street.store)) == 72
        )  # the node has the readings all the same

        chain.warp_to(stop.args["until"])
        code, events, _ = home.run()
        assert (code, events[-1]["event"]) == (0, "done")
        assert home.street.gateway.call("DataLedger", "nextSeqOf", home.device) == 73
    finally:
        chain.revert(snapshot)


def test_run__given_revoked_device__stops_with_2(home):
    home.street.admin.revoke(home.device)
    code, _, err = home.run()
    assert code == 2 and "no active device" in err


def test_run__given_bad_meter_file__names_line_and_column(home):
    path = home.folder / "meter.csv"
    path.write_text(path.read_text().replace("\n", "\n1.5,0,0,0,0\n", 1))
    code, _, err = home.run()
    assert code == 2
    assert err == f"{path}:2: time_unix_s: '1.5' is not an integer\n"


def test_run__given_two_agents_on_one_outbox__refuses_the_second(home):
    home.configure(pace_s=0.2)
    first = home.start()
    first.stdout.readline()
    code, _, err = home.run()
    first.kill()
    first.communicate()
    assert code == 2 and "another process" in err


def test_run__given_logs_and_progress__holds_no_reading(home):
    home.set_policy()
    _, events, err = home.run("--days", "1")
    told = json.dumps([event for event in events if event["event"] != "reported"]) + err
    status = (home.folder / "status.json").read_text()
    for one in samples(1):
        assert str(one.import_wh) not in told + status


def test_street__given_its_members__has_one_processor(street):
    assert street.gateway.call("MemberRegistry", "activeRoleOf", street.processor.address)[0] == (
        Role.PROCESSOR
    )
