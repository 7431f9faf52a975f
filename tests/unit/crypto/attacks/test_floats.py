"""Floats: phe publishes their exponent beside the ciphertext, so a reading's magnitude leaks."""

from __future__ import annotations

import pytest
from phe import paillier as phe

from offchain.crypto import packing, paillier
from offchain.errors import DmsmError, FormatError
from offchain.records import canonical_json, reading
from offchain.types import Reading, to_account
from tests.fuzz.decoders import private_key

FLOATS = [0.0, 1.0, 230.1, 1e300, float("nan"), float("inf")]


def test_naive_encryption__of_floats__tells_readings_apart_without_the_key() -> None:
    """The negative control: the exponent stands in the clear and follows the value."""
    key = phe.PaillierPublicKey(private_key().public_key.n)
    exponents = {value: key.encrypt(value).exponent for value in (1.5, 0.001, 230.1)}
    assert len(set(exponents.values())) == 3


@pytest.mark.parametrize("value", FLOATS)
def test_everything__given_a_float__refuses(value: float) -> None:
    public = private_key().public_key
    with pytest.raises(DmsmError):
        paillier.encrypt(public, value)  # type: ignore[arg-type]
    with pytest.raises(DmsmError):
        paillier.decrypt(private_key(), value)  # type: ignore[arg-type]
    with pytest.raises(DmsmError):
        packing.pack([value], key_bits=2048)  # type: ignore[list-item]
    with pytest.raises(FormatError):
        canonical_json.dumps({"energy": value})
    for field in ("import_wh", "export_wh", "flags", "power_w", "temperature_dc", "time_s", "seq"):
        with pytest.raises(FormatError):
            reading.encode(_reading(**{field: value}))


def _reading(**changes: object) -> Reading:
    fields: dict[str, object] = {
        "chain_id": 1,
        "device": to_account("0x" + "d1" * 20),
        "seq": 1,
        "time_s": 1_700_000_000,
        "import_wh": 5,
        "export_wh": 5,
        "power_w": 5,
        "temperature_dc": 5,
        "nonce": bytes(32),
    }
    return Reading(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("text", [b"1.0", b'{"e":1e3}', b"[NaN]", b"Infinity", b"-0.0"])
def test_canonical_json__float_on_the_wire__is_refused(text: bytes) -> None:
    with pytest.raises(FormatError):
        canonical_json.parse(text, max_bytes=100)
