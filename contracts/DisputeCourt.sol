// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IConsortium} from "../interfaces/IConsortium.sol";
import {Case, IDisputeCourt} from "../interfaces/IDisputeCourt.sol";
import {IPrepaidLock, Lock} from "../interfaces/IPrepaidLock.sol";
import {G1Point} from "./libraries/BN254.sol";
import {Wiring} from "./libraries/Wiring.sol";

/// @title DisputeCourt
/// @notice See {IDisputeCourt}.
///
///     case:  None ──open──▶ open ──k-th equal vote (now < decideBy)──▶ decided, and the lock with it
///                            └──now ≥ decideBy──▶ undecided: {IPrepaidLock.refund}
///
/// Who can stop what: the judges can leave a case undecided, which refunds it. Nobody can vote for anything but one of the two parties, and
/// no decision of the consortium reaches a case: it only changes who judges the next one. A judge that is removed or revoked keeps its vote in the cases that
/// were open before.
/// Assumes: fewer than k judges are false.
contract DisputeCourt is IDisputeCourt {
    /// @notice Longest sealed evidence, in bytes.
    uint256 public constant MAX_SEALED_BYTES = 32 * 1024;

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
        if (msg.sender != address(prepaidLock)) revert DisputeCourt_NotLock(msg.sender);
        uint8 needed = uint8(consortium.threshold()); // of at most 32 members
        _cases[lockId] = Case(uint40(block.timestamp), decideBy, needed, 0, 0, false);

        emit CaseOpened(lockId, needed, decideBy);
    }

    /// @inheritdoc IDisputeCourt
    function vote(bytes32 lockId, bool forPayer) external {
        Case memory it = _cases[lockId];
        _checkOpen(lockId, it);
        _checkJudge(lockId, it);

        hasVoted[lockId][msg.sender] = true;
        uint8 votes = forPayer ? ++it.votesForPayer : ++it.votesForPayee;
        it.isDecided = votes == it.needed;
        _cases[lockId] = it;

        emit Voted(lockId, msg.sender, forPayer);

        if (!it.isDecided) return;

        emit CaseDecided(lockId, forPayer);

        prepaidLock.decide(lockId, forPayer);
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
        _checkOpen(lockId, _cases[lockId]);
        if (evidenceDigest == 0 || evidenceLength == 0 || evidenceLength > MAX_SEALED_BYTES) {
            revert DisputeCourt_BadEvidence(evidenceDigest, evidenceLength);
        }
        if (_hasAdded[lockId][msg.sender]) revert DisputeCourt_AlreadyAdded(lockId, msg.sender);

        _hasAdded[lockId][msg.sender] = true;

        emit EvidenceAdded(lockId, msg.sender, evidenceDigest, evidenceLength);
    }

    function _checkOpen(bytes32 lockId, Case memory it) private view {
        if (it.needed == 0) revert DisputeCourt_NoCase(lockId);
        if (it.isDecided) revert DisputeCourt_AlreadyDecided(lockId);
        if (block.timestamp >= it.decideBy) revert DisputeCourt_TooLate(lockId, it.decideBy, block.timestamp);
    }

    function _checkJudge(bytes32 lockId, Case memory it) private view {
        // By the second before: neither who joins in the same second judges, nor loses its vote who is removed in it.
        if (!consortium.wasMember(msg.sender, it.openedAt - 1)) {
            revert DisputeCourt_NotJudge(lockId, msg.sender);
        }
        if (hasVoted[lockId][msg.sender]) revert DisputeCourt_AlreadyVoted(lockId, msg.sender);
    }
}
