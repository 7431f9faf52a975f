// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @notice A member that is a contract: anyone makes it call anything. For tests only.
abstract contract ForwardingWallet {
    /// @notice Calls `target` as this contract; passes a revert on.
    function execute(address target, uint256 valueWei, bytes calldata data) external payable {
        (bool ok, bytes memory result) = target.call{value: valueWei}(data);
        if (ok) return;
        assembly ("memory-safe") {
            revert(add(result, 0x20), mload(result))
        }
    }
}
