"""The port that every meter is behind."""

from collections.abc import Iterator
from typing import Protocol

from offchain.types import MeterSample


class Meter(Protocol):
    """Something that can be read; its own clock stamps the samples."""

    def samples(self, *, after_s: int) -> Iterator[MeterSample]:
        """Yield samples later than `after_s` (0: from the first), times strictly rising.

        The end of the iteration is the end of the input; a live meter has none.
        """
        ...
