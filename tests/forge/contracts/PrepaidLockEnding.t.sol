// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IDataSetBook} from "../../../interfaces/IDataSetBook.sol";
import {IDisputeCourt} from "../../../interfaces/IDisputeCourt.sol";
import {Dispute, IPrepaidLock, Lock, LockState, Reason, SharingOrder} from "../../../interfaces/IPrepaidLock.sol";
import {Rules} from "../../../interfaces/IRequestCatalogue.sol";
import {Locks} from "../base/Locks.sol";

/// @dev The price of ADVICE is 2·PRICE_WEI, so its bond is PRICE_WEI and its fee 2 % of the price.
contract PrepaidLockEndingTest is Locks {
    uint96 private constant PRICE = 2 * PRICE_WEI;
    uint96 private constant FEE = PRICE * 200 / 10_000;
    uint96 private constant BOND = PRICE / 2;
    uint256 private constant DUE = BEGIN + WINDOW_S;
    uint96 private constant SERVE_GAS = uint96(40_000 + 12 * 42); // ANSWER has 42 bytes
    uint96 private constant DEPOSIT = SERVE_GAS * 1 gwei;

    function test_constants__are_told() public view {
        eq(constantOf(address(prepaid), "LONGEST_SECONDS"), 90 days, "seconds of a lock");
        eq(constantOf(address(prepaid), "MAX_SEALED_BYTES"), 32_768, "bytes of what is sealed");
        eq(constantOf(address(prepaid), "MOST_ENDED"), 64, "ends at once");
        eq(constantOf(address(prepaid), "MOST_DISPUTES"), 3, "open disputes");
        eq(constantOf(address(prepaid), "SERVE_BASE_GAS"), 40_000, "gas of serving");
        eq(constantOf(address(prepaid), "SERVE_BYTE_GAS"), 12, "gas of a byte");
    }

    // ---- demand ----

    function test_demand__when_caller_state_time_or_value_do_not_fit__reverts() public {
        bytes32 lockId = accepted(ADVICE);
        refusesDemand(lockId, err(IPrepaidLock.PrepaidLock_WrongState.selector, lockId, uint256(LockState.Accepted)));
        claim(lockId);
        uint96 depositWei = prepaid.demandWeiOf(lockId);
        refuse(err(IPrepaidLock.PrepaidLock_NotParty.selector, lockId, neighbour));
        vm.prank(neighbour);
        prepaid.demand{value: depositWei}(lockId);
        for (uint256 i = 0; i < 3; ++i) {
            uint256 value = [depositWei - 1, depositWei + 1, uint256(0)][i];
            refuse(abi.encodeWithSelector(IPrepaidLock.PrepaidLock_WrongValue.selector, value, depositWei));
            vm.prank(meterOwner);
            prepaid.demand{value: value}(lockId);
        }
        for (uint256 i = 0; i < 2; ++i) {
            vm.warp(DUE + i);
            refusesDemand(lockId, err(IPrepaidLock.PrepaidLock_TooLate.selector, lockId, DUE, DUE + i));
        }
        vm.warp(DUE - 1);
        demand(lockId);
    }

    function test_demand__takes_the_deposit_once() public {
        bytes32 lockId = claimed();
        eq(prepaid.demandWeiOf(lockId), DEPOSIT, "the gas of serving, at the rules' price");
        (uint256 before, uint256 owed) = (address(prepaid).balance, prepaid.liabilitiesWei());
        uint96 deposit = DEPOSIT;
        vm.warp(BEGIN + 7);
        vm.expectEmit(address(prepaid));
        emit IPrepaidLock.Demanded(lockId, meterOwner, processor, deposit, uint40(BEGIN + 7 + 1 days));
        demand(lockId);
        is_(lockId, LockState.Demanded);
        yes(prepaid.lockOf(lockId).isDemanded, "demanded");
        eq(prepaid.lockOf(lockId).dueAt, BEGIN + 7 + 1 days, "due");
        eq(address(prepaid).balance - before, deposit, "balance");
        eq(prepaid.liabilitiesWei() - owed, deposit, "liabilities");
        prepaid.serve(lockId, ANSWER);
        refusesDemand(lockId, err(IPrepaidLock.PrepaidLock_AlreadyDemanded.selector, lockId));
    }

    function test_demandWeiOf__is_the_gas_of_serving() public {
        eq(ANSWER.length, 42, "the answer");
        uint32[4] memory lengths = [uint32(1), 1_024, 9_000, 32_768];
        for (uint256 i = 0; i < lengths.length; ++i) {
            bytes32 lockId = requested(ADVICE);
            vm.prank(processor);
            prepaid.accept(lockId, bytes32(i + 1), "d", lengths[i]);
            eq(prepaid.serveGasOf(lengths[i]), 40_000 + 12 * uint256(lengths[i]), "gas");
            eq(prepaid.demandWeiOf(lockId), (40_000 + 12 * uint256(lengths[i])) * 1 gwei, "deposit");
        }
    }

    /// @dev A demand's cost stays that of the lock's own rules.
    function test_demand__given_other_rules_since__keeps_its_own() public {
        bytes32 lockId = claimed();
        Rules memory other = rules();
        (other.serveGasWei, other.serveSeconds, other.decideSeconds) = (1, 60, 60);
        (other.disputeMinWei, other.disputeBondBps, other.feeBps, other.bondBps) = (1, 100, 0, 1_000);
        setRules(other);
        eq(prepaid.demandWeiOf(lockId), DEPOSIT, "deposit");
        eq(prepaid.disputeWeiOf(lockId), PRICE * 2_500 / 10_000, "dispute bond");
        demand(lockId);
        eq(prepaid.lockOf(lockId).dueAt, BEGIN + 1 days, "time to serve");
        prepaid.serve(lockId, ANSWER);
        dispute(lockId, meterOwner);
        eq(prepaid.lockOf(lockId).dueAt, BEGIN + 7 days, "time to decide");
        bytes32 later = accepted(ADVICE);
        Lock memory lock = prepaid.lockOf(later);
        eq(lock.rulesVersion, 2, "version");
        eq(lock.feeBps, 0, "fee");
        eq(lock.bondWei, PRICE / 10, "bond");
        claim(later);
        eq(prepaid.demandWeiOf(later), SERVE_GAS, "deposit of the new rules");
        eq(prepaid.disputeWeiOf(later), PRICE / 100, "dispute bond of the new rules");
        vm.warp(BEGIN + WINDOW_S);
        prepaid.settle(later);
        eq(prepaid.withdrawableOf(address(consortium)), 0, "no fee");
    }

    // ---- serve, slash ----

    function test_serve__when_answer_state_or_time_do_not_fit__reverts() public {
        bytes32 lockId = claimed();
        refuse(err(IPrepaidLock.PrepaidLock_WrongState.selector, lockId, uint256(LockState.Claimed)));
        prepaid.serve(lockId, ANSWER);
        demand(lockId);
        bytes memory other = ANSWER;
        other[0] = "X";
        refuse(abi.encodeWithSelector(IPrepaidLock.PrepaidLock_WrongAnswer.selector, lockId, sha256(other)));
        prepaid.serve(lockId, other);
        // Of another length it is not even hashed.
        refuse(abi.encodeWithSelector(IPrepaidLock.PrepaidLock_WrongAnswer.selector, lockId, 0));
        prepaid.serve(lockId, bytes.concat(ANSWER, "!"));
        refuse(abi.encodeWithSelector(IPrepaidLock.PrepaidLock_WrongAnswer.selector, lockId, 0));
        prepaid.serve(lockId, "");
        uint256 due = BEGIN + 1 days;
        for (uint256 i = 0; i < 2; ++i) {
            vm.warp(due + i);
            refuse(err(IPrepaidLock.PrepaidLock_TooLate.selector, lockId, due, due + i));
            prepaid.serve(lockId, ANSWER);
        }
        vm.warp(due - 1);
        prepaid.serve(lockId, ANSWER);
    }

    /// @dev By the block's base fee alone, at most the deposit; what the transaction offers does not matter.
    function test_serve__pays_the_base_fee_and_restarts_the_window() public {
        uint256[4] memory fees = [uint256(0), 7, 1 gwei, 1_000 gwei];
        for (uint256 i = 0; i < 4; ++i) {
            uint256 snapshot = vm.snapshotState();
            bytes32 lockId = demanded();
            vm.warp(BEGIN + 100);
            vm.fee(fees[i]);
            vm.txGasPrice(5_000 gwei);
            uint256 paid = SERVE_GAS * fees[i] < DEPOSIT ? SERVE_GAS * fees[i] : DEPOSIT;
            vm.expectEmit(address(prepaid));
            emit IPrepaidLock.Served(
                lockId, meterOwner, processor, uint96(paid), ANSWER, uint40(BEGIN + 100 + WINDOW_S)
            );
            vm.prank(outsider);
            prepaid.serve(lockId, ANSWER);
            is_(lockId, LockState.Claimed);
            eq(prepaid.lockOf(lockId).dueAt, BEGIN + 100 + WINDOW_S, "due");
            eq(prepaid.withdrawableOf(processor), paid, "paid");
            eq(prepaid.withdrawableOf(meterOwner), DEPOSIT - paid, "the rest");
            solvent();
            vm.revertToState(snapshot);
        }
    }

    function test_slash__when_state_or_time_do_not_fit__reverts() public {
        bytes32 lockId = claimed();
        vm.warp(DUE);
        refuse(err(IPrepaidLock.PrepaidLock_WrongState.selector, lockId, uint256(LockState.Claimed)));
        prepaid.slash(lockId);
        vm.warp(DUE - 1);
        demand(lockId);
        uint256 due = DUE - 1 + 1 days;
        vm.warp(due - 1);
        refuse(err(IPrepaidLock.PrepaidLock_TooEarly.selector, lockId, due, due - 1));
        prepaid.slash(lockId);
        vm.warp(due);
        prepaid.slash(lockId);
        refuse(err(IPrepaidLock.PrepaidLock_WrongState.selector, lockId, uint256(LockState.Slashed)));
        prepaid.slash(lockId);
    }

    function test_slash__gives_price_deposit_and_bond_to_the_payer() public {
        _raiseCredit();
        bytes32 lockId = demanded();
        uint96 deposit = prepaid.demandWeiOf(lockId);
        (uint256 before, uint32 credits) = (prepaid.withdrawableOf(processor), credit.creditOf(processor));
        (uint256 fees, uint256 free) = (prepaid.withdrawableOf(address(consortium)), prepaid.bondOf(processor).freeWei);
        vm.warp(block.timestamp + 1 days);
        vm.expectEmit(address(prepaid));
        emit IPrepaidLock.Slashed(lockId, meterOwner, processor, PRICE, 0, BOND);
        vm.prank(outsider);
        prepaid.slash(lockId);
        is_(lockId, LockState.Slashed);
        eq(prepaid.withdrawableOf(meterOwner), PRICE + deposit + BOND, "payer");
        eq(prepaid.withdrawableOf(processor), before, "payee");
        eq(prepaid.withdrawableOf(address(consortium)), fees, "no fee");
        eq(prepaid.bondOf(processor).heldWei, 0, "held");
        eq(prepaid.bondOf(processor).freeWei, free, "free");
        eq(credit.creditOf(processor), credits - 30, "credit falls");
        solvent();
    }

    // ---- dispute ----

    function test_dispute__when_caller_state_time_or_value_do_not_fit__reverts() public {
        bytes32 lockId = accepted(ADVICE);
        uint96 bond = prepaid.disputeWeiOf(lockId);
        eq(bond, PRICE * 2_500 / 10_000, "a quarter of the price");
        refusesDispute(lockId, meterOwner, err(IPrepaidLock.PrepaidLock_WrongState.selector, lockId, uint256(LockState.Accepted)));
        claim(lockId);
        refusesDispute(lockId, processor, err(IPrepaidLock.PrepaidLock_NotParty.selector, lockId, processor));
        for (uint256 i = 0; i < 3; ++i) {
            uint256 value = [bond - 1, bond + 1, uint256(0)][i];
            refuse(abi.encodeWithSelector(IPrepaidLock.PrepaidLock_WrongValue.selector, value, bond));
            vm.prank(meterOwner);
            prepaid.dispute{value: value}(lockId, EVIDENCE, 500);
        }
        _refusesEvidence(lockId, 0, 500);
        _refusesEvidence(lockId, EVIDENCE, 0);
        _refusesEvidence(lockId, EVIDENCE, 32_769);
        for (uint256 i = 0; i < 2; ++i) {
            vm.warp(DUE + i);
            refusesDispute(lockId, meterOwner, err(IPrepaidLock.PrepaidLock_TooLate.selector, lockId, DUE, DUE + i));
        }
        vm.warp(DUE - 1);
        vm.prank(meterOwner);
        prepaid.dispute{value: bond}(lockId, EVIDENCE, 32_768);
        refusesDispute(lockId, meterOwner, err(IPrepaidLock.PrepaidLock_WrongState.selector, lockId, uint256(LockState.Disputed)));
    }

    /// @dev What a payer has open at once is bounded: more than can be judged would end undecided, and give the goods away.
    function test_dispute__of_one_account__at_most_three_at_a_time() public {
        bytes32[5] memory ids;
        for (uint256 i = 0; i < 5; ++i) ids[i] = claimed();
        for (uint256 i = 0; i < 3; ++i) dispute(ids[i], meterOwner);
        eq(prepaid.openDisputesOf(meterOwner), 3, "three");
        bytes memory refused = abi.encodeWithSelector(IPrepaidLock.PrepaidLock_TooManyDisputes.selector, meterOwner, 3);
        refusesDispute(ids[3], meterOwner, refused);
        decide(ids[0], true);
        dispute(ids[3], meterOwner);
        refusesDispute(ids[4], meterOwner, refused);
        decide(ids[1], false);
        dispute(ids[4], meterOwner);
        vm.warp(BEGIN + 7 days);
        prepaid.refund(ids[2]);
        eq(prepaid.openDisputesOf(meterOwner), 2, "two are left");
        prepaid.refund(ids[3]);
        prepaid.refund(ids[4]);
        eq(prepaid.openDisputesOf(meterOwner), 0, "none");
    }

    function test_disputeWeiOf__has_a_floor() public {
        Rules memory other = rules();
        (other.disputeMinWei, other.disputeBondBps) = (uint80(PRICE), 2_500);
        setRules(other);
        eq(prepaid.disputeWeiOf(claimed()), PRICE, "the floor");
    }

    function test_dispute__takes_the_bond_and_opens_a_case() public {
        bytes32 lockId = claimed();
        uint96 bond = prepaid.disputeWeiOf(lockId);
        (uint256 before, uint256 owed) = (address(prepaid).balance, prepaid.liabilitiesWei());
        vm.warp(BEGIN + 9);
        uint40 due = uint40(BEGIN + 9 + 7 days);
        vm.expectEmit(address(prepaid));
        emit IPrepaidLock.Disputed(lockId, processor, meterOwner, bond, EVIDENCE, 500, due);
        vm.expectEmit(address(court));
        emit IDisputeCourt.CaseOpened(lockId, 2, due);
        dispute(lockId, meterOwner);
        is_(lockId, LockState.Disputed);
        eq(prepaid.lockOf(lockId).dueAt, due, "due");
        eq(abi.encode(prepaid.disputeOf(lockId)), abi.encode(Dispute(meterOwner, bond)), "dispute");
        eq(address(prepaid).balance - before, bond, "balance");
        eq(prepaid.liabilitiesWei() - owed, bond, "liabilities");
    }

    function test_disputeAsMember__when_group_or_caller_do_not_fit__reverts() public {
        bytes32 lockId = delivered();
        uint96 bond = prepaid.disputeWeiOf(lockId);
        address[] memory others = new address[](3);
        (others[0], others[1], others[2]) = (buyer, buyerTwo, outsider);
        vm.deal(outsider, 10 ether);
        bool[2] memory isTried; // a group with a hash above that of the lock's group, and one below
        for (uint160 i = 1; !isTried[0] || !isTried[1]; ++i) {
            others[0] = address(i);
            isTried[keccak256(abi.encode(others, groupKeys)) < prepaid.lockOf(lockId).binding ? 1 : 0] = true;
            refuse(err(IPrepaidLock.PrepaidLock_WrongGroup.selector, lockId));
            vm.prank(outsider);
            prepaid.disputeAsMember{value: bond}(lockId, others, groupKeys, EVIDENCE, 500);
        }
        refuse(err(IPrepaidLock.PrepaidLock_NotParty.selector, lockId, outsider));
        vm.prank(outsider);
        prepaid.disputeAsMember{value: bond}(lockId, group, groupKeys, EVIDENCE, 500);
        refuse(abi.encodeWithSelector(IPrepaidLock.PrepaidLock_WrongValue.selector, bond - 1, bond));
        vm.prank(buyerTwo);
        prepaid.disputeAsMember{value: bond - 1}(lockId, group, groupKeys, EVIDENCE, 500);
        vm.warp(DUE);
        refuse(err(IPrepaidLock.PrepaidLock_TooLate.selector, lockId, DUE, DUE));
        vm.prank(buyerTwo);
        prepaid.disputeAsMember{value: bond}(lockId, group, groupKeys, EVIDENCE, 500);
    }

    function test_disputeAsMember__by_each_member__gives_the_bond_back_to_it() public {
        for (uint256 i = 0; i < 3; ++i) {
            uint256 snapshot = vm.snapshotState();
            bytes32 lockId = delivered();
            Lock memory lock = prepaid.lockOf(lockId);
            uint96 bond = prepaid.disputeWeiOf(lockId);
            uint40 due = uint40(BEGIN + 7 days);
            vm.expectEmit(address(prepaid));
            emit IPrepaidLock.Disputed(lockId, processor, group[i], bond, EVIDENCE, 500, due);
            vm.prank(group[i]);
            prepaid.disputeAsMember{value: bond}(lockId, group, groupKeys, EVIDENCE, 500);
            eq(prepaid.disputeOf(lockId).by, group[i], "by");
            vm.warp(BEGIN + 10);
            decide(lockId, true);
            uint96 fee = uint96(uint256(lock.priceWei) * 200 / 10_000);
            uint256 payer = uint256(lock.priceWei) + lock.bondWei - fee;
            eq(prepaid.withdrawableOf(buyer), i == 0 ? payer + bond : payer, "payer");
            if (i > 0) eq(prepaid.withdrawableOf(group[i]), bond, "disputer");
            solvent();
            vm.revertToState(snapshot);
        }
    }

    function test_decide__when_caller_does_not_fit__reverts() public {
        bytes32 lockId = disputed();
        refuse(abi.encodeWithSelector(IPrepaidLock.PrepaidLock_NotCourt.selector, address(consortium)));
        vm.prank(address(consortium));
        prepaid.decide(lockId, true);
        vm.startPrank(address(court));
        bytes32 other = keccak256("none");
        refuse(err(IPrepaidLock.PrepaidLock_WrongState.selector, other, uint256(LockState.None)));
        prepaid.decide(other, true);
        vm.warp(BEGIN + 7 days);
        refuse(err(IPrepaidLock.PrepaidLock_TooLate.selector, lockId, BEGIN + 7 days, BEGIN + 7 days));
        prepaid.decide(lockId, true);
        vm.warp(BEGIN + 7 days - 1);
        prepaid.decide(lockId, true);
        refuse(err(IPrepaidLock.PrepaidLock_WrongState.selector, lockId, uint256(LockState.Slashed)));
        prepaid.decide(lockId, false);
    }

    function test_decide__for_the_payer__gives_back_and_slashes() public {
        _raiseCredit();
        bytes32 lockId = disputed();
        uint96 bond = prepaid.disputeWeiOf(lockId);
        (uint256 before, uint32 credits) = (prepaid.withdrawableOf(processor), credit.creditOf(processor));
        uint256 fees = prepaid.withdrawableOf(address(consortium));
        vm.warp(block.timestamp + 1);
        vm.prank(judges[0]);
        court.vote(lockId, true);
        is_(lockId, LockState.Disputed);
        vm.expectEmit(address(prepaid));
        emit IPrepaidLock.Slashed(lockId, meterOwner, processor, PRICE, FEE, BOND - FEE);
        vm.prank(judges[2]);
        court.vote(lockId, true);
        is_(lockId, LockState.Slashed);
        eq(prepaid.withdrawableOf(meterOwner), PRICE + BOND - FEE + bond, "payer");
        eq(prepaid.withdrawableOf(processor), before, "payee");
        eq(prepaid.withdrawableOf(address(consortium)) - fees, FEE, "the fee, as if it had settled");
        eq(prepaid.bondOf(processor).heldWei, 0, "held");
        eq(credit.creditOf(processor), credits - 30, "credit");
        solvent();
    }

    function test_decide__for_the_payee__settles_and_pays_the_disputers_bond() public {
        bytes32 lockId = disputed();
        uint96 bond = prepaid.disputeWeiOf(lockId);
        vm.warp(BEGIN + 1);
        vm.prank(judges[0]);
        court.vote(lockId, false);
        vm.expectEmit(address(prepaid));
        emit IPrepaidLock.Settled(lockId, meterOwner, processor, PRICE, FEE, 0, bond);
        vm.prank(judges[1]);
        court.vote(lockId, false);
        is_(lockId, LockState.Settled);
        eq(prepaid.withdrawableOf(processor), PRICE - FEE + bond, "payee");
        eq(prepaid.withdrawableOf(meterOwner), 0, "payer");
        eq(prepaid.withdrawableOf(address(consortium)), FEE, "fee");
        eq(prepaid.bondOf(processor).freeWei, BOND_WEI, "bond");
        eq(prepaid.bondOf(processor).heldWei, 0, "held");
        eq(credit.creditOf(processor), FEE / POINT_WEI > 10 ? 10 : FEE / POINT_WEI, "credit");
        solvent();
    }

    function test_refund__given_an_undecided_dispute__returns_everything() public {
        _raiseCredit();
        bytes32 lockId = disputed();
        uint96 bond = prepaid.disputeWeiOf(lockId);
        (uint32 credits, uint256 free) = (credit.creditOf(processor), prepaid.bondOf(processor).freeWei);
        uint256 due = block.timestamp + 7 days;
        vm.warp(due - 1);
        refuse(err(IPrepaidLock.PrepaidLock_TooEarly.selector, lockId, due, due - 1));
        prepaid.refund(lockId);
        vm.warp(due);
        vm.expectEmit(address(prepaid));
        emit IPrepaidLock.Refunded(lockId, meterOwner, processor, PRICE, 0);
        prepaid.refund(lockId);
        is_(lockId, LockState.Refunded);
        eq(prepaid.withdrawableOf(meterOwner), PRICE + bond, "payer");
        eq(prepaid.bondOf(processor).heldWei, 0, "held");
        eq(prepaid.bondOf(processor).freeWei, free + BOND, "bond");
        eq(credit.creditOf(processor), credits, "no credit moves");
        solvent();
    }

    // ---- settle, refund ----

    function test_settle__when_state_or_time_do_not_fit__reverts() public {
        bytes32 lockId = accepted(ADVICE);
        refuse(err(IPrepaidLock.PrepaidLock_WrongState.selector, lockId, uint256(LockState.Accepted)));
        prepaid.settle(lockId);
        claim(lockId);
        vm.warp(DUE - 1);
        refuse(err(IPrepaidLock.PrepaidLock_TooEarly.selector, lockId, DUE, DUE - 1));
        prepaid.settle(lockId);
        vm.warp(DUE);
        prepaid.settle(lockId);
        refuse(err(IPrepaidLock.PrepaidLock_WrongState.selector, lockId, uint256(LockState.Settled)));
        prepaid.settle(lockId);
    }

    function test_settle__pays_and_credits() public {
        bytes32 lockId = claimed();
        vm.warp(DUE);
        vm.expectEmit(address(prepaid));
        emit IPrepaidLock.Settled(lockId, meterOwner, processor, PRICE, FEE, 0, 0);
        vm.expectCall(address(sets), abi.encodeWithSelector(IDataSetBook.recordSale.selector), 0); // owners get nothing
        vm.prank(outsider);
        prepaid.settle(lockId);
        eq(prepaid.withdrawableOf(processor), PRICE - FEE, "payee");
        eq(prepaid.withdrawableOf(address(consortium)), FEE, "fee");
        eq(prepaid.bondOf(processor).freeWei, BOND_WEI, "bond");
        eq(credit.gainedFrom(processor, meterOwner), credit.creditOf(processor), "credited to the pair");
        solvent();
    }

    function test_refund__given_requested__returns_the_price_alone() public {
        _raiseCredit();
        uint32 credits = credit.creditOf(processor);
        bytes32 lockId = requested(ADVICE);
        uint256 expiresAt = block.timestamp + 2 * SHORTEST_S;
        vm.warp(expiresAt - 1);
        refuse(err(IPrepaidLock.PrepaidLock_NotExpired.selector, lockId, expiresAt, expiresAt - 1));
        prepaid.refund(lockId);
        vm.warp(expiresAt);
        vm.expectEmit(address(prepaid));
        emit IPrepaidLock.Refunded(lockId, meterOwner, processor, PRICE, 0);
        vm.prank(outsider);
        prepaid.refund(lockId);
        is_(lockId, LockState.Refunded);
        eq(prepaid.withdrawableOf(meterOwner), PRICE, "price");
        eq(credit.creditOf(processor), credits, "credit");
        refuse(err(IPrepaidLock.PrepaidLock_WrongState.selector, lockId, uint256(LockState.Refunded)));
        prepaid.refund(lockId);
    }

    function test_refund__given_accepted__returns_price_and_bond_and_lowers_credit() public {
        _raiseCredit();
        (uint32 credits, uint256 free) = (credit.creditOf(processor), prepaid.bondOf(processor).freeWei);
        bytes32 lockId = accepted(ADVICE);
        uint256 expiresAt = block.timestamp + 2 * SHORTEST_S;
        vm.warp(expiresAt - 1);
        refuse(err(IPrepaidLock.PrepaidLock_NotExpired.selector, lockId, expiresAt, expiresAt - 1));
        prepaid.refund(lockId);
        vm.warp(expiresAt);
        vm.expectEmit(address(prepaid));
        emit IPrepaidLock.Refunded(lockId, meterOwner, processor, PRICE, BOND);
        prepaid.refund(lockId);
        eq(prepaid.withdrawableOf(meterOwner), PRICE + BOND, "payer");
        eq(prepaid.bondOf(processor).freeWei, free - BOND, "bond lost");
        eq(prepaid.bondOf(processor).heldWei, 0, "held");
        eq(credit.creditOf(processor), credits - 30, "credit");
        solvent();
    }

    function test_refund__given_selected__returns_price_and_bond_and_lowers_credit() public {
        _raiseCredit();
        uint32 credits = credit.creditOf(processor);
        bytes32 lockId = selected();
        Lock memory lock = prepaid.lockOf(lockId);
        vm.warp(lock.expiresAt);
        prepaid.refund(lockId);
        eq(prepaid.withdrawableOf(buyer), uint256(lock.priceWei) + lock.bondWei, "payer");
        eq(credit.creditOf(processor), credits - 30, "credit");
        solvent();
    }

    function test_refund__when_state_does_not_fit__reverts() public {
        bytes32 lockId = claimed();
        vm.warp(DUE + 365 days);
        refuse(err(IPrepaidLock.PrepaidLock_WrongState.selector, lockId, uint256(LockState.Claimed)));
        prepaid.refund(lockId);
        bytes32 none = keccak256("none");
        refuse(err(IPrepaidLock.PrepaidLock_WrongState.selector, none, uint256(LockState.None)));
        prepaid.refund(none);
    }

    /// @dev Long after every deadline: a lock that has ended returns nothing more.
    function test_refund__given_any_ended_lock__reverts() public {
        bytes32[6] memory ids = [requested(BILL), selected(), claimed(), accepted(BILL), demanded(), disputed()];
        LockState[6] memory ends = [
            LockState.Rejected,
            LockState.Declined,
            LockState.Settled,
            LockState.Refunded,
            LockState.Slashed,
            LockState.Slashed
        ];
        vm.prank(processor);
        prepaid.reject(ids[0], Reason.NotServed);
        vm.prank(processor);
        prepaid.decline(ids[1], Reason.NotServed);
        vm.warp(BEGIN + 1);
        decide(ids[5], true);
        vm.warp(BEGIN + 1 days);
        prepaid.settle(ids[2]);
        prepaid.refund(ids[3]);
        prepaid.slash(ids[4]);
        vm.warp(BEGIN + 365 days);
        for (uint256 i = 0; i < ids.length; ++i) {
            is_(ids[i], ends[i]);
            refuse(err(IPrepaidLock.PrepaidLock_WrongState.selector, ids[i], uint256(ends[i])));
            prepaid.refund(ids[i]);
        }
        solvent();
    }

    // ---- endMany ----

    function test_endMany__ends_what_is_due_and_passes_over_the_rest() public {
        setSharingWindow(WINDOW_S);
        bytes32[] memory ids = new bytes32[](9);
        ids[0] = requested(BILL); // refund
        ids[1] = accepted(BILL); // refund
        ids[2] = selected(); // refund
        ids[3] = claimed(); // settle
        ids[4] = selected();
        deliver(ids[4]); // settle
        ids[5] = demanded(); // slash
        ids[6] = disputed(); // refund
        ids[7] = keccak256("none");
        ids[8] = requested(BILL);
        vm.prank(processor);
        prepaid.reject(ids[8], Reason.NotServed);
        eq(prepaid.endMany(ids), 0, "nothing is due");
        vm.warp(BEGIN + WINDOW_S);
        eq(prepaid.endMany(ids), 2, "the two windows are over");
        is_(ids[3], LockState.Settled);
        is_(ids[4], LockState.Settled);
        vm.warp(BEGIN + 2 * SHARING_SHORTEST_S);
        eq(prepaid.endMany(ids), 3, "T is over");
        for (uint256 i = 0; i < 3; ++i) is_(ids[i], LockState.Refunded);
        vm.warp(BEGIN + 1 days);
        eq(prepaid.endMany(ids), 1, "not served");
        is_(ids[5], LockState.Slashed);
        vm.warp(BEGIN + 7 days);
        eq(prepaid.endMany(ids), 1, "not decided");
        is_(ids[6], LockState.Refunded);
        is_(ids[7], LockState.None);
        is_(ids[8], LockState.Rejected);
        eq(prepaid.endMany(ids), 0, "all ended");
        solvent();
    }

    function test_endMany__at_each_bound() public {
        prepaid.endMany(new bytes32[](0));
        prepaid.endMany(new bytes32[](64));
        refuse(abi.encodeWithSelector(IPrepaidLock.PrepaidLock_TooMany.selector, 65, 64));
        prepaid.endMany(new bytes32[](65));
    }

    /// @dev One point of credit lies behind 1e13 wei of fees; a settled ADVICE gives ten, thirty a payer.
    function _raiseCredit() private {
        for (uint256 i = 0; i < 4; ++i) {
            bytes32 lockId = claimed();
            vm.warp(block.timestamp + WINDOW_S);
            prepaid.settle(lockId);
        }
        SharingOrder memory it;
        for (uint256 i = 0; i < 4; ++i) {
            it = aSharingOrder();
            bytes32 lockId = send(it);
            deliver(lockId);
        }
        eq(credit.creditOf(processor), 60, "thirty from each payer");
        prepaid.withdrawFor(processor);
    }

    function _refusesEvidence(bytes32 lockId, bytes32 digest, uint32 length) private {
        uint96 bond = prepaid.disputeWeiOf(lockId);
        refuse(abi.encodeWithSelector(IPrepaidLock.PrepaidLock_BadEvidence.selector, digest, length));
        vm.prank(meterOwner);
        prepaid.dispute{value: bond}(lockId, digest, length);
    }
}
