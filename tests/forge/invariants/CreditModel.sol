// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Locks} from "../base/Locks.sol";

/// @title CreditModel
/// @notice What credit should be by docs/credit.md, kept beside {CreditBook}: Model.sol moves it where a lock ends, and nothing else does. So
/// a point that moves at any other moment, or by another sum, is a difference.
abstract contract CreditModel is Locks {
    uint256 private constant EPOCH_S = 30 days;

    struct Standing {
        uint256 points; // as of `epoch`
        uint256 gained; // in `epoch`
        uint256 epoch;
    }

    mapping(address node => Standing) private standings;
    mapping(address node => mapping(address payer => mapping(uint256 epoch => uint256))) private gains;
    // What the settled locks of a node have paid to the consortium.
    mapping(address node => uint256 wei_) internal feesOf;
    // How often the caps of the rule held a gain down, and an epoch took its eighth.
    mapping(bytes32 rule => uint256 count) internal bound;

    function creditSucceeds(address node, address payer, uint256 feeWei) internal {
        Standing memory s = standingNow(node);
        uint256 gain = feeWei / POINT_WEI;
        if (gain > 10) gain = 10;
        uint256 ofPair = gains[node][payer][s.epoch];
        if (gain > 30 - ofPair) (gain, bound["pair"]) = (30 - ofPair, bound["pair"] + 1);
        if (gain > 1_000 - s.gained) gain = 1_000 - s.gained;
        gains[node][payer][s.epoch] += gain;
        feesOf[node] += feeWei;
        standings[node] = Standing(s.points + gain, s.gained + gain, s.epoch);
    }

    function creditFails(address node) internal {
        Standing memory s = standingNow(node);
        s.points = s.points < 30 ? 0 : s.points - 30;
        standings[node] = s;
    }

    /// @dev A standing as of now: seven eighths an epoch, rounded down once.
    function standingNow(address node) internal view returns (Standing memory s) {
        s = standings[node];
        uint256 epoch = block.timestamp / EPOCH_S;
        uint256 passed = epoch - s.epoch;
        if (passed == 0) return s;
        // 8,000 points are less than one after 68 epochs.
        s.points = passed > 68 ? 0 : s.points * 7 ** passed / 8 ** passed;
        (s.gained, s.epoch) = (0, epoch);
    }

    function gainedNow(address node, address payer) internal view returns (uint256) {
        return gains[node][payer][block.timestamp / EPOCH_S];
    }
}
