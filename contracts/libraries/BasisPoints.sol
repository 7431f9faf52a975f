// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @title BasisPoints
/// @notice Names the whole that fees, bonds and owners' parts are parts of: they are told in 1/10,000 of it.
library BasisPoints {
    /// @notice The whole.
    uint256 internal constant WHOLE = 10_000;
}
