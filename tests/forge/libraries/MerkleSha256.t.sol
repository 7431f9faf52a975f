// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {LibraryHarness} from "../../../contracts/mocks/LibraryHarness.sol";
import {TestBase} from "../base/TestBase.sol";

contract MerkleSha256Test is TestBase {
    LibraryHarness private harness;

    function setUp() public {
        harness = LibraryHarness(create("LibraryHarness", ""));
    }

    function test_merkle__leaf__has_the_prefix() public view {
        eq(harness.leaf("x"), sha256(abi.encodePacked(hex"00", bytes32("x"))), "leaf");
    }

    function test_merkle__given_every_leaf_of_small_trees__holds_there_alone() public view {
        for (uint256 size = 1; size <= 17; ++size) {
            bytes32 root = _root(0, size);
            for (uint256 i = 0; i < size; ++i) {
                bytes32[] memory proof = _proof(i, 0, size);
                yes(harness.verifyInclusion(root, _commitment(i), i, size, proof), "included");
                for (uint256 j = 0; j < size; ++j) {
                    if (j == i) continue;
                    no(harness.verifyInclusion(root, _commitment(i), j, size, proof), "another index");
                    no(harness.verifyInclusion(root, _commitment(j), i, size, proof), "another leaf");
                }
            }
        }
    }

    function testFuzz_merkle__given_any_tree__holds_for_the_leaf_alone(uint256 size, uint256 index, uint256 change)
        public
        view
    {
        size = within(size, 1, 64);
        index = within(index, 0, size - 1);
        bytes32 root = _root(0, size);
        bytes32[] memory proof = _proof(index, 0, size);
        yes(harness.verifyInclusion(root, _commitment(index), index, size, proof), "included");
        no(harness.verifyInclusion(~root, _commitment(index), index, size, proof), "root");
        no(harness.verifyInclusion(root, _commitment(size), index, size, proof), "leaf");
        no(harness.verifyInclusion(root, _commitment(index), size, size, proof), "outside");
        no(harness.verifyInclusion(root, _commitment(index), index + (1 << 128), size, proof), "far outside");
        no(harness.verifyInclusion(root, _commitment(index), index, size, _longer(proof)), "longer");
        if (proof.length == 0) return;
        no(harness.verifyInclusion(root, _commitment(index), index, size, _shorter(proof)), "shorter");
        change = within(change, 0, proof.length - 1);
        proof[change] = ~proof[change];
        no(harness.verifyInclusion(root, _commitment(index), index, size, proof), "sibling");
    }

    function test_merkle__given_empty_tree__fails() public view {
        bytes32[] memory none = new bytes32[](0);
        no(harness.verifyInclusion(0, 0, 0, 0, none), "empty");
        no(harness.verifyInclusion(harness.leaf(0), 0, 0, 0, none), "empty with a leaf's root");
        no(harness.verifyInclusion(harness.leaf(0), 0, 1, 1, none), "behind the end");
    }

    function test_merkle__given_inner_node_as_leaf__fails() public view {
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = _root(2, 4);
        no(harness.verifyInclusion(_root(0, 4), _root(0, 2), 0, 2, proof), "node as leaf");
    }

    function test_merkle__given_published_tree_of_256_bit_leaves__agrees() public view {
        // The reference tree of RFC 6962 has leaves of other lengths: only its shape can be compared, by the equation
        // MTH(D[n]) = H(1 ‖ MTH(D[0:k]) ‖ MTH(D[k:n])), which _root writes out.
        bytes32 left = sha256(abi.encodePacked(hex"01", harness.leaf(_commitment(0)), harness.leaf(_commitment(1))));
        eq(_root(0, 3), sha256(abi.encodePacked(hex"01", left, harness.leaf(_commitment(2)))), "three leaves");
    }

    /// @dev Six nodes and little beside them, with or without the optimizer: memory lies where it is free, not far off.
    function test_merkle__costs_little() public view {
        (bytes32 root, bytes32[] memory proof) = (_root(0, 64), _proof(0, 0, 64));
        uint256 before = gasleft();
        yes(harness.verifyInclusion(root, _commitment(0), 0, 64, proof), "included");
        uint256 used = before - gasleft();
        yes(used < 24_000, string.concat("took ", vm.toString(used)));
    }

    function _commitment(uint256 i) private pure returns (bytes32) {
        return keccak256(abi.encode("reading", i));
    }

    /// @dev RFC 9162 §2.1.1, over the leaves from `from` to below `to`.
    function _root(uint256 from, uint256 to) private pure returns (bytes32) {
        if (to - from == 1) return sha256(abi.encodePacked(hex"00", _commitment(from)));
        uint256 split = from + _half(to - from);
        return sha256(abi.encodePacked(hex"01", _root(from, split), _root(split, to)));
    }

    /// @dev RFC 9162 §2.1.3.1.
    function _proof(uint256 index, uint256 from, uint256 to) private pure returns (bytes32[] memory) {
        if (to - from == 1) return new bytes32[](0);
        uint256 split = from + _half(to - from);
        bool isLeft = index < split;
        bytes32[] memory inner = isLeft ? _proof(index, from, split) : _proof(index, split, to);
        bytes32[] memory proof = new bytes32[](inner.length + 1);
        for (uint256 i = 0; i < inner.length; ++i) proof[i] = inner[i];
        proof[inner.length] = isLeft ? _root(split, to) : _root(from, split);
        return proof;
    }

    function _half(uint256 count) private pure returns (uint256 k) {
        k = 1;
        while (2 * k < count) k *= 2;
    }

    function _longer(bytes32[] memory proof) private pure returns (bytes32[] memory more) {
        more = new bytes32[](proof.length + 1);
        for (uint256 i = 0; i < proof.length; ++i) more[i] = proof[i];
    }

    function _shorter(bytes32[] memory proof) private pure returns (bytes32[] memory less) {
        less = new bytes32[](proof.length - 1);
        for (uint256 i = 0; i < less.length; ++i) less[i] = proof[i];
    }
}
