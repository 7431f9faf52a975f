"""What nobody has is searched for again, ever more rarely."""

import hashlib
from itertools import pairwise

import pytest

from offchain.storage.errors import ObjectNotFound, StoreUnavailable
from offchain.storage.search import PatientSearch

DIGEST = hashlib.sha256(b"late").digest()


class Store:
    """Has nothing until `has_it`; counts the searches."""

    def __init__(self) -> None:
        self.searches, self.has_it, self.is_silent = 0, False, False

    def get(self, digest: bytes, *, max_bytes: int) -> bytes:
        self.searches += 1
        if self.is_silent:
            raise StoreUnavailable("no answer")
        if not self.has_it:
            raise ObjectNotFound("nobody has it")
        return b"late"


@pytest.fixture
def store() -> Store:
    return Store()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def searched_at(search: PatientSearch, store: Store, clock: Clock, *, until_s: int) -> list[float]:
    found = []
    for tick in range(2 * until_s + 1):
        clock.now, before = tick / 2, store.searches
        with pytest.raises(ObjectNotFound, match="nobody has it"):
            search.get(DIGEST, max_bytes=10)
        if store.searches > before:
            found.append(clock.now)
    return found


def test_get__of_what_is_missing__searches_ever_more_rarely(store: Store) -> None:
    clock = Clock()
    search = PatientSearch(store, clock=clock)  # type: ignore[arg-type]
    times = searched_at(search, store, clock, until_s=250)
    assert times[:6] == [0, 0.5, 1.5, 3.5, 7.5, 15.5]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert max(gaps) == 60 and len(times) < 15


def test_get__of_what_came_meanwhile__returns_it_and_forgets_the_miss(store: Store) -> None:
    clock = Clock()
    search = PatientSearch(store, clock=clock)  # type: ignore[arg-type]
    searched_at(search, store, clock, until_s=1)
    store.has_it, clock.now = True, 1.5
    assert search.get(DIGEST, max_bytes=10) == b"late"
    store.has_it = False
    with pytest.raises(ObjectNotFound):
        search.get(DIGEST, max_bytes=10)
    assert search._misses[DIGEST].waited_s == 0.5


def test_get__from_a_store_that_does_not_answer__is_asked_each_time(store: Store) -> None:
    store.is_silent = True
    search = PatientSearch(store, clock=Clock())  # type: ignore[arg-type]
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            search.get(DIGEST, max_bytes=10)
    assert store.searches == 3


def test_get__of_many_that_nobody_has__remembers_a_bounded_number(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("offchain.storage.search._MOST_MISSES", 5)
    search = PatientSearch(store, clock=Clock())  # type: ignore[arg-type]
    for number in range(20):
        with pytest.raises(ObjectNotFound):
            search.get(bytes([number]) * 32, max_bytes=10)
    assert len(search._misses) == 5
