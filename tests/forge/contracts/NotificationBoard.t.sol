// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Role} from "../../../interfaces/IMemberRegistry.sol";
import {INotificationBoard, Policy, Standing, Status} from "../../../interfaces/INotificationBoard.sol";
import {Wiring} from "../../../contracts/libraries/Wiring.sol";
import {System} from "../base/System.sol";

contract NotificationBoardTest is System {
    bytes32 private constant DIGEST = "report";
    Policy private policy = Policy(100, 3_000, 0, 600, 86_400, false, false);

    function setUp() public {
        deploySystem("PrepaidLock");
        castMembers();
    }

    function test_constructor__when_registry_has_no_code__reverts() public {
        refuse(abi.encodeWithSelector(Wiring.Wiring_NoContract.selector, address(7777)));
        this.make(address(7777));
    }

    function make(address registry_) external returns (address) {
        return create("NotificationBoard", abi.encode(registry_));
    }

    function test_setPolicy__when_caller_may_not_decide__reverts() public {
        _refusesPolicy(device, neighbour);
        _refusesPolicy(device, device);
        _refusesPolicy(processor, meterOwner);
        _refusesPolicy(processor, address(0));
        _refusesPolicy(outsider, address(0));
        revoke(meterOwner);
        _refusesPolicy(device, meterOwner);
    }

    function test_setPolicy__when_it_makes_no_sense__reverts() public {
        policy.lowPowerW = policy.highPowerW;
        _refusesField("lowPowerW");
        ++policy.lowPowerW;
        _refusesField("lowPowerW");
        policy.lowPowerW = policy.highPowerW - 1;
        (policy.feedsIn, policy.highFeedInW) = (true, 1);
        _refusesField("highFeedInW");
        policy.feedsIn = false;
        policy.heartbeatSeconds = 59;
        _refusesField("heartbeatSeconds");
        policy.heartbeatSeconds = 0;
        _refusesField("heartbeatSeconds");
        policy.heartbeatSeconds = 60;
        _set();
    }

    function test_setPolicy__stores_emits_and_forgets_the_status() public {
        _set();
        _report(50, 0);
        eq(uint256(board.standingOf(device).status), uint256(Status.TooLow), "judged");
        policy.lowPowerW = -5;
        policy.feedsIn = true;
        vm.expectEmit(address(board));
        emit INotificationBoard.PolicySet(device, meterOwner, policy);
        _set();
        eq(abi.encode(board.policyOf(device)), abi.encode(policy), "policy");
        Standing memory kept;
        (kept.reportedAt, kept.changedAt, kept.reports) = (uint64(block.timestamp), uint64(block.timestamp), 1);
        eq(abi.encode(board.standingOf(device)), abi.encode(kept), "when it was seen stays");
        vm.warp(block.timestamp + policy.heartbeatSeconds + 1);
        eq(uint256(board.standingOf(device).status), uint256(Status.Offline), "silent under the new policy");
    }

    function test_report__when_caller_may_not_report__reverts() public {
        bytes4 notDevice = INotificationBoard.NotificationBoard_NotDevice.selector;
        refuse(abi.encodeWithSelector(notDevice, meterOwner));
        _reportBy(meterOwner, 1, 0);
        refuse(abi.encodeWithSelector(INotificationBoard.NotificationBoard_NoPolicy.selector, device));
        _report(1, 0);
        refuse(abi.encodeWithSelector(INotificationBoard.NotificationBoard_NoPolicy.selector, device));
        _reportSealed("c", "d");
        _set();
        refuse(abi.encodeWithSelector(INotificationBoard.NotificationBoard_WrongMode.selector, device, false));
        _reportSealed("c", "d");
        policy.isSealed = true;
        _set();
        refuse(abi.encodeWithSelector(INotificationBoard.NotificationBoard_WrongMode.selector, device, true));
        _report(1, 0);
        revoke(device);
        refuse(abi.encodeWithSelector(notDevice, device));
        _report(1, 0);
        refuse(abi.encodeWithSelector(notDevice, device));
        _reportSealed("c", "d");
    }

    /// @dev Algorithm 1 at each threshold -1, 0, +1.
    function test_report__judges_by_algorithm_1() public {
        _set();
        int64[10] memory powers = [type(int64).min, -1, 0, 1, 100, 101, 2_999, 3_000, 3_001, type(int64).max];
        Status[10] memory expected = [
            Status.ShutDown,
            Status.ShutDown,
            Status.ShutDown,
            Status.TooLow,
            Status.TooLow,
            Status.InOperation,
            Status.InOperation,
            Status.TooHigh,
            Status.TooHigh,
            Status.TooHigh
        ];
        for (uint256 i = 0; i < powers.length; ++i) {
            _report(powers[i], 599);
            eq(uint256(board.standingOf(device).status), uint256(expected[i]), "status");
            no(board.standingOf(device).temperatureTooHigh, "cool");
            (Status judged, bool hot) = board.judge(policy, powers[i], 600);
            eq(uint256(judged), uint256(expected[i]), "judge");
            yes(hot, "at the warning");
            (, hot) = board.judge(policy, powers[i], 601);
            yes(hot, "above the warning");
        }
    }

    function test_report__given_feed_in__judges_the_opposite_sign() public {
        policy.feedsIn = true;
        _set();
        int64[6] memory powers = [int64(1), 0, -1, -101, -3_000, type(int64).min];
        Status[6] memory expected = [
            Status.ShutDown, Status.ShutDown, Status.TooLow, Status.InOperation, Status.TooHigh, Status.TooHigh
        ];
        for (uint256 i = 0; i < powers.length; ++i) {
            _report(powers[i], 0);
            eq(uint256(board.standingOf(device).status), uint256(expected[i]), "status");
        }
    }

    function test_report__given_both_ways__judges_each_by_its_own_threshold() public {
        policy.highFeedInW = 2_500;
        _set();
        int64[9] memory powers = [type(int64).min, -2_501, -2_500, -2_499, -1, 0, 100, 101, 3_000];
        Status[9] memory expected = [
            Status.TooHigh,
            Status.TooHigh,
            Status.TooHigh,
            Status.InOperation,
            Status.InOperation,
            Status.ShutDown,
            Status.TooLow,
            Status.InOperation,
            Status.TooHigh
        ];
        for (uint256 i = 0; i < powers.length; ++i) {
            _report(powers[i], 0);
            eq(uint256(board.standingOf(device).status), uint256(expected[i]), "status");
        }
    }

    function test_report__when_temperature_is_not_measured__is_never_too_hot() public {
        policy.temperatureWarningDc = type(int32).min;
        _set();
        _report(500, -32_768);
        no(board.standingOf(device).temperatureTooHigh, "not measured");
        _report(500, -32_767);
        yes(board.standingOf(device).temperatureTooHigh, "measured, one above");
        _report(500, -32_769);
        yes(board.standingOf(device).temperatureTooHigh, "measured, one below");
    }

    function test_report__when_status_or_flag_changes__stores_and_emits_once() public {
        _set();
        vm.warp(BEGIN + 10);
        _expectChange(Status.InOperation, Status.None, false, 500, 0);
        _report(500, 0);
        _stands(Standing(Status.InOperation, false, uint64(BEGIN + 10), uint64(BEGIN + 10), 1));

        vm.warp(BEGIN + 20);
        vm.recordLogs();
        _report(600, 1);
        eq(vm.getRecordedLogs().length, 0, "nothing changed");
        _stands(Standing(Status.InOperation, false, uint64(BEGIN + 20), uint64(BEGIN + 10), 2));

        vm.warp(BEGIN + 30);
        _expectChange(Status.InOperation, Status.InOperation, true, 600, 600);
        _report(600, 600);
        _stands(Standing(Status.InOperation, true, uint64(BEGIN + 30), uint64(BEGIN + 30), 3));

        vm.warp(BEGIN + 40);
        _expectChange(Status.TooHigh, Status.InOperation, true, 3_000, 900);
        _report(3_000, 900);
        _stands(Standing(Status.TooHigh, true, uint64(BEGIN + 40), uint64(BEGIN + 40), 4));

        vm.warp(BEGIN + 50);
        _expectChange(Status.TooHigh, Status.TooHigh, false, 3_000, 599);
        _report(3_000, 599);
        _stands(Standing(Status.TooHigh, false, uint64(BEGIN + 50), uint64(BEGIN + 50), 5));
    }

    function test_report__given_revoked_owner__still_judges() public {
        _set();
        revoke(meterOwner);
        _report(50, 0);
        eq(uint256(board.standingOf(device).status), uint256(Status.TooLow), "status");
    }

    function test_standingOf__when_heartbeat_is_missed__is_offline() public {
        policy.heartbeatSeconds = 60;
        _set();
        vm.warp(BEGIN + 1_000);
        eq(uint256(board.standingOf(device).status), uint256(Status.None), "never seen");
        _report(500, 0);
        vm.warp(BEGIN + 1_060);
        eq(uint256(board.standingOf(device).status), uint256(Status.InOperation), "just in time");
        vm.warp(BEGIN + 1_061);
        eq(uint256(board.standingOf(device).status), uint256(Status.Offline), "too late");
        eq(uint256(board.standingOf(device).reports), 1, "the rest stays");
        _report(500, 0);
        eq(uint256(board.standingOf(device).status), uint256(Status.InOperation), "back");
    }

    function test_report__given_seconds_beyond_32_bits__stores_them_whole() public {
        vm.warp(2 ** 32 + 9);
        _set();
        _report(500, 0);
        _stands(Standing(Status.InOperation, false, 2 ** 32 + 9, 2 ** 32 + 9, 1));
    }

    function test_reportSealed__when_a_part_is_missing__reverts() public {
        policy.isSealed = true;
        _set();
        bytes memory refused = abi.encodeWithSelector(INotificationBoard.NotificationBoard_BadReport.selector, device);
        refuse(refused);
        _reportSealed(0, "d");
        refuse(refused);
        _reportSealed("c", 0);
        refuse(refused);
        _reportSealed(0, 0);
    }

    function test_reportSealed__refreshes_and_emits_also_when_repeated() public {
        policy.isSealed = true;
        _set();
        for (uint64 i = 1; i <= 2; ++i) {
            vm.warp(BEGIN + i);
            vm.expectEmit(address(board));
            emit INotificationBoard.SealedReport(device, "c", "d");
            _reportSealed("c", "d");
            _stands(Standing(Status.None, false, uint64(BEGIN) + i, 0, uint32(i)));
        }
    }

    function testFuzz_judge__is_algorithm_1(Policy memory any, int64 powerW, int32 temperatureDc) public view {
        int256 judged = any.feedsIn ? -int256(powerW) : int256(powerW);
        Status expected = Status.InOperation;
        if (any.highFeedInW > 0 && powerW < 0) {
            if (int256(powerW) + int256(uint256(any.highFeedInW)) <= 0) expected = Status.TooHigh;
        } else {
            if (judged <= any.lowPowerW) expected = Status.TooLow;
            if (judged >= any.highPowerW) expected = Status.TooHigh;
            if (!(judged > 0)) expected = Status.ShutDown;
        }
        (Status status, bool hot) = board.judge(any, powerW, temperatureDc);
        eq(uint256(status), uint256(expected), "status");
        bool isMeasured = temperatureDc != -32_768;
        eq(hot, isMeasured && !(temperatureDc < any.temperatureWarningDc), "temperature");
    }

    function _set() private {
        vm.prank(meterOwner);
        board.setPolicy(device, policy);
    }

    function _refusesPolicy(address of_, address by) private {
        refuse(abi.encodeWithSelector(INotificationBoard.NotificationBoard_NotOwner.selector, of_, by));
        vm.prank(by);
        board.setPolicy(of_, policy);
    }

    function _refusesField(bytes32 field) private {
        refuse(abi.encodeWithSelector(INotificationBoard.NotificationBoard_BadPolicy.selector, field));
        _set();
    }

    function _report(int64 powerW, int32 temperatureDc) private {
        _reportBy(device, powerW, temperatureDc);
    }

    function _reportBy(address by, int64 powerW, int32 temperatureDc) private {
        vm.prank(by);
        board.report(powerW, temperatureDc, true, DIGEST);
    }

    function _reportSealed(bytes32 commitment, bytes32 digest) private {
        vm.prank(device);
        board.reportSealed(commitment, digest);
    }

    function _expectChange(Status status, Status previous, bool hot, int64 powerW, int32 temperatureDc) private {
        vm.expectEmit(address(board));
        emit INotificationBoard.StatusChanged(device, status, previous, hot, powerW, temperatureDc, true, DIGEST);
    }

    function _stands(Standing memory expected) private view {
        eq(abi.encode(board.standingOf(device)), abi.encode(expected), "standing");
    }
}
