// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IRequestCatalogue, RequestType, Rules, SharingTerms} from "../interfaces/IRequestCatalogue.sol";
import {Wiring} from "./libraries/Wiring.sol";

/// @title RequestCatalogue
/// @notice What may be asked for, at what price and with how much time (the paper's "energy centre" sets it).
///
///     type:   unknown ──setType(active)──▶ open ◀──setType──▶ closed
///     rules:  version 1 (construction) ──setRules──▶ version 2 ──▶ …      no version ever changes
///
/// Who can stop what: the consortium closes a type and changes prices; both bind only what begins afterwards, for a
/// lock copies its terms, and the version of its rules, when it begins. Closing every type stops new requests and nothing else.
/// Assumes: the consortium sets the sharing terms before the market opens; until then they read zero.
contract RequestCatalogue is IRequestCatalogue {
    /// @notice The least that `shortestSeconds` may be.
    uint32 public constant SHORTEST_FLOOR_SECONDS = 60;
    /// @notice The most that `shortestSeconds` may be.
    uint32 public constant SHORTEST_CEILING_SECONDS = 30 days;
    /// @notice The most that a dispute window, the time to serve and the time to decide may be.
    uint32 public constant STAGE_CEILING_SECONDS = 30 days;

    /// @notice The most of a price that the consortium takes, in 1/10,000.
    uint16 public constant FEE_CEILING_BPS = 2_000;
    /// @notice The range of a processing node's bond, in 1/10,000 of the price.
    uint16 public constant BOND_FLOOR_BPS = 1_000;
    uint16 public constant BOND_CEILING_BPS = 10_000;
    /// @notice The range of a disputer's bond, in 1/10,000 of the price.
    uint16 public constant DISPUTE_BOND_FLOOR_BPS = 100;
    uint16 public constant DISPUTE_BOND_CEILING_BPS = 10_000;

    /// @notice The most that serving one KiB may cost: more would price a demand out.
    uint64 public constant SERVE_KIB_CEILING_WEI = 10 ** 16;

    /// @notice The contract that governs.
    address public immutable consortium;

    /// @inheritdoc IRequestCatalogue
    uint32 public rulesVersion;

    mapping(uint32 typeId => RequestType requestType) private _types;
    mapping(uint32 version => Rules rules) private _rules;
    SharingTerms private _terms;

    modifier onlyConsortium() {
        if (msg.sender != consortium) revert RequestCatalogue_NotConsortium(msg.sender);
        _;
    }

    constructor(address consortium_, Rules memory firstRules) {
        consortium = Wiring.requireContract(consortium_);
        _setRules(firstRules);
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
    function setRules(Rules calldata newRules) external onlyConsortium returns (uint32 version) {
        return _setRules(newRules);
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

    /// @inheritdoc IRequestCatalogue
    function rulesAt(uint32 version) external view returns (Rules memory) {
        return _rules[version];
    }

    /// @inheritdoc IRequestCatalogue
    function requestConditions(uint32 typeId)
        external
        view
        returns (RequestType memory requestType, uint32 version, Rules memory rules)
    {
        version = rulesVersion;
        return (_types[typeId], version, _rules[version]);
    }

    /// @inheritdoc IRequestCatalogue
    function sharingConditions()
        external
        view
        returns (SharingTerms memory terms, uint32 version, Rules memory rules)
    {
        version = rulesVersion;
        return (_terms, version, _rules[version]);
    }

    function _setRules(Rules memory newRules) private returns (uint32 version) {
        _checkStage("serveSeconds", newRules.serveSeconds);
        _checkStage("decideSeconds", newRules.decideSeconds);
        _checkPart("feeBps", newRules.feeBps, 0, FEE_CEILING_BPS);
        _checkPart("bondBps", newRules.bondBps, BOND_FLOOR_BPS, BOND_CEILING_BPS);
        _checkPart("disputeBondBps", newRules.disputeBondBps, DISPUTE_BOND_FLOOR_BPS, DISPUTE_BOND_CEILING_BPS);
        // A verdict for the payer leaves the fee to the consortium out of the bond.
        if (newRules.feeBps > newRules.bondBps) revert RequestCatalogue_BadParameter("feeBps");
        if (newRules.serveKibWei == 0 || newRules.serveKibWei > SERVE_KIB_CEILING_WEI) {
            revert RequestCatalogue_BadParameter("serveKibWei");
        }
        if (newRules.disputeMinWei == 0) revert RequestCatalogue_BadParameter("disputeMinWei");

        version = ++rulesVersion;
        _rules[version] = newRules;

        emit RulesSet(version, newRules);
    }

    function _checkStage(bytes32 field, uint32 stageSeconds) private pure {
        bool fits = stageSeconds >= SHORTEST_FLOOR_SECONDS && stageSeconds <= STAGE_CEILING_SECONDS;
        if (!fits) revert RequestCatalogue_BadParameter(field);
    }

    function _checkPart(bytes32 field, uint16 bps, uint16 floorBps, uint16 ceilingBps) private pure {
        if (bps < floorBps || bps > ceilingBps) revert RequestCatalogue_BadParameter(field);
    }

    function _checkTimes(uint32 shortestSeconds, uint32 disputeWindowSeconds) private pure {
        if (shortestSeconds < SHORTEST_FLOOR_SECONDS || shortestSeconds > SHORTEST_CEILING_SECONDS) {
            revert RequestCatalogue_BadParameter("shortestSeconds");
        }
        if (disputeWindowSeconds != 0) _checkStage("disputeWindowSeconds", disputeWindowSeconds);
    }
}
