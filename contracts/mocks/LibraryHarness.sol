// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {BLS} from "../libraries/BLS.sol";
import {BN254} from "../libraries/BN254.sol";
import {DeliveryKey} from "../libraries/DeliveryKey.sol";
import {DomainTags} from "../libraries/DomainTags.sol";
import {HashToCurve} from "../libraries/HashToCurve.sol";
import {MerkleSha256} from "../libraries/MerkleSha256.sol";
import {ShareCheck, ShareGrant} from "../libraries/ShareCheck.sol";
import {G1Point, G2Point} from "../types/Points.sol";

/// @title LibraryHarness
/// @notice Exposes the stateless libraries' internals to the tests.
contract LibraryHarness {
    function constants()
        external
        pure
        returns (uint256 p, uint256 q, G1Point memory h, G2Point memory generator, G2Point memory negGenerator)
    {
        generator = G2Point(BN254.G2_X_IM, BN254.G2_X_RE, BN254.G2_Y_IM, BN254.G2_Y_RE);
        return (BN254.P, BN254.Q, BN254.generatorH(), generator, BN254.negGeneratorG2());
    }

    function tags() external pure returns (bytes[7] memory) {
        return [
            DomainTags.POP,
            DomainTags.REQUEST,
            DomainTags.SHARING,
            DomainTags.ANSWER,
            DomainTags.ROOT,
            DomainTags.DATAKEY,
            DomainTags.GENERATOR
        ];
    }

    function add(G1Point memory a, G1Point memory b) external view returns (G1Point memory) {
        return BN254.add(a, b);
    }

    function mul(G1Point memory a, uint256 scalar) external view returns (G1Point memory) {
        return BN254.mul(a, scalar);
    }

    function isValidG1(G1Point memory a) external pure returns (bool) {
        return BN254.isValidG1(a);
    }

    function isValidG2(G2Point memory a) external view returns (bool) {
        return BN254.isValidG2(a);
    }

    function tryPairing2(G1Point memory a1, G2Point memory b1, G1Point memory a2, G2Point memory b2)
        external
        view
        returns (bool ok, bool isOne)
    {
        return BN254.tryPairing2(a1, b1, a2, b2);
    }

    function hashToField(bytes memory message, bytes memory tag) external pure returns (uint256, uint256) {
        return HashToCurve.hashToField(message, tag);
    }

    function mapToCurve(uint256 u) external view returns (G1Point memory) {
        return HashToCurve.mapToCurve(u);
    }

    function hashToCurve(bytes memory message, bytes memory tag) external view returns (G1Point memory) {
        return HashToCurve.hash(message, tag);
    }

    /// @dev Gas that the hash alone takes, without the transaction's own.
    function hashToCurveGas(bytes memory message, bytes memory tag) external view returns (uint256) {
        uint256 before = gasleft();
        HashToCurve.hash(message, tag);
        return before - gasleft();
    }

    function verifySignature(
        G2Point memory publicKey,
        bytes memory message,
        bytes memory tag,
        G1Point memory signature
    ) external view returns (bool) {
        return BLS.verify(publicKey, message, tag, signature);
    }

    function verifyDeliveryKey(
        address registry,
        address account,
        uint8 role,
        G1Point memory deliveryKey,
        G1Point memory nonce,
        uint256 response
    ) external view returns (bool) {
        return DeliveryKey.verify(registry, account, role, deliveryKey, nonce, response);
    }

    function verifyShares(
        ShareGrant memory grant,
        G1Point[] calldata deliveryKeys,
        G1Point[] calldata shares,
        G2Point[] calldata commitments
    ) external view returns (bool isValid) {
        (isValid,) = ShareCheck.verify(grant, deliveryKeys, shares, commitments);
    }

    function seedOfShares(
        ShareGrant memory grant,
        G1Point[] calldata deliveryKeys,
        G1Point[] calldata shares,
        G2Point[] calldata commitments
    ) external view returns (bytes32) {
        return ShareCheck.seedOf(grant, deliveryKeys, shares, commitments);
    }

    function leaf(bytes32 commitment) external view returns (bytes32) {
        return MerkleSha256.leaf(commitment);
    }

    function verifyInclusion(
        bytes32 root,
        bytes32 commitment,
        uint256 index,
        uint256 treeSize,
        bytes32[] calldata proof
    ) external view returns (bool) {
        return MerkleSha256.verify(root, commitment, index, treeSize, proof);
    }
}
