"""A state is said when it begins, when its words change, and when it ends with how long it was."""

import pytest

from offchain.states import Ended, States, words


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def states(clock: Clock) -> States:
    return States(clock)


def test_hold__the_same_again__is_said_once(states: States) -> None:
    said = [states.hold("pause", f"the head is {age} s old") for age in (31, 32, 33.5)]
    assert said == [True, False, False]


def test_hold__with_other_words__is_said_again(states: States) -> None:
    assert states.hold("pause", "the head is 31 s old")
    assert states.hold("pause", "the node is 3 blocks behind")
    assert not states.hold("pause", "the node is 4 blocks behind")


def test_hold__another_key__is_another_state(states: States) -> None:
    assert states.hold("a", "waits") and states.hold("b", "waits")


def test_hold__a_full_disk__is_said_every_minute(states: States, clock: Clock) -> None:
    said = []
    for second in range(0, 180, 20):
        clock.now = 100.0 + second
        if states.hold("store", "no room", again_s=60):
            said.append(second)
    assert said == [0, 60, 120]


def test_end__of_what_held__tells_how_long_and_how_often(states: States, clock: Clock) -> None:
    for _ in range(3):
        states.hold("pause", "waits")
        clock.now += 2
    assert states.end("pause") == Ended("waits", 6.0, 3)
    assert states.end("pause") is None
    assert states.hold("pause", "waits")


def test_end_others__given_what_goes_on__ends_the_rest(states: States) -> None:
    for key in "abc":
        states.hold(key, "waits")
    assert [key for key, _ in states.end_others({"b"})] == ["a", "c"]
    assert states.end_others({"b"}) == []


def test_words__of_reasons__leave_numbers_and_ids_out() -> None:
    assert words("lock 0x3fa2 waits 12.5 s") == words("lock 0xbb01 waits 7 s")
    assert words("3fa29b3fa29b3fa29b is missing") == words("aaaabbbbccccdddd11 is missing")
    assert words("waits for a block") != words("waits for a bond")
