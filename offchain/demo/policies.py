"""Each home's policy, from its own quantiles, and trial reports for what its data lacks."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path

from offchain.demo.households import Home
from offchain.records.judge import judge
from offchain.records.reading import MAX_POWER_W, MAX_TEMPERATURE_DC
from offchain.types import MeterSample, Policy, Status

LOW_QUANTILE, HIGH_QUANTILE = 0.02, 0.98
HEARTBEAT_S = 2 * 86_400
_WANTED = (Status.TOO_HIGH, Status.TOO_LOW, Status.SHUT_DOWN, Status.IN_OPERATION)


def policy_of(home: Home) -> Policy:
    """Derive a policy from what a home's meter has shown.

    A home that draws and feeds in has a high threshold for each; one that only feeds in is judged
    with the opposite sign. The thresholds leave room for "in operation" between them, whatever the
    quantiles.
    """
    fed_in = [-s.power_w for s in home.samples if s.power_w < 0]
    drawn = [s.power_w for s in home.samples if s.power_w >= 0]
    feeds_in = bool(fed_in) and not any(drawn)
    powers = [-s.power_w for s in home.samples] if feeds_in else drawn
    low_w = min(max(1, _quantile(powers, LOW_QUANTILE)), MAX_POWER_W - 2)
    measured = [s.temperature_dc for s in home.samples if s.temperature_dc is not None]
    return Policy(
        low_power_w=low_w,
        high_power_w=max(low_w + 2, _quantile(powers, HIGH_QUANTILE)),
        high_feed_in_w=_quantile(fed_in, HIGH_QUANTILE) if fed_in and not feeds_in else 0,
        temperature_warning_dc=_quantile(measured or [MAX_TEMPERATURE_DC], HIGH_QUANTILE),
        heartbeat_seconds=HEARTBEAT_S,
        feeds_in=feeds_in,
        is_sealed=False,
    )


def write_trials(
    homes: Sequence[Home], policies: Sequence[Policy], path: Path, rng: random.Random
) -> list[Status]:
    """Write the trial reports for the first home that make every notification occur in the run.

    They go out as status reports marked `injected`, never as readings. Returns what was missing.
    """
    missing = _missing(homes, policies)
    home, policy = homes[0], policies[0]
    after = rng.randrange(1, max(2, len(home.samples)))
    wanted = list(missing)
    if Status.IN_OPERATION in missing and Status.SHUT_DOWN not in missing:
        wanted.insert(wanted.index(Status.IN_OPERATION), Status.SHUT_DOWN)
    trials = [_trial(after, policy, status) for status in wanted]
    path.write_text(json.dumps(trials), encoding="utf-8")
    return missing


def _missing(homes: Sequence[Home], policies: Sequence[Policy]) -> list[Status]:
    seen: set[Status] = set()
    for home, policy in zip(homes, policies, strict=True):
        was_down = False
        for sample in home.samples:
            status = _status(policy, sample)
            # "Back in operation" is what is wanted, not merely "in operation".
            if status is not Status.IN_OPERATION or was_down:
                seen.add(status)
            is_down = status is Status.SHUT_DOWN
            was_down = is_down or (was_down and status is not Status.IN_OPERATION)
    return [status for status in _WANTED if status not in seen]


def _status(policy: Policy, sample: MeterSample) -> Status:
    verdict = judge(policy, power_w=sample.power_w, temperature_dc=sample.temperature_dc)
    return verdict.status


def _trial(after_seq: int, policy: Policy, status: Status) -> dict[str, int]:
    power_w = {
        Status.TOO_HIGH: policy.high_power_w,
        Status.TOO_LOW: policy.low_power_w,
        Status.SHUT_DOWN: 0,
        Status.IN_OPERATION: policy.low_power_w + 1,
    }[status]
    return {
        "after_seq": after_seq,
        "power_w": -power_w if policy.feeds_in else power_w,
        "temperature_dc": policy.temperature_warning_dc,
    }


def _quantile(values: Sequence[int], share: float) -> int:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
