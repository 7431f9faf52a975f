// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";

import {Bond, IPrepaidLock} from "../../interfaces/IPrepaidLock.sol";

/// @title Purse
/// @notice Keeps the money of {PrepaidLock}: what each account may withdraw, the bonds, the market's deposits, and the
/// one way out.
///
///     bond:  {addBond} ──▶ free ──{_hold}──▶ held ──{_free}──▶ free ──{takeBond}──▶ withdrawable
///                                             └──{_forfeit}──▶ withdrawable by the other party
///
/// @dev Sums move here between accounts; ether moves in by payable functions alone and out by {withdrawFor} alone.
/// `liabilitiesWei` grows with what comes in and falls with what goes out, so that it is the sum of all that is owed.
/// Sums have 96 bits: 79 billion ether.
abstract contract Purse is IPrepaidLock {
    using Checkpoints for Checkpoints.Trace208;

    /// @inheritdoc IPrepaidLock
    mapping(address account => uint256 amountWei) public withdrawableOf;
    /// @inheritdoc IPrepaidLock
    mapping(bytes32 broadcastId => uint96 amountWei) public applicationOf;
    /// @inheritdoc IPrepaidLock
    uint256 public liabilitiesWei;

    mapping(address account => Bond bond) private _bonds;
    // Holds all that was ever added to a bond, or freed by a decline, by time: what came after an offer does not back
    // it.
    mapping(address account => Checkpoints.Trace208 sumsWei) private _added;

    /*//////////////////////////////////////////////////////////////
                                THE WAY OUT
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IPrepaidLock
    /// @dev Needs no reentrancy guard: the sum is zeroed and the counter lowered before the only call in this contract
    /// that reaches foreign code, and no other function leaves a half-done state behind such a call. A receiver that
    /// re-enters finds the state that every later caller will find; one that reverts keeps its own money here and harms
    /// nobody else.
    function withdrawFor(address account) external {
        // check
        uint256 amountWei = withdrawableOf[account];
        if (amountWei == 0) revert PrepaidLock_NothingToWithdraw(account);

        // effect
        withdrawableOf[account] = 0;
        liabilitiesWei -= amountWei;

        // log
        emit Withdrawn(account, msg.sender, amountWei);

        // interaction
        _send(account, amountWei);
    }

    function _send(address account, uint256 amountWei) private {
        bool sent;
        // In assembly, because Solidity would copy what the receiver returns, at the caller's cost.
        assembly ("memory-safe") {
            sent := call(gas(), account, amountWei, 0, 0, 0, 0)
        }
        if (!sent) revert PrepaidLock_TransferFailed(account, amountWei);
    }

    function _owe(address account, uint256 amountWei) internal {
        withdrawableOf[account] += amountWei;
    }

    /*//////////////////////////////////////////////////////////////
                                  BONDS
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IPrepaidLock
    function takeBond(uint96 amountWei) external {
        // check
        Bond storage bond = _bonds[msg.sender];
        uint96 freeWei = bond.freeWei;
        if (amountWei == 0 || amountWei > freeWei) revert PrepaidLock_BondTooSmall(msg.sender, freeWei, amountWei);

        // effect
        (bond.freeWei, bond.freedAt) = (freeWei - amountWei, uint40(block.timestamp));
        _owe(msg.sender, amountWei);

        // log
        emit BondTaken(msg.sender, amountWei);
    }

    /// @inheritdoc IPrepaidLock
    function bondOf(address account) external view returns (Bond memory) {
        return _bonds[account];
    }

    /// @inheritdoc IPrepaidLock
    function isCovered(address account, uint256 amountWei, uint256 since) external view returns (bool) {
        Bond storage bond = _bonds[account];
        Checkpoints.Trace208 storage added = _added[account];
        uint256 addedWei = added.latest() - added.upperLookup(uint48(since));
        uint256 freeWei = bond.freeWei;
        return freeWei >= addedWei && freeWei - addedWei >= amountWei && bond.freedAt <= since;
    }

    function _addBond(address account) internal {
        // check
        if (msg.value == 0) revert PrepaidLock_WrongValue(0, 1);
        uint96 amountWei = SafeCast.toUint96(msg.value);

        // effect
        _bonds[account].freeWei += amountWei;
        _noteAdded(account, amountWei);
        liabilitiesWei += amountWei;

        // log
        emit BondAdded(account, msg.sender, amountWei);
    }

    function _hold(address account, uint96 amountWei) internal {
        Bond storage bond = _bonds[account];
        (uint96 freeWei, uint96 heldWei) = (bond.freeWei, bond.heldWei);
        if (freeWei < amountWei) revert PrepaidLock_BondTooSmall(account, freeWei, amountWei);
        (bond.freeWei, bond.heldWei) = (freeWei - amountWei, heldWei + amountWei);
    }

    function _free(address account, uint96 amountWei) internal {
        Bond storage bond = _bonds[account];
        (bond.freeWei, bond.heldWei) = (bond.freeWei + amountWei, bond.heldWei - amountWei);
    }

    /// @dev Frees what the owner chose not to stand for. It counts as added now: else a bond could be shown to one
    /// buyer, promised to another and kept from the first for nothing. What else is free backs every offer as before,
    /// so that no buyer's selection takes a node's other deposits.
    function _freeByChoice(address account, uint96 amountWei) internal {
        _free(account, amountWei);
        _noteAdded(account, amountWei);
    }

    function _noteAdded(address account, uint96 amountWei) private {
        Checkpoints.Trace208 storage added = _added[account];
        added.push(uint48(block.timestamp), added.latest() + amountWei);
    }

    function _forfeit(address account, uint96 amountWei, address to) internal {
        _bonds[account].heldWei -= amountWei;
        _owe(to, amountWei);
    }

    /*//////////////////////////////////////////////////////////////
                    THE MARKET'S APPLICATION DEPOSITS
    //////////////////////////////////////////////////////////////*/

    function _holdApplication(bytes32 broadcastId, address payer) internal {
        uint96 amountWei = SafeCast.toUint96(msg.value);
        applicationOf[broadcastId] += amountWei;
        liabilitiesWei += amountWei;

        emit ApplicationHeld(broadcastId, payer, amountWei);
    }

    function _releaseApplication(bytes32 broadcastId, address[] calldata to, uint96[] calldata amountsWei) internal {
        uint256 heldWei = applicationOf[broadcastId];
        applicationOf[broadcastId] = 0;
        uint256 releasedWei;
        for (uint256 i = 0; i < to.length; ++i) {
            releasedWei += amountsWei[i];
            _owe(to[i], amountsWei[i]);

            emit ApplicationReleased(broadcastId, to[i], amountsWei[i]);
        }
        // The parts are summed up as they are owed; where the sum is wrong, the call reverts and nobody is owed
        // anything.
        if (releasedWei != heldWei) revert PrepaidLock_WrongRelease(broadcastId, heldWei, releasedWei);
    }
}
