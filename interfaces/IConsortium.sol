// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

/// @notice A proposal as stored. It lapses LIFE_SECONDS after it was made, or, once agreed, after its delay.
/// @param callHash keccak256(abi.encode(target, valueWei, data)).
/// @param proposedAt When it was made.
/// @param agreedAt When k members had approved it, 0 while they have not: its delay counts from then.
/// @param isExecuted Whether it was carried out.
struct Proposal {
    bytes32 callHash;
    uint40 proposedAt;
    uint40 agreedAt;
    bool isExecuted;
}

/// @title IConsortium
/// @notice The consortium: n accounts that decide by k equal votes, 2k > n, so that no account is a centre and no two quorums are apart. Every
/// governed contract obeys calls that come from this address and no other. It also receives the fees ({IPrepaidLock.settle}) and spends
/// them by decisions alike. What hurts waits: a decision is carried out a delay after k members agreed, so that whoever is bound by it sees it come; only
/// admissions and the emergency stop are at once, and everything is during the founding.
///
///     proposal:  None ──propose──▶ open ──k-th approve──▶ agreed ──execute (now ≥ agreedAt + delay)──▶ executed
///                                   ▲                      │ withdrawApproval below k
///                                   └──────────────────────┘            open ──LIFE──▶ lapsed      agreed ──delay, LIFE──▶ lapsed
interface IConsortium {
    event MemberAdded(address indexed account, uint256 threshold);
    event MemberRemoved(address indexed account, uint256 threshold);
    event ThresholdChanged(uint256 threshold);
    /// @notice Emitted with the whole call, which execution is given again.
    event Proposed(
        uint256 indexed proposalId, address indexed by, address indexed target, uint256 valueWei, bytes data
    );
    event Approved(uint256 indexed proposalId, address indexed by);
    event ApprovalWithdrawn(uint256 indexed proposalId, address indexed by);
    /// @notice Emitted when k members agree: its delay counts from now.
    event Agreed(uint256 indexed proposalId);
    event Executed(uint256 indexed proposalId, address indexed target, bytes4 indexed selector, address by);
    event Received(address indexed from, uint256 amountWei);

    /// @notice The caller is no member of the consortium.
    error Consortium_NotMember(address caller);
    /// @notice Members and threshold change by a decision of the consortium alone.
    error Consortium_NotConsortium(address caller);
    /// @notice Members: none, too many, zero, or twice; or 2k > n ≥ k does not hold.
    error Consortium_BadMembers(uint256 members, uint256 threshold);
    error Consortium_BadMember(address account);
    error Consortium_BadDelay(uint256 delaySeconds);
    error Consortium_BadFounding(uint256 foundingEndsAt);
    error Consortium_NoProposal(uint256 proposalId);
    error Consortium_AlreadyExecuted(uint256 proposalId);
    error Consortium_AlreadyApproved(uint256 proposalId, address account);
    error Consortium_NotApproved(uint256 proposalId, address account);
    /// @notice Fewer than k present members approve.
    error Consortium_NotAgreed(uint256 proposalId, uint256 approvals, uint256 threshold);
    error Consortium_TooEarly(uint256 proposalId, uint256 readyAt, uint256 nowAt);
    error Consortium_Lapsed(uint256 proposalId, uint256 lapsedAt, uint256 nowAt);
    /// @notice The call is not the one that was proposed.
    error Consortium_OtherCall(uint256 proposalId);
    /// @notice The target has no code, so that a call would silently do nothing.
    error Consortium_NoContract(address target);

    /// @notice Proposes a call and approves it.
    /// @dev Requirements: the caller is a member; the target has code, unless the call is a bare payment.
    /// @return proposalId Counted from 1.
    function propose(address target, uint256 valueWei, bytes calldata data) external returns (uint256 proposalId);

    /// @notice Approves a proposal. Requirements: the caller is a member that does not approve it; not executed, not lapsed.
    function approve(uint256 proposalId) external;

    /// @notice Takes an approval back. Requirements: the caller approves it; not executed.
    function withdrawApproval(uint256 proposalId) external;

    /// @notice Carries out what was decided. Anyone may call. A revert of the target is passed on unchanged, and it may be tried again.
    /// @dev Requirements: the call is the proposal's; not executed, not lapsed; k of the present members approve; the delay has passed since they agreed.
    /// @return result What the target returned.
    function execute(uint256 proposalId, address target, uint256 valueWei, bytes calldata data)
        external
        returns (bytes memory result);

    /// @notice Adds a member and sets k. Only by a decision.
    function addMember(address account, uint256 newThreshold) external;

    /// @notice Removes a member and sets k. Only by a decision.
    function removeMember(address account, uint256 newThreshold) external;

    /// @notice Sets k. Only by a decision.
    function setThreshold(uint256 newThreshold) external;

    /// @notice The members, in no order.
    function members() external view returns (address[] memory);

    /// @notice k.
    function threshold() external view returns (uint256);

    /// @notice Since when an account is a member without a break, 0 if it is none.
    function memberSince(address account) external view returns (uint256);

    /// @notice How long after the agreement a call waits, if it is carried out now or later: 0 during the founding, for an admission, and for the emergency stop.
    function delayFor(uint256 valueWei, bytes calldata data) external view returns (uint256);

    /// @notice Until when decisions have no delay: the founding, in which terms are set and the first members admitted.
    function foundingEndsAt() external view returns (uint256);

    function proposalOf(uint256 proposalId) external view returns (Proposal memory);

    /// @notice How many of the present members approve.
    function approvalsOf(uint256 proposalId) external view returns (uint256);

    function hasApproved(uint256 proposalId, address account) external view returns (bool);

    /// @notice The number of proposals so far, which is the last one's id.
    function proposalCount() external view returns (uint256);
}
