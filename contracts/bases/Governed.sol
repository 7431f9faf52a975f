// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Wiring} from "../libraries/Wiring.sol";

/// @title Governed
/// @notice A contract that obeys the decisions of the consortium: calls that come from its address, and no others.
abstract contract Governed {
    /// @notice The caller is not the consortium.
    error Governed_NotConsortium(address caller);

    address internal immutable CONSORTIUM;

    modifier onlyConsortium() {
        if (msg.sender != CONSORTIUM) revert Governed_NotConsortium(msg.sender);
        _;
    }

    constructor(address consortium_) {
        CONSORTIUM = Wiring.requireContract(consortium_);
    }
}
