// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @title Wiring
/// @notice Refuses, at construction, a part that is not there. Wiring is immutable, so a slip could never be mended.
library Wiring {
    error Wiring_ZeroAddress();
    error Wiring_NoContract(address part);

    /// @notice Returns the part, or reverts if it has no code.
    function requireContract(address part) internal view returns (address) {
        if (part.code.length == 0) revert Wiring_NoContract(part);
        return part;
    }

    /// @notice Returns the address, or reverts if it is zero. For parts that are deployed later, at a known address.
    function requireAddress(address part) internal pure returns (address) {
        if (part == address(0)) revert Wiring_ZeroAddress();
        return part;
    }
}
