"""Be told of new blocks by a node, so that who waits for one asks nothing meanwhile.

Whoever tells of a block only wakes: what the chain says is asked of the endpoint as always. So a
node that tells too much, too little or nonsense costs time and nothing else.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Sequence

from offchain.chain import answers
from offchain.chain.answers import AnswerUnreadable, result_or_refusal
from offchain.chain.errors import NodeRefused
from offchain.chain.rpc import RpcFailure
from offchain.chain.streams import NotOffered, Stream, is_stream, open_stream, stream_beside

FIRST_POLL_S, LAST_POLL_S = 0.01, 0.25  # where no node tells: right after a block, and when idle
SAFETY_POLL_S = 5.0  # where one does: it may have fallen silent
_QUIET_SHARE = 0.05  # of the time since the last block, the next pause is
_SETTLED_S = 1.0  # so long after a block the next is asked for, before one waits to be told
_SLICE_S = 0.25  # how late who waits to be told may notice that it should stop
_UNUSED_S = 60.0  # a line that nobody waits for is given up
_ANSWER_S = 5.0
_AGAIN_S, _LATEST_S, _NOT_OFFERED_S = 1.0, 60.0, 600.0
_MISSES = 2  # new blocks that a poll found and the line did not tell: it is dead
_log = logging.getLogger(__name__)
_HEAD = answers.field("result", answers.field("number", answers.count))


class NewHeads:
    """New blocks of a chain, told by the first of its nodes that offers it. Threads may share it.

    Nothing is opened before `begin`, or before somebody has waited for a while.
    """

    def __init__(self, addresses: Sequence[str]) -> None:
        """`addresses`: lines (ws://, wss://, a socket's path) first; beside an http address a node
        may offer a WebSocket.
        """
        lines = [one for one in addresses if is_stream(one)]
        beside = [stream_beside(one) for one in addresses if not is_stream(one)]
        self._addresses = [*lines, *beside]
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._line: Stream | None = None
        self.told = 0  # how many blocks
        self._misses, self._is_unwoken = 0, False
        self._used_at = self._changed_at = time.monotonic()
        self._try_at, self._again_s = 0.0, _AGAIN_S

    @property
    def is_told(self) -> bool:
        """Whether a node tells of new blocks at present."""
        return self._line is not None

    def begin(self) -> None:
        """Begin to be told, where a node offers it, before anybody has waited."""
        self._begin()

    def wait_told(self, told: int, *, most_s: float) -> None:
        """Return when a block was told since `told` were, after `most_s`, or when nobody tells."""
        self._used_at = time.monotonic()
        self._wait_told(told, most_s, threading.Event())

    def pause(self, told: int, *, most_s: float, poll_s: float, stop: threading.Event) -> None:
        """Return when it is time to ask for the newest block: one was told since `told` were, or
        some time has passed, at most `most_s`, or `stop` is set.
        """
        self._used_at = time.monotonic()
        quiet_s = self._used_at - self._changed_at
        pause_s = max(poll_s, min(LAST_POLL_S, _QUIET_SHARE * quiet_s))
        if quiet_s > _SETTLED_S:
            self._begin()
        if self.is_told:
            pause_s = LAST_POLL_S if quiet_s <= _SETTLED_S else SAFETY_POLL_S
            self._wait_told(told, min(most_s, pause_s), stop)
            self._is_unwoken = self.told == told and pause_s == SAFETY_POLL_S
        else:
            stop.wait(min(most_s, pause_s))

    def note_change(self, told: int) -> None:
        """Note that a new block was found; `told` had been told when it was asked for."""
        self._changed_at = time.monotonic()
        with self._changed:
            is_missed = self._is_unwoken and self.told == told
            self._misses = self._misses + 1 if is_missed else 0
            if self._misses < _MISSES or self._line is None:
                return
            self._misses, silent = 0, self._line
        _log.info("a node tells of new blocks no more: it is asked for them again")
        silent.close()

    def close(self) -> None:
        """Be told no more."""
        self._used_at = float("-inf")
        if (line := self._line) is not None:
            line.close()

    def _wait_told(self, told: int, timeout_s: float, stop: threading.Event) -> None:
        give_up_at = time.monotonic() + timeout_s
        with self._changed:
            while self.told == told and self.is_told and not stop.is_set():
                left_s = give_up_at - time.monotonic()
                if left_s <= 0:
                    break
                self._changed.wait(min(left_s, _SLICE_S))

    # ---- the thread that listens

    def _begin(self) -> None:
        self._used_at = time.monotonic()
        with self._changed:
            is_running = self._thread is not None and self._thread.is_alive()
            if is_running or time.monotonic() < self._try_at:
                return
            self._thread = threading.Thread(target=self._listen, name="new-heads", daemon=True)
            self._thread.start()

    def _listen(self) -> None:
        """Follow the first line that holds; end when none does, or when nobody waits any more."""
        again_s = _NOT_OFFERED_S
        for address in self._addresses:
            began = time.monotonic()
            try:
                self._follow(address)
            except NotOffered as error:
                _log.debug("new blocks are not told: %s", error)
            except (RpcFailure, AnswerUnreadable) as error:
                _log.debug("new blocks are told no more: %s", error)
                has_held = time.monotonic() - began > _LATEST_S
                self._again_s = _AGAIN_S if has_held else min(2 * self._again_s, _LATEST_S)
                again_s = self._again_s
            else:
                again_s = 0.0
                break
        self._try_at = time.monotonic() + again_s

    def _is_used(self) -> bool:
        return time.monotonic() - self._used_at < _UNUSED_S

    def _follow(self, address: str) -> None:
        line = open_stream(address)
        try:
            name = _subscribe(line)
            self._set_line(line)
            while self._is_used():
                message = line.receive(_UNUSED_S)
                if message is not None and _is_new_head(message, name):
                    self._tell()
        finally:
            self._set_line(None)
            line.close()

    def _tell(self) -> None:
        with self._changed:
            self.told += 1
            self._changed.notify_all()

    def _set_line(self, line: Stream | None) -> None:
        with self._changed:
            self._line = line
            self._changed.notify_all()


def _subscribe(line: Stream) -> str:
    """Return the subscription's name. Raises NotOffered, RpcFailure, AnswerUnreadable."""
    asked = {"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]}
    line.send(json.dumps(asked))
    message = line.receive(_ANSWER_S)
    if message is None:
        raise RpcFailure("a subscription is not answered")
    found = result_or_refusal("eth_subscribe", answers.object_in(message), answers.text)
    if isinstance(found, NodeRefused):
        raise NotOffered(str(found))
    return found


def _is_new_head(message: str, name: str) -> bool:
    """Whether a message tells of a new block. Raises AnswerUnreadable when it is none at all."""
    told = answers.object_in(message)
    if told.get("method") != "eth_subscription":
        return False
    params = told.get("params")
    _HEAD(params)
    return isinstance(params, dict) and params.get("subscription") == name
