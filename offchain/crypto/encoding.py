"""Fixed-width big-endian bytes: the one place where integers and addresses become bytes."""

from offchain.errors import EncodingError

WORD_BYTES = 32
ADDRESS_BYTES = 20

Address = str | bytes


def is_integer(value: object) -> bool:
    """Tell whether a value is an int and not a bool (which Python counts as one)."""
    return isinstance(value, int) and not isinstance(value, bool)


def fixed_width(value: int, length: int) -> bytes:
    """Encode a non-negative integer in exactly `length` big-endian bytes.

    Raises EncodingError when it is not an integer, is negative, or does not fit. The value itself
    is not repeated in the message, because it may be secret.
    """
    if not is_integer(value) or value < 0 or value.bit_length() > 8 * length:
        raise EncodingError(f"expected a non-negative integer of at most {length} bytes")
    return value.to_bytes(length, "big")


def word(value: int) -> bytes:
    """Encode an integer in [0, 2^256) as a 32-byte big-endian word."""
    return fixed_width(value, WORD_BYTES)


def exact_bytes(value: object, length: int, *, name: str) -> bytes:
    """Return `value` as bytes if it is exactly `length` bytes, else raise EncodingError."""
    if not isinstance(value, (bytes, bytearray)) or len(value) != length:
        raise EncodingError(f"{name} must be exactly {length} bytes")
    return bytes(value)


def any_bytes(value: object, *, name: str) -> bytes:
    """Return `value` as bytes if it is a byte string of any length, else raise EncodingError."""
    if not isinstance(value, (bytes, bytearray)):
        raise EncodingError(f"{name} must be bytes")
    return bytes(value)


def address_bytes(address: Address) -> bytes:
    """Return the 20 bytes of an account or contract address, given as `0x…` text or bytes."""
    if isinstance(address, str):
        digits = address[2:] if address[:2] in ("0x", "0X") else ""
        try:
            address = bytes.fromhex(digits)
        except ValueError as error:
            raise EncodingError("an address must be 0x and 40 hexadecimal digits") from error
    return exact_bytes(address, ADDRESS_BYTES, name="an address")


def address_word(address: Address) -> bytes:
    """Return an address left-padded to a 32-byte word, as `abi.encode` does."""
    return address_bytes(address).rjust(WORD_BYTES, b"\0")
