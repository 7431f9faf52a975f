// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {G2Point} from "../types/Points.sol";

/// @title DataSetId
/// @notice A data set's id commits to its key: whoever holds F_0 computes the id, and no other F_0 has it.
library DataSetId {
    /// @notice Returns the id of the data set with this key commitment in this book.
    function idOf(address dataSets, G2Point calldata keyCommitment) internal view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, dataSets, keyCommitment));
    }
}
