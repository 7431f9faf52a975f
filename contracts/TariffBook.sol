// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IMemberRegistry, Role} from "../interfaces/IMemberRegistry.sol";
import {ITariffBook, SeriesEntry, TariffEntry} from "../interfaces/ITariffBook.sol";
import {Wiring} from "./libraries/Wiring.sol";

/// @title TariffBook
/// @notice See {ITariffBook}, which says what the entries mean.
///
///     (region, product):  0 ──appendTariff──▶ head ──appendTariff──▶ head' ──▶ …
///     (region, name):     0 ──publishSeries──▶ head ──publishSeries──▶ head' ──▶ …
///     No entry is ever changed or taken out.
///
/// Who can stop what: a node alone prices what is ahead of it, and only revocation or an emergency stop keeps it from
/// that. The consortium alone corrects what has begun, by a vote that waits.
/// Assumes: readers fetch the documents and pass over entries that do not fit theirs; whoever cannot fetch one cannot
/// tell, and says so.
/// @dev A word for all entries and not two for each: 45,000 gas and not 85,000, and a list that lacks an entry shows by
/// one word.
contract TariffBook is ITariffBook {
    /// @notice The longest name of a product or series.
    uint256 public constant LONGEST_NAME_BYTES = 128;

    /// @notice Where the regions' processing nodes are looked up.
    IMemberRegistry public immutable registry;
    /// @notice Who may correct.
    address public immutable consortium;

    /// @inheritdoc ITariffBook
    mapping(bytes32 regionId => mapping(bytes32 product => bytes32 head)) public headOf;
    /// @inheritdoc ITariffBook
    mapping(bytes32 regionId => mapping(bytes32 name => bytes32 head)) public seriesHeadOf;

    constructor(address registry_) {
        registry = IMemberRegistry(Wiring.requireContract(registry_));
        consortium = registry.consortium();
    }

    /// @inheritdoc ITariffBook
    function appendTariff(bytes32 regionId, string calldata productName, TariffEntry calldata entry) external {
        // check
        _checkNamed(regionId, productName, entry.digest);
        if (entry.validTo != 0 && entry.validTo <= entry.validFrom) revert TariffBook_BadEntry("validTo");
        bool isCorrection = _checkCaller(regionId, entry.validFrom);

        // effect
        bytes32 product = keccak256(bytes(productName));
        bytes32 head = headOf[regionId][product];
        headOf[regionId][product] =
            keccak256(abi.encode(head, entry, block.timestamp, block.number, isCorrection));

        // log
        emit TariffAppended(
            regionId,
            product,
            entry.digest,
            msg.sender,
            entry.validFrom,
            entry.validTo,
            uint40(block.timestamp),
            isCorrection,
            bytes(productName)
        );
    }

    /// @inheritdoc ITariffBook
    function publishSeries(bytes32 regionId, string calldata seriesName, SeriesEntry calldata entry) external {
        // check
        _checkNamed(regionId, seriesName, entry.digest);
        _checkSlots(entry);
        bool isCorrection = _checkCaller(regionId, entry.startsAt);

        // effect
        bytes32 name = keccak256(bytes(seriesName));
        bytes32 head = seriesHeadOf[regionId][name];
        seriesHeadOf[regionId][name] =
            keccak256(abi.encode(head, entry, block.timestamp, block.number, isCorrection));

        // log
        emit SeriesPublished(
            regionId,
            name,
            entry.digest,
            msg.sender,
            entry.startsAt,
            entry.endsAt,
            entry.resolutionSeconds,
            uint40(block.timestamp),
            isCorrection,
            bytes(seriesName)
        );
    }

    function _checkNamed(bytes32 regionId, string calldata name, bytes32 digest) private pure {
        if (regionId == 0) revert TariffBook_BadEntry("regionId");
        uint256 length = bytes(name).length;
        if (length == 0 || length > LONGEST_NAME_BYTES) revert TariffBook_BadEntry("name");
        if (digest == 0) revert TariffBook_BadEntry("digest");
    }

    function _checkSlots(SeriesEntry calldata entry) private pure {
        uint32 each = entry.resolutionSeconds;
        if (each != 900 && each != 1_800 && each != 3_600) revert TariffBook_BadEntry("resolutionSeconds");
        bool isWhole = entry.endsAt > entry.startsAt && (entry.endsAt - entry.startsAt) % each == 0;
        if (!isWhole) revert TariffBook_BadEntry("endsAt");
    }

    /// @dev Whether the entry is a correction. A region has at most one active processing node.
    function _checkCaller(bytes32 regionId, uint40 beginsAt) private view returns (bool isCorrection) {
        isCorrection = beginsAt <= block.timestamp;
        if (msg.sender == consortium) return isCorrection;
        (Role role, bytes32 served) = registry.beginnerOf(msg.sender);
        bool isNode = role == Role.Processor && served == regionId;
        if (!isNode) revert TariffBook_NotProcessor(regionId, msg.sender);
        if (isCorrection) revert TariffBook_NotAhead(beginsAt, block.timestamp);
    }
}
