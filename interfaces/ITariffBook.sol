// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @notice A tariff as it is appended.
/// @param digest SHA-256 of the document.
/// @param validFrom The first instant at which it is valid, unix seconds.
/// @param validTo The first instant at which it no longer is, unix seconds; 0 if it has no end yet.
struct TariffEntry {
    bytes32 digest;
    uint40 validFrom;
    uint40 validTo;
}

/// @notice A price series as it is published.
/// @param digest SHA-256 of the document.
/// @param startsAt The instant at which its first price begins, unix seconds.
/// @param endsAt The instant at which its last price ends, unix seconds.
/// @param resolutionSeconds How long a price holds.
struct SeriesEntry {
    bytes32 digest;
    uint40 startsAt;
    uint40 endsAt;
    uint32 resolutionSeconds;
}

/// @title ITariffBook
/// @notice What energy costs, as facts that nobody can change afterwards: by region, the tariffs of each product and
/// the price series of each name, in order. The documents themselves are objects of the content store (docs/formats.md
/// §17), found by their digest, which is their CID.
///
/// - Of the tariffs that are valid on a local day, the latest one holds that was appended before that day began, or
///   that is a correction. So an open end needs no closing, and a successor is one more entry.
/// - The instants are the local midnights of the document's first day and of the day after its last. The contract reads
///   no document: whoever does passes over an entry whose instants are others.
/// - Of the price series of one name, the first one published that holds an instant gives its price.
/// - What was said as of a block is what was appended up to it: each entry has its block, and an answer as of a block
///   is the same for ever.
///
/// The entries are in the events. Here is one word for each (region, product) and (region, name): the hash of all its
/// entries in their order, to which the list of anybody's can be held. It begins at zero, and an entry makes of it
///
/// - a tariff: keccak256(abi.encode(head, digest, validFrom, validTo, appendedAt, appendedBlock, isCorrection));
/// - a series: keccak256(abi.encode(head, digest, startsAt, endsAt, resolutionSeconds, publishedAt, publishedBlock,
///   isCorrection)).
interface ITariffBook {
    /// @notice Emitted when a tariff was appended.
    /// @param product keccak256 of the product's name in UTF-8.
    /// @param validTo 0 if it has no end yet.
    /// @param isCorrection Whether it began at or before its block's time, which the consortium alone can decide.
    /// @param productName As it was given: nothing holds a caller to UTF-8, so that readers must expect any bytes.
    event TariffAppended(
        bytes32 indexed regionId,
        bytes32 indexed product,
        bytes32 indexed digest,
        address by,
        uint40 validFrom,
        uint40 validTo,
        uint40 appendedAt,
        bool isCorrection,
        bytes productName
    );

    /// @notice Emitted when a price series was published.
    /// @param name keccak256 of the series' name in UTF-8.
    /// @param seriesName As it was given, which may be any bytes.
    event SeriesPublished(
        bytes32 indexed regionId,
        bytes32 indexed name,
        bytes32 indexed digest,
        address by,
        uint40 startsAt,
        uint40 endsAt,
        uint32 resolutionSeconds,
        uint40 publishedAt,
        bool isCorrection,
        bytes seriesName
    );

    /// @notice The caller is neither the region's active processing node nor the consortium.
    error TariffBook_NotProcessor(bytes32 regionId, address caller);
    /// @notice What begins at or before the block's time is not the node's to say: the consortium votes for it.
    error TariffBook_NotAhead(uint40 beginsAt, uint256 nowAt);
    /// @notice A field is missing or out of range; `field` names it in ASCII.
    error TariffBook_BadEntry(bytes32 field);

    /// @notice Appends a tariff to a product of a region.
    /// @dev Emits {TariffAppended}. Requirements:
    /// - the caller is the region's active processing node and no emergency stop holds, or the caller is the
    /// consortium;
    /// - region and digest are not zero, and the product's name has 1 to 128 bytes;
    /// - `validTo` is 0, or later than `validFrom`;
    /// - `validFrom` is later than the block's time, or the caller is the consortium, whose entry then is a correction.
    function appendTariff(bytes32 regionId, string calldata productName, TariffEntry calldata entry) external;

    /// @notice Publishes a price series under a name in a region.
    /// @dev Emits {SeriesPublished}. Requirements:
    /// - the caller, region, digest and name are as for {appendTariff};
    /// - a price holds for 900, 1,800 or 3,600 s, and the series for one or more of them;
    /// - `startsAt` is later than the block's time, or the caller is the consortium, whose entry then is a correction
    /// that gives prices only where none was published.
    function publishSeries(bytes32 regionId, string calldata seriesName, SeriesEntry calldata entry) external;

    /// @notice The hash of all tariffs of a product in their order, 0 if there is none.
    function headOf(bytes32 regionId, bytes32 product) external view returns (bytes32);

    /// @notice The hash of all price series of a name in their order, 0 if there is none.
    function seriesHeadOf(bytes32 regionId, bytes32 name) external view returns (bytes32);
}
