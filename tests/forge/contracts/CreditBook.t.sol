// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {ICreditBook} from "../../../interfaces/ICreditBook.sol";
import {Wiring} from "../../../contracts/libraries/Wiring.sol";
import {TestBase} from "../base/TestBase.sol";

/// @dev The lock is this contract; the rule of docs/credit.md is written out once more as plain sums.
contract CreditBookTest is TestBase {
    uint256 private constant POINT = 1_000;
    uint256 private constant EPOCH = 30 days;
    address private constant NODE = address(0xA1);
    address private constant PAYER = address(0xB1);

    ICreditBook private book;

    function setUp() public {
        vm.warp(600 * EPOCH + 5);
        book = ICreditBook(create("CreditBook", abi.encode(address(this), POINT)));
    }

    function make(address lock, uint256 pointWei) external returns (address) {
        return create("CreditBook", abi.encode(lock, pointWei));
    }

    function test_constructor__when_a_part_is_missing__reverts() public {
        refuse(abi.encodeWithSelector(Wiring.Wiring_ZeroAddress.selector));
        this.make(address(0), 1);
        refuse(abi.encodeWithSelector(ICreditBook.CreditBook_BadPoint.selector));
        this.make(address(1), 0);
        eq(ICreditBook(this.make(address(1), 1)).pointWei(), 1, "point");
    }

    function test_constants__are_those_of_the_rule() public view {
        eq(book.MAX_GAIN(), 10, "MAX_GAIN");
        eq(book.PAIR_CAP(), 30, "PAIR_CAP");
        eq(book.ACCOUNT_CAP(), 1_000, "ACCOUNT_CAP");
        eq(book.LOSS(), 30, "LOSS");
        eq(book.MAXIMUM(), 8_000, "MAXIMUM");
        eq(book.EPOCH_SECONDS(), 30 days, "EPOCH_SECONDS");
        eq(book.pointWei(), POINT, "pointWei");
    }

    function test_record__when_caller_is_not_the_lock__reverts() public {
        refuse(abi.encodeWithSelector(ICreditBook.CreditBook_NotLock.selector, NODE));
        vm.prank(NODE);
        book.recordSuccess(NODE, PAYER, POINT, "lock");
        refuse(abi.encodeWithSelector(ICreditBook.CreditBook_NotLock.selector, NODE));
        vm.prank(NODE);
        book.recordFailure(NODE, "lock");
    }

    function test_recordSuccess__gains_by_the_fee_at_each_bound() public {
        uint256[6] memory fees = [uint256(0), POINT - 1, POINT, 2 * POINT - 1, 10 * POINT, 11 * POINT];
        uint32[6] memory gains = [uint32(0), 0, 1, 1, 10, 10];
        uint32 total;
        for (uint256 i = 0; i < fees.length; ++i) {
            address payer = address(uint160(100 + i));
            vm.expectEmit(address(book));
            emit ICreditBook.CreditChanged(NODE, bytes32(i), total, total + gains[i]);
            book.recordSuccess(NODE, payer, fees[i], bytes32(i));
            total += gains[i];
            eq(book.creditOf(NODE), total, "credit");
            eq(book.gainedOf(NODE), total, "gained");
            eq(book.gainedFrom(NODE, payer), gains[i], "from the payer");
        }
        eq(book.gainedFrom(NODE, address(1)), 0, "from nobody");
        eq(book.creditOf(PAYER), 0, "nobody else");
    }

    function test_recordSuccess__is_capped_a_pair_and_an_epoch() public {
        for (uint256 i = 0; i < 2; ++i) book.recordSuccess(NODE, PAYER, 10 * POINT, "lock");
        book.recordSuccess(NODE, PAYER, 5 * POINT, "lock");
        book.recordSuccess(NODE, PAYER, 10 * POINT, "lock");
        eq(book.creditOf(NODE), 30, "the rest alone");
        book.recordSuccess(NODE, PAYER, 10 * POINT, "lock");
        eq(book.creditOf(NODE), 30, "no more from this payer");
        book.recordSuccess(NODE, address(2), 10 * POINT, "lock");
        eq(book.creditOf(NODE), 40, "another payer");
        vm.warp(601 * EPOCH);
        eq(book.gainedFrom(NODE, PAYER), 0, "a new epoch");
        book.recordSuccess(NODE, PAYER, 10 * POINT, "lock");
        eq(book.creditOf(NODE), 40 * 7 / 8 + 10, "decayed, and gained again");
        eq(book.gainedFrom(NODE, PAYER), 10, "from the payer");
        eq(book.gainedOf(NODE), 10, "gained");
    }

    function test_recordSuccess__is_capped_an_account_and_an_epoch() public {
        _fill(NODE, 1_000);
        book.recordSuccess(NODE, address(1), 10 * POINT, "lock");
        eq(book.creditOf(NODE), 1_000, "the cap");
        eq(book.gainedFrom(NODE, address(1)), 0, "nothing counted against the payer");
        eq(book.gainedOf(NODE), 1_000, "gained");
        // A loss gives no room for more within the epoch.
        book.recordFailure(NODE, "lock");
        book.recordSuccess(NODE, address(1), 10 * POINT, "lock");
        eq(book.creditOf(NODE), 970, "credit");
    }

    function test_recordFailure__loses_thirty_at_each_bound() public {
        uint32[5] memory credits = [uint32(0), 29, 30, 31, 60];
        for (uint256 i = 0; i < credits.length; ++i) {
            address node = address(uint160(500 + i));
            _fill(node, credits[i]);
            uint32 expected = credits[i] < 30 ? 0 : credits[i] - 30;
            vm.expectEmit(address(book));
            emit ICreditBook.CreditChanged(node, "lock", credits[i], expected);
            book.recordFailure(node, "lock");
            eq(book.creditOf(node), expected, "credit");
            eq(book.gainedOf(node), credits[i], "gained stays");
        }
    }

    function test_creditOf__decays_by_an_eighth_an_epoch() public {
        _fill(NODE, 1_000);
        uint256 left = 1_000;
        uint256[8] memory expected = [uint256(875), 765, 669, 586, 512, 448, 392, 343];
        for (uint256 i = 1; i <= 8; ++i) {
            vm.warp((600 + i) * EPOCH - 1);
            eq(book.creditOf(NODE), left, "until the epoch ends");
            vm.warp((600 + i) * EPOCH);
            eq(book.creditOf(NODE), expected[i - 1], "then an eighth less, rounded down once");
            eq(book.gainedOf(NODE), 0, "nothing gained in it");
            left = expected[i - 1];
        }
        vm.warp((600 + 60) * EPOCH);
        eq(book.creditOf(NODE), 0, "forgotten");
        vm.warp((600 + 67) * EPOCH);
        eq(book.creditOf(NODE), 0, "forgotten");
        vm.warp((600 + 68) * EPOCH);
        eq(book.creditOf(NODE), 0, "forgotten");
        vm.warp((600 + 1_000) * EPOCH);
        eq(book.creditOf(NODE), 0, "for ever");
        book.recordFailure(NODE, "lock");
        eq(book.creditOf(NODE), 0, "still nothing");
    }

    /// @dev At the maximum, the last epochs in which a point is left.
    function test_creditOf__given_the_maximum__is_forgotten_at_last() public {
        for (uint256 i = 0; i < 70; ++i) {
            vm.warp((700 + i) * EPOCH);
            _fill(NODE, 1_000);
        }
        uint256 credit = book.creditOf(NODE);
        yes(credit <= 8_000 && credit > 7_980, "near the maximum, never above");
        uint256 power = credit;
        for (uint256 i = 1; i < 67; ++i) {
            vm.warp((769 + i) * EPOCH);
            power *= 7;
            eq(book.creditOf(NODE), power >> (3 * i), "floor of credit times (7/8)^i");
        }
        vm.warp((769 + 67) * EPOCH);
        yes(book.creditOf(NODE) <= 1, "the last point");
        vm.warp((769 + 68) * EPOCH);
        eq(book.creditOf(NODE), 0, "gone");
    }

    function test_creditOf__given_an_epoch_beyond_16_bits__decays_as_ever() public {
        vm.warp(65_536 * EPOCH - 1);
        _fill(NODE, 8);
        vm.warp(65_536 * EPOCH);
        eq(book.creditOf(NODE), 7, "an eighth less");
        book.recordSuccess(NODE, PAYER, POINT, "lock");
        eq(book.creditOf(NODE), 8, "and a point more");
        eq(book.gainedFrom(NODE, PAYER), 1, "from the payer");
    }

    /// @dev The bound of §6.5: whatever the order of ends, epochs, payers and fees, credit costs at least POINT a point.
    function testFuzz_credit__costs_at_least_its_points(uint256 seed) public {
        uint256 spent;
        for (uint256 i = 0; i < 12; ++i) {
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            if (random % 8 == 0) {
                vm.warp(block.timestamp + (random >> 8) % (2 * EPOCH));
            } else if (random % 8 == 1) {
                book.recordFailure(NODE, bytes32(i));
            } else {
                uint256 fee = (random >> 8) % (15 * POINT);
                uint32 before = book.creditOf(NODE);
                book.recordSuccess(NODE, address(uint160(1 + (random >> 200) % 3)), fee, bytes32(i));
                spent += fee;
                uint256 gain = book.creditOf(NODE) - before;
                yes(gain * POINT <= fee && gain <= 10, "a gain within its fee");
            }
            yes(book.creditOf(NODE) * POINT <= spent, "credit within all fees");
            yes(book.creditOf(NODE) <= book.MAXIMUM() && book.gainedOf(NODE) <= book.ACCOUNT_CAP(), "caps");
        }
    }

    /// @dev Brings an account to `points` in this epoch, ten a success, thirty a payer.
    function _fill(address node, uint256 points) private {
        for (uint256 left = points; left > 0;) {
            uint256 gain = left < 10 ? left : 10;
            book.recordSuccess(node, address(uint160(1e6 + left / 30)), gain * POINT, "fill");
            left -= gain;
        }
    }
}
