"""The model of the sealing rule: the old rule comes to a halt in it, the new one does not."""

from __future__ import annotations

from random import Random

import pytest

from bench.sealing import SIGNERS, tally
from bench.sealing_model import CANDIDATES, LOADS, NEW, OLD, Burst

RUNS = 1_200  # of each load; `make bench-sealing` makes a million


def test_old_rule__random_bursts__halts_for_good() -> None:
    found = tally(OLD, "starved", runs=RUNS, seed=1)
    assert found.halted > RUNS // 200
    assert found.split >= found.halted // 2  # as a rule on forks of one weight


@pytest.mark.parametrize("load", LOADS)
def test_new_rule__random_bursts__never_halts_and_ends_in_one_chain(load: str) -> None:
    found = tally(NEW, load, runs=RUNS, seed=2)
    assert (found.halted, found.split) == (0, 0)


@pytest.mark.parametrize("load", ["quiet", "busy"])
def test_new_rule__messages_faster_than_the_waits__undoes_nothing_final(load: str) -> None:
    assert tally(NEW, load, runs=RUNS, seed=3).undone == 0


def test_one_seal_a_height__without_the_longer_fork_first__halts() -> None:
    """Why the two belong together: a signer that has sealed its block of a height elsewhere is no
    use to a fork that is shorter and yet better.
    """
    found = tally(CANDIDATES["one seal a height alone"], "starved", runs=RUNS, seed=4)
    assert found.halted > 0


@pytest.mark.parametrize("signers", SIGNERS)
def test_run__the_same_seed__comes_out_the_same(signers: int) -> None:
    one, other = (Burst(Random(5), signers, NEW, "busy").run() for _ in range(2))
    assert one == other
