// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {BN254} from "../../../contracts/libraries/BN254.sol";
import {ShareCheck, ShareGrant} from "../../../contracts/libraries/ShareCheck.sol";
import {LibraryHarness} from "../../../contracts/mocks/LibraryHarness.sol";
import {G1Point, G2Point} from "../../../contracts/types/Points.sol";
import {Keys} from "../base/Keys.sol";
import {TestBase} from "../base/TestBase.sol";
import {G2Table} from "../vectors/G2Table.sol";

/// @dev Transcripts of two makers: transcripts.json by offchain/crypto, and Keys.deal, which computes here.
contract ShareCheckTest is TestBase {
    uint256 private constant KEY = 40; // b_0, b_1 … in G2Table
    uint256 private constant TOP = 1 << 248; // a coordinate of which the first byte alone is not zero

    LibraryHarness private harness;
    string private made;
    ShareGrant private grant;

    struct Transcript {
        G1Point[] keys;
        G1Point[] shares;
        G2Point[] commitments;
    }

    function setUp() public {
        harness = LibraryHarness(create("LibraryHarness", ""));
        made = vm.readFile("tests/forge/vectors/transcripts.json");
        grant.prepaidLock = vm.parseJsonAddress(made, ".prepaidLock");
        grant.lockId = vm.parseJsonBytes32(made, ".lockId");
        grant.dataSetId = vm.parseJsonBytes32(made, ".dataSetId");
    }

    function test_share_check__given_transcripts_made_off_chain__hold_with_their_seed() public {
        uint256 count;
        for (; vm.keyExistsJson(made, _key(count, "seed")); ++count) {
            Transcript memory it = _read(count);
            grant.threshold = it.commitments.length;
            eq(harness.seedOfShares(grant, it.keys, it.shares, it.commitments), _seed(count), "seed");
            yes(_holds(it), "holds");
            it.shares[it.shares.length / 2] = it.shares[0];
            no(_holds(it), "a share replaced");
        }
        eq(count, 7, "transcripts");
    }

    function test_share_check__given_every_size_up_to_seven__holds() public {
        for (uint256 n = 2; n <= 7; ++n) {
            for (uint256 t = 2; t <= n; ++t) yes(_holds(_deal(t, n)), "holds");
        }
    }

    function test_share_check__when_one_element_differs__fails() public {
        Transcript memory it = _deal(3, 5);
        for (uint256 i = 0; i < 5; ++i) {
            G1Point memory share = it.shares[i];
            it.shares[i] = BN254.add(share, G1Point(1, 2));
            no(_holds(it), "share");
            it.shares[i] = Keys.negate(share);
            no(_holds(it), "share negated");
            it.shares[i] = share;
            G1Point memory key = it.keys[i];
            it.keys[i] = BN254.add(key, G1Point(1, 2));
            no(_holds(it), "key");
            it.keys[i] = key;
        }
        for (uint256 j = 0; j < 3; ++j) {
            G2Point memory kept = it.commitments[j];
            it.commitments[j] = G2Table.point(90);
            no(_holds(it), "commitment");
            it.commitments[j] = kept;
        }
        yes(_holds(it), "as it was");
    }

    function test_share_check__when_two_errors_cancel_unweighted__fails() public {
        Transcript memory it = _deal(2, 3);
        it.shares[0] = BN254.add(it.shares[0], G1Point(1, 2));
        it.shares[1] = BN254.add(it.shares[1], Keys.negate(G1Point(1, 2)));
        no(_holds(it), "cancelled");
    }

    function test_share_check__when_order_differs__fails() public {
        Transcript memory it = _deal(3, 4);
        (it.shares[0], it.shares[3]) = (it.shares[3], it.shares[0]);
        no(_holds(it), "shares swapped");
        (it.keys[0], it.keys[3]) = (it.keys[3], it.keys[0]);
        no(_holds(it), "members swapped");
        it = _deal(3, 4);
        (it.commitments[1], it.commitments[2]) = (it.commitments[2], it.commitments[1]);
        no(_holds(it), "commitments swapped");
    }

    /// @dev Everything the chain fixed is in the seed: what differs there changes every weight.
    function test_share_check__seed__is_the_hash_of_the_format() public {
        Transcript memory it = _deal(2, 3);
        bytes memory all = abi.encodePacked(
            keccak256("DMSM-V1-SHARES"),
            block.chainid,
            uint256(uint160(grant.prepaidLock)),
            grant.lockId,
            grant.dataSetId,
            uint256(2),
            uint256(3)
        );
        for (uint256 i = 0; i < 3; ++i) all = bytes.concat(all, abi.encode(it.keys[i]));
        for (uint256 i = 0; i < 3; ++i) all = bytes.concat(all, abi.encode(it.shares[i]));
        for (uint256 i = 0; i < 2; ++i) all = bytes.concat(all, abi.encode(it.commitments[i]));
        eq(harness.seedOfShares(grant, it.keys, it.shares, it.commitments), keccak256(all), "seed");
    }

    /// @dev Weights of 128 bits of keccak256(seed ‖ i): the multiplications by them are seen as calls of the precompile.
    function test_share_check__given_a_transcript__multiplies_by_its_weights() public {
        Transcript memory it = _deal(2, 3);
        bytes32 seed = harness.seedOfShares(grant, it.keys, it.shares, it.commitments);
        for (uint256 i = 0; i < 3; ++i) {
            uint256 rho = uint128(uint256(keccak256(abi.encode(seed, i + 1))));
            vm.expectCall(address(7), abi.encode(it.keys[i], rho), 1);
            vm.expectCall(address(7), abi.encode(it.shares[i], rho), 1);
        }
        yes(_holds(it), "holds");
    }

    /// @dev The caps of BN254, written out here once more.
    function test_share_check__gives_each_call_of_a_precompile_its_cap() public {
        Transcript memory it = _deal(2, 3);
        vm.expectCall(address(6), 0, 1_000, "");
        vm.expectCall(address(7), 0, 12_000, "");
        vm.expectCall(address(8), 0, 90_000 + 3 * 68_000, "");
        yes(_holds(it), "holds");
    }

    /// @dev The equation holds for the constant polynomial, which any single member opens: the threshold would be 1.
    function test_share_check__given_infinite_commitments__reverts() public {
        Transcript memory it = _deal(3, 4);
        for (uint256 i = 0; i < 4; ++i) it.shares[i] = BN254.mul(it.keys[i], G2Table.secret(KEY));
        it.commitments[2] = G2Point(0, 0, 0, 0);
        _refuses(it, abi.encodeWithSelector(ShareCheck.ShareCheck_InfiniteCommitment.selector, 2));
        it.commitments[1] = G2Point(0, 0, 0, 0);
        _refuses(it, abi.encodeWithSelector(ShareCheck.ShareCheck_InfiniteCommitment.selector, 1));
    }

    function test_share_check__given_polynomial_of_degree_t__fails() public {
        Transcript memory higher = _deal(3, 4);
        Transcript memory it = _deal(2, 4);
        it.shares = higher.shares;
        no(_holds(it), "degree too high");
    }

    function test_share_check__when_size_is_out_of_range__reverts() public {
        Transcript memory it = _deal(2, 3);
        uint256[4] memory thresholds = [uint256(0), 1, 4, 5];
        for (uint256 i = 0; i < thresholds.length; ++i) {
            grant.threshold = thresholds[i];
            refuse(abi.encodeWithSelector(ShareCheck.ShareCheck_BadSize.selector, thresholds[i], 3));
            harness.verifyShares(grant, it.keys, it.shares, it.commitments);
        }
        grant.threshold = 2;
        refuse(abi.encodeWithSelector(ShareCheck.ShareCheck_BadSize.selector, 2, 101));
        harness.verifyShares(grant, new G1Point[](101), it.shares, it.commitments);
        refuse(abi.encodeWithSelector(ShareCheck.ShareCheck_BadSize.selector, 2, 0));
        harness.verifyShares(grant, new G1Point[](0), it.shares, it.commitments);
    }

    function test_share_check__when_counts_are_wrong__reverts() public {
        Transcript memory it = _deal(3, 5);
        for (uint256 count = 4; count <= 6; count += 2) {
            refuse(abi.encodeWithSelector(ShareCheck.ShareCheck_ShareCount.selector, 5, count));
            harness.verifyShares(grant, it.keys, new G1Point[](count), it.commitments);
        }
        for (uint256 count = 2; count <= 4; count += 2) {
            refuse(abi.encodeWithSelector(ShareCheck.ShareCheck_CommitmentCount.selector, 3, count));
            harness.verifyShares(grant, it.keys, it.shares, new G2Point[](count));
        }
        refuse(abi.encodeWithSelector(ShareCheck.ShareCheck_CommitmentCount.selector, 3, 0));
        harness.verifyShares(grant, it.keys, it.shares, new G2Point[](0));
    }

    function test_share_check__when_key_commitment_is_infinite__reverts() public {
        Transcript memory it = _deal(2, 3);
        it.commitments[0] = G2Point(0, 0, 0, 0);
        _refuses(it, abi.encodeWithSelector(ShareCheck.ShareCheck_InfiniteCommitment.selector, 0));
        // One coordinate that is not zero is no infinity, but no point either.
        for (uint256 i = 0; i < 4; ++i) {
            it.commitments[0] = G2Point(i == 0 ? 1 : 0, i == 1 ? 1 : 0, i == 2 ? 1 : 0, i == 3 ? 1 : 0);
            _refuses(it, abi.encodeWithSelector(ShareCheck.ShareCheck_InvalidCommitments.selector));
            it.commitments[0] = G2Point(i == 0 ? TOP : 0, i == 1 ? TOP : 0, i == 2 ? TOP : 0, i == 3 ? TOP : 0);
            _refuses(it, abi.encodeWithSelector(ShareCheck.ShareCheck_InvalidCommitments.selector));
        }
    }

    function test_share_check__when_a_point_is_invalid__names_it() public {
        for (uint256 i = 0; i < 5; ++i) {
            Transcript memory it = _deal(3, 5);
            G1Point memory kept = it.shares[i];
            it.shares[i] = G1Point(0, 0);
            _refuses(it, abi.encodeWithSelector(ShareCheck.ShareCheck_InfiniteShare.selector, i + 1));
            it.shares[i] = G1Point(1, 3);
            _refuses(it, abi.encodeWithSelector(ShareCheck.ShareCheck_InvalidShare.selector, i + 1));
            it.shares[i] = G1Point(0, 5);
            _refuses(it, abi.encodeWithSelector(ShareCheck.ShareCheck_InvalidShare.selector, i + 1));
            it.shares[i] = G1Point(0, TOP);
            _refuses(it, abi.encodeWithSelector(ShareCheck.ShareCheck_InvalidShare.selector, i + 1));
            it.shares[i] = G1Point(kept.x + BN254.P, kept.y);
            _refuses(it, abi.encodeWithSelector(ShareCheck.ShareCheck_InvalidShare.selector, i + 1));
            it.keys[i] = G1Point(1, 3);
            _refuses(it, abi.encodeWithSelector(ShareCheck.ShareCheck_InvalidDeliveryKey.selector, i + 1));
        }
    }

    function test_share_check__when_a_commitment_is_invalid__reverts() public {
        for (uint256 j = 0; j < 3; ++j) {
            Transcript memory it = _deal(3, 5);
            it.commitments[j] = G2Point(
                0,
                1,
                0x0d1271953ed9ea0836846e70a1934187998c7f790cb4d7511b7f8da82de048a4,
                0x2869111d5381f072f8e2728fdb825a51aadd70e52c9830e9ab4b871c0531f1bb
            );
            _refuses(it, abi.encodeWithSelector(ShareCheck.ShareCheck_InvalidCommitments.selector));
            it.commitments[j] = G2Table.point(KEY + j);
            it.commitments[j].yRe += BN254.P;
            _refuses(it, abi.encodeWithSelector(ShareCheck.ShareCheck_InvalidCommitments.selector));
        }
    }

    /// @dev Too little gas for the pairing must not pass for anything but a refusal.
    function test_share_check__when_gas_is_short__holds_for_nobody() public {
        Transcript memory it = _deal(2, 3);
        bytes memory data = abi.encodeCall(harness.verifyShares, (grant, it.keys, it.shares, it.commitments));
        for (uint256 gasLimit = 20_000; gasLimit < 320_000; gasLimit += 4_000) {
            (bool ok, bytes memory result) = address(harness).staticcall{gas: gasLimit}(data);
            yes(!ok || abi.decode(result, (bool)), "never false for a valid one");
        }
        it.shares[0] = it.shares[1];
        data = abi.encodeCall(harness.verifyShares, (grant, it.keys, it.shares, it.commitments));
        for (uint256 gasLimit = 20_000; gasLimit < 320_000; gasLimit += 4_000) {
            (bool ok, bytes memory result) = address(harness).staticcall{gas: gasLimit}(data);
            no(ok && abi.decode(result, (bool)), "never true for a false one");
        }
    }

    function testFuzz_share_check__given_random_sizes__tells(uint256 t, uint256 n, uint256 wrong) public {
        n = within(n, 2, 4);
        t = within(t, 2, n);
        Transcript memory it = _deal(t, n);
        yes(_holds(it), "honest");
        uint256 at = within(wrong, 0, n - 1);
        it.shares[at] = BN254.mul(it.shares[at], 2 + wrong % 1_000);
        no(_holds(it), "scaled share");
    }

    function _deal(uint256 t, uint256 n) private returns (Transcript memory it) {
        grant.threshold = t;
        it.keys = new G1Point[](n);
        for (uint256 i = 0; i < n; ++i) it.keys[i] = Keys.deliveryKey(i);
        (it.commitments, it.shares) = Keys.deal(KEY, t, it.keys);
    }

    function _holds(Transcript memory it) private view returns (bool) {
        return harness.verifyShares(grant, it.keys, it.shares, it.commitments);
    }

    function _refuses(Transcript memory it, bytes memory revertData) private {
        refuse(revertData);
        harness.verifyShares(grant, it.keys, it.shares, it.commitments);
    }

    function _read(uint256 index) private view returns (Transcript memory it) {
        (it.keys, it.shares) = (_g1(_key(index, "deliveryKeys")), _g1(_key(index, "shares")));
        uint256[] memory w = vm.parseJsonUintArray(made, _key(index, "commitments"));
        it.commitments = new G2Point[](w.length / 4);
        for (uint256 i = 0; i < it.commitments.length; ++i) {
            it.commitments[i] = G2Point(w[4 * i], w[4 * i + 1], w[4 * i + 2], w[4 * i + 3]);
        }
    }

    function _g1(string memory key) private view returns (G1Point[] memory points) {
        uint256[] memory w = vm.parseJsonUintArray(made, key);
        points = new G1Point[](w.length / 2);
        for (uint256 i = 0; i < points.length; ++i) points[i] = G1Point(w[2 * i], w[2 * i + 1]);
    }

    function _seed(uint256 index) private view returns (bytes32) {
        return vm.parseJsonBytes32(made, _key(index, "seed"));
    }

    function _key(uint256 index, string memory field) private pure returns (string memory) {
        return string.concat(".transcripts[", vm.toString(index), "].", field);
    }
}
