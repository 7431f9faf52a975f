// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {BN254} from "../../../contracts/libraries/BN254.sol";
import {HashToCurve} from "../../../contracts/libraries/HashToCurve.sol";
import {LibraryHarness} from "../../../contracts/mocks/LibraryHarness.sol";
import {G1Point, G2Point} from "../../../contracts/types/Points.sol";
import {Keys} from "../base/Keys.sol";
import {TestBase} from "../base/TestBase.sol";
import {G2Table} from "../vectors/G2Table.sol";

contract BLSTest is TestBase {
    bytes private constant MESSAGE = "a message";
    bytes private constant TAG = "a tag";

    LibraryHarness private harness;
    G1Point private signature;

    function setUp() public {
        harness = LibraryHarness(create("LibraryHarness", ""));
        signature = Keys.sign(1, MESSAGE, TAG);
    }

    function test_bls__given_honest_signature__holds() public view {
        yes(harness.verifySignature(G2Table.point(1), MESSAGE, TAG, signature), "valid");
    }

    function test_bls__when_anything_differs__fails() public view {
        G2Point memory key = G2Table.point(1);
        no(harness.verifySignature(G2Table.point(2), MESSAGE, TAG, signature), "key");
        no(harness.verifySignature(key, "another message", TAG, signature), "message");
        no(harness.verifySignature(key, MESSAGE, "another tag", signature), "tag");
        no(harness.verifySignature(key, MESSAGE, TAG, Keys.sign(1, "another", TAG)), "signature");
        no(harness.verifySignature(key, MESSAGE, TAG, Keys.negate(signature)), "negated");
    }

    function test_bls__when_a_point_is_infinite__fails() public view {
        G1Point memory zero;
        G2Point memory nobody;
        no(harness.verifySignature(G2Table.point(1), MESSAGE, TAG, zero), "signature");
        no(harness.verifySignature(nobody, MESSAGE, TAG, signature), "key");
        no(harness.verifySignature(nobody, MESSAGE, TAG, zero), "both");
    }

    function test_bls__when_a_point_is_invalid__fails() public view {
        G2Point memory key = G2Table.point(1);
        no(harness.verifySignature(key, MESSAGE, TAG, G1Point(signature.x + BN254.P, signature.y)), "x");
        no(harness.verifySignature(key, MESSAGE, TAG, G1Point(signature.x, signature.y + BN254.P)), "y");
        no(harness.verifySignature(key, MESSAGE, TAG, G1Point(1, 3)), "off the curve");
        key.xIm += BN254.P;
        no(harness.verifySignature(key, MESSAGE, TAG, signature), "key not canonical");
        key = G2Point(
            0,
            1,
            0x0d1271953ed9ea0836846e70a1934187998c7f790cb4d7511b7f8da82de048a4,
            0x2869111d5381f072f8e2728fdb825a51aadd70e52c9830e9ab4b871c0531f1bb
        );
        no(harness.verifySignature(key, MESSAGE, TAG, signature), "key outside the subgroup");
    }

    /// @dev A refused pairing burns its cap: a point that is no signature must not get so far.
    function test_bls__when_signature_or_key_is_no_point__asks_no_pairing() public {
        G2Point memory nobody;
        vm.expectCall(address(8), "", 0);
        no(harness.verifySignature(G2Table.point(1), MESSAGE, TAG, G1Point(1, 3)), "off the curve");
        no(harness.verifySignature(nobody, MESSAGE, TAG, signature), "nobody's key");
    }

    function test_bls__when_tag_is_empty__reverts() public {
        refuse(abi.encodeWithSelector(HashToCurve.HashToCurve_TagLength.selector, 0));
        harness.verifySignature(G2Table.point(1), MESSAGE, "", signature);
    }
}
