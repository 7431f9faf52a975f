// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @notice Forces ether upon an address by dying. For tests only.
contract ForcedEther {
    constructor(address payable victim) payable {
        selfdestruct(victim);
    }
}
