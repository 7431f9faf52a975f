"""Configuration, trials, the watcher, progress, crash points, the meter, and the node's answers."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from io import StringIO

import httpx
import pytest

from device_agent.backoff import Backoff
from device_agent.config import load_config
from device_agent.crash_points import STEPS
from device_agent.errors import BadSetup, NodeRefused, NodeUnreachable
from device_agent.meter.csv_replay import CsvReplay
from device_agent.node_client import HeldByNode, NodeClient
from device_agent.notify import Trial, Watcher, load_trials, policy_name
from device_agent.progress import Progress
from device_agent.report_table import DROPPED
from offchain.records import meter_csv
from offchain.records.envelope import SealedReport, SignedSeq
from offchain.types import MeterSample, Policy, Status, to_account
from tests.policies import POLICY

DEVICE = to_account("0x" + "d1" * 20)
MIDNIGHT = 17_000 * 86_400
SETTINGS = {
    "rpc_url": "http://127.0.0.1:8545",
    "deployment": "deployment.json",
    "node_url": "http://127.0.0.1:8000",
    "keys": "keys",
    "password_file": "/etc/password",
    "outbox": "outbox.sqlite",
    "meter_csv": "meter.csv",
}


def sample(power_w: int, *, hour: int = 0, temperature_dc: int = 0) -> MeterSample:
    return MeterSample(
        time_s=MIDNIGHT + 3_600 * hour,
        import_wh=5,
        export_wh=0,
        power_w=power_w,
        temperature_dc=temperature_dc,
    )


# ---- configuration


def test_load_config__given_json_or_toml__resolves_paths_beside_the_file(tmp_path):
    as_json, as_toml = tmp_path / "a.json", tmp_path / "a.toml"
    as_json.write_text(json.dumps(SETTINGS | {"days": None, "pace_s": 1}))
    lines = [f"{name} = {json.dumps(value)}" for name, value in SETTINGS.items()]
    as_toml.write_text("\n".join([*lines, "pace_s = 1"]))
    config = load_config(as_json)
    assert config == load_config(as_toml)
    assert config.outbox == tmp_path / "outbox.sqlite"
    assert str(config.password_file) == "/etc/password"
    assert (config.days, config.flush_every, config.pace_s) == (None, 24, 1)
    assert (config.batch_seconds, config.keep_days) == (86_400, 400)


def test_load_config__given_several_nodes__keeps_their_order(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(SETTINGS | {"node_url": ["http://b", "http://a"]}))
    assert load_config(path).node_url == ("http://b", "http://a")


NETWORK = {
    "engine": "clique",
    "chain_id": 20_191,
    "rpc_url": ["http://127.0.0.1:1", "http://127.0.0.1:2"],
    "deployment": "deployment.json",
    "confirmations": 3,
    "signers": 5,
    "gas_price_wei": 10**9,
    "owner_key_file": "keys/consortium",
}


def write_network(folder, **changes):
    """Write a network's file as `dmsm net up` does, and an agent's configuration beside it."""
    (folder / "net").mkdir(exist_ok=True)
    content = {name: value for name, value in (NETWORK | changes).items() if value is not None}
    lines = [f"{name} = {json.dumps(value)}\n" for name, value in content.items()]
    (folder / "net" / "network.toml").write_text("".join(lines))
    own = {"network": "net/network.toml"} | SETTINGS
    return {name: value for name, value in own.items() if name not in ("rpc_url", "deployment")}


def load_agent(folder, settings):
    path = folder / "agent.json"
    path.write_text(json.dumps(settings))
    return load_config(path)


def test_load_config__naming_a_network__takes_from_it_what_it_lacks(tmp_path):
    config = load_agent(tmp_path, write_network(tmp_path))
    assert config.rpc_url == ("http://127.0.0.1:1", "http://127.0.0.1:2")
    assert config.deployment == tmp_path / "net" / "deployment.json"
    assert (config.confirmations, config.gas_price_wei) == (3, 10**9)


def test_load_config__own_values_beside_a_network__win(tmp_path):
    own = {"rpc_url": "http://b", "confirmations": 9, "gas_price_wei": None, "deployment": "d.json"}
    config = load_agent(tmp_path, write_network(tmp_path) | own)
    assert (config.rpc_url, config.confirmations, config.gas_price_wei) == ("http://b", 9, None)
    assert config.deployment == tmp_path / "d.json"


@pytest.mark.parametrize(("engine", "depth"), [("clique", 3), ("besu", 1)])
def test_load_config__network_without_a_depth__counts_it_from_the_signers(tmp_path, engine, depth):
    settings = write_network(tmp_path, confirmations=None, engine=engine)
    assert load_agent(tmp_path, settings).confirmations == depth


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"rpc_url": None}, "missing settings: rpc_url"),
        ({"rpc_url": 7}, "rpc_url: 7 is not of the right type"),
        ({"confirmations": -1}, "confirmations: must be at least 0"),
        ({"confirmations": None, "engine": "fabric"}, "must say confirmations"),
        ({"confirmations": None, "signers": None}, "must say confirmations"),
    ],
)
def test_load_config__network_file_that_does_not_fit__is_named(tmp_path, changes, why):
    settings = write_network(tmp_path, **changes)
    with pytest.raises(BadSetup, match=f"network.toml: {why}"):
        load_agent(tmp_path, settings)


def test_load_config__network_file_that_is_not_there__is_named(tmp_path):
    settings = write_network(tmp_path) | {"network": "elsewhere.toml"}
    with pytest.raises(BadSetup, match=r"elsewhere\.toml: cannot be read"):
        load_agent(tmp_path, settings)


def test_load_config__given_overrides__prefers_them(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(SETTINGS | {"days": 3}))
    assert load_config(path, days=5, inject=tmp_path / "i.json").days == 5
    assert load_config(path, days=None, inject=None).inject is None


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"colour": "red"}, "unknown settings: colour"),
        ({"rpc_url": 5}, "rpc_url"),
        ({"days": 0}, "days"),
        ({"days": True}, "days"),
        ({"pace_s": -1}, "pace_s"),
        ({"flush_every": "x"}, "flush_every"),
        ({"outbox": None}, "outbox"),
        ({"batch_seconds": 899}, "batch_seconds"),
        ({"batch_seconds": 86_401}, "batch_seconds"),
        ({"max_batch": 65_537}, "max_batch"),
        ({"keep_days": 0}, "keep_days"),
        ({"paillier_bits": 2_047}, "paillier_bits"),
        ({"paillier_bits": 4_097}, "paillier_bits"),
        ({"paillier_bits": None}, "paillier_bits"),
        ({"node_url": []}, "node_url"),
        ({"node_url": ["http://a", 5]}, "node_url"),
    ],
)
def test_load_config__given_unfit_setting__names_it(tmp_path, change, named):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(SETTINGS | change))
    with pytest.raises(BadSetup, match=named):
        load_config(path)


@pytest.mark.parametrize("text", ["", "[]", "{", "\x00"])
def test_load_config__given_no_settings__refuses(tmp_path, text):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(BadSetup):
        load_config(path)
    with pytest.raises(BadSetup, match="cannot be read"):
        load_config(tmp_path / "none.json")


def test_load_config__given_missing_setting__names_it(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({name: SETTINGS[name] for name in SETTINGS if name != "keys"}))
    with pytest.raises(BadSetup, match="missing settings: keys"):
        load_config(path)


# ---- notifications


def statuses(watcher: Watcher, powers: list[int]) -> list[tuple[int, str, bool]]:
    told = []
    for hour, power_w in enumerate(powers):
        reports = watcher.reports_of(sample(power_w, hour=hour), seq=hour + 1)
        watcher.made(reports)
        told += [(hour, one.verdict.status.name, one.changed) for one in reports]
    return told


def watcher_with(policy: Policy | None = POLICY, **options: object) -> Watcher:
    watcher = Watcher(last=None, **options)
    watcher.policy = policy
    return watcher


def test_reports_of__given_changes__reports_each_once():
    told = statuses(watcher_with(), [500, 500, 2_000, 2_500, 0, 50, 500, 600])
    assert told == [
        (0, "IN_OPERATION", True),
        (2, "TOO_HIGH", True),
        (4, "SHUT_DOWN", True),
        (5, "TOO_LOW", True),
        (6, "IN_OPERATION", True),
    ]


def test_reports_of__given_no_change__sends_one_heartbeat_a_utc_day():
    told = statuses(watcher_with(), [500] * 60)
    assert told == [
        (0, "IN_OPERATION", True),
        (24, "IN_OPERATION", False),
        (48, "IN_OPERATION", False),
    ]


def test_reports_of__given_temperature_alone__is_a_change():
    watcher = watcher_with()
    watcher.made(watcher.reports_of(sample(500), seq=1))
    (entry,) = watcher.reports_of(sample(500, hour=1, temperature_dc=300), seq=2)
    assert entry.changed and entry.verdict.temperature_too_high


def test_reports_of__given_no_policy__is_silent():
    assert statuses(watcher_with(None), [500, 0]) == []


def test_reports_of__given_new_policy_or_forgotten_standing__is_a_change():
    watcher = watcher_with()
    assert len(statuses(watcher, [500])) == 1
    watcher.policy = replace(POLICY, high_power_w=3_000)
    assert [one.changed for one in watcher.reports_of(sample(500, hour=1), seq=2)] == [True]
    watcher.policy = POLICY
    watcher.forget()
    assert [one.changed for one in watcher.reports_of(sample(500, hour=1), seq=2)] == [True]


def test_reports_of__given_trials__follow_their_reading_and_return():
    trials = [
        Trial(after_seq=2, power_w=0, temperature_dc=0),
        Trial(after_seq=2, power_w=0, temperature_dc=0),
    ]
    told = statuses(watcher_with(trials=trials), [500, 500, 500])
    assert told == [
        (0, "IN_OPERATION", True),
        (1, "SHUT_DOWN", True),
        (1, "SHUT_DOWN", False),
        (2, "IN_OPERATION", True),
    ]


def test_reports_of__given_restart__goes_on_from_the_last_report():
    before = watcher_with()
    before.made(before.reports_of(sample(500), seq=1))
    (last,) = watcher_with().reports_of(sample(500), seq=1)
    after = Watcher(last=last)
    after.policy = POLICY
    assert after.reports_of(sample(500, hour=1), seq=2) == []
    assert last.policy == policy_name(POLICY) and last.verdict.status is Status.IN_OPERATION
    assert DROPPED == "dropped"


def test_load_trials__given_file__reads_them(tmp_path):
    path = tmp_path / "trials.json"
    path.write_text('[{"after_seq": 3, "power_w": -5, "temperature_dc": 9}]')
    assert load_trials(path) == [Trial(after_seq=3, power_w=-5, temperature_dc=9)]
    assert load_trials(None) == []
    path.write_text('[{"after_seq": 3, "power_w": -5, "temperature_dc": null}]')
    assert load_trials(path) == [Trial(after_seq=3, power_w=-5, temperature_dc=None)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[1]",
        '[{"after_seq": 0, "power_w": 1, "temperature_dc": 1}]',
        '[{"after_seq": 1, "power_w": 1, "temperature_dc": -32768}]',
        '[{"after_seq": 1}]',
    ],
)
def test_load_trials__given_other_text__refuses(tmp_path, text):
    path = tmp_path / "trials.json"
    path.write_text(text)
    with pytest.raises(BadSetup, match="trials"):
        load_trials(path)
    with pytest.raises(BadSetup, match="cannot be read"):
        load_trials(tmp_path / "none.json")


# ---- small parts


def test_csv_replay__given_later_start__yields_what_comes_after(tmp_path):
    path = tmp_path / "meter.csv"
    path.write_text(f"{meter_csv.HEADER}\n10,0,0,0,0\n20,0,0,0,\n86400,0,0,0,0\n")
    assert [one.time_s for one in CsvReplay(path).samples(after_s=10)] == [20, 86_400]
    assert [one.time_s for one in CsvReplay(path, days=1).samples(after_s=0)] == [10, 20]


def test_progress__given_events_and_status__writes_lines_and_replaces_the_file(tmp_path):
    out, path = StringIO(), tmp_path / "status.json"
    progress = Progress(device=DEVICE, status_file=path, out=out)
    progress.tell("sent", seq=5)
    progress.status(next_seq=6)
    progress.status(next_seq=7)
    assert json.loads(out.getvalue()) == {"event": "sent", "device": DEVICE, "seq": 5}
    assert json.loads(path.read_text()) == {"device": DEVICE, "next_seq": 7}
    assert os.listdir(tmp_path) == ["status.json"]
    Progress(device=DEVICE, out=out).status(next_seq=1)


def test_crash_point__given_its_nth_pass__kills_the_process():
    code = (
        "from device_agent.crash_points import crash_point as c\n" + "c('day-sent');print(1)\n" * 3
    )
    environment = os.environ | {"DMSM_CRASH_AT": "day-sent@3"}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert run.returncode == -signal.SIGKILL and "day-sent" in STEPS
    environment["DMSM_CRASH_AT"] = "other"
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert (run.returncode, run.stdout) == (0, "1\n1\n1\n")


def test_backoff__given_failures__waits_longer_and_forgets_on_success():
    backoff = Backoff()
    assert backoff.rest_s == 0 and backoff.failing_since is None
    backoff.failed()
    first, since = backoff.rest_s, backoff.failing_since
    backoff.failed()
    assert backoff.rest_s > first > 0 and backoff.failing_since == since
    backoff.worked()
    assert backoff.rest_s == 0 and backoff.failing_since is None


# ---- the node's answers, also those of a node that is broken or lies


HELD = {"processor": DEVICE.lower(), "next_seq": 5, "days": [1, 2], "next_batch_seq": 1}


def node_that_answers(status: int, *bodies: object) -> NodeClient:
    """Return a client of as many addresses as there are bodies."""
    client = NodeClient(["http://node"] * len(bodies))
    contents = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in bodies]
    client._nodes = [
        httpx.Client(
            base_url="http://node",
            transport=httpx.MockTransport(
                lambda request, content=content: httpx.Response(status, content=content)
            ),
        )
        for content in contents
    ]
    client._http = client._nodes[0]
    return client


def test_held__given_answer__reads_it():
    node = node_that_answers(200, HELD)
    assert node.held(DEVICE) == HeldByNode(
        processor=DEVICE, next_seq=5, days=frozenset({1, 2}), next_batch_seq=1
    )
    node.close()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        [],
        {},
        HELD | {"next_seq": "5"},
        HELD | {"next_seq": -1},
        HELD | {"processor": "x"},
    ],
)
def test_held__given_nonsense__counts_as_unreachable(body):
    with pytest.raises(NodeUnreachable):
        node_that_answers(200, body).held(DEVICE)


def test_find__given_several_addresses__takes_the_one_that_serves_as_the_processor():
    other = to_account("0x" + "a2" * 20)
    node = node_that_answers(
        200, HELD, b"nonsense", HELD | {"processor": other.lower(), "next_seq": 9}
    )
    assert node.find(other, DEVICE).next_seq == 9
    assert node.held(DEVICE).processor == other
    with pytest.raises(NodeUnreachable, match="serves as"):
        node.find(to_account("0x" + "a3" * 20), DEVICE)


@pytest.mark.parametrize("body", [{}, {"envelopes": 5}, {"envelopes": [{"seq": 1}]}])
def test_give_back__given_nonsense__counts_as_unreachable(body):
    asked = SignedSeq(device=DEVICE, seq=1, signature=bytes(65))
    with pytest.raises(NodeUnreachable):
        node_that_answers(200, body).give_back(asked)


def test_answer__given_refusal_or_failure__tells_them_apart():
    with pytest.raises(NodeRefused) as caught:
        node_that_answers(409, {"error": "seq_gap", "detail": "…"}).held(DEVICE)
    assert (caught.value.name, caught.value.status) == ("seq_gap", 409)
    with pytest.raises(NodeUnreachable, match="cannot work"):
        node_that_answers(503, {"error": "chain_unavailable", "detail": "…"}).held(DEVICE)


@pytest.mark.parametrize("digest", [None, 5, "zz", "00"])
def test_keep_report__given_nonsense__counts_as_unreachable(digest):
    report = SealedReport(device=DEVICE, sealed=b"x", signature=bytes(65))
    with pytest.raises(NodeUnreachable):
        node_that_answers(200, {"digest": digest}).keep_report(report)


@pytest.mark.parametrize("key", [None, "!!", "AAAA" * 90_000], ids=["none", "no base64", "long"])
def test_paillier_key__given_nonsense__counts_as_unreachable(key):
    with pytest.raises(NodeUnreachable):
        node_that_answers(200, {"key": key}).paillier_key(DEVICE)
