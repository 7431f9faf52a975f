// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @title MerkleSha256
/// @notice Verifies RFC 9162 §2.1.3 inclusion proofs over SHA-256 trees of 32-byte leaves: commitments of readings, or
/// entries of an owners' list.
/// @dev Leaves and nodes have different prefixes, so no inner node passes for a leaf. Index and tree size decide every
/// turn and the exact length of the proof.
library MerkleSha256 {
    /// @notice Hashes a leaf's 32 bytes, a reading's commitment M' for one: SHA256(0x00 ‖ M').
    function leaf(bytes32 commitment) internal view returns (bytes32 hashed) {
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore8(buffer, 0)
            mstore(add(buffer, 1), commitment)
            // Only too little gas makes it fail.
            if iszero(staticcall(gas(), 0x02, buffer, 33, 0, 0x20)) { revert(0, 0) }
            hashed := mload(0)
        }
    }

    /// @notice Tells whether `commitment` is leaf `index` (from 0) of the tree of `treeSize` leaves with this root.
    /// @param proof The siblings from the leaf to the root.
    function verify(bytes32 root, bytes32 commitment, uint256 index, uint256 treeSize, bytes32[] calldata proof)
        internal
        view
        returns (bool)
    {
        if (index >= treeSize) return false;
        uint256 last = treeSize - 1;
        bytes32 computed = leaf(commitment);
        assembly ("memory-safe") {
            // One buffer for 0x01 ‖ left ‖ right: a step writes two words of it. Nothing here allocates memory.
            let buffer := mload(0x40)
            mstore8(buffer, 1)
            let at := proof.offset
            let end := add(at, shl(5, proof.length))
            for {} lt(at, end) { at := add(at, 0x20) } {
                // A proof that is too long fails the last comparison: `last` is not 0 then.
                if iszero(last) {
                    last := 1
                    break
                }
                switch or(and(index, 1), eq(index, last))
                case 0 {
                    mstore(add(buffer, 1), computed)
                    mstore(add(buffer, 33), calldataload(at))
                }
                default {
                    // The last of an odd row moves up unpaired until it is a right child.
                    for {} iszero(and(index, 1)) {} {
                        index := shr(1, index)
                        last := shr(1, last)
                    }
                    mstore(add(buffer, 1), calldataload(at))
                    mstore(add(buffer, 33), computed)
                }
                // Only too little gas makes it fail.
                if iszero(staticcall(gas(), 0x02, buffer, 65, 0, 0x20)) { revert(0, 0) }
                computed := mload(0)
                index := shr(1, index)
                last := shr(1, last)
            }
        }
        return last == 0 && computed == root;
    }
}
