// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IMemberRegistry} from "../../../interfaces/IMemberRegistry.sol";
import {Authorisation, IPrepaidLock, Lock, LockState, Reason, SharingOrder} from "../../../interfaces/IPrepaidLock.sol";
import {Rules} from "../../../interfaces/IRequestCatalogue.sol";
import {BN254} from "../../../contracts/libraries/BN254.sol";
import {DomainTags} from "../../../contracts/libraries/DomainTags.sol";
import {ShareCheck} from "../../../contracts/libraries/ShareCheck.sol";
import {LockTerms} from "../../../contracts/types/LockTerms.sol";
import {G1Point, G2Point} from "../../../contracts/types/Points.sol";
import {Keys} from "../base/Keys.sol";
import {Locks} from "../base/Locks.sol";
import {G2Table} from "../vectors/G2Table.sol";

contract PrepaidLockSharingTest is Locks {
    function test_openSharing__when_caller_or_value_do_not_fit__reverts() public {
        SharingOrder memory it = aSharingOrder();
        G1Point memory signature = signed(it);
        refuse(abi.encodeWithSelector(IPrepaidLock.PrepaidLock_NotMarket.selector, buyer));
        vm.prank(buyer);
        prepaid.openSharing{value: it.priceWei}(it, signature);
        for (uint256 i = 0; i < 2; ++i) {
            uint256 value = it.priceWei + 2 * i - 1;
            refuse(abi.encodeWithSelector(IPrepaidLock.PrepaidLock_WrongValue.selector, value, it.priceWei));
            vm.prank(address(market));
            prepaid.openSharing{value: value}(it, signature);
        }
    }

    function test_openSharing__at_each_bound() public {
        SharingOrder memory it = aSharingOrder();
        it.expiresAt = uint40(BEGIN + SHARING_SHORTEST_S - 1);
        _refuses(
            it,
            abi.encodeWithSelector(
                IPrepaidLock.PrepaidLock_TooLittleTime.selector, it.expiresAt, BEGIN + SHARING_SHORTEST_S
            )
        );
        it.expiresAt = uint40(BEGIN + 90 days + 1);
        _refuses(
            it, abi.encodeWithSelector(IPrepaidLock.PrepaidLock_TooMuchTime.selector, it.expiresAt, BEGIN + 90 days)
        );
        it.expiresAt = uint40(BEGIN + SHARING_SHORTEST_S);
        it.messageLength = 32_769;
        _refuses(
            it, abi.encodeWithSelector(IPrepaidLock.PrepaidLock_BadMessage.selector, it.messageDigest, it.messageLength)
        );
        it.messageLength = 32_768;
        bytes32 lockId = send(it);
        _refuses(it, err(IPrepaidLock.PrepaidLock_NonceUsed.selector, lockId));
    }

    function test_openSharing__when_signature_is_for_anything_else__reverts() public {
        SharingOrder memory it = aSharingOrder();
        bytes memory refused = err(IPrepaidLock.PrepaidLock_BadSignature.selector, prepaid.lockIdOf(buyer, it.nonce));
        SharingOrder memory other;
        for (uint256 i = 0; i < 11; ++i) {
            other = abi.decode(abi.encode(it), (SharingOrder));
            if (i == 0) other.payer = buyerTwo;
            if (i == 1) other.payee = processorTwo;
            if (i == 2) other.broadcastId = "other";
            if (i == 3) other.dataSetId = "other";
            if (i == 4) other.groupHash = "other";
            if (i == 5) other.messageLength += 1;
            if (i == 6) other.signedAt += 1;
            if (i == 7) other.expiresAt += 1;
            if (i == 8) other.messageDigest = "other";
            if (i == 9) other.nonce = "other";
            if (i == 10) vm.chainId(2);
            G1Point memory signature = signed(other);
            vm.chainId(31337);
            refuse(refused);
            vm.prank(address(market));
            prepaid.openSharing{value: it.priceWei}(it, signature);
        }
        // Under the tag of requests the same bytes are worth nothing.
        bytes memory message = abi.encode(block.chainid, address(prepaid), it);
        G1Point memory wrongTag = Keys.sign(keyOf[buyer], message, DomainTags.REQUEST);
        refuse(refused);
        vm.prank(address(market));
        prepaid.openSharing{value: it.priceWei}(it, wrongTag);
        send(it);
    }

    function test_openSharing__when_bond_is_too_small__reverts() public {
        SharingOrder memory it = aSharingOrder();
        uint96 needed = uint96(uint256(it.priceWei) * 5_000 / 10_000);
        vm.prank(processor);
        prepaid.takeBond(BOND_WEI - needed + 1);
        _refuses(
            it, abi.encodeWithSelector(IPrepaidLock.PrepaidLock_BondTooSmall.selector, processor, needed - 1, needed)
        );
        prepaid.addBond{value: 1}(processor);
        send(it);
    }

    function test_openSharing__stores_the_lock_and_holds_the_bond() public {
        setSharingWindow(WINDOW_S);
        SharingOrder memory it = aSharingOrder();
        G1Point memory signature = signed(it);
        bytes32 lockId = prepaid.lockIdOf(buyer, it.nonce);
        uint96 bond = it.priceWei / 2;
        eq(abi.encode(it.terms), abi.encode(LockTerms(1, 2, WINDOW_S, 200, 0, 0, bond)), "terms");
        (uint256 before, uint256 owed) = (address(prepaid).balance, prepaid.liabilitiesWei());
        vm.expectEmit(address(prepaid));
        emit IPrepaidLock.Selected(lockId, buyer, processor, it, signature);
        vm.prank(address(market));
        eq(prepaid.openSharing{value: it.priceWei}(it, signature), lockId, "returned");
        Lock memory expected;
        expected.payer = buyer;
        expected.state = LockState.Selected;
        expected.expiresAt = it.expiresAt;
        expected.payee = processor;
        expected.priceWei = it.priceWei;
        expected.disputeWindowSeconds = WINDOW_S;
        (expected.threshold, expected.groupSize) = (it.threshold, it.groupSize);
        (expected.feeBps, expected.rulesVersion, expected.bondWei) = (200, 1, bond);
        (expected.subject, expected.binding) = (dataSetId, it.groupHash);
        eq(abi.encode(prepaid.lockOf(lockId)), abi.encode(expected), "lock");
        eq(prepaid.bondOf(processor).heldWei, bond, "held");
        eq(address(prepaid).balance - before, it.priceWei, "balance");
        eq(prepaid.liabilitiesWei() - owed, it.priceWei, "liabilities");
    }

    function test_decline__when_caller_state_time_or_reason_do_not_fit__reverts() public {
        bytes32 lockId = selected();
        refuse(err(IPrepaidLock.PrepaidLock_NotPayee.selector, lockId, buyer));
        vm.prank(buyer);
        prepaid.decline(lockId, Reason.NotServed);
        refuse(abi.encodeWithSelector(IPrepaidLock.PrepaidLock_BadReason.selector, Reason.None));
        vm.prank(processor);
        prepaid.decline(lockId, Reason.None);
        uint256 expiresAt = BEGIN + 2 * SHARING_SHORTEST_S;
        for (uint256 i = 0; i < 2; ++i) {
            vm.warp(expiresAt + i);
            refuse(err(IPrepaidLock.PrepaidLock_Expired.selector, lockId, expiresAt, expiresAt + i));
            vm.prank(processor);
            prepaid.decline(lockId, Reason.NotServed);
        }
        vm.warp(BEGIN);
        deliver(lockId);
        refuse(err(IPrepaidLock.PrepaidLock_WrongState.selector, lockId, uint256(LockState.Settled)));
        vm.prank(processor);
        prepaid.decline(lockId, Reason.NotServed);
    }

    function test_decline__gives_back_and_frees_the_bond() public {
        bytes32 lockId = selected();
        vm.warp(BEGIN + 5);
        vm.expectEmit(address(prepaid));
        emit IPrepaidLock.Declined(lockId, buyer, processor, Reason.MemberNotAcceptable);
        vm.prank(processor);
        prepaid.decline(lockId, Reason.MemberNotAcceptable);
        is_(lockId, LockState.Declined);
        eq(prepaid.withdrawableOf(buyer), 7 ether + 3, "price");
        eq(prepaid.bondOf(processor).freeWei, BOND_WEI, "free");
        eq(prepaid.bondOf(processor).heldWei, 0, "held");
        eq(prepaid.bondOf(processor).freedAt, 0, "it took nothing");
        yes(prepaid.isCovered(processor, BOND_WEI, BEGIN + 5), "it backs what is offered from now on");
        no(prepaid.isCovered(processor, BOND_WEI, BEGIN + 4), "and not what was offered before");
        yes(prepaid.isCovered(processor, BOND_WEI - 3.5 ether - 1, BEGIN + 4), "as all the rest does");
        eq(credit.creditOf(processor), 0, "credit");
        solvent();
    }

    function test_deliver__when_state_or_time_do_not_fit__reverts() public {
        bytes32 lockId = selected();
        uint256 expiresAt = BEGIN + 2 * SHARING_SHORTEST_S;
        for (uint256 i = 0; i < 2; ++i) {
            vm.warp(expiresAt + i);
            refusesDelivery(lockId, err(IPrepaidLock.PrepaidLock_Expired.selector, lockId, expiresAt, expiresAt + i));
        }
        vm.warp(expiresAt - 1);
        deliver(lockId);
        refusesDelivery(lockId, err(IPrepaidLock.PrepaidLock_WrongState.selector, lockId, uint256(LockState.Settled)));
    }

    function test_deliver__when_group_key_or_shares_do_not_fit__reverts() public {
        bytes32 lockId = selected();
        (G2Point[] memory commitments, G1Point[] memory shares) = Keys.deal(dataKey, THRESHOLD, groupKeys);
        address[] memory others = new address[](3);
        (others[0], others[1], others[2]) = (buyer, buyerTwo, outsider);
        refuse(err(IPrepaidLock.PrepaidLock_WrongGroup.selector, lockId));
        prepaid.deliver(lockId, others, groupKeys, commitments, shares, noLeave());
        G1Point[] memory otherKeys = groupKeys;
        (otherKeys[0], otherKeys[1]) = (otherKeys[1], otherKeys[0]);
        refuse(err(IPrepaidLock.PrepaidLock_WrongGroup.selector, lockId));
        prepaid.deliver(lockId, group, otherKeys, commitments, shares, noLeave());
        for (uint256 t = 0; t < 4; ++t) {
            if (t == THRESHOLD) continue;
            refuse(abi.encodeWithSelector(ShareCheck.ShareCheck_CommitmentCount.selector, THRESHOLD, t));
            vm.prank(processor);
            prepaid.deliver(lockId, group, groupKeys, new G2Point[](t), shares, noLeave());
        }
        G2Point memory kept = commitments[0];
        commitments[0] = G2Table.point(0);
        bytes32 other = sets.dataSetIdOf(commitments[0]);
        refuse(err(IPrepaidLock.PrepaidLock_WrongKey.selector, lockId, uint256(other)));
        vm.prank(processor);
        prepaid.deliver(lockId, group, groupKeys, commitments, shares, noLeave());
        commitments[0] = kept;
        shares[2] = BN254.add(shares[2], G1Point(1, 2));
        refuse(err(IPrepaidLock.PrepaidLock_BadShares.selector, lockId));
        vm.prank(processor);
        prepaid.deliver(lockId, group, groupKeys, commitments, shares, noLeave());
        is_(lockId, LockState.Selected);
    }

    /// @dev A transcript proves knowledge of [k]H, which earlier buyers have; that the payee delivers is shown by its account alone.
    function test_deliver__by_another__needs_the_payees_signature() public {
        uint256 secret = 0xA11CE;
        vm.mockCall(
            address(registry),
            abi.encodeWithSelector(IMemberRegistry.isSignedBy.selector),
            abi.encode(true)
        );
        prepaid.addBond{value: 9 ether}(processor);
        SharingOrder memory it = aSharingOrder();
        bytes32 lockId = _sellBy(it, vm.addr(secret));
        (G2Point[] memory commitments, G1Point[] memory shares) = Keys.deal(dataKey, THRESHOLD, groupKeys);
        bytes32 digest = _deliveryDigest(lockId, it.dataSetId, commitments, shares);
        for (uint256 i = 0; i < 4; ++i) {
            Authorisation memory leave = _leave(i == 1 ? 7 : secret, i == 2 ? keccak256("other") : digest);
            if (i == 0) leave = noLeave();
            if (i == 3) leave.v ^= 7;
            refuse(err(IPrepaidLock.PrepaidLock_NotAuthorised.selector, lockId, buyer));
            vm.prank(buyer);
            prepaid.deliver(lockId, group, groupKeys, commitments, shares, leave);
        }
        vm.prank(buyer);
        prepaid.deliver(lockId, group, groupKeys, commitments, shares, _leave(secret, digest));
        is_(lockId, LockState.Settled);
    }

    function _sellBy(SharingOrder memory it, address payee) private returns (bytes32) {
        vm.mockCall(
            address(registry), abi.encodeWithSelector(IMemberRegistry.isActive.selector, payee), abi.encode(true)
        );
        prepaid.addBond{value: 9 ether}(payee);
        it.payee = payee;
        vm.prank(address(market));
        return prepaid.openSharing{value: it.priceWei}(it, G1Point(1, 2));
    }

    function _leave(uint256 secret, bytes32 digest) private pure returns (Authorisation memory it) {
        (it.v, it.r, it.s) = vm.sign(secret, digest);
    }

    function _deliveryDigest(bytes32 lockId, bytes32 set, G2Point[] memory commitments, G1Point[] memory shares)
        private
        view
        returns (bytes32)
    {
        bytes memory transcript = abi.encode(
            keccak256("DMSM-V1-SHARES"), block.chainid, address(prepaid), lockId, set, uint256(THRESHOLD), uint256(3)
        );
        for (uint256 i = 0; i < 3; ++i) transcript = bytes.concat(transcript, abi.encode(groupKeys[i]));
        for (uint256 i = 0; i < 3; ++i) transcript = bytes.concat(transcript, abi.encode(shares[i]));
        for (uint256 i = 0; i < THRESHOLD; ++i) transcript = bytes.concat(transcript, abi.encode(commitments[i]));
        return keccak256(abi.encode(keccak256("DMSM-V1-delivery"), keccak256(transcript)));
    }

    function test_openSharing__when_terms_are_not_those_of_their_versions__reverts() public {
        Rules memory other = rules();
        other.feeBps = 1;
        setRules(other);
        setSharingWindow(777);
        for (uint256 i = 0; i < 7; ++i) {
            SharingOrder memory it = aSharingOrder();
            it.terms = sharingTermsAt(it.priceWei, 1, 1); // those of the offer, whatever was set since
            LockTerms memory holds = sharingTermsAt(it.priceWei, 1, 1);
            if (i == 0) (it.terms.rulesVersion, holds) = (2, sharingTermsAt(it.priceWei, 2, 1));
            if (i == 1) (it.terms.sharingVersion, holds) = (2, sharingTermsAt(it.priceWei, 1, 2));
            if (i == 2) it.terms.disputeWindowSeconds = 777;
            if (i == 3) it.terms.feeBps = 1;
            if (i == 4) it.terms.bondWei -= 1;
            if (i == 5) it.terms.longestAnswerBytes = 1;
            if (i == 6) {
                Lock memory lock = prepaid.lockOf(send(it));
                eq(lock.rulesVersion, 1, "rules");
                eq(lock.feeBps, 200, "fee");
                eq(lock.disputeWindowSeconds, 0, "window");
                continue;
            }
            _refuses(it, abi.encodeWithSelector(IPrepaidLock.PrepaidLock_OtherTerms.selector, holds));
        }
    }

    /// @dev The attack that shaped the proof of possession: a scaled transcript fits a scaled key alone, never the published one.
    function test_deliver__given_a_scaled_transcript__is_refused() public {
        bytes32 lockId = selected();
        (G2Point[] memory commitments, G1Point[] memory shares) = Keys.deal(dataKey, THRESHOLD, groupKeys);
        for (uint256 i = 0; i < shares.length; ++i) shares[i] = BN254.mul(shares[i], 3);
        refuse(err(IPrepaidLock.PrepaidLock_BadShares.selector, lockId));
        vm.prank(processor);
        prepaid.deliver(lockId, group, groupKeys, commitments, shares, noLeave());
    }

    function test_deliver__given_a_window__stores_and_pays_later() public {
        setSharingWindow(WINDOW_S);
        bytes32 lockId = selected();
        (G2Point[] memory commitments, G1Point[] memory shares) = Keys.deal(dataKey, THRESHOLD, groupKeys);
        vm.expectEmit(address(prepaid));
        emit IPrepaidLock.Delivered(lockId, buyer, processor, commitments, shares, uint40(BEGIN + WINDOW_S));
        vm.prank(processor);
        prepaid.deliver(lockId, group, groupKeys, commitments, shares, noLeave());
        is_(lockId, LockState.Delivered);
        eq(prepaid.lockOf(lockId).dueAt, BEGIN + WINDOW_S, "due");
        eq(prepaid.withdrawableOf(processor), 0, "not paid yet");
        refusesDemand(lockId, err(IPrepaidLock.PrepaidLock_WrongState.selector, lockId, uint256(LockState.Delivered)));
        vm.warp(BEGIN + WINDOW_S);
        prepaid.settle(lockId);
        is_(lockId, LockState.Settled);
    }

    function test_deliver__given_no_window__settles_at_once() public {
        bytes32 lockId = selected();
        deliver(lockId);
        is_(lockId, LockState.Settled);
        uint256 price = 7 ether + 3;
        uint256 fee = price * 200 / 10_000;
        eq(prepaid.withdrawableOf(processor), price - fee, "payee");
        eq(prepaid.withdrawableOf(address(consortium)), fee, "fee");
        eq(credit.creditOf(processor), 10, "credit");
        solvent();
    }

    /// @dev Delivery is against the snapshot: what became of the members since does not matter.
    function test_deliver__given_revoked_members_and_processor__still_ends() public {
        bytes32 lockId = selected();
        revoke(buyerTwo);
        revoke(buyer);
        revoke(processor);
        deliver(lockId);
        is_(lockId, LockState.Settled);
        prepaid.withdrawFor(processor);
    }

    function _refuses(SharingOrder memory it, bytes memory refused) private {
        G1Point memory signature = signed(it);
        refuse(refused);
        vm.prank(address(market));
        prepaid.openSharing{value: it.priceWei}(it, signature);
    }

    // ---- what owners get of it ----

    function test_settle__given_an_owners_part__splits_the_price_to_the_wei() public {
        for (uint256 i = 0; i < 6; ++i) {
            uint256 snapshot = vm.snapshotState();
            ownersBps = [uint16(0), 1, 3_333, 5_000, 8_000, 8_000][i];
            Rules memory other = rules();
            (other.feeBps, other.bondBps) = (i == 5 ? 2_000 : 200, 10_000);
            setRules(other);
            setSharingWindow(0);
            SharingOrder memory it = aSharingOrder();
            it.priceWei = i == 5 ? 10 ether : 7 ether + 3;
            it.terms = sharingTerms(it.priceWei);
            bytes32 lockId = send(it);
            eq(prepaid.lockOf(lockId).ownersBps, ownersBps, "the lock keeps it");
            uint256 part = uint256(it.priceWei) * ownersBps / 10_000;
            uint256 fee = uint256(it.priceWei) * other.feeBps / 10_000;
            uint256 rest = part % 168;
            vm.expectEmit(address(prepaid));
            emit IPrepaidLock.Settled(
                lockId, buyer, processor, it.priceWei, uint96(fee + rest), uint96(part - rest), 0
            );
            deliver(lockId);
            eq(prepaid.withdrawableOf(processor), it.priceWei - fee - part, "payee");
            eq(prepaid.withdrawableOf(address(consortium)), fee + rest, "treasury");
            (uint256 perRow, uint256 pot,,,) = sets.earningsOf(dataSetId);
            eq(perRow, part / 168, "a row");
            eq(pot, part - rest, "pot");
            solvent();
            vm.revertToState(snapshot);
        }
    }

    function test_payOwner__by_anybody_but_the_book__reverts() public {
        refuse(abi.encodeWithSelector(IPrepaidLock.PrepaidLock_NotDataSets.selector, address(this)));
        prepaid.payOwner(meterOwner, 1);
        uint256 before = prepaid.liabilitiesWei();
        vm.prank(address(sets));
        prepaid.payOwner(meterOwner, 7);
        eq(prepaid.withdrawableOf(meterOwner), 7, "withdrawable");
        eq(prepaid.liabilitiesWei(), before, "nothing comes in by it");
    }
}
