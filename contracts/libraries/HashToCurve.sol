// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {BN254, FIELD_PRIME} from "./BN254.sol";
import {G1Point} from "../types/Points.sol";

/// @title HashToCurve
/// @notice Hashes a message to BN254's G1: RFC 9380, suite BN254G1_XMD:SHA-256_SVDW_RO_ (SVDW with Z = 1, L = 48).
/// @dev Total: every message has a point. The map stops at its first candidate that is a square, so gas depends on the
/// message, within a bound that depends on the lengths alone (three roots an element). That is fit for public input
/// only: what is hashed here stands in a transaction's data. The result is uniform, hence infinity only with
/// probability 1/q.
library HashToCurve {
    error HashToCurve_TagLength(uint256 length);

    uint256 private constant P = FIELD_PRIME;
    uint256 private constant P_MINUS_2 = 0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd45;
    /// @dev (p + 1) / 4: as p ≡ 3 mod 4, the power of a square by it is its root.
    uint256 private constant ROOT_EXPONENT = 0x0c19139cb84c680a6e14116da060561765e05aa45a1c72a34f082305b61f3f52;
    uint256 private constant TWO_256_MOD_P = 0x0e0a77c19a07df2f666ea36f7879462c0a78eb28f5c70b3dd35d438dc58f0d9d;

    // RFC 9380 §F.1 for y² = g(x) = x³ + 3 and Z = 1: C1 = g(Z), C2 = −Z/2, C3 = sqrt(−3·Z²·g(Z)) of even sign,
    // C4 = −4·g(Z)/(3·Z²).
    uint256 private constant C1 = 4;
    uint256 private constant C2 = 0x183227397098d014dc2822db40c0ac2ecbc0b548b438e5469e10460b6c3e7ea3;
    uint256 private constant C3 = 0x16789af3a83522eb353c98fc6b36d713d5d8d1cc5dffffffa;
    uint256 private constant C4 = 0x10216f7ba065e00de81ac1e7808072c9dd2b2385cd7b438469602eb24829a9bd;

    /// @notice Hashes `message` under the domain tag `tag` to a point of G1.
    /// @dev Reverts with `HashToCurve_TagLength` unless the tag has 1 to 255 bytes.
    function hash(bytes memory message, bytes memory tag) internal view returns (G1Point memory) {
        (uint256 u0, uint256 u1) = hashToField(message, tag);
        (G1Point memory q0, G1Point memory q1) = (mapToCurve(u0), mapToCurve(u1));
        return BN254.add(q0, q1);
    }

    /// @notice Hashes to two field elements: RFC 9380 §5.2, with expand_message_xmd (§5.3.1) to 96 bytes.
    function hashToField(bytes memory message, bytes memory tag) internal pure returns (uint256 u0, uint256 u1) {
        if (tag.length == 0 || tag.length > 255) revert HashToCurve_TagLength(tag.length);
        bytes memory tagPrime = abi.encodePacked(tag, uint8(tag.length));
        // 64 zero bytes (a SHA-256 block), the message, 96 as two bytes, a zero byte, the tag.
        bytes32 b0 = sha256(abi.encodePacked(bytes32(0), bytes32(0), message, bytes3(0x006000), tagPrime));
        bytes32 b1 = sha256(abi.encodePacked(b0, uint8(1), tagPrime));
        bytes32 b2 = sha256(abi.encodePacked(b0 ^ b1, uint8(2), tagPrime));
        bytes32 b3 = sha256(abi.encodePacked(b0 ^ b2, uint8(3), tagPrime));
        // Each 48-byte half as a big-endian integer mod p.
        u0 = addmod(mulmod(uint256(b1), 1 << 128, P), uint256(b2) >> 128, P);
        u1 = addmod(mulmod(uint256(uint128(uint256(b2))), TWO_256_MOD_P, P), uint256(b3), P);
    }

    /// @notice Maps a field element below p to the curve: RFC 9380 §F.1 (Shallue–van de Woestijne).
    /// @dev Squareness is decided by taking the root and squaring it. The third candidate needs no such check: if
    /// neither of the first two has a square for its value, the third has.
    function mapToCurve(uint256 u) internal view returns (G1Point memory point) {
        assembly ("memory-safe") {
            function power(buffer, base, exponent) -> result {
                mstore(add(buffer, 0x60), base)
                mstore(add(buffer, 0x80), exponent)
                // Only too little gas makes it fail.
                if iszero(staticcall(gas(), 0x05, buffer, 0xc0, 0, 0x20)) { revert(0, 0) }
                result := mload(0)
            }
            function curve(x) -> value {
                value := addmod(mulmod(mulmod(x, x, P), x, P), 3, P)
            }

            // Input of the modular exponentiation (EIP-198): three lengths, base, exponent, modulus.
            let buffer := mload(0x40)
            mstore(buffer, 0x20)
            mstore(add(buffer, 0x20), 0x20)
            mstore(add(buffer, 0x40), 0x20)
            mstore(add(buffer, 0xa0), P)

            let x1
            let x2
            let x3
            {
                let tv1 := mulmod(mulmod(u, u, P), C1, P)
                let tv2 := addmod(1, tv1, P)
                tv1 := addmod(1, sub(P, tv1), P)
                let tv3 := power(buffer, mulmod(tv1, tv2, P), P_MINUS_2) // inv0: zero stays zero
                let tv4 := mulmod(mulmod(mulmod(u, tv1, P), tv3, P), C3, P)
                x1 := addmod(C2, sub(P, tv4), P)
                x2 := addmod(C2, tv4, P)
                x3 := mulmod(mulmod(tv2, tv2, P), tv3, P)
                x3 := addmod(mulmod(mulmod(x3, x3, P), C4, P), 1, P)
            }
            // The first candidate that is a square wins.
            let x := x1
            let value := curve(x)
            let y := power(buffer, value, ROOT_EXPONENT)
            if iszero(eq(mulmod(y, y, P), value)) {
                x := x2
                value := curve(x)
                y := power(buffer, value, ROOT_EXPONENT)
                if iszero(eq(mulmod(y, y, P), value)) {
                    x := x3
                    y := power(buffer, curve(x), ROOT_EXPONENT)
                }
            }
            // The sign of y is the sign of u. For y = 0 the difference p is reduced to 0.
            if xor(and(y, 1), and(u, 1)) { y := mod(sub(P, y), P) }
            mstore(point, x)
            mstore(add(point, 0x20), y)
        }
    }
}
