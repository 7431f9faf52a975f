// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @notice A proposal as stored. Its subject is derived from its call, which is given again with each execution.
/// @param callHash keccak256(abi.encode(target, valueWei, data)).
/// @param proposedAt When it was made.
/// @param firstAgreedAt When k members approved it for the first time, 0 before: it lapses from then.
/// @param agreedAt Since when k members have approved it without a break, 0 while they do not: its delay counts from
/// then.
/// @param isExecuted Whether it was carried out.
/// @param isCancelled Whether k members have cancelled it.
struct Proposal {
    bytes32 callHash;
    uint40 proposedAt;
    uint40 firstAgreedAt;
    uint40 agreedAt;
    bool isExecuted;
    bool isCancelled;
}

/// @title IConsortium
/// @notice The consortium: n accounts that decide by k equal votes, 2k > n, so that no account is a centre and two
/// quorums always share a member. Every governed contract obeys calls that come from this address and no others. It
/// also receives the fees ({IPrepaidLock.settle}) and spends them by decisions alike. What hurts waits: a decision is
/// carried out a delay after k members agreed, so that whoever is bound by it sees it come. Admissions to its registry
/// and the emergency stop alone are at once, and so is, during the founding, everything but payments.
///
/// A decision is carried out at most once, by a member, never after a later one about the same subject, and never more
/// than a week after it could be. Nobody waits for an earlier proposal: numbers order what is carried out, and nothing
/// else.
///
///     proposal:  None ──propose──▶ open ──k-th approve──▶ agreed ──execute (now ≥ agreedAt + delay)──▶ executed
///                                   ▲                      │ withdrawApproval below k, or fewer members approve
///                                   └──────────────────────┘
///                open ──LIFE──▶ lapsed      agreed ──delay, LAPSE──▶ lapsed
///                open, agreed ──k-th cancel──▶ cancelled
///                open, agreed ──a later one of its subject is executed──▶ superseded
interface IConsortium {
    event MemberAdded(address indexed account, uint256 threshold);
    event MemberRemoved(address indexed account, uint256 threshold);
    event ThresholdChanged(uint256 threshold);
    /// @notice Emitted when a call was proposed; whoever carries it out gives the whole call again.
    event Proposed(
        uint256 indexed proposalId, address indexed by, address indexed target, uint256 valueWei, bytes data
    );
    event Approved(uint256 indexed proposalId, address indexed by);
    event ApprovalWithdrawn(uint256 indexed proposalId, address indexed by);
    /// @notice Emitted when k members agree: its delay counts from now.
    event Agreed(uint256 indexed proposalId);
    /// @notice Emitted when a member voted to cancel a proposal.
    event CancelVoted(uint256 indexed proposalId, address indexed by);
    /// @notice Emitted when the k-th member voted to cancel it.
    event Cancelled(uint256 indexed proposalId);
    /// @notice Emitted when a proposal was carried out: one of the same subject and a lower number can never be any
    /// more.
    event Executed(
        uint256 indexed proposalId, address indexed target, bytes4 indexed selector, bytes32 subject, address by
    );
    event Received(address indexed from, uint256 amountWei);

    /// @notice The caller is no member of the consortium.
    error Consortium_NotMember(address caller);
    /// @notice Members and threshold change by a decision of the consortium alone.
    error Consortium_NotConsortium(address caller);
    /// @notice There are too many members, or 2k > n ≥ k does not hold.
    error Consortium_BadMembers(uint256 members, uint256 threshold);
    /// @notice The account is zero, the consortium itself, or a member already; or, to be removed, none.
    error Consortium_BadMember(address account);
    error Consortium_BadDelay(uint256 delaySeconds);
    error Consortium_BadFounding(uint256 foundingEndsAt);
    error Consortium_NoProposal(uint256 proposalId);
    error Consortium_AlreadyExecuted(uint256 proposalId);
    error Consortium_AlreadyCancelled(uint256 proposalId);
    error Consortium_AlreadyApproved(uint256 proposalId, address account);
    error Consortium_NotApproved(uint256 proposalId, address account);
    /// @notice The caller has voted to cancel it already.
    error Consortium_AlreadyVoted(uint256 proposalId, address account);
    /// @notice Fewer than k present members approve.
    error Consortium_NotAgreed(uint256 proposalId, uint256 approvals, uint256 threshold);
    error Consortium_TooEarly(uint256 proposalId, uint256 readyAt, uint256 nowAt);
    error Consortium_Lapsed(uint256 proposalId, uint256 lapsedAt, uint256 nowAt);
    /// @notice A later proposal about the same subject was carried out.
    error Consortium_Superseded(uint256 proposalId, uint256 floor);
    /// @notice The call is not the one that was proposed.
    error Consortium_OtherCall(uint256 proposalId);
    /// @notice The target has no code, so that a call would silently do nothing.
    error Consortium_NoContract(address target);

    /// @notice Proposes a call and approves it.
    /// @dev Emits {Proposed}, {Approved}, and {Agreed} if one member decides. Requirements:
    /// - the caller is a member;
    /// - the target has code, unless the call is a bare payment.
    /// @return proposalId Counted from 1.
    function propose(address target, uint256 valueWei, bytes calldata data) external returns (uint256 proposalId);

