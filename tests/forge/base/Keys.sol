// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {BN254} from "../../../contracts/libraries/BN254.sol";
import {DeliveryKey} from "../../../contracts/libraries/DeliveryKey.sol";
import {DomainTags} from "../../../contracts/libraries/DomainTags.sol";
import {HashToCurve} from "../../../contracts/libraries/HashToCurve.sol";
import {G1Point, G2Point} from "../../../contracts/types/Points.sol";
import {KeyProofs, Profile, Role} from "../../../interfaces/IMemberRegistry.sol";
import {G2Table} from "../vectors/G2Table.sol";

/// @title Keys
/// @notice Real keys, signatures and proofs, made inside the EVM: what is in G1 is computed, what is in G2 comes from the table.
library Keys {
    uint256 private constant DELIVERY = 1_000;

    /// @notice BLS signature of key `index`.
    function sign(uint256 index, bytes memory message, bytes memory tag) internal view returns (G1Point memory) {
        return BN254.mul(HashToCurve.hash(message, tag), G2Table.secret(index));
    }

    /// @notice The secret behind the delivery key `index`.
    function deliverySecret(uint256 index) internal pure returns (uint256) {
        return G2Table.secret(DELIVERY + index);
    }

    /// @notice ek = [s]H.
    function deliveryKey(uint256 index) internal view returns (G1Point memory) {
        return BN254.mul(BN254.generatorH(), deliverySecret(index));
    }

    /// @notice A profile that can be admitted, with the keys of `index`.
    function profile(uint256 index, Role role, bytes32 regionId, address owner) internal view returns (Profile memory it) {
        it.role = role;
        it.regionId = regionId;
        it.owner = owner;
        it.idCommitment = keccak256(abi.encode("id", index));
        it.blsKey = G2Table.point(index);
        if (role == Role.Device) return it;
        it.paillierDigest = keccak256(abi.encode("paillier", index));
        it.deliveryKey = deliveryKey(index);
    }

    /// @notice A company's public name, nobody else's; empty for a user and a device.
    function name(uint256 index, Role role) internal pure returns (string memory) {
        if (role == Role.User || role == Role.Device) return "";
        return string(abi.encodePacked("company ", bytes32(index)));
    }

    /// @notice The proofs for a profile's keys, bound to registry, account and role.
    function proofs(uint256 index, address registry, address account, Role role)
        internal
        view
        returns (KeyProofs memory it)
    {
        bytes memory message = abi.encode(block.chainid, registry, account, uint8(role), G2Table.point(index));
        it.blsPossession = sign(index, message, DomainTags.POP);
        if (role == Role.Device) return it;
        uint256 r = uint256(keccak256(abi.encode("nonce", index, registry, account))) % BN254.Q;
        it.deliveryNonce = BN254.mul(BN254.generatorH(), r);
        uint256 c = DeliveryKey.challenge(registry, account, uint8(role), deliveryKey(index), it.deliveryNonce);
        it.deliveryResponse = addmod(r, mulmod(c, deliverySecret(index), BN254.Q), BN254.Q);
    }

    /// @notice Deals shares by the polynomial Σ b_j·C(x, j), b_0 the secret of `dataKey`, b_j those of the indices that follow.
    function deal(uint256 dataKey, uint256 threshold, G1Point[] memory deliveryKeys)
        internal
        view
        returns (G2Point[] memory commitments, G1Point[] memory shares)
    {
        commitments = new G2Point[](threshold);
        for (uint256 j = 0; j < threshold; ++j) commitments[j] = G2Table.point(dataKey + j);
        shares = new G1Point[](deliveryKeys.length);
        for (uint256 i = 0; i < shares.length; ++i) {
            uint256 value;
            for (uint256 j = 0; j < threshold; ++j) {
                value = addmod(value, mulmod(binomial(i + 1, j), G2Table.secret(dataKey + j), BN254.Q), BN254.Q);
            }
            shares[i] = BN254.mul(deliveryKeys[i], value);
        }
    }

    /// @notice −a, of a point that is not infinity.
    function negate(G1Point memory a) internal pure returns (G1Point memory) {
        return G1Point(a.x, BN254.P - a.y);
    }

    /// @notice C(n, k) of small numbers.
    function binomial(uint256 n, uint256 k) internal pure returns (uint256 it) {
        if (k > n) return 0;
        it = 1;
        for (uint256 i = 0; i < k; ++i) it = it * (n - i) / (i + 1);
    }
}
