// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {ICreditBook} from "../interfaces/ICreditBook.sol";
import {Wiring} from "./libraries/Wiring.sol";

/// @title CreditBook
/// @notice The credit of processing nodes: see {ICreditBook} for the rule, docs/credit.md for its proof.
///
///     credit:  0 ──recordSuccess──▶ + min(fee / pointWei, caps)   ──recordFailure──▶ − LOSS (to 0)   ──epoch──▶ · 7/8
///
/// Who can stop what: nobody can set, give or take credit; PrepaidLock moves it when a lock ends, once a lock.
/// Assumes: a lock ends once, and `feeWei` is what the consortium got of its price for ever (PrepaidLock). The
/// consortium pays no fee back to whom it came from, for it would sell credit below its price.
contract CreditBook is ICreditBook {
    /// @inheritdoc ICreditBook
    uint32 public constant MAX_GAIN = 10;
    /// @inheritdoc ICreditBook
    uint32 public constant PAIR_CAP = 30;
    /// @inheritdoc ICreditBook
    uint32 public constant ACCOUNT_CAP = 1_000;
    /// @inheritdoc ICreditBook
    uint32 public constant LOSS = 30;
    /// @inheritdoc ICreditBook
    uint32 public constant MAXIMUM = 8 * ACCOUNT_CAP;
    /// @inheritdoc ICreditBook
    uint256 public constant EPOCH_SECONDS = 30 days;

    /// @dev From here on (7/8)^k leaves nothing of {MAXIMUM}, rounded down; before, MAXIMUM · 7^k fits 256 bits.
    uint256 private constant FORGOTTEN_EPOCHS = 68;

    struct Standing {
        uint32 credit; // as of the end of the epoch before `epoch`, and what has moved in it
        uint32 gained; // in `epoch`
        uint32 epoch;
    }

    struct Gain {
        uint32 points;
        uint32 epoch;
    }

    /// @notice The only account that moves credit.
    address public immutable prepaidLock;
    /// @inheritdoc ICreditBook
    uint256 public immutable pointWei;

    mapping(address account => Standing) private _standings;
    mapping(address account => mapping(address payer => Gain)) private _gains;

    modifier onlyLock() {
        if (msg.sender != prepaidLock) revert CreditBook_NotLock(msg.sender);
        _;
    }

    /// @param prepaidLock_ Deployed after this contract, at an address known beforehand: it has no code yet.
    /// @param pointWei_ The fee behind one point, for ever: were it lowered later, old credit would have cost more than
    /// it is worth.
    constructor(address prepaidLock_, uint256 pointWei_) {
        prepaidLock = Wiring.requireAddress(prepaidLock_);
        if (pointWei_ == 0) revert CreditBook_BadPoint();
        pointWei = pointWei_;
    }

    /// @inheritdoc ICreditBook
    function recordSuccess(address account, address payer, uint256 feeWei, bytes32 lockId) external onlyLock {
        Standing memory standing = _standingOf(account);
        uint32 fromPayer = gainedFrom(account, payer);
        uint256 gain = Math.min(feeWei / pointWei, MAX_GAIN);
        gain = Math.min(gain, Math.min(PAIR_CAP - fromPayer, ACCOUNT_CAP - standing.gained));
        uint32 previous = standing.credit;
        standing.credit += uint32(gain);
        standing.gained += uint32(gain);
        _standings[account] = standing;
        if (gain > 0) _gains[account][payer] = Gain(fromPayer + uint32(gain), standing.epoch);

        emit CreditChanged(account, lockId, previous, standing.credit);
    }

    /// @inheritdoc ICreditBook
    function recordFailure(address account, bytes32 lockId) external onlyLock {
        Standing memory standing = _standingOf(account);
        uint32 previous = standing.credit;
        standing.credit = previous < LOSS ? 0 : previous - LOSS;
        _standings[account] = standing;

        emit CreditChanged(account, lockId, previous, standing.credit);
    }

    /// @inheritdoc ICreditBook
    function creditOf(address account) external view returns (uint32) {
        return _standingOf(account).credit;
    }

    /// @inheritdoc ICreditBook
    function gainedOf(address account) external view returns (uint32) {
        return _standingOf(account).gained;
    }

    /// @inheritdoc ICreditBook
    function gainedFrom(address account, address payer) public view returns (uint32) {
        Gain storage gain = _gains[account][payer];
        return gain.epoch == _epoch() ? gain.points : 0;
    }

    /// @dev The standing as of now: decayed over the epochs since it was written.
    function _standingOf(address account) private view returns (Standing memory standing) {
        standing = _standings[account];
        uint256 passed = _epoch() - standing.epoch;
        if (passed == 0) return standing;
        standing.credit = _decayed(standing.credit, passed);
        standing.gained = 0;
        standing.epoch = _epoch();
    }

    /// @dev floor(credit · (7/8)^epochs).
    function _decayed(uint256 credit, uint256 epochs) private pure returns (uint32) {
        if (epochs >= FORGOTTEN_EPOCHS) return 0;
        return uint32((credit * 7 ** epochs) >> (3 * epochs));
    }

    function _epoch() private view returns (uint32) {
        return uint32(block.timestamp / EPOCH_SECONDS);
    }
}
