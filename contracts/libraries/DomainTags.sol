// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @title DomainTags
/// @notice Domain separation tags of every hash to the curve, one a role (docs/formats.md §1, RFC 9380 §3.1).
/// @dev A signature under one tag is worthless under every other.
library DomainTags {
    /// @notice Proof of possession of a BLS key.
    bytes internal constant POP = "DMSM-V1-POP-CS01-with-BN254G1_XMD:SHA-256_SVDW_RO_";

    /// @notice A user's request.
    bytes internal constant REQUEST = "DMSM-V1-REQUEST-CS01-with-BN254G1_XMD:SHA-256_SVDW_RO_";

    /// @notice A sharing node's selection.
    bytes internal constant SHARING = "DMSM-V1-SHARING-CS01-with-BN254G1_XMD:SHA-256_SVDW_RO_";

    /// @notice A processing node's answer.
    bytes internal constant ANSWER = "DMSM-V1-ANSWER-CS01-with-BN254G1_XMD:SHA-256_SVDW_RO_";

    /// @notice A device's signature over one batch root.
    bytes internal constant ROOT = "DMSM-V1-ROOT-CS01-with-BN254G1_XMD:SHA-256_SVDW_RO_";

    /// @notice Proof of possession of a data set's key.
    bytes internal constant DATAKEY = "DMSM-V1-DATAKEY-CS01-with-BN254G1_XMD:SHA-256_SVDW_RO_";

    /// @notice Derivation of the second generator H.
    bytes internal constant GENERATOR = "DMSM-V1-GENERATOR-CS01-with-BN254G1_XMD:SHA-256_SVDW_RO_";
}
