"""Policies from a home's own quantiles; trials for what its data does not bring."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from device_agent.notify import Watcher, load_trials
from offchain.demo.households import Home
from offchain.demo.policies import policy_of, write_trials
from offchain.records.judge import judge
from offchain.records.reading import MAX_POWER_W
from offchain.types import Policy, Status
from tests.unit.demo.conftest import MakeHome


def reports_of(home: Home, policy: Policy, path: Path) -> list[Any]:
    """What the home's device would report, trials included."""
    watcher, found = Watcher(last=None, trials=load_trials(path)), []
    watcher.policy = policy
    for seq, sample in enumerate(home.samples, start=1):
        made = watcher.reports_of(sample, seq=seq)
        watcher.made(made)
        found += made
    return found


def run_of(home: Home, tmp_path: Path, seed: int = 1) -> tuple[list[Status], list[Any]]:
    policy, path = policy_of(home), tmp_path / "trials.json"
    missing = write_trials([home], [policy], path, random.Random(seed))
    return missing, reports_of(home, policy, path)


def test_policy_of__a_hundred_powers__takes_their_outer_quantiles(make_home: MakeHome) -> None:
    policy = policy_of(make_home(range(1_000, 1_100), range(-50, 50)))
    assert (policy.low_power_w, policy.high_power_w) == (1_002, 1_098)
    assert policy.temperature_warning_dc == 48
    assert not policy.feeds_in
    assert not policy.is_sealed


def test_policy_of__frost_all_the_time__warns_below_zero(make_home: MakeHome) -> None:
    assert policy_of(make_home([1, 2], [-2_732, -2_000])).temperature_warning_dc == -2_000


@pytest.mark.parametrize("power", [0, 1, 2, 500, MAX_POWER_W - 1, MAX_POWER_W, -1, -MAX_POWER_W])
def test_policy_of__constant_power__leaves_room_between_low_and_high(
    make_home: MakeHome, power: int
) -> None:
    policy = policy_of(make_home([power] * 5))
    assert policy.low_power_w >= 1
    assert policy.low_power_w + 2 <= policy.high_power_w <= MAX_POWER_W
    assert policy.feeds_in is (power < 0)


@pytest.mark.parametrize(
    ("negative", "feeds_in", "high_feed_in_w"),
    [(0, False, 0), (1, False, 800), (9, False, 800), (10, True, 0)],
)
def test_policy_of__some_hours_feed_in__allows_both_ways_unless_all_do(
    make_home: MakeHome, negative: int, feeds_in: bool, high_feed_in_w: int
) -> None:
    policy = policy_of(make_home([-800] * negative + [300] * (10 - negative)))
    assert (policy.feeds_in, policy.high_feed_in_w) == (feeds_in, high_feed_in_w)
    assert (policy.low_power_w, policy.high_power_w) == ((800, 802) if feeds_in else (300, 302))


def test_policy_of__no_temperature_at_all__never_warns(make_home: MakeHome) -> None:
    policy = policy_of(make_home([5, 9], [None, None]))
    assert policy.temperature_warning_dc == 2**15 - 1
    assert policy_of(make_home([5, 9, 5], [None, 70, 60])).temperature_warning_dc == 70


def test_write_trials__the_data_brings_everything__writes_none(
    make_home: MakeHome, tmp_path: Path
) -> None:
    missing, reports = run_of(make_home([0, 500, 0, *range(1, 1_000), 0, 500]), tmp_path)
    assert missing == []
    assert not any(report.injected for report in reports)


def test_write_trials__only_in_operation__adds_the_rest_as_injected(
    make_home: MakeHome, tmp_path: Path
) -> None:
    home = make_home([400, 500, 450, 400])
    missing, reports = run_of(home, tmp_path)
    assert Status.SHUT_DOWN in missing
    assert Status.IN_OPERATION in missing
    injected = {report.verdict.status for report in reports if report.injected}
    assert injected == set(missing)
    assert all(report.seq is None for report in reports if report.injected)


@pytest.mark.parametrize(
    "powers",
    [
        [5, 5],
        [0, 0, 0],
        [-7, -7],
        [MAX_POWER_W] * 3,
        [-MAX_POWER_W] * 3,
        [MAX_POWER_W, -MAX_POWER_W],
        [0, 100, 200, 0],
        [1],
        [0],
    ],
)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_write_trials__any_home__makes_every_notification_occur(
    make_home: MakeHome, tmp_path: Path, powers: list[int], seed: int
) -> None:
    _, reports = run_of(make_home(powers), tmp_path, seed)
    statuses = [report.verdict.status for report in reports if report.changed]
    assert {Status.TOO_HIGH, Status.TOO_LOW, Status.SHUT_DOWN} <= set(statuses)
    down_at = statuses.index(Status.SHUT_DOWN)
    assert Status.IN_OPERATION in statuses[down_at:]
    assert any(report.verdict.temperature_too_high for report in reports)


def test_write_trials__back_in_operation_missing__shuts_down_before(
    make_home: MakeHome, tmp_path: Path
) -> None:
    home = make_home([*range(1, 1_000), 0])  # shut down, and never seen again
    policy, path = policy_of(home), tmp_path / "trials.json"
    assert write_trials([home], [policy], path, random.Random(1)) == [Status.IN_OPERATION]
    trials = json.loads(path.read_text())
    verdicts = [
        judge(policy, power_w=one["power_w"], temperature_dc=one["temperature_dc"])
        for one in trials
    ]
    assert [verdict.status for verdict in verdicts] == [Status.SHUT_DOWN, Status.IN_OPERATION]


def test_write_trials__another_home_brings_it__is_not_missing(
    make_home: MakeHome, tmp_path: Path
) -> None:
    quiet, lively = make_home([400, 500, 450]), make_home([0, 500, *range(1, 1_000)])
    homes, path = [quiet, lively], tmp_path / "trials.json"
    by_home = [policy_of(home) for home in homes]
    assert write_trials(homes, by_home, path, random.Random(1)) == []
    assert json.loads(path.read_text()) == []


def test_write_trials__one_seed__gives_the_same_file(make_home: MakeHome, tmp_path: Path) -> None:
    home, texts = make_home([400] * 500), []
    for seed in (1, 1, 2):
        path = tmp_path / "trials.json"
        write_trials([home], [policy_of(home)], path, random.Random(seed))
        texts.append(path.read_text())
    assert texts[0] == texts[1] != texts[2]
