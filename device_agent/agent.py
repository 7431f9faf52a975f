"""The agent's loop: the meter is read into the outbox; the courier follows as it can (§IV.A)."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress

from device_agent.backoff import Backoff
from device_agent.courier import Courier
from device_agent.errors import BadSetup, BeginningsStopped, NodeUnreachable
from device_agent.meter.port import Meter
from device_agent.outbox import Outbox
from device_agent.progress import Progress
from device_agent.recorder import Recorder
from device_agent.sampling import Sampling
from device_agent.telling import Telling
from offchain.chain.errors import NodeUnavailable, TransactionTimeout
from offchain.containment import ENDING, contained
from offchain.errors import DmsmError, StoreBusy, StoreError, StoreFull, Unforeseen

PASSING = (
    NodeUnreachable,
    BeginningsStopped,
    NodeUnavailable,
    TransactionTimeout,
    StoreBusy,
    StoreFull,
    Unforeseen,
)
_WAIT_S = 0.2
_END_S = 5.0
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
        self._outbox = outbox
        self._courier = courier
        self._progress = progress
        self._pace_s = pace_s
        self._flush_every = flush_every
        self._give_up_after_s = give_up_after_s
        self._backoff = Backoff()
        self._sending = Telling(progress)
        self._runs_on = bool(pace_s) or meter.is_live  # else a replay, which can be started again
        self._sampling = Sampling(
            meter=meter,
            outbox=outbox,
            recorder=recorder,
            progress=progress,
            runs_on=self._runs_on,
            give_up_after_s=give_up_after_s,
        )
        self._has_sent = self._is_drained = False
        self._wake, self._is_ended = threading.Event(), threading.Event()
        self._fatal: BaseException | None = None

    def run(self) -> None:
        """Work until the meter's input ends and everything is sent, reported and anchored.

        While node or chain cannot be reached, or refuse, sampling goes on. After the input's end
        raises what `Courier.round` raises, if need be after `give_up_after_s`.
        """
        if self._runs_on:
            self._follow()
        else:
            self._replay()
        self._drain()
        is_final = self._wait_final()
        counts = self._sampling.patience.until_done("counting", self._outbox.counts)
        self._progress.tell("done", skipped=self._skipped(), final=is_final, **counts)

    def _replay(self) -> None:
        self._try_round(is_end=False)  # what an earlier run left, and the policy
        waiting = 0
        for sample in self._sampling.samples():
            self._sampling.take(sample)
            waiting += 1
            if waiting >= self._flush_every and self._try_round(is_end=False):
                waiting = 0

    def _follow(self) -> None:
        sender = threading.Thread(target=self._send, name="courier", daemon=True)
        sender.start()
        try:
            for sample in self._sampling.samples():
                self._sampling.take(sample)
                self._wake.set()
                if self._fatal:
                    break
                time.sleep(self._pace_s)
        except BaseException:
            self._end(sender, wait_s=_END_S)
            raise
        self._end(sender, wait_s=None)
        if self._fatal:
            raise self._fatal

    def _end(self, sender: threading.Thread, *, wait_s: float | None) -> None:
        self._is_ended.set()
        self._wake.set()
        sender.join(wait_s)

    # ---- sending

    def _send(self) -> None:
        """Send until the meter's input ends; runs in a thread of its own.

        Ends before for a damaged store, and for a bad set-up that never sent anything.
        """
        try:
            while not self._is_ended.is_set():
                self._wake.clear()
                self._try_patiently()
                rest_s = self._backoff.rest_s
                if rest_s:
                    self._is_ended.wait(rest_s)
                elif not self._wake.is_set():
                    self._try(self._courier.prepare, gives_up=False)
                    self._wake.wait(_IDLE_S)
        except BaseException as error:  # noqa: BLE001 – handed to the sampling thread, which raises it
            self._fatal = error

    def _try_patiently(self) -> None:
        """Try a round; what a running meter must not end for is told and tried again."""
        try:
            self._try_round(is_end=False)
        except ENDING:
            raise
        except DmsmError as error:
            if isinstance(error, BadSetup) and not self._has_sent:
                raise
            self._note_failure(error, "refused")

    def _try_round(self, *, is_end: bool) -> bool:
        """Do a round unless one failed a moment ago; return whether it worked."""
        if self._backoff.rest_s:
            return False
        if not self._try(lambda: self._round(is_end=is_end), gives_up=is_end):
            return False
        self._backoff.worked()
        self._has_sent = True
        self._sending.worked()
        self._tell_status(None)
        return True

    def _round(self, *, is_end: bool) -> None:
        self._courier.round(is_end=is_end)
        self._is_drained = is_end and self._outbox.is_drained()

    def _try(self, step: Callable[[], None], *, gives_up: bool) -> bool:
        """Do a step of sending; return whether it worked. A failure that may pass is noted."""
        try:
            with contained("sending"):
                step()
        except PASSING as error:
            self._note_failure(error, "unforeseen" if isinstance(error, Unforeseen) else "delayed")
            if gives_up and self._has_failed_too_long():
                raise
            return False
        return True

    def _drain(self) -> None:
        self._backoff.worked()  # the patience after the input's end begins here
        while not (self._try_round(is_end=True) and self._is_drained):
            time.sleep(self._backoff.rest_s or _WAIT_S)

    def _wait_final(self) -> bool:
        """Wait until no reorganisation can undo what was sent; return whether it is so.

        Gives up after `give_up_after_s`: a chain that stands still makes nothing final. The next
        start then looks again.
        """
        give_up_at = time.monotonic() + self._give_up_after_s
        while not self._courier.is_final() and time.monotonic() < give_up_at:
            time.sleep(self._backoff.rest_s or _WAIT_S)
            if self._try_round(is_end=True) and not self._is_drained:
                self._drain()
        return self._courier.is_final()

    def _has_failed_too_long(self) -> bool:
        since = self._backoff.failing_since
        return since is not None and time.monotonic() - since > self._give_up_after_s

    # ---- telling

    def _note_failure(self, error: DmsmError, event: str) -> None:
        self._backoff.failed()
        self._sending.failed(error, event)
        self._tell_status(error)

    def _tell_status(self, error: DmsmError | None) -> None:
        with suppress(StoreError):  # a status that cannot be read is told at the next round
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