    /// @notice Approves a proposal by its number and its call: a number alone may stand for another call after a
    /// reorganisation.
    /// @dev Emits {Approved}, and {Agreed} at the k-th approval. Requirements:
    /// - the caller is a member that does not approve it;
    /// - the proposal is not executed, not cancelled, not lapsed;
    /// - `callHash` is the proposal's.
    function approve(uint256 proposalId, bytes32 callHash) external;

    /// @notice Takes an approval back.
    /// @dev Emits {ApprovalWithdrawn}. Requirements:
    /// - the caller approves the proposal;
    /// - the proposal is not executed, not cancelled, not lapsed.
    function withdrawApproval(uint256 proposalId) external;

    /// @notice Votes to cancel a proposal; the k-th vote cancels it at once and for ever.
    /// @dev Emits {CancelVoted}, and {Cancelled} at the k-th vote. Requirements:
    /// - the caller is a member that has not voted to cancel it;
    /// - the proposal is not executed, not cancelled, not lapsed;
    /// - `callHash` is the proposal's.
    function cancel(uint256 proposalId, bytes32 callHash) external;

    /// @notice Carries out what was decided. A revert of the target is passed on, up to 1,024 bytes of it, and the
    /// execution may be tried again.
    /// @dev Emits {Executed}. Requirements:
    /// - the caller is a member;
    /// - the call is the proposal's;
    /// - the proposal is not executed, not cancelled;
    /// - less than {LAPSE_SECONDS} have passed since it could be carried out for the first time;
    /// - no later proposal of its subject was carried out ({floorFor});
    /// - k of the present members approve;
    /// - the delay has passed since they agreed.
    /// @return result What the target returned, up to 1,024 bytes of it.
    function execute(uint256 proposalId, address target, uint256 valueWei, bytes calldata data)
        external
        returns (bytes memory result);

    /// @notice Adds a member and sets k.
    /// @dev Emits {MemberAdded} and {ThresholdChanged}. Requirements:
    /// - the caller is this contract, by a decision;
    /// - the account is not a member, not zero and not this contract;
    /// - with it 2k > n ≥ k holds, and there are at most 32 members.
    function addMember(address account, uint256 newThreshold) external;

    /// @notice Removes a member and sets k.
    /// @dev Emits {MemberRemoved} and {ThresholdChanged}. Requirements:
    /// - the caller is this contract, by a decision;
    /// - the account is a member;
    /// - without it 2k > n ≥ k holds.
    function removeMember(address account, uint256 newThreshold) external;

    /// @notice Sets k.
    /// @dev Emits {ThresholdChanged}. Requirements:
    /// - the caller is this contract, by a decision;
    /// - 2k > n ≥ k holds.
    function setThreshold(uint256 newThreshold) external;

    /// @notice The members, in no order.
    function members() external view returns (address[] memory);

    /// @notice k.
    function threshold() external view returns (uint256);

    /// @notice Since when an account is a member without a break, 0 if it is none.
    function memberSince(address account) external view returns (uint256);

    /// @notice Whether an account was a member at the end of a second of the past, whatever has happened since.
    function wasMember(address account, uint256 at) external view returns (bool);

    /// @notice How long what hurts waits once k members agree.
    function delaySeconds() external view returns (uint256);

    /// @notice How long after the agreement a call waits, if it is carried out now or later: 0 for an admission to the
    /// registry and for its emergency stop, and during the founding for all but payments.
    function delayFor(address target, uint256 valueWei, bytes calldata data) external view returns (uint256);

    /// @notice Until when decisions have no delay: the founding, in which terms are set and the first members admitted.
    function foundingEndsAt() external view returns (uint256);

    /// @notice What a proposal is about. Of two proposals of one subject, the earlier can never be carried out after
    /// the later:
    /// - all changes of the members and of k are one subject;
    /// - the emergency stop and its rearming are one;
    /// - admission and revocation of one account are one;
    /// - the names of one account are one ({floorFor});
    /// - each request type is one;
    /// - each payment is its own;
    /// - else it is the target and the function.
    function subjectOf(uint256 proposalId, address target, uint256 valueWei, bytes calldata data)
        external
        view
        returns (bytes32);

    /// @notice The highest number that was carried out of a subject.
    function floorOf(bytes32 subject) external view returns (uint256);

    /// @notice The number below which a proposal of this call can never be carried out: the floor of its subject. For a
    /// new name it is also the floor of the account's admission and revocation: a later admission has named the account
    /// already. A new name supersedes no revocation.
    function floorFor(uint256 proposalId, address target, uint256 valueWei, bytes calldata data)
        external
        view
        returns (uint256);

    /// @notice A proposal (all zero if there is none).
    function proposalOf(uint256 proposalId) external view returns (Proposal memory);

    /// @notice How many of the present members approve.
    function approvalsOf(uint256 proposalId) external view returns (uint256);

    /// @notice Whether an account approves a proposal now.
    function hasApproved(uint256 proposalId, address account) external view returns (bool);

    /// @notice How many of the present members have voted to cancel.
    function cancelVotesOf(uint256 proposalId) external view returns (uint256);

    /// @notice The number of proposals so far, which is the last one's id.
    function proposalCount() external view returns (uint256);
}
