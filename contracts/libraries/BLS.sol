// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {BN254} from "./BN254.sol";
import {HashToCurve} from "./HashToCurve.sol";
import {G1Point, G2Point} from "../types/Points.sol";

/// @title BLS
/// @notice Verifies BLS signatures: keys in G2, signatures in G1 (draft-irtf-cfrg-bls-signature, minimal signature
/// size).
library BLS {
    /// @notice Tells whether `signature` is the key's over `message` under the domain tag `tag`.
    /// @dev Valid iff e(σ, −G2) · e(hashToCurve(message, tag), pk) = 1. Infinity as key or signature, a non-canonical
    /// coordinate and a point off the curve or outside the subgroup give false. So does too little gas for the
    /// pairing: a caller may refuse on false, never punish. Reverts only on a tag that is not 1 to 255 bytes long.
    function verify(G2Point memory publicKey, bytes memory message, bytes memory tag, G1Point memory signature)
        internal
        view
        returns (bool)
    {
        if (!BN254.isValidG1(signature) || BN254.isInfinity(publicKey)) return false;
        G1Point memory hashed = HashToCurve.hash(message, tag);
        (, bool isOne) = BN254.tryPairing2(signature, BN254.negGeneratorG2(), hashed, publicKey);
        return isOne;
    }
}
