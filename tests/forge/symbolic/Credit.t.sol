// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {CreditBook} from "../../../contracts/CreditBook.sol";
import {Vm} from "../base/Vm.sol";

/// @notice For halmos: any standing that the rule allows, any fee, any time since. By induction the bounds hold for ever.
contract CreditSymbolic {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    address private constant NODE = address(0xA1);
    address private constant PAYER = address(0xB1);
    // A power of two near 10^13: the solver divides by shifting.
    uint256 private constant POINT_WEI = 2 ** 43;
    uint256 private constant EPOCH = 30 days;
    uint256 private constant NOW_EPOCH = 700;

    CreditBook private book;

    function setUp() public {
        vm.warp(NOW_EPOCH * EPOCH + 17);
        book = new CreditBook(address(this), POINT_WEI);
    }

    /// @dev Within the epoch: a gain is at most its fee is worth and within every cap; the bounds that keep credit below MAXIMUM stay.
    function check_success__gains_within_fee_and_caps(uint32 credit, uint32 gained, uint32 fromPayer, uint128 feeWei)
        public
    {
        _put(credit, gained, fromPayer);
        uint256 before = book.creditOf(NODE);
        book.recordSuccess(NODE, PAYER, feeWei, "lock");
        uint256 gain = book.creditOf(NODE) - before;
        assert(gain <= 10);
        assert(gain * POINT_WEI <= feeWei);
        assert(book.gainedOf(NODE) == uint256(gained) + gain && book.gainedOf(NODE) <= 1_000);
        assert(book.gainedFrom(NODE, PAYER) == uint256(fromPayer) + gain && book.gainedFrom(NODE, PAYER) <= 30);
        assert(book.creditOf(NODE) <= 7_000 + uint256(book.gainedOf(NODE)));
        assert(book.creditOf(NODE) <= book.MAXIMUM());
    }

    /// @dev A failure loses thirty or all there is, and never gains.
    function check_failure__loses_thirty_or_all(uint32 credit, uint32 gained) public {
        _put(credit, gained, 0);
        book.recordFailure(NODE, "lock");
        assert(book.creditOf(NODE) == (credit < 30 ? 0 : credit - 30));
        assert(book.gainedOf(NODE) == gained);
    }

    /// @dev One epoch later an eighth is gone, rounded down, and at most 7,000 are left: the induction's other half.
    function check_epoch__decays_below_seven_eighths(uint32 credit, uint32 gained) public {
        _put(credit, gained, 0);
        vm.warp((NOW_EPOCH + 1) * EPOCH);
        assert(book.creditOf(NODE) == uint256(credit) * 7 / 8);
        assert(book.creditOf(NODE) <= 7_000);
        assert(book.gainedOf(NODE) == 0);
    }

    /// @dev The standing as the contract stores it: credit, gained, epoch in one word.
    function _put(uint32 credit, uint32 gained, uint32 fromPayer) private {
        vm.assume(gained <= 1_000 && credit <= 7_000 + uint256(gained) && fromPayer <= 30);
        bytes32 slot = keccak256(abi.encode(NODE, uint256(0)));
        vm.store(address(book), slot, bytes32(uint256(credit) | (uint256(gained) << 32) | (NOW_EPOCH << 64)));
        slot = keccak256(abi.encode(PAYER, keccak256(abi.encode(NODE, uint256(1)))));
        vm.store(address(book), slot, bytes32(uint256(fromPayer) | (NOW_EPOCH << 32)));
        assert(book.creditOf(NODE) == credit && book.gainedOf(NODE) == gained);
        assert(book.gainedFrom(NODE, PAYER) == fromPayer);
    }
}
