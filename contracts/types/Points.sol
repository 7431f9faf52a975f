// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @notice A point of BN254's G1; infinity is (0, 0) (EIP-196).
struct G1Point {
    uint256 x;
    uint256 y;
}

/// @notice A point of BN254's G2, the imaginary part of each coordinate first (EIP-197); infinity is all zero.
struct G2Point {
    uint256 xIm;
    uint256 xRe;
    uint256 yIm;
    uint256 yRe;
}
