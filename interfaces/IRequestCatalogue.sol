// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @notice What users may ask for (the paper's CID).
/// @param active Whether new requests may begin.
/// @param shortestSeconds The least T − now, so that nobody ruins a node's credit with T = now + 1.
/// @param disputeWindowSeconds Time between claim and settlement; 0 settles at once.
/// @param priceWei The exact prepayment.
/// @param name ASCII name, at most 32 bytes, e.g. "bill".
struct RequestType {
    bool active;
    uint32 shortestSeconds;
    uint32 disputeWindowSeconds;
    uint96 priceWei;
    bytes32 name;
}

/// @notice The rules under which a data-sharing lock begins.
/// @param shortestSeconds The least T − now of a sharing lock.
/// @param disputeWindowSeconds Time between delivery and settlement; 0 settles at once.
/// @param applicationWei The exact application prepayment of a broadcast.
struct SharingTerms {
    uint32 shortestSeconds;
    uint32 disputeWindowSeconds;
    uint96 applicationWei;
}

/// @title IRequestCatalogue
/// @notice Request types, prices and shortest deadlines, set by the consortium ("energy centre"). A change binds only what begins
/// after it: every lock keeps the terms under which it began.
interface IRequestCatalogue {
    /// @notice Emitted when a type was set.
    event RequestTypeSet(
        uint32 indexed typeId, bool active, uint32 shortestSeconds, uint32 disputeWindowSeconds, uint96 priceWei, bytes32 name
    );
    /// @notice Emitted when the sharing terms were set.
    event SharingTermsSet(uint32 shortestSeconds, uint32 disputeWindowSeconds, uint96 applicationWei);

    /// @notice The caller is not the consortium.
    error RequestCatalogue_NotConsortium(address caller);
    /// @notice The type does not exist or is closed.
    error RequestCatalogue_UnknownType(uint32 typeId);
    /// @notice A parameter is outside its range; `field` names it.
    error RequestCatalogue_BadParameter(bytes32 field);

    /// @notice Sets or changes a request type.
    /// @dev Requirements: the caller is the consortium; typeId, price, name are not zero; shortestSeconds ≥ 60 and ≤ 30 days; disputeWindowSeconds ≤ 30 days.
    function setType(uint32 typeId, RequestType calldata requestType) external;

    /// @notice Sets the terms of data sharing.
    /// @dev Requirements: the caller is the consortium; the same ranges; applicationWei not zero.
    function setSharingTerms(SharingTerms calldata terms) external;

    /// @notice The type, or a revert with {RequestCatalogue_UnknownType} if it does not exist or is closed.
    function openType(uint32 typeId) external view returns (RequestType memory);

    /// @notice The type as stored (all zero if unknown).
    function typeOf(uint32 typeId) external view returns (RequestType memory);

    /// @notice The terms of data sharing.
    function sharingTerms() external view returns (SharingTerms memory);
}
