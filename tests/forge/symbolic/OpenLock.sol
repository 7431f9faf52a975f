// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {ICreditBook} from "../../../interfaces/ICreditBook.sol";
import {IDataSetBook} from "../../../interfaces/IDataSetBook.sol";
import {IDisputeCourt} from "../../../interfaces/IDisputeCourt.sol";
import {IMemberRegistry, Role} from "../../../interfaces/IMemberRegistry.sol";
import {Lock, LockState} from "../../../interfaces/IPrepaidLock.sol";
import {IRequestCatalogue, Rules} from "../../../interfaces/IRequestCatalogue.sol";
import {PrepaidLock} from "../../../contracts/PrepaidLock.sol";
import {G1Point, G2Point} from "../../../contracts/types/Points.sol";

/// @notice PrepaidLock as it is, but that a lock can be put into any state, with the money and the bond that belong to it.
contract OpenLock is PrepaidLock {
    constructor(Stubs stubs)
        PrepaidLock(
            IMemberRegistry(address(stubs)),
            IRequestCatalogue(address(stubs)),
            IDataSetBook(address(stubs)),
            ICreditBook(address(stubs)),
            address(stubs),
            IDisputeCourt(address(stubs))
        )
    {}

    function put(bytes32 lockId, Lock memory lock) external payable {
        _locks[lockId] = lock;
        LockState s = lock.state;
        bool holdsBond = s == LockState.Accepted || s == LockState.Claimed || s == LockState.Demanded
            || s == LockState.Selected || s == LockState.Delivered;
        liabilitiesWei = lock.priceWei;
        if (s == LockState.Demanded) liabilitiesWei += demandWeiOf(lockId);
        require(msg.value == liabilitiesWei + lock.bondWei, "OpenLock: value");
        this.fund{value: lock.bondWei}(lock.payee);
        if (holdsBond) _hold(lock.payee, lock.bondWei);
    }

    function fund(address account) external payable {
        if (msg.value != 0) _addBond(account);
    }
}

/// @notice The id of the data set of which that is F_0, at a book that the stubs stand for.
function dataSetOf(Stubs stubs) view returns (bytes32) {
    return keccak256(abi.encode(block.chainid, stubs, keyCommitment()));
}

/// @notice F_0 of every data set. Whether it is a point at all is the precompiles' matter, which answer anything here.
function keyCommitment() pure returns (G2Point memory) {
    return G2Point(1, 2, 3, 4);
}

/// @notice What the lock asks of others, answered plainly. Credit is only counted: it is CreditBook's own matter.
contract Stubs {
    Rules internal rules;
    uint256 public successes;
    uint256 public failures;
    uint256 public potWei;

    constructor(Rules memory rules_) {
        rules = rules_;
    }

    function consortium() external view returns (address) {
        return address(this);
    }

    function rulesAt(uint32) external view virtual returns (Rules memory) {
        return rules;
    }

    /// @dev Of a data set of seven rows.
    function recordSale(bytes32, uint256 partWei) external returns (uint256 restWei) {
        restWei = partWei % 7;
        potWei += partWei - restWei;
    }

    /// @dev Every signature under a registered key holds.
    function isSignedBy(address, bytes calldata, bytes calldata, G1Point calldata) external pure returns (bool) {
        return true;
    }

    function isActive(address, Role) external view virtual returns (bool) {
        return true;
    }

    function beginnerOf(address) external pure virtual returns (Role, bytes32) {
        return (Role.User, "region");
    }

    function activeRoleOf(address) external pure returns (Role, bytes32) {
        return (Role.Processor, "region");
    }

    function mayBegin(address, Role) external pure returns (bool) {
        return true;
    }

    function open(bytes32, uint40) external pure {}

    function recordSuccess(address, address, uint256, bytes32) external {
        ++successes;
    }

    function recordFailure(address, bytes32) external {
        ++failures;
    }
}
