// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @title SortedForm
/// @notice Keeps the market's form: at most 16 lines, sorted by credit from high to low at all times, ties earlier
/// first (protocol §5.2).
/// @dev A line lives in a slot 0..15 that it keeps while it stands; the user of the library stores what belongs to the
/// line by its slot. The order is a permutation of the occupied slots, packed with everything else that changes into
/// one word:
///
///     bits 0..63    order: the slot of rank r (0 = best) in the four bits from 4r
///     bits 64..79   occupied: bit s says that slot s is taken
///     bits 80..84   count of the lines
///
/// Credits lie by slot in a second word; a slot that is not occupied keeps a stale one. So an insertion into a full
/// form reads two words and writes two, whatever its rank.
///
///              insert                insert (full, higher credit than the last)
///     free slot ─────▶ line standing ─────────────────────────────────▶ slot taken by the new line
///         ▲                  │ remove
///         └──────────────────┘
library SortedForm {
    /// @param packed Order, occupied slots and count.
    /// @param credits Credit of slot s in the 16 bits from 16·s.
    struct Form {
        uint256 packed;
        uint256 credits;
    }

    /// @notice The form is full and the credit does not exceed the last line's.
    error SortedForm_Full(uint16 lowestCredit);
    /// @notice No line stands in the slot.
    error SortedForm_NoSuchSlot(uint8 slot);

    /// @notice The most lines a form holds.
    uint256 internal constant CAPACITY = 16;

    uint256 private constant ORDER_MASK = (1 << 64) - 1;
    uint256 private constant OCCUPIED_SHIFT = 64;
    uint256 private constant COUNT_SHIFT = 80;
    uint256 private constant LAST_SHIFT = 60; // rank 15

    /// @notice Inserts a line behind all with the same or a higher credit.
    /// @dev Reverts with `SortedForm_Full` if the form is full, unless the credit is strictly higher than the last
    /// line's, which then loses its slot to the new one.
    /// @return slot Where the line stands.
    /// @return replaced Whether the slot was the last line's of a full form.
    function insert(Form storage form, uint16 credit) internal returns (uint8 slot, bool replaced) {
        uint256 packed = form.packed;
        uint256 count = packed >> COUNT_SHIFT;
        uint256 rank = _rankFor(form, packed, count, credit);
        replaced = count == CAPACITY;
        if (replaced) {
            slot = _slotAt(packed, CAPACITY - 1);
            if (rank == CAPACITY) revert SortedForm_Full(_creditAt(form, slot));
            packed ^= uint256(slot) << LAST_SHIFT;
        } else {
            slot = _freeSlot(packed >> OCCUPIED_SHIFT);
            packed += (1 << COUNT_SHIFT) | (1 << (OCCUPIED_SHIFT + slot));
        }
        form.packed = _withInserted(packed, rank, slot);
        uint256 shift = uint256(slot) * 16;
        form.credits = (form.credits & ~(uint256(0xffff) << shift)) | (uint256(credit) << shift);
    }

    /// @notice Removes the line of a slot; the others keep their order. Reverts with `SortedForm_NoSuchSlot` if none
    /// stands there.
    function remove(Form storage form, uint8 slot) internal {
        uint256 packed = form.packed;
        if (!_isOccupied(packed, slot)) revert SortedForm_NoSuchSlot(slot);
        uint256 rank = 0;
        while (_slotAt(packed, rank) != slot) ++rank;

        uint256 order = packed & ORDER_MASK;
        uint256 better = order & ((1 << (4 * rank)) - 1);
        uint256 worse = (order >> (4 * rank + 4)) << (4 * rank);
        uint256 rest = (packed ^ order) - ((1 << COUNT_SHIFT) | (1 << (OCCUPIED_SHIFT + slot)));
        form.packed = rest | better | worse;
    }

    /// @notice Returns the slots of all lines, highest credit first, ties earlier first.
    function ranked(Form storage form) internal view returns (uint8[] memory slots) {
        uint256 packed = form.packed;
        slots = new uint8[](packed >> COUNT_SHIFT);
        for (uint256 rank = 0; rank < slots.length; ++rank) {
            slots[rank] = _slotAt(packed, rank);
        }
    }

    /// @notice Tells whether `insert` has room for a credit: a free slot, or a last line with less.
    function accepts(Form storage form, uint16 credit) internal view returns (bool) {
        uint256 packed = form.packed;
        return packed >> COUNT_SHIFT < CAPACITY || _creditAt(form, _slotAt(packed, CAPACITY - 1)) < credit;
    }

    /// @notice Tells whether a line stands in the slot.
    function holds(Form storage form, uint8 slot) internal view returns (bool) {
        return _isOccupied(form.packed, slot);
    }

    /// @notice Returns the credit of the line in a slot. Reverts with `SortedForm_NoSuchSlot` if none stands there.
    function creditOf(Form storage form, uint8 slot) internal view returns (uint16) {
        if (!_isOccupied(form.packed, slot)) revert SortedForm_NoSuchSlot(slot);
        return _creditAt(form, slot);
    }

    /// @dev Returns the first rank whose line has less credit, by bisection: at most five reads of one word.
    function _rankFor(Form storage form, uint256 packed, uint256 count, uint16 credit)
        private
        view
        returns (uint256 low)
    {
        uint256 high = count;
        while (low < high) {
            uint256 middle = (low + high) >> 1;
            if (_creditAt(form, _slotAt(packed, middle)) >= credit) low = middle + 1;
            else high = middle;
        }
    }

    /// @dev Puts a slot at a rank; the ranks from there on move down by one. Rank 15 must be empty.
    function _withInserted(uint256 packed, uint256 rank, uint8 slot) private pure returns (uint256) {
        uint256 order = packed & ORDER_MASK;
        uint256 better = order & ((1 << (4 * rank)) - 1);
        uint256 worse = (order ^ better) << 4;
        return (packed ^ order) | better | (uint256(slot) << (4 * rank)) | worse;
    }

    function _slotAt(uint256 packed, uint256 rank) private pure returns (uint8) {
        return uint8((packed >> (4 * rank)) & 15);
    }

    function _creditAt(Form storage form, uint8 slot) private view returns (uint16) {
        return uint16(form.credits >> (uint256(slot) * 16));
    }

    function _isOccupied(uint256 packed, uint8 slot) private pure returns (bool) {
        return slot < CAPACITY && (packed >> (OCCUPIED_SHIFT + slot)) & 1 == 1;
    }

    /// @dev Returns the lowest slot that is free; one is.
    function _freeSlot(uint256 occupied) private pure returns (uint8 slot) {
        while ((occupied >> slot) & 1 == 1) ++slot;
    }
}
