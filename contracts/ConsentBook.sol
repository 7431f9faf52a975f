// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IConsentBook} from "../interfaces/IConsentBook.sol";
import {IMemberRegistry, Role} from "../interfaces/IMemberRegistry.sol";
import {Wiring} from "./libraries/Wiring.sol";

/// @title ConsentBook
/// @notice Keeps the consent of a device's owner to a purpose (protocol §2.5). It covers the whole record of the
/// device.
///
///     (device, purpose):  none ──give──▶ given ──withdraw──▶ none        given ──now ≥ expiresAt──▶ lapsed
///
/// Who can stop what: the owner withdraws at any time, also after its revocation; nobody else can withdraw or renew. A
/// withdrawal ends the next sale of what is published already; what was sold cannot be called back. Assumes: processors
/// read this book when they build a data set and before they deliver it; no contract can see which devices a sealed
/// file holds, only which its owners' list names.
contract ConsentBook is IConsentBook {
    /// @notice Where devices and owners are looked up.
    IMemberRegistry public immutable registry;

    mapping(address device => mapping(bytes32 purpose => uint64 expiresAt)) private _expiries;

    constructor(address registry_) {
        registry = IMemberRegistry(Wiring.requireContract(registry_));
    }

    /// @inheritdoc IConsentBook
    function give(address device, bytes32 purpose, uint64 expiresAt) external {
        // check
        _requireOwner(device);
        if (!registry.isActive(msg.sender, Role.User)) revert ConsentBook_NotOwner(device, msg.sender);
        if (expiresAt <= block.timestamp) revert ConsentBook_Expired(expiresAt, block.timestamp);

        // effect
        _expiries[device][purpose] = expiresAt;

        // log
        emit ConsentGiven(device, purpose, msg.sender, expiresAt);
    }

    /// @inheritdoc IConsentBook
    function withdraw(address device, bytes32 purpose) external {
        // check
        _requireOwner(device);
        if (_expiries[device][purpose] == 0) revert ConsentBook_NoConsent(device, purpose);

        // effect
        delete _expiries[device][purpose];

        // log
        emit ConsentWithdrawn(device, purpose, msg.sender);
    }

    /// @inheritdoc IConsentBook
    function stands(address device, bytes32 purpose) external view returns (bool) {
        if (block.timestamp >= _expiries[device][purpose]) return false;
        return registry.isActive(device, Role.Device) && registry.isActive(registry.ownerOf(device), Role.User);
    }

    /// @inheritdoc IConsentBook
    function expiryOf(address device, bytes32 purpose) external view returns (uint64) {
        return _expiries[device][purpose];
    }

    /// @dev An owner is a user for ever (an account has one role), so that a revoked one still passes here.
    function _requireOwner(address device) private view {
        if (registry.ownerOf(device) != msg.sender) revert ConsentBook_NotOwner(device, msg.sender);
    }
}
