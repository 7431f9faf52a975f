"""Named results of a check, so that a report can say what was looked at and what did not hold."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked. `detail` says what was compared, or what is wrong.

    `is_known` False: it could not be looked at, so that it does not hold and proves nothing.
    """

    name: str
    ok: bool
    detail: str
    is_known: bool = True


def all_hold(findings: Sequence[Finding]) -> bool:
    """Whether there are findings and every one holds."""
    return bool(findings) and all(finding.ok for finding in findings)


def not_asked(name: str, error: Exception) -> Finding:
    """Return the finding of what could not be looked at because the chain did not answer."""
    return Finding(name, False, f"the chain could not be asked: {error}", is_known=False)
