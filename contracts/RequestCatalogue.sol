// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IRequestCatalogue, RequestType, SharingTerms} from "../interfaces/IRequestCatalogue.sol";
import {Wiring} from "./libraries/Wiring.sol";

/// @title RequestCatalogue
/// @notice What may be asked for, at what price and with how much time (the paper's "energy centre" sets it).
///
///     type:  unknown ──setType(active)──▶ open ◀──setType──▶ closed
///
/// Who can stop what: the consortium closes a type and changes prices; both bind only what begins afterwards, for a
/// lock copies its terms when it begins. Closing every type stops new requests and nothing else.
/// Assumes: the consortium sets the sharing terms before the market opens; until then they read zero.
contract RequestCatalogue is IRequestCatalogue {
    /// @notice The least that `shortestSeconds` may be.
    uint32 public constant SHORTEST_FLOOR_SECONDS = 60;
    /// @notice The most that `shortestSeconds` may be.
    uint32 public constant SHORTEST_CEILING_SECONDS = 30 days;
    /// @notice The most that `disputeWindowSeconds` may be.
    uint32 public constant DISPUTE_WINDOW_CEILING_SECONDS = 30 days;

    /// @notice The contract that governs.
    address public immutable consortium;

    mapping(uint32 typeId => RequestType requestType) private _types;
    SharingTerms private _terms;

    modifier onlyConsortium() {
        if (msg.sender != consortium) revert RequestCatalogue_NotConsortium(msg.sender);
        _;
    }

    constructor(address consortium_) {
        consortium = Wiring.requireContract(consortium_);
    }

    /// @inheritdoc IRequestCatalogue
    function setType(uint32 typeId, RequestType calldata requestType) external onlyConsortium {
        if (typeId == 0) revert RequestCatalogue_BadParameter("typeId");
        if (requestType.name == 0) revert RequestCatalogue_BadParameter("name");
        if (requestType.priceWei == 0) revert RequestCatalogue_BadParameter("priceWei");
        _checkTimes(requestType.shortestSeconds, requestType.disputeWindowSeconds);

        _types[typeId] = requestType;

        emit RequestTypeSet(
            typeId,
            requestType.active,
            requestType.shortestSeconds,
            requestType.disputeWindowSeconds,
            requestType.priceWei,
            requestType.name
        );
    }

    /// @inheritdoc IRequestCatalogue
    function setSharingTerms(SharingTerms calldata terms) external onlyConsortium {
        if (terms.applicationWei == 0) revert RequestCatalogue_BadParameter("applicationWei");
        _checkTimes(terms.shortestSeconds, terms.disputeWindowSeconds);

        _terms = terms;

        emit SharingTermsSet(terms.shortestSeconds, terms.disputeWindowSeconds, terms.applicationWei);
    }

    /// @inheritdoc IRequestCatalogue
    function openType(uint32 typeId) external view returns (RequestType memory requestType) {
        requestType = _types[typeId];
        if (!requestType.active) revert RequestCatalogue_UnknownType(typeId);
    }

    /// @inheritdoc IRequestCatalogue
    function typeOf(uint32 typeId) external view returns (RequestType memory) {
        return _types[typeId];
    }

    /// @inheritdoc IRequestCatalogue
    function sharingTerms() external view returns (SharingTerms memory) {
        return _terms;
    }

    function _checkTimes(uint32 shortestSeconds, uint32 disputeWindowSeconds) private pure {
        if (shortestSeconds < SHORTEST_FLOOR_SECONDS || shortestSeconds > SHORTEST_CEILING_SECONDS) {
            revert RequestCatalogue_BadParameter("shortestSeconds");
        }
        if (disputeWindowSeconds > DISPUTE_WINDOW_CEILING_SECONDS) {
            revert RequestCatalogue_BadParameter("disputeWindowSeconds");
        }
    }
}
