// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {ICreditBook} from "../interfaces/ICreditBook.sol";
import {IDataSetBook} from "../interfaces/IDataSetBook.sol";
import {IDisputeCourt} from "../interfaces/IDisputeCourt.sol";
import {IMemberRegistry, Role} from "../interfaces/IMemberRegistry.sol";
import {
    Authorisation,
    IPrepaidLock,
    Lock,
    LockState,
    Reason,
    RequestOrder,
    SharingOrder
} from "../interfaces/IPrepaidLock.sol";
import {IRequestCatalogue, RequestType, Rules, SharingTerms} from "../interfaces/IRequestCatalogue.sol";
import {LockEnding} from "./bases/LockEnding.sol";
import {DataSetId} from "./libraries/DataSetId.sol";
import {DomainTags} from "./libraries/DomainTags.sol";
import {LockLifecycle} from "./libraries/LockLifecycle.sol";
import {ShareCheck, ShareGrant} from "./libraries/ShareCheck.sol";
import {Wiring} from "./libraries/Wiring.sol";
import {LockTerms} from "./types/LockTerms.sol";
import {G1Point, G2Point} from "./types/Points.sol";

/// @title PrepaidLock
/// @notice See {IPrepaidLock}. Here is how a lock begins and is fulfilled; how it ends is in {LockEnding}, its lifecycle is drawn in {LockLifecycle}, the money
/// in {Purse}.
/// @dev Who can stop what: the consortium, by revoking members, closing types and the emergency stop, what begins (request, accept, openSharing
/// through the market, addBond). Nobody anything that has begun: it reads no role, no price and no present parameter again, only the rules of
/// its own version, which never change and which its payer has signed. Judges choose between the two parties of a disputed lock, while its stage lasts, and nothing else.
/// What it assumes: the other contracts are this system's own; none of them calls back here in mid-call but the market, which is bound to
/// {openSharing}, {holdApplication} and {releaseApplication}, the court, which is bound to {decide}, and the book of data sets, which is bound to {payOwner}.
/// It takes no ether but by its payable functions; what is forced upon it (a dying contract, a block reward) belongs to nobody.
contract PrepaidLock is LockEnding {
    using LockLifecycle for Lock;

    /// @notice The longest T − now.
    uint256 public constant LONGEST_SECONDS = 90 days;

    bytes32 private constant DELIVERY_TAG = keccak256("DMSM-V1-delivery");

    IMemberRegistry public immutable registry;
    address public immutable market;

    // By payee: C names its payee, so that whoever copies it from the mempool neither profits nor blocks it.
    mapping(address payee => mapping(bytes32 secretHash => bool)) private _isUsed;

    /// @dev Calls the registry alone: the market's, the credit book's and the court's addresses may be predictions.
    constructor(
        IMemberRegistry registry_,
        IRequestCatalogue catalogue_,
        IDataSetBook dataSets_,
        ICreditBook credit_,
        address market_,
        IDisputeCourt court_
    ) LockEnding(catalogue_, dataSets_, credit_, court_, IMemberRegistry(Wiring.requireContract(address(registry_))).consortium()) {
        registry = registry_;
        market = Wiring.requireAddress(market_);
    }

    // The checks are functions, so that the code has each of them once.
    modifier onlyMarket() {
        _requireMarket();
        _;
    }

    modifier onlyPayee(bytes32 lockId) {
        _requirePayee(lockId);
        _;
    }

    /*//////////////////////////////////////////////////////////////
                            A USER'S REQUEST
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IPrepaidLock
    function request(RequestOrder calldata order, G1Point calldata signature)
        external
        payable
        returns (bytes32 lockId)
    {
        _checkParties(order.processor);
        (RequestType memory asked, uint32 version, Rules memory rules) = catalogue.requestConditions(order.typeId);
        if (!asked.active) revert PrepaidLock_UnknownType(order.typeId);
        if (msg.value != asked.priceWei) revert PrepaidLock_WrongValue(msg.value, asked.priceWei);
        LockTerms memory terms =
            LockTerms(version, 0, asked.disputeWindowSeconds, rules.feeBps, 0, asked.longestAnswerBytes, 0);
        _checkTerms(terms, rules, order.terms);
        _checkTime(order.expiresAt, asked.shortestSeconds);
        _checkSealed(order.messageDigest, order.messageLength);
        lockId = _freshLockId(msg.sender, order.nonce);
        bytes memory message = abi.encode(block.chainid, address(this), msg.sender, order);
        _checkSignature(lockId, msg.sender, message, DomainTags.REQUEST, signature);

        Lock storage lock = _begin(lockId, msg.sender, order.processor, order.expiresAt, terms);
        lock.state = LockState.Requested;
        lock.subject = bytes32(uint256(order.typeId));

        emit Requested(lockId, msg.sender, order.processor, asked.priceWei, order, signature);
    }

    /// @inheritdoc IPrepaidLock
    function reject(bytes32 lockId, Reason reason) external onlyPayee(lockId) {
        Lock storage lock = _locks[lockId];
        lock.reject(lockId);
        _giveBack(lock, reason);

        emit Rejected(lockId, lock.payer, lock.payee, reason);
    }

    /// @inheritdoc IPrepaidLock
    function accept(bytes32 lockId, bytes32 secretHash, bytes32 answerDigest, uint32 answerLength)
        external
        onlyPayee(lockId)
    {
        if (!registry.mayBegin(msg.sender, Role.Processor)) revert PrepaidLock_NotProcessor(msg.sender);
        Lock storage lock = _locks[lockId];
        lock.accept(lockId);
        if (secretHash == 0 || _isUsed[msg.sender][secretHash]) revert PrepaidLock_SecretHashUsed(secretHash);
        if (answerDigest == 0 || answerLength == 0 || answerLength > lock.answerLength) {
            revert PrepaidLock_BadAnswer(answerDigest, answerLength);
        }
        _isUsed[msg.sender][secretHash] = true;
        lock.binding = secretHash;
        lock.answerDigest = answerDigest;
        lock.answerLength = uint16(answerLength);
        _hold(msg.sender, lock.bondWei);

        emit Accepted(lockId, lock.payer, msg.sender, secretHash, answerDigest, answerLength);
    }

    /// @inheritdoc IPrepaidLock
    function claim(bytes32 lockId, bytes32 secret) external {
        Lock storage lock = _locks[lockId];
        lock.claim(lockId);
        // C = SHA256(p ‖ x).
        if (sha256(abi.encode(lock.payee, secret)) != lock.binding) revert PrepaidLock_BadSecret(lockId);

        emit Claimed(lockId, lock.payer, lock.payee, secret, lock.dueAt);

        if (lock.disputeWindowSeconds == 0) settle(lockId);
    }

    /*//////////////////////////////////////////////////////////////
                              DATA SHARING
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IPrepaidLock
    function openSharing(SharingOrder calldata order, G1Point calldata signature)
        external
        payable
        onlyMarket
        returns (bytes32 lockId)
    {
        if (msg.value != order.priceWei) revert PrepaidLock_WrongValue(msg.value, order.priceWei);
        (uint32 sharingVersion, uint32 rulesVersion) = (order.terms.sharingVersion, order.terms.rulesVersion);
        (SharingTerms memory offered, Rules memory rules) =
            catalogue.sharingConditionsAt(sharingVersion, rulesVersion);
        LockTerms memory terms = LockTerms(
            rulesVersion, sharingVersion, offered.disputeWindowSeconds, rules.feeBps, offered.ownersBps, 0, 0
        );
        _checkTerms(terms, rules, order.terms);
        _checkTime(order.expiresAt, offered.shortestSeconds);
        _checkSealed(order.messageDigest, order.messageLength);
        lockId = _freshLockId(order.payer, order.nonce);
        bytes memory message = abi.encode(block.chainid, address(this), order);
        _checkSignature(lockId, order.payer, message, DomainTags.SHARING, signature);

        Lock storage lock = _begin(lockId, order.payer, order.payee, order.expiresAt, terms);
        lock.state = LockState.Selected;
        lock.threshold = order.threshold;
        lock.groupSize = order.groupSize;
        lock.subject = order.dataSetId;
        lock.binding = order.groupHash;
        _hold(order.payee, terms.bondWei);

        emit Selected(lockId, order.payer, order.payee, order, signature);
    }

    /// @inheritdoc IPrepaidLock
    function decline(bytes32 lockId, Reason reason) external onlyPayee(lockId) {
        Lock storage lock = _locks[lockId];
        lock.decline(lockId);
        _giveBack(lock, reason);
        _freeByChoice(lock.payee, lock.bondWei);

        emit Declined(lockId, lock.payer, lock.payee, reason);
    }

    /// @inheritdoc IPrepaidLock
    function deliver(
        bytes32 lockId,
        address[] calldata accounts,
        G1Point[] calldata deliveryKeys,
        G2Point[] calldata commitments,
        G1Point[] calldata shares,
        Authorisation calldata authorisation
    ) external {
        Lock storage lock = _locks[lockId];
        lock.deliver(lockId);
        _checkGroup(lockId, lock, accounts, deliveryKeys);
        bytes32 seed = _checkShares(lockId, deliveryKeys, commitments, shares);
        _checkAuthorisation(lockId, lock.payee, seed, authorisation);

        emit Delivered(lockId, lock.payer, lock.payee, commitments, shares, lock.dueAt);

        if (lock.disputeWindowSeconds == 0) settle(lockId);
    }

    /*//////////////////////////////////////////////////////////////
              BONDS, OWNERS, AND THE MARKET'S DEPOSITS
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IPrepaidLock
    function addBond(address account) external payable {
        if (!registry.isActive(account, Role.Processor)) revert PrepaidLock_NotProcessor(account);
        _addBond(account);
    }

    /// @inheritdoc IPrepaidLock
    function payOwner(address owner, uint256 amountWei) external {
        if (msg.sender != address(dataSets)) revert PrepaidLock_NotDataSets(msg.sender);
        _owe(owner, amountWei);
    }

    /// @inheritdoc IPrepaidLock
    function holdApplication(bytes32 broadcastId, address payer) external payable onlyMarket {
        _holdApplication(broadcastId, payer);
    }

    /// @inheritdoc IPrepaidLock
    function releaseApplication(bytes32 broadcastId, address[] calldata to, uint96[] calldata amountsWei)
        external
        onlyMarket
    {
        _releaseApplication(broadcastId, to, amountsWei);
    }

    /*//////////////////////////////////////////////////////////////
                                 VIEWS
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IPrepaidLock
    function lockIdOf(address payer, bytes32 nonce) public view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), payer, nonce));
    }

    /*//////////////////////////////////////////////////////////////
                                 CHECKS
    //////////////////////////////////////////////////////////////*/

    function _requireMarket() private view {
        if (msg.sender != market) revert PrepaidLock_NotMarket(msg.sender);
    }

    function _requirePayee(bytes32 lockId) private view {
        if (msg.sender != _locks[lockId].payee) revert PrepaidLock_NotPayee(lockId, msg.sender);
    }

    /// @dev What rejecting and declining have in common.
    function _giveBack(Lock storage lock, Reason reason) private {
        if (reason == Reason.None) revert PrepaidLock_BadReason(reason);
        _owe(lock.payer, lock.priceWei);
    }

    function _checkParties(address processor) private view {
        (Role role, bytes32 regionId) = registry.beginnerOf(msg.sender);
        if (role != Role.User) revert PrepaidLock_NotUser(msg.sender);
        (Role servingRole, bytes32 servedRegionId) = registry.activeRoleOf(processor);
        if (servingRole != Role.Processor) revert PrepaidLock_NotProcessor(processor);
        if (servedRegionId != regionId) revert PrepaidLock_WrongRegion(msg.sender, processor);
    }

    /// @dev A shortest time, or a requester could ruin a node's credit with T = now + 1; a longest, or a slip would lock its money up for ever.
    function _checkTime(uint256 expiresAt, uint256 shortestSeconds) private view {
        uint256 earliestAt = block.timestamp + shortestSeconds;
        if (expiresAt < earliestAt) revert PrepaidLock_TooLittleTime(expiresAt, earliestAt);
        uint256 latestAt = block.timestamp + LONGEST_SECONDS;
        if (expiresAt > latestAt) revert PrepaidLock_TooMuchTime(expiresAt, latestAt);
    }

    function _checkSealed(bytes32 digest, uint32 length) private pure {
        if (digest == 0 || length == 0 || length > MAX_SEALED_BYTES) revert PrepaidLock_BadMessage(digest, length);
    }

    function _freshLockId(address payer, bytes32 nonce) private view returns (bytes32 lockId) {
        lockId = lockIdOf(payer, nonce);
        if (_locks[lockId].state != LockState.None) revert PrepaidLock_NonceUsed(lockId);
    }

    function _checkSignature(
        bytes32 lockId,
        address signer,
        bytes memory message,
        bytes memory tag,
        G1Point calldata signature
    ) private view {
        if (!registry.isSignedBy(signer, message, tag, signature)) revert PrepaidLock_BadSignature(lockId);
    }

    /// @dev Completes the terms. Whoever pays has signed what it is bound by: whatever the consortium carries out in between makes the call revert.
    function _checkTerms(LockTerms memory terms, Rules memory rules, LockTerms calldata signed) private view {
        terms.bondWei = uint96(msg.value * rules.bondBps / BPS); // at most the price
        bool isSigned;
        // Seven words each, of which those in memory are clean: what the payer brings is the same bytes, or it is other terms.
        assembly ("memory-safe") {
            let copied := mload(0x40)
            calldatacopy(copied, signed, 0xe0)
            isSigned := eq(keccak256(terms, 0xe0), keccak256(copied, 0xe0))
        }
        if (!isSigned) revert PrepaidLock_OtherTerms(terms);
    }

    function _begin(bytes32 lockId, address payer, address payee, uint40 expiresAt, LockTerms memory terms)
        private
        returns (Lock storage lock)
    {
        lock = _locks[lockId];
        (lock.payer, lock.expiresAt) = (payer, expiresAt);
        (lock.payee, lock.priceWei) = (payee, uint96(msg.value)); // checked against a price
        lock.disputeWindowSeconds = terms.disputeWindowSeconds;
        lock.answerLength = terms.longestAnswerBytes;
        lock.feeBps = terms.feeBps;
        lock.ownersBps = terms.ownersBps;
        lock.rulesVersion = terms.rulesVersion;
        lock.bondWei = terms.bondWei;
        liabilitiesWei += msg.value;
    }

    /// @dev The sender is the payee, or brings its signature over the seed of the transcript that was checked. A payee is never the zero address, which is what recovers from a bad signature. That s has two forms does no harm: a lock is delivered once.
    function _checkAuthorisation(bytes32 lockId, address payee, bytes32 seed, Authorisation calldata it) private view {
        if (msg.sender == payee) return;
        bytes32 digest = keccak256(abi.encode(DELIVERY_TAG, seed));
        if (ecrecover(digest, it.v, it.r, it.s) != payee) revert PrepaidLock_NotAuthorised(lockId, msg.sender);
    }

    function _checkShares(
        bytes32 lockId,
        G1Point[] calldata deliveryKeys,
        G2Point[] calldata commitments,
        G1Point[] calldata shares
    ) private view returns (bytes32 seed) {
        Lock storage lock = _locks[lockId];
        ShareGrant memory grant = ShareGrant(address(this), lockId, lock.subject, lock.threshold);
        if (commitments.length != grant.threshold) {
            revert ShareCheck.ShareCheck_CommitmentCount(grant.threshold, commitments.length);
        }
        bytes32 dataSetId = DataSetId.idOf(address(dataSets), commitments[0]);
        if (dataSetId != grant.dataSetId) revert PrepaidLock_WrongKey(lockId, dataSetId);
        bool isValid;
        (isValid, seed) = ShareCheck.verify(grant, deliveryKeys, shares, commitments);
        if (!isValid) revert PrepaidLock_BadShares(lockId);
    }
}
