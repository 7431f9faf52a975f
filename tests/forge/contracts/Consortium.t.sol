// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IConsortium, Proposal} from "../../../interfaces/IConsortium.sol";
import {IMemberRegistry} from "../../../interfaces/IMemberRegistry.sol";
import {TestBase} from "../base/TestBase.sol";

/// @dev Counts what is asked of it, and refuses one thing.
contract Obedient {
    error Obedient_Never(uint256 number);

    uint256 public number;
    uint256 public receivedWei;

    function set(uint256 to) external payable returns (uint256) {
        if (to == 13) revert Obedient_Never(to);
        (number, receivedWei) = (to, receivedWei + msg.value);
        return to + 1;
    }

    function fallBack() external payable {}
    receive() external payable {}
}

contract ConsortiumTest is TestBase {
    uint256 private constant BEGIN = 1_800_000_000;
    uint256 private constant DELAY = 2 days;
    uint256 private constant LIFE = 45 days;

    IConsortium private it;
    Obedient private target;
    address[] private founders;
    bytes private data;

    function setUp() public {
        vm.warp(BEGIN);
        for (uint256 i = 1; i <= 5; ++i) founders.push(address(uint160(0xC0 + i)));
        it = IConsortium(create("Consortium", abi.encode(founders, uint256(3), DELAY, BEGIN)));
        target = new Obedient();
        data = abi.encodeCall(Obedient.set, (7));
    }

    function make(address[] memory members, uint256 k, uint256 delay, uint256 foundingEndsAt)
        external
        returns (address)
    {
        return create("Consortium", abi.encode(members, k, delay, foundingEndsAt));
    }

    // ---- founding ----

    function test_constructor__at_each_bound() public {
        refuse(abi.encodeWithSelector(IConsortium.Consortium_BadDelay.selector, 14 days + 1));
        this.make(founders, 3, 14 days + 1, BEGIN);
        refuse(abi.encodeWithSelector(IConsortium.Consortium_BadFounding.selector, BEGIN + 30 days + 1));
        this.make(founders, 3, 0, BEGIN + 30 days + 1);
        IConsortium other = IConsortium(this.make(founders, 3, 14 days, BEGIN + 30 days));
        eq(other.foundingEndsAt(), BEGIN + 30 days, "founding");
        uint256[3] memory bad = [uint256(0), 2, 6];
        for (uint256 i = 0; i < 3; ++i) {
            refuse(abi.encodeWithSelector(IConsortium.Consortium_BadMembers.selector, 5, bad[i]));
            this.make(founders, bad[i], 0, 0);
        }
        this.make(founders, 5, 0, 0);
        refuse(abi.encodeWithSelector(IConsortium.Consortium_BadMembers.selector, 0, 0));
        this.make(new address[](0), 0, 0, 0);
        founders.push(address(0));
        refuse(abi.encodeWithSelector(IConsortium.Consortium_BadMember.selector, address(0)));
        this.make(founders, 4, 0, 0);
        founders[5] = founders[0];
        refuse(abi.encodeWithSelector(IConsortium.Consortium_BadMember.selector, founders[0]));
        this.make(founders, 4, 0, 0);
    }

    function test_constructor__takes_up_to_32_members() public {
        address[] memory many = new address[](33);
        for (uint256 i = 0; i < 33; ++i) many[i] = address(uint160(1_000 + i));
        refuse(abi.encodeWithSelector(IConsortium.Consortium_BadMembers.selector, 33, 17));
        this.make(many, 17, 0, 0);
        assembly ("memory-safe") {
            mstore(many, 32)
        }
        this.make(many, 17, 0, 0);
    }

    function test_constructor__stores_and_emits() public {
        vm.recordLogs();
        IConsortium other = IConsortium(this.make(founders, 4, 5, BEGIN + 1));
        eq(vm.getRecordedLogs().length, 6, "five members and the threshold");
        eq(abi.encode(other.members()), abi.encode(founders), "members");
        eq(other.threshold(), 4, "threshold");
        eq(other.memberSince(founders[4]), BEGIN, "since");
        eq(other.memberSince(address(this)), 0, "not a member");
        eq(other.proposalCount(), 0, "proposals");
    }

    function test_receive__emits() public {
        vm.expectEmit(address(it));
        emit IConsortium.Received(address(this), 5);
        (bool ok,) = address(it).call{value: 5}("");
        yes(ok, "received");
    }

    // ---- proposals ----

    function test_propose__when_caller_or_target_do_not_fit__reverts() public {
        refuse(abi.encodeWithSelector(IConsortium.Consortium_NotMember.selector, address(this)));
        it.propose(address(target), 0, data);
        refuse(abi.encodeWithSelector(IConsortium.Consortium_NoContract.selector, address(77)));
        vm.prank(founders[0]);
        it.propose(address(77), 0, data);
        vm.prank(founders[0]);
        it.propose(address(77), 1, ""); // a payment
    }

    function test_propose__stores_emits_and_approves() public {
        vm.expectEmit(address(it));
        emit IConsortium.Proposed(1, founders[0], address(target), 3, data);
        vm.expectEmit(address(it));
        emit IConsortium.Approved(1, founders[0]);
        vm.prank(founders[0]);
        eq(it.propose(address(target), 3, data), 1, "id");
        eq(it.proposalCount(), 1, "count");
        bytes32 callHash = keccak256(abi.encode(address(target), uint256(3), data));
        eq(abi.encode(it.proposalOf(1)), abi.encode(Proposal(callHash, uint40(BEGIN), 0, false)), "proposal");
        yes(it.hasApproved(1, founders[0]), "approved");
        no(it.hasApproved(1, founders[1]), "not approved");
        eq(it.approvalsOf(1), 1, "one approval");
        vm.prank(founders[1]);
        eq(it.propose(address(target), 3, data), 2, "the next id");
    }

    function test_approve__when_caller_or_proposal_do_not_fit__reverts() public {
        _propose();
        refuse(abi.encodeWithSelector(IConsortium.Consortium_NotMember.selector, address(this)));
        it.approve(1);
        refuse(abi.encodeWithSelector(IConsortium.Consortium_NoProposal.selector, 2));
        vm.prank(founders[1]);
        it.approve(2);
        refuse(abi.encodeWithSelector(IConsortium.Consortium_AlreadyApproved.selector, 1, founders[0]));
        vm.prank(founders[0]);
        it.approve(1);
    }

    function test_approve__agrees_at_the_threshold_once() public {
        _propose();
        _approve(1);
        eq(it.proposalOf(1).agreedAt, 0, "not yet");
        vm.warp(BEGIN + 50);
        vm.expectEmit(address(it));
        emit IConsortium.Approved(1, founders[2]);
        vm.expectEmit(address(it));
        emit IConsortium.Agreed(1);
        _approve(2);
        eq(it.proposalOf(1).agreedAt, BEGIN + 50, "agreed");
        vm.warp(BEGIN + 60);
        vm.recordLogs();
        _approve(3);
        eq(vm.getRecordedLogs().length, 1, "agreed once");
        eq(it.proposalOf(1).agreedAt, BEGIN + 50, "as before");
    }

    function test_withdrawApproval__takes_the_agreement_back_below_the_threshold() public {
        _agree();
        _approve(3);
        refuse(abi.encodeWithSelector(IConsortium.Consortium_NotApproved.selector, 1, founders[4]));
        vm.prank(founders[4]);
        it.withdrawApproval(1);
        vm.expectEmit(address(it));
        emit IConsortium.ApprovalWithdrawn(1, founders[3]);
        vm.prank(founders[3]);
        it.withdrawApproval(1);
        eq(it.proposalOf(1).agreedAt, BEGIN, "three are left");
        vm.prank(founders[0]);
        it.withdrawApproval(1);
        eq(it.proposalOf(1).agreedAt, 0, "two are left");
        no(it.hasApproved(1, founders[0]), "withdrawn");
        vm.warp(BEGIN + 9);
        _approve(0);
        eq(it.proposalOf(1).agreedAt, BEGIN + 9, "agreed anew");
        refuse(abi.encodeWithSelector(IConsortium.Consortium_NoProposal.selector, 4));
        vm.prank(founders[0]);
        it.withdrawApproval(4);
    }

    function test_withdrawApproval__keeps_the_agreement_above_the_threshold() public {
        _agree();
        _approve(3);
        _approve(4);
        vm.warp(BEGIN + 9);
        vm.prank(founders[4]);
        it.withdrawApproval(1);
        eq(it.proposalOf(1).agreedAt, BEGIN, "four are left");
    }

    function test_execute__when_it_does_not_fit__reverts() public {
        vm.deal(address(it), 10);
        refuse(abi.encodeWithSelector(IConsortium.Consortium_NoProposal.selector, 1));
        it.execute(1, address(target), 0, data);
        _propose();
        _approve(1);
        refuse(abi.encodeWithSelector(IConsortium.Consortium_NotAgreed.selector, 1, 2, 3));
        it.execute(1, address(target), 0, data);
        _approve(2);
        for (uint256 i = 0; i < 3; ++i) {
            address to = i == 0 ? address(this) : address(target);
            refuse(abi.encodeWithSelector(IConsortium.Consortium_OtherCall.selector, 1));
            it.execute(1, to, i == 1 ? 1 : 0, i == 2 ? abi.encodeCall(Obedient.set, (8)) : data);
        }
        vm.warp(BEGIN + DELAY - 1);
        refuse(abi.encodeWithSelector(IConsortium.Consortium_TooEarly.selector, 1, BEGIN + DELAY, BEGIN + DELAY - 1));
        it.execute(1, address(target), 0, data);
        vm.warp(BEGIN + DELAY);
        it.execute(1, address(target), 0, data);
        refuse(abi.encodeWithSelector(IConsortium.Consortium_AlreadyExecuted.selector, 1));
        it.execute(1, address(target), 0, data);
        refuse(abi.encodeWithSelector(IConsortium.Consortium_AlreadyExecuted.selector, 1));
        vm.prank(founders[3]);
        it.approve(1);
        refuse(abi.encodeWithSelector(IConsortium.Consortium_AlreadyExecuted.selector, 1));
        vm.prank(founders[0]);
        it.withdrawApproval(1);
    }

    function test_execute__calls_with_the_value_and_returns() public {
        vm.deal(address(it), 10);
        vm.prank(founders[0]);
        it.propose(address(target), 4, data);
        _approve(1);
        _approve(2);
        vm.warp(BEGIN + DELAY);
        vm.expectEmit(address(it));
        emit IConsortium.Executed(1, address(target), Obedient.set.selector, address(this));
        eq(it.execute(1, address(target), 4, data), abi.encode(8), "returned");
        eq(target.number(), 7, "done");
        eq(target.receivedWei(), 4, "value");
        yes(it.proposalOf(1).isExecuted, "executed");
    }

    function test_execute__when_the_call_reverts__passes_it_on_and_stays_open() public {
        data = abi.encodeCall(Obedient.set, (13));
        _agree();
        vm.warp(BEGIN + DELAY);
        refuse(abi.encodeWithSelector(Obedient.Obedient_Never.selector, 13));
        it.execute(1, address(target), 0, data);
        no(it.proposalOf(1).isExecuted, "open");
    }

    function test_execute__given_a_member_removed_since__counts_again() public {
        _agree();
        vm.warp(BEGIN + DELAY);
        vm.prank(address(it));
        it.removeMember(founders[1], 3);
        refuse(abi.encodeWithSelector(IConsortium.Consortium_NotAgreed.selector, 1, 2, 3));
        it.execute(1, address(target), 0, data);
        vm.prank(address(it));
        it.addMember(founders[1], 3);
        no(it.hasApproved(1, founders[1]), "approves anew");
        vm.prank(founders[1]);
        it.approve(1);
        _agreedFrom(BEGIN + DELAY);
    }

    function test_execute__given_a_threshold_raised_since__asks_for_more() public {
        _agree();
        vm.warp(BEGIN + DELAY);
        vm.prank(address(it));
        it.setThreshold(4);
        refuse(abi.encodeWithSelector(IConsortium.Consortium_NotAgreed.selector, 1, 3, 4));
        it.execute(1, address(target), 0, data);
        _approve(4);
        _agreedFrom(BEGIN + DELAY);
    }

    /// @dev Three approvals that were too few are enough for a lower k, but it is agreed, and waits, from the next one on.
    function test_execute__given_a_threshold_lowered_since__waits_for_another_approval() public {
        vm.prank(address(it));
        it.setThreshold(4);
        _agree();
        vm.warp(BEGIN + DELAY);
        vm.prank(address(it));
        it.setThreshold(3);
        refuse(abi.encodeWithSelector(IConsortium.Consortium_NotAgreed.selector, 1, 3, 3));
        it.execute(1, address(target), 0, data);
        vm.expectEmit(address(it));
        emit IConsortium.Agreed(1);
        _approve(3);
        _agreedFrom(BEGIN + DELAY);
    }

    function test_proposals__lapse_at_each_bound() public {
        _propose();
        vm.warp(BEGIN + LIFE);
        refuse(abi.encodeWithSelector(IConsortium.Consortium_Lapsed.selector, 1, BEGIN + LIFE, BEGIN + LIFE));
        vm.prank(founders[1]);
        it.approve(1);
        vm.warp(BEGIN + LIFE - 1);
        _approve(1);
        _approve(2); // agreed now: it lives from here, the delay not counted
        uint256 lapsesAt = BEGIN + LIFE - 1 + DELAY + LIFE;
        for (uint256 i = 0; i < 2; ++i) {
            vm.warp(lapsesAt + i);
            refuse(abi.encodeWithSelector(IConsortium.Consortium_Lapsed.selector, 1, lapsesAt, lapsesAt + i));
            it.execute(1, address(target), 0, data);
        }
        vm.warp(lapsesAt - 1);
        it.execute(1, address(target), 0, data);
    }

    // ---- delays ----

    function test_delayFor__waits_for_what_hurts_alone() public {
        bytes memory admit = abi.encodeWithSelector(IMemberRegistry.admit.selector);
        bytes memory stop = abi.encodeWithSelector(IMemberRegistry.stopBeginnings.selector);
        eq(it.delayFor(0, admit), 0, "admit");
        eq(it.delayFor(0, stop), 0, "stop");
        eq(it.delayFor(1, admit), DELAY, "admit with ether");
        eq(it.delayFor(0, data), DELAY, "anything else");
        eq(it.delayFor(0, abi.encodeWithSelector(IMemberRegistry.revoke.selector)), DELAY, "revoke");
        eq(it.delayFor(1, ""), DELAY, "a payment");
        IConsortium young = IConsortium(this.make(founders, 3, DELAY, BEGIN + 10));
        vm.warp(BEGIN + 9);
        eq(young.delayFor(1, ""), 0, "during the founding");
        vm.warp(BEGIN + 10);
        eq(young.delayFor(1, ""), DELAY, "after it");
    }

    // ---- members ----

    function test_members__when_caller_is_not_the_consortium__revert() public {
        bytes memory refused = abi.encodeWithSelector(IConsortium.Consortium_NotConsortium.selector, founders[0]);
        vm.startPrank(founders[0]);
        refuse(refused);
        it.addMember(address(9), 3);
        refuse(refused);
        it.removeMember(founders[1], 3);
        refuse(refused);
        it.setThreshold(4);
    }

    function test_addMember__stores_emits_and_keeps_a_majority() public {
        vm.startPrank(address(it));
        address[3] memory bad = [address(0), address(it), founders[2]];
        for (uint256 i = 0; i < 3; ++i) {
            refuse(abi.encodeWithSelector(IConsortium.Consortium_BadMember.selector, bad[i]));
            it.addMember(bad[i], 4);
        }
        refuse(abi.encodeWithSelector(IConsortium.Consortium_BadMembers.selector, 6, 3));
        it.addMember(address(9), 3);
        vm.warp(BEGIN + 5);
        vm.expectEmit(address(it));
        emit IConsortium.MemberAdded(address(9), 4);
        vm.expectEmit(address(it));
        emit IConsortium.ThresholdChanged(4);
        it.addMember(address(9), 4);
        eq(it.memberSince(address(9)), BEGIN + 5, "since");
        eq(it.members().length, 6, "members");
        eq(it.threshold(), 4, "threshold");
    }

    function test_removeMember__stores_emits_and_keeps_a_majority() public {
        vm.startPrank(address(it));
        refuse(abi.encodeWithSelector(IConsortium.Consortium_BadMember.selector, address(9)));
        it.removeMember(address(9), 3);
        refuse(abi.encodeWithSelector(IConsortium.Consortium_BadMembers.selector, 4, 2));
        it.removeMember(founders[1], 2);
        refuse(abi.encodeWithSelector(IConsortium.Consortium_BadMembers.selector, 4, 5));
        it.removeMember(founders[1], 5);
        vm.expectEmit(address(it));
        emit IConsortium.MemberRemoved(founders[1], 4);
        vm.expectEmit(address(it));
        emit IConsortium.ThresholdChanged(4);
        it.removeMember(founders[1], 4);
        eq(it.memberSince(founders[1]), 0, "since");
        eq(it.members().length, 4, "members");
        vm.stopPrank();
        refuse(abi.encodeWithSelector(IConsortium.Consortium_NotMember.selector, founders[1]));
        vm.prank(founders[1]);
        it.propose(address(target), 0, data);
    }

    /// @dev A member that is removed can still take its approval back, and no vote that it gave counts.
    function test_withdrawApproval__by_a_removed_member__reverts() public {
        _agree();
        vm.prank(address(it));
        it.removeMember(founders[0], 3);
        refuse(abi.encodeWithSelector(IConsortium.Consortium_NotApproved.selector, 1, founders[0]));
        vm.prank(founders[0]);
        it.withdrawApproval(1);
        eq(it.approvalsOf(1), 2, "two are left");
    }

    /// @dev What was undone and agreed again waits again.
    function _agreedFrom(uint256 at) private {
        eq(it.proposalOf(1).agreedAt, at, "agreed anew");
        vm.warp(at + DELAY - 1);
        refuse(abi.encodeWithSelector(IConsortium.Consortium_TooEarly.selector, 1, at + DELAY, at + DELAY - 1));
        it.execute(1, address(target), 0, data);
        vm.warp(at + DELAY);
        it.execute(1, address(target), 0, data);
    }

    function _propose() private {
        vm.prank(founders[0]);
        it.propose(address(target), 0, data);
    }

    function _approve(uint256 member) private {
        vm.prank(founders[member]);
        it.approve(1);
    }

    function _agree() private {
        _propose();
        _approve(1);
        _approve(2);
    }
}
