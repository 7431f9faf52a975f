// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IPrepaidLock} from "../../interfaces/IPrepaidLock.sol";

/// @notice Serves many demanded answers in one transaction, as cheaply as the chain allows. For tests only: whether
/// {IPrepaidLock.serve} can pay more than it takes.
contract ServingBatch {
    error ServingBatch_Refused(bytes32 lockId);

    /// @notice Serves `count` answers, each of `length` zero bytes, which stand in no transaction: memory is zero by
    /// itself.
    function serveZeros(IPrepaidLock prepaidLock, bytes32[] calldata lockIds, uint256 length) external {
        uint256 padded = (length + 31) & ~uint256(31);
        bytes4 selector = IPrepaidLock.serve.selector;
        for (uint256 i = 0; i < lockIds.length; ++i) {
            bytes32 lockId = lockIds[i];
            bool served;
            assembly ("memory-safe") {
                let at := mload(0x40) // never moved: each call uses the same place
                mstore(at, selector)
                mstore(add(at, 4), lockId)
                mstore(add(at, 36), 64)
                mstore(add(at, 68), length)
                served := call(gas(), prepaidLock, 0, at, add(100, padded), 0, 0)
            }
            if (!served) revert ServingBatch_Refused(lockId);
        }
    }

    /// @notice Serves an answer that is given for each lock.
    function serve(IPrepaidLock prepaidLock, bytes32[] calldata lockIds, bytes[] calldata answers) external {
        for (uint256 i = 0; i < lockIds.length; ++i) {
            prepaidLock.serve(lockIds[i], answers[i]);
        }
    }
}
