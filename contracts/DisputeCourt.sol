// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IConsortium} from "../interfaces/IConsortium.sol";
import {Case, IDisputeCourt} from "../interfaces/IDisputeCourt.sol";
import {IPrepaidLock, Lock} from "../interfaces/IPrepaidLock.sol";
import {SealedBytes} from "./libraries/SealedBytes.sol";
import {Wiring} from "./libraries/Wiring.sol";
import {G1Point} from "./types/Points.sol";

/// @title DisputeCourt
/// @notice See {IDisputeCourt}.
///
///     case:  None ──open──▶ open ──k-th equal vote (now < decideBy)──▶ decided, and the lock with it
///                            └──now ≥ decideBy──▶ undecided: {IPrepaidLock.refund}
///
/// Who can stop what: the judges can leave a case undecided, which refunds it. Nobody can vote for anything but one of
/// the two parties, and no decision of the consortium reaches a case: it only changes who judges the next one. A judge
/// that is removed or revoked keeps its vote in the cases that were open before.
/// Assumes: fewer than k judges are false.
contract DisputeCourt is IDisputeCourt {
    /// @notice Longest sealed evidence, in bytes.
    uint256 public constant MAX_SEALED_BYTES = SealedBytes.MAX_BYTES;

    IConsortium public immutable consortium;
    IPrepaidLock public immutable prepaidLock;

    mapping(bytes32 lockId => Case) private _cases;

    /// @inheritdoc IDisputeCourt
    mapping(bytes32 lockId => mapping(address judge => bool)) public hasVoted;
    mapping(bytes32 lockId => mapping(address account => bool)) private _hasAdded;

    /// @param prepaidLock_ May be a prediction: it is not called here.
    constructor(IConsortium consortium_, IPrepaidLock prepaidLock_) {
        consortium = IConsortium(Wiring.requireContract(address(consortium_)));
        prepaidLock = IPrepaidLock(Wiring.requireAddress(address(prepaidLock_)));
    }

    /// @inheritdoc IDisputeCourt
    function open(bytes32 lockId, uint40 decideBy) external {
        // check
        if (msg.sender != address(prepaidLock)) revert DisputeCourt_NotLock(msg.sender);

        // effect
        uint8 needed = uint8(consortium.threshold()); // of at most 32 members
        _cases[lockId] = Case(uint40(block.timestamp), decideBy, needed, 0, 0, false);

        // log
        emit CaseOpened(lockId, needed, decideBy);
    }

    /// @inheritdoc IDisputeCourt
    function vote(bytes32 lockId, bool forPayer) external {
        // check
        Case memory case_ = _cases[lockId];
        _checkOpen(lockId, case_);
        _checkJudge(lockId, case_);

        // effect
        hasVoted[lockId][msg.sender] = true;
        uint8 votes = forPayer ? ++case_.votesForPayer : ++case_.votesForPayee;
        case_.isDecided = votes == case_.needed;
        _cases[lockId] = case_;

        // log
        emit Voted(lockId, msg.sender, forPayer);
        if (case_.isDecided) emit CaseDecided(lockId, forPayer);

        // interaction
        if (case_.isDecided) prepaidLock.decide(lockId, forPayer);
    }

    /// @inheritdoc IDisputeCourt
    function caseOf(bytes32 lockId) external view returns (Case memory) {
        return _cases[lockId];
    }

    /// @inheritdoc IDisputeCourt
    function addEvidence(bytes32 lockId, bytes32 evidenceDigest, uint32 evidenceLength) external {
        Lock memory lock = prepaidLock.lockOf(lockId);
        bool isParty = msg.sender == lock.payer || msg.sender == lock.payee;
        if (!isParty) revert DisputeCourt_NotParty(lockId, msg.sender);

        _addEvidence(lockId, evidenceDigest, evidenceLength);
    }

    /// @inheritdoc IDisputeCourt
    function addEvidenceAsMember(
        bytes32 lockId,
        address[] calldata accounts,
        G1Point[] calldata deliveryKeys,
        bytes32 evidenceDigest,
        uint32 evidenceLength
    ) external {
        bool isGroup = keccak256(abi.encode(accounts, deliveryKeys)) == prepaidLock.lockOf(lockId).binding;
        bool isMember;
        for (uint256 i = 0; i < accounts.length; ++i) {
            if (accounts[i] == msg.sender) isMember = true;
        }
        if (!isGroup || !isMember) revert DisputeCourt_NotParty(lockId, msg.sender);

        _addEvidence(lockId, evidenceDigest, evidenceLength);
    }

    function _addEvidence(bytes32 lockId, bytes32 evidenceDigest, uint32 evidenceLength) private {
        // check
        _checkOpen(lockId, _cases[lockId]);
        if (!SealedBytes.isFit(evidenceDigest, evidenceLength)) {
            revert DisputeCourt_BadEvidence(evidenceDigest, evidenceLength);
        }
        if (_hasAdded[lockId][msg.sender]) revert DisputeCourt_AlreadyAdded(lockId, msg.sender);

        // effect
        _hasAdded[lockId][msg.sender] = true;

        // log
        emit EvidenceAdded(lockId, msg.sender, evidenceDigest, evidenceLength);
    }

    function _checkOpen(bytes32 lockId, Case memory case_) private view {
        if (case_.needed == 0) revert DisputeCourt_NoCase(lockId);
        if (case_.isDecided) revert DisputeCourt_AlreadyDecided(lockId);
        if (block.timestamp >= case_.decideBy) revert DisputeCourt_TooLate(lockId, case_.decideBy, block.timestamp);
    }

    function _checkJudge(bytes32 lockId, Case memory case_) private view {
        // By the second before: who joins in the same second is no judge, and who is removed in it keeps its vote.
        if (!consortium.wasMember(msg.sender, case_.openedAt - 1)) {
            revert DisputeCourt_NotJudge(lockId, msg.sender);
        }
        if (hasVoted[lockId][msg.sender]) revert DisputeCourt_AlreadyVoted(lockId, msg.sender);
    }
}
