"""Data sets of three homes, ready to be sold and drawn from; a bond and terms for their sale."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import money
import publishing
import pytest
import selling
from members import Member, Role, region_id
from publishing import OwnersList, PublishedSet

OWNERS_BPS = 5_000
PRICE_WEI = 10**15 + 7
ROWS = (5, 7, 11)  # of the three devices


@pytest.fixture(scope="module", autouse=True)
def terms(module_isolation: None, cast: dict, govern: Any, catalogue: Any, lock: Any) -> None:
    """Sharing settles at once and gives owners half; both nodes have bonds."""
    money.set_terms(govern, catalogue, owners_bps=OWNERS_BPS)
    money.put_up(lock, cast["processor"], cast["processor_two"])


@pytest.fixture(scope="module")
def devices(module_isolation: None, cast: dict, admit: Any) -> list[Member]:
    """Two devices of meter_owner and one of neighbour."""
    owner, other = cast["meter_owner"], cast["neighbour"]
    north = [admit(Role.DEVICE, region_id("north"), owner=owner) for _ in range(2)]
    return [*north, admit(Role.DEVICE, region_id("south"), owner=other)]


@pytest.fixture(scope="module")
def owners(devices: list[Member]) -> OwnersList:
    """The honest list of a data set of the three devices."""
    return publishing.owners_of(*zip(devices, ROWS, strict=True))


@pytest.fixture
def published(data_sets: Any, processor: Member, owners: OwnersList) -> PublishedSet:
    """A data set of the three devices, by processor."""
    return publishing.publish(data_sets, processor, owners=owners)


@pytest.fixture
def sell(lock: Any, catalogue: Any, buyer: Any, buyer_two: Any, buyer_three: Any, processor: Any):
    """``sell(published, price_wei=…, owners_bps=…)``: the settlement of a sale by processor."""
    group = money.group_of(buyer, buyer_two, buyer_three)
    world = SimpleNamespace(lock=lock, catalogue=catalogue, buyer=buyer, group=group)

    def make(
        it: PublishedSet, price_wei: int = PRICE_WEI, *, owners_bps: int = OWNERS_BPS
    ) -> tuple[bytes, Any]:
        terms = {"price_wei": price_wei, "owners_bps": owners_bps}
        return selling.sell(world, it, seller=processor, **terms)

    return make


@pytest.fixture
def per_row() -> Callable[..., int]:
    """``per_row(published, price_wei)``: what a row gets of a price."""

    def get(it: PublishedSet, price_wei: int = PRICE_WEI) -> int:
        return selling.part_of(price_wei, it.owners.rows, OWNERS_BPS)[0]

    return get


@pytest.fixture
def lock_account(lock: Any) -> Any:
    """The lock as a sender of transactions, to reach what only it may call."""
    return money.unlocked(lock.address)


@pytest.fixture
def refuses(lock: Any, reverts_with: Any) -> Callable[..., Any]:
    """``with refuses(error, *arguments):`` like reverts_with, and no money moved."""

    @contextmanager
    def watch(name: str, *arguments: Any) -> Iterator[None]:
        before = (lock.balance(), lock.liabilitiesWei())
        with reverts_with(name, *arguments):
            yield
        assert (lock.balance(), lock.liabilitiesWei()) == before

    return watch


@pytest.fixture
def sale_until(data_sets: Any) -> Callable[[PublishedSet], int]:
    """``sale_until(published)``: when its sale ends, or has ended."""
    return lambda it: data_sets.offerOf(it.data_set_id)[4]


@pytest.fixture
def pot_of(data_sets: Any) -> Callable[[PublishedSet], int]:
    """``pot_of(published)``: what is still to be drawn from it."""
    return lambda it: data_sets.earningsOf(it.data_set_id)[1]


def false_leaves(owners: OwnersList, *, stranger: str) -> list[publishing.OwnersLeaf]:
    """Return leaves that differ in one thing each from the first entry of a list of three."""
    good, other = owners.leaf_at(0), owners.leaf_at(1)
    return [
        good._replace(device=stranger),
        good._replace(device=other.device),
        good._replace(rows=good.rows + 1),
        good._replace(rows=0),
        good._replace(index=1),
        good._replace(index=3),
        good._replace(proof=other.proof),
        good._replace(proof=[]),
        good._replace(proof=[*good.proof, bytes(32)]),
    ]
