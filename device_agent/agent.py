"""The agent's loop: sample → outbox → node and chain (protocol §2; paper §IV.A)."""

import time
from typing import Protocol

from device_agent.crash_points import crash_point
from device_agent.delivery import Delivery
from device_agent.errors import NodeUnreachable
from device_agent.meter.port import Meter
from device_agent.notify import Watcher
from device_agent.outbox import Outbox
from device_agent.progress import Progress
from device_agent.seal import Sealer
from offchain.chain.errors import NodeUnavailable, TransactionTimeout
from offchain.errors import DmsmError
from offchain.types import MeterSample, Policy, day_of

PASSING = (NodeUnreachable, NodeUnavailable, TransactionTimeout)
_FIRST_WAIT_S, _LAST_WAIT_S = 0.2, 10.0


class FindPolicy(Protocol):
    """Read the owner's policy from the chain."""

    def __call__(self) -> Policy | None: ...


class Backoff:
    """How long to leave node and chain alone after a failure, and since when they fail."""

    def __init__(self) -> None:
        self._wait_s = _FIRST_WAIT_S
        self._until = 0.0
        self.failing_since: float | None = None

    def failed(self) -> None:
        """Note a failure."""
        now = time.monotonic()
        self.failing_since = self.failing_since or now
        self._until = now + self._wait_s
        self._wait_s = min(2 * self._wait_s, _LAST_WAIT_S)

    def worked(self) -> None:
        """Note a success."""
        self.__init__()  # type: ignore[misc]

    @property
    def rest_s(self) -> float:
        """How long to wait still."""
        return max(0.0, self._until - time.monotonic())


class Agent:
    """One device at work."""

    def __init__(
        self,
        *,
        meter: Meter,
        outbox: Outbox,
        sealer: Sealer,
        watcher: Watcher,
        delivery: Delivery,
        find_policy: FindPolicy,
        progress: Progress,
        pace_s: float,
        flush_every: int,
        give_up_after_s: float,
    ) -> None:
        self._meter = meter
        self._outbox = outbox
        self._sealer = sealer
        self._watcher = watcher
        self._delivery = delivery
        self._find_policy = find_policy
        self._progress = progress
        self._pace_s = pace_s
        self._flush_every = 1 if pace_s else flush_every
        self._give_up_after_s = give_up_after_s
        self._backoff = Backoff()
        self._skipped = 0

    def run(self) -> None:
        """Work until the meter's input ends and everything is sent, reported and anchored.

        While node or chain cannot be reached, sampling goes on. Raises what `Delivery.flush`
        raises when that lasts longer than `give_up_after_s` after the input's end.
        """
        self._try_flush(is_end=False)  # what an earlier run left, and the policy
        last = self._outbox.last
        waiting = 0
        for sample in self._meter.samples(after_s=last.time_s if last else 0):
            self._take(sample)
            waiting += 1
            if waiting >= self._flush_every and self._try_flush(is_end=False):
                waiting = 0
            time.sleep(self._pace_s)
        self._drain()
        self._progress.tell("done", skipped=self._skipped, **self._outbox.counts())

    def _take(self, sample: MeterSample) -> None:
        last, seq = self._outbox.last, self._outbox.next_seq
        if last and (sample.time_s <= last.time_s or sample.energy_wh < last.energy_wh):
            self._skipped += 1  # a clock or register that went back: nobody could bill it
            self._progress.tell("skipped", after_seq=last.seq)
            return
        record = self._sealer.record(sample, seq=seq)
        envelope = self._sealer.envelope(record, seq=seq, day=day_of(sample.time_s))
        reports = self._watcher.reports_of(sample, seq=seq)
        self._outbox.add_reading(record, envelope=envelope, reports=reports)
        crash_point("reading-stored")
        self._watcher.made(reports)
        self._progress.tell("sampled", seq=seq)

    def _try_flush(self, *, is_end: bool) -> bool:
        """Flush unless it failed a moment ago; return whether it worked."""
        if self._backoff.rest_s:
            return False
        try:
            self._watcher.policy = self._find_policy()
            if not self._delivery.flush(is_end=is_end, policy=self._watcher.policy):
                self._watcher.forget()
        except PASSING as error:
            self._backoff.failed()
            self._progress.tell("delayed", reason=str(error))
            self._tell_status(error)
            if self._must_give_up(is_end):
                raise
            return False
        self._backoff.worked()
        self._tell_status(None)
        return True

    def _drain(self) -> None:
        while not (self._try_flush(is_end=True) and self._outbox.is_drained()):
            time.sleep(self._backoff.rest_s or _FIRST_WAIT_S)

    def _must_give_up(self, is_end: bool) -> bool:
        since = self._backoff.failing_since
        return is_end and since is not None and time.monotonic() - since > self._give_up_after_s

    def _tell_status(self, error: DmsmError | None) -> None:
        self._progress.status(
            at=int(time.time()),
            next_seq=self._outbox.next_seq,
            next_batch_seq=self._outbox.next_batch_seq,
            skipped=self._skipped,
            error=None if error is None else str(error),
            **self._outbox.counts(),
        )
