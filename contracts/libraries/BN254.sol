// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {G1Point, G2Point} from "../types/Points.sol";

// These stand outside of the library, because inline assembly of another one takes no constant of a library.
/// @dev The field prime p.
uint256 constant FIELD_PRIME = 0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47;
// Caps of the gas a precompile call gets; EIP-1108 prices are 150, 6,000 and 45,000 + 34,000 a pair.
uint256 constant ADD_GAS = 1_000;
uint256 constant MUL_GAS = 12_000;
uint256 constant PAIRING_BASE_GAS = 90_000;
uint256 constant PAIRING_PAIR_GAS = 68_000;

/// @title BN254
/// @notice Group operations and pairing products on BN254 (alt_bn128) through the precompiles 0x06–0x08.
/// @dev Arithmetic reverts with a named error when a precompile refuses its input: coordinates not below the field
/// prime or a point off the curve. `isValid*` and `try*` never revert on input.
///
/// A refused precompile call burns all the gas it was given, so each call gets a cap of about twice its EIP-1108 price:
/// a bad point then costs its sender that, and what remains suffices for the named error.
library BN254 {
    error BN254_AddFailed();
    error BN254_MulFailed();

    /// @notice The field prime p.
    uint256 internal constant P = FIELD_PRIME;
    /// @notice The group order q.
    uint256 internal constant Q = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001;

    // The generator of G2 (EIP-197), and the y of its negative.
    uint256 internal constant G2_X_IM = 0x198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2;
    uint256 internal constant G2_X_RE = 0x1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed;
    uint256 internal constant G2_Y_IM = 0x090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b;
    uint256 internal constant G2_Y_RE = 0x12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa;
    uint256 internal constant NEG_G2_Y_IM = P - G2_Y_IM;
    uint256 internal constant NEG_G2_Y_RE = P - G2_Y_RE;

    // H = hashToCurve("second generator", DomainTags.GENERATOR): nobody knows its logarithm; a test recomputes it.
    uint256 internal constant H_X = 0x071a7ddd2500a2be14d9dba234fcbe87a93eaa36cbca2f83d662c6130deb7f96;
    uint256 internal constant H_Y = 0x1ebc8824cdef17686f3221db7799a8a98e32b3bcd956b632377ef0d620c72ef1;

    /*//////////////////////////////////////////////////////////////
                               GENERATORS
    //////////////////////////////////////////////////////////////*/

    /// @notice Returns the second generator H of G1, of unknown logarithm.
    function generatorH() internal pure returns (G1Point memory) {
        return G1Point(H_X, H_Y);
    }

    /// @notice Returns the negative of G2's generator.
    function negGeneratorG2() internal pure returns (G2Point memory) {
        return G2Point(G2_X_IM, G2_X_RE, NEG_G2_Y_IM, NEG_G2_Y_RE);
    }

    /*//////////////////////////////////////////////////////////////
                               ARITHMETIC
    //////////////////////////////////////////////////////////////*/

    /// @notice Adds two points. Reverts with `BN254_AddFailed` on an invalid one.
    function add(G1Point memory a, G1Point memory b) internal view returns (G1Point memory sum) {
        uint256[4] memory input = [a.x, a.y, b.x, b.y];
        bool ok;
        assembly ("memory-safe") {
            ok := staticcall(ADD_GAS, 0x06, input, 0x80, sum, 0x40)
        }
        if (!ok) revert BN254_AddFailed();
    }

    /// @notice Multiplies a point by a scalar (taken mod q). Reverts with `BN254_MulFailed` on an invalid point.
    function mul(G1Point memory a, uint256 scalar) internal view returns (G1Point memory product) {
        uint256[3] memory input = [a.x, a.y, scalar];
        bool ok;
        assembly ("memory-safe") {
            ok := staticcall(MUL_GAS, 0x07, input, 0x60, product, 0x40)
        }
        if (!ok) revert BN254_MulFailed();
    }

    /*//////////////////////////////////////////////////////////////
                               PREDICATES
    //////////////////////////////////////////////////////////////*/

    /// @notice Tells whether a G1 point is infinity.
    function isInfinity(G1Point memory a) internal pure returns (bool) {
        return a.x == 0 && a.y == 0;
    }

    /// @notice Tells whether a G2 point is infinity.
    function isInfinity(G2Point memory a) internal pure returns (bool) {
        return a.xIm == 0 && a.xRe == 0 && a.yIm == 0 && a.yRe == 0;
    }

    /// @notice Tells whether a point is on the curve with coordinates below p and is not infinity.
    /// @dev G1 has cofactor 1: membership in the curve is membership in the group. (0, 0) fails the equation.
    function isValidG1(G1Point memory a) internal pure returns (bool) {
        if (a.x >= P || a.y >= P) return false;
        return mulmod(a.y, a.y, P) == addmod(mulmod(mulmod(a.x, a.x, P), a.x, P), 3, P);
    }

    /// @notice Tells whether a point is in the subgroup of order q of the twist, canonical and not infinity.
    /// @dev The pairing precompile checks the order (EIP-197); any pairing with the point does the same.
    function isValidG2(G2Point memory a) internal view returns (bool) {
        if (isInfinity(a)) return false;
        uint256[6] memory input = [0, 0, a.xIm, a.xRe, a.yIm, a.yRe];
        uint256 start;
        assembly ("memory-safe") {
            start := input
        }
        (bool ok,) = _pairing(start, 1);
        return ok;
    }

    /*//////////////////////////////////////////////////////////////
                                PAIRINGS
    //////////////////////////////////////////////////////////////*/

    /// @notice Tells whether e(a1, b1) · e(a2, b2) = 1; `ok` is false when a point is invalid, or too little gas is
    /// left.
    function tryPairing2(G1Point memory a1, G2Point memory b1, G1Point memory a2, G2Point memory b2)
        internal
        view
        returns (bool ok, bool isOne)
    {
        uint256[12] memory input;
        uint256 start;
        assembly ("memory-safe") {
            start := input
        }
        _storePair(start, a1, b1);
        _storePair(start + 192, a2, b2);
        return _pairing(start, 2);
    }

    function _storePair(uint256 at, G1Point memory a, G2Point memory b) private pure {
        assembly ("memory-safe") {
            mstore(at, mload(a))
            mstore(add(at, 0x20), mload(add(a, 0x20)))
            mstore(add(at, 0x40), mload(b))
            mstore(add(at, 0x60), mload(add(b, 0x20)))
            mstore(add(at, 0x80), mload(add(b, 0x40)))
            mstore(add(at, 0xa0), mload(add(b, 0x60)))
        }
    }

    function _pairing(uint256 start, uint256 pairs) private view returns (bool ok, bool isOne) {
        uint256 gasCap = PAIRING_BASE_GAS + PAIRING_PAIR_GAS * pairs;
        assembly ("memory-safe") {
            mstore(0, 0)
            ok := staticcall(gasCap, 0x08, start, mul(pairs, 192), 0, 0x20)
            // In a statement of its own: Yul evaluates arguments right to left, and would read before the call.
            isOne := and(ok, eq(mload(0), 1))
        }
    }
}
