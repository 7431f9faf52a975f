"""Packed values under encryption, whose type knows how many values lie in each slot.

A slot has room for 2^20 summands (`packing`). A ciphertext carries its number of summands, sums
add the numbers, and what would exceed 2^20 is refused before anything is multiplied: no slot can
overflow into its neighbour, whatever values lie in them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from offchain.crypto import packing, paillier
from offchain.crypto.encoding import is_integer
from offchain.crypto.paillier import PaillierPrivateKey, PaillierPublicKey
from offchain.crypto.paillier_noise import NoiseSource
from offchain.errors import PackingError


@dataclass(frozen=True, slots=True)
class PackedCiphertext:
    """A ciphertext of `count` slots, each the sum of `summands` values below 2^20.

    The constructor refuses numbers that no packing could have (PackingError); whoever builds one
    from outside the program vouches for both.
    """

    public_key: PaillierPublicKey
    ciphertext: int
    count: int
    summands: int = 1

    def __post_init__(self) -> None:
        slots = packing.slots_per_plaintext(self.public_key.bits)
        if not is_integer(self.count) or not 1 <= self.count <= slots:
            raise PackingError(f"a packed ciphertext of this key has 1..{slots} values")
        if not is_integer(self.summands) or not 1 <= self.summands <= packing.MAX_SUMMANDS:
            raise PackingError(f"a slot holds the sum of 1..{packing.MAX_SUMMANDS} values")


def encrypt_values(
    key: PaillierPublicKey | PaillierPrivateKey,
    values_wh: Iterable[int],
    *,
    noise: NoiseSource | None = None,
) -> Iterator[PackedCiphertext]:
    """Encrypt energies in Wh, each in [0, 2^20), as many a ciphertext as fit, one after another.

    A stream: memory does not grow with the number of values. With the owner's key, or a pool of
    that key as `noise`, faster. Raises PackingError for a value that does not fit.
    """
    public_key = key.public_key if isinstance(key, PaillierPrivateKey) else key
    source: NoiseSource = key.noise if noise is None else noise
    slots = packing.slots_per_plaintext(public_key.bits)
    remaining = iter(values_wh)
    while row := list(islice(remaining, slots)):
        (plaintext,) = packing.pack(row, key_bits=public_key.bits)
        ciphertext = paillier.encrypt_with_noise(public_key, plaintext, source)
        yield PackedCiphertext(public_key, ciphertext, len(row))


def add_packed(packed: Sequence[PackedCiphertext]) -> PackedCiphertext:
    """Add slot by slot, under encryption; fresh randomness on the result.

    Raises PackingError unless all are of one key and one number of slots and the sum has at most
    2^20 summands a slot; DecryptionError for a ciphertext that is none.
    """
    if not packed:
        raise PackingError("a sum needs at least one packed ciphertext")
    first, summands = packed[0], sum(one.summands for one in packed)
    if any(one.public_key != first.public_key or one.count != first.count for one in packed):
        raise PackingError("only packed ciphertexts of one key and one length can be added")
    if summands > packing.MAX_SUMMANDS:
        raise PackingError(f"a slot would hold {summands} values; at most 2^20 fit, add fewer")
    total = paillier.add_ciphertexts(first.public_key, (one.ciphertext for one in packed))
    return PackedCiphertext(first.public_key, total, first.count, summands)


def decrypt_values(private_key: PaillierPrivateKey, packed: PackedCiphertext) -> list[int]:
    """Decrypt the values or sums of one packed ciphertext.

    Raises PackingError when it is another key's or does not hold what it says; DecryptionError
    when it is no ciphertext.
    """
    if packed.public_key != private_key.public_key:
        raise PackingError("the packed ciphertext is of another key")
    plaintext = paillier.decrypt(private_key, packed.ciphertext)
    return packing.unpack_sums(
        [plaintext], count=packed.count, summands=packed.summands, key_bits=packed.public_key.bits
    )
