"""One changed bit, anywhere, of anything sealed, boxed, signed or proven: refused."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.crypto import archive, bls, box, delivery, kem, keystore, merkle
from offchain.crypto.bls import BlsSecretKey
from offchain.crypto.curve import G1
from offchain.crypto.delivery import DeliveryProof, DeliverySecretKey
from offchain.crypto.messages import Role
from offchain.crypto.secret import SecretBytes
from offchain.errors import DmsmError
from offchain.records import signing
from offchain.types import to_account
from tests.fuzz.decoders import private_key

KEY, SHARED, CONTEXT = BlsSecretKey(7), bytes(32), b"context"
SIGNER = to_account("0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A")
POSSESSION = {"chain_id": 1, "registry": SIGNER, "account": SIGNER, "member_role": 2}
LEAVES = [bytes([i]) for i in range(6)]
ROOT = merkle.root(LEAVES)
Thing = tuple[bytes, Callable[[bytes], object]]


@cache
def things() -> dict[str, Thing]:
    """Return honest bytes of each kind, and what accepts them (a false answer counts as no)."""
    message = b"what was signed"
    signature = bls.sign(KEY, message, role=Role.ANSWER)
    secret = DeliverySecretKey(9)
    proof = delivery.prove(secret, **POSSESSION)  # type: ignore[arg-type]
    return {
        "sealed message": (
            kem.seal(private_key().public_key, b"a message", context=CONTEXT),
            lambda data: kem.open_sealed(private_key(), data, context=CONTEXT) == b"a message",
        ),
        "box": (
            box.seal(SHARED, b"a message", context=CONTEXT),
            lambda data: box.open_sealed(SHARED, data, context=CONTEXT) == b"a message",
        ),
        "context of a box": (
            CONTEXT,
            lambda data: box.open_sealed(SHARED, boxed(), context=data) == b"a message",
        ),
        # A signature is unique for key and message: another point is no signature.
        "bls signature": (signature.to_bytes(), lambda data: G1.from_bytes(data) == signature),
        "message under a bls signature": (
            message,
            lambda data: bls.sign(KEY, data, role=Role.ANSWER) == signature,
        ),
        "account signature": (
            signing.sign(bytes(32), SecretBytes(b"\x11" * 32)),
            lambda data: signing.verify_signature(bytes(32), data, SIGNER),
        ),
        "digest under an account signature": (
            bytes(32),
            lambda data: signing.verify_signature(data, account_signature(), SIGNER),
        ),
        "delivery proof": (
            proof.commitment.to_bytes() + proof.response.to_bytes(32, "big"),
            lambda data: delivery.verify_proof(
                delivery.public_key(secret),
                DeliveryProof(G1.from_bytes(data[:64]), int.from_bytes(data[64:], "big")),
                **POSSESSION,  # type: ignore[arg-type]
            ),
        ),
        "inclusion proof": (
            b"".join(merkle.prove(LEAVES, 2)),
            lambda data: merkle.verify_inclusion(
                LEAVES[2],
                [data[at : at + 32] for at in range(0, len(data), 32)],
                index=2,
                size=6,
                root=ROOT,
            ),
        ),
    }


@cache
def boxed() -> bytes:
    return box.seal(SHARED, b"a message", context=CONTEXT)


@cache
def account_signature() -> bytes:
    return signing.sign(bytes(32), SecretBytes(b"\x11" * 32))


def accepts(name: str, data: bytes) -> bool:
    try:
        return bool(things()[name][1](data))
    except DmsmError:
        return False


def flipped(data: bytes, bit: int) -> bytes:
    at, mask = divmod(bit, 8)
    return data[:at] + bytes([data[at] ^ 1 << mask]) + data[at + 1 :]


KINDS = sorted(
    [
        *("sealed message", "box", "context of a box", "bls signature", "account signature"),
        *("message under a bls signature", "digest under an account signature"),
        *("delivery proof", "inclusion proof"),
    ]
)


@pytest.mark.parametrize("name", KINDS)
def test_thing__as_it_was_made__is_accepted(name: str) -> None:
    assert sorted(things()) == KINDS
    assert accepts(name, things()[name][0])


@pytest.mark.parametrize("name", KINDS)
def test_thing__one_bit_of_every_byte_changed__is_refused(name: str) -> None:
    data = things()[name][0]
    for at in range(len(data)):
        assert not accepts(name, flipped(data, 8 * at + at % 8)), at


@settings(max_examples=200, deadline=None)
@given(name=st.sampled_from(KINDS), draw=st.data())
def test_thing__any_bit_changed__is_refused(name: str, draw: st.DataObject) -> None:
    data = things()[name][0]
    assert not accepts(name, flipped(data, draw.draw(st.integers(0, 8 * len(data) - 1))))


@settings(max_examples=200, deadline=None)
@given(name=st.sampled_from(KINDS), draw=st.data())
def test_thing__cut_or_extended__is_refused(name: str, draw: st.DataObject) -> None:
    data = things()[name][0]
    end = draw.draw(st.integers(0, len(data) - 1))
    tail = draw.draw(st.binary(min_size=1, max_size=40))
    assert not accepts(name, data[:end])
    assert not accepts(name, data + tail)


def test_archive__one_bit_of_every_fourth_byte_changed__is_refused(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path, passphrase = tmp_path / "archive", SecretBytes(b"p")
    archive.write_archive(path, {"bls": b"k"}, passphrase, scrypt_n=keystore.LIGHT_SCRYPT_N)
    data = path.read_bytes()
    for at in range(0, len(data), 4):
        path.write_bytes(flipped(data, 8 * at + 3))
        with pytest.raises(DmsmError):
            archive.read_archive(path, passphrase)
