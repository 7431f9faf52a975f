"""What every content store promises, held on each of them."""

import os

import pytest

from offchain.storage import Cid, ContentStore, open_store
from offchain.storage.blocks import BLOCK_BYTES, INDEX_TAG, cut
from offchain.storage.errors import (
    ObjectMalformed,
    ObjectNotFound,
    ObjectTooLarge,
    StoreUnavailable,
)
from offchain.storage.objects import Condition

SIZES = [0, 1, 1000, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 3 * BLOCK_BYTES + 17]


@pytest.mark.parametrize("size", SIZES)
def test_put__any_size__names_what_get_returns(store, size):
    data = os.urandom(size)
    cid = store.put(data)
    assert cid == Cid.of_object(data)
    assert store.get(cid, max_bytes=size) == data
    assert store.get(cid.digest, max_bytes=size + 1) == data
    assert store.has(cid)
    assert store.is_pinned(cid)


def test_put__again__gives_the_same_identifier(store):
    data = os.urandom(BLOCK_BYTES + 9)
    assert store.put(data) == store.put(data)
    assert isinstance(store, ContentStore)


@pytest.mark.parametrize("size", [10, BLOCK_BYTES, BLOCK_BYTES + 1, 2 * BLOCK_BYTES])
def test_get__one_byte_longer_than_the_limit__is_refused(store, size):
    cid = store.put(os.urandom(size))
    with pytest.raises(ObjectTooLarge, match=str(size - 1)):
        store.get(cid, max_bytes=size - 1)


def test_get__nothing_stored_under_the_name__is_not_found(store):
    cid = Cid.of_block(os.urandom(32))
    assert not store.has(cid)
    assert not store.is_pinned(cid)
    with pytest.raises(ObjectNotFound):
        store.get(cid, max_bytes=100)


def test_has__a_listed_block_is_missing__is_false(store):
    whole = cut(os.urandom(2 * BLOCK_BYTES))
    cid = store.put(b"".join(whole.blocks))
    store.unpin(Cid.of_block(whole.blocks[1]))
    assert not store.is_pinned(cid)


def test_unpin__an_object_of_several_blocks__unpins_each(store):
    whole = cut(os.urandom(2 * BLOCK_BYTES))
    cid = store.put(b"".join(whole.blocks))
    store.unpin(cid)
    assert not any(store.is_pinned(Cid.of_block(block)) for block in (whole.root, *whole.blocks))
    store.unpin(cid)


def test_get__index_that_lies_about_a_block_length__is_refused(store):
    first, second = os.urandom(BLOCK_BYTES), os.urandom(20)
    ids = [store.put(first), store.put(second)]
    lying = INDEX_TAG + (BLOCK_BYTES + 30).to_bytes(8, "big") + b"".join(cid.digest for cid in ids)
    store._write_block(Cid.of_block(lying), lying)
    with pytest.raises(ObjectMalformed, match="20 bytes"):
        store.get(Cid.of_block(lying), max_bytes=2 * BLOCK_BYTES)


def test_get__index_of_an_object_above_the_limit__reads_no_block(store):
    listed = (
        INDEX_TAG + (2 * BLOCK_BYTES).to_bytes(8, "big") + os.urandom(64)
    )  # blocks that nobody has
    store._write_block(Cid.of_block(listed), listed)
    with pytest.raises(ObjectTooLarge):
        store.get(Cid.of_block(listed), max_bytes=BLOCK_BYTES + 1)


@pytest.mark.parametrize(
    "url", ["", "dir:", "ftp://127.0.0.1:1", "http://127.0.0.1", "http://127.0.0.1:5001/api"]
)
def test_open_store__unknown_address__says_how_to_write_it(url):
    with pytest.raises(StoreUnavailable, match="write"):
        open_store(url)


OBJECTS = [0, 1000, BLOCK_BYTES, 2 * BLOCK_BYTES + 5]


def test_put_all__objects_of_any_size__are_each_kept_under_their_own_name(store):
    objects = [os.urandom(size) for size in OBJECTS]
    cids = store.put_all(objects, lasting=True)
    assert cids == [Cid.of_object(data) for data in objects]
    for cid, data in zip(cids, objects, strict=True):
        assert store.get(cid, max_bytes=len(data)) == data
        assert store.has(cid)
        assert store.is_pinned(cid)
    assert store.examine(*cids) == {}


def test_put_all__again_with_the_same_twice__changes_nothing(store):
    objects = [b"one" + os.urandom(9), b"two" + os.urandom(9)]
    cids = store.put_all([*objects, objects[0]])
    assert cids[0] == cids[2]
    assert store.put_all([*objects, objects[0]]) == cids
    assert store.put_all([]) == []


def test_stage__objects__names_them_as_put_does(store):
    objects = [os.urandom(10), os.urandom(BLOCK_BYTES + 1)]
    assert store.stage(objects) == [Cid.of_object(data) for data in objects]


def test_unpin__what_was_put_together__lets_all_of_it_go(store):
    cids = store.put_all([os.urandom(size) for size in OBJECTS[1:]])
    store.unpin(*cids)
    assert not any(store.is_pinned(cid) for cid in cids)
    assert set(store.examine(*cids)) == set(cids)
    store.unpin(*cids)


def test_examine__one_of_a_group_is_unknown__names_that_one(store):
    there = store.put_all([os.urandom(30), os.urandom(40)])
    gone = Cid.of_block(os.urandom(8))
    assert store.examine(*there, gone) == {gone: Condition.MISSING}


def test_renew__what_is_not_there__puts_it(store):
    objects = [os.urandom(30), os.urandom(BLOCK_BYTES + 40)]
    cids = store.renew(objects)
    assert store.examine(*cids) == {}
