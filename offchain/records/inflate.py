"""Bounded zlib: a small file may not unpack to a large one (pitfall: decompression bombs)."""

import zlib

from offchain.errors import FormatError


def deflate(data: bytes) -> bytes:
    """Compress bytes at the highest level."""
    return zlib.compress(data, 9)


def inflate(data: bytes, *, max_bytes: int) -> bytes:
    """Decompress one whole zlib stream to at most `max_bytes` bytes.

    Never holds more than that. Raises FormatError for damage, more output, or bytes after the end.
    """
    stream = zlib.decompressobj()
    try:
        plain = stream.decompress(data, max_bytes + 1)
    except zlib.error as error:
        raise FormatError("the compressed bytes are damaged") from error
    if len(plain) > max_bytes:
        raise FormatError(f"the compressed bytes hold more than {max_bytes} bytes")
    if not stream.eof or stream.unused_data or stream.unconsumed_tail:
        raise FormatError("the compressed bytes are cut off or followed by others")
    return plain
