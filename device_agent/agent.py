"""The agent's loop: the meter is read into the outbox; the courier follows as it can (§IV.A)."""

import threading
import time
from collections.abc import Iterator

from device_agent.backoff import Backoff
from device_agent.courier import Courier
from device_agent.errors import BadSetup, BeginningsStopped, NodeUnreachable, SafeMode
from device_agent.meter.port import Meter
from device_agent.outbox import Outbox
from device_agent.progress import Progress
from device_agent.recorder import Recorder
from offchain.chain.errors import NodeUnavailable, TransactionTimeout
from offchain.errors import DmsmError
from offchain.types import MeterSample

PASSING = (NodeUnreachable, BeginningsStopped, NodeUnavailable, TransactionTimeout)
_WAIT_S = 0.2
_IDLE_S = 60.0  # a silent meter: so often the courier looks for a new processor and policy


class Agent:
    """One device at work.

    A paced or live meter (`pace_s`, `Meter.is_live`) has a thread of its own behind it that sends,
    so that sampling never waits for the network. A replay as fast as it goes sends in between.
    """

    def __init__(
        self,
        *,
        meter: Meter,
        outbox: Outbox,
        recorder: Recorder,
        courier: Courier,
        progress: Progress,
        pace_s: float,
        flush_every: int,
        give_up_after_s: float,
    ) -> None:
        self._meter = meter
        self._outbox = outbox
        self._recorder = recorder
        self._courier = courier
        self._progress = progress
        self._pace_s = pace_s
        self._flush_every = flush_every
        self._give_up_after_s = give_up_after_s
        self._backoff = Backoff()
        self._wake, self._is_ended = threading.Event(), threading.Event()
        self._fatal: BaseException | None = None

    def run(self) -> None:
        """Work until the meter's input ends and everything is sent, reported and anchored.

        While node or chain cannot be reached, or refuse, sampling goes on. After the input's end
        raises what `Courier.round` raises, if need be after `give_up_after_s`.
        """
        if self._pace_s or self._meter.is_live:
            self._follow()
        else:
            self._replay()
        self._drain()
        is_final = self._wait_final()
        counts = self._outbox.counts()
        self._progress.tell("done", skipped=self._skipped(), final=is_final, **counts)

    def _replay(self) -> None:
        self._try_round(is_end=False)  # what an earlier run left, and the policy
        waiting = 0
        for sample in self._samples():
            self._recorder.take(sample)
            waiting += 1
            if waiting >= self._flush_every and self._try_round(is_end=False):
                waiting = 0

    def _follow(self) -> None:
        sender = threading.Thread(target=self._send, name="courier", daemon=True)
        sender.start()
        try:
            for sample in self._samples():
                self._recorder.take(sample)
                self._wake.set()
                if self._fatal:
                    break
                time.sleep(self._pace_s)
        finally:
            self._is_ended.set()
            self._wake.set()
            sender.join()
        if self._fatal:
            raise self._fatal

    def _samples(self) -> Iterator[MeterSample]:
        return self._meter.samples(after_s=self._outbox.last_shown()[0])

    # ---- sending

    def _send(self) -> None:
        """Send until the meter's input ends; runs in a thread of its own."""
        try:
            while not self._is_ended.is_set():
                self._wake.clear()
                self._try_patiently()
                rest_s = self._backoff.rest_s
                if rest_s:
                    self._is_ended.wait(rest_s)
                elif not self._wake.is_set():
                    self._courier.prepare()
                    self._wake.wait(_IDLE_S)
        except BaseException as error:  # noqa: BLE001 – handed to the sampling thread, which raises it
            self._fatal = error

    def _try_patiently(self) -> None:
        """Try a round; what a running meter must not end for is told and tried again."""
        try:
            self._try_round(is_end=False)
        except BadSetup:
            raise
        except DmsmError as error:
            event = "safe_mode" if isinstance(error, SafeMode) else "refused"
            self._note_failure(error, event)

    def _try_round(self, *, is_end: bool) -> bool:
        """Do a round unless one failed a moment ago; return whether it worked."""
        if self._backoff.rest_s:
            return False
        try:
            self._courier.round(is_end=is_end)
        except PASSING as error:
            self._note_failure(error, "delayed")
            if is_end and self._has_failed_too_long():
                raise
            return False
        self._backoff.worked()
        self._tell_status(None)
        return True

    def _drain(self) -> None:
        self._backoff.worked()  # the patience after the input's end begins here
        while not (self._try_round(is_end=True) and self._outbox.is_drained()):
            time.sleep(self._backoff.rest_s or _WAIT_S)

    def _wait_final(self) -> bool:
        """Wait until no reorganisation can undo what was sent; return whether it is so.

        Gives up after `give_up_after_s`: a chain that stands still makes nothing final. The next
        start then looks again.
        """
        give_up_at = time.monotonic() + self._give_up_after_s
        while not self._courier.is_final() and time.monotonic() < give_up_at:
            time.sleep(self._backoff.rest_s or _WAIT_S)
            if self._try_round(is_end=True) and not self._outbox.is_drained():
                self._drain()
        return self._courier.is_final()

    def _has_failed_too_long(self) -> bool:
        since = self._backoff.failing_since
        return since is not None and time.monotonic() - since > self._give_up_after_s

    # ---- telling

    def _note_failure(self, error: DmsmError, event: str) -> None:
        self._backoff.failed()
        self._progress.tell(event, reason=str(error))
        self._tell_status(error)

    def _tell_status(self, error: DmsmError | None) -> None:
        self._progress.status(
            at=int(time.time()),
            next_seq=self._outbox.next_seq,
            next_batch_seq=self._outbox.next_batch_seq,
            skipped=self._skipped(),
            error=None if error is None else str(error),
            **self._outbox.counts(),
        )

    def _skipped(self) -> int:
        return sum(self._outbox.skipped().values())
