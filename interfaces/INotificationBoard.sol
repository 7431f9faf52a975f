// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @notice Algorithm 1's verdicts; Offline is derived from a missed heartbeat and never stored.
enum Status {
    None,
    InOperation,
    ShutDown,
    TooHigh,
    TooLow,
    Offline
}

/// @notice What the owner wants to be told.
/// @param lowPowerW At or below: "too low". Less than highPowerW.
/// @param highPowerW At or above: "too high".
/// @param highFeedInW Above 0: the meter draws and feeds in. Power below 0 is then "in operation", feeding in, and at
/// or above so much of it "too high"; 0 alone is "shut down". 0: it does one of both. One slot holds all fields.
/// @param temperatureWarningDc At or above (0.1 °C): "temperature too high".
/// @param heartbeatSeconds After so long without a report the device is offline; at least 60.
/// @param feedsIn The device only feeds in: its power is judged with the opposite sign. Not beside highFeedInW.
/// @param isSealed The device judges itself and publishes only the sealed report and a commitment.
struct Policy {
    int64 lowPowerW;
    int64 highPowerW;
    uint48 highFeedInW;
    int32 temperatureWarningDc;
    uint32 heartbeatSeconds;
    bool feedsIn;
    bool isSealed;
}

/// @notice A device's standing.
struct Standing {
    Status status;
    bool temperatureTooHigh;
    uint64 reportedAt;
    uint64 changedAt;
    uint32 reports;
}

/// @title INotificationBoard
/// @notice Device notifications (paper §V.A, Algorithm 1), judged on chain against the owner's policy.
/// A status change emits an event; a repeat only refreshes the heartbeat.
interface INotificationBoard {
    /// @notice Emitted when the owner set a policy.
    event PolicySet(address indexed device, address indexed owner, Policy policy);
    /// @notice Emitted when status or temperature flag changed.
    /// @param injected Whether the device marked the report as a trial that no measurement stands behind.
    /// @param reportDigest SHA-256 (and CID) of the human-readable report, sealed to the owner and signed by the
    /// device; zero if none.
    event StatusChanged(
        address indexed device,
        Status indexed status,
        Status previous,
        bool temperatureTooHigh,
        int64 powerW,
        int32 temperatureDc,
        bool injected,
        bytes32 reportDigest
    );
    /// @notice Emitted for each report of a device in sealed mode.
    /// @param commitment SHA256d of the report with its nonce.
    event SealedReport(address indexed device, bytes32 commitment, bytes32 reportDigest);

    /// @notice The caller does not own the device, or is no active user.
    error NotificationBoard_NotOwner(address device, address caller);
    /// @notice The caller is not an active device.
    error NotificationBoard_NotDevice(address caller);
    /// @notice The device has no policy yet.
    error NotificationBoard_NoPolicy(address device);
    /// @notice The device reports in the other mode.
    error NotificationBoard_WrongMode(address device, bool isSealed);
    /// @notice A field of the policy is out of range; `field` names it.
    error NotificationBoard_BadPolicy(bytes32 field);
    /// @notice An empty commitment or digest in a sealed report.
    error NotificationBoard_BadReport(address device);

    /// @notice Sets a device's policy. Setting one forgets the status, so that the next report is a change, and keeps
    /// when the device was last seen.
    /// @dev Emits {PolicySet}. Requirements:
    /// - the caller is the active user that owns the device;
    /// - lowPowerW < highPowerW;
    /// - feedsIn is not set beside highFeedInW;
    /// - heartbeatSeconds ≥ 60.
    function setPolicy(address device, Policy calldata policy) external;

    /// @notice Judges a report by Algorithm 1: power ≤ 0 is "shut down", ≥ highPowerW "too high", ≤ lowPowerW "too
    /// low", anything else "in operation". A temperature ≥ the warning sets the flag beside it, unless the temperature
    /// is NOT_MEASURED_DC (−32768). Of a meter that draws and feeds in, power < 0 is "in operation" or "too high".
    /// @dev Emits {StatusChanged} when status or flag changed. Requirements:
    /// - the caller is an active device;
    /// - the device has a policy, in open mode.
    function report(int64 powerW, int32 temperatureDc, bool injected, bytes32 reportDigest) external;

    /// @notice Refreshes the heartbeat and publishes a sealed report.
    /// @dev Emits {SealedReport}. Requirements:
    /// - the caller is an active device;
    /// - the device has a policy, in sealed mode;
    /// - neither value is zero.
    function reportSealed(bytes32 commitment, bytes32 reportDigest) external;

    /// @notice The verdict of Algorithm 1, as a pure function.
    function judge(Policy calldata policy, int64 powerW, int32 temperatureDc)
        external
        pure
        returns (Status status, bool temperatureTooHigh);

    /// @notice The standing now; status is Offline when now > reportedAt + heartbeatSeconds, and None before the first
    /// report.
    function standingOf(address device) external view returns (Standing memory);

    /// @notice The policy (heartbeatSeconds 0 if none).
    function policyOf(address device) external view returns (Policy memory);
}
