"""Fiat–Shamir for proofs about Paillier keys: what a proof is bound to, and its challenges."""

import hashlib
import hmac
from dataclasses import dataclass
from itertools import count

from offchain.crypto.encoding import Address, address_word, fixed_width, word
from offchain.crypto.hash_to_curve import expand_message_xmd
from offchain.crypto.kept import Kept

_BIAS_BITS = 128


@dataclass(frozen=True, slots=True)
class KeyContext:
    """Where and whose a key is: a proof made for one context is refused in every other."""

    chain_id: int
    registry: Address
    account: Address

    def seed(self, name: bytes, *numbers: bytes) -> bytes:
        """Hash the context, the proof's name and its public values, each with its length."""
        parts = [word(self.chain_id), address_word(self.registry), address_word(self.account)]
        digest = hashlib.sha256(b"DMSM-V1-KEY-PROOF-" + name + b"".join(parts))
        for number in numbers:
            digest.update(fixed_width(len(number), 4) + number)
        return digest.digest()


def hash_below(seed: bytes, index: int, bound: int, *, tag: bytes) -> int:
    """Hash to an integer in [0, bound), 128 bits wider before the reduction."""
    length = -(-(bound.bit_length() + _BIAS_BITS) // 8)
    octets = expand_message_xmd(seed + fixed_width(index, 4), tag=tag, length=length)
    return int.from_bytes(octets, "big") % bound


class SecretStream(Kept):
    """Secret randomness for one proof, derived from the key it is about (as in RFC 6979).

    One statement in one context gives one proof, byte for byte: the owner need not keep it, and no
    two proofs can share randomness. HMAC-SHA256 over a counter.
    """

    def __init__(self, key: bytes, seed: bytes) -> None:
        self._key = hmac.digest(key, b"DMSM-V1-KEY-PROOF-NONCE" + seed, "sha256")
        self._blocks = count()

    def below(self, bound: int) -> int:
        """Return the next integer in [0, bound), at most 2^-128 from uniform."""
        length = -(-(bound.bit_length() + _BIAS_BITS) // 8)
        octets = b""
        while len(octets) < length:
            octets += hmac.digest(self._key, word(next(self._blocks)), "sha256")
        return int.from_bytes(octets[:length], "big") % bound
