// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Lock, LockState} from "../../../interfaces/IPrepaidLock.sol";
import {LockLifecycle} from "../../../contracts/libraries/LockLifecycle.sol";
import {Vm} from "../base/Vm.sol";

/// @notice One lock, whose every step can be tried.
contract OneLock {
    using LockLifecycle for Lock;

    Lock internal lock;

    constructor(LockState state_, uint40 expiresAt, uint40 settleAt, uint32 windowSeconds) {
        (lock.state, lock.expiresAt) = (state_, expiresAt);
        (lock.settleAt, lock.disputeWindowSeconds) = (settleAt, windowSeconds);
    }

    function step(uint256 which) external {
        if (which == 0) lock.reject(0);
        else if (which == 1) lock.accept(0);
        else if (which == 2) lock.claim(0);
        else if (which == 3) lock.decline(0);
        else if (which == 4) lock.deliver(0);
        else if (which == 5) lock.settle(0);
        else lock.refund(0);
    }

    function state() external view returns (LockState) {
        return lock.state;
    }
}

/// @notice For halmos: every state, every deadline, every second, every step.
contract LockLifecycleSymbolic {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint256 private constant STEPS = 7;

    function check_success_and_refund__are_never_both_open_nor_both_closed(
        bool isRequest,
        uint40 expiresAt,
        uint32 windowSeconds,
        uint64 nowAt
    ) public {
        LockState state = isRequest ? LockState.Accepted : LockState.Selected;
        OneLock one = new OneLock(state, expiresAt, 0, windowSeconds);
        OneLock other = new OneLock(state, expiresAt, 0, windowSeconds);
        vm.warp(nowAt);
        bool succeeds = _try(one, isRequest ? 2 : 4);
        bool refunds = _try(other, 6);
        assert(succeeds != refunds);
        assert(succeeds == (nowAt < expiresAt));
    }

    function check_ended_lock__takes_no_step(uint8 state, uint40 expiresAt, uint40 settleAt, uint64 nowAt, uint8 which)
        public
    {
        vm.assume(state <= uint8(type(LockState).max) && which < STEPS);
        vm.assume(_isEnd(LockState(state)));
        OneLock lock = new OneLock(LockState(state), expiresAt, settleAt, 0);
        vm.warp(nowAt);
        assert(!_try(lock, which));
        assert(lock.state() == LockState(state));
    }

    function _try(OneLock lock, uint256 which) private returns (bool ok) {
        (ok,) = address(lock).call(abi.encodeCall(OneLock.step, (which)));
    }

    function _isEnd(LockState s) private pure returns (bool) {
        return s == LockState.Rejected || s == LockState.Declined || s == LockState.Refunded || s == LockState.Settled
            || s == LockState.Slashed;
    }
}
