"""The ABI's bytes by eth-abi, made strict. It takes a quarter of a second to import: `codec` does
so when there is something to encode or decode.
"""

from collections.abc import Sequence
from typing import Any

from eth_abi import decoding, encoding
from eth_abi.codec import ABICodec
from eth_abi.exceptions import DecodingError, EncodingError
from eth_abi.registry import BaseEquals
from eth_abi.registry import registry as lenient

from offchain.types import to_account

ENCODING_FAULTS = (EncodingError, TypeError, ValueError, KeyError, OverflowError)
DECODING_FAULTS = (DecodingError, OverflowError, UnicodeDecodeError)


class _ExactBytesEncoder(encoding.BytesEncoder):  # type: ignore[misc]
    """`bytesN` of exactly N bytes: eth-abi pads shorter ones."""

    def validate_value(self, value: Any) -> None:
        super().validate_value(value)
        if len(value) * 8 != self.value_bit_size:
            self.invalidate_value(value, msg=f"has {len(value)} bytes")


class _ChecksummedEncoder(encoding.AddressEncoder):  # type: ignore[misc]
    """Addresses as 20 bytes or text; in mixed case it has the right checksum (EIP-55)."""

    @classmethod
    def validate_value(cls, value: Any) -> None:
        super().validate_value(value)
        if isinstance(value, str) and value not in (value.lower(), to_account(value)):
            cls.invalidate_value(value, msg="has a wrong checksum: it may be mistyped")


def encode(types: Sequence[str], values: Sequence[Any]) -> bytes:
    """Return ``abi.encode`` of `values`. Raises one of ENCODING_FAULTS."""
    return _codec.encode(types, values)


def decode(types: Sequence[str], data: bytes) -> tuple[Any, ...]:
    """Return the values in `data`. Raises one of DECODING_FAULTS."""
    return _codec.decode(types, data)


def _strict_codec() -> ABICodec:
    registry = lenient.copy()
    for label, equals, encoder, decoder in (
        ("bytes<M>", BaseEquals("bytes", with_sub=True), _ExactBytesEncoder, decoding.BytesDecoder),
        ("address", BaseEquals("address"), _ChecksummedEncoder, decoding.AddressDecoder),
    ):
        registry.unregister(label)
        registry.register(equals, encoder, decoder, label=label)
    return ABICodec(registry)


_codec = _strict_codec()
