// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IConsortium, Proposal} from "../../../interfaces/IConsortium.sol";
import {IMemberRegistry} from "../../../interfaces/IMemberRegistry.sol";
import {IRequestCatalogue} from "../../../interfaces/IRequestCatalogue.sol";
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

/// @dev Answers with the bytes that it is called with.
contract Echo {
    fallback(bytes calldata it) external payable returns (bytes memory) {
        return it;
    }
}

contract ConsortiumTest is TestBase {
    uint256 private constant BEGIN = 1_800_000_000;
    uint256 private constant DELAY = 2 days;
    uint256 private constant LIFE = 45 days;
    uint256 private constant LAPSE = 7 days;
    address private constant REGISTRY = address(0x5e9);

    IConsortium private it;
    Obedient private target;
    address[] private founders;
    bytes private data;

    function setUp() public {
        vm.warp(BEGIN);
        for (uint256 i = 1; i <= 5; ++i) founders.push(address(uint160(0xC0 + i)));
        it = IConsortium(create("Consortium", abi.encode(founders, uint256(3), DELAY, BEGIN, REGISTRY)));
        target = new Obedient();
        data = abi.encodeCall(Obedient.set, (7));
    }

    function make(address[] memory members, uint256 k, uint256 delay, uint256 foundingEndsAt)
        external
        returns (address)
    {
        return create("Consortium", abi.encode(members, k, delay, foundingEndsAt, REGISTRY));
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
        eq(abi.encode(it.proposalOf(1)), abi.encode(Proposal(callHash, uint40(BEGIN), 0, 0, false, false)), "proposal");
        yes(it.hasApproved(1, founders[0]), "approved");
        no(it.hasApproved(1, founders[1]), "not approved");
        eq(it.approvalsOf(1), 1, "one approval");
        vm.prank(founders[1]);
        eq(it.propose(address(target), 3, data), 2, "the next id");
    }

    function test_approve__when_caller_or_proposal_do_not_fit__reverts() public {
        _propose();
        bytes32 callHash = _hash();
        refuse(abi.encodeWithSelector(IConsortium.Consortium_NotMember.selector, address(this)));
        it.approve(1, callHash);
        refuse(abi.encodeWithSelector(IConsortium.Consortium_NoProposal.selector, 2));
        vm.prank(founders[1]);
        it.approve(2, callHash);
        refuse(abi.encodeWithSelector(IConsortium.Consortium_OtherCall.selector, 1));
        vm.prank(founders[1]);
        it.approve(1, ~callHash);
        refuse(abi.encodeWithSelector(IConsortium.Consortium_AlreadyApproved.selector, 1, founders[0]));
        vm.prank(founders[0]);
        it.approve(1, callHash);
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
        _execute(address(target), 0, data);
        _propose();
        _approve(1);
        refuse(abi.encodeWithSelector(IConsortium.Consortium_NotAgreed.selector, 1, 2, 3));
        _execute(address(target), 0, data);
        _approve(2);
        for (uint256 i = 0; i < 3; ++i) {
            address to = i == 0 ? address(this) : address(target);
            refuse(abi.encodeWithSelector(IConsortium.Consortium_OtherCall.selector, 1));
            _execute(to, i == 1 ? 1 : 0, i == 2 ? abi.encodeCall(Obedient.set, (8)) : data);
        }
        vm.warp(BEGIN + DELAY - 1);
        refuse(abi.encodeWithSelector(IConsortium.Consortium_TooEarly.selector, 1, BEGIN + DELAY, BEGIN + DELAY - 1));
        _execute(address(target), 0, data);
        vm.warp(BEGIN + DELAY);
        _execute(address(target), 0, data);
        refuse(abi.encodeWithSelector(IConsortium.Consortium_AlreadyExecuted.selector, 1));
        _execute(address(target), 0, data);
        bytes32 callHash = _hash();
        refuse(abi.encodeWithSelector(IConsortium.Consortium_AlreadyExecuted.selector, 1));
        vm.prank(founders[3]);
        it.approve(1, callHash);
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
        bytes32 subject = it.subjectOf(1, address(target), 4, data);
        emit IConsortium.Executed(1, address(target), Obedient.set.selector, subject, founders[3]);
        eq(_execute(address(target), 4, data), abi.encode(8), "returned");
        eq(target.number(), 7, "done");
        eq(target.receivedWei(), 4, "value");
        yes(it.proposalOf(1).isExecuted, "executed");
    }

    function test_execute__when_the_call_reverts__passes_it_on_and_stays_open() public {
        data = abi.encodeCall(Obedient.set, (13));
        _agree();
        vm.warp(BEGIN + DELAY);
        refuse(abi.encodeWithSelector(Obedient.Obedient_Never.selector, 13));
        _execute(address(target), 0, data);
        no(it.proposalOf(1).isExecuted, "open");
    }

    function test_execute__given_a_member_removed_since__counts_again() public {
        _agree();
        vm.warp(BEGIN + DELAY);
        vm.prank(address(it));
        it.removeMember(founders[1], 3);
        refuse(abi.encodeWithSelector(IConsortium.Consortium_NotAgreed.selector, 1, 2, 3));
        _execute(address(target), 0, data);
        vm.prank(address(it));
        it.addMember(founders[1], 3);
        no(it.hasApproved(1, founders[1]), "approves anew");
        _approve(1);
        _agreedFrom(BEGIN + DELAY);
    }

    function test_execute__given_a_threshold_raised_since__asks_for_more() public {
        _agree();
        vm.warp(BEGIN + DELAY);
        vm.prank(address(it));
        it.setThreshold(4);
        refuse(abi.encodeWithSelector(IConsortium.Consortium_NotAgreed.selector, 1, 3, 4));
        _execute(address(target), 0, data);
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
        _execute(address(target), 0, data);
        vm.expectEmit(address(it));
        emit IConsortium.Agreed(1);
        _approve(3);
        _agreedFrom(BEGIN + DELAY);
    }

    function test_proposals__lapse_at_each_bound() public {
        _propose();
        bytes32 callHash = _hash();
        vm.warp(BEGIN + LIFE);
        refuse(abi.encodeWithSelector(IConsortium.Consortium_Lapsed.selector, 1, BEGIN + LIFE, BEGIN + LIFE));
        vm.prank(founders[1]);
        it.approve(1, callHash);
        vm.warp(BEGIN + LIFE - 1);
        _approve(1);
        _approve(2); // agreed now: a week from where it may be carried out
        uint256 lapsesAt = BEGIN + LIFE - 1 + DELAY + LAPSE;
        for (uint256 i = 0; i < 2; ++i) {
            vm.warp(lapsesAt + i);
            refuse(abi.encodeWithSelector(IConsortium.Consortium_Lapsed.selector, 1, lapsesAt, lapsesAt + i));
            _execute(address(target), 0, data);
        }
        vm.warp(lapsesAt - 1);
        _execute(address(target), 0, data);
    }

    // ---- delays ----

    function test_delayFor__waits_for_what_hurts_alone() public {
        bytes memory admit = abi.encodeWithSelector(IMemberRegistry.admit.selector);
        bytes memory stop = abi.encodeWithSelector(IMemberRegistry.stopBeginnings.selector);
        eq(it.delayFor(REGISTRY, 0, admit), 0, "admit");
        eq(it.delayFor(REGISTRY, 0, stop), 0, "stop");
        eq(it.delayFor(address(target), 0, admit), DELAY, "the same name elsewhere");
        eq(it.delayFor(address(target), 0, stop), DELAY, "the same name elsewhere");
        eq(it.delayFor(REGISTRY, 1, admit), DELAY, "admit with ether");
        eq(it.delayFor(REGISTRY, 0, data), DELAY, "anything else");
        eq(it.delayFor(REGISTRY, 0, abi.encodeWithSelector(IMemberRegistry.revoke.selector)), DELAY, "revoke");
        eq(it.delayFor(REGISTRY, 0, ""), DELAY, "a payment of nothing");
        IConsortium young = IConsortium(this.make(founders, 3, DELAY, BEGIN + 10));
        vm.warp(BEGIN + 9);
        eq(young.delayFor(address(target), 0, data), 0, "during the founding");
        eq(young.delayFor(address(target), 1, ""), DELAY, "but a payment");
        vm.warp(BEGIN + 10);
        eq(young.delayFor(address(target), 0, data), DELAY, "after it");
    }

    /// @dev Agreed at once in the founding, it does not wait, and lapses a week later, also when the founding is over meanwhile.
    function test_execute__agreed_in_the_founding__lapses_a_week_later() public {
        vm.warp(BEGIN);
        it = IConsortium(this.make(founders, 3, DELAY, BEGIN + 10));
        _agree();
        vm.warp(BEGIN + 10);
        refuse(abi.encodeWithSelector(IConsortium.Consortium_TooEarly.selector, 1, BEGIN + DELAY, BEGIN + 10));
        _execute(address(target), 0, data);
        vm.warp(BEGIN + LAPSE);
        refuse(abi.encodeWithSelector(IConsortium.Consortium_Lapsed.selector, 1, BEGIN + LAPSE, BEGIN + LAPSE));
        _execute(address(target), 0, data);
        vm.warp(BEGIN + LAPSE - 1);
        _execute(address(target), 0, data);
    }

    // ---- subjects ----

    function test_subjectOf__tells_what_is_about_the_same() public view {
        bytes32 own = it.subjectOf(1, address(it), 0, abi.encodeCall(IConsortium.setThreshold, (3)));
        eq(own, keccak256(abi.encode(it)), "the consortium");
        eq(it.subjectOf(2, address(it), 0, abi.encodeCall(IConsortium.addMember, (address(9), 3))), own, "voters");
        eq(it.subjectOf(3, address(it), 0, abi.encodeCall(IConsortium.removeMember, (address(8), 3))), own, "and k");
        bytes32 stop = it.subjectOf(1, REGISTRY, 0, abi.encodeCall(IMemberRegistry.stopBeginnings, ()));
        bytes4 selector = IMemberRegistry.stopBeginnings.selector;
        eq(stop, keccak256(abi.encode(REGISTRY, selector, bytes32(0))), "target and function, of nobody");
        eq(it.subjectOf(9, REGISTRY, 0, abi.encodeCall(IMemberRegistry.rearmStop, ())), stop, "stop and rearm");
        no(it.subjectOf(1, address(1), 0, abi.encodeCall(IMemberRegistry.stopBeginnings, ())) == stop, "target");
        bytes memory admission = abi.encodeWithSelector(IMemberRegistry.admit.selector, address(7), uint256(5));
        bytes32 seven = it.subjectOf(1, REGISTRY, 0, admission);
        eq(seven, keccak256(abi.encode(REGISTRY, IMemberRegistry.admit.selector, address(7))), "and of whom");
        eq(it.subjectOf(2, REGISTRY, 0, abi.encodeCall(IMemberRegistry.revoke, (address(7)))), seven, "one account");
        no(it.subjectOf(2, REGISTRY, 0, abi.encodeCall(IMemberRegistry.revoke, (address(8)))) == seven, "another");
        bytes32 name = it.subjectOf(1, REGISTRY, 0, abi.encodeCall(IMemberRegistry.rename, (address(7), "a")));
        eq(name, keccak256(abi.encode(REGISTRY, IMemberRegistry.rename.selector, address(7))), "an account's names");
        eq(it.subjectOf(2, REGISTRY, 0, abi.encodeCall(IMemberRegistry.rename, (address(7), "b"))), name, "are one");
        no(it.subjectOf(2, REGISTRY, 0, abi.encodeCall(IMemberRegistry.rename, (address(8), "a"))) == name, "of one");
        bytes32 one = it.subjectOf(1, address(4), 0, _typeCall(1, 5));
        eq(it.subjectOf(2, address(4), 0, _typeCall(1, 6)), one, "one type");
        no(it.subjectOf(2, address(4), 0, _typeCall(2, 5)) == one, "another type");
        eq(it.subjectOf(1, address(4), 0, data), it.subjectOf(2, address(4), 0, abi.encodeCall(Obedient.set, (8))), "else");
        eq(it.subjectOf(1, address(4), 1, data), keccak256(abi.encode(uint256(1))), "the proposal");
        no(it.subjectOf(1, address(4), 1, data) == it.subjectOf(2, address(4), 1, data), "payments are each its own");
        no(it.subjectOf(1, address(4), 0, "") == it.subjectOf(2, address(4), 0, ""), "also of nothing");
        bytes memory cut = abi.encodePacked(IMemberRegistry.revoke.selector, uint256(7));
        assembly ("memory-safe") {
            mstore(cut, 35)
        }
        it.subjectOf(1, REGISTRY, 0, cut); // it reverts at its target
    }

    function _agreeTo(address to, bytes memory call) private {
        vm.prank(founders[0]);
        uint256 proposalId = it.propose(to, 0, call);
        bytes32 callHash = it.proposalOf(proposalId).callHash;
        for (uint256 i = 1; i < 3; ++i) {
            vm.prank(founders[i]);
            it.approve(proposalId, callHash);
        }
    }

    function _typeCall(uint256 typeId, uint256 price) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRequestCatalogue.setType.selector, typeId, price);
    }

    /// @dev M1: what was agreed earlier cannot be carried out after what was agreed later, by whomever and whenever.
    function test_execute__below_the_floor__is_refused() public {
        _agree();
        bytes memory later = abi.encodeCall(Obedient.set, (9));
        vm.prank(founders[0]);
        it.propose(address(target), 0, later);
        bytes32 callHash = it.proposalOf(2).callHash;
        for (uint256 i = 1; i < 3; ++i) {
            vm.prank(founders[i]);
            it.approve(2, callHash);
        }
        vm.warp(BEGIN + DELAY);
        vm.prank(founders[4]);
        it.execute(2, address(target), 0, later);
        eq(it.floorOf(it.subjectOf(1, address(target), 0, data)), 2, "floor");
        for (uint256 t = 0; t < 3; ++t) {
            refuse(abi.encodeWithSelector(IConsortium.Consortium_Superseded.selector, 1, 2));
            _execute(address(target), 0, data);
            vm.warp(block.timestamp + 2 days);
        }
        eq(target.number(), 9, "the later one holds");
    }

    /// @dev A name that was agreed before an admission or revocation is not given after it; a new name supersedes neither.
    function test_execute__a_new_name__lies_above_what_is_decided_of_its_account() public {
        address echo = address(new Echo());
        bytes memory early = abi.encodeCall(IMemberRegistry.rename, (address(7), "early"));
        bytes memory others = abi.encodeCall(IMemberRegistry.rename, (address(8), "other's"));
        bytes memory admission = abi.encodeWithSelector(IMemberRegistry.admit.selector, address(7), uint256(5));
        bytes memory revocation = abi.encodeCall(IMemberRegistry.revoke, (address(7)));
        bytes memory late = abi.encodeCall(IMemberRegistry.rename, (address(7), "late"));
        bytes[5] memory calls = [early, others, admission, revocation, late];
        for (uint256 i = 0; i < 5; ++i) _agreeTo(echo, calls[i]);
        vm.warp(BEGIN + DELAY);
        vm.startPrank(founders[0]);
        it.execute(3, echo, 0, admission);
        eq(it.floorFor(1, echo, 0, early), 3, "the admission's");
        eq(it.floorOf(it.subjectOf(1, echo, 0, early)), 0, "its own is none");
        eq(it.floorFor(2, echo, 0, others), 0, "nobody else's");
        eq(it.floorFor(1, REGISTRY, 0, early), 0, "no other registry's");
        eq(it.floorFor(1, echo, 1, early), 0, "a payment's is its own");
        eq(it.floorFor(1, address(it), 0, early), 0, "the consortium has no names");
        refuse(abi.encodeWithSelector(IConsortium.Consortium_Superseded.selector, 1, 3));
        it.execute(1, echo, 0, early);
        it.execute(2, echo, 0, others);
        it.execute(5, echo, 0, late);
        eq(it.floorFor(1, echo, 0, early), 5, "the later of both");
        eq(it.floorFor(4, echo, 0, revocation), 3, "a new name supersedes no revocation");
        it.execute(4, echo, 0, revocation);
        eq(it.floorFor(5, echo, 0, late), 5, "its own is later");
        eq(it.floorFor(2, echo, 0, others), 2, "its own");
    }

    function test_execute__by_no_member__reverts() public {
        _agree();
        vm.warp(BEGIN + DELAY);
        refuse(abi.encodeWithSelector(IConsortium.Consortium_NotMember.selector, address(this)));
        it.execute(1, address(target), 0, data);
    }

    function test_cancel__by_k_members__ends_it_at_once() public {
        _agree();
        bytes32 callHash = _hash();
        refuse(abi.encodeWithSelector(IConsortium.Consortium_NotMember.selector, address(this)));
        it.cancel(1, callHash);
        vm.startPrank(founders[4]);
        refuse(abi.encodeWithSelector(IConsortium.Consortium_OtherCall.selector, 1));
        it.cancel(1, 0);
        vm.expectEmit(address(it));
        emit IConsortium.CancelVoted(1, founders[4]);
        it.cancel(1, callHash);
        refuse(abi.encodeWithSelector(IConsortium.Consortium_AlreadyVoted.selector, 1, founders[4]));
        it.cancel(1, callHash);
        vm.stopPrank();
        eq(it.cancelVotesOf(1), 1, "one vote");
        vm.prank(founders[0]);
        it.cancel(1, callHash);
        no(it.proposalOf(1).isCancelled, "two of three");
        vm.expectEmit(address(it));
        emit IConsortium.Cancelled(1);
        vm.prank(founders[1]);
        it.cancel(1, callHash);
        yes(it.proposalOf(1).isCancelled, "cancelled");
        vm.warp(BEGIN + DELAY);
        refuse(abi.encodeWithSelector(IConsortium.Consortium_AlreadyCancelled.selector, 1));
        _execute(address(target), 0, data);
    }

    function test_wasMember__tells_of_every_term() public {
        address who = founders[1];
        no(it.wasMember(who, BEGIN - 1), "before");
        yes(it.wasMember(who, BEGIN), "from the first second on");
        vm.startPrank(address(it));
        vm.warp(BEGIN + 10);
        it.removeMember(who, 3);
        vm.warp(BEGIN + 20);
        it.addMember(who, 3);
        vm.warp(BEGIN + 30);
        it.removeMember(who, 3);
        bool[5] memory was = [true, false, true, false, false];
        uint256[5] memory at = [BEGIN + 9, BEGIN + 10, BEGIN + 29, BEGIN + 30, BEGIN + 19];
        for (uint256 i = 0; i < 5; ++i) eq(it.wasMember(who, at[i]), was[i], "term");
        no(it.wasMember(address(77), BEGIN + 5), "a stranger");
    }

    /// @dev A receiver that answers with a megabyte: whoever pays it out copies 1,024 bytes of it.
    function test_execute__takes_little_of_a_long_answer() public {
        bytes[2] memory bombs = [bytes(hex"621000006000f3"), bytes(hex"621000006000fd")];
        for (uint256 i = 0; i < 2; ++i) {
            it = IConsortium(this.make(founders, 3, DELAY, BEGIN));
            vm.deal(address(it), 10);
            vm.etch(address(0xB0B), bombs[i]);
            data = "";
            vm.prank(founders[0]);
            it.propose(address(0xB0B), 1, "");
            _approve(1);
            _approve(2);
            vm.warp(block.timestamp + DELAY);
            vm.prank(founders[3]);
            (bool ok, bytes memory answer) =
                address(it).call(abi.encodeCall(IConsortium.execute, (1, address(0xB0B), 1, "")));
            eq(ok, i == 0, "carried out, or refused");
            eq(i == 0 ? abi.decode(answer, (bytes)).length : answer.length, 1_024, "taken");
        }
    }

    /// @dev Of any length up to the most, each byte in its place.
    function test_execute__returns_the_answer_whole() public {
        Echo echo = new Echo();
        uint256[8] memory lengths = [uint256(1), 31, 32, 33, 64, 100, 992, 1_024];
        bytes memory words;
        for (uint256 i = 0; i < 32; ++i) words = bytes.concat(words, keccak256(abi.encode(i)));
        for (uint256 i = 0; i < 8; ++i) {
            uint256 length = lengths[i];
            assembly ("memory-safe") {
                mstore(words, length) // never longer than it was made
            }
            data = words;
            it = IConsortium(this.make(founders, 3, 0, BEGIN));
            vm.prank(founders[0]);
            it.propose(address(echo), 0, data);
            _approve(1);
            _approve(2);
            eq(_execute(address(echo), 0, data), data, "answer");
        }
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
        _execute(address(target), 0, data);
        vm.warp(at + DELAY);
        _execute(address(target), 0, data);
    }

    function _propose() private {
        vm.prank(founders[0]);
        it.propose(address(target), 0, data);
    }

    function _hash() private view returns (bytes32) {
        return it.proposalOf(1).callHash;
    }

    /// @dev By the fourth member: who carries out must be one.
    function _execute(address to, uint256 valueWei, bytes memory call) private returns (bytes memory) {
        vm.prank(founders[3]);
        return it.execute(1, to, valueWei, call);
    }

    function _approve(uint256 member) private {
        bytes32 callHash = _hash();
        vm.prank(founders[member]);
        it.approve(1, callHash);
    }

    function _agree() private {
        _propose();
        _approve(1);
        _approve(2);
    }
}
