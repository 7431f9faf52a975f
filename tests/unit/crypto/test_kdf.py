"""Key derivation: RFC 5869 vectors, independence of days and purposes."""

import pytest

from offchain.crypto import kdf
from offchain.crypto.curve import G1, G1_GENERATOR
from offchain.crypto.kdf import DeviceSecret
from offchain.errors import EncodingError, InvalidPointError

from .vectors import load_vectors

DEVICE = "0x" + "11" * 20
LEDGER = "0x" + "22" * 20


@pytest.mark.parametrize("vector", load_vectors("rfc5869_hkdf")["vectors"])
def test_hkdf__rfc_5869_vector__matches(vector):
    parts = {name: bytes.fromhex(value) for name, value in vector.items()}
    length = len(parts["okm"])
    okm = kdf.hkdf(parts["ikm"], salt=parts["salt"], info=parts["info"], length=length)
    assert okm == parts["okm"]


def test_day_keys__any_input_changed__are_all_different():
    one, two = DeviceSecret(bytes(32)), DeviceSecret(b"\x01" * 32)
    keys = set()
    for derive in (kdf.nonce_day_key, kdf.seal_day_key):
        place = {"chain_id": 1, "data_ledger": LEDGER, "device": DEVICE, "day": 17_000}
        keys.add(derive(one, **place))
        keys.add(derive(two, **place))
        for change in (
            {"chain_id": 2},
            {"data_ledger": "0x" + "23" * 20},
            {"device": "0x" + "12" * 20},
            {"data_ledger": DEVICE, "device": LEDGER},
            {"day": 17_001},
        ):
            keys.add(derive(one, **(place | change)))
    assert len(keys) == 14 and all(len(key) == 32 for key in keys)


def test_day_keys__written_out_by_hand__have_the_documented_bytes():
    secret = DeviceSecret(bytes(range(32)))
    salt = (31337).to_bytes(32, "big") + bytes(12) + b"\x22" * 20 + bytes(12) + b"\x11" * 20
    info = b"DMSM-V1-nonce-day" + (17_000).to_bytes(4, "big")
    expected = kdf.hkdf(secret.reveal(), salt=salt, info=info)
    place = {"chain_id": 31337, "data_ledger": LEDGER, "device": DEVICE}
    assert kdf.nonce_day_key(secret, **place, day=17_000) == expected


def test_reading_nonce__each_seq__is_its_own_and_repeats():
    nonces = [kdf.reading_nonce(bytes(32), seq) for seq in range(100)]
    assert len(set(nonces)) == 100
    assert kdf.reading_nonce(bytes(32), 7) == nonces[7]


@pytest.mark.parametrize(
    ("time", "day"), [(0, 0), (86_399, 0), (86_400, 1), (1_470_038_400, 17_014)]
)
def test_day_number__at_the_edges__is_the_utc_day(time, day):
    assert kdf.day_number(time) == day


@pytest.mark.parametrize("value", [-1, 1.5, True, 2**64])
def test_numbers__out_of_range__are_refused(value):
    with pytest.raises(EncodingError):
        kdf.day_number(value)
    with pytest.raises(EncodingError):
        kdf.reading_nonce(bytes(32), value)


def test_group_keys__two_purposes_and_data_sets__are_all_different():
    keys = {
        derive(G1_GENERATOR, data_set)
        for derive in (kdf.manifest_key, kdf.companion_key)
        for data_set in (bytes(32), b"\x01" * 32)
    }
    assert len(keys) == 4


def test_group_keys__infinity_or_wrong_id__are_refused():
    with pytest.raises(InvalidPointError):
        kdf.manifest_key(G1.infinity(), bytes(32))
    with pytest.raises(EncodingError):
        kdf.companion_key(G1_GENERATOR, bytes(31))


@pytest.mark.parametrize("value", [b"", bytes(31), bytes(33), "x" * 32])
def test_device_secret__not_32_bytes__is_refused(value):
    with pytest.raises(EncodingError):
        DeviceSecret(value)
