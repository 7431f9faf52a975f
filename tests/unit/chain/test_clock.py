"""What time it is, by a chain and a machine clock that agree, stand still, lag, or run ahead."""

import logging
import types

import pytest

from offchain.chain.clock import ChainClock
from offchain.chain.facts import Block

BEGAN, PACE_S = 1_800_000_000, 10


class World:
    """The true time; a machine clock that is `ahead_s` of it; blocks that are stamped truly."""

    def __init__(self, *, ahead_s: float = 0) -> None:
        self.time_s, self.ahead_s, self.head = float(BEGAN), ahead_s, block(1, BEGAN)
        self.slept_s = 0.0
        self.clock = ChainClock(
            pace_s=PACE_S,
            clock=lambda: self.time_s + self.ahead_s,
            monotonic=lambda: self.time_s - self.slept_s,
        )

    def wait(self, seconds: float) -> None:
        self.time_s += seconds

    def seal(self, *, stamp: int | None = None) -> None:
        self.head = block(self.head.number + 1, int(self.time_s) if stamp is None else stamp)

    def now(self) -> int:
        """What the clock says, in seconds since the beginning."""
        return self.clock.now(self.head) - BEGAN


def block(number: int, timestamp: int) -> Block:
    return Block(number, bytes(32), bytes(32), timestamp)


def test_now__chain_is_idle__goes_by_the_machine() -> None:
    world = World()
    world.wait(3_600)
    assert world.now() == 3_600
    world.seal()
    world.wait(2)
    assert world.now() == 3_602


def test_now__machine_is_behind__goes_by_the_block() -> None:
    world = World(ahead_s=-300)
    assert world.now() == 0
    world.wait(20)
    world.seal()
    assert world.now() == 20


def test_now__chain_was_moved_far_ahead__is_the_chains_truth() -> None:
    world = World()
    world.seal(stamp=BEGAN + 10**6)
    assert world.now() == 10**6


def test_now__machine_is_ahead_of_blocks_that_arrive__goes_by_the_blocks() -> None:
    world = World(ahead_s=86_400)
    assert world.now() == 86_400  # one old block: an idle chain explains it
    world.wait(3)
    world.seal()
    assert 3 <= world.now() <= 6  # it came within 3 s, a day old
    world.wait(100)
    assert 103 <= world.now() <= 106  # the chain rests, the time does not
    world.ahead_s = 0  # set right, and blocks go on
    for _ in range(8):
        world.wait(3)
        world.seal()
        world.now()
    world.wait(100)
    assert world.now() == 227


def test_now__one_sealer_stamps_too_early__is_no_fault_of_the_machine() -> None:
    world = World()
    for number in range(5):
        world.wait(3)
        world.seal()
        assert world.now() == 3 * (number + 1)
    world.wait(3)
    world.seal(stamp=world.head.timestamp + 1)
    world.wait(1_000)
    world.now()
    world.wait(2)
    world.seal(stamp=world.head.timestamp + 1)
    assert world.now() == 1_020


def test_now__first_look_after_hours__learns_nothing_of_the_machine() -> None:
    world = World(ahead_s=500)
    world.now()
    world.wait(3_600)
    world.seal()  # between two looks an hour apart: how fresh it came nobody knows
    assert world.now() == 4_100


def test_now__machine_slept_while_a_block_came__learns_nothing_of_its_clock() -> None:
    world = World()
    world.now()
    world.wait(2)
    world.seal()
    world.wait(3_600)
    world.slept_s = 3_600
    assert world.now() == 3_602


def test_now__chain_went_back__forgets_what_it_had_seen() -> None:
    world = World(ahead_s=86_400)
    world.now()
    world.seal()
    assert world.now() == 0
    world.head, world.ahead_s = block(1, BEGAN), 0
    world.wait(60)
    assert world.now() == 60


def test_now__two_clocks_part__says_once_by_which_it_goes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    world = World()
    said = types.SimpleNamespace(count=lambda: len(caplog.records))
    world.now()
    world.wait(PACE_S)
    world.now()
    assert said.count() == 0
    for _ in range(3):
        world.wait(1)
        world.now()
    assert said.count() == 1
    assert "the newest block is 11 s old: deadlines go by this machine's clock" in caplog.text
    world.seal()
    world.now()
    assert said.count() == 2 and "agree about the time" in caplog.text
    world.ahead_s = -11
    world.now()
    world.now()
    assert said.count() == 3 and "11 s behind the newest block" in caplog.text
