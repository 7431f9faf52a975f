// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IMemberRegistry, Role} from "../../../interfaces/IMemberRegistry.sol";
import {IMemberRegistry} from "../../../interfaces/IMemberRegistry.sol";
import {IPrepaidLock, Lock, LockState, Reason, RequestOrder} from "../../../interfaces/IPrepaidLock.sol";
import {RequestType, Rules} from "../../../interfaces/IRequestCatalogue.sol";
import {BN254} from "../../../contracts/libraries/BN254.sol";
import {DomainTags} from "../../../contracts/libraries/DomainTags.sol";
import {Wiring} from "../../../contracts/libraries/Wiring.sol";
import {LockTerms} from "../../../contracts/types/LockTerms.sol";
import {G1Point} from "../../../contracts/types/Points.sol";
import {Keys} from "../base/Keys.sol";
import {Locks} from "../base/Locks.sol";

contract PrepaidLockRequestTest is Locks {
    function make(address[6] memory parts) external returns (address) {
        return create(
            "PrepaidLock", abi.encode(parts[0], parts[1], parts[2], parts[3], parts[4], parts[5])
        );
    }

    function test_constructor__when_a_part_is_missing__reverts() public {
        address[6] memory good =
            [address(registry), address(catalogue), address(sets), address(credit), address(market), address(court)];
        this.make(good);
        address[6] memory parts;
        for (uint256 i = 1; i < 6; ++i) {
            parts = abi.decode(abi.encode(good), (address[6]));
            parts[i] = address(0);
            bool isCalled = i < 3;
            refuse(
                isCalled
                    ? abi.encodeWithSelector(Wiring.Wiring_NoContract.selector, address(0))
                    : abi.encodeWithSelector(Wiring.Wiring_ZeroAddress.selector)
            );
            this.make(parts);
        }
        (bool ok,) = address(this).call(abi.encodeCall(this.make, ([address(0), good[1], good[2], good[3], good[4], good[5]])));
        no(ok, "without a registry");
        // Predictions pass: their code comes later.
        this.make([good[0], good[1], good[2], address(11), address(12), address(13)]);
    }

    function test_request__when_everything_holds__takes_the_price_and_stores_the_lock() public {
        RequestOrder memory it = anOrder(ADVICE);
        G1Point memory signature = signed(it, meterOwner);
        bytes32 lockId = keccak256(abi.encode(block.chainid, address(prepaid), meterOwner, it.nonce));
        eq(prepaid.lockIdOf(meterOwner, it.nonce), lockId, "id");
        uint96 price = 2 * PRICE_WEI;
        LockTerms memory terms = LockTerms(1, 0, WINDOW_S, 200, 0, LONGEST, price / 2);
        eq(abi.encode(it.terms), abi.encode(terms), "terms");
        (uint256 before, uint256 owed) = (address(prepaid).balance, prepaid.liabilitiesWei());
        vm.expectEmit(address(prepaid));
        emit IPrepaidLock.Requested(lockId, meterOwner, processor, price, it, signature);
        vm.prank(meterOwner);
        eq(prepaid.request{value: price}(it, signature), lockId, "returned");
        Lock memory expected;
        expected.payer = meterOwner;
        expected.state = LockState.Requested;
        expected.expiresAt = it.expiresAt;
        expected.payee = processor;
        expected.priceWei = price;
        expected.disputeWindowSeconds = WINDOW_S;
        expected.answerLength = LONGEST;
        expected.feeBps = 200;
        expected.rulesVersion = 1;
        expected.bondWei = price / 2;
        expected.subject = bytes32(uint256(ADVICE));
        eq(abi.encode(prepaid.lockOf(lockId)), abi.encode(expected), "lock");
        eq(address(prepaid).balance, before + price, "balance");
        eq(prepaid.liabilitiesWei(), owed + price, "liabilities");
        eq(prepaid.bondOf(processor).heldWei, 0, "no bond is held yet");
    }

    function test_request__when_a_party_does_not_fit__reverts() public {
        RequestOrder memory it = anOrder(BILL);
        _refuses(it, processor, abi.encodeWithSelector(IPrepaidLock.PrepaidLock_NotUser.selector, processor));
        _refuses(it, buyer, abi.encodeWithSelector(IPrepaidLock.PrepaidLock_NotUser.selector, buyer));
        it.processor = processorTwo;
        _refuses(
            it, meterOwner, abi.encodeWithSelector(IPrepaidLock.PrepaidLock_WrongRegion.selector, meterOwner, processorTwo)
        );
        it.processor = neighbour;
        _refuses(it, meterOwner, abi.encodeWithSelector(IPrepaidLock.PrepaidLock_NotProcessor.selector, neighbour));
        it.processor = processor;
        // Above, the node's region comes after the user's in the order of their bytes; here it comes before.
        _refuses(
            it, neighbour, abi.encodeWithSelector(IPrepaidLock.PrepaidLock_WrongRegion.selector, neighbour, processor)
        );
        revoke(processor);
        _refuses(it, meterOwner, abi.encodeWithSelector(IPrepaidLock.PrepaidLock_NotProcessor.selector, processor));
        revoke(meterOwner);
        _refuses(it, meterOwner, abi.encodeWithSelector(IPrepaidLock.PrepaidLock_NotUser.selector, meterOwner));
    }

    /// @dev Whatever is carried out between signing and mining: the request is that of its signed terms, or none.
    function test_request__given_terms_carried_out_since__reverts() public {
        RequestOrder memory it = anOrder(ADVICE);
        G1Point memory signature = signed(it, meterOwner);
        for (uint256 i = 0; i < 5; ++i) {
            uint256 snapshot = vm.snapshotState();
            Rules memory other = rules();
            RequestType memory asked = catalogue.typeOf(ADVICE);
            if (i == 0) asked.disputeWindowSeconds = 0;
            if (i == 1) asked.longestAnswerBytes = 1;
            if (i == 2) other.feeBps = 0;
            if (i == 3) other.bondBps = 1_000;
            if (i == 4) other.decideSeconds = 60; // the version alone tells it
            if (i < 2) setType(ADVICE, asked);
            else setRules(other);
            bytes memory refused =
                abi.encodeWithSelector(IPrepaidLock.PrepaidLock_OtherTerms.selector, requestTerms(ADVICE));
            refuse(refused);
            vm.prank(meterOwner);
            prepaid.request{value: 2 * PRICE_WEI}(it, signature);
            vm.revertToState(snapshot);
        }
        vm.prank(meterOwner);
        prepaid.request{value: 2 * PRICE_WEI}(it, signature);
    }

    function test_accept__at_the_types_longest_answer() public {
        setType(BILL, RequestType(true, SHORTEST_S, 0, 77, PRICE_WEI, "bill"));
        bytes32 lockId = requested(BILL);
        setType(BILL, RequestType(true, SHORTEST_S, 0, 78, PRICE_WEI, "bill"));
        refuse(abi.encodeWithSelector(IPrepaidLock.PrepaidLock_BadAnswer.selector, bytes32("d"), 78));
        vm.prank(processor);
        prepaid.accept(lockId, "c", "d", 78);
        vm.prank(processor);
        prepaid.accept(lockId, "c", "d", 77);
    }

    function test_request__given_the_stop__reverts() public {
        decided(address(registry), abi.encodeCall(IMemberRegistry.stopBeginnings, ()));
        RequestOrder memory it = anOrder(BILL);
        _refuses(
            it, meterOwner, abi.encodeWithSelector(IMemberRegistry.MemberRegistry_Stopped.selector, BEGIN + DELAY_S + 7 days)
        );
    }

    function test_request__when_type_or_value_do_not_fit__reverts() public {
        RequestOrder memory it = anOrder(BILL);
        it.typeId = 99;
        _refuses(it, meterOwner, abi.encodeWithSelector(IPrepaidLock.PrepaidLock_UnknownType.selector, 99));
        setType(BILL, RequestType(false, SHORTEST_S, 0, LONGEST, PRICE_WEI, "bill"));
        it.typeId = BILL;
        _refuses(it, meterOwner, abi.encodeWithSelector(IPrepaidLock.PrepaidLock_UnknownType.selector, BILL));
        it.typeId = ADVICE;
        it.terms = requestTerms(ADVICE);
        G1Point memory signature = signed(it, meterOwner);
        uint256 price = 2 * PRICE_WEI;
        for (uint256 i = 0; i < 3; ++i) {
            uint256 value = [price - 1, price + 1, 0][i];
            refuse(abi.encodeWithSelector(IPrepaidLock.PrepaidLock_WrongValue.selector, value, price));
            vm.prank(meterOwner);
            prepaid.request{value: value}(it, signature);
        }
    }

    function test_request__at_each_bound_of_the_deadline() public {
        RequestOrder memory it = anOrder(BILL);
        uint40 earliest = uint40(BEGIN + SHORTEST_S);
        uint40 latest = uint40(BEGIN + 90 days);
        it.expiresAt = earliest - 1;
        _refuses(
            it, meterOwner, abi.encodeWithSelector(IPrepaidLock.PrepaidLock_TooLittleTime.selector, it.expiresAt, earliest)
        );
        it.expiresAt = latest + 1;
        _refuses(
            it, meterOwner, abi.encodeWithSelector(IPrepaidLock.PrepaidLock_TooMuchTime.selector, it.expiresAt, latest)
        );
        it.expiresAt = earliest;
        send(it);
        it.nonce = "another";
        it.expiresAt = latest;
        send(it);
    }

    function test_request__at_each_bound_of_the_message() public {
        RequestOrder memory it = anOrder(BILL);
        it.messageDigest = 0;
        _refuses(it, meterOwner, abi.encodeWithSelector(IPrepaidLock.PrepaidLock_BadMessage.selector, 0, 1_500));
        it.messageDigest = "sealed message";
        it.messageLength = 0;
        _refuses(it, meterOwner, abi.encodeWithSelector(IPrepaidLock.PrepaidLock_BadMessage.selector, it.messageDigest, 0));
        it.messageLength = 32_769;
        _refuses(
            it, meterOwner, abi.encodeWithSelector(IPrepaidLock.PrepaidLock_BadMessage.selector, it.messageDigest, 32_769)
        );
        it.messageLength = 32_768;
        send(it);
        it.nonce = "another";
        it.messageLength = 1;
        send(it);
    }

    function test_request__when_nonce_was_used__reverts() public {
        RequestOrder memory it = anOrder(BILL);
        bytes32 lockId = send(it);
        bytes memory refused = err(IPrepaidLock.PrepaidLock_NonceUsed.selector, lockId);
        _refuses(it, meterOwner, refused);
        vm.prank(processor);
        prepaid.reject(lockId, Reason.NotServed);
        _refuses(it, meterOwner, refused);
    }

    /// @dev A signature over another value of any field, by another key or under another tag is refused.
    function test_request__when_signature_is_for_anything_else__reverts() public {
        RequestOrder memory it = anOrder(BILL);
        bytes memory refused =
            err(IPrepaidLock.PrepaidLock_BadSignature.selector, prepaid.lockIdOf(meterOwner, it.nonce));
        G1Point[] memory others = new G1Point[](11);
        others[0] = signed(it, neighbour);
        others[1] = Keys.sign(keyOf[meterOwner], "another message", DomainTags.REQUEST);
        RequestOrder memory other;
        for (uint256 i = 2; i < 9; ++i) {
            other = abi.decode(abi.encode(it), (RequestOrder));
            if (i == 2) other.processor = processorTwo;
            if (i == 3) other.typeId = ADVICE;
            if (i == 4) other.messageLength += 1;
            if (i == 5) other.signedAt += 1;
            if (i == 6) other.expiresAt += 1;
            if (i == 7) other.messageDigest = "other";
            if (i == 8) other.nonce = "other";
            others[i] = signed(other, meterOwner);
        }
        others[9] = Keys.negate(signed(it, meterOwner));
        vm.chainId(2);
        others[10] = signed(it, meterOwner);
        vm.chainId(31337);
        for (uint256 i = 0; i < others.length; ++i) {
            refuse(refused);
            vm.prank(meterOwner);
            prepaid.request{value: PRICE_WEI}(it, others[i]);
        }
        send(it);
    }

    function test_reject__when_caller_state_or_reason_do_not_fit__reverts() public {
        bytes32 lockId = requested(BILL);
        refuse(err(IPrepaidLock.PrepaidLock_NotPayee.selector, lockId, meterOwner));
        vm.prank(meterOwner);
        prepaid.reject(lockId, Reason.NotServed);
        refuse(abi.encodeWithSelector(IPrepaidLock.PrepaidLock_BadReason.selector, Reason.None));
        vm.prank(processor);
        prepaid.reject(lockId, Reason.None);
        accept(lockId);
        refuse(err(IPrepaidLock.PrepaidLock_WrongState.selector, lockId, uint256(LockState.Accepted)));
        vm.prank(processor);
        prepaid.reject(lockId, Reason.NotServed);
    }

    function test_reject__gives_the_price_back_at_any_time() public {
        bytes32 lockId = requested(BILL);
        vm.warp(BEGIN + 2 * SHORTEST_S + 5);
        vm.expectEmit(address(prepaid));
        emit IPrepaidLock.Rejected(lockId, meterOwner, processor, Reason.AnswerTooLarge);
        vm.prank(processor);
        prepaid.reject(lockId, Reason.AnswerTooLarge);
        is_(lockId, LockState.Rejected);
        eq(prepaid.withdrawableOf(meterOwner), PRICE_WEI, "price");
        eq(prepaid.bondOf(processor).freeWei, BOND_WEI, "bond");
        solvent();
    }

    function test_accept__when_caller_does_not_fit__reverts() public {
        bytes32 lockId = requested(BILL);
        refuse(err(IPrepaidLock.PrepaidLock_NotPayee.selector, lockId, processorTwo));
        vm.prank(processorTwo);
        prepaid.accept(lockId, "c", "d", 1);
        revoke(processor);
        refuse(abi.encodeWithSelector(IPrepaidLock.PrepaidLock_NotProcessor.selector, processor));
        vm.prank(processor);
        prepaid.accept(lockId, "c", "d", 1);
    }

    function test_accept__given_the_stop__reverts_and_reject_does_not() public {
        bytes32 lockId = requested(BILL);
        decided(address(registry), abi.encodeCall(IMemberRegistry.stopBeginnings, ()));
        refuse(abi.encodeWithSelector(IMemberRegistry.MemberRegistry_Stopped.selector, BEGIN + DELAY_S + 7 days));
        vm.prank(processor);
        prepaid.accept(lockId, "c", "d", 1);
        vm.prank(processor);
        prepaid.reject(lockId, Reason.NotServed);
    }

    function test_accept__at_each_bound() public {
        bytes32 lockId = requested(BILL);
        _refusesAccept(lockId, 0, "d", 1, abi.encodeWithSelector(IPrepaidLock.PrepaidLock_SecretHashUsed.selector, 0));
        _refusesAccept(lockId, "c", 0, 1, abi.encodeWithSelector(IPrepaidLock.PrepaidLock_BadAnswer.selector, 0, 1));
        _refusesAccept(
            lockId, "c", "d", 0, abi.encodeWithSelector(IPrepaidLock.PrepaidLock_BadAnswer.selector, bytes32("d"), 0)
        );
        _refusesAccept(
            lockId, "c", "d", 32_769, abi.encodeWithSelector(IPrepaidLock.PrepaidLock_BadAnswer.selector, bytes32("d"), 32_769)
        );
        vm.warp(BEGIN + 2 * SHORTEST_S - 1);
        vm.prank(processor);
        prepaid.accept(lockId, "c", "d", 32_768);
        eq(prepaid.lockOf(lockId).answerLength, 32_768, "length");
        _refusesAccept(
            lockId, "e", "d", 1, err(IPrepaidLock.PrepaidLock_WrongState.selector, lockId, uint256(LockState.Accepted))
        );
    }

    function test_accept__when_secret_hash_was_used_by_this_node__reverts() public {
        bytes32 first = requested(BILL);
        bytes32 second = requested(BILL);
        vm.prank(processor);
        prepaid.accept(first, "c", "d", 1);
        _refusesAccept(
            second, "c", "d", 1, abi.encodeWithSelector(IPrepaidLock.PrepaidLock_SecretHashUsed.selector, bytes32("c"))
        );
        // Another node's C blocks nobody: it names its payee.
        RequestOrder memory it = anOrder(BILL);
        it.processor = processorTwo;
        G1Point memory signature = signed(it, neighbour);
        vm.prank(neighbour);
        bytes32 third = prepaid.request{value: PRICE_WEI}(it, signature);
        vm.prank(processorTwo);
        prepaid.accept(third, "c", "d", 1);
    }

    function test_accept__at_the_deadline__reverts() public {
        bytes32 lockId = requested(BILL);
        uint256 expiresAt = BEGIN + 2 * SHORTEST_S;
        for (uint256 i = 0; i < 2; ++i) {
            vm.warp(expiresAt + i);
            _refusesAccept(
                lockId, "c", "d", 1, err(IPrepaidLock.PrepaidLock_Expired.selector, lockId, expiresAt, expiresAt + i)
            );
        }
    }

    function test_accept__when_bond_is_too_small__reverts() public {
        bytes32 lockId = requested(BILL);
        uint96 needed = PRICE_WEI / 2;
        vm.startPrank(processor);
        prepaid.takeBond(BOND_WEI - needed + 1);
        vm.stopPrank();
        _refusesAccept(
            lockId,
            "c",
            "d",
            1,
            abi.encodeWithSelector(IPrepaidLock.PrepaidLock_BondTooSmall.selector, processor, needed - 1, needed)
        );
        prepaid.addBond{value: 1}(processor);
        accept(lockId);
        eq(prepaid.bondOf(processor).freeWei, 0, "free");
    }

    function test_accept__stores_the_commitments_and_holds_the_bond() public {
        bytes32 lockId = requested(ADVICE);
        bytes32 c = secretHash(lockId);
        vm.expectEmit(address(prepaid));
        emit IPrepaidLock.Accepted(lockId, meterOwner, processor, c, sha256(ANSWER), uint32(ANSWER.length));
        accept(lockId);
        Lock memory lock = prepaid.lockOf(lockId);
        is_(lockId, LockState.Accepted);
        eq(lock.binding, c, "C");
        eq(lock.answerDigest, sha256(ANSWER), "digest");
        eq(lock.answerLength, ANSWER.length, "length");
        eq(prepaid.bondOf(processor).heldWei, PRICE_WEI, "held");
        eq(prepaid.bondOf(processor).freeWei, BOND_WEI - PRICE_WEI, "free");
        eq(prepaid.bondOf(processor).freedAt, 0, "not freed");
    }

    function test_claim__when_secret_state_or_time_do_not_fit__reverts() public {
        bytes32 lockId = requested(ADVICE);
        refuse(err(IPrepaidLock.PrepaidLock_WrongState.selector, lockId, uint256(LockState.Requested)));
        claim(lockId);
        accept(lockId);
        refuse(err(IPrepaidLock.PrepaidLock_BadSecret.selector, lockId));
        prepaid.claim(lockId, "not x");
        uint256 expiresAt = BEGIN + 2 * SHORTEST_S;
        for (uint256 i = 0; i < 2; ++i) {
            vm.warp(expiresAt + i);
            refuse(err(IPrepaidLock.PrepaidLock_Expired.selector, lockId, expiresAt, expiresAt + i));
            claim(lockId);
        }
        vm.warp(expiresAt - 1);
        claim(lockId);
        refuse(err(IPrepaidLock.PrepaidLock_WrongState.selector, lockId, uint256(LockState.Claimed)));
        claim(lockId);
    }

    /// @dev C binds its payee: the secret of another node's C opens nothing here.
    function test_claim__given_a_commitment_copied_from_another_node__never_pays() public {
        bytes32 lockId = requested(BILL);
        bytes32 copied = sha256(abi.encode(processorTwo, bytes32("their x")));
        vm.prank(processor);
        prepaid.accept(lockId, copied, "d", 1);
        refuse(err(IPrepaidLock.PrepaidLock_BadSecret.selector, lockId));
        prepaid.claim(lockId, "their x");
    }

    function test_claim__given_a_window__fixes_the_right_and_pays_later() public {
        bytes32 lockId = accepted(ADVICE);
        vm.expectEmit(address(prepaid));
        emit IPrepaidLock.Claimed(lockId, meterOwner, processor, secretOf(lockId), uint40(BEGIN + WINDOW_S));
        vm.prank(outsider);
        claim(lockId);
        is_(lockId, LockState.Claimed);
        eq(prepaid.lockOf(lockId).dueAt, BEGIN + WINDOW_S, "due");
        eq(prepaid.withdrawableOf(processor), 0, "not paid yet");
    }

    function test_claim__given_no_window__settles_at_once() public {
        bytes32 lockId = accepted(BILL);
        uint96 fee = PRICE_WEI * 200 / 10_000;
        vm.expectEmit(address(prepaid));
        emit IPrepaidLock.Claimed(lockId, meterOwner, processor, secretOf(lockId), uint40(BEGIN));
        vm.expectEmit(address(prepaid));
        emit IPrepaidLock.Settled(lockId, meterOwner, processor, PRICE_WEI, fee, 0, 0);
        claim(lockId);
        is_(lockId, LockState.Settled);
        eq(prepaid.withdrawableOf(processor), PRICE_WEI - fee, "price");
        eq(prepaid.withdrawableOf(address(consortium)), fee, "fee");
        eq(credit.creditOf(processor), fee / POINT_WEI, "credit");
        solvent();
    }

    function _refuses(RequestOrder memory it, address payer, bytes memory refused) private {
        G1Point memory signature = signed(it, payer);
        refuse(refused);
        vm.prank(payer);
        prepaid.request{value: PRICE_WEI}(it, signature);
    }

    function _refusesAccept(bytes32 lockId, bytes32 c, bytes32 digest, uint32 length, bytes memory refused) private {
        refuse(refused);
        vm.prank(processor);
        prepaid.accept(lockId, c, digest, length);
    }
}
