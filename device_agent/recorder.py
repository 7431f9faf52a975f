"""From the meter into the outbox: samples at once, seqs when chain and node know no more than it.

A seq is signed once. Whether an outbox is the newest, only chain and node can say; so samples wait
as what they are until both were asked, and no outage makes the agent miss or mis-number one.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from device_agent.crash_points import crash_point
from device_agent.notify import Watcher
from device_agent.outbox import Outbox, Shown
from device_agent.progress import Progress
from device_agent.report_table import ReportEntry
from device_agent.seal import Sealer
from offchain.records.reading import MAX_TIME_S
from offchain.types import MeterSample, Policy, ReadingFlag

MAX_AHEAD_S = 86_400
CONNECTION_W = 100_000  # more than a home's connection carries


class Recorder:
    """Take samples from one thread, while another opens and closes the numbering.

    is_live: the meter shows the time of now; then one that is far ahead of this machine's clock
    is not believed, since no reading could follow it until that time has come.
    """

    def __init__(
        self,
        *,
        outbox: Outbox,
        sealer: Sealer,
        watcher: Watcher,
        progress: Progress,
        is_live: bool = False,
    ) -> None:
        self._outbox = outbox
        self._sealer = sealer
        self._watcher = watcher
        self._progress = progress
        self._is_live = is_live
        self._is_open = False
        self._skipped_in_a_row = 0
        self._mutex = threading.RLock()

    def take(self, sample: MeterSample) -> None:
        """Store a sample durably, and its reading and reports too while the numbering is open.

        A sample whose time does not rise or one of whose registers falls is counted and left out:
        nobody could bill it, and the registers of the next one hold its energy. One behind a zero
        that was no register is flagged. Raises StoreError, after which nothing of it was stored and
        it may be taken again.
        """
        with self._whole():
            shown = self._outbox.last_shown()
            fault = self._fault(sample, shown)
            if fault is not None:
                self._outbox.count_skipped(fault)
            else:
                self._outbox.add_sample(_behind_a_zero(sample, shown))
            seqs = self._number() if self._is_open else []
        self._tell_fault(fault)
        if fault is None:
            crash_point("sample-stored")
        if fault is None and not seqs:
            self._progress.tell("waiting")
        self._tell_numbered(seqs)

    def open(self, policy: Policy | None) -> None:
        """Number what waits, and from now on each sample; reports are judged by `policy`."""
        with self._whole():
            self._watcher.policy = policy
            self._is_open = True
            seqs = self._number()
        self._tell_numbered(seqs)

    def close(self) -> None:
        """Give out no more seqs; samples wait."""
        with self._whole():
            self._is_open = False

    def forget_standing(self) -> None:
        """Forget the last report: the next reading is a change."""
        with self._whole():
            self._watcher.forget()

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """Store all of it or nothing: what is remembered of reports is taken back as well."""
        with self._mutex:
            before = self._watcher.last
            try:
                with self._outbox.atomic():
                    yield
            except BaseException:
                self._watcher.resume(before)
                raise

    def _number(self) -> list[int]:
        seqs = []
        for sample in self._outbox.samples():
            seq = self._outbox.next_seq
            self._outbox.add_reading(self._sealer.record(sample, seq=seq))
            reports: list[ReportEntry] = self._watcher.reports_of(sample, seq=seq)
            self._outbox.add_reports(reports)
            self._watcher.made(reports)
            seqs.append(seq)
        if seqs:
            self._outbox.clear_samples()
        return seqs

    def _tell_numbered(self, seqs: list[int]) -> None:
        if seqs:
            crash_point("reading-stored")
        for seq in seqs:
            self._progress.tell("sampled", seq=seq)

    # ---- a meter whose clock or register is wrong

    def _fault(self, sample: MeterSample, shown: Shown) -> str | None:
        if sample.time_s <= shown.time_s:
            return "time_not_rising"
        latest_s = int(time.time()) + MAX_AHEAD_S if self._is_live else MAX_TIME_S
        if sample.time_s > latest_s:
            return "time_ahead"
        falls = sample.import_wh < shown.import_wh or sample.export_wh < shown.export_wh
        return "register_falls" if falls else None

    def _tell_fault(self, fault: str | None) -> None:
        """Tell the first of a row of skipped samples, and how many they were at its end."""
        if fault is not None and self._skipped_in_a_row == 0:
            self._progress.tell("skipping", reason=fault)
        if fault is None and self._skipped_in_a_row:
            self._progress.tell("skipped", samples=self._skipped_in_a_row)
        self._skipped_in_a_row = self._skipped_in_a_row + 1 if fault else 0


def _behind_a_zero(sample: MeterSample, shown: Shown) -> MeterSample:
    """Return a sample, flagged where a register showed 0 before and now what no connection carried
    since: the meter showed nothing then, and what it had counted is no use of the time between.
    """
    most_wh = CONNECTION_W * (sample.time_s - shown.time_s) // 3_600
    registers = ((shown.import_wh, sample.import_wh), (shown.export_wh, sample.export_wh))
    if not any(before == 0 and after > most_wh for before, after in registers):
        return sample
    return replace(sample, flags=sample.flags | ReadingFlag.REGISTER_RESTARTED)
