// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";

import {IConsortium, Proposal} from "../interfaces/IConsortium.sol";
import {IMemberRegistry} from "../interfaces/IMemberRegistry.sol";
import {IRequestCatalogue} from "../interfaces/IRequestCatalogue.sol";
import {Wiring} from "./libraries/Wiring.sol";

/// @title Consortium
/// @notice See {IConsortium}, which draws a proposal's life.
/// @dev Who can stop what: k members decide, and n − k + 1 members can keep anything from being decided. A minority can
/// propose without end and keeps nobody from anything. The contracts that obey this address let it reach what *begins*
/// (members, types, terms, rules, the emergency stop), and no lock, bond or credit. The fees alone lie here.
/// Assumes: the members' keys are kept apart. When fewer than k are left nothing is decided any more; what runs ends
/// all the same.
contract Consortium is IConsortium {
    using Checkpoints for Checkpoints.Trace208;
    using EnumerableSet for EnumerableSet.AddressSet;

    /// @dev A member's present term. An approval holds for the term in which it was given.
    struct Seat {
        uint48 since;
        uint208 term;
    }

    /// @notice The most members: an execution counts the approvals of all.
    uint256 public constant MAX_MEMBERS = 32;
    /// @notice The longest delay.
    uint256 public constant MAX_DELAY_SECONDS = 14 days;
    /// @notice The longest founding.
    uint256 public constant MAX_FOUNDING_SECONDS = 30 days;
    /// @notice How long a proposal lives that was never agreed.
    uint256 public constant LIFE_SECONDS = 45 days;
    /// @notice How long what was agreed may be carried out, from the moment on when it may.
    uint256 public constant LAPSE_SECONDS = 7 days;
    /// @notice How much of a target's answer is taken: whoever carries out pays for it.
    uint256 public constant MOST_RESULT_BYTES = 1_024;

    /// @inheritdoc IConsortium
    uint256 public immutable delaySeconds;
    /// @inheritdoc IConsortium
    uint256 public immutable foundingEndsAt;
    /// @notice Whose admissions and emergency stop do not wait.
    address public immutable registry;

    /// @inheritdoc IConsortium
    uint256 public threshold;
    /// @inheritdoc IConsortium
    uint256 public proposalCount;
    /// @inheritdoc IConsortium
    mapping(bytes32 subject => uint256 proposalId) public floorOf;

    EnumerableSet.AddressSet private _members;
    mapping(address account => Seat) private _seats;
    uint208 private _termCount;
    // The terms that are over: their beginnings, and the end of each.
    mapping(address account => Checkpoints.Trace208 ends) private _pastTerms;
    mapping(uint256 proposalId => Proposal) private _proposals;
    mapping(uint256 proposalId => mapping(address account => uint256 term)) private _approvedIn;
    mapping(uint256 proposalId => mapping(address account => uint256 term)) private _cancelledIn;

    modifier onlyMember() {
        if (_seats[msg.sender].term == 0) revert Consortium_NotMember(msg.sender);
        _;
    }

    modifier onlyByDecision() {
        if (msg.sender != address(this)) revert Consortium_NotConsortium(msg.sender);
        _;
    }

    /// @param founders The first members.
    /// @param threshold_ k.
    /// @param delaySeconds_ At most {MAX_DELAY_SECONDS}.
    /// @param foundingEndsAt_ Until when decisions have no delay, at most {MAX_FOUNDING_SECONDS} from now.
    /// @param registry_ May be a prediction: the registry is deployed later.
    constructor(
        address[] memory founders,
        uint256 threshold_,
        uint256 delaySeconds_,
        uint256 foundingEndsAt_,
        address registry_
    ) {
        if (delaySeconds_ > MAX_DELAY_SECONDS) revert Consortium_BadDelay(delaySeconds_);
        if (foundingEndsAt_ > block.timestamp + MAX_FOUNDING_SECONDS) revert Consortium_BadFounding(foundingEndsAt_);
        delaySeconds = delaySeconds_;
        foundingEndsAt = foundingEndsAt_;
        registry = Wiring.requireAddress(registry_);
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
        // check
        if (data.length > 0 && target.code.length == 0) revert Consortium_NoContract(target);

        // effect
        proposalId = ++proposalCount;
        Proposal storage proposal = _proposals[proposalId];
        proposal.callHash = _callHash(target, valueWei, data);
        proposal.proposedAt = uint40(block.timestamp);

        // log
        emit Proposed(proposalId, msg.sender, target, valueWei, data);

        // next
        _approve(proposalId, proposal);
    }

    /// @inheritdoc IConsortium
    function approve(uint256 proposalId, bytes32 callHash) external onlyMember {
        Proposal storage proposal = _open(proposalId, delaySeconds);
        if (proposal.callHash != callHash) revert Consortium_OtherCall(proposalId);
        if (hasApproved(proposalId, msg.sender)) revert Consortium_AlreadyApproved(proposalId, msg.sender);

        _approve(proposalId, proposal);
    }

    /// @inheritdoc IConsortium
    function withdrawApproval(uint256 proposalId) external {
        // check
        Proposal storage proposal = _open(proposalId, delaySeconds);
        if (!hasApproved(proposalId, msg.sender)) revert Consortium_NotApproved(proposalId, msg.sender);

        // effect
        delete _approvedIn[proposalId][msg.sender];
        if (approvalsOf(proposalId) < threshold) proposal.agreedAt = 0;

        // log
        emit ApprovalWithdrawn(proposalId, msg.sender);
    }

    /// @inheritdoc IConsortium
    function cancel(uint256 proposalId, bytes32 callHash) external onlyMember {
        // check
        Proposal storage proposal = _open(proposalId, delaySeconds);
        if (proposal.callHash != callHash) revert Consortium_OtherCall(proposalId);
        mapping(address => uint256) storage votes = _cancelledIn[proposalId];
        if (_holds(votes, msg.sender)) revert Consortium_AlreadyVoted(proposalId, msg.sender);

        // effect
        votes[msg.sender] = _seats[msg.sender].term;
        bool isCancelled = cancelVotesOf(proposalId) >= threshold;
        if (isCancelled) proposal.isCancelled = true;

        // log
        emit CancelVoted(proposalId, msg.sender);
        if (isCancelled) emit Cancelled(proposalId);
    }

    /// @inheritdoc IConsortium
    function execute(uint256 proposalId, address target, uint256 valueWei, bytes calldata data)
        external
        onlyMember
        returns (bytes memory result)
    {
        // check
        _requireDecided(proposalId, target, valueWei, data);

        // effect
        bytes32 subject = subjectOf(proposalId, target, valueWei, data);
        _proposals[proposalId].isExecuted = true;
        floorOf[subject] = proposalId;

        // log
        emit Executed(proposalId, target, bytes4(data), subject, msg.sender);

        // interaction
        return _call(target, valueWei, data);
    }

    function _approve(uint256 proposalId, Proposal storage proposal) private {
        _approvedIn[proposalId][msg.sender] = _seats[msg.sender].term;

        emit Approved(proposalId, msg.sender);

        uint256 approvals = approvalsOf(proposalId);
        if (approvals < threshold) return;
        // Beyond k it was agreed before. At k it is agreed from now on, also when a removal or a higher k had undone
        // that.
        if (approvals > threshold && proposal.agreedAt != 0) return;
        proposal.agreedAt = uint40(block.timestamp);
        if (proposal.firstAgreedAt == 0) proposal.firstAgreedAt = uint40(block.timestamp);

        emit Agreed(proposalId);
    }

    function _requireDecided(uint256 proposalId, address target, uint256 valueWei, bytes calldata data) private view {
        uint256 agreedFirst = _proposals[proposalId].firstAgreedAt;
        Proposal storage proposal = _open(proposalId, _delayAt(agreedFirst, target, valueWei, data));
        if (proposal.callHash != _callHash(target, valueWei, data)) revert Consortium_OtherCall(proposalId);
        uint256 floor = floorFor(proposalId, target, valueWei, data);
        if (proposalId < floor) revert Consortium_Superseded(proposalId, floor);
        uint256 approvals = approvalsOf(proposalId);
        if (proposal.agreedAt == 0 || approvals < threshold) {
            revert Consortium_NotAgreed(proposalId, approvals, threshold);
        }
        uint256 readyAt = proposal.agreedAt + delayFor(target, valueWei, data);
        if (block.timestamp < readyAt) revert Consortium_TooEarly(proposalId, readyAt, block.timestamp);
    }

    /// @dev Returns a proposal that can be voted on or carried out still. It lapses from its first agreement on, so
    /// that no single member draws a decision out by approving it anew.
    function _open(uint256 proposalId, uint256 waitSeconds) private view returns (Proposal storage proposal) {
        proposal = _proposals[proposalId];
        if (proposal.proposedAt == 0) revert Consortium_NoProposal(proposalId);
        if (proposal.isExecuted) revert Consortium_AlreadyExecuted(proposalId);
        if (proposal.isCancelled) revert Consortium_AlreadyCancelled(proposalId);
        uint256 agreedFirst = proposal.firstAgreedAt;
        uint256 lapsesAt =
            agreedFirst == 0 ? proposal.proposedAt + LIFE_SECONDS : agreedFirst + waitSeconds + LAPSE_SECONDS;
        if (block.timestamp >= lapsesAt) revert Consortium_Lapsed(proposalId, lapsesAt, block.timestamp);
    }

    function _callHash(address target, uint256 valueWei, bytes calldata data) private pure returns (bytes32) {
        return keccak256(abi.encode(target, valueWei, data));
    }

    /// @dev Takes no more of the answer than {MOST_RESULT_BYTES}: a receiver could else make its payment cost more than
    /// a block allows.
    function _call(address target, uint256 valueWei, bytes memory data) private returns (bytes memory result) {
        uint256 most = MOST_RESULT_BYTES;
        bool ok;
        assembly ("memory-safe") {
            ok := call(gas(), target, valueWei, add(data, 0x20), mload(data), 0, 0)
            let size := returndatasize()
            if gt(size, most) { size := most }
            result := mload(0x40)
            mstore(result, size)
            returndatacopy(add(result, 0x20), 0, size)
            mstore(0x40, add(result, and(add(size, 0x3f), not(0x1f))))
            if iszero(ok) { revert(add(result, 0x20), size) }
        }
    }

    /*//////////////////////////////////////////////////////////////
                                SUBJECTS
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IConsortium
    function subjectOf(uint256 proposalId, address target, uint256 valueWei, bytes calldata data)
        public
        view
        returns (bytes32)
    {
        if (valueWei != 0 || data.length == 0) return keccak256(abi.encode(proposalId));
        if (target == address(this)) return keccak256(abi.encode(target));
        bytes4 selector = bytes4(data);
        if (selector == IMemberRegistry.rearmStop.selector) selector = IMemberRegistry.stopBeginnings.selector;
        if (selector == IMemberRegistry.revoke.selector) selector = IMemberRegistry.admit.selector;
        bool isOfOne = selector == IMemberRegistry.admit.selector || selector == IMemberRegistry.rename.selector
            || selector == IRequestCatalogue.setType.selector;
        return _subject(target, selector, isOfOne ? _firstWord(data) : bytes32(0));
    }

    /// @inheritdoc IConsortium
    function floorFor(uint256 proposalId, address target, uint256 valueWei, bytes calldata data)
        public
        view
        returns (uint256 floor)
    {
        floor = floorOf[subjectOf(proposalId, target, valueWei, data)];
        bool isRename = bytes4(data) == IMemberRegistry.rename.selector && valueWei == 0 && target != address(this);
        if (!isRename) return floor;
        // An admission gives a name, and a revocation ends all naming. Neither is superseded by a new name.
        uint256 membership = floorOf[_subject(target, IMemberRegistry.admit.selector, _firstWord(data))];
        return membership > floor ? membership : floor;
    }

    function _subject(address target, bytes4 selector, bytes32 about) private pure returns (bytes32) {
        return keccak256(abi.encode(target, selector, about));
    }

    /// @dev The account or the type's id; a shorter call reverts at its target.
    function _firstWord(bytes calldata data) private pure returns (bytes32) {
        return data.length >= 36 ? bytes32(data[4:36]) : bytes32(0);
    }

    /// @inheritdoc IConsortium
    function delayFor(address target, uint256 valueWei, bytes calldata data) public view returns (uint256) {
        return _delayAt(block.timestamp, target, valueWei, data);
    }

    function _delayAt(uint256 time, address target, uint256 valueWei, bytes calldata data)
        private
        view
        returns (uint256)
    {
        // A payment always waits, and so does an urgent function's name at any other contract.
        if (valueWei != 0 || data.length == 0) return delaySeconds;
        if (time < foundingEndsAt) return 0;
        bytes4 selector = bytes4(data);
        bool isUrgent =
            selector == IMemberRegistry.admit.selector || selector == IMemberRegistry.stopBeginnings.selector;
        return isUrgent && target == registry ? 0 : delaySeconds;
    }

    /*//////////////////////////////////////////////////////////////
                                MEMBERS
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IConsortium
    function addMember(address account, uint256 newThreshold) external onlyByDecision {
        // effect
        _add(account);

        // log
        emit MemberAdded(account, newThreshold);

        // next
        _setThreshold(newThreshold);
    }

    /// @inheritdoc IConsortium
    function removeMember(address account, uint256 newThreshold) external onlyByDecision {
        // check
        if (!_members.remove(account)) revert Consortium_BadMember(account);

        // effect
        _pastTerms[account].push(_seats[account].since, uint208(block.timestamp));
        delete _seats[account];

        // log
        emit MemberRemoved(account, newThreshold);

        // next
        _setThreshold(newThreshold);
    }

    /// @inheritdoc IConsortium
    function setThreshold(uint256 newThreshold) external onlyByDecision {
        _setThreshold(newThreshold);
    }

    function _add(address account) private {
        // Itself as a member, the consortium would vote for itself.
        bool isFit = account != address(0) && account != address(this);
        if (!isFit || !_members.add(account)) revert Consortium_BadMember(account);
        _seats[account] = Seat(uint48(block.timestamp), ++_termCount);
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
    function memberSince(address account) external view returns (uint256) {
        return _seats[account].since;
    }

    /// @inheritdoc IConsortium
    function wasMember(address account, uint256 at) external view returns (bool) {
        Seat memory seat = _seats[account];
        if (seat.term != 0 && seat.since <= at) return true;
        return at < _pastTerms[account].upperLookup(uint48(at));
    }

    /// @inheritdoc IConsortium
    function proposalOf(uint256 proposalId) external view returns (Proposal memory) {
        return _proposals[proposalId];
    }

    /// @inheritdoc IConsortium
    function approvalsOf(uint256 proposalId) public view returns (uint256) {
        return _countOf(_approvedIn[proposalId]);
    }

    /// @inheritdoc IConsortium
    /// @dev An approval counts while its member has stayed one: who was removed and added again approves again.
    function hasApproved(uint256 proposalId, address account) public view returns (bool) {
        return _holds(_approvedIn[proposalId], account);
    }

    /// @inheritdoc IConsortium
    function cancelVotesOf(uint256 proposalId) public view returns (uint256) {
        return _countOf(_cancelledIn[proposalId]);
    }

    function _countOf(mapping(address => uint256) storage votes) private view returns (uint256 count) {
        address[] memory accounts = _members.values();
        for (uint256 i = 0; i < accounts.length; ++i) {
            if (_holds(votes, accounts[i])) ++count;
        }
    }

    function _holds(mapping(address => uint256) storage votes, address account) private view returns (bool) {
        uint256 term = votes[account];
        return term != 0 && term == _seats[account].term;
    }
}
