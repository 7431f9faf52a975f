"""Signals end a run once; what comes soon after the first does not disturb the stopping."""

import os
import signal
import time
from collections.abc import Iterator

import pytest

from offchain.demo import interrupts
from offchain.demo.interrupts import stop_on_signals


@pytest.fixture(autouse=True)
def hang_up() -> Iterator[None]:
    """As from a terminal: a run that `nohup` started ignores it."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def send(number: int) -> None:
    os.kill(os.getpid(), number)
    time.sleep(0.01)  # the interpreter runs handlers between two of its steps


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stop_on_signals__one_comes__raises_keyboard_interrupt(number: int) -> None:
    with pytest.raises(KeyboardInterrupt), stop_on_signals():
        send(number)


def test_stop_on_signals__another_comes_while_stopping__is_left_out() -> None:
    is_stopped = False
    with stop_on_signals():
        try:
            send(signal.SIGINT)
        except KeyboardInterrupt:
            send(signal.SIGINT)
            send(signal.SIGTERM)
            is_stopped = True
    assert is_stopped


def test_stop_on_signals__stopping_takes_too_long__can_be_interrupted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(interrupts, "QUIET_S", 0.05)
    with pytest.raises(KeyboardInterrupt), stop_on_signals():
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGINT)
        time.sleep(0.1)
        send(signal.SIGINT)


def test_stop_on_signals__afterwards__the_old_handlers_are_back() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    with stop_on_signals():
        assert all(signal.getsignal(n) is not old for n, old in zip(numbers, before, strict=True))
    assert [signal.getsignal(number) for number in numbers] == before


def test_stop_on_signals__sigint_is_ignored__heeds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with pytest.raises(KeyboardInterrupt), stop_on_signals():
            send(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_stop_on_signals__nohup__leaves_sighup_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_on_signals():
            send(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
