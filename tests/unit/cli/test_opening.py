"""A service waits at its start for a store that is full or held, and stops when it is told to."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from structlog.testing import capture_logs

from offchain.cli.opening import opened_patiently
from offchain.errors import DmsmError, StoreBusy, StoreDamaged, StoreFull


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("offchain.cli.opening.FULL_RETRY_S", 0.01)


class Store:
    """Cannot be opened as often as there are faults; knows whether it was closed."""

    def __init__(self, *faults: Exception) -> None:
        self._faults, self.is_closed = list(faults), False

    @contextmanager
    def opened(self) -> Iterator[str]:
        if self._faults:
            raise self._faults.pop(0)
        yield "open"
        self.is_closed = True


def test_opened_patiently__store_full_and_held__waits_and_says_each_once() -> None:
    full, busy = StoreFull("no room"), StoreBusy("held")
    store = Store(full, full, full, busy, busy)
    with capture_logs() as logs:
        with opened_patiently(store.opened, threading.Event()) as found:
            assert found == "open" and not store.is_closed
    assert [entry["event"] for entry in logs] == ["no room", "store busy"]
    assert store.is_closed


@pytest.mark.parametrize("error", [StoreDamaged("damaged"), DmsmError("no such profile")])
def test_opened_patiently__what_no_wait_mends__is_raised(error: Exception) -> None:
    with pytest.raises(type(error)):
        with opened_patiently(Store(error).opened, threading.Event()):
            pytest.fail("it cannot be opened")


def test_opened_patiently__told_to_stop_while_it_waits__ends() -> None:
    stop = threading.Event()
    threading.Timer(0.1, stop.set).start()
    with pytest.raises(StoreFull):
        with opened_patiently(Store(*[StoreFull("no room")] * 10_000).opened, stop):
            pytest.fail("it cannot be opened")


def test_opened_patiently__full_while_it_works__is_no_matter_of_opening() -> None:
    with pytest.raises(StoreFull):
        with opened_patiently(Store().opened, threading.Event()):
            raise StoreFull("no room")
