// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {ADD_GAS, BN254, MUL_GAS, PAIRING_BASE_GAS, PAIRING_PAIR_GAS} from "./BN254.sol";
import {G1Point, G2Point} from "../types/Points.sol";

/// @notice What the chain fixed before the shares were dealt. The order of the fields is that of the seed's bytes.
/// @param prepaidLock The contract that holds the lock: `address(this)` there.
/// @param lockId The sharing lock.
/// @param dataSetId The data set whose key is shared.
/// @param threshold t: how many shares recover the key.
struct ShareGrant {
    address prepaidLock;
    bytes32 lockId;
    bytes32 dataSetId;
    uint256 threshold;
}

/// @title ShareCheck
/// @notice Verifies all n encrypted shares of a data set's key at once (docs/formats.md §2; SCRAPE-like public
/// verification).
/// @dev With weights ρ_i hashed from the whole transcript, the shares are those of one polynomial of degree below t
/// with commitments F_j iff e(Σ ρ_i·Y_i, G2) · Π_j e(−Σ_i ρ_i·C(i, j)·ek_i, F_j) = 1, but with probability 2^−128. The
/// minus is moved to the constant: −G2 instead of t negations.
///
/// Newton's basis makes the t sums of the product come from additions alone. With Q_i = ρ_i·ek_i in the order Q_n …
/// Q_1, the last of the prefix sums is Σ C(i, 0)·Q_i; prefix sums of those end in Σ C(i, 1)·Q_i; and each further pass,
/// one element shorter, ends in the next sum (the hockey-stick identity). A pass works in place: the addition
/// precompile takes two neighbours in memory and writes over the second.
library ShareCheck {
    error ShareCheck_BadSize(uint256 threshold, uint256 members);
    error ShareCheck_ShareCount(uint256 expected, uint256 actual);
    error ShareCheck_CommitmentCount(uint256 expected, uint256 actual);
    error ShareCheck_InfiniteShare(uint256 member);
    error ShareCheck_InfiniteCommitment(uint256 index);
    error ShareCheck_InvalidDeliveryKey(uint256 member);
    error ShareCheck_InvalidShare(uint256 member);
    error ShareCheck_InvalidCommitments();

    /// @notice The smallest threshold.
    uint256 internal constant MIN_THRESHOLD = 2;
    /// @notice The largest group; bounds the gas of a check.
    uint256 internal constant MAX_MEMBERS = 100;

    bytes32 private constant SHARES_TAG = keccak256("DMSM-V1-SHARES");

    // Layout of the work area beyond the free memory pointer. First the seed's seven words; they give way to the input
    // of a multiplication (point, weight), the running sum and the product. Then the row of n points, then the t + 1
    // pairs.
    uint256 private constant SUM = 0x60;
    uint256 private constant PRODUCT = 0xa0;
    uint256 private constant ROW = 0xe0;
    uint256 private constant G1_BYTES = 0x40;
    uint256 private constant PAIR_BYTES = 0xc0;

    /// @notice Tells whether the transcript deals valid shares of the key behind `commitments[0]` to all members.
    /// @dev The caller compares `commitments[0]` with the data set's published key commitment and `deliveryKeys` with
    /// the lock's snapshot of the group. Reverts with a named error on wrong lengths, infinity as share or commitment,
    /// and points that are invalid; false says that the equation does not hold. Member numbers run from 1.
    /// @param deliveryKeys ek_1 … ek_n in the group's order.
    /// @param shares Y_1 … Y_n.
    /// @param commitments F_0 … F_{t−1}, exactly t of them, none infinity: a zero coefficient would lower the threshold
    /// unseen.
    /// @return isValid Whether the equation holds.
    /// @return seed {seedOf} the transcript: what a payee signs for others to deliver.
    function verify(
        ShareGrant memory grant,
        G1Point[] calldata deliveryKeys,
        G1Point[] calldata shares,
        G2Point[] calldata commitments
    ) internal view returns (bool isValid, bytes32 seed) {
        _checkSizes(grant.threshold, deliveryKeys.length, shares.length, commitments.length);
        seed = seedOf(grant, deliveryKeys, shares, commitments);
        _weigh(seed, deliveryKeys, shares);
        uint256 pairs = _pairsAt(deliveryKeys.length);
        _sumBinomials(pairs, deliveryKeys.length, grant.threshold);
        isValid = _product(pairs, commitments);
    }

    function _checkSizes(uint256 t, uint256 n, uint256 shareCount, uint256 commitmentCount) private pure {
        if (t < MIN_THRESHOLD || t > n || n > MAX_MEMBERS) revert ShareCheck_BadSize(t, n);
        if (shareCount != n) revert ShareCheck_ShareCount(n, shareCount);
        // A longer vector would raise the threshold unseen, a shorter one lower it.
        if (commitmentCount != t) revert ShareCheck_CommitmentCount(t, commitmentCount);
    }

    /// @notice Hashes the whole transcript to the seed of the weights ρ_i.
    /// @dev keccak256(tag ‖ chain ‖ contract ‖ lock ‖ data set ‖ t ‖ n ‖ all ek ‖ all Y ‖ all F).
    function seedOf(
        ShareGrant memory grant,
        G1Point[] calldata deliveryKeys,
        G1Point[] calldata shares,
        G2Point[] calldata commitments
    ) internal view returns (bytes32 seed) {
        bytes32 tag = SHARES_TAG;
        assembly ("memory-safe") {
            let work := mload(0x40)
            mstore(work, tag)
            mstore(add(work, 0x20), chainid())
            mstore(add(work, 0x40), mload(grant))
            mstore(add(work, 0x60), mload(add(grant, 0x20)))
            mstore(add(work, 0x80), mload(add(grant, 0x40)))
            mstore(add(work, 0xa0), mload(add(grant, 0x60)))
            mstore(add(work, 0xc0), deliveryKeys.length)
            let end := add(work, ROW)
            let size := mul(deliveryKeys.length, G1_BYTES)
            calldatacopy(end, deliveryKeys.offset, size)
            end := add(end, size)
            calldatacopy(end, shares.offset, size)
            end := add(end, size)
            size := mul(commitments.length, 0x80)
            calldatacopy(end, commitments.offset, size)
            seed := keccak256(work, sub(add(end, size), work))
        }
    }

    /// @dev Leaves Σ ρ_i·Y_i at SUM and the points ρ_n·ek_n … ρ_1·ek_1 in the row. The multiplication precompile
    /// checks that each point is canonical and on the curve.
    function _weigh(bytes32 seed, G1Point[] calldata deliveryKeys, G1Point[] calldata shares) private view {
        uint256 member; // the one at fault, if any
        bool isKey;
        bool isInfinite;
        assembly ("memory-safe") {
            let work := mload(0x40)
            let sum := add(work, SUM)
            let product := add(work, PRODUCT)
            let key := deliveryKeys.offset
            let share := shares.offset
            mstore(sum, 0)
            mstore(add(sum, 0x20), 0)
            mstore(0, seed)
            let at := add(add(work, ROW), mul(deliveryKeys.length, G1_BYTES))
            for { let i := 1 } iszero(gt(i, deliveryKeys.length)) { i := add(i, 1) } {
                mstore(0x20, i)
                mstore(add(work, 0x40), and(keccak256(0, 0x40), 0xffffffffffffffffffffffffffffffff))

                at := sub(at, G1_BYTES)
                calldatacopy(work, key, G1_BYTES)
                if iszero(staticcall(MUL_GAS, 0x07, work, 0x60, at, G1_BYTES)) {
                    member := i
                    isKey := 1
                    break
                }
                calldatacopy(work, share, G1_BYTES)
                isInfinite := iszero(or(mload(work), mload(add(work, 0x20))))
                if or(isInfinite, iszero(staticcall(MUL_GAS, 0x07, work, 0x60, product, G1_BYTES))) {
                    member := i
                    break
                }
                if iszero(staticcall(ADD_GAS, 0x06, sum, 0x80, sum, G1_BYTES)) {
                    member := i
                    break
                }
                key := add(key, G1_BYTES)
                share := add(share, G1_BYTES)
            }
        }
        if (member == 0) return;
        if (isInfinite) revert ShareCheck_InfiniteShare(member);
        if (isKey) revert ShareCheck_InvalidDeliveryKey(member);
        revert ShareCheck_InvalidShare(member);
    }

    /// @dev Writes Σ_i C(i, j)·Q_i as the G1 part of pair 1 + j, for j = 0 … t − 1.
    function _sumBinomials(uint256 pairs, uint256 n, uint256 t) private view {
        bool ok;
        assembly ("memory-safe") {
            // Replaces the points from `at` to `last` by their prefix sums.
            function prefixSums(at, last) -> allOk {
                allOk := 1
                let unrolled := sub(last, mod(sub(last, at), 0x100))
                for {} lt(at, unrolled) {} {
                    let next := add(at, 0x40)
                    let first := staticcall(ADD_GAS, 0x06, at, 0x80, next, 0x40)
                    at := add(next, 0x40)
                    let second := staticcall(ADD_GAS, 0x06, next, 0x80, at, 0x40)
                    next := add(at, 0x40)
                    let third := staticcall(ADD_GAS, 0x06, at, 0x80, next, 0x40)
                    at := add(next, 0x40)
                    let fourth := staticcall(ADD_GAS, 0x06, next, 0x80, at, 0x40)
                    allOk := and(allOk, and(and(first, second), and(third, fourth)))
                }
                for {} lt(at, last) {} {
                    let next := add(at, 0x40)
                    let added := staticcall(ADD_GAS, 0x06, at, 0x80, next, 0x40)
                    allOk := and(allOk, added)
                    at := next
                }
            }

            let row := add(mload(0x40), ROW)
            let last := add(row, mul(sub(n, 1), G1_BYTES))
            ok := prefixSums(row, last)
            let out := add(pairs, PAIR_BYTES)
            mstore(out, mload(last))
            mstore(add(out, 0x20), mload(add(last, 0x20)))
            for { let j := 1 } lt(j, t) { j := add(j, 1) } {
                out := add(out, PAIR_BYTES)
                last := sub(last, G1_BYTES)
                let summed := prefixSums(row, last)
                // The pass's last sum is not needed by the next one: it goes straight to its pair.
                let added := staticcall(ADD_GAS, 0x06, last, 0x80, out, G1_BYTES)
                ok := and(ok, and(summed, added))
            }
        }
        if (!ok) revert BN254.BN254_AddFailed();
    }

    /// @dev Pairs the running sum with −G2 and each binomial sum with its F_j. The precompile checks every F_j:
    /// canonical, on the twist, in the subgroup. It takes infinity, which is refused here: F_{t−1} there would let
    /// t − 1 shares recover the key.
    function _product(uint256 pairs, G2Point[] calldata commitments) private view returns (bool isOne) {
        _storeSumPair(pairs);
        uint256 pairCount = commitments.length + 1;
        uint256 gasCap = PAIRING_BASE_GAS + PAIRING_PAIR_GAS * pairCount;
        uint256 from;
        bool isInfinite;
        bool ok;
        assembly ("memory-safe") {
            from := commitments.offset
            let end := add(pairs, mul(pairCount, PAIR_BYTES))
            for { let to := add(pairs, 0x100) } lt(to, end) { to := add(to, PAIR_BYTES) } {
                calldatacopy(to, from, 0x80)
                // No point of the subgroup has y = 0, so x is hardly ever looked at.
                if iszero(or(mload(add(to, 0x40)), mload(add(to, 0x60)))) {
                    isInfinite := iszero(or(mload(to), mload(add(to, 0x20))))
                    if isInfinite { break }
                }
                from := add(from, 0x80)
            }
            if iszero(isInfinite) {
                mstore(0, 0)
                ok := staticcall(gasCap, 0x08, pairs, sub(end, pairs), 0, 0x20)
                // In a statement of its own: Yul evaluates arguments right to left, and would read before the call.
                isOne := and(ok, eq(mload(0), 1))
            }
            from := shr(7, sub(from, commitments.offset))
        }
        if (isInfinite) revert ShareCheck_InfiniteCommitment(from);
        if (!ok) revert ShareCheck_InvalidCommitments();
    }

    function _storeSumPair(uint256 pairs) private pure {
        (uint256 xIm, uint256 xRe) = (BN254.G2_X_IM, BN254.G2_X_RE);
        (uint256 yIm, uint256 yRe) = (BN254.NEG_G2_Y_IM, BN254.NEG_G2_Y_RE);
        assembly ("memory-safe") {
            let sum := add(mload(0x40), SUM)
            mstore(pairs, mload(sum))
            mstore(add(pairs, 0x20), mload(add(sum, 0x20)))
            mstore(add(pairs, 0x40), xIm)
            mstore(add(pairs, 0x60), xRe)
            mstore(add(pairs, 0x80), yIm)
            mstore(add(pairs, 0xa0), yRe)
        }
    }

    /// @dev Where the pairs lie. Nothing between `seedOf` and the product allocates memory, so the work area stays put.
    function _pairsAt(uint256 n) private pure returns (uint256 pairs) {
        assembly ("memory-safe") {
            pairs := add(add(mload(0x40), ROW), mul(n, G1_BYTES))
        }
    }
}
