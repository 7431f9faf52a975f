"""What a report is made of."""

from dataclasses import dataclass, field
from typing import Any

from offchain.demo.checks import Findings
from offchain.demo.gas import REQUIRED
from offchain.demo.households import Home


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class NotificationRow:
    """A notification as its owner read it from the chain and from the sealed report."""

    home: str
    time_s: int
    status: str
    temperature_too_high: bool
    power_w: int
    injected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FormRow:
    """A line of the market's form, in the contract's order."""

    processor: str
    region: str
    credit: int
    price_wei: int


@dataclass(slots=True, kw_only=True)
class RunReport:
    """Everything that a report shows; filled while the run goes on."""

    findings: Findings
    source: str
    ground: str = ""
    homes: list[Home] = field(default_factory=list)
    notifications: list[NotificationRow] = field(default_factory=list)
    form: list[FormRow] = field(default_factory=list)
    gas: dict[str, int] = field(default_factory=lambda: dict.fromkeys(REQUIRED, 0))
    results: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the machine-readable form."""
        return {
            "ok": self.findings.is_ok,
            "stages": [
                {"name": s.name, "ok": s.ok, "seconds": round(s.seconds, 3)}
                for s in self.findings.stages
            ],
            "checks": [
                {"name": c.name, "ok": c.ok, "detail": c.detail} for c in self.findings.checks
            ],
            "gas": dict(self.gas),
        }
