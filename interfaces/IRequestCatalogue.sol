// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @notice What users may ask for (the paper's CID).
/// @param active Whether new requests may begin.
/// @param shortestSeconds The least T − now, so that nobody ruins a node's credit with T = now + 1.
/// @param disputeWindowSeconds Time between claim and settlement; 0 settles at once.
/// @param longestAnswerBytes The most that the sealed answer may have, and with it the most that a demand of it
/// deposits.
/// @param priceWei The exact prepayment.
/// @param name ASCII name, at most 32 bytes, e.g. "bill".
struct RequestType {
    bool active;
    uint32 shortestSeconds;
    uint32 disputeWindowSeconds;
    uint16 longestAnswerBytes;
    uint96 priceWei;
    bytes32 name;
}

/// @notice The terms under which a data-sharing lock begins. A version never changes; an offer names the one that it is
/// made under.
/// @param shortestSeconds The least T − now of a sharing lock.
/// @param disputeWindowSeconds Time between delivery and settlement; 0 settles at once.
/// @param applicationWei The exact application prepayment of a broadcast.
/// @param ownersBps The part of a price that goes to the owners of the devices in the data set, in 1/10,000.
struct SharingTerms {
    uint32 shortestSeconds;
    uint32 disputeWindowSeconds;
    uint96 applicationWei;
    uint16 ownersBps;
}

/// @notice The rules of bonds, demands, disputes and fees. A version never changes; every lock keeps the one under
/// which it began.
/// @param serveSeconds Time to serve a demanded answer.
/// @param decideSeconds Time for the judges to decide a dispute.
/// @param feeBps The consortium's part of a price at settlement, in 1/10,000: what credit costs.
/// @param bondBps The processing node's bond, as a part of the price.
/// @param disputeBondBps The disputer's bond, as a part of the price.
/// @param serveGasWei What a demand deposits for each gas of serving: the highest base fee that it covers.
/// @param disputeMinWei The least bond of a disputer: what a cheap lock's judges cost.
struct Rules {
    uint32 serveSeconds;
    uint32 decideSeconds;
    uint16 feeBps;
    uint16 bondBps;
    uint16 disputeBondBps;
    uint64 serveGasWei;
    uint80 disputeMinWei;
}

/// @title IRequestCatalogue
/// @notice Holds request types, prices, shortest deadlines and rules, which the consortium ("energy centre") sets. A
/// change binds only what begins after it: every lock keeps the terms under which it began.
interface IRequestCatalogue {
    /// @notice Emitted when a type was set.
    event RequestTypeSet(
        uint32 indexed typeId,
        bool active,
        uint32 shortestSeconds,
        uint32 disputeWindowSeconds,
        uint16 longestAnswerBytes,
        uint96 priceWei,
        bytes32 name
    );
    /// @notice Emitted when new sharing terms were set; the first ones have version 1.
    event SharingTermsSet(
        uint32 indexed version,
        uint32 shortestSeconds,
        uint32 disputeWindowSeconds,
        uint96 applicationWei,
        uint16 ownersBps
    );

    /// @notice Emitted when new rules were set; the first ones at construction.
    event RulesSet(uint32 indexed version, Rules rules);

    /// @notice The type does not exist or is closed.
    error RequestCatalogue_UnknownType(uint32 typeId);
    /// @notice A parameter is outside its range; `field` names it.
    error RequestCatalogue_BadParameter(bytes32 field);

    /// @notice Sets or changes a request type.
    /// @dev Requirements:
    /// - the caller is the consortium;
    /// - typeId is not zero;
    /// - the name is not zero;
    /// - 0 < priceWei ≤ 10,000 ether;
    /// - 60 ≤ shortestSeconds ≤ 30 days;
    /// - disputeWindowSeconds is 0, or 60 ≤ disputeWindowSeconds ≤ 30 days;
    /// - 0 < longestAnswerBytes ≤ 32 KiB.
    function setType(uint32 typeId, RequestType calldata requestType) external;

    /// @notice Sets the terms of data sharing, as a new version.
    /// @dev Requirements:
    /// - the caller is the consortium;
    /// - 0 < applicationWei ≤ 10 ether;
    /// - shortestSeconds and disputeWindowSeconds are in the ranges of {setType};
    /// - ownersBps ≤ 8,000: with the fee's 2,000 a price is never exceeded.
    /// @return version Its number, from 1.
    function setSharingTerms(SharingTerms calldata terms) external returns (uint32 version);

    /// @notice Sets the rules under which locks begin from now on, as a new version.
    /// @dev Requirements:
    /// - the caller is the consortium;
    /// - 60 ≤ serveSeconds ≤ 30 days;
    /// - 60 ≤ decideSeconds ≤ 30 days;
    /// - feeBps ≤ 2,000;
    /// - 1,000 ≤ bondBps ≤ 10,000;
    /// - 100 ≤ disputeBondBps ≤ 10,000;
    /// - feeBps ≤ bondBps;
    /// - 0 < serveGasWei ≤ 1,000 gwei;
    /// - 0 < disputeMinWei ≤ 1 ether.
    /// @return version Its number; the first rules have 1.
    function setRules(Rules calldata newRules) external returns (uint32 version);

    /// @notice Returns the type, or reverts with {RequestCatalogue_UnknownType} if it does not exist or is closed.
    function openType(uint32 typeId) external view returns (RequestType memory);

    /// @notice Returns the type as stored (all zero if unknown).
    function typeOf(uint32 typeId) external view returns (RequestType memory);

    /// @notice Returns the present terms of data sharing (all zero until the first are set).
    function sharingTerms() external view returns (SharingTerms memory);

    /// @notice Returns a version of the terms of data sharing (all zero if there is none).
    function sharingTermsAt(uint32 version) external view returns (SharingTerms memory);

    /// @notice Returns the present versions, of the rules and of the terms of data sharing.
    function versions() external view returns (uint32 rulesVersion, uint32 sharingVersion);

    /// @notice Returns a version of the rules (all zero if there is none).
    function rulesAt(uint32 version) external view returns (Rules memory);

    /// @notice Returns all that a request begins under, in one call: {typeOf} and the present rules.
    function requestConditions(uint32 typeId)
        external
        view
        returns (RequestType memory requestType, uint32 version, Rules memory rules);

    /// @notice Returns all that a sharing lock begins under, in one call: {sharingTermsAt} and {rulesAt}.
    function sharingConditionsAt(uint32 sharingVersion, uint32 rulesVersion)
        external
        view
        returns (SharingTerms memory terms, Rules memory rules);
}
