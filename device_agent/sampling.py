"""From the meter to the recorder: no failure but a damaged store ends it."""

import time
from collections.abc import Iterator

from device_agent.meter.port import Meter
from device_agent.outbox import Outbox
from device_agent.patience import Patience
from device_agent.progress import Progress
from device_agent.recorder import Recorder
from device_agent.telling import Telling
from offchain.containment import contained
from offchain.errors import Unforeseen
from offchain.types import MeterSample

_METER_RETRY_S = 5.0


class Sampling:
    """Read one meter; runs in one thread.

    runs_on: whether it goes on for good, so that it waits for room and reads the meter again. A
    replay gives up after `give_up_after_s`: it can be started again.
    """

    def __init__(
        self,
        *,
        meter: Meter,
        outbox: Outbox,
        recorder: Recorder,
        progress: Progress,
        runs_on: bool,
        give_up_after_s: float,
    ) -> None:
        self._meter, self._outbox, self._recorder = meter, outbox, recorder
        self._runs_on, self._telling = runs_on, Telling(progress)
        self.patience = Patience(progress, give_up_after_s=None if runs_on else give_up_after_s)

    def samples(self) -> Iterator[MeterSample]:
        """Yield what the meter shows after the last sample stored."""
        while True:
            shown = self.patience.until_done("the outbox", self._outbox.last_shown)
            try:
                with contained("reading the meter"):
                    yield from self._meter.samples(after_s=shown.time_s)
                return
            except Unforeseen as error:
                if not self._runs_on:
                    raise
                self._telling.failed(error, "meter_failed")
                time.sleep(_METER_RETRY_S)

    def take(self, sample: MeterSample) -> None:
        """Store a sample, once the store allows it; one that cannot be stored costs itself alone:
        the registers of the next one hold its energy.
        """
        try:
            self.patience.until_done("taking a sample", lambda: self._recorder.take(sample))
        except Unforeseen as error:
            self._telling.failed(error, "sample_failed")
            self.patience.until_done("a count", lambda: self._outbox.count_skipped("unforeseen"))
