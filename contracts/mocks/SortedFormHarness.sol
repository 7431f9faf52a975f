// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {SortedForm} from "../libraries/SortedForm.sol";

/// @title SortedFormHarness
/// @notice Exposes the sorted form to the tests, one form an id.
contract SortedFormHarness {
    using SortedForm for SortedForm.Form;

    mapping(uint256 formId => SortedForm.Form) private _forms;

    event Inserted(uint256 indexed formId, uint8 slot, bool replaced);

    function insert(uint256 formId, uint16 credit) external {
        (uint8 slot, bool replaced) = _forms[formId].insert(credit);
        emit Inserted(formId, slot, replaced);
    }

    function insertMany(uint256 formId, uint16[] calldata credits) external {
        for (uint256 i = 0; i < credits.length; ++i) {
            _forms[formId].insert(credits[i]);
        }
    }

    function remove(uint256 formId, uint8 slot) external {
        _forms[formId].remove(slot);
    }

    function ranked(uint256 formId) external view returns (uint8[] memory) {
        return _forms[formId].ranked();
    }

    function accepts(uint256 formId, uint16 credit) external view returns (bool) {
        return _forms[formId].accepts(credit);
    }

    function holds(uint256 formId, uint8 slot) external view returns (bool) {
        return _forms[formId].holds(slot);
    }

    function creditOf(uint256 formId, uint8 slot) external view returns (uint16) {
        return _forms[formId].creditOf(slot);
    }
}
