// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IRequestCatalogue, RequestType, Rules, SharingTerms} from "../interfaces/IRequestCatalogue.sol";
import {Governed} from "./bases/Governed.sol";
import {SealedBytes} from "./libraries/SealedBytes.sol";

/// @title RequestCatalogue
/// @notice Says what may be asked for, at what price and with how much time (the paper's "energy centre" sets it).
///
///     type:   unknown ──setType(active)──▶ open ◀──setType──▶ closed
///     rules:  version 1 (construction) ──setRules──▶ version 2 ──▶ …             no version ever changes
///     terms of sharing:  none ──setSharingTerms──▶ version 1 ──▶ version 2 ──▶ …   no version ever changes
///
/// Who can stop what: the consortium closes a type and changes prices. Both bind only what is signed afterwards, for
/// whoever is bound by terms names them: a request names its rules, a response the versions under which it offers.
/// Closing every type stops new requests and nothing else. All that can be set has a ceiling here.
/// Assumes: the consortium sets the sharing terms before the market opens; until then they read zero.
contract RequestCatalogue is IRequestCatalogue, Governed {
    /// @dev Both lie in one slot: a response asks for both.
    struct Versions {
        uint32 rules;
        uint32 sharing;
    }

    /// @notice The least that `shortestSeconds` may be.
    uint32 public constant SHORTEST_FLOOR_SECONDS = 60;
    /// @notice The most that `shortestSeconds` may be.
    uint32 public constant SHORTEST_CEILING_SECONDS = 30 days;
    /// @notice The most that a dispute window, the time to serve and the time to decide may be.
    uint32 public constant STAGE_CEILING_SECONDS = 30 days;

    /// @notice The most of a price that the consortium takes, in 1/10,000.
    uint16 public constant FEE_CEILING_BPS = 2_000;
    /// @notice The most of a price that goes to owners, in 1/10,000: with the highest fee it is the whole price.
    uint16 public constant OWNERS_CEILING_BPS = 8_000;
    /// @notice The least and the most of a processing node's bond, in 1/10,000 of the price.
    uint16 public constant BOND_FLOOR_BPS = 1_000;
    uint16 public constant BOND_CEILING_BPS = 10_000;
    /// @notice The least and the most of a disputer's bond, in 1/10,000 of the price.
    uint16 public constant DISPUTE_BOND_FLOOR_BPS = 100;
    uint16 public constant DISPUTE_BOND_CEILING_BPS = 10_000;

    /// @notice The most that a demand deposits for each gas of serving: more would price a demand out.
    uint64 public constant SERVE_GAS_CEILING_WEI = 1_000 gwei;
    /// @notice The most that the least bond of a dispute may be: more would price a dispute out.
    uint80 public constant DISPUTE_MIN_CEILING_WEI = 1 ether;
    /// @notice The most that a request, and a broadcast's application, may cost.
    uint96 public constant PRICE_CEILING_WEI = 10_000 ether;
    uint96 public constant APPLICATION_CEILING_WEI = 10 ether;
    /// @notice The most bytes of a sealed answer, whatever its type.
    uint256 public constant ANSWER_CEILING_BYTES = SealedBytes.MAX_BYTES;

    /// @inheritdoc IRequestCatalogue
    Versions public versions;

    mapping(uint32 typeId => RequestType requestType) private _types;
    mapping(uint32 version => Rules rules) private _rules;
    mapping(uint32 version => SharingTerms terms) private _terms;

    constructor(address consortium_, Rules memory firstRules) Governed(consortium_) {
        _setRules(firstRules);
    }

    /// @inheritdoc IRequestCatalogue
    function setType(uint32 typeId, RequestType calldata requestType) external onlyConsortium {
        // check
        if (typeId == 0) revert RequestCatalogue_BadParameter("typeId");
        if (requestType.name == 0) revert RequestCatalogue_BadParameter("name");
        _checkSum("priceWei", requestType.priceWei, PRICE_CEILING_WEI);
        _checkTimes(requestType.shortestSeconds, requestType.disputeWindowSeconds);
        _checkSum("longestAnswerBytes", requestType.longestAnswerBytes, ANSWER_CEILING_BYTES);

        // effect
        _types[typeId] = requestType;

        // log
        emit RequestTypeSet(
            typeId,
            requestType.active,
            requestType.shortestSeconds,
            requestType.disputeWindowSeconds,
            requestType.longestAnswerBytes,
            requestType.priceWei,
            requestType.name
        );
    }

    /// @inheritdoc IRequestCatalogue
    function setSharingTerms(SharingTerms calldata terms) external onlyConsortium returns (uint32 version) {
        // check
        _checkSum("applicationWei", terms.applicationWei, APPLICATION_CEILING_WEI);
        _checkTimes(terms.shortestSeconds, terms.disputeWindowSeconds);
        _checkPart("ownersBps", terms.ownersBps, 0, OWNERS_CEILING_BPS);

        // effect
        version = ++versions.sharing;
        _terms[version] = terms;

        // log
        emit SharingTermsSet(
            version, terms.shortestSeconds, terms.disputeWindowSeconds, terms.applicationWei, terms.ownersBps
        );
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
        return _terms[versions.sharing];
    }

    /// @inheritdoc IRequestCatalogue
    function sharingTermsAt(uint32 version) external view returns (SharingTerms memory) {
        return _terms[version];
    }

    /// @notice Returns the contract that governs.
    function consortium() external view returns (address) {
        return CONSORTIUM;
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
        version = versions.rules;
        return (_types[typeId], version, _rules[version]);
    }

    /// @inheritdoc IRequestCatalogue
    function sharingConditionsAt(uint32 sharingVersion, uint32 rulesVersion)
        external
        view
        returns (SharingTerms memory terms, Rules memory rules)
    {
        return (_terms[sharingVersion], _rules[rulesVersion]);
    }

    function _setRules(Rules memory newRules) private returns (uint32 version) {
        // check
        _checkStage("serveSeconds", newRules.serveSeconds);
        _checkStage("decideSeconds", newRules.decideSeconds);
        _checkPart("feeBps", newRules.feeBps, 0, FEE_CEILING_BPS);
        _checkPart("bondBps", newRules.bondBps, BOND_FLOOR_BPS, BOND_CEILING_BPS);
        _checkPart("disputeBondBps", newRules.disputeBondBps, DISPUTE_BOND_FLOOR_BPS, DISPUTE_BOND_CEILING_BPS);
        // A verdict for the payer leaves the fee to the consortium out of the bond.
        if (newRules.feeBps > newRules.bondBps) revert RequestCatalogue_BadParameter("feeBps");
        _checkSum("serveGasWei", newRules.serveGasWei, SERVE_GAS_CEILING_WEI);
        _checkSum("disputeMinWei", newRules.disputeMinWei, DISPUTE_MIN_CEILING_WEI);

        // effect
        version = ++versions.rules;
        _rules[version] = newRules;

        // log
        emit RulesSet(version, newRules);
    }

    function _checkStage(bytes32 field, uint32 stageSeconds) private pure {
        bool fits = stageSeconds >= SHORTEST_FLOOR_SECONDS && stageSeconds <= STAGE_CEILING_SECONDS;
        if (!fits) revert RequestCatalogue_BadParameter(field);
    }

    function _checkSum(bytes32 field, uint256 sum, uint256 ceiling) private pure {
        if (sum == 0 || sum > ceiling) revert RequestCatalogue_BadParameter(field);
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
