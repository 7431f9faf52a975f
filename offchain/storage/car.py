"""CARv1: many blocks in one stream (https://ipld.io/specs/transport/car/carv1/).

A link here is the binary CID: CIDv1, sha2-256, codec raw or dag-cbor; 36 bytes.
"""

import hashlib
from collections.abc import Iterable, Iterator

from offchain.storage.errors import ObjectCorrupt

RAW, DAG_CBOR = 0x55, 0x71
LINK_BYTES = 36
_PIECE_BYTES = 256 * 1024  # what is sent at once: a chunk for each small block would cost more
_MAX_HEADER_BYTES = 64 * 1024
_MAX_SECTION_BYTES = 2 * 1024 * 1024 + LINK_BYTES  # Kubo's own limit of a block
_MAX_VARINT_BYTES = 5
_HEADER_START, _HEADER_END = b"\xa2\x65roots", b"\x67version\x01"
_LINK_HEAD = b"\xd8\x2a\x58\x25\x00"  # tag 42, 37 bytes, the first of them zero

Block = tuple[bytes, bytes]  # link, content


def link_to(data: bytes, *, codec: int) -> bytes:
    """Return the link to a block of this content."""
    return bytes((0x01, codec, 0x12, 32)) + hashlib.sha256(data).digest()


def encode_links(links: Iterable[bytes]) -> bytes:
    """Return the canonical DAG-CBOR of a list of links."""
    encoded = [_LINK_HEAD + link for link in links]
    return _cbor_head(0x80, len(encoded)) + b"".join(encoded)


def _header(roots: Iterable[bytes]) -> bytes:
    return _HEADER_START + encode_links(roots) + _HEADER_END


def _roots(header: bytes) -> list[bytes]:
    """Cut the links out of where a header of its length has them: the last bytes of its list."""
    each, end = len(_LINK_HEAD) + LINK_BYTES, len(header) - len(_HEADER_END)
    count = max(0, end - len(_HEADER_START) - 1) // each
    return [header[end - at * each - LINK_BYTES : end - at * each] for at in range(count)][::-1]


def write_car(root: bytes, blocks: Iterable[Block]) -> Iterator[bytes]:
    """Write an archive with one root, piece by piece; `blocks` are written in their order."""
    header = _header([root])
    waiting, size = [_varint(len(header)), header], len(header)
    for link, data in blocks:
        waiting += (_varint(len(link) + len(data)), link, data)
        size += len(link) + len(data)
        if size >= _PIECE_BYTES:
            yield b"".join(waiting)
            waiting, size = [], 0
    yield b"".join(waiting)


def read_car(pieces: Iterable[bytes]) -> Iterator[Block]:
    """Yield the blocks of an archive, each held against its link; its roots are passed over.

    Raises ObjectCorrupt for a block that is not what its link says, for another kind of link, for
    what has another form than the canonical one, and where the archive is cut off or too large to
    be one of ours.
    """
    source = _Source(pieces)
    header = source.section(_MAX_HEADER_BYTES)
    if header is None or header != _header(_roots(header)):
        raise ObjectCorrupt("an archive has no header of version 1")
    while (section := source.section(_MAX_SECTION_BYTES)) is not None:
        link, data = section[:LINK_BYTES], section[LINK_BYTES:]
        if len(link) != LINK_BYTES or link[1] not in (RAW, DAG_CBOR):
            raise ObjectCorrupt(f"an archive has an unknown kind of link: {link.hex()}")
        if link_to(data, codec=link[1]) != link:
            raise ObjectCorrupt(f"an archive has other bytes for {link.hex()}")
        yield link, data


class _Source:
    """The bytes of an archive as they come, without keeping what was read."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._held, self._at = b"", 0

    def section(self, max_bytes: int) -> bytes | None:
        """Return the next length-prefixed section, or None at the archive's end."""
        length = self._length()
        if length is None:
            return None
        if length > max_bytes:
            raise ObjectCorrupt(f"a section of {length} bytes, at most {max_bytes} are read")
        section = self._take(length)
        if len(section) != length:
            raise ObjectCorrupt("an archive is cut off")
        return section

    def _length(self) -> int | None:
        value = 0
        for position in range(_MAX_VARINT_BYTES):
            byte = self._take(1)
            if not byte:
                if position:
                    raise ObjectCorrupt("an archive is cut off")
                return None
            value |= (byte[0] & 0x7F) << (7 * position)
            if byte[0] == 0 and position:
                raise ObjectCorrupt("a length of an archive has more bytes than it needs")
            if byte[0] < 0x80:
                return value
        raise ObjectCorrupt("a length of an archive is too long")

    def _take(self, count: int) -> bytes:
        missing = count - (len(self._held) - self._at)
        if missing > 0:
            held = [self._held[self._at :]]  # joined once: pieces are small, sections are not
            while missing > 0 and (piece := next(self._pieces, None)) is not None:
                held.append(piece)
                missing -= len(piece)
            self._held, self._at = b"".join(held), 0
        taken = self._held[self._at : self._at + count]
        self._at += len(taken)
        return taken


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*encoded, value))


def _cbor_head(kind: int, value: int) -> bytes:
    if value < 24:
        return bytes((kind | value,))
    for step, width in enumerate((1, 2, 4, 8)):
        if value < 1 << (8 * width):
            return bytes((kind | 24 + step,)) + value.to_bytes(width, "big")
    raise ValueError(f"{value} has no CBOR head")
