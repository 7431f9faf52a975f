// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @notice False for one number of 2^256: toolchain/halmos.py demands that halmos finds it.
contract MustFailSymbolic {
    function check_must_fail__given_one_number__is_false(uint256 x) public pure {
        unchecked {
            assert(x * 3 != 126);
        }
    }
}
