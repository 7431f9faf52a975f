// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @title ICreditBook
/// @notice The credit of processing nodes (paper §IV.B, §V.C): moved only by PrepaidLock at the end of a lock, read by
/// everybody. The rule, its proof and what self-dealing costs under it: docs/credit.md.
///
/// A success gains floor(fee / pointWei) points, where the fee is what the lock's price has irrevocably paid to the
/// consortium; at most {MAX_GAIN} a lock, {PAIR_CAP} an epoch from one payer, {ACCOUNT_CAP} an epoch in all. A failure
/// takes {LOSS} points. At the end of each epoch of {EPOCH_SECONDS}, counted for everybody alike from 1970, seven
/// eighths remain, rounded down; so no credit exceeds {MAXIMUM}. Credit c has then cost at least c · pointWei in fees,
/// whatever the number of accounts.
interface ICreditBook {
    /// @notice Emitted at each end of a lock that counts; `previous` is the credit after decay, before this end.
    event CreditChanged(address indexed account, bytes32 indexed lockId, uint32 previous, uint32 current);

    /// @notice The caller is not the PrepaidLock.
    error CreditBook_NotLock(address caller);
    /// @notice A point costs at least one wei.
    error CreditBook_BadPoint();

    /// @notice Records that a lock ended well: credit rises by what the fee and the caps give.
    /// @dev Emits {CreditChanged}. Requirements:
    /// - the caller is PrepaidLock.
    /// @param account Whose credit rises: the payee.
    /// @param payer Whose payments count towards the pair's cap.
    /// @param feeWei What the consortium got of the price, for ever.
    function recordSuccess(address account, address payer, uint256 feeWei, bytes32 lockId) external;

    /// @notice Records that a lock ended in failure: credit falls by the loss, down to zero.
    /// @dev Emits {CreditChanged}. Requirements:
    /// - the caller is PrepaidLock.
    function recordFailure(address account, bytes32 lockId) external;

    /// @notice The credit now, after decay; 0 for a newcomer.
    function creditOf(address account) external view returns (uint32);

    /// @notice What an account has gained in the present epoch.
    function gainedOf(address account) external view returns (uint32);

    /// @notice What an account has gained from one payer in the present epoch.
    function gainedFrom(address account, address payer) external view returns (uint32);

    /// @notice The fee behind one point, in wei.
    function pointWei() external view returns (uint256);

    /// @notice The most that one lock adds.
    function MAX_GAIN() external view returns (uint32);

    /// @notice The most that one payer's locks add in an epoch.
    function PAIR_CAP() external view returns (uint32);

    /// @notice The most that all locks add in an epoch.
    function ACCOUNT_CAP() external view returns (uint32);

    /// @notice What a failure takes: heavier than any gain.
    function LOSS() external view returns (uint32);

    /// @notice What no credit exceeds: the sum of {ACCOUNT_CAP} · (7/8)^k over all k.
    function MAXIMUM() external view returns (uint32);

    /// @notice The length of an epoch.
    function EPOCH_SECONDS() external view returns (uint256);
}
