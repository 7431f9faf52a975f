"""The follower where the chain, a node, or the process does what is not to be expected."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from offchain.chain.errors import NodeUnavailable
from offchain.errors import StoreDamaged
from offchain.index.asked import locks as asked_locks
from offchain.index.errors import IndexBehind, IndexIncomplete
from offchain.index.follower import News
from tests.unit.index.conftest import dump, open_index, require_model
from tests.unit.index.history import History
from tests.unit.index.simulated import (
    START_S,
    Event,
    SimulatedBlock,
    SimulatedChain,
    SimulatedGateway,
    address,
)


def _grown(seed: int = 1, blocks: int = 30, **options: bool) -> tuple[SimulatedChain, History]:
    chain = SimulatedChain(**options)
    history = History(chain, random.Random(seed))
    for _ in range(blocks):
        history.mine(3)
    return chain, history


def test_catch_up__twice__changes_nothing_the_second_time(sqlite_place: Path) -> None:
    chain, _ = _grown()
    with open_index(sqlite_place, chain) as index:
        assert index.follower.catch_up() == chain.head
        before = dump(index, 0, whole=True)
        assert index.follower.catch_up() == chain.head
        assert dump(index, 0, whole=True) == before


@pytest.mark.parametrize("kept_bytes", [0, 4096], ids=["from the start", "behind the first page"])
def test_open__its_file_is_damaged__says_that_deleting_it_is_enough(
    sqlite_place: Path, kept_bytes: int
) -> None:
    chain, _ = _grown()
    with open_index(sqlite_place, chain) as index:
        newest = index.follower.catch_up()
        before = dump(index, newest)
    whole = sqlite_place.read_bytes()
    sqlite_place.write_bytes(whole[:kept_bytes] + b"\xa5" * (len(whole) - kept_bytes))
    with pytest.raises(StoreDamaged, match=r"is damaged; delete it, and .* is read anew"):
        open_index(sqlite_place, chain)
    sqlite_place.unlink()
    with open_index(sqlite_place, chain) as index:
        assert index.follower.catch_up() == newest
        assert dump(index, newest) == before


def test_read__its_file_is_damaged_meanwhile__says_that_deleting_it_is_enough(
    sqlite_place: Path,
) -> None:
    chain, _ = _grown()
    with open_index(sqlite_place, chain) as index:
        index.follower.catch_up()
    with open_index(sqlite_place, chain) as index:
        with sqlite_place.open("r+b") as file:
            file.seek(4096)
            file.write(b"\xa5" * (sqlite_place.stat().st_size - 4096))
        with pytest.raises(StoreDamaged, match="is damaged; delete it"):
            dump(index, chain.head)


def test_catch_up__an_idle_chain__costs_one_question(sqlite_place: Path) -> None:
    chain, _ = _grown()
    with open_index(sqlite_place, chain) as index:
        index.follower.catch_up()
        gateway = index.follower._gateway
        gateway.rounds = 0
        index.follower.catch_up()
        assert gateway.rounds == 1


def test_catch_up__one_new_block__costs_one_question(sqlite_place: Path) -> None:
    chain, history = _grown()
    with open_index(sqlite_place, chain) as index:
        index.follower.catch_up()
        gateway = index.follower._gateway
        for _ in range(3):
            history.mine(3)
            gateway.rounds = 0
            assert index.follower.catch_up() == chain.head
            assert gateway.rounds == 1
        require_model(index, chain, chain.head)


def test_catch_up__the_next_block_is_replaced_while_it_is_read__reads_again(
    sqlite_place: Path,
) -> None:
    chain, history = _grown()
    with open_index(sqlite_place, chain) as index:
        index.follower.catch_up()
        history.mine(3)

        def happens() -> None:
            chain.go_back(1)
            for _ in range(2):
                history.mine(3)

        index.follower._gateway.before_logs = happens
        assert index.follower.catch_up() == chain.head
        require_model(index, chain, chain.head)


def test_catch_up__block_under_the_next_one_is_replaced_while_it_is_read__reads_again(
    sqlite_place: Path,
) -> None:
    chain, history = _grown()
    with open_index(sqlite_place, chain) as index:
        index.follower.catch_up()
        gateway, ask = index.follower._gateway, index.follower._gateway.batch

        def after_the_tip(asked: list) -> list:
            gateway.batch = ask
            first = ask(asked[:2])  # the tables' last block still stands
            chain.go_back(2)
            for _ in range(3):
                history.mine(3)
            return [*first, *ask(asked[2:])]

        gateway.batch = after_the_tip  # type: ignore[method-assign]
        index.follower.catch_up()
        index.follower.catch_up()
        require_model(index, chain, chain.head)


def test_catch_up__a_node_that_is_behind__is_no_reorganisation(sqlite_place: Path) -> None:
    chain, _ = _grown(blocks=400)
    with open_index(sqlite_place, chain) as index:
        index.follower.catch_up()
        before = dump(index, 0, whole=True)
        for head in (chain.head - 1, chain.head - 100, 120, 4, 1):
            index.follower._gateway.head = head
            assert index.follower.catch_up() == chain.head
        assert dump(index, 0, whole=True) == before


def test_catch_up__a_reorganisation_deeper_than_is_kept__starts_over(
    sqlite_place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    chain, history = _grown(blocks=400)
    with open_index(sqlite_place, chain) as index:
        index.follower.catch_up()
        chain.go_back(390)
        for _ in range(395):
            history.mine(1)
        index.follower.catch_up()
        require_model(index, chain, chain.head)
        assert "a reorganisation took off" in caplog.text


def test_catch_up__another_chain_from_the_first_block_on__starts_over(sqlite_place: Path) -> None:
    with open_index(sqlite_place, _grown(seed=1)[0]) as index:
        index.follower.catch_up()
    other = SimulatedChain(salt=77)
    history = History(other, random.Random(5))
    history.mine(4)
    with open_index(sqlite_place, other) as index:
        index.follower.catch_up()
        require_model(index, other, other.head)


def test_catch_up__other_contracts__begins_anew(
    sqlite_place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    chain, _ = _grown()
    with open_index(sqlite_place, chain) as index:
        index.follower.catch_up()
    other = SimulatedChain()
    object.__setattr__(other.deployment, "chain_id", 4)
    with open_index(sqlite_place, other) as index:
        assert index.newest() == index.follower.first - 1
        assert "other contracts" in caplog.text


def test_catch_up__the_chain_moves_while_it_is_read__reads_again(sqlite_place: Path) -> None:
    chain, history = _grown()
    with open_index(sqlite_place, chain) as index:
        gateway = index.follower._gateway
        index.follower.catch_up()
        for _ in range(12):
            history.mine(3)

        def happens() -> None:
            chain.go_back(6)
            for _ in range(9):
                history.mine(3)

        # The first logs are those of the next block alone, which all stands; then come the others'.
        gateway.before_logs = lambda: setattr(gateway, "before_logs", happens)
        index.follower.catch_up()
        require_model(index, chain, chain.head)


def test_catch_up__a_node_that_gives_few_logs_at_once__is_asked_for_fewer_blocks(
    sqlite_place: Path,
) -> None:
    chain, _ = _grown(blocks=60)
    with open_index(sqlite_place, chain) as index:
        index.follower._gateway.most_logs = 20
        index.follower.catch_up()
        require_model(index, chain, chain.head)


def test_catch_up__empty_stretches__are_read_in_growing_ranges(sqlite_place: Path) -> None:
    chain, history = _grown(blocks=2)
    for number in range(len(chain.blocks), 60_000):  # quickly: hashes need not be real ones
        digest, parent = f"0x{number:064x}", chain.blocks[-1].hash
        chain.blocks.append(SimulatedBlock(number, digest, parent, START_S + 10 * number))
    history.mine(2)
    with open_index(sqlite_place, chain) as index:
        index.follower.catch_up()
        assert index.follower._gateway.asked.count("eth_getLogs") <= 7
        require_model(index, chain, chain.head)


def test_catch_up__no_time__says_how_far_it_is_and_goes_on_later(sqlite_place: Path) -> None:
    chain, _ = _grown(blocks=60)
    with open_index(sqlite_place, chain) as index:
        index.follower._span.blocks = 1
        index.follower._span.fit = lambda *_: None  # type: ignore[method-assign]
        with pytest.raises(IndexBehind, match="goes on from there"):
            index.follower.catch_up(timeout_s=0)
        assert index.newest() == index.follower.first
        assert index.follower.catch_up() == chain.head


def test_catch_up__two_followers_of_one_index__do_nothing_twice(sqlite_place: Path) -> None:
    chain, history = _grown(blocks=80)
    with open_index(sqlite_place, chain) as one, open_index(sqlite_place, chain) as two:
        for index in (one, two):
            index.follower._span.blocks = 3
        threads = [threading.Thread(target=index.follower.catch_up) for index in (one, two)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        history.mine(3)
        one.follower.catch_up()
        heard: list[News] = []
        two.follower.listen(heard.append)
        two.follower.catch_up()
        assert heard
        assert heard[-1].new  # what another process took in is news as well
        require_model(two, chain, chain.head)


def test_step__an_event_without_what_it_changes__begins_anew(sqlite_place: Path) -> None:
    chain, _ = _grown(blocks=3)
    args = {"account": address(900), "role": 4, "regionId": bytes(32)}
    with open_index(sqlite_place, chain) as index:
        index.follower.catch_up()
        chain.mine([Event("MemberRegistry", "MemberRevoked", args)])
        with pytest.raises(IndexIncomplete, match="members"):
            index.follower.catch_up()
        assert index.newest() == index.follower.first - 1


def test_step__logs_that_do_not_decode__are_noted_and_the_rest_goes_on(sqlite_place: Path) -> None:
    chain, history = _grown(blocks=3)
    with open_index(sqlite_place, chain) as index:
        for _ in range(12):
            history.mine(3)
            for log in chain.logs(chain.blocks[-1])[:1]:
                log["data"] = "0x12"
        assert index.follower.catch_up() == chain.head
        assert "does this program fit" in index.unreadable(chain.head)[0]
        chain.go_back(12)
        for _ in range(13):
            history.mine(3)
        index.follower.catch_up()
        assert index.unreadable(chain.head) == []
        require_model(index, chain, chain.head)


def test_follow__news__wakes_listeners_and_says_what_became_final(sqlite_place: Path) -> None:
    chain, history = _grown(blocks=5)
    stop, heard = threading.Event(), list[News]()
    with open_index(sqlite_place, chain, confirmations=2) as index:
        index.follower.catch_up()
        index.follower.listen(heard.append)
        following = threading.Thread(target=index.follower.follow, args=(stop,))
        following.start()
        history.mine(0)
        while not any(one.events for one in chain.blocks[-1:]):
            history.mine(3)
        spoke = chain.head
        _wait(lambda: any(one.new and one.newest == spoke for one in heard))
        chain.mine([])
        chain.mine([])
        _wait(lambda: any(one.final and one.newest == spoke + 2 for one in heard))
        stop.set()
        following.join()


def test_follow__a_node_that_does_not_answer__is_waited_for(
    sqlite_place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    chain, _ = _grown(blocks=5)
    stop = threading.Event()
    with open_index(sqlite_place, chain) as index:
        gateway = index.follower._gateway

        def fails() -> None:
            raise NodeUnavailable("no chain node answers")

        gateway.before_logs = fails
        following = threading.Thread(target=index.follower.follow, args=(stop,))
        following.start()
        _wait(lambda: index.newest() == chain.head)
        stop.set()
        following.join()
    assert caplog.text.count("cannot be followed") == 1


def _wait(holds, timeout_s: float = 20.0) -> None:
    give_up_at = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < give_up_at
        time.sleep(0.005)


_CHILD = """
import sys
from pathlib import Path
from tests.unit.index.test_follower import _grown
from tests.unit.index.conftest import open_index
chain, history = _grown(seed=3, blocks=150)
with open_index(Path(sys.argv[1]), chain) as index:
    index.follower._span.blocks = 2
    print("begins", flush=True)
    while True:
        index.follower.step()
