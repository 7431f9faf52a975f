// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Bond, IPrepaidLock} from "../../../interfaces/IPrepaidLock.sol";
import {ForcedEther} from "../../../contracts/mocks/ForcedEther.sol";
import {ReentrantReceiver} from "../../../contracts/mocks/ReentrantReceiver.sol";
import {RevertingReceiver} from "../../../contracts/mocks/RevertingReceiver.sol";
import {Locks} from "../base/Locks.sol";

contract PrepaidLockPurseTest is Locks {
    bytes32 private constant BROADCAST = "broadcast";

    // ---- bonds ----

    function test_addBond__when_account_or_value_do_not_fit__reverts() public {
        refuse(abi.encodeWithSelector(IPrepaidLock.PrepaidLock_NotProcessor.selector, buyer));
        prepaid.addBond{value: 1}(buyer);
        refuse(abi.encodeWithSelector(IPrepaidLock.PrepaidLock_WrongValue.selector, 0, 1));
        prepaid.addBond(processor);
        vm.deal(address(this), 1 << 97);
        refuse(abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, 96, 1 << 96));
        prepaid.addBond{value: 1 << 96}(processor);
        revoke(processor);
        refuse(abi.encodeWithSelector(IPrepaidLock.PrepaidLock_NotProcessor.selector, processor));
        prepaid.addBond{value: 1}(processor);
    }

    function test_addBond__by_anybody__adds_to_the_free_part() public {
        (uint256 before, uint256 owed) = (address(prepaid).balance, prepaid.liabilitiesWei());
        vm.expectEmit(address(prepaid));
        emit IPrepaidLock.BondAdded(processor, buyer, 5);
        vm.prank(buyer);
        prepaid.addBond{value: 5}(processor);
        eq(abi.encode(prepaid.bondOf(processor)), abi.encode(Bond(BOND_WEI + 5, 0, 0)), "bond");
        eq(address(prepaid).balance - before, 5, "balance");
        eq(prepaid.liabilitiesWei() - owed, 5, "liabilities");
    }

    function test_takeBond__when_it_is_too_much__reverts() public {
        accepted(ADVICE);
        uint96 free = BOND_WEI - PRICE_WEI;
        for (uint256 i = 0; i < 2; ++i) {
            uint96 asked = [uint96(0), free + 1][i];
            refuse(abi.encodeWithSelector(IPrepaidLock.PrepaidLock_BondTooSmall.selector, processor, free, asked));
            vm.prank(processor);
            prepaid.takeBond(asked);
        }
    }

    function test_takeBond__makes_it_withdrawable_also_for_a_revoked_node() public {
        revoke(processor);
        vm.warp(BEGIN + 3);
        vm.expectEmit(address(prepaid));
        emit IPrepaidLock.BondTaken(processor, 7);
        vm.prank(processor);
        prepaid.takeBond(7);
        eq(abi.encode(prepaid.bondOf(processor)), abi.encode(Bond(BOND_WEI - 7, 0, uint40(BEGIN + 3))), "bond");
        eq(prepaid.withdrawableOf(processor), 7, "withdrawable");
        vm.prank(processor);
        prepaid.takeBond(BOND_WEI - 7);
        eq(prepaid.withdrawableOf(processor), BOND_WEI, "all of it");
        prepaid.withdrawFor(processor);
        solvent();
    }

    function test_isCovered__asks_for_the_sum_and_since_when() public {
        yes(prepaid.isCovered(processor, BOND_WEI, BEGIN), "all");
        no(prepaid.isCovered(processor, BOND_WEI + 1, BEGIN), "too much");
        no(prepaid.isCovered(outsider, 1, BEGIN), "nobody");
        no(prepaid.isCovered(processor, 1, BEGIN - 1), "put up later than that");
        vm.warp(BEGIN + 10);
        prepaid.addBond{value: 3}(processor);
        no(prepaid.isCovered(processor, BOND_WEI + 1, BEGIN + 9), "what was added since does not count");
        yes(prepaid.isCovered(processor, BOND_WEI, BEGIN + 9), "what was there does");
        yes(prepaid.isCovered(processor, BOND_WEI + 3, BEGIN + 10), "added at that time");
        vm.warp(BEGIN + 20);
        vm.prank(processor);
        prepaid.takeBond(1);
        yes(prepaid.isCovered(processor, BOND_WEI + 2, BEGIN + 21), "since later");
        yes(prepaid.isCovered(processor, BOND_WEI + 2, BEGIN + 20), "taken at that time: what is left counts");
        no(prepaid.isCovered(processor, BOND_WEI + 3, BEGIN + 20), "and no more");
        no(prepaid.isCovered(processor, BOND_WEI, BEGIN + 19), "taken since");
        // All that is left was added since: less than nothing of it counts.
        vm.prank(processor);
        prepaid.takeBond(BOND_WEI + 1);
        vm.warp(BEGIN + 30);
        prepaid.addBond{value: 5}(processor);
        no(prepaid.isCovered(processor, 2, BEGIN + 25), "one wei was there");
        yes(prepaid.isCovered(processor, 1, BEGIN + 25), "that one");
    }

    // ---- the way out ----

    function test_withdrawFor__when_there_is_nothing__reverts() public {
        refuse(abi.encodeWithSelector(IPrepaidLock.PrepaidLock_NothingToWithdraw.selector, outsider));
        prepaid.withdrawFor(outsider);
    }

    function test_withdrawFor__by_anybody__sends_to_the_account_once() public {
        claim(accepted(BILL));
        uint256 amount = prepaid.withdrawableOf(processor);
        (uint256 before, uint256 owed) = (processor.balance, prepaid.liabilitiesWei());
        vm.expectEmit(address(prepaid));
        emit IPrepaidLock.Withdrawn(processor, outsider, amount);
        vm.prank(outsider);
        prepaid.withdrawFor(processor);
        eq(processor.balance - before, amount, "received");
        eq(owed - prepaid.liabilitiesWei(), amount, "liabilities");
        eq(prepaid.withdrawableOf(processor), 0, "zeroed");
        refuse(abi.encodeWithSelector(IPrepaidLock.PrepaidLock_NothingToWithdraw.selector, processor));
        prepaid.withdrawFor(processor);
        prepaid.withdrawFor(address(consortium));
        solvent();
    }

    function test_withdrawFor__given_a_reverting_receiver__keeps_its_money_and_harms_nobody() public {
        RevertingReceiver receiver = new RevertingReceiver();
        _owe(address(receiver), 9);
        _owe(buyer, 4);
        refuse(abi.encodeWithSelector(IPrepaidLock.PrepaidLock_TransferFailed.selector, address(receiver), 9));
        prepaid.withdrawFor(address(receiver));
        eq(prepaid.withdrawableOf(address(receiver)), 9, "kept");
        prepaid.withdrawFor(buyer);
        receiver.setOpen(true);
        prepaid.withdrawFor(address(receiver));
        eq(address(receiver).balance, 9, "received at last");
        solvent();
    }

    function test_withdrawFor__given_a_reentrant_receiver__pays_once() public {
        ReentrantReceiver receiver = new ReentrantReceiver();
        _owe(address(receiver), 9);
        receiver.prepare(address(prepaid), abi.encodeCall(prepaid.withdrawFor, (address(receiver))));
        prepaid.withdrawFor(address(receiver));
        eq(receiver.attempts(), 1, "tried");
        eq(receiver.successes(), 0, "refused");
        eq(address(receiver).balance, 9, "once");
        solvent();
    }

    function test_balance__given_forced_ether__owes_no_more() public {
        uint256 owed = prepaid.liabilitiesWei();
        new ForcedEther{value: 3}(payable(address(prepaid)));
        eq(prepaid.liabilitiesWei(), owed, "liabilities");
        eq(address(prepaid).balance, owed + 3, "covered");
        (bool ok,) = address(prepaid).call{value: 1}("");
        no(ok, "plain transfers are refused");
    }

    // ---- the market's deposits ----

    function test_applications__when_caller_is_not_the_market__revert() public {
        refuse(abi.encodeWithSelector(IPrepaidLock.PrepaidLock_NotMarket.selector, buyer));
        vm.prank(buyer);
        prepaid.holdApplication{value: 1}(BROADCAST, buyer);
        refuse(abi.encodeWithSelector(IPrepaidLock.PrepaidLock_NotMarket.selector, buyer));
        vm.prank(buyer);
        prepaid.releaseApplication(BROADCAST, new address[](0), new uint96[](0));
    }

    function test_holdApplication__adds_up() public {
        vm.startPrank(address(market));
        vm.expectEmit(address(prepaid));
        emit IPrepaidLock.ApplicationHeld(BROADCAST, buyer, 5);
        prepaid.holdApplication{value: 5}(BROADCAST, buyer);
        prepaid.holdApplication{value: 6}(BROADCAST, buyer);
        vm.stopPrank();
        eq(prepaid.applicationOf(BROADCAST), 11, "held");
        solvent();
        vm.deal(address(market), 1 << 97);
        refuse(abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, 96, 1 << 96));
        vm.prank(address(market));
        prepaid.holdApplication{value: 1 << 96}(BROADCAST, buyer);
    }

    function test_releaseApplication__gives_out_exactly_what_is_held() public {
        vm.prank(address(market));
        prepaid.holdApplication{value: 11}(BROADCAST, buyer);
        (address[] memory to, uint96[] memory amounts) = (new address[](2), new uint96[](2));
        (to[0], to[1], amounts[0], amounts[1]) = (buyer, processor, 4, 6);
        refuse(err(IPrepaidLock.PrepaidLock_WrongRelease.selector, BROADCAST, 11, 10));
        vm.prank(address(market));
        prepaid.releaseApplication(BROADCAST, to, amounts);
        amounts[1] = 8;
        refuse(err(IPrepaidLock.PrepaidLock_WrongRelease.selector, BROADCAST, 11, 12));
        vm.prank(address(market));
        prepaid.releaseApplication(BROADCAST, to, amounts);
        amounts[1] = 7;
        vm.expectEmit(address(prepaid));
        emit IPrepaidLock.ApplicationReleased(BROADCAST, buyer, 4);
        vm.expectEmit(address(prepaid));
        emit IPrepaidLock.ApplicationReleased(BROADCAST, processor, 7);
        vm.prank(address(market));
        prepaid.releaseApplication(BROADCAST, to, amounts);
        eq(prepaid.applicationOf(BROADCAST), 0, "nothing left");
        eq(prepaid.withdrawableOf(buyer), 4, "buyer");
        eq(prepaid.withdrawableOf(processor), 7, "processor");
        refuse(err(IPrepaidLock.PrepaidLock_WrongRelease.selector, BROADCAST, 0, 11));
        vm.prank(address(market));
        prepaid.releaseApplication(BROADCAST, to, amounts);
        solvent();
    }

    function _owe(address account, uint96 amountWei) private {
        (address[] memory to, uint96[] memory amounts) = (new address[](1), new uint96[](1));
        (to[0], amounts[0]) = (account, amountWei);
        vm.startPrank(address(market));
        prepaid.holdApplication{value: amountWei}(BROADCAST, account);
        prepaid.releaseApplication(BROADCAST, to, amounts);
        vm.stopPrank();
    }
}
