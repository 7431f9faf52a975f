"""Merkle trees: the reference tree, every proof of small trees, and every way to lie."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.crypto import merkle
from offchain.errors import MerkleError

from .vectors import load_vectors

TREE = load_vectors("rfc6962_merkle")
LEAVES = [bytes.fromhex(leaf) for leaf in TREE["leaves"]]


@pytest.mark.parametrize("size", range(1, 9))
def test_root__reference_tree__matches(size):
    assert merkle.root(LEAVES[:size]).hex() == TREE["roots"][size - 1]


@settings(max_examples=60, deadline=None)
@given(st.integers(min_value=1, max_value=70), st.data())
def test_verify_inclusion__any_leaf_of_any_tree__holds_only_at_its_place(size, data):
    leaves = [b"leaf %d" % index for index in range(size)]
    index = data.draw(st.integers(min_value=0, max_value=size - 1))
    other = data.draw(st.integers(min_value=0, max_value=size + 2))
    tree, proof = merkle.root(leaves), merkle.prove(leaves, index)
    assert merkle.verify_inclusion(leaves[index], proof, index=index, size=size, root=tree)
    if other != index:
        assert not merkle.verify_inclusion(leaves[index], proof, index=other, size=size, root=tree)


def test_verify_inclusion__changed_in_any_way__is_false():
    proof, tree = merkle.prove(LEAVES[:7], 4), merkle.root(LEAVES[:7])
    good = {"index": 4, "size": 7, "root": tree}
    assert merkle.verify_inclusion(LEAVES[4], proof, **good)
    for leaf, path, change in [
        (LEAVES[5], proof, {}),
        (LEAVES[4], proof[:-1], {}),
        (LEAVES[4], [*proof, tree], {}),
        (LEAVES[4], proof[::-1], {}),
        (LEAVES[4], [proof[0][:31], *proof[1:]], {}),
        (LEAVES[4], [], {}),
        (LEAVES[4], proof, {"root": bytes(32)}),
        (LEAVES[4], proof, {"size": 4}),
        (LEAVES[4], proof, {"size": 0}),
        (LEAVES[4], proof, {"index": -1}),
        (LEAVES[4], proof, {"index": 4.0}),
    ]:
        assert not merkle.verify_inclusion(leaf, path, **{**good, **change})


def test_verify_inclusion__inner_node_as_leaf__is_false():
    # Without prefixes the concatenated children of a node would pass for a leaf.
    children = merkle.leaf_hash(LEAVES[0]) + merkle.leaf_hash(LEAVES[1])
    proof = merkle.prove(LEAVES[:4], 0)[1:]
    tree = merkle.root(LEAVES[:4])
    assert not merkle.verify_inclusion(children, proof, index=0, size=2, root=tree)


def test_root__duplicated_last_leaf__is_another_root():
    assert merkle.root([b"a", b"b", b"c"]) != merkle.root([b"a", b"b", b"c", b"c"])


def test_root__no_leaf__is_refused():
    with pytest.raises(MerkleError):
        merkle.root([])


@pytest.mark.parametrize("index", [-1, 3, True, 1.0])
def test_prove__no_such_leaf__is_refused(index):
    with pytest.raises(MerkleError):
        merkle.prove([b"a", b"b", b"c"], index)
