"""Paillier against phe 1.5 (with gmpy2) and pypaillier 0.8, on the same keys."""

import statistics
import time
from collections.abc import Iterator
from itertools import count, islice

import paillier as pypaillier
from phe import paillier as phe

from bench.figures import Figure
from bench.timing import in_turn, repeated, resident_bytes
from offchain.crypto import key_file, packing, paillier
from offchain.crypto.key_file import KeyContext
from offchain.crypto.noise_pool import NoisePool
from offchain.crypto.packed_ciphertext import add_packed, decrypt_values, encrypt_values
from offchain.crypto.paillier import PaillierPrivateKey

LIMITS = {2048: (500.0, 10.1), 3072: (1000.0, 10.2)}
ROUNDS = 7
SUMMANDS = 200


def values(length: int) -> Iterator[int]:
    """Return energies in Wh that fill their 20 bits."""
    return (31 * number * number % 2**20 for number in range(length))


def paillier_figures(bits: int) -> list[Figure]:
    """Measure one key size."""
    key = paillier.generate_private_key(bits)
    key.public_key.noise.prepare()
    key.noise.prepare()
    return [*_encryption(key), *_decryption(key), _sums(key), *_key_proofs(key)]


def _encryption(key: PaillierPrivateKey) -> list[Figure]:
    public_key, bits = key.public_key, key.public_key.bits
    slots = packing.slots_per_plaintext(bits)
    theirs = phe.PaillierPublicKey(public_key.n)
    rust = pypaillier.PublicKey.from_n(public_key.n_bytes())
    if rust.exponent_bits != public_key.noise.exponent_bits:
        raise SystemExit("the exponents differ: the comparison would be unfair")
    pool = NoisePool(key, capacity=40 * (ROUNDS + 1))
    pool.refill()
    many = list(values(4 * slots))
    times = in_turn(
        {
            "phe": repeated(lambda: theirs.raw_encrypt(230_100), 3),
            "pypaillier": repeated(lambda: pypaillier.encrypt_integers(rust, [230_100]), 20),
            "ours": repeated(lambda: paillier.encrypt(public_key, 230_100), 20),
            "owner": repeated(lambda: paillier.encrypt_as_owner(key, 230_100), 20),
            "pool": repeated(lambda: paillier.encrypt_with_noise(public_key, 230_100, pool), 40),
            "packed": (lambda: list(encrypt_values(public_key, many)), len(many)),
        },
        rounds=ROUNDS,
    )
    least, most_bytes = LIMITS[bits]
    shown = {name: f"{1e3 * times.median_s(name):.3g} ms" for name in times.rounds}
    exponent = f"exponents of {rust.exponent_bits} bits"
    return [
        Figure(
            f"encrypt_{bits}_vs_phe",
            times.ratio("phe", "ours"),
            12,
            note=f"{shown['phe']} : {shown['ours']}, arithmetic alone",
        ),
        Figure(
            f"encrypt_{bits}_vs_pypaillier",
            times.ratio("pypaillier", "ours"),
            1.15,
            note=f"{shown['pypaillier']} : {shown['ours']}, {exponent} both",
        ),
        Figure(
            f"encrypt_packed_{bits}_vs_phe",
            times.ratio("phe", "packed"),
            least,
            note=f"a value: {shown['phe']} : {1e6 * times.median_s('packed'):.3g} µs; "
            f"packing alone {slots}×",
        ),
        Figure(
            f"bytes_a_reading_{bits}",
            2 * public_key.byte_length / slots,
            most_bytes,
            unit="B",
            at_most=True,
            note=f"phe {2 * public_key.byte_length} B",
        ),
        Figure(f"encrypt_owner_{bits}_vs_phe", times.ratio("phe", "owner"), note=shown["owner"]),
        Figure(
            f"encrypt_from_pool_{bits}", 1e6 * times.median_s("pool"), unit="us", note="online part"
        ),
    ]


