// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {BN254} from "../../../contracts/libraries/BN254.sol";
import {LibraryHarness} from "../../../contracts/mocks/LibraryHarness.sol";
import {G1Point, G2Point} from "../../../contracts/types/Points.sol";
import {TestBase} from "../base/TestBase.sol";
import {G2Table} from "../vectors/G2Table.sol";

/// @dev Expected values are the published vectors and the curve's equations, never the library itself.
contract BN254Test is TestBase {
    uint256 private constant P = 21888242871839275222246405745257275088696311157297823662689037894645226208583;
    uint256 private constant Q = 21888242871839275222246405745257275088548364400416034343698204186575808495617;

    LibraryHarness private harness;
    string private vectors;

    function setUp() public {
        harness = LibraryHarness(create("LibraryHarness", ""));
        vectors = vm.readFile("tests/vectors/eip196_197.json");
    }

    function test_bn254__constants__are_those_of_the_standard() public view {
        (uint256 p, uint256 q, G1Point memory h, G2Point memory g, G2Point memory negative) = harness.constants();
        eq(p, P, "p");
        eq(q, Q, "q");
        eq(abi.encode(h), abi.encode(harness.hashToCurve("second generator", bytes(_tag("GENERATOR")))), "H");
        eq(abi.encode(g), abi.encode(_generatorG2()), "G2");
        eq(negative.xIm, g.xIm, "-G2 xIm");
        eq(negative.xRe, g.xRe, "-G2 xRe");
        eq(negative.yIm, P - g.yIm, "-G2 yIm");
        eq(negative.yRe, P - g.yRe, "-G2 yRe");
    }

    function test_bn254__tags__are_those_of_the_format() public view {
        string[7] memory roles = ["POP", "REQUEST", "SHARING", "ANSWER", "ROOT", "DATAKEY", "GENERATOR"];
        bytes[7] memory tags = harness.tags();
        for (uint256 i = 0; i < 7; ++i) eq(tags[i], bytes(_tag(roles[i])), roles[i]);
    }

    function test_bn254__add__agrees_with_published_vectors() public view {
        for (uint256 i = 0; vm.keyExistsJson(vectors, _key("add", i, "name")); ++i) {
            uint256[] memory a = vm.parseJsonUintArray(vectors, _key("add", i, "input"));
            uint256[] memory e = vm.parseJsonUintArray(vectors, _key("add", i, "expected"));
            G1Point memory sum = harness.add(G1Point(a[0], a[1]), G1Point(a[2], a[3]));
            eq(abi.encode(sum), abi.encode(e[0], e[1]), "sum");
        }
    }

    function test_bn254__mul__agrees_with_published_vectors() public view {
        for (uint256 i = 0; vm.keyExistsJson(vectors, _key("mul", i, "name")); ++i) {
            uint256[] memory a = vm.parseJsonUintArray(vectors, _key("mul", i, "input"));
            uint256[] memory e = vm.parseJsonUintArray(vectors, _key("mul", i, "expected"));
            eq(abi.encode(harness.mul(G1Point(a[0], a[1]), a[2])), abi.encode(e[0], e[1]), "product");
        }
    }

    function test_bn254__pairing__agrees_with_published_vectors() public view {
        uint256 zeros;
        for (uint256 i = 0; vm.keyExistsJson(vectors, _key("pairing", i, "name")); ++i) {
            uint256[] memory a = vm.parseJsonUintArray(vectors, _key("pairing", i, "input"));
            bool expected = vm.parseJsonBool(vectors, _key("pairing", i, "expected"));
            if (a.length > 12) continue;
            (G1Point[2] memory left, G2Point[2] memory right) = _pairs(a);
            (bool ok, bool isOne) = harness.tryPairing2(left[0], right[0], left[1], right[1]);
            yes(ok, "valid points");
            eq(isOne, expected, "product");
            if (!expected) ++zeros;
        }
        eq(zeros, 2, "two of them fail");
    }

    function test_bn254__pairing__tells_one_wrong_factor() public view {
        G1Point memory left = harness.mul(G1Point(1, 2), 5);
        G1Point memory right = harness.mul(G1Point(1, 2), Q - mulmod(5, G2Table.secret(0), Q));
        _isOne(left, G2Table.point(0), right, _generatorG2(), true);
        _isOne(harness.add(left, G1Point(1, 2)), G2Table.point(0), right, _generatorG2(), false);
        _isOne(left, G2Table.point(1), right, _generatorG2(), false);
        _isOne(left, G2Table.point(0), harness.add(right, G1Point(1, 2)), _generatorG2(), false);
        _isOne(left, G2Table.point(0), right, G2Table.point(1), false);
    }

    function test_bn254__pairing__when_a_point_is_invalid__says_so() public view {
        G2Point memory g2 = _generatorG2();
        _refusesPairing(G1Point(1, 3), g2, G1Point(1, 2), g2);
        _refusesPairing(G1Point(1, 2), g2, G1Point(1, 3), g2);
        _refusesPairing(G1Point(1, 2), _offSubgroup(), G1Point(1, 2), g2);
        _refusesPairing(G1Point(1, 2), g2, G1Point(1, 2), _offSubgroup());
    }

    function _isOne(G1Point memory a1, G2Point memory b1, G1Point memory a2, G2Point memory b2, bool expected)
        private
        view
    {
        (bool ok, bool isOne) = harness.tryPairing2(a1, b1, a2, b2);
        yes(ok, "valid points");
        eq(isOne, expected, "product");
    }

    function _refusesPairing(G1Point memory a1, G2Point memory b1, G1Point memory a2, G2Point memory b2) private view {
        (bool ok, bool isOne) = harness.tryPairing2(a1, b1, a2, b2);
        no(ok || isOne, "refused");
    }

    function test_bn254__add_and_mul__when_a_point_is_invalid__revert() public {
        G1Point[4] memory bad = [G1Point(1, 3), G1Point(P + 1, 2), G1Point(1, P + 2), G1Point(0, P)];
        for (uint256 i = 0; i < bad.length; ++i) {
            refuse(abi.encodeWithSelector(BN254.BN254_AddFailed.selector));
            harness.add(bad[i], G1Point(1, 2));
            refuse(abi.encodeWithSelector(BN254.BN254_AddFailed.selector));
            harness.add(G1Point(1, 2), bad[i]);
            refuse(abi.encodeWithSelector(BN254.BN254_MulFailed.selector));
            harness.mul(bad[i], 5);
        }
    }

    /// @dev A refused precompile call burns what it was given: the caps keep that small.
    function test_bn254__when_refused__burns_no_more_than_the_cap() public view {
        G1Point memory bad = G1Point(1, 3);
        uint256 calls = 20_000; // encoding, calling and reverting around it
        _burnsAtMost(abi.encodeCall(harness.add, (bad, bad)), 1_000 + calls);
        _burnsAtMost(abi.encodeCall(harness.mul, (bad, 5)), 12_000 + calls);
        uint256 before = gasleft();
        _refusesPairing(bad, _generatorG2(), bad, _generatorG2());
        yes(before - gasleft() <= 90_000 + 2 * 68_000 + calls, "a refused pairing");
    }

    function test_bn254__gives_each_call_of_a_precompile_its_cap() public {
        G1Point memory g = G1Point(1, 2);
        G2Point memory off = _offSubgroup();
        vm.expectCall(address(6), 0, 1_000, abi.encode(g, g));
        harness.add(g, g);
        vm.expectCall(address(7), 0, 12_000, abi.encode(g, 5));
        harness.mul(g, 5);
        bytes memory two = abi.encode(g, _generatorG2(), G1Point(1, P - 2), _generatorG2());
        vm.expectCall(address(8), 0, 90_000 + 2 * 68_000, two);
        _isOne(g, _generatorG2(), G1Point(1, P - 2), _generatorG2(), true);
        vm.expectCall(address(8), 0, 90_000 + 68_000, abi.encode(0, 0, off));
        no(harness.isValidG2(off), "outside the subgroup");
    }

    function testFuzz_bn254__add__is_the_law_of_the_curve(uint256 a, uint256 b) public view {
        G1Point memory left = harness.mul(G1Point(1, 2), a);
        G1Point memory right = harness.mul(G1Point(1, 2), b);
        G1Point memory sum = harness.add(left, right);
        eq(abi.encode(sum), abi.encode(harness.mul(G1Point(1, 2), addmod(a, b, Q))), "distributes");
        eq(abi.encode(harness.add(sum, G1Point(sum.x, sum.y == 0 ? 0 : P - sum.y))), abi.encode(0, 0), "a minus a");
        eq(harness.isValidG1(sum), sum.x != 0 || sum.y != 0, "on the curve");
    }

    function test_bn254__isValidG1__tells() public view {
        yes(harness.isValidG1(G1Point(1, 2)), "generator");
        yes(harness.isValidG1(G1Point(1, P - 2)), "its negative");
        no(harness.isValidG1(G1Point(0, 0)), "infinity");
        no(harness.isValidG1(G1Point(1, 3)), "off the curve");
        no(harness.isValidG1(G1Point(2, 2)), "off the curve");
        no(harness.isValidG1(G1Point(1 + P, 2)), "x not canonical");
        no(harness.isValidG1(G1Point(1, 2 + P)), "y not canonical");
        no(harness.isValidG1(G1Point(1 + P, 2 + P)), "neither");
        no(harness.isValidG1(G1Point(P, 2)), "x = p");
        no(harness.isValidG1(G1Point(1, P)), "y = p");
    }

    function test_bn254__isValidG2__tells() public view {
        yes(harness.isValidG2(_generatorG2()), "generator");
        yes(harness.isValidG2(G2Table.point(0)), "a multiple");
        no(harness.isValidG2(G2Point(0, 0, 0, 0)), "infinity");
        no(harness.isValidG2(_offSubgroup()), "outside the subgroup");
        G2Point memory g = _generatorG2();
        no(harness.isValidG2(G2Point(g.xRe, g.xIm, g.yRe, g.yIm)), "swapped parts");
        no(harness.isValidG2(G2Point(g.xIm + P, g.xRe, g.yIm, g.yRe)), "xIm not canonical");
        no(harness.isValidG2(G2Point(g.xIm, g.xRe + P, g.yIm, g.yRe)), "xRe not canonical");
        no(harness.isValidG2(G2Point(g.xIm, g.xRe, g.yIm + P, g.yRe)), "yIm not canonical");
        no(harness.isValidG2(G2Point(g.xIm, g.xRe, g.yIm, g.yRe + P)), "yRe not canonical");
        no(harness.isValidG2(G2Point(0, 0, 0, 1)), "off the twist");
        no(harness.isValidG2(G2Point(0, 0, 1, 0)), "off the twist");
        no(harness.isValidG2(G2Point(0, 1, 0, 0)), "off the twist");
        no(harness.isValidG2(G2Point(1, 0, 0, 0)), "off the twist");
    }

    function _burnsAtMost(bytes memory data, uint256 limit) private view {
        uint256 before = gasleft();
        (bool ok,) = address(harness).staticcall{gas: 2_000_000}(data);
        uint256 used = before - gasleft();
        no(ok, "refused");
        yes(used <= limit, string.concat("burnt ", vm.toString(used)));
    }

    /// @dev A pair that is not there is one of infinities, which changes no product.
    function _pairs(uint256[] memory words) private pure returns (G1Point[2] memory left, G2Point[2] memory right) {
        for (uint256 i = 0; i < words.length / 6; ++i) {
            uint256 at = 6 * i;
            left[i] = G1Point(words[at], words[at + 1]);
            right[i] = G2Point(words[at + 2], words[at + 3], words[at + 4], words[at + 5]);
        }
    }

    function _key(string memory list, uint256 index, string memory field) private pure returns (string memory) {
        return string.concat(".", list, "[", vm.toString(index), "].", field);
    }

    function _tag(string memory role) private pure returns (string memory) {
        return string.concat("DMSM-V1-", role, "-CS01-with-BN254G1_XMD:SHA-256_SVDW_RO_");
    }

    /// @dev EIP-197.
    function _generatorG2() private pure returns (G2Point memory) {
        return G2Point(
            11559732032986387107991004021392285783925812861821192530917403151452391805634,
            10857046999023057135944570762232829481370756359578518086990519993285655852781,
            4082367875863433681332203403145435568316851327593401208105741076214120093531,
            8495653923123431417604973247489272438418190587263600148770280649306958101930
        );
    }

    /// @dev On the twist with x = 1, and of another order than q.
    function _offSubgroup() private pure returns (G2Point memory) {
        return G2Point(
            0,
            1,
            0x0d1271953ed9ea0836846e70a1934187998c7f790cb4d7511b7f8da82de048a4,
            0x2869111d5381f072f8e2728fdb825a51aadd70e52c9830e9ab4b871c0531f1bb
        );
    }
}
