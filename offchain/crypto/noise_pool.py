"""A stock of Paillier randomness made beforehand: encryption on demand in microseconds.

Each piece is used once: it is taken out under a lock, and a forked child begins with an empty
stock, or parent and child would encrypt with the same randomness (their quotient would show the
difference of two plaintexts).
"""

import os
from collections import deque

from gmpy2 import mpz

from offchain.crypto.encoding import is_integer
from offchain.crypto.paillier_keys import PaillierPrivateKey, PaillierPublicKey
from offchain.crypto.paillier_noise import NoiseSource
from offchain.crypto.secret import Secret
from offchain.errors import InvalidPlaintextError
from offchain.forking import ForkLock

MAX_CAPACITY = 1 << 16


class NoisePool(Secret):
    """At most `capacity` pieces of randomness for one key, public or one's own.

    Pass it to `paillier.encrypt_with_noise`. Never empty to its users: what is not in stock is
    made on the spot. Thread-safe; not to be stored, copied or printed.
    """

    __slots__ = ("_capacity", "_lock", "_process", "_source", "_stock")

    def __init__(self, key: PaillierPublicKey | PaillierPrivateKey, *, capacity: int) -> None:
        if not is_integer(capacity) or not 1 <= capacity <= MAX_CAPACITY:
            raise InvalidPlaintextError(f"a pool holds 1..{MAX_CAPACITY} pieces of randomness")
        self._capacity = capacity
        self._source: NoiseSource = key.noise
        self._stock: deque[mpz] = deque()
        self._lock = ForkLock()
        self._process = os.getpid()

    @property
    def n(self) -> int:
        """The modulus of the key that the stock is for."""
        return self._source.n

    def __len__(self) -> int:
        with self._lock:
            self._forget_parents_stock()
            return len(self._stock)

    def refill(self, count: int | None = None) -> int:
        """Make up to `count` pieces (None: until full); return how many went into stock.

        For an idle hour or a thread of the caller's; users are not held up meanwhile.
        """
        added = 0
        while (count is None or added < count) and len(self) < self._capacity:
            piece = self._source.draw()
            with self._lock:
                self._forget_parents_stock()
                if len(self._stock) >= self._capacity:
                    break
                self._stock.append(piece)
            added += 1
        return added

    def draw(self) -> mpz:
        """Take one piece out of stock, or make one. It is nobody else's."""
        with self._lock:
            self._forget_parents_stock()
            if self._stock:
                return self._stock.popleft()
        return self._source.draw()

    def _forget_parents_stock(self) -> None:
        if self._process != os.getpid():
            self._stock.clear()
            self._process = os.getpid()
