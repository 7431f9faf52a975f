"""What was put together hangs on one root: a DAG-CBOR tree of links (docs/formats.md §6).

A store that follows links keeps the whole group by one pin on the root. The root says nothing but
which blocks there are, in which order, so whoever knows the objects computes it.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from offchain.storage.car import DAG_CBOR, Block, encode_links, link_to
from offchain.storage.cid import Cid

MAX_LINKS = 4096  # a node of so many has some 168 KB


@dataclass(frozen=True, slots=True)
class Group:
    """A root's link, and the tree's own blocks, the root last."""

    root: bytes
    nodes: Sequence[Block]

    @property
    def root_cid(self) -> str:
        """Return the root's CID as text (``bafyrei…``)."""
        return "b" + base64.b32encode(self.root).decode("ascii").rstrip("=").lower()


def group_of(blocks: Sequence[Cid]) -> Group:
    """Return the tree over blocks, each named once, in this order."""
    nodes: list[Block] = []
    level = [raw_link(cid) for cid in blocks]
    while not nodes or len(level) > 1:
        cuts = range(0, max(1, len(level)), MAX_LINKS)
        contents = [encode_links(level[at : at + MAX_LINKS]) for at in cuts]
        level = [link_to(content, codec=DAG_CBOR) for content in contents]
        nodes += zip(level, contents, strict=True)
    return Group(root=level[0], nodes=tuple(nodes))


def raw_link(cid: Cid) -> bytes:
    """Return a raw block's identifier in its binary form."""
    return b"\x01\x55\x12\x20" + cid.digest
