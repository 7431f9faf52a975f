// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @title ICreditBook
/// @notice The credit of processing nodes (paper §IV.B, §V.C): moved only by PrepaidLock at the end of a lock, read by everybody.
interface ICreditBook {
    /// @notice Emitted at each movement.
    event CreditChanged(address indexed account, bytes32 indexed lockId, uint32 previous, uint32 current);

    /// @notice The caller is not the PrepaidLock.
    error CreditBook_NotLock(address caller);

    /// @notice A lock ended well: credit rises by the gain, up to the maximum.
    function recordSuccess(address account, bytes32 lockId) external;

    /// @notice A lock ended in failure: credit falls by the loss, down to zero. The loss is heavier than the gain.
    function recordFailure(address account, bytes32 lockId) external;

    /// @notice The credit now; 0 for a newcomer.
    function creditOf(address account) external view returns (uint32);

    /// @notice What a success adds.
    function GAIN() external view returns (uint32);

    /// @notice What a failure takes.
    function LOSS() external view returns (uint32);

    /// @notice The highest credit.
    function MAXIMUM() external view returns (uint32);
}
