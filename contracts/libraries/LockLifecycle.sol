// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IPrepaidLock, Lock, LockState} from "../../interfaces/IPrepaidLock.sol";

/// @title LockLifecycle
/// @notice The state machine of a lock (protocol §3): which step is open from which state, and when.
///
///     request   None ── Requested ──reject──▶ Rejected
///                           │ └────refund (now ≥ T)──▶ Refunded ◀──refund (now ≥ T)──┐
///                           └──accept (now < T)──▶ Accepted ─────────────────────────┤
///                                                      └──claim (now < T)──▶ Claimed ┼──settle──▶ Settled
///     sharing   None ── Selected ──decline (now < T)──▶ Declined                     │      ▲
///                           ├──────────────────────────────refund (now ≥ T)──────────┘      │
///                           └──deliver (now < T)──▶ Delivered ──settle (now ≥ settleAt)─────┘
///
/// @dev The deadline T is half-open: at every second either success or refund is open, never both and never neither.
/// Nothing here asks who calls, and nothing but the lock and the time decides.
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
        _beginWindow(lock, LockState.Claimed);
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
        _beginWindow(lock, LockState.Delivered);
    }

    /// @notice Claimed or Delivered → Settled, once the dispute window is over.
    function settle(Lock storage lock, bytes32 lockId) internal {
        LockState state = lock.state;
        if (state != LockState.Claimed && state != LockState.Delivered) {
            revert IPrepaidLock.PrepaidLock_WrongState(lockId, state);
        }
        if (block.timestamp < lock.settleAt) {
            revert IPrepaidLock.PrepaidLock_TooEarly(lockId, lock.settleAt, block.timestamp);
        }
        lock.state = LockState.Settled;
    }

    /// @notice Requested, Accepted or Selected → Refunded, from T on.
    /// @return broken Whether the payee had taken the task on (accepted or was selected), so that its credit falls.
    function refund(Lock storage lock, bytes32 lockId) internal returns (bool broken) {
        LockState state = lock.state;
        broken = state == LockState.Accepted || state == LockState.Selected;
        if (!broken && state != LockState.Requested) revert IPrepaidLock.PrepaidLock_WrongState(lockId, state);
        if (block.timestamp < lock.expiresAt) {
            revert IPrepaidLock.PrepaidLock_NotExpired(lockId, lock.expiresAt, block.timestamp);
        }
        lock.state = LockState.Refunded;
    }

    function _leave(Lock storage lock, bytes32 lockId, LockState expected) private view {
        LockState state = lock.state;
        if (state != expected) revert IPrepaidLock.PrepaidLock_WrongState(lockId, state);
    }

    function _requireBeforeExpiry(Lock storage lock, bytes32 lockId) private view {
        if (block.timestamp >= lock.expiresAt) {
            revert IPrepaidLock.PrepaidLock_Expired(lockId, lock.expiresAt, block.timestamp);
        }
    }

    function _beginWindow(Lock storage lock, LockState next) private {
        lock.state = next;
        // 40 bits of seconds last for 34,000 years.
        lock.settleAt = uint40(block.timestamp + lock.disputeWindowSeconds);
    }
}
