// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IConsortium} from "../../../interfaces/IConsortium.sol";
import {Case, IDisputeCourt} from "../../../interfaces/IDisputeCourt.sol";
import {Role} from "../../../interfaces/IMemberRegistry.sol";
import {LockState} from "../../../interfaces/IPrepaidLock.sol";
import {Wiring} from "../../../contracts/libraries/Wiring.sol";
import {Locks} from "../base/Locks.sol";

contract DisputeCourtTest is Locks {
    function make(address consortium_, address lock_) external returns (address) {
        return create("DisputeCourt", abi.encode(consortium_, lock_));
    }

    function test_constructor__when_a_part_is_missing__reverts() public {
        bytes memory noContract = abi.encodeWithSelector(Wiring.Wiring_NoContract.selector, address(7));
        refuse(noContract);
        this.make(address(7), address(1));
        refuse(abi.encodeWithSelector(Wiring.Wiring_ZeroAddress.selector));
        this.make(address(consortium), address(0));
        this.make(address(consortium), address(1));
    }

    function test_constants__are_told() public view {
        eq(constantOf(address(court), "MAX_SEALED_BYTES"), 32_768, "bytes of evidence");
    }

    function test_open__when_caller_is_not_the_lock__reverts() public {
        refuse(abi.encodeWithSelector(IDisputeCourt.DisputeCourt_NotLock.selector, judges[0]));
        vm.prank(judges[0]);
        court.open("lock", uint40(BEGIN + 1));
    }

    function test_open__keeps_how_many_must_agree() public {
        bytes32 lockId = disputed();
        eq(
            abi.encode(court.caseOf(lockId)),
            abi.encode(Case(uint40(BEGIN), uint40(BEGIN + 7 days), 2, 0, 0, false)),
            "case"
        );
        decided(address(consortium), abi.encodeCall(IConsortium.setThreshold, (3)));
        eq(court.caseOf(lockId).needed, 2, "as when it opened");
    }

    function test_vote__when_judge_does_not_fit__reverts() public {
        vm.warp(BEGIN + 1);
        address late = admit(address(0xC4), Role.Consortium, 0, address(0));
        bytes32 lockId = disputed();
        decided(address(consortium), abi.encodeCall(IConsortium.addMember, (late, 3)));
        vm.warp(BEGIN + 2);
        _refusesVote(lockId, outsider, err(IDisputeCourt.DisputeCourt_NotJudge.selector, lockId, outsider));
        // A member since the case opened, or after: it could have been brought in for it.
        _refusesVote(lockId, late, err(IDisputeCourt.DisputeCourt_NotJudge.selector, lockId, late));
        vm.prank(judges[2]);
        court.vote(lockId, true);
        _refusesVote(lockId, judges[2], err(IDisputeCourt.DisputeCourt_AlreadyVoted.selector, lockId, judges[2]));
        bytes32 other = claimed();
        dispute(other, meterOwner);
        vm.prank(late);
        court.vote(other, true);
    }

    /// @dev No decision of the consortium takes a vote away from a case that is open.
    function test_vote__by_judges_revoked_and_removed_since() public {
        vm.warp(BEGIN + 1);
        bytes32 lockId = disputed();
        revoke(judges[0]);
        vm.prank(address(consortium));
        consortium.removeMember(judges[1], 2); // in the second of the opening
        vm.warp(BEGIN + 2);
        vm.prank(judges[0]);
        court.vote(lockId, true);
        bytes32 later = claimed();
        dispute(later, meterOwner);
        _refusesVote(later, judges[1], err(IDisputeCourt.DisputeCourt_NotJudge.selector, later, judges[1]));
        vm.prank(judges[1]);
        court.vote(lockId, true);
        is_(lockId, LockState.Slashed);
    }

    function test_vote__when_there_is_no_open_case__reverts() public {
        bytes32 none = keccak256("none");
        _refusesVote(none, judges[0], err(IDisputeCourt.DisputeCourt_NoCase.selector, none));
        bytes32 lockId = disputed();
        for (uint256 late = 0; late < 2; ++late) {
            vm.warp(BEGIN + 7 days + late);
            _refusesVote(lockId, judges[0], _tooLate(lockId, late));
        }
        vm.warp(BEGIN + 7 days - 1);
        decide(lockId, true);
        _refusesVote(lockId, judges[2], err(IDisputeCourt.DisputeCourt_AlreadyDecided.selector, lockId));
    }

    function test_vote__counts_each_side_and_decides_at_the_threshold() public {
        decided(address(consortium), abi.encodeCall(IConsortium.setThreshold, (2)));
        bytes32 lockId = disputed();
        vm.warp(BEGIN + 1);
        vm.expectEmit(address(court));
        emit IDisputeCourt.Voted(lockId, judges[0], true);
        vm.prank(judges[0]);
        court.vote(lockId, true);
        yes(court.hasVoted(lockId, judges[0]), "voted");
        no(court.hasVoted(lockId, judges[1]), "not voted");
        vm.recordLogs();
        vm.prank(judges[1]);
        court.vote(lockId, false);
        eq(vm.getRecordedLogs().length, 1, "one event: nothing is decided");
        Case memory it = court.caseOf(lockId);
        eq(it.votesForPayer, 1, "for the payer");
        eq(it.votesForPayee, 1, "for the payee");
        no(it.isDecided, "one against one");
        is_(lockId, LockState.Disputed);
        vm.expectEmit(address(court));
        emit IDisputeCourt.Voted(lockId, judges[2], false);
        vm.expectEmit(address(court));
        emit IDisputeCourt.CaseDecided(lockId, false);
        vm.prank(judges[2]);
        court.vote(lockId, false);
        yes(court.caseOf(lockId).isDecided, "decided");
        eq(court.caseOf(lockId).votesForPayee, 2, "for the payee");
        is_(lockId, LockState.Settled);
    }

    function test_addEvidence__by_each_party_once() public {
        bytes32 lockId = disputed();
        address[2] memory parties = [meterOwner, processor];
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectEmit(address(court));
            emit IDisputeCourt.EvidenceAdded(lockId, parties[i], "more", 32_768);
            vm.prank(parties[i]);
            court.addEvidence(lockId, "more", 32_768);
            refuse(err(IDisputeCourt.DisputeCourt_AlreadyAdded.selector, lockId, parties[i]));
            vm.prank(parties[i]);
            court.addEvidence(lockId, "more", 1);
        }
    }

    function test_addEvidenceAsMember__by_the_locks_group_alone() public {
        bytes32 lockId = delivered();
        dispute(lockId, buyer);
        for (uint256 i = 0; i < group.length; ++i) {
            vm.expectEmit(address(court));
            emit IDisputeCourt.EvidenceAdded(lockId, group[i], "more", 5);
            vm.prank(group[i]);
            court.addEvidenceAsMember(lockId, group, groupKeys, "more", 5);
        }
        address[] memory others = new address[](3);
        (others[0], others[1], others[2]) = (buyer, buyerTwo, neighbour);
        _refusesEvidence(lockId, neighbour, others);
        _refusesEvidence(lockId, neighbour, group);
        _refusesEvidence(disputed(), buyerThree, group); // somebody's private case
    }

    function _refusesEvidence(bytes32 lockId, address by, address[] memory accounts) private {
        refuse(err(IDisputeCourt.DisputeCourt_NotParty.selector, lockId, by));
        vm.prank(by);
        court.addEvidenceAsMember(lockId, accounts, groupKeys, "more", 5);
    }

    function test_addEvidence__when_caller_case_or_evidence_do_not_fit__reverts() public {
        bytes32 lockId = disputed();
        refuse(err(IDisputeCourt.DisputeCourt_NotParty.selector, lockId, neighbour));
        vm.prank(neighbour);
        court.addEvidence(lockId, "more", 1);
        bytes32[3] memory digests = [bytes32(0), "more", "more"];
        uint32[3] memory lengths = [uint32(1), 0, 32_769];
        for (uint256 i = 0; i < 3; ++i) {
            refuse(abi.encodeWithSelector(IDisputeCourt.DisputeCourt_BadEvidence.selector, digests[i], lengths[i]));
            vm.prank(meterOwner);
            court.addEvidence(lockId, digests[i], lengths[i]);
        }
        bytes32 none = claimed();
        refuse(err(IDisputeCourt.DisputeCourt_NoCase.selector, none));
        vm.prank(meterOwner);
        court.addEvidence(none, "more", 1);
        for (uint256 late = 0; late < 2; ++late) {
            vm.warp(BEGIN + 7 days + late);
            refuse(_tooLate(lockId, late));
            vm.prank(meterOwner);
            court.addEvidence(lockId, "more", 1);
        }
        vm.warp(BEGIN + 7 days - 1);
        vm.prank(meterOwner);
        court.addEvidence(lockId, "more", 1);
    }

    function _tooLate(bytes32 lockId, uint256 late) private pure returns (bytes memory) {
        uint256 decideBy = BEGIN + 7 days;
        return err(IDisputeCourt.DisputeCourt_TooLate.selector, lockId, decideBy, decideBy + late);
    }

    function _refusesVote(bytes32 lockId, address by, bytes memory refused) private {
        refuse(refused);
        vm.prank(by);
        court.vote(lockId, true);
    }
}