"""


def test_catch_up__after_the_process_was_killed_at_any_point__goes_on(sqlite_place: Path) -> None:
    rng = random.Random(9)
    reached = 0
    for _ in range(4):
        child = subprocess.Popen(
            [sys.executable, "-c", _CHILD, str(sqlite_place)],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[3],
        )
        assert child.stdout is not None and child.stdout.readline()
        time.sleep(rng.uniform(0.0, 0.25))
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
        chain, _ = _grown(seed=3, blocks=150)
        with open_index(sqlite_place, chain) as index:
            assert index.newest() >= reached
            reached = index.newest()
            if reached >= index.follower.first:
                require_model(index, chain, reached)
    with open_index(sqlite_place, chain) as index:
        index.follower.catch_up()
        require_model(index, chain, chain.head)


def test_waiting__ended_locks__are_not_among_them(sqlite_place: Path) -> None:
    chain, _ = _grown(seed=4, blocks=80)
    with open_index(sqlite_place, chain) as index:
        index.follower.catch_up()
        for payee in {row["payee"] for row in dump(index, chain.head)["locks"]}:
            every = asked_locks.of_payee(index, payee, chain.head)
            waiting = asked_locks.waiting(index, payee, chain.head)
            assert waiting == [one for one in every if not one["is_ended"]]


def test_gateway__of_the_simulation__counts_what_is_asked() -> None:
    gateway = SimulatedGateway(SimulatedChain())
    assert gateway.block_number() == 2
    assert gateway.asked == ["eth_blockNumber"]
