"""What nobody foresaw becomes one of our errors, is logged once, and shows no value."""

import errno
import logging
import sqlite3
import uuid

import pytest

from offchain.chain.errors import NodeUnavailable
from offchain.containment import (
    FULL_CODE,
    STORE_CODE,
    UNFORESEEN_CODE,
    VERSION_CODE,
    contained,
    exit_code,
    ours,
)
from offchain.errors import (
    DmsmError,
    StoreBusy,
    StoreDamaged,
    StoreFull,
    StoreVersion,
    Unforeseen,
)


def fail(what: str, error: BaseException) -> None:
    with contained(what):
        raise error


@pytest.mark.parametrize(
    "error",
    [TypeError("x"), KeyError("from"), MemoryError(), RecursionError(), OSError(errno.EIO, "bad")],
    ids=lambda error: type(error).__name__,
)
def test_contained__of_what_nobody_foresaw__raises_one_of_ours(error: Exception) -> None:
    with pytest.raises(Unforeseen, match=type(error).__name__) as caught:
        fail("a step", error)
    assert caught.value.__cause__ is error and isinstance(caught.value, DmsmError)


@pytest.mark.parametrize("error", [DmsmError("said"), NodeUnavailable("nobody answers")])
def test_contained__of_our_own_error__passes_it_on(error: DmsmError) -> None:
    with pytest.raises(type(error)) as caught:
        fail("a step", error)
    assert caught.value is error


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_contained__of_the_end_of_a_process__passes_it_on(end: type[BaseException]) -> None:
    with pytest.raises(end):
        fail("a step", end())


def test_contained__failing_many_times__is_logged_once_and_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    what = f"step {uuid.uuid4()}"
    for _ in range(105):
        with pytest.raises(Unforeseen):
            fail(what, TypeError("a reading of 4711 Wh"))
    said = [record.getMessage() for record in caplog.records if what in record.getMessage()]
    assert len(said) == 3 and "trace: " in said[0] and "test_containment.py" in said[0]
    assert said[1].endswith("10 times by now") and said[2].endswith("100 times by now")
    assert "4711" not in "".join(said)  # the text of such an error may hold what was read


def test_contained__failing_at_two_places__are_two_kinds() -> None:
    names = set()
    for error in (TypeError(), ValueError()):
        with pytest.raises(Unforeseen) as caught:
            fail("a step", error)
        names.add(caught.value.name)
    assert len(names) == 2


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_ours__of_a_full_or_read_only_disk__is_store_full(code: int) -> None:
    assert isinstance(ours("a step", OSError(code, "no room")), StoreFull)


def test_ours__of_raw_sqlite_faults__are_the_stores_own() -> None:
    busy, full = sqlite3.OperationalError("locked"), sqlite3.OperationalError("full")
    busy.sqlite_errorcode, full.sqlite_errorcode = sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL
    assert isinstance(ours("a step", busy), StoreBusy)
    assert isinstance(ours("a step", full), StoreFull)
    assert isinstance(ours("a step", sqlite3.ProgrammingError("closed")), Unforeseen)


def test_ours__not_to_be_logged__is_not(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        ours(f"step {uuid.uuid4()}", TypeError(), is_logged=False)
    assert caplog.records == []


def test_exit_code__of_each_end__is_its_own() -> None:
    codes = {
        StoreDamaged("x"): STORE_CODE,
        StoreVersion("x"): VERSION_CODE,
        StoreFull("x"): FULL_CODE,
        Unforeseen("x", name="0", times=1): UNFORESEEN_CODE,
        DmsmError("x"): None,
        StoreBusy("x"): None,
    }
    assert {type(error): exit_code(error) for error in codes} == {
        type(error): code for error, code in codes.items()
    }
    assert len({STORE_CODE, VERSION_CODE, FULL_CODE, UNFORESEEN_CODE, 0, 1, 2, 3, 4}) == 9
