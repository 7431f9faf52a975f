// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IPrepaidLock, Lock, LockState} from "../../interfaces/IPrepaidLock.sol";

/// @title LockLifecycle
/// @notice The state machine of a lock (protocol §3): which step is open from which state, and when.
///
///     request   None ── Requested ──reject──▶ Rejected
///                           │ └────refund (now ≥ T)──▶ Refunded
///                           └──accept (now < T)──▶ Accepted ──refund (now ≥ T)──▶ Refunded
///                                                      └──claim (now < T)──▶ Claimed ──settle (now ≥ dueAt)──▶ Settled
///               Claimed ──demand (once, now < dueAt)──▶ Demanded ──serve (now < dueAt)──▶ Claimed, the window restarts
///                                                           └──slash (now ≥ dueAt)──▶ Slashed
///     sharing   None ── Selected ──decline (now < T)──▶ Declined
///                           ├──refund (now ≥ T)──▶ Refunded
///                           └──deliver (now < T)──▶ Delivered ──settle (now ≥ dueAt)──▶ Settled
///     both      Claimed, Delivered ──dispute (now < dueAt)──▶ Disputed ──decide (now < dueAt)──▶ {Settled | Slashed}
///                                                                └──refund (now ≥ dueAt)──▶ Refunded
///
/// @dev Every deadline is half-open: at each second exactly one of what comes before and what comes after is open.
/// Nothing here asks who calls, and nothing but the lock, the rules under which it began and the time decides.
library LockLifecycle {
    /// @notice Requested → Rejected, at any time.
    function reject(Lock storage lock, bytes32 lockId) internal {
        _leave(lock, lockId, LockState.Requested);
        lock.state = LockState.Rejected;
    }

    /// @notice Requested → Accepted, before T.
    function accept(Lock storage lock, bytes32 lockId) internal {
        _leave(lock, lockId, LockState.Requested);
        _requireBeforeExpiry(lock, lockId);
        lock.state = LockState.Accepted;
    }

    /// @notice Accepted → Claimed, before T; the dispute window begins.
    function claim(Lock storage lock, bytes32 lockId) internal {
        _leave(lock, lockId, LockState.Accepted);
        _requireBeforeExpiry(lock, lockId);
        _enter(lock, LockState.Claimed, lock.disputeWindowSeconds);
    }

    /// @notice Selected → Declined, before T.
    function decline(Lock storage lock, bytes32 lockId) internal {
        _leave(lock, lockId, LockState.Selected);
        _requireBeforeExpiry(lock, lockId);
        lock.state = LockState.Declined;
    }

    /// @notice Selected → Delivered, before T; the dispute window begins.
    function deliver(Lock storage lock, bytes32 lockId) internal {
        _leave(lock, lockId, LockState.Selected);
        _requireBeforeExpiry(lock, lockId);
        _enter(lock, LockState.Delivered, lock.disputeWindowSeconds);
    }

    /// @notice Claimed → Demanded, within the window, once.
    function demand(Lock storage lock, bytes32 lockId, uint256 serveSeconds) internal {
        _leave(lock, lockId, LockState.Claimed);
        _requireBeforeDue(lock, lockId);
        if (lock.isDemanded) revert IPrepaidLock.PrepaidLock_AlreadyDemanded(lockId);
        lock.isDemanded = true;
        _enter(lock, LockState.Demanded, serveSeconds);
    }

    /// @notice Demanded → Claimed, while it may be served; the dispute window begins again.
    function serve(Lock storage lock, bytes32 lockId) internal {
        _leave(lock, lockId, LockState.Demanded);
        _requireBeforeDue(lock, lockId);
        _enter(lock, LockState.Claimed, lock.disputeWindowSeconds);
    }

    /// @notice Demanded → Slashed, when it was not served in time.
    function slash(Lock storage lock, bytes32 lockId) internal {
        _leave(lock, lockId, LockState.Demanded);
        _requireDue(lock, lockId);
        lock.state = LockState.Slashed;
    }

    /// @notice Claimed or Delivered → Disputed, within the window.
    function dispute(Lock storage lock, bytes32 lockId, uint256 decideSeconds) internal {
        _requireHandedOver(lock, lockId);
        _requireBeforeDue(lock, lockId);
        _enter(lock, LockState.Disputed, decideSeconds);
    }

    /// @notice Disputed → Slashed or Settled, by a verdict in time.
    function decide(Lock storage lock, bytes32 lockId, bool forPayer) internal {
        _leave(lock, lockId, LockState.Disputed);
        _requireBeforeDue(lock, lockId);
        lock.state = forPayer ? LockState.Slashed : LockState.Settled;
    }

    /// @notice Claimed or Delivered → Settled, once the dispute window is over.
    function settle(Lock storage lock, bytes32 lockId) internal {
        _requireHandedOver(lock, lockId);
        _requireDue(lock, lockId);
        lock.state = LockState.Settled;
    }

    /// @notice Requested, Accepted or Selected → Refunded, from T on; Disputed → Refunded, when nothing was decided in
    /// time.
    /// @return from The state that was left.
    function refund(Lock storage lock, bytes32 lockId) internal returns (LockState from) {
        from = lock.state;
        if (from == LockState.Disputed) {
            _requireDue(lock, lockId);
        } else if (from == LockState.Requested || from == LockState.Accepted || from == LockState.Selected) {
            if (block.timestamp < lock.expiresAt) {
                revert IPrepaidLock.PrepaidLock_NotExpired(lockId, lock.expiresAt, block.timestamp);
            }
        } else {
            revert IPrepaidLock.PrepaidLock_WrongState(lockId, from);
        }
        lock.state = LockState.Refunded;
    }

    function _leave(Lock storage lock, bytes32 lockId, LockState expected) private view {
        LockState state = lock.state;
        if (state != expected) revert IPrepaidLock.PrepaidLock_WrongState(lockId, state);
    }

    function _requireHandedOver(Lock storage lock, bytes32 lockId) private view {
        LockState state = lock.state;
        if (state != LockState.Claimed && state != LockState.Delivered) {
            revert IPrepaidLock.PrepaidLock_WrongState(lockId, state);
        }
    }

    function _requireBeforeExpiry(Lock storage lock, bytes32 lockId) private view {
        if (block.timestamp >= lock.expiresAt) {
            revert IPrepaidLock.PrepaidLock_Expired(lockId, lock.expiresAt, block.timestamp);
        }
    }

    function _requireBeforeDue(Lock storage lock, bytes32 lockId) private view {
        if (block.timestamp >= lock.dueAt) {
            revert IPrepaidLock.PrepaidLock_TooLate(lockId, lock.dueAt, block.timestamp);
        }
    }

    function _requireDue(Lock storage lock, bytes32 lockId) private view {
        if (block.timestamp < lock.dueAt) {
            revert IPrepaidLock.PrepaidLock_TooEarly(lockId, lock.dueAt, block.timestamp);
        }
    }

    function _enter(Lock storage lock, LockState next, uint256 stageSeconds) private {
        lock.state = next;
        // 40 bits of seconds last for 34,000 years; a stage lasts 30 days at most.
        lock.dueAt = uint40(block.timestamp + stageSeconds);
    }
}
