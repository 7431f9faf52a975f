// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Vm} from "./Vm.sol";

/// @title TestBase
/// @notice What every test has: cheatcodes, exact assertions, and contracts made from their artifacts.
/// @dev Tests know the contracts under test by interface alone and create them by name. So a mutant is judged without compiling
/// the tests again: `DMSM_MUTANT` names a folder whose artifacts go before the project's own.
abstract contract TestBase {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @dev Tells forge that this is a test.
    bool public constant IS_TEST = true;

    /// @dev Creates a contract by its name; its file has the same.
    function create(string memory name, bytes memory arguments) internal returns (address made) {
        bytes memory code = bytes.concat(codeOf(name), arguments);
        assembly ("memory-safe") {
            made := create(0, add(code, 0x20), mload(code))
            // What the constructor reverted with goes on: tests of constructors expect it.
            if iszero(made) {
                returndatacopy(code, 0, returndatasize())
                revert(code, returndatasize())
            }
        }
    }

    function codeOf(string memory name) internal view returns (bytes memory) {
        string memory folder = vm.envOr("DMSM_MUTANT", string(""));
        if (bytes(folder).length != 0) {
            string memory path = string.concat(folder, "/", name, ".json");
            if (vm.exists(path)) return vm.getCode(path);
        }
        return vm.getCode(string.concat(name, ".sol:", name));
    }

    /// @dev Reads a public constant that no interface names: it is told to readers of the chain alone.
    function constantOf(address target, string memory name) internal view returns (uint256) {
        (bool ok, bytes memory told) = target.staticcall(abi.encodeWithSignature(string.concat(name, "()")));
        yes(ok && told.length == 32, name);
        return abi.decode(told, (uint256));
    }

    function eq(uint256 actual, uint256 expected, string memory note) internal pure {
        vm.assertEq(actual, expected, note);
    }

    function eq(address actual, address expected, string memory note) internal pure {
        vm.assertEq(actual, expected, note);
    }

    function eq(bytes32 actual, bytes32 expected, string memory note) internal pure {
        vm.assertEq(actual, expected, note);
    }

    function eq(bytes memory actual, bytes memory expected, string memory note) internal pure {
        vm.assertEq(actual, expected, note);
    }

    function eq(bool actual, bool expected, string memory note) internal pure {
        vm.assertEq(actual, expected, note);
    }

    function yes(bool condition, string memory note) internal pure {
        vm.assertTrue(condition, note);
    }

    function no(bool condition, string memory note) internal pure {
        vm.assertEq(condition, false, note);
    }

    /// @dev The next call must revert with exactly these bytes: selector and arguments of a named error.
    function refuse(bytes memory revertData) internal {
        vm.expectRevert(revertData);
    }

    /// @dev Folds a random number into [low, high]; both ends come often.
    function within(uint256 random, uint256 low, uint256 high) internal pure returns (uint256) {
        if (random % 16 == 3) return low;
        if (random % 16 == 7) return high;
        return low + (random >> 4) % (high - low + 1);
    }
}
