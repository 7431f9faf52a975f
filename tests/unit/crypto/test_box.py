"""The symmetric box: round trips and every way to be refused."""

import pytest

from offchain.crypto import box
from offchain.errors import DecryptionError, EncodingError

KEY = bytes(range(32))


@pytest.mark.parametrize("plaintext", [b"", b"reading", bytes(10_000)])
def test_open_sealed__any_length__gives_the_plaintext_back(plaintext):
    sealed = box.seal(KEY, plaintext, context=b"c")
    assert len(sealed) == len(plaintext) + box.OVERHEAD and sealed[:4] == b"DMS1"
    assert box.open_sealed(KEY, sealed, context=b"c") == plaintext
    assert sealed != box.seal(KEY, plaintext, context=b"c")


def test_open_sealed__any_byte_changed__is_refused():
    sealed = box.seal(KEY, b"reading", context=b"c")
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(DecryptionError):
            box.open_sealed(KEY, bytes(changed), context=b"c")


def test_open_sealed__wrong_key_context_or_shape__is_refused():
    sealed = box.seal(KEY, b"reading", context=b"c")
    for key, data, context in [
        (bytes(32), sealed, b"c"),
        (KEY, sealed, b"d"),
        (KEY, sealed[:-1], b"c"),
        (KEY, sealed[:20], b"c"),
        (KEY, b"", b"c"),
        (KEY, None, b"c"),
        (KEY, sealed.hex(), b"c"),
    ]:
        with pytest.raises(DecryptionError):
            box.open_sealed(key, data, context=context)


@pytest.mark.parametrize("key", [b"", bytes(16), bytes(31), "x" * 32, None])
def test_seal__key_not_32_bytes__is_refused(key):
    with pytest.raises(EncodingError):
        box.seal(key, b"m", context=b"")


def test_seal__text_instead_of_bytes__is_refused():
    with pytest.raises(EncodingError):
        box.seal(KEY, "m", context=b"")
    with pytest.raises(EncodingError):
        box.seal(KEY, b"m", context="c")
