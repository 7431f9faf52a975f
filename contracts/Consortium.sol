// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";

import {IConsortium, Proposal} from "../interfaces/IConsortium.sol";
import {IMemberRegistry} from "../interfaces/IMemberRegistry.sol";

/// @title Consortium
/// @notice See {IConsortium}, which draws a proposal's life.
/// @dev Who can stop what: k members decide, n − k + 1 members can keep anything from being decided. The contracts that obey this address let it reach
/// what *begins* (members, types, terms, rules, the emergency stop), and no lock, bond or credit. Here lie the fees alone.
/// What it assumes: the members' keys are kept apart. When fewer than k are left nothing is decided any more; what runs ends all the same.
contract Consortium is IConsortium {
    using EnumerableSet for EnumerableSet.AddressSet;

    /// @notice The most members: an execution counts the approvals of all.
    uint256 public constant MAX_MEMBERS = 32;
    /// @notice The longest delay.
    uint256 public constant MAX_DELAY_SECONDS = 14 days;
    /// @notice The longest founding.
    uint256 public constant MAX_FOUNDING_SECONDS = 30 days;
    /// @notice How long a proposal lives.
    uint256 public constant LIFE_SECONDS = 45 days;

    /// @notice How long what hurts waits once k members agree.
    uint256 public immutable delaySeconds;
    /// @inheritdoc IConsortium
    uint256 public immutable foundingEndsAt;

    /// @inheritdoc IConsortium
    uint256 public threshold;
    /// @inheritdoc IConsortium
    uint256 public proposalCount;
    /// @inheritdoc IConsortium
    mapping(address account => uint256 at) public memberSince;

    EnumerableSet.AddressSet private _members;
    mapping(uint256 proposalId => Proposal) private _proposals;
    // How often an account was added: an approval holds for the term in which it was given.
    mapping(address account => uint256 term) private _terms;
    mapping(uint256 proposalId => mapping(address account => uint256 term)) private _approvedIn;

    modifier onlyMember() {
        if (memberSince[msg.sender] == 0) revert Consortium_NotMember(msg.sender);
        _;
    }

    modifier onlyConsortium() {
        if (msg.sender != address(this)) revert Consortium_NotConsortium(msg.sender);
        _;
    }

    /// @param founders The first members.
    /// @param threshold_ k.
    /// @param delaySeconds_ At most {MAX_DELAY_SECONDS}.
    /// @param foundingEndsAt_ Until when decisions have no delay, at most {MAX_FOUNDING_SECONDS} from now.
    constructor(address[] memory founders, uint256 threshold_, uint256 delaySeconds_, uint256 foundingEndsAt_) {
        if (delaySeconds_ > MAX_DELAY_SECONDS) revert Consortium_BadDelay(delaySeconds_);
        if (foundingEndsAt_ > block.timestamp + MAX_FOUNDING_SECONDS) revert Consortium_BadFounding(foundingEndsAt_);
        delaySeconds = delaySeconds_;
        foundingEndsAt = foundingEndsAt_;
        for (uint256 i = 0; i < founders.length; ++i) {
            _add(founders[i]);

            emit MemberAdded(founders[i], threshold_);
        }
        _setThreshold(threshold_);
    }

    /// @notice Takes in fees.
    receive() external payable {
        emit Received(msg.sender, msg.value);
    }

    /*//////////////////////////////////////////////////////////////
                               PROPOSALS
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IConsortium
    function propose(address target, uint256 valueWei, bytes calldata data)
        external
        onlyMember
        returns (uint256 proposalId)
    {
        if (data.length > 0 && target.code.length == 0) revert Consortium_NoContract(target);
        proposalId = ++proposalCount;
        Proposal storage proposal = _proposals[proposalId];
        proposal.callHash = _callHash(target, valueWei, data);
        proposal.proposedAt = uint40(block.timestamp);

        emit Proposed(proposalId, msg.sender, target, valueWei, data);

        _approve(proposalId, proposal);
    }

    /// @inheritdoc IConsortium
    function approve(uint256 proposalId) external onlyMember {
        Proposal storage proposal = _open(proposalId);
        if (hasApproved(proposalId, msg.sender)) revert Consortium_AlreadyApproved(proposalId, msg.sender);
        _approve(proposalId, proposal);
    }

    /// @inheritdoc IConsortium
    function withdrawApproval(uint256 proposalId) external {
        Proposal storage proposal = _open(proposalId);
        if (!hasApproved(proposalId, msg.sender)) revert Consortium_NotApproved(proposalId, msg.sender);

        delete _approvedIn[proposalId][msg.sender];
        if (approvalsOf(proposalId) < threshold) proposal.agreedAt = 0;

        emit ApprovalWithdrawn(proposalId, msg.sender);
    }

    /// @inheritdoc IConsortium
    function execute(uint256 proposalId, address target, uint256 valueWei, bytes calldata data)
        external
        returns (bytes memory result)
    {
        Proposal storage proposal = _open(proposalId);
        if (proposal.callHash != _callHash(target, valueWei, data)) revert Consortium_OtherCall(proposalId);
        uint256 approvals = approvalsOf(proposalId);
        if (proposal.agreedAt == 0 || approvals < threshold) {
            revert Consortium_NotAgreed(proposalId, approvals, threshold);
        }
        uint256 readyAt = proposal.agreedAt + delayFor(valueWei, data);
        if (block.timestamp < readyAt) revert Consortium_TooEarly(proposalId, readyAt, block.timestamp);

        proposal.isExecuted = true;

        emit Executed(proposalId, target, bytes4(data), msg.sender);

        bool ok;
        (ok, result) = target.call{value: valueWei}(data);
        if (!ok) _passOn(result);
    }

    function _approve(uint256 proposalId, Proposal storage proposal) private {
        _approvedIn[proposalId][msg.sender] = _terms[msg.sender];

        emit Approved(proposalId, msg.sender);

        uint256 approvals = approvalsOf(proposalId);
        if (approvals < threshold) return;
        // Beyond k it was agreed before. At k it is agreed from now on, also when a removal or a higher k had undone that.
        if (approvals > threshold && proposal.agreedAt != 0) return;
        proposal.agreedAt = uint40(block.timestamp);

        emit Agreed(proposalId);
    }

    function _open(uint256 proposalId) private view returns (Proposal storage proposal) {
        proposal = _proposals[proposalId];
        if (proposal.proposedAt == 0) revert Consortium_NoProposal(proposalId);
        if (proposal.isExecuted) revert Consortium_AlreadyExecuted(proposalId);
        uint256 agreedAt = proposal.agreedAt;
        uint256 lapsesAt = (agreedAt == 0 ? proposal.proposedAt : agreedAt + delaySeconds) + LIFE_SECONDS;
        if (block.timestamp >= lapsesAt) revert Consortium_Lapsed(proposalId, lapsesAt, block.timestamp);
    }

    function _callHash(address target, uint256 valueWei, bytes calldata data) private pure returns (bytes32) {
        return keccak256(abi.encode(target, valueWei, data));
    }

    function _passOn(bytes memory revertData) private pure {
        assembly ("memory-safe") {
            revert(add(revertData, 0x20), mload(revertData))
        }
    }

    /*//////////////////////////////////////////////////////////////
                                MEMBERS
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IConsortium
    function addMember(address account, uint256 newThreshold) external onlyConsortium {
        _add(account);

        emit MemberAdded(account, newThreshold);

        _setThreshold(newThreshold);
    }

    /// @inheritdoc IConsortium
    function removeMember(address account, uint256 newThreshold) external onlyConsortium {
        if (!_members.remove(account)) revert Consortium_BadMember(account);
        delete memberSince[account];

        emit MemberRemoved(account, newThreshold);

        _setThreshold(newThreshold);
    }

    /// @inheritdoc IConsortium
    function setThreshold(uint256 newThreshold) external onlyConsortium {
        _setThreshold(newThreshold);
    }

    function _add(address account) private {
        // Itself as a member, the consortium would vote for itself.
        bool isFit = account != address(0) && account != address(this);
        if (!isFit || !_members.add(account)) revert Consortium_BadMember(account);
        memberSince[account] = block.timestamp;
        ++_terms[account];
    }

    /// @dev 2k > n: two quorums share a member, so that they cannot decide one against the other.
    function _setThreshold(uint256 newThreshold) private {
        uint256 count = _members.length();
        bool fits = newThreshold <= count && 2 * newThreshold > count && count <= MAX_MEMBERS;
        if (!fits) revert Consortium_BadMembers(count, newThreshold);
        threshold = newThreshold;

        emit ThresholdChanged(newThreshold);
    }

    /*//////////////////////////////////////////////////////////////
                                 VIEWS
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IConsortium
    function members() external view returns (address[] memory) {
        return _members.values();
    }

    /// @inheritdoc IConsortium
    /// @dev By the function alone: no other governed contract has one of these names. A payment always waits.
    function delayFor(uint256 valueWei, bytes calldata data) public view returns (uint256) {
        if (block.timestamp < foundingEndsAt) return 0;
        bytes4 selector = bytes4(data);
        bool isUrgent = selector == IMemberRegistry.admit.selector || selector == IMemberRegistry.stopBeginnings.selector;
        return isUrgent && valueWei == 0 ? 0 : delaySeconds;
    }

    /// @inheritdoc IConsortium
    function proposalOf(uint256 proposalId) external view returns (Proposal memory) {
        return _proposals[proposalId];
    }

    /// @inheritdoc IConsortium
    function approvalsOf(uint256 proposalId) public view returns (uint256 approvals) {
        address[] memory accounts = _members.values();
        for (uint256 i = 0; i < accounts.length; ++i) {
            if (hasApproved(proposalId, accounts[i])) ++approvals;
        }
    }

    /// @inheritdoc IConsortium
    /// @dev An approval counts while its member has stayed one: who was removed and added again approves again.
    function hasApproved(uint256 proposalId, address account) public view returns (bool) {
        uint256 term = _approvedIn[proposalId][account];
        return term != 0 && memberSince[account] != 0 && term == _terms[account];
    }
}
