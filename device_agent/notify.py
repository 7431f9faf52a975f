"""When a device reports: on change, once a UTC day of meter time, and for injected trials.

The device judges by the owner's policy with the same Algorithm 1 as the contract (paper §V.A), so
that it need not send what changes nothing.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from device_agent.errors import BadSetup
from device_agent.report_table import ReportEntry
from offchain.errors import FormatError
from offchain.records import fields, reading
from offchain.records.judge import judge
from offchain.records.reading import MAX_POWER_W
from offchain.types import MeterSample, Policy, day_of

_MAX_TRIALS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A report that no measurement stands behind, sent after a reading and marked injected."""

    after_seq: int
    power_w: int
    temperature_dc: int | None


class Watcher:
    """Decide which reports a reading gives rise to; `last` is the last one that was made."""

    def __init__(self, *, last: ReportEntry | None, trials: Sequence[Trial] = ()) -> None:
        self._last = last
        self._trials = trials
        self.policy: Policy | None = None

    def reports_of(self, sample: MeterSample, *, seq: int) -> list[ReportEntry]:
        """Return the reports of a reading: its own if it is due, then the trials after it.

        None without a policy. The policy's change forgets the standing, on chain and here.
        """
        if self.policy is None:
            return []
        found = [self._entry(self.policy, sample, seq=seq, origin=f"reading:{seq}")]
        if not found[0].changed and not self._is_heartbeat_due(sample):
            found = []
        last = found[-1] if found else self._last
        for number, trial in enumerate(self._trials):
            if trial.after_seq != seq:
                continue
            trial_sample = replace(
                sample, power_w=trial.power_w, temperature_dc=trial.temperature_dc
            )
            origin = f"trial:{number}"
            last = self._entry(self.policy, trial_sample, seq=None, origin=origin, last=last)
            found.append(last)
        return found

    @property
    def last(self) -> ReportEntry | None:
        """The last report that was made."""
        return self._last

    def resume(self, last: ReportEntry | None) -> None:
        """Go on from the last report of an earlier run."""
        self._last = last

    def made(self, reports: Sequence[ReportEntry]) -> None:
        """Remember reports that are stored durably."""
        if reports:
            self._last = reports[-1]

    def forget(self) -> None:
        """Forget the standing: the next reading is a change."""
        self._last = None

    def _entry(
        self,
        policy: Policy,
        sample: MeterSample,
        *,
        seq: int | None,
        origin: str,
        last: ReportEntry | None = None,
    ) -> ReportEntry:
        last = last or self._last
        verdict = judge(policy, power_w=sample.power_w, temperature_dc=sample.temperature_dc)
        name = policy_name(policy)
        is_same = last is not None and last.policy == name and last.verdict == verdict
        return ReportEntry(
            origin=origin,
            seq=seq,
            time_s=sample.time_s,
            power_w=sample.power_w,
            temperature_dc=sample.temperature_dc,
            verdict=verdict,
            changed=not is_same,
            policy=name,
        )

    def _is_heartbeat_due(self, sample: MeterSample) -> bool:
        return self._last is None or day_of(sample.time_s) > day_of(self._last.time_s)


def policy_name(policy: Policy) -> str:
    """Write a policy as text, to see whether it is the one that a report was judged by."""
    return json.dumps(policy.as_tuple())


def load_trials(path: Path | None) -> list[Trial]:
    """Read trial reports: a JSON list of `{"after_seq": n, "power_w": n, "temperature_dc": n}`.

    The temperature may be null: not measured. Raises BadSetup.
    """
    if path is None:
        return []
    try:
        value = json.loads(path.read_text("utf-8"))
        items = fields.sequence(value, "trial reports", max_items=_MAX_TRIALS)
        return [_trial(item) for item in items]
    except OSError as error:
        raise BadSetup(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError, FormatError) as error:
        raise BadSetup(f"{path}: {error}") from error


def _trial(value: object) -> Trial:
    obj = fields.members(value, "after_seq power_w temperature_dc", what="a trial report")
    return Trial(
        after_seq=fields.integer(obj["after_seq"], "after_seq", low=1),
        power_w=fields.integer(obj["power_w"], "power_w", low=-MAX_POWER_W, high=MAX_POWER_W),
        temperature_dc=reading.temperature_in_range(obj["temperature_dc"]),
    )
