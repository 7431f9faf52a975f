"""Named results of a check, so that a report can say what was looked at and what did not hold."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked. `detail` says what was compared, or what is wrong."""

    name: str
    ok: bool
    detail: str


def all_hold(findings: Sequence[Finding]) -> bool:
    """Whether there are findings and every one holds."""
    return bool(findings) and all(finding.ok for finding in findings)
