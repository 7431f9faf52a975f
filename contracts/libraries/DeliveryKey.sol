// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {BN254} from "./BN254.sol";
import {G1Point} from "../types/Points.sol";

/// @title DeliveryKey
/// @notice Verifies that who registers a delivery key ek = [s]H knows s: a Schnorr proof (R, z) (docs/formats.md §1).
library DeliveryKey {
    /// @notice Domain tag of the challenge.
    bytes32 internal constant SCHNORR_TAG = keccak256("DMSM-V1-DELIVERY-KEY");

    /// @notice Tells whether (nonce, response) shows knowledge of the key's secret, for this chain, registry, account
    /// and role.
    /// @dev Valid iff z < q, R and ek on the curve and canonical, neither infinity, and [z]H = R + [c]ek. Returns false
    /// on anything malformed. R = infinity would be r = 0, which gives the secret away.
    /// @param nonce R = [r]H.
    /// @param response z = r + c·s mod q.
    function verify(
        address registry,
        address account,
        uint8 role,
        G1Point memory deliveryKey,
        G1Point memory nonce,
        uint256 response
    ) internal view returns (bool) {
        if (response >= BN254.Q || !BN254.isValidG1(deliveryKey) || !BN254.isValidG1(nonce)) return false;

        uint256 c = challenge(registry, account, role, deliveryKey, nonce);
        G1Point memory left = BN254.mul(BN254.generatorH(), response);
        G1Point memory right = BN254.add(nonce, BN254.mul(deliveryKey, c));
        return left.x == right.x && left.y == right.y;
    }

    /// @notice Computes the Fiat–Shamir challenge c, bound to chain, registry, account and role.
    function challenge(
        address registry,
        address account,
        uint8 role,
        G1Point memory deliveryKey,
        G1Point memory nonce
    ) internal view returns (uint256) {
        bytes memory transcript =
            abi.encode(SCHNORR_TAG, block.chainid, registry, account, role, deliveryKey, nonce);
        return uint256(keccak256(transcript)) % BN254.Q;
    }
}
