// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @title MerkleSha256
/// @notice Verifies RFC 9162 §2.1.3 inclusion proofs over SHA-256 trees of 32-byte commitments.
/// @dev Leaves and nodes have different prefixes, so no inner node passes for a leaf. Index and tree size decide every
/// turn and the exact length of the proof.
library MerkleSha256 {
    /// @notice Hashes a reading's commitment M' to a leaf: SHA256(0x00 ‖ M').
    function leaf(bytes32 commitment) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0x00), commitment));
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
        // One buffer for 0x01 ‖ left ‖ right: a step writes two words of it. Nothing below allocates memory.
        uint256 buffer;
        assembly ("memory-safe") {
            buffer := mload(0x40)
            mstore8(buffer, 1)
        }
        for (uint256 i = 0; i < proof.length; ++i) {
            if (last == 0) return false;
            if (index & 1 == 1) {
                computed = _node(buffer, proof[i], computed);
            } else if (index == last) {
                // The last of an odd row moves up unpaired until it is a right child.
                while (index & 1 == 0) (index, last) = (index >> 1, last >> 1);
                computed = _node(buffer, proof[i], computed);
            } else {
                computed = _node(buffer, computed, proof[i]);
            }
            (index, last) = (index >> 1, last >> 1);
        }
        return last == 0 && computed == root;
    }

    /// @dev SHA256(0x01 ‖ left ‖ right); the buffer's first byte is 1 already.
    function _node(uint256 buffer, bytes32 left, bytes32 right) private view returns (bytes32 hashed) {
        assembly ("memory-safe") {
            mstore(add(buffer, 1), left)
            mstore(add(buffer, 33), right)
            // Only too little gas makes it fail.
            if iszero(staticcall(gas(), 0x02, buffer, 65, 0, 0x20)) { revert(0, 0) }
            hashed := mload(0)
        }
    }
}
