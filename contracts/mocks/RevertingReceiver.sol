// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {ForwardingWallet} from "./ForwardingWallet.sol";

/// @notice A member that refuses ether until it is opened. For tests only.
contract RevertingReceiver is ForwardingWallet {
    error RevertingReceiver_Closed();

    bool public isOpen;

    function setOpen(bool open) external {
        isOpen = open;
    }

    receive() external payable {
        if (!isOpen) revert RevertingReceiver_Closed();
    }
}
