// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IMemberRegistry, Role} from "../interfaces/IMemberRegistry.sol";
import {INotificationBoard, Policy, Standing, Status} from "../interfaces/INotificationBoard.sol";
import {Wiring} from "./libraries/Wiring.sol";

/// @title NotificationBoard
/// @notice Judges device reports by the paper's Algorithm 1 (§V.A) against the owner's policy.
///
///     standing:  None ──report──▶ {InOperation | ShutDown | TooHigh | TooLow} ──report──▶ …
///     any of them ──setPolicy──▶ None, and last seen when it was
///                any of them, seen later than the last report + heartbeat: Offline (derived, never stored)
///     A device in sealed mode judges itself: its stored status stays None, only its heartbeat is seen.
///
/// Who can stop what: revoking a device stops its reports; revoking the owner stops new policies, not the reports.
/// Assumes: power and temperature are the device's own word. An open-mode report is public for ever.
contract NotificationBoard is INotificationBoard {
    /// @notice The shortest heartbeat an owner may ask for.
    uint32 public constant MIN_HEARTBEAT_SECONDS = 60;
    /// @notice The temperature of a report whose device measured none.
    int32 public constant NOT_MEASURED_DC = -32_768;

    /// @notice Where devices and owners are looked up.
    IMemberRegistry public immutable registry;

    mapping(address device => Policy policy) private _policies;
    mapping(address device => Standing standing) private _standings;

    constructor(address registry_) {
        registry = IMemberRegistry(Wiring.requireContract(registry_));
    }

    /// @inheritdoc INotificationBoard
    function setPolicy(address device, Policy calldata policy) external {
        // check
        bool mayDecide = registry.ownerOf(device) == msg.sender && registry.isActive(msg.sender, Role.User);
        if (!mayDecide) revert NotificationBoard_NotOwner(device, msg.sender);
        if (policy.lowPowerW >= policy.highPowerW) revert NotificationBoard_BadPolicy("lowPowerW");
        if (policy.feedsIn && policy.highFeedInW != 0) revert NotificationBoard_BadPolicy("highFeedInW");
        if (policy.heartbeatSeconds < MIN_HEARTBEAT_SECONDS) {
            revert NotificationBoard_BadPolicy("heartbeatSeconds");
        }

        // effect
        _policies[device] = policy;
        Standing storage standing = _standings[device];
        // When it was last seen stays: a device that is silent goes offline under any policy.
        (standing.status, standing.temperatureTooHigh) = (Status.None, false);

        // log
        emit PolicySet(device, msg.sender, policy);
    }

    /// @inheritdoc INotificationBoard
    function report(int64 powerW, int32 temperatureDc, bool injected, bytes32 reportDigest) external {
        // check
        Policy memory policy = _policyOfCaller({isSealed: false});

        // effect
        (Status status, bool tooHot) = _judge(policy, powerW, temperatureDc);
        Standing memory standing = _standings[msg.sender];
        Status previous = standing.status;
        bool changed = status != previous || tooHot != standing.temperatureTooHigh;
        if (changed) {
            (standing.status, standing.temperatureTooHigh) = (status, tooHot);
            standing.changedAt = uint64(block.timestamp);
        }
        _refresh(standing);

        // log
        if (changed) {
            emit StatusChanged(
                msg.sender, status, previous, tooHot, powerW, temperatureDc, injected, reportDigest
            );
        }
    }

    /// @inheritdoc INotificationBoard
    function reportSealed(bytes32 commitment, bytes32 reportDigest) external {
        // check
        _policyOfCaller({isSealed: true});
        if (commitment == 0 || reportDigest == 0) revert NotificationBoard_BadReport(msg.sender);

        // effect
        _refresh(_standings[msg.sender]);

        // log
        emit SealedReport(msg.sender, commitment, reportDigest);
    }

    /// @inheritdoc INotificationBoard
    function judge(Policy calldata policy, int64 powerW, int32 temperatureDc)
        external
        pure
        returns (Status status, bool temperatureTooHigh)
    {
        return _judge(policy, powerW, temperatureDc);
    }

    /// @inheritdoc INotificationBoard
    function standingOf(address device) external view returns (Standing memory standing) {
        standing = _standings[device];
        if (standing.reportedAt == 0) return standing;
        uint256 lastSeenAt = standing.reportedAt;
        if (block.timestamp > lastSeenAt + _policies[device].heartbeatSeconds) standing.status = Status.Offline;
    }

    /// @inheritdoc INotificationBoard
    function policyOf(address device) external view returns (Policy memory) {
        return _policies[device];
    }

    function _policyOfCaller(bool isSealed) private view returns (Policy memory policy) {
        if (!registry.isActive(msg.sender, Role.Device)) revert NotificationBoard_NotDevice(msg.sender);
        policy = _policies[msg.sender];
        if (policy.heartbeatSeconds == 0) revert NotificationBoard_NoPolicy(msg.sender);
        if (policy.isSealed != isSealed) revert NotificationBoard_WrongMode(msg.sender, policy.isSealed);
    }

    function _judge(Policy memory policy, int64 powerW, int32 temperatureDc)
        private
        pure
        returns (Status status, bool temperatureTooHigh)
    {
        status = _judgePower(policy, powerW);
        temperatureTooHigh = temperatureDc != NOT_MEASURED_DC && temperatureDc >= policy.temperatureWarningDc;
    }

    /// @dev Algorithm 1, its branches in the paper's order; before them what it does not know: a meter that draws and
    /// feeds in, below 0. int256, because −type(int64).min is no int64.
    function _judgePower(Policy memory policy, int64 powerW) private pure returns (Status) {
        if (policy.highFeedInW != 0 && powerW < 0) {
            bool isHigh = -int256(powerW) >= int256(uint256(policy.highFeedInW));
            return isHigh ? Status.TooHigh : Status.InOperation;
        }
        int256 judgedW = policy.feedsIn ? -int256(powerW) : int256(powerW);
        if (judgedW <= 0) return Status.ShutDown;
        if (judgedW >= policy.highPowerW) return Status.TooHigh;
        if (judgedW <= policy.lowPowerW) return Status.TooLow;
        return Status.InOperation;
    }

    /// @dev The standing is one slot: it is written once, whole.
    function _refresh(Standing memory standing) private {
        standing.reportedAt = uint64(block.timestamp);
        ++standing.reports;
        _standings[msg.sender] = standing;
    }
}
