"""MerkleSha256.verify against the off-chain trees, all small sizes, and forged proofs."""

import hashlib

import pytest

from offchain.crypto import merkle


def leaves_of(size):
    return [hashlib.sha256(i.to_bytes(4, "big")).digest() for i in range(size)]


def test_merkle_sha256__leaf_given_commitment__has_the_leaf_prefix(harness):
    commitment = leaves_of(1)[0]
    assert bytes(harness.leaf(commitment)) == hashlib.sha256(b"\x00" + commitment).digest()


@pytest.mark.parametrize("size", range(1, 20))
def test_merkle_sha256__given_every_leaf_of_a_tree__holds(harness, size):
    leaves = leaves_of(size)
    root = merkle.root(leaves)
    for index, leaf in enumerate(leaves):
        proof = merkle.prove(leaves, index)
        assert harness.verifyInclusion(root, leaf, index, size, proof)


def test_merkle_sha256__given_rfc_examples__holds(harness):
    """RFC 9162 §2.1.5: the paths of d0, d3, d4 and d6 in the tree of seven leaves."""
    data = leaves_of(7)
    a, b, c, d, e, f, j = (merkle.leaf_hash(leaf) for leaf in data)

    def node(left, right):
        return hashlib.sha256(b"\x01" + left + right).digest()

    g, h, i = node(a, b), node(c, d), node(e, f)
    k, last = node(g, h), node(i, j)
    root = node(k, last)
    paths = {0: [b, h, last], 3: [c, g, last], 4: [f, j, k], 6: [i, k]}
    for index, path in paths.items():
        assert harness.verifyInclusion(root, data[index], index, 7, path)


@pytest.mark.parametrize("index", [0, 511, 998, 999])
def test_merkle_sha256__given_tree_of_1000__holds_within_gas(harness, gas_used, index):
    leaves = leaves_of(1000)
    claim = (merkle.root(leaves), leaves[index], index, 1000, merkle.prove(leaves, index))
    assert harness.verifyInclusion(*claim)
    used = gas_used(harness.verifyInclusion, *claim)
    print(f"inclusion of leaf {index} in 1000: {used} gas")
    assert used <= 60_000


def test_merkle_sha256__when_anything_differs__fails(harness):
    leaves = leaves_of(11)
    root, index, size = merkle.root(leaves), 5, 11
    proof = merkle.prove(leaves, index)
    assert harness.verifyInclusion(root, leaves[index], index, size, proof)
    assert not harness.verifyInclusion(leaves[0], leaves[index], index, size, proof)
    assert not harness.verifyInclusion(root, leaves[6], index, size, proof)
    assert not harness.verifyInclusion(root, leaves[index], index, size, proof[::-1])
    for other in (0, 4, 6, 7, 10):
        assert not harness.verifyInclusion(root, leaves[index], other, size, proof)


def test_merkle_sha256__when_proof_is_shorter_or_longer__fails(harness):
    leaves = leaves_of(11)
    root, proof = merkle.root(leaves), merkle.prove(leaves, 5)
    for bad in ([], proof[:-1], proof[1:], [*proof, root], [*proof, bytes(32)]):
        assert not harness.verifyInclusion(root, leaves[5], 5, 11, bad)


def test_merkle_sha256__when_tree_size_has_another_shape__fails(harness):
    leaves = leaves_of(11)
    root, proof = merkle.root(leaves), merkle.prove(leaves, 10)
    for size in (0, 10, 12, 16, 2**255):
        assert not harness.verifyInclusion(root, leaves[10], 10, size, proof)


def test_merkle_sha256__when_tree_size_is_larger_than_the_path__fails(harness):
    """The path reaches the root, but in the claimed tree it would have to be longer."""
    leaves = leaves_of(4)
    root, proof = merkle.root(leaves), merkle.prove(leaves, 0)
    assert harness.verifyInclusion(root, leaves[0], 0, 4, proof)
    for size in (5, 6, 8, 9):
        assert not harness.verifyInclusion(root, leaves[0], 0, size, proof)


def test_merkle_sha256__when_index_is_outside_the_tree__fails(harness):
    leaf = leaves_of(1)[0]
    root = merkle.root([leaf])
    assert harness.verifyInclusion(root, leaf, 0, 1, [])
    for index, size in ((1, 1), (0, 0), (2**256 - 1, 1)):
        assert not harness.verifyInclusion(root, leaf, index, size, [])


def test_merkle_sha256__given_inner_node_as_leaf__fails(harness):
    """The prefixes keep leaves and nodes apart: a tree of two is no leaf of another tree."""
    leaves = leaves_of(4)
    left, right = merkle.root(leaves[:2]), merkle.root(leaves[2:])
    assert not harness.verifyInclusion(merkle.root(leaves), left, 0, 2, [right])
