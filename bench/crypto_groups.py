"""BLS and shares on BN254 against py_ecc; the fast path is the chain's precompile by eth_call.

Its times are the CPU times of this process and of the node together, unless a figure says so.
"""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import cast

from py_ecc import optimized_bn128 as bn128

from bench.figures import Figure
from bench.timing import Clock, clock_with, in_turn, repeated
from offchain.chain.anvil import start_anvil
from offchain.chain.gateway import ChainGateway
from offchain.chain.pairing import precompile_pairing
from offchain.crypto import bls, curve, delivery, sharing
from offchain.crypto.curve import G1, G2, PairingCheck
from offchain.crypto.messages import Role
from offchain.crypto.native_pairing import native_pairing

THRESHOLD, MEMBERS = 67, 100
SAMPLED_SHARES = 2


@contextmanager
def _fast_path() -> Iterator[tuple[PairingCheck, Clock]]:
    with start_anvil() as anvil:
        gateway = cast(ChainGateway, SimpleNamespace(endpoint=anvil._endpoint))
        yield precompile_pairing(gateway), clock_with(anvil.process.pid)


def group_figures() -> list[Figure]:
    """Measure BLS verification, the transcript check, and pairings by native code where it is."""
    with _fast_path() as (pairing_check, clock):
        return [_bls(pairing_check, clock), *_transcript(pairing_check, clock), *_native()]


def _native() -> list[Figure]:
    """Measure a check of two pairings, as a signature needs, in this process alone."""
    native = native_pairing()
    if native is None:
        return []
    scalar = secrets.randbelow(curve.GROUP_ORDER)
    pairs = [
        (curve.multiply(curve.G1_GENERATOR, scalar), curve.G2_GENERATOR),
        (curve.negate(curve.G1_GENERATOR), curve.multiply(curve.G2_GENERATOR, scalar)),
    ]

    def check(by: PairingCheck) -> None:
        if not by(pairs):
            raise SystemExit("a product that is one was refused")

    times = in_turn(
        {
            "py_ecc": (lambda: check(curve.pairing_product_is_one), 1.0),
            "native": repeated(lambda: check(native), 40),
        },
        rounds=7,
    )
    note = f"{1e3 * times.median_s('py_ecc'):.3g} ms : {1e3 * times.median_s('native'):.3g} ms"
    return [
        Figure(
            "pairing_native_vs_py_ecc",
            times.ratio("py_ecc", "native"),
            50,
            note=f'{note}; garaga_rs, the extra of `pairings = "local"`',
        )
    ]


def _bls(pairing_check: PairingCheck, clock: Clock) -> Figure:
    secret = bls.BlsSecretKey.generate()
    public_key, message = bls.public_key(secret), b"a request"
    signature = bls.sign(secret, message, role=Role.REQUEST)

    def verify(check: PairingCheck) -> None:
        if not bls.verify(public_key, message, signature, role=Role.REQUEST, pairing_check=check):
            raise SystemExit("a valid signature was refused")

    times = in_turn(
        {
            "py_ecc": (lambda: verify(curve.pairing_product_is_one), 1.0),
            "ours": repeated(lambda: verify(pairing_check), 40),
        },
        rounds=7,
        clock=clock,
    )
    note = f"{1e3 * times.median_s('py_ecc'):.3g} ms : {1e3 * times.median_s('ours'):.3g} ms"
    return Figure("bls_verify_vs_py_ecc", times.ratio("py_ecc", "ours"), 100, note=note)


def _transcript(pairing_check: PairingCheck, clock: Clock) -> list[Figure]:
    keys = tuple(delivery.public_key(delivery.DeliverySecretKey.generate()) for _ in range(MEMBERS))
    data_key = sharing.DataKey.generate()
    transcript = sharing.deal(data_key, threshold=THRESHOLD, delivery_keys=keys)
    grant = sharing.Grant(
        chain_id=1,
        prepaid_lock=bytes(20),
        lock_id=bytes(32),
        data_set_id=bytes(32),
        threshold=THRESHOLD,
        delivery_keys=keys,
        key_commitment=sharing.key_commitment(data_key),
    )

    def ours() -> None:
        if not sharing.verify_transcript(transcript, grant, pairing_check=pairing_check):
            raise SystemExit("a valid transcript was refused")

    def one_by_one() -> None:
        for index in range(1, SAMPLED_SHARES + 1):
            _check_share(
                transcript.commitments, transcript.shares[index - 1], keys[index - 1], index
            )

    whole = in_turn(
        {"py_ecc": (one_by_one, SAMPLED_SHARES / MEMBERS), "ours": (ours, 1.0)},
        rounds=3,
        clock=clock,
    )
    plain = in_turn(
        {"py_ecc": (_plain_feldman(), 1.0), "ours": (ours, 1.0)}, rounds=5, clock=time.process_time
    )
    note = f"{whole.median_s('py_ecc'):.3g} s : {1e3 * whole.median_s('ours'):.3g} ms"
    plain_note = f"{1e3 * plain.median_s('py_ecc'):.4g} ms : {1e3 * plain.median_s('ours'):.3g} ms"
    return [
        Figure(
            "transcript_67_100_vs_py_ecc",
            whole.ratio("py_ecc", "ours"),
            20,
            note=f"{note}; encrypted shares one by one, the two cheapest measured, times 50",
        ),
        Figure(
            "transcript_67_100_vs_plain_feldman",
            plain.ratio("py_ecc", "ours"),
            20,
            note=f"{plain_note}; the peer checks shares in the clear against commitments in G1 "
            "(Horner); ours encrypted ones, without the node's time",
        ),
        Figure(
            "transcript_67_100_with_node_vs_plain_feldman",
            plain.median_s("py_ecc") / whole.median_s("ours"),
            note="the same with the node's 68 pairings",
        ),
    ]


def _g2(point: G2) -> object:
    return curve._to_projective(point)


def _check_share(commitments: tuple[G2, ...], share: G1, key: G1, index: int) -> None:
    """Check e(Y_i, G2) = e(ek_i, Σ_j C(i,j)F_j) with py_ecc, the sum by Horner's rule.

    C(i, j+1) = C(i, j)·(i−j)/(j+1): Σ_j C(i,j)F_j = F_0 + i(F_1 + (i−1)/2 (F_2 + …)); it is zero
    from j = i+1 on, so that the peer has the best of it for the first members.
    """
    last = min(index, len(commitments) - 1)
    total = _g2(commitments[last])
    for j in range(last, 0, -1):
        factor = (index - j + 1) * pow(j, -1, curve.GROUP_ORDER) % curve.GROUP_ORDER
        total = bn128.add(bn128.multiply(total, factor), _g2(commitments[j - 1]))
    left = bn128.pairing(_g2(curve.G2_GENERATOR), curve._to_projective(share))
    if left != bn128.pairing(total, curve._to_projective(key)):
        raise SystemExit("py_ecc refuses a valid share")


def _plain_feldman() -> object:
    order = curve.GROUP_ORDER
    coefficients = [secrets.randbelow(order) for _ in range(THRESHOLD)]
    commitments = [bn128.multiply(bn128.G1, c) for c in coefficients]
    shares = [
        sum(c * pow(i, j, order) for j, c in enumerate(coefficients)) % order
        for i in range(1, MEMBERS + 1)
    ]

    def check() -> None:
        for index, share in enumerate(shares, start=1):
            total = commitments[-1]
            for commitment in reversed(commitments[:-1]):
                total = bn128.add(bn128.multiply(total, index), commitment)
            if not bn128.eq(total, bn128.multiply(bn128.G1, share)):
                raise SystemExit("py_ecc refuses a valid share")

    return check
