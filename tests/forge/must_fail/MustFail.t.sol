// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {TestBase} from "../base/TestBase.sol";

/// @notice Fails on purpose: toolchain/foundry.py runs it first, and stops if the command succeeds.
contract MustFailTest is TestBase {
    function test_must_fail__always__fails() public pure {
        eq(uint256(1), 2, "one is not two");
    }
}
