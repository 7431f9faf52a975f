// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {G1Point} from "../contracts/types/Points.sol";

/// @notice A dispute before the judges.
/// @param openedAt When it was opened: whoever was a member of the consortium then judges it, whatever happens to its
/// membership later.
/// @param decideBy The judges vote iff now < decideBy.
/// @param needed k at the opening: so many equal votes decide.
/// @param votesForPayer,votesForPayee The votes so far.
/// @param isDecided Whether one side has reached `needed`.
struct Case {
    uint40 openedAt;
    uint40 decideBy;
    uint8 needed;
    uint8 votesForPayer;
    uint8 votesForPayee;
    bool isDecided;
}

/// @title IDisputeCourt
/// @notice The consortium's members judge disputes (protocol §3): each votes once, for one of the two parties; k equal
/// votes are the verdict, which {IPrepaidLock.decide} carries out at once. The court holds no money and can give none
/// to anybody else. Whatever is undecided at `decideBy` is refunded by {IPrepaidLock.refund}.
interface IDisputeCourt {
    /// @notice Emitted when a case was opened: so many equal votes decide it, before `decideBy`.
    event CaseOpened(bytes32 indexed lockId, uint8 needed, uint40 decideBy);
    /// @notice Emitted when a judge voted.
    event Voted(bytes32 indexed lockId, address indexed judge, bool forPayer);
    /// @notice Emitted when one side has reached as many votes as are needed.
    event CaseDecided(bytes32 indexed lockId, bool forPayer);
    /// @notice Emitted when somebody else than the disputer added evidence: the payee its reply, the payer or a member
    /// of the group its own.
    event EvidenceAdded(bytes32 indexed lockId, address indexed by, bytes32 evidenceDigest, uint32 evidenceLength);

    /// @notice The caller is not PrepaidLock.
    error DisputeCourt_NotLock(address caller);
    /// @notice The caller was no member of the consortium before the second in which the case was opened.
    error DisputeCourt_NotJudge(bytes32 lockId, address caller);
    /// @notice The lock has no case.
    error DisputeCourt_NoCase(bytes32 lockId);
    /// @notice The judge has voted already.
    error DisputeCourt_AlreadyVoted(bytes32 lockId, address judge);
    /// @notice The case is decided already.
    error DisputeCourt_AlreadyDecided(bytes32 lockId);
    /// @notice The caller is neither of the parties, nor in the lock's group.
    error DisputeCourt_NotParty(bytes32 lockId, address caller);
    /// @notice The account has added evidence already.
    error DisputeCourt_AlreadyAdded(bytes32 lockId, address by);
    /// @notice The digest is zero, or the length is zero or too large.
    error DisputeCourt_BadEvidence(bytes32 evidenceDigest, uint32 evidenceLength);
    /// @notice The time to judge the case is over.
    error DisputeCourt_TooLate(bytes32 lockId, uint256 decideBy, uint256 nowAt);

    /// @notice Opens a case, at most one a lock.
    /// @dev Emits {CaseOpened}. Requirements:
    /// - the caller is PrepaidLock, which opens no second one.
    function open(bytes32 lockId, uint40 decideBy) external;

    /// @notice Votes for the payer or for the payee. The k-th equal vote decides and ends the lock.
    /// @dev Emits {Voted}, and {CaseDecided} with the k-th equal vote. Requirements:
    /// - the case is open, and now < decideBy;
    /// - the caller was a member of the consortium in the second before the case was opened, whatever happened to its
    /// membership since;
    /// - the caller has not voted.
    function vote(bytes32 lockId, bool forPayer) external;

    /// @notice Adds evidence to a case, once an account, so that no dispute is lost by a false friend's worthless
    /// evidence. The evidence is an event alone: judges look at what the lock's payer, its payee and the members of its
    /// group bring.
    /// @dev Emits {EvidenceAdded}. Requirements:
    /// - the case is open, and now < decideBy;
    /// - the caller is the lock's payer or payee;
    /// - the digest is not zero, and 0 < length ≤ 32 KiB;
    /// - the caller has not added any.
    function addEvidence(bytes32 lockId, bytes32 evidenceDigest, uint32 evidenceLength) external;

    /// @notice Adds evidence as a member of a sharing lock's group, which is named by the snapshot that delivery used.
    /// @dev Emits {EvidenceAdded}. Requirements:
    /// - the case is open, and now < decideBy;
    /// - `accounts` and `deliveryKeys` are the lock's group, and the caller is among them;
    /// - the digest is not zero, and 0 < length ≤ 32 KiB;
    /// - the caller has not added any.
    function addEvidenceAsMember(
        bytes32 lockId,
        address[] calldata accounts,
        G1Point[] calldata deliveryKeys,
        bytes32 evidenceDigest,
        uint32 evidenceLength
    ) external;

    /// @notice The case (all zero if none).
    function caseOf(bytes32 lockId) external view returns (Case memory);

    /// @notice Whether a judge has voted.
    function hasVoted(bytes32 lockId, address judge) external view returns (bool);
}
