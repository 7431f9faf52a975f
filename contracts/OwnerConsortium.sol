// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IConsortium} from "../interfaces/IConsortium.sol";

/// @title OwnerConsortium
/// @notice The consortium while one owner account decides for it. The k-of-n vote takes this contract's place behind
/// {IConsortium}; the governed contracts know that interface alone.
///
/// Lifecycle of the ownership: owner → transferOwnership(next) → acceptOwnership() by next. It is never given up: the
/// contracts that obey this address could then never admit or revoke anybody again.
///
/// Who can stop what: the owner can do whatever the consortium can, and that is only to govern what *begins* (members,
/// request types, terms). Nothing here holds money or can reach a lock.
/// Assumes: the owner's key is kept like the consortium's; its loss ends governance, not the running locks.
contract OwnerConsortium is IConsortium, Ownable2Step {
    constructor(address initialOwner) Ownable(initialOwner) {}

    /// @inheritdoc IConsortium
    function execute(address target, bytes calldata data) external returns (bytes memory result) {
        if (!mayExecute(msg.sender)) revert Consortium_NotAllowed(msg.sender);
        if (target.code.length == 0) revert Consortium_NoContract(target);

        emit Executed(target, bytes4(data), msg.sender);

        bool ok;
        (ok, result) = target.call(data);
        if (!ok) _passOn(result);
    }

    /// @inheritdoc IConsortium
    function mayExecute(address account) public view returns (bool) {
        return account == owner();
    }

    /// @notice Refused: a consortium without an owner could never decide again.
    function renounceOwnership() public view override onlyOwner {
        revert OwnableInvalidOwner(address(0));
    }

    function _passOn(bytes memory revertData) private pure {
        assembly ("memory-safe") {
            revert(add(revertData, 0x20), mload(revertData))
        }
    }
}
