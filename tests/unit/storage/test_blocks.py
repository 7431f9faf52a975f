"""Cutting objects: the index's bytes are those of docs/formats.md §6, and no other form is read."""

import hashlib

import pytest

from offchain.storage.blocks import BLOCK_BYTES, INDEX_TAG, MAX_OBJECT_BYTES, cut, read_index
from offchain.storage.errors import ObjectCorrupt, ObjectMalformed, ObjectTooLarge


def test_cut__exactly_one_block__is_the_object_itself():
    data = bytes(BLOCK_BYTES)
    assert cut(data).root == data
    assert not cut(data).blocks
    assert read_index(data) is None


def test_cut__one_byte_more__is_an_index_of_two_blocks():
    data = b"\x07" * (BLOCK_BYTES + 1)
    first, second = data[:BLOCK_BYTES], data[BLOCK_BYTES:]
    whole = cut(data)
    assert list(whole.blocks) == [first, second]
    assert whole.root == (
        b"DMSMIDX1"
        + (BLOCK_BYTES + 1).to_bytes(8, "big")
        + hashlib.sha256(first).digest()
        + hashlib.sha256(second).digest()
    )


def test_cut__small_object_with_the_tag_of_an_index__is_refused():
    with pytest.raises(ObjectCorrupt, match="DMSMIDX1"):
        cut(INDEX_TAG + b"anything")


def test_cut__more_than_an_index_lists__is_refused():
    class Huge(bytes):
        def __len__(self):
            return MAX_OBJECT_BYTES + 1

    with pytest.raises(ObjectTooLarge):
        cut(Huge())


def _index(total: int, count: int) -> bytes:
    return INDEX_TAG + total.to_bytes(8, "big") + bytes(32 * count)


@pytest.mark.parametrize(
    "root",
    [
        INDEX_TAG,
        _index(BLOCK_BYTES, 1),  # would have been one block
        _index(BLOCK_BYTES + 1, 1),
        _index(BLOCK_BYTES + 1, 3),
        _index(BLOCK_BYTES + 1, 2) + b"\0",
        _index(2**64 - 1, 2),
    ],
)
def test_read_index__not_the_form_that_cut_writes__is_refused(root):
    with pytest.raises(ObjectMalformed):
        read_index(root)


def test_read_index__written_by_cut__gives_lengths_and_digests():
    whole = cut(b"\x01" * (2 * BLOCK_BYTES + 5))
    index = read_index(whole.root)
    assert index is not None
    assert index.digests == tuple(hashlib.sha256(block).digest() for block in whole.blocks)
    assert [index.block_bytes(position) for position in range(3)] == [BLOCK_BYTES, BLOCK_BYTES, 5]
