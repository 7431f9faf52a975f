// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {ICreditBook} from "../interfaces/ICreditBook.sol";
import {Wiring} from "./libraries/Wiring.sol";

/// @title CreditBook
/// @notice The credit of processing nodes (paper §IV.B end, §V.C): up on success, down on failure, visible to all.
///
///     credit:  0 ──recordSuccess──▶ + GAIN (to MAXIMUM)      ──recordFailure──▶ − LOSS (to FLOOR)
///
/// Who can stop what: nobody can set, give or take credit; PrepaidLock moves it when a lock ends, once a lock.
/// Assumes: a lock ends once (PrepaidLock). A gain that is backed by irrevocably spent fees, so that credit costs what it
/// is worth (protocol §6.5), is a later rule; {recordSuccess} is its place. Until then two colluding members can raise
/// credit for the price of gas.
contract CreditBook is ICreditBook {
    /// @inheritdoc ICreditBook
    uint32 public constant GAIN = 10;
    /// @inheritdoc ICreditBook
    uint32 public constant LOSS = 30;
    /// @inheritdoc ICreditBook
    uint32 public constant MAXIMUM = 1_000_000;
    /// @notice The lowest credit, which is also a newcomer's.
    uint32 public constant FLOOR = 0;

    /// @notice The only account that moves credit.
    address public immutable prepaidLock;

    /// @inheritdoc ICreditBook
    mapping(address account => uint32 credit) public creditOf;

    modifier onlyLock() {
        if (msg.sender != prepaidLock) revert CreditBook_NotLock(msg.sender);
        _;
    }

    /// @param prepaidLock_ Deployed after this contract, at an address known beforehand: it has no code yet.
    constructor(address prepaidLock_) {
        prepaidLock = Wiring.requireAddress(prepaidLock_);
    }

    /// @inheritdoc ICreditBook
    function recordSuccess(address account, bytes32 lockId) external onlyLock {
        uint32 previous = creditOf[account];
        _move(account, lockId, previous, previous > MAXIMUM - GAIN ? MAXIMUM : previous + GAIN);
    }

    /// @inheritdoc ICreditBook
    function recordFailure(address account, bytes32 lockId) external onlyLock {
        uint32 previous = creditOf[account];
        _move(account, lockId, previous, previous < FLOOR + LOSS ? FLOOR : previous - LOSS);
    }

    function _move(address account, bytes32 lockId, uint32 previous, uint32 current) private {
        creditOf[account] = current;

        emit CreditChanged(account, lockId, previous, current);
    }
}
