// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @title SealedBytes
/// @notice What contracts ask of sealed bytes that lie in the content store: they see a digest and a length alone.
library SealedBytes {
    /// @notice The most bytes of sealed evidence, a message, an answer or a manifest: whoever looks at one fetches it.
    uint256 internal constant MAX_BYTES = 32 * 1024;

    /// @notice Tells whether digest and length can be those of sealed bytes: neither is zero, the length no longer than
    /// the most.
    function isFit(bytes32 digest, uint256 length) internal pure returns (bool) {
        return digest != 0 && length != 0 && length <= MAX_BYTES;
    }
}
