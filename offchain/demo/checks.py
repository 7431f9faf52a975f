"""The checks and stages of a run, each with its verdict and its reason."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

CHECKS = (
    "member_admitted_by_vote",
    "stale_decision_refused",
    "readings_anchored",
    "agent_killed_nothing_lost",
    "notification_too_high",
    "notification_too_low",
    "notification_temperature",
    "notification_shut_down",
    "notification_in_operation",
    "request_paid",
    "bill_audited",
    "retroactive_tariff_refused",
    "advice_given",
    "request_unknown_member_refused",
    "request_wrong_region_refused",
    "request_unknown_type_refused",
    "request_bad_signature_refused",
    "request_declined_refunded",
    "request_timeout_refunded",
    "credit_up",
    "credit_down",
    "datasets_published",
    "form_sorted_by_credit",
    "shares_verified_on_chain",
    "wrong_share_refused",
    "key_recovered_by_threshold",
    "key_not_recovered_below_threshold",
    "data_matches_chain",
    "tampered_data_detected",
    "withdrawn_not_sold",
    "owners_paid",
    "garbage_answer_slashed",
    "unserved_answer_demanded",
    "money_conserved",
)
NOT_REACHED = "the run ended before this was tried"


@dataclass(frozen=True, slots=True)
class Check:
    """A verdict: `detail` says what was seen."""

    name: str
    ok: bool
    detail: str


@dataclass(slots=True)
class Stage:
    """A part of the run: `ok` is False until it ended without an exception."""

    name: str
    ok: bool = False
    seconds: float = 0.0


@dataclass(slots=True)
class Findings:
    """What a run has found so far.

    Every check has a verdict at any time, so that no failure hides one.
    """

    stages: list[Stage] = field(default_factory=list)
    _checks: dict[str, Check] = field(default_factory=dict)

    def record(self, name: str, ok: bool, detail: str) -> None:
        """Record a verdict; a check fails for good once it has failed.

        Raises KeyError for an unknown name.
        """
        if name not in CHECKS:
            raise KeyError(name)
        before = self._checks.get(name)
        if before is None or before.ok:
            self._checks[name] = Check(name, bool(ok), detail)

    @contextmanager
    def stage(self, name: str) -> Iterator[Stage]:
        """Time a part of the run; it is ok when its body ends without an exception."""
        stage = Stage(name)
        self.stages.append(stage)
        begun = time.monotonic()
        try:
            yield stage
            stage.ok = True
        finally:
            stage.seconds = time.monotonic() - begun

    @property
    def checks(self) -> list[Check]:
        """Every check, in the order of `CHECKS`."""
        return [self._checks.get(name, Check(name, False, NOT_REACHED)) for name in CHECKS]

    @property
    def is_ok(self) -> bool:
        """Whether every stage ended and every check holds."""
        return all(s.ok for s in self.stages) and all(check.ok for check in self.checks)
