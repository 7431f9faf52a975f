// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @title IConsentBook
/// @notice Records whether a device's owner lets its readings into data sets: for a named purpose, until a date, and
/// withdrawn at will. A withdrawal ends the next sale of what is published already: whoever shows that the device is in
/// a data set ends that data set's sale ({IDataSetBook.retireFor}). What was sold cannot be called back.
interface IConsentBook {
    /// @notice Emitted when the owner consents (again).
    event ConsentGiven(address indexed device, bytes32 indexed purpose, address indexed owner, uint64 expiresAt);
    /// @notice Emitted when the owner withdraws.
    event ConsentWithdrawn(address indexed device, bytes32 indexed purpose, address indexed owner);

    /// @notice The caller does not own the device.
    error ConsentBook_NotOwner(address device, address caller);
    /// @notice The expiry is not in the future.
    error ConsentBook_Expired(uint64 expiresAt, uint256 nowAt);
    /// @notice There is no consent to withdraw.
    error ConsentBook_NoConsent(address device, bytes32 purpose);

    /// @notice Gives consent to a purpose until `expiresAt` (unix seconds, exclusive).
    /// @dev Requirements:
    /// - the caller owns the device;
    /// - it is an active user;
    /// - expiresAt > now.
    function give(address device, bytes32 purpose, uint64 expiresAt) external;

    /// @notice Withdraws a consent. Also a revoked owner may withdraw.
    /// @dev Requirements:
    /// - the caller owns the device;
    /// - a consent was given and not withdrawn since.
    function withdraw(address device, bytes32 purpose) external;

    /// @notice Tells whether the device may be in a data set that is sold now: its consent has not expired, and the
    /// device and its owner are active members.
    function stands(address device, bytes32 purpose) external view returns (bool);

    /// @notice Returns the expiry of the standing consent, 0 if none was given or it was withdrawn.
    function expiryOf(address device, bytes32 purpose) external view returns (uint64);
}
