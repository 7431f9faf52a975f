// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {BroadcastState, Conditions, Response, Wanted} from "../../interfaces/IDataMarket.sol";
import {SortedForm} from "./SortedForm.sol";

/// @notice What belongs to a line of the form, by its slot; the credit lies in the form itself.
struct Line {
    address processor;
    uint96 priceWei;
    bytes32 dataSetId;
}

/// @notice Says for ever that a processor has responded, where its line was put, and under which versions it offers.
struct Mark {
    uint40 respondedAt;
    uint8 slot;
    uint32 rulesVersion;
    uint32 sharingVersion;
}

/// @notice A broadcast holds of its conditions what a contract reads, and its form. The first word is all that a
/// response reads, beside the regions.
struct Book {
    BroadcastState state;
    uint8 regionCount;
    uint8 kind;
    uint40 windowFrom;
    uint40 windowTo;
    uint40 respondBy;
    uint96 maxPriceWei;
    address requester;
    uint40 selectBy;
    uint8 groupSize;
    uint8 threshold;
    bytes32[16] regions;
    SortedForm.Form form;
    Line[16] lines;
    mapping(address processor => Mark) marks;
}

/// @title BroadcastBook
/// @notice Stores a broadcast of the market: conditions packed, lines of the form by slot, a mark for everyone who has
/// responded. What no contract reads is not stored: the broadcast's id commits to all of its conditions.
/// @dev Checks nothing: {DataMarket} has checked conditions and responder. A line that was withdrawn or replaced is not
/// erased; its slot is free or another's, so that it does not stand.
library BroadcastBook {
    using SortedForm for SortedForm.Form;

    /// @notice The most regions of a broadcast.
    uint256 internal constant MAX_REGIONS = 16;

    /// @notice Stores a new broadcast, open.
    function open(Book storage book, address requester, Conditions memory c) internal {
        book.state = BroadcastState.Open;
        book.regionCount = uint8(c.regions.length);
        book.kind = c.kind;
        book.windowFrom = c.windowFrom;
        book.windowTo = c.windowTo;
        book.respondBy = c.respondBy;
        book.maxPriceWei = c.maxPriceWei;
        book.requester = requester;
        book.selectBy = c.selectBy;
        book.groupSize = c.groupSize;
        book.threshold = c.threshold;
        for (uint256 i = 0; i < c.regions.length; ++i) {
            book.regions[i] = c.regions[i];
        }
    }

    /// @notice Returns what is stored of the conditions.
    function wantedOf(Book storage book) internal view returns (Wanted memory c) {
        c.windowFrom = book.windowFrom;
        c.windowTo = book.windowTo;
        c.kind = book.kind;
        c.groupSize = book.groupSize;
        c.threshold = book.threshold;
        c.maxPriceWei = book.maxPriceWei;
        c.respondBy = book.respondBy;
        c.selectBy = book.selectBy;
        c.regions = new bytes32[](book.regionCount);
        for (uint256 i = 0; i < c.regions.length; ++i) {
            c.regions[i] = book.regions[i];
        }
    }

    /// @notice Tells whether a region is wanted. Regions ascend: bisection reads at most five of sixteen.
    function wants(Book storage book, bytes32 regionId) internal view returns (bool) {
        (uint256 low, uint256 high) = (0, book.regionCount);
        while (low < high) {
            uint256 middle = (low + high) >> 1;
            bytes32 wanted = book.regions[middle];
            if (wanted == regionId) return true;
            if (wanted < regionId) low = middle + 1;
            else high = middle;
        }
        return false;
    }

    /// @notice Tells whether the processor has ever responded.
    function hasResponded(Book storage book, address processor) internal view returns (bool) {
        return book.marks[processor].respondedAt != 0;
    }

    /// @notice Enters a line into the form.
    /// @return replaced The processor whose line fell out of a full form, zero if none did.
    function enter(
        Book storage book,
        address processor,
        uint96 priceWei,
        bytes32 dataSetId,
        uint16 credit,
        uint32 rulesVersion,
        uint32 sharingVersion
    ) internal returns (address replaced) {
        (uint8 slot, bool isReplaced) = book.form.insert(credit);
        Line storage line = book.lines[slot];
        if (isReplaced) replaced = line.processor;
        line.processor = processor;
        line.priceWei = priceWei;
        line.dataSetId = dataSetId;
        book.marks[processor] = Mark(uint40(block.timestamp), slot, rulesVersion, sharingVersion);
    }

    /// @notice Finds the processor's line.
    /// @return stands Whether it has one that stands.
    /// @return slot Where, if so.
    function find(Book storage book, address processor) internal view returns (bool stands, uint8 slot) {
        if (!hasResponded(book, processor)) return (false, 0);
        slot = book.marks[processor].slot;
        stands = book.form.holds(slot) && book.lines[slot].processor == processor;
    }

    /// @notice Returns the form, highest credit first, ties earlier first.
    function responses(Book storage book) internal view returns (Response[] memory list) {
        uint8[] memory slots = book.form.ranked();
        list = new Response[](slots.length);
        for (uint256 i = 0; i < slots.length; ++i) {
            Line storage line = book.lines[slots[i]];
            list[i].processor = line.processor;
            list[i].priceWei = line.priceWei;
            list[i].dataSetId = line.dataSetId;
            list[i].credit = book.form.creditOf(slots[i]);
            Mark storage mark = book.marks[line.processor];
            list[i].respondedAt = mark.respondedAt;
            list[i].rulesVersion = mark.rulesVersion;
            list[i].sharingVersion = mark.sharingVersion;
        }
    }
}
