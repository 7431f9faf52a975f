// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {ForwardingWallet} from "./ForwardingWallet.sol";

/// @notice A member that calls back when it receives ether, and notes how that went. For tests only.
contract ReentrantReceiver is ForwardingWallet {
    address public target;
    bytes public data;
    uint256 public attempts;
    uint256 public successes;
    bytes public lastResult;

    function prepare(address target_, bytes calldata data_) external {
        target = target_;
        data = data_;
    }

    receive() external payable {
        if (target == address(0)) return;
        ++attempts;
        (bool ok, bytes memory result) = target.call(data);
        if (ok) ++successes;
        lastResult = result;
    }
}
