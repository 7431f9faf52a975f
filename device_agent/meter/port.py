"""The port that every meter is behind."""

from collections.abc import Iterator
from typing import Protocol

from offchain.types import MeterSample


class Meter(Protocol):
    """Something that can be read; its own clock stamps the samples."""

    @property
    def is_live(self) -> bool:
        """Whether it shows the time of now, and cannot be read again for what was missed."""
        ...

    def samples(self, *, after_s: int) -> Iterator[MeterSample]:
        """Yield samples, best of all those later than `after_s` (0: from the first).

        A sample whose time does not rise is skipped by whoever takes it. The end of the iteration
        is the end of the input; a live meter has none.
        """
        ...
