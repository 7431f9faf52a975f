// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {SortedForm} from "../../../contracts/libraries/SortedForm.sol";
import {SortedFormHarness} from "../../../contracts/mocks/SortedFormHarness.sol";
import {TestBase} from "../base/TestBase.sol";

/// @dev Held to a plain list that is kept sorted by moving entries one by one.
contract SortedFormTest is TestBase {
    SortedFormHarness private harness;

    struct Entry {
        uint8 slot;
        uint16 credit;
    }

    Entry[] private model;

    function setUp() public {
        harness = SortedFormHarness(create("SortedFormHarness", ""));
    }

    function test_sorted_form__given_nothing__is_empty() public view {
        eq(harness.ranked(1).length, 0, "ranked");
        eq(harness.ranked(1).length, 0, "size");
        yes(harness.accepts(1, 0), "accepts");
        for (uint8 slot = 0; slot < 18; ++slot) no(harness.holds(1, slot), "holds");
    }

    function testFuzz_sorted_form__given_random_calls__agrees_with_a_sorted_list(uint256 seed) public {
        // A quarter of the runs begins with a form that is nearly full.
        if (seed % 4 == 0) {
            for (uint16 i = 0; i < 14; ++i) model.push(Entry(uint8(i), 40 - i));
            harness.insertMany(1, _credits(14));
        }
        uint256 steps = seed % 12;
        uint256 spread = 1 + (seed >> 8) % 50;
        for (uint256 step = 0; step < steps; ++step) {
            uint256 random = uint256(keccak256(abi.encode(seed, step)));
            if (random % 5 == 0 && model.length != 0) _remove((random >> 8) % model.length);
            else _insert(uint16((random >> 8) % spread));
        }
        _compare();
    }

    function test_sorted_form__given_the_largest_credits__orders_them() public {
        uint16[5] memory credits = [type(uint16).max, 0, 1, type(uint16).max - 1, type(uint16).max];
        for (uint256 i = 0; i < credits.length; ++i) _insert(credits[i]);
        _compare();
    }

    function test_sorted_form__given_full_form__replaces_the_last_or_refuses() public {
        for (uint16 i = 0; i < 16; ++i) _insert(100 - i % 7);
        _compare();
        uint16 lowest = model[15].credit;
        no(harness.accepts(1, lowest), "equal");
        no(harness.accepts(1, lowest - 1), "lower");
        yes(harness.accepts(1, lowest + 1), "higher");
        refuse(abi.encodeWithSelector(SortedForm.SortedForm_Full.selector, lowest));
        harness.insert(1, lowest);
        refuse(abi.encodeWithSelector(SortedForm.SortedForm_Full.selector, lowest));
        harness.insert(1, 0);
        for (uint16 i = 0; i < 24; ++i) _insert(101 + i * 17 % 23);
        _compare();
        eq(harness.ranked(1).length, 16, "still full");
    }

    function test_sorted_form__accepts__given_full_form__compares_with_the_last_line_alone() public {
        for (uint16 i = 0; i < 16; ++i) _insert(200 - i);
        no(harness.accepts(1, 185), "the last line's credit");
        yes(harness.accepts(1, 186), "that of the line before it");
        _insert(186);
        _compare();
    }

    function test_sorted_form__remove__when_no_line_stands__reverts() public {
        _insert(5);
        _insert(6);
        for (uint8 slot = 2; slot < 24; ++slot) {
            refuse(abi.encodeWithSelector(SortedForm.SortedForm_NoSuchSlot.selector, slot));
            harness.remove(1, slot);
            refuse(abi.encodeWithSelector(SortedForm.SortedForm_NoSuchSlot.selector, slot));
            harness.creditOf(1, slot);
        }
        harness.remove(1, 0);
        refuse(abi.encodeWithSelector(SortedForm.SortedForm_NoSuchSlot.selector, 0));
        harness.remove(1, 0);
    }

    function test_sorted_form__given_two_forms__keeps_them_apart() public {
        harness.insert(2, 9);
        _insert(5);
        _compare();
        eq(harness.ranked(2).length, 1, "the other");
        eq(harness.creditOf(2, 0), 9, "its credit");
    }

    function _credits(uint256 count) private view returns (uint16[] memory credits) {
        credits = new uint16[](count);
        for (uint256 i = 0; i < count; ++i) credits[i] = model[i].credit;
    }

    function _insert(uint16 credit) private {
        bool full = model.length == 16;
        if (full && model[15].credit >= credit) {
            refuse(abi.encodeWithSelector(SortedForm.SortedForm_Full.selector, model[15].credit));
            harness.insert(1, credit);
            return;
        }
        uint8 slot = full ? model[15].slot : _lowestFree();
        vm.expectEmit(address(harness));
        emit SortedFormHarness.Inserted(1, slot, full);
        harness.insert(1, credit);
        if (full) model.pop();
        model.push(Entry(slot, credit));
        for (uint256 i = model.length - 1; i > 0 && model[i - 1].credit < credit; --i) {
            Entry memory moved = model[i];
            model[i] = model[i - 1];
            model[i - 1] = moved;
        }
    }

    function _remove(uint256 rank) private {
        harness.remove(1, model[rank].slot);
        for (uint256 i = rank; i + 1 < model.length; ++i) model[i] = model[i + 1];
        model.pop();
    }

    function _compare() private view {
        uint8[] memory ranked = harness.ranked(1);
        eq(ranked.length, model.length, "count");
        eq(harness.ranked(1).length, model.length, "size");
        for (uint256 i = 0; i < ranked.length; ++i) {
            eq(ranked[i], model[i].slot, "slot");
            eq(harness.creditOf(1, ranked[i]), model[i].credit, "credit");
            yes(harness.holds(1, ranked[i]), "holds");
        }
        uint16 lowest = ranked.length == 16 ? model[15].credit : 0;
        eq(harness.accepts(1, lowest), ranked.length < 16, "accepts");
    }

    function _lowestFree() private view returns (uint8 slot) {
        for (uint256 i = 0; i < model.length;) {
            if (model[i].slot == slot) (slot, i) = (slot + 1, 0);
            else ++i;
        }
    }
}
