"""Locks across a fork: whatever a thread held in the parent, the child goes on."""

import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from offchain import containment, sqlite_file
from offchain.chain import sender
from offchain.chain.clock import ChainClock
from offchain.chain.endpoint import Endpoint
from offchain.crypto import paillier
from offchain.crypto.noise_pool import NoisePool
from offchain.crypto.paillier import PaillierPrivateKey
from offchain.crypto.paillier_noise import OwnerNoise
from offchain.forking import ForkLock

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 10


@pytest.fixture(scope="module")
def private_key() -> PaillierPrivateKey:
    return paillier.generate_private_key(512, allow_small=True)


@contextmanager
def held_elsewhere(lock: ForkLock) -> Iterator[None]:
    """Have another thread hold a lock."""
    is_held, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            is_held.set()
            may_end.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    is_held.wait()
    try:
        yield
    finally:
        may_end.set()
        thread.join()


def ends_in_a_child(work: Callable[[], object]) -> bool:
    """Tell whether a forked child comes to the end of some work within the patience."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        finally:
            os._exit(1)
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status == 0
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def test_fork__while_a_thread_blinds__leaves_a_key_that_decrypts(private_key, monkeypatch):
    ciphertext = paillier.encrypt(private_key.public_key, 7)
    is_in, may_go, parent = threading.Event(), threading.Event(), os.getpid()
    draw = OwnerNoise.draw_residues

    def slow(noise):
        if os.getpid() == parent:
            is_in.set()
            may_go.wait()
        return draw(noise)

    monkeypatch.setattr(OwnerNoise, "draw_residues", slow)
    monkeypatch.setattr(private_key, "_decryptor", None)
    assert private_key.decryptor is not None
    thread = threading.Thread(target=paillier.decrypt, args=(private_key, ciphertext))
    thread.start()
    is_in.wait()
    try:
        assert ends_in_a_child(lambda: 1 / (paillier.decrypt(private_key, ciphertext) == 7))
    finally:
        may_go.set()
        thread.join()
    assert paillier.decrypt(private_key, ciphertext) == 7


def test_fork__while_a_thread_holds_a_pool__leaves_one_that_draws(private_key):
    pool = NoisePool(private_key, capacity=2)
    with held_elsewhere(pool._lock):
        assert ends_in_a_child(pool.draw)
        assert ends_in_a_child(pool.refill)


def test_fork__while_a_thread_counts_an_error__leaves_a_child_that_counts(tmp_path):
    with held_elsewhere(containment._mutex):
        assert ends_in_a_child(lambda: containment.ours("a step", ValueError("x")))


def test_fork__while_a_thread_makes_a_sender__leaves_a_child_that_finds_its_lock():
    key = (1, "0x" + "11" * 20)
    with held_elsewhere(sender._locks_guard):
        assert ends_in_a_child(lambda: sender.lock_of(*key))
    with held_elsewhere(sender.lock_of(*key)):
        assert ends_in_a_child(lambda: sender.lock_of(*key).__enter__())


def test_fork__while_a_thread_asks__leaves_clock_and_endpoint_usable():
    endpoint, clock = Endpoint(["http://127.0.0.1:1"]), ChainClock()
    with held_elsewhere(endpoint._lock), held_elsewhere(clock._lock):
        assert ends_in_a_child(lambda: endpoint.avoid({}))
        assert ends_in_a_child(lambda: clock._lock.__enter__())


def test_fork__inside_a_held_lock__gives_it_back_in_both():
    lock = ForkLock()
    with lock:
        child = os.fork()
    if child == 0:
        with lock:
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    with lock:
        pass


def test_hurry__in_a_child__needs_no_lock():
    try:
        sqlite_file.hurry(True)
        assert ends_in_a_child(lambda: 1 / sqlite_file.is_hurried())
    finally:
        sqlite_file.hurry(False)
    assert not sqlite_file.is_hurried()


def test_modules__of_the_whole_code__hold_no_lock_that_stays_held_in_a_child():
    """A lock made where a module is loaded is everybody's: it must be one of this kind."""
    kinds = "Lock|RLock|Event|Condition|Semaphore|BoundedSemaphore|Barrier"
    made = rf"^\w+(?:: .+)? = (?:threading\.)?(?:{kinds})\(|^\w+.*PoolExecutor\("
    for path in (*(ROOT / "offchain").rglob("*.py"), *(ROOT / "device_agent").rglob("*.py")):
        assert not re.search(made, path.read_text(), re.M), path
