"""What a demo run is asked for, checked before anything starts."""

from dataclasses import dataclass
from pathlib import Path

from offchain.errors import DmsmError

MIN_HOMES = 2
MIN_THRESHOLD = 2
MAX_SHARERS = 100


class DemoInputError(DmsmError):
    """An option or an input file does not make sense; nothing was started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """The options of one run.

    homes, days: None takes the default of the source (5 homes and 7 days of the real households,
    all of a directory). readings: a directory of meter files instead of the real households.
    json_file, report_dir: where results go. seed: fixes events, kill point and tampering, never
    keys or nonces.
    """

    homes: int | None = None
    days: int | None = None
    sharers: int = 3
    threshold: int = 2
    readings: Path | None = None
    json_file: Path | None = None
    report_dir: Path = Path("demo-report")
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse options that cannot be met. Raises DemoInputError with the option's name."""
        if self.homes is not None and self.homes < MIN_HOMES:
            raise DemoInputError(f"--homes {self.homes}: at least {MIN_HOMES}, one in each region")
        if self.days is not None and self.days < 1:
            raise DemoInputError(f"--days {self.days}: at least 1")
        if not MIN_THRESHOLD <= self.sharers <= MAX_SHARERS:
            raise DemoInputError(
                f"--sharers {self.sharers}: must be {MIN_THRESHOLD} to {MAX_SHARERS}"
            )
        if self.threshold < MIN_THRESHOLD:
            raise DemoInputError(f"--threshold {self.threshold}: at least {MIN_THRESHOLD}")
        if self.threshold > self.sharers:
            raise DemoInputError(
                f"--threshold {self.threshold}: more than the {self.sharers} of --sharers"
            )
