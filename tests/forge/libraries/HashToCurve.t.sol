// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {HashToCurve} from "../../../contracts/libraries/HashToCurve.sol";
import {LibraryHarness} from "../../../contracts/mocks/LibraryHarness.sol";
import {G1Point} from "../../../contracts/types/Points.sol";
import {TestBase} from "../base/TestBase.sol";

contract HashToCurveTest is TestBase {
    uint256 private constant P = 21888242871839275222246405745257275088696311157297823662689037894645226208583;

    LibraryHarness private harness;
    string private vectors;

    function setUp() public {
        harness = LibraryHarness(create("LibraryHarness", ""));
        vectors = vm.readFile("tests/vectors/bn254_hash_to_curve.json");
    }

    function test_hash_to_curve__agrees_with_published_vectors() public view {
        bytes memory tag = bytes(vm.parseJsonString(vectors, ".dst"));
        uint256 count;
        for (; vm.keyExistsJson(vectors, _key(count, "msg")); ++count) {
            bytes memory message = bytes(vm.parseJsonString(vectors, _key(count, "msg")));
            uint256[] memory u = vm.parseJsonUintArray(vectors, _key(count, "u"));
            (uint256 u0, uint256 u1) = harness.hashToField(message, tag);
            eq(abi.encode(u0, u1), abi.encode(u[0], u[1]), "u");
            eq(abi.encode(harness.mapToCurve(u[0])), _point(_key(count, "Q0")), "Q0");
            eq(abi.encode(harness.mapToCurve(u[1])), _point(_key(count, "Q1")), "Q1");
            eq(abi.encode(harness.hashToCurve(message, tag)), _point(_key(count, "P")), "P");
        }
        eq(count, 5, "vectors");
    }

    /// @dev u = 0, and those where the map inverts zero: u² = ±1/g(Z) = ±1/4; −1/4 is no square.
    function test_hash_to_curve__map__given_exceptional_elements__stays_on_the_curve() public view {
        uint256 half = (P + 1) / 2;
        uint256[6] memory elements = [0, half, P - half, 1, P - 1, P - 2];
        for (uint256 i = 0; i < elements.length; ++i) {
            G1Point memory point = harness.mapToCurve(elements[i]);
            yes(harness.isValidG1(point), "on the curve");
            eq(point.y % 2, elements[i] % 2, "sign");
        }
    }

    function testFuzz_hash_to_curve__map__is_on_the_curve_with_the_sign_of_u(uint256 u) public view {
        u %= P;
        G1Point memory point = harness.mapToCurve(u);
        yes(harness.isValidG1(point), "on the curve");
        eq(point.y & 1, u & 1, "sign");
    }

    function testFuzz_hash_to_curve__field_elements__are_below_p_and_differ(bytes memory message) public view {
        (uint256 u0, uint256 u1) = harness.hashToField(message, "tag");
        yes(u0 < P && u1 < P && u0 != u1, "field elements");
        (uint256 v0,) = harness.hashToField(message, "tag2");
        yes(u0 != v0, "separated by the tag");
    }

    function test_hash_to_curve__when_tag_length_is_out_of_range__reverts() public {
        refuse(abi.encodeWithSelector(HashToCurve.HashToCurve_TagLength.selector, 0));
        harness.hashToCurve("x", "");
        refuse(abi.encodeWithSelector(HashToCurve.HashToCurve_TagLength.selector, 256));
        harness.hashToCurve("x", new bytes(256));
        yes(harness.isValidG1(harness.hashToCurve("x", new bytes(255))), "255 bytes");
        yes(harness.isValidG1(harness.hashToCurve("x", new bytes(1))), "1 byte");
    }

    /// @dev Too little gas for a power must end the call, never leave a point that is wrong.
    function test_hash_to_curve__when_gas_is_short__gives_no_other_point() public view {
        bytes memory data = abi.encodeCall(harness.mapToCurve, (5));
        bytes memory expected = abi.encode(harness.mapToCurve(5));
        uint256 failed;
        for (uint256 gasLimit = 500; gasLimit < 12_000; gasLimit += 100) {
            (bool ok, bytes memory result) = address(harness).staticcall{gas: gasLimit}(data);
            eq(result, ok ? expected : bytes(""), "the point, or nothing at all");
            if (!ok) ++failed;
        }
        yes(failed > 20, "some failed");
    }

    /// @dev Eight powers at most and little beside them, with or without the optimizer: memory lies where it is free, not far off.
    function test_hash_to_curve__costs_little() public view {
        uint256 used = harness.hashToCurveGas(new bytes(320), "tag");
        yes(used < 40_000, string.concat("took ", vm.toString(used)));
    }

    function _point(string memory key) private view returns (bytes memory) {
        uint256[] memory words = vm.parseJsonUintArray(vectors, key);
        return abi.encode(words[0], words[1]);
    }

    function _key(uint256 index, string memory field) private pure returns (string memory) {
        return string.concat(".vectors[", vm.toString(index), "].", field);
    }
}
