"""The private anvil: its knobs, and that it never outlives whoever started it."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from offchain.chain.anvil import start_anvil
from offchain.chain.errors import NodeUnavailable

PROJECT = Path(__file__).resolve().parents[3]


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_start_anvil__left__the_process_is_gone():
    with start_anvil(chain_id=77, accounts=3, timestamp=1_700_000_000) as anvil:
        assert int(anvil.request("eth_chainId"), 16) == 77
        assert 1_700_000_000 <= anvil.now() < 1_700_000_100
        assert len(anvil.keys) == 3
        unlocked = [address.lower() for address in anvil.request("eth_accounts")]
        assert [address.lower() for address in anvil.addresses] == unlocked
    assert anvil.process.poll() is not None


def test_warp__and_mine__move_time_and_height(anvil):
    number = int(anvil.request("eth_blockNumber"), 16)
    anvil.mine(3)
    assert int(anvil.request("eth_blockNumber"), 16) == number + 3
    before = anvil.now()
    anvil.warp(500)
    assert 500 <= anvil.now() - before <= 510
    anvil.warp_to(before + 10_000)
    assert anvil.now() == before + 10_000


def test_snapshot__reverted__brings_the_state_back(anvil):
    address = "0x" + "cd" * 20
    state = anvil.snapshot()
    anvil.set_balance(address, 5)
    anvil.revert(state)
    assert int(anvil.request("eth_getBalance", address, "latest"), 16) == 0


def test_start_anvil__many_states_in_memory__keeps_them_through_reverts_and_reorganisations():
    with start_anvil(states_in_memory=20_000) as anvil:
        answers = "0x600a600c600039600a6000f3602a60005260206000f3"  # 42, whatever it is asked
        sent = {"from": anvil.addresses[0], "data": answers, "gas": "0x30000"}
        deployed = anvil.request("eth_sendTransaction", sent)
        anvil.mine()
        at = anvil.request("eth_getTransactionReceipt", deployed)["contractAddress"]
        for _ in range(60):  # some 1,000 blocks: more than anvil keeps by itself
            before = anvil.snapshot()
            anvil.mine(9)
            anvil.reorg(5)
            head = int(anvil.request("eth_blockNumber"), 16)
            for number in range(head - 7, head + 1):
                answer = anvil.request("eth_call", {"to": at}, hex(number))
                assert int(answer, 16) == 42
            anvil.mine(4)
            anvil.revert(before)


def test_start_anvil__port_is_taken__says_so(anvil):
    with (
        pytest.raises(NodeUnavailable, match=r"in use"),
        start_anvil(anvil.port),
    ):
        pytest.fail("two servers on one port")


def test_start_anvil__program_is_missing__names_the_command(monkeypatch, tmp_path):
    monkeypatch.setattr("offchain.chain.anvil._PROJECT", tmp_path)
    with pytest.raises(NodeUnavailable, match="make setup"), start_anvil():
        pytest.fail("started without a program")


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the parent-death signal is Linux's"
)
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_start_anvil__parent_is_killed__the_child_dies_too(how):
    script = textwrap.dedent("""
        import time
        from offchain.chain.anvil import start_anvil
        with start_anvil() as anvil:
            print(anvil.process.pid, flush=True)
            time.sleep(60)
    """)
    parent = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    child = int(parent.stdout.readline())
    assert _is_running(child)
    os.kill(parent.pid, how)
    parent.wait(timeout=10)
    deadline = time.monotonic() + 5
    while _is_running(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _is_running(child)


def test_stand_at__then_blocks_and_warps__count_seconds_from_there_until_reverted(anvil):
    before = anvil.snapshot()
    there = anvil.now() + 10_000

    anvil.stand_at(there)
    time.sleep(2.1)
    anvil.mine(3)
    assert anvil.now() == there + 3
    anvil.warp(500)
    assert anvil.now() == there + 503
    anvil.mine()
    assert anvil.now() == there + 504

    anvil.revert(before)
    anvil.mine()
    here = anvil.now()
    assert here < there  # time went on from the snapshot, or from this machine's clock
    time.sleep(2.1)
    anvil.mine()
    assert anvil.now() - here >= 2  # and goes on by itself again
