// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Lock, LockState} from "../../../interfaces/IPrepaidLock.sol";
import {LockLifecycle} from "../../../contracts/libraries/LockLifecycle.sol";
import {Vm} from "../base/Vm.sol";

enum Step {
    Reject,
    Accept,
    Claim,
    Decline,
    Deliver,
    Demand,
    Serve,
    Slash,
    Dispute,
    DecideForPayer,
    DecideForPayee,
    Settle,
    Refund
}

/// @notice One lock in any state, whose every step can be tried.
contract OneLock {
    using LockLifecycle for Lock;

    Lock internal lock;

    constructor(LockState state_, uint40 expiresAt, uint40 dueAt, uint32 windowSeconds, bool isDemanded) {
        (lock.state, lock.expiresAt, lock.dueAt) = (state_, expiresAt, dueAt);
        (lock.disputeWindowSeconds, lock.isDemanded) = (windowSeconds, isDemanded);
    }

    function take(Step step, uint32 stageSeconds) external {
        if (step == Step.Reject) lock.reject(0);
        else if (step == Step.Accept) lock.accept(0);
        else if (step == Step.Claim) lock.claim(0);
        else if (step == Step.Decline) lock.decline(0);
        else if (step == Step.Deliver) lock.deliver(0);
        else if (step == Step.Demand) lock.demand(0, stageSeconds);
        else if (step == Step.Serve) lock.serve(0);
        else if (step == Step.Slash) lock.slash(0);
        else if (step == Step.Dispute) lock.dispute(0, stageSeconds);
        else if (step == Step.DecideForPayer) lock.decide(0, true);
        else if (step == Step.DecideForPayee) lock.decide(0, false);
        else if (step == Step.Settle) lock.settle(0);
        else lock.refund(0);
    }

    function state() external view returns (LockState) {
        return lock.state;
    }
}

/// @notice For halmos: every state, every deadline, every second, every step.
contract LockLifecycleSymbolic {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    struct Any {
        uint40 expiresAt;
        uint40 dueAt;
        uint32 windowSeconds;
        uint32 stageSeconds;
        uint64 nowAt;
        bool isDemanded;
    }

    /// @dev Before the end: success iff now < T, refund iff now ≥ T (§6.2).
    function check_success_and_refund__are_never_both_open_nor_both_closed(bool isRequest, Any memory any) public {
        LockState state = isRequest ? LockState.Accepted : LockState.Selected;
        bool succeeds = _isOpen(state, isRequest ? Step.Claim : Step.Deliver, any);
        bool refunds = _isOpen(state, Step.Refund, any);
        assert(succeeds != refunds);
        assert(succeeds == (any.nowAt < any.expiresAt));
    }

    /// @dev After success: at each second either a demand or a dispute may begin or the lock settles; either it is served
    /// or slashed; either it is decided or refunded. So anybody can end it once the stage is over, and nobody before.
    function check_each_stage__is_either_running_or_over(uint8 which, Any memory any) public {
        (LockState state, Step within, Step after_) = (LockState.Claimed, Step.Dispute, Step.Settle);
        if (which == 1) state = LockState.Delivered;
        if (which == 2) (state, within, after_) = (LockState.Demanded, Step.Serve, Step.Slash);
        if (which == 3) (state, within, after_) = (LockState.Disputed, Step.DecideForPayer, Step.Refund);
        if (which == 4) (state, within, after_) = (LockState.Disputed, Step.DecideForPayee, Step.Refund);
        bool runs = _isOpen(state, within, any);
        bool isOver = _isOpen(state, after_, any);
        assert(runs != isOver);
        assert(runs == (any.nowAt < any.dueAt));
    }

    /// @dev A lock ends once: what has ended takes no step.
    function check_ended_lock__takes_no_step(uint8 state, uint8 step, Any memory any) public {
        vm.assume(state <= uint8(type(LockState).max) && step <= uint8(type(Step).max));
        vm.assume(_isEnd(LockState(state)));
        OneLock lock = _lock(LockState(state), any);
        vm.warp(any.nowAt);
        assert(!_try(lock, Step(step), any));
        assert(lock.state() == LockState(state));
    }

    /// @dev A lock that does not exist takes no step either, and no step leads back to where it began.
    function check_any_step__never_leads_to_the_beginning(uint8 state, uint8 step, Any memory any) public {
        vm.assume(state <= uint8(type(LockState).max) && step <= uint8(type(Step).max));
        OneLock lock = _lock(LockState(state), any);
        vm.warp(any.nowAt);
        bool taken = _try(lock, Step(step), any);
        LockState then_ = lock.state();
        if (!taken) assert(then_ == LockState(state));
        if (taken) {
            assert(LockState(state) != LockState.None && then_ != LockState.None);
            assert(then_ != LockState.Requested && then_ != LockState.Selected);
        }
    }

    /// @dev A second demand is never open: the time a lock can be held up is bounded.
    function check_demand__is_open_once(Any memory any) public {
        bool opens = _isOpen(LockState.Claimed, Step.Demand, any);
        assert(opens == (!any.isDemanded && any.nowAt < any.dueAt));
    }

    function _isOpen(LockState state, Step step, Any memory any) private returns (bool) {
        OneLock lock = _lock(state, any);
        vm.warp(any.nowAt);
        return _try(lock, step, any);
    }

    function _lock(LockState state, Any memory any) private returns (OneLock) {
        return new OneLock(state, any.expiresAt, any.dueAt, any.windowSeconds, any.isDemanded);
    }

    function _try(OneLock lock, Step step, Any memory any) private returns (bool ok) {
        (ok,) = address(lock).call(abi.encodeCall(OneLock.take, (step, any.stageSeconds)));
    }

    function _isEnd(LockState s) private pure returns (bool) {
        return s == LockState.Rejected || s == LockState.Declined || s == LockState.Refunded || s == LockState.Settled
            || s == LockState.Slashed;
    }
}
