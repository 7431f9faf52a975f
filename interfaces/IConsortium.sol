// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @title IConsortium
/// @notice The one door through which the consortium governs: every contract obeys calls that come from this address
/// and no other. How the consortium reaches a decision (one owner account, or a k-of-n vote) is this contract's affair,
/// so the governed contracts do not change when it does.
interface IConsortium {
    /// @notice Emitted when a decision was carried out.
    /// @param target The governed contract that was called.
    /// @param selector The function that was called on it.
    /// @param by The account that brought the call.
    event Executed(address indexed target, bytes4 indexed selector, address indexed by);

    /// @notice The caller may not bring decisions of the consortium.
    error Consortium_NotAllowed(address caller);

    /// @notice The target has no code, so that a call would silently do nothing.
    error Consortium_NoContract(address target);

    /// @notice Carries out a decision. A revert of the target is passed on unchanged.
    /// @param target The governed contract.
    /// @param data The ABI-encoded call.
    /// @return result What the target returned.
    function execute(address target, bytes calldata data) external returns (bytes memory result);

    /// @notice Whether an account may bring a decision now.
    function mayExecute(address account) external view returns (bool);
}