def _decryption(key: PaillierPrivateKey) -> list[Figure]:
    bits = key.public_key.bits
    theirs = key._phe
    slots = packing.slots_per_plaintext(bits)
    ciphertext = paillier.encrypt(key.public_key, 230_100)
    packed = next(encrypt_values(key, values(slots)))
    times = in_turn(
        {
            "phe": repeated(lambda: theirs.raw_decrypt(ciphertext), 8),
            "ours": repeated(lambda: paillier.decrypt(key, ciphertext), 8),
            "packed": (lambda: [decrypt_values(key, packed) for _ in range(8)], 8.0 * slots),
        },
        rounds=3 * ROUNDS,
    )
    ours = f"{1e3 * times.median_s('phe'):.3g} ms : {1e3 * times.median_s('ours'):.3g} ms"
    return [
        Figure(
            f"decrypt_{bits}_vs_phe",
            times.ratio("phe", "ours"),
            1,
            note=f"{ours}, ours checked and blinded",
        ),
        Figure(
            f"decrypt_packed_{bits}_vs_phe",
            times.ratio("phe", "packed"),
            45,
            note=f"a value: {1e6 * times.median_s('packed'):.3g} µs",
        ),
    ]


def _sums(key: PaillierPrivateKey) -> Figure:
    bits = key.public_key.bits
    theirs = phe.PaillierPublicKey(key.public_key.n)
    slots = packing.slots_per_plaintext(bits)
    packed = list(islice(encrypt_values(key, values(slots * SUMMANDS)), SUMMANDS))
    numbers = [phe.EncryptedNumber(theirs, one.ciphertext, 0) for one in packed]
    many = packed * 10

    def add_theirs() -> object:
        total = numbers[0]
        for number in numbers[1:]:
            total = total + number
        return total

    times = in_turn(
        {
            "phe": (add_theirs, float(SUMMANDS)),
            "ours": (lambda: add_packed(many), float(len(many) * slots)),
        },
        rounds=ROUNDS,
    )
    micro = {name: f"{1e6 * times.median_s(name):.3g} µs" for name in times.rounds}
    return Figure(
        f"sum_{bits}_vs_phe",
        times.ratio("phe", "ours"),
        60,
        note=f"a value: {micro['phe']} : {micro['ours']}, {len(many)} ciphertexts a sum",
    )


def _key_proofs(key: PaillierPrivateKey) -> list[Figure]:
    bits, number = key.public_key.bits, count(1)

    def context() -> KeyContext:  # another chain each time: nothing is remembered
        return KeyContext(next(number), bytes(20), bytes(20))

    files: list[tuple[bytes, KeyContext]] = []

    def make() -> None:
        chosen = context()
        files.append((key_file.make(key, chosen), chosen))

    def read() -> None:
        file, chosen = files[-1]
        key_file.read(file, chosen, bits=bits)

    times = in_turn({"make": (make, 1.0), "read": (read, 1.0)}, rounds=3)
    size = f"{len(files[0][0]):,} bytes with the key"
    return [
        Figure(f"key_proofs_make_{bits}", times.median_s("make"), unit="s", note=size),
        Figure(f"key_proofs_verify_{bits}", times.median_s("read"), 0.5, unit="s", at_most=True),
    ]


def growth_figures(largest: int) -> list[Figure]:
    """Encrypt 10^2 … `largest` values packed at 2048 bits: time a value, memory."""
    key = paillier.generate_private_key(2048).public_key
    key.noise.prepare()
    sizes = [size for size in (10**2, 10**3, 10**4, 10**5, 10**6) if size <= largest]
    costs: dict[int, list[float]] = {size: [] for size in sizes}
    before, peak = resident_bytes(), 0
    for turn in range(4):  # small sizes again after the large one: the machine drifts
        for size in sizes if turn == 1 else sizes[:-1]:
            repeats = max(1, 10**4 // size)
            start = time.process_time()
            for _ in range(repeats):
                for number, _one in enumerate(encrypt_values(key, values(size))):
                    if number % 500 == 0:
                        peak = max(peak, resident_bytes())
            costs[size].append((time.process_time() - start) / (size * repeats))
    medians = {size: statistics.median(found) for size, found in costs.items()}
    middle = statistics.median(medians.values())
    worst = max(abs(cost / middle - 1) for cost in medians.values())
    shown = ", ".join(f"{size:,}: {1e6 * cost:.3g} µs" for size, cost in medians.items())
    return [
        Figure(
            f"growth_to_{largest}",
            100 * worst,
            10,
            unit="%",
            at_most=True,
            note=f"a value {shown}",
        ),
        Figure(
            f"growth_memory_to_{largest}",
            (peak - before) / 2**20,
            8,
            unit="MiB",
            at_most=True,
            note="resident memory above the start",
        ),
    ]
