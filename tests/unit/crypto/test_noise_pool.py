"""The pool: bounded, never used twice, not even by threads or a forked child."""

import os
import pickle
import threading

import pytest

from offchain.crypto import packed_ciphertext, paillier
from offchain.crypto.noise_pool import MAX_CAPACITY, NoisePool
from offchain.errors import CryptoError, InvalidKeyError, InvalidPlaintextError


class Counter:
    """A key whose noise is 1, 2, 3, …"""

    def __init__(self):
        self.noise, self._next, self._lock = self, 0, threading.Lock()
        self.n = 15

    def draw(self):
        with self._lock:
            self._next += 1
            return self._next


def test_draw__stocked_or_empty__encrypts_rightly(private_key):
    pool = NoisePool(private_key, capacity=2)
    assert pool.refill() == 2 and len(pool) == 2
    public_key = private_key.public_key
    ciphertexts = [paillier.encrypt_with_noise(public_key, 8, pool) for _ in range(3)]
    assert len(set(ciphertexts)) == 3 and len(pool) == 0
    assert {paillier.decrypt(private_key, c) for c in ciphertexts} == {8}
    assert {private_key._phe.raw_decrypt(c) for c in ciphertexts} == {8}


def test_encrypt_with_noise__of_another_key__is_refused(private_key):
    """Noise of another modulus gives a number that nobody can decrypt, and hides nothing."""
    public_key = private_key.public_key
    other = paillier.generate_private_key(512, allow_small=True)
    for source in (other.noise, other.public_key.noise, NoisePool(other, capacity=1)):
        with pytest.raises(InvalidKeyError, match="of another key"):
            paillier.encrypt_with_noise(public_key, 8, source)
        with pytest.raises(InvalidKeyError, match="of another key"):
            list(packed_ciphertext.encrypt_values(public_key, [8], noise=source))
    for source in (private_key.noise, public_key.noise, NoisePool(private_key, capacity=1)):
        assert (
            paillier.decrypt(private_key, paillier.encrypt_with_noise(public_key, 8, source)) == 8
        )


def test_refill__full_or_counted__stays_within_its_bounds():
    pool = NoisePool(Counter(), capacity=5)
    assert pool.refill(3) == 3 and pool.refill(3) == 2 and pool.refill() == 0
    assert len(pool) == 5
    pool.draw()
    assert pool.refill() == 1


def test_draw__from_many_threads__gives_no_piece_twice():
    pool, taken = NoisePool(Counter(), capacity=64), []

    def use():
        for _ in range(200):
            taken.append(pool.draw())
            pool.refill(2)

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 800 and len(pool) <= 64


def test_draw__in_a_forked_child__does_not_use_the_parents_stock():
    pool = NoisePool(Counter(), capacity=4)
    pool.refill()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, bytes([len(pool), pool.draw()]))
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 2) == bytes([0, 5])
    assert len(pool) == 4


@pytest.mark.parametrize("capacity", [0, -1, MAX_CAPACITY + 1, 1.0, True])
def test_pool__absurd_capacity__is_refused(capacity):
    with pytest.raises(InvalidPlaintextError):
        NoisePool(Counter(), capacity=capacity)


def test_pool__printed_or_pickled__gives_nothing_away():
    pool = NoisePool(Counter(), capacity=1)
    assert repr(pool) == "<NoisePool redacted>"
    with pytest.raises(CryptoError):
        pickle.dumps(pool)
