// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {ICreditBook} from "../interfaces/ICreditBook.sol";
import {IDataLedger} from "../interfaces/IDataLedger.sol";
import {IMemberRegistry, Role} from "../interfaces/IMemberRegistry.sol";
import {IPrepaidLock, Lock, LockState, Reason, RequestOrder, SharingOrder} from "../interfaces/IPrepaidLock.sol";
import {IRequestCatalogue, RequestType, SharingTerms} from "../interfaces/IRequestCatalogue.sol";
import {BLS} from "./libraries/BLS.sol";
import {G1Point, G2Point} from "./libraries/BN254.sol";
import {DomainTags} from "./libraries/DomainTags.sol";
import {LockLifecycle} from "./libraries/LockLifecycle.sol";
import {ShareCheck, ShareGrant} from "./libraries/ShareCheck.sol";
import {Wiring} from "./libraries/Wiring.sol";

/// @title PrepaidLock
/// @notice See {IPrepaidLock}; the lifecycle is drawn in {LockLifecycle}.
/// @dev Who can stop what: the consortium, by revoking members and closing types, what begins (request, accept, openSharing
/// through the market). Nobody anything that has begun: it reads no role, no price and no parameter again.
/// What it assumes: the other five contracts are this system's own; none of them calls back here in mid-call but the market,
/// which is bound to {openSharing}, {holdApplication} and {releaseApplication}.
/// It takes no ether but by its payable functions; what is forced upon it (a dying contract, a block reward) belongs to nobody.
contract PrepaidLock is IPrepaidLock {
    using LockLifecycle for Lock;

    /// @notice Longest sealed message or answer, in bytes.
    uint256 public constant MAX_SEALED_BYTES = 32 * 1024;

    IMemberRegistry public immutable registry;
    IRequestCatalogue public immutable catalogue;
    IDataLedger public immutable ledger;
    ICreditBook public immutable credit;
    address public immutable market;

    /// @inheritdoc IPrepaidLock
    mapping(address account => uint256 amountWei) public withdrawableOf;
    /// @inheritdoc IPrepaidLock
    mapping(bytes32 broadcastId => uint96 amountWei) public applicationOf;
    /// @inheritdoc IPrepaidLock
    uint256 public liabilitiesWei;

    mapping(bytes32 lockId => Lock) private _locks;
    // By payee: C names its payee, so that whoever copies it from the mempool neither profits nor blocks it.
    mapping(address payee => mapping(bytes32 secretHash => bool)) private _isUsed;

    /// @dev Calls nobody: the market's and the credit book's addresses may be predictions.
    constructor(
        IMemberRegistry registry_,
        IRequestCatalogue catalogue_,
        IDataLedger ledger_,
        ICreditBook credit_,
        address market_
    ) {
        registry = IMemberRegistry(Wiring.requireContract(address(registry_)));
        catalogue = IRequestCatalogue(Wiring.requireContract(address(catalogue_)));
        ledger = IDataLedger(Wiring.requireContract(address(ledger_)));
        credit = ICreditBook(Wiring.requireAddress(address(credit_)));
        market = Wiring.requireAddress(market_);
    }

    modifier onlyMarket() {
        if (msg.sender != market) revert PrepaidLock_NotMarket(msg.sender);
        _;
    }

    modifier onlyPayee(bytes32 lockId) {
        if (msg.sender != _locks[lockId].payee) revert PrepaidLock_NotPayee(lockId, msg.sender);
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
        RequestType memory terms = catalogue.typeOf(order.typeId);
        if (!terms.active) revert PrepaidLock_UnknownType(order.typeId);
        if (msg.value != terms.priceWei) revert PrepaidLock_WrongValue(msg.value, terms.priceWei);
        _checkTime(order.expiresAt, terms.shortestSeconds);
        _checkMessage(order.messageDigest, order.messageLength);
        lockId = _freshLockId(msg.sender, order.nonce);
        _checkSignature(lockId, msg.sender, _requestMessage(order), DomainTags.REQUEST, signature);

        Lock storage lock = _locks[lockId];
        lock.payer = msg.sender;
        lock.state = LockState.Requested;
        lock.expiresAt = order.expiresAt;
        lock.payee = order.processor;
        lock.priceWei = terms.priceWei;
        lock.disputeWindowSeconds = terms.disputeWindowSeconds;
        lock.subject = bytes32(uint256(order.typeId));
        liabilitiesWei += msg.value;

        emit Requested(lockId, msg.sender, order.processor, terms.priceWei, order, signature);
    }

    /// @inheritdoc IPrepaidLock
    function reject(bytes32 lockId, Reason reason) external onlyPayee(lockId) {
        Lock storage lock = _locks[lockId];
        lock.reject(lockId);
        if (reason == Reason.None) revert PrepaidLock_BadReason(reason);
        withdrawableOf[lock.payer] += lock.priceWei;

        emit Rejected(lockId, lock.payer, lock.payee, reason);
    }

    /// @inheritdoc IPrepaidLock
    function accept(bytes32 lockId, bytes32 secretHash, bytes32 answerDigest, uint32 answerLength)
        external
        onlyPayee(lockId)
    {
        if (!registry.isActive(msg.sender, Role.Processor)) revert PrepaidLock_NotProcessor(msg.sender);
        Lock storage lock = _locks[lockId];
        lock.accept(lockId);
        if (secretHash == 0 || _isUsed[msg.sender][secretHash]) revert PrepaidLock_SecretHashUsed(secretHash);
        if (answerDigest == 0 || answerLength == 0 || answerLength > MAX_SEALED_BYTES) {
            revert PrepaidLock_BadAnswer(answerDigest, answerLength);
        }
        _isUsed[msg.sender][secretHash] = true;
        lock.binding = secretHash;
        lock.answerDigest = answerDigest;

        emit Accepted(lockId, lock.payer, msg.sender, secretHash, answerDigest, answerLength);
    }

    /// @inheritdoc IPrepaidLock
    function claim(bytes32 lockId, bytes32 secret) external {
        Lock storage lock = _locks[lockId];
        lock.claim(lockId);
        if (sha256(abi.encode(lock.payee, secret)) != lock.binding) revert PrepaidLock_BadSecret(lockId);

        emit Claimed(lockId, lock.payer, lock.payee, secret, lock.settleAt);

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
        SharingTerms memory terms = catalogue.sharingTerms();
        _checkTime(order.expiresAt, terms.shortestSeconds);
        _checkMessage(order.messageDigest, order.messageLength);
        lockId = _freshLockId(order.payer, order.nonce);
        _checkSignature(lockId, order.payer, _sharingMessage(order), DomainTags.SHARING, signature);

        Lock storage lock = _locks[lockId];
        lock.payer = order.payer;
        lock.state = LockState.Selected;
        lock.expiresAt = order.expiresAt;
        lock.payee = order.payee;
        lock.priceWei = order.priceWei;
        lock.disputeWindowSeconds = terms.disputeWindowSeconds;
        lock.threshold = order.threshold;
        lock.groupSize = order.groupSize;
        lock.subject = order.dataSetId;
        lock.binding = order.groupHash;
        liabilitiesWei += msg.value;

        emit Selected(lockId, order.payer, order.payee, order, signature);
    }

    /// @inheritdoc IPrepaidLock
    function decline(bytes32 lockId, Reason reason) external onlyPayee(lockId) {
        Lock storage lock = _locks[lockId];
        lock.decline(lockId);
        if (reason == Reason.None) revert PrepaidLock_BadReason(reason);
        withdrawableOf[lock.payer] += lock.priceWei;

        emit Declined(lockId, lock.payer, lock.payee, reason);
    }

    /// @inheritdoc IPrepaidLock
    function deliver(
        bytes32 lockId,
        address[] calldata accounts,
        G1Point[] calldata deliveryKeys,
        G2Point[] calldata commitments,
        G1Point[] calldata shares
    ) external {
        Lock storage lock = _locks[lockId];
        lock.deliver(lockId);
        if (keccak256(abi.encode(accounts, deliveryKeys)) != lock.binding) revert PrepaidLock_WrongGroup(lockId);
        _checkShares(lockId, lock, deliveryKeys, commitments, shares);

        emit Delivered(lockId, lock.payer, lock.payee, commitments, shares, lock.settleAt);

        if (lock.disputeWindowSeconds == 0) settle(lockId);
    }

    /*//////////////////////////////////////////////////////////////
                                THE END
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IPrepaidLock
    function settle(bytes32 lockId) public {
        Lock storage lock = _locks[lockId];
        lock.settle(lockId);
        (address payee, uint96 priceWei) = (lock.payee, lock.priceWei);
        withdrawableOf[payee] += priceWei;

        emit Settled(lockId, lock.payer, payee, priceWei);

        credit.recordSuccess(payee, lockId);
    }

    /// @inheritdoc IPrepaidLock
    function refund(bytes32 lockId) external {
        Lock storage lock = _locks[lockId];
        bool broken = lock.refund(lockId);
        (address payer, address payee, uint96 priceWei) = (lock.payer, lock.payee, lock.priceWei);
        withdrawableOf[payer] += priceWei;

        emit Refunded(lockId, payer, payee, priceWei);

        if (broken) credit.recordFailure(payee, lockId);
    }

    /// @inheritdoc IPrepaidLock
    /// @dev Needs no reentrancy guard: the sum is zeroed and the counter lowered before the only call in this contract that reaches
    /// foreign code, and no other function leaves a half-done state behind such a call. A receiver that re-enters
    /// finds the state that every later caller will find; one that reverts keeps its own money here and harms nobody else.
    function withdrawFor(address account) external {
        uint256 amountWei = withdrawableOf[account];
        if (amountWei == 0) revert PrepaidLock_NothingToWithdraw(account);
        withdrawableOf[account] = 0;
        liabilitiesWei -= amountWei;

        emit Withdrawn(account, msg.sender, amountWei);

        bool sent;
        // In assembly, because Solidity would copy what the receiver returns, at the caller's cost.
        assembly ("memory-safe") {
            sent := call(gas(), account, amountWei, 0, 0, 0, 0)
        }
        if (!sent) revert PrepaidLock_TransferFailed(account, amountWei);
    }

    /*//////////////////////////////////////////////////////////////
                    THE MARKET'S APPLICATION DEPOSITS
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IPrepaidLock
    function holdApplication(bytes32 broadcastId, address payer) external payable onlyMarket {
        uint96 amountWei = SafeCast.toUint96(msg.value);
        applicationOf[broadcastId] += amountWei;
        liabilitiesWei += amountWei;

        emit ApplicationHeld(broadcastId, payer, amountWei);
    }

    /// @inheritdoc IPrepaidLock
    function releaseApplication(bytes32 broadcastId, address[] calldata to, uint96[] calldata amountsWei)
        external
        onlyMarket
    {
        uint256 heldWei = applicationOf[broadcastId];
        applicationOf[broadcastId] = 0;
        uint256 releasedWei;
        for (uint256 i = 0; i < to.length; ++i) {
            releasedWei += amountsWei[i];
            withdrawableOf[to[i]] += amountsWei[i];

            emit ApplicationReleased(broadcastId, to[i], amountsWei[i]);
        }
        if (releasedWei != heldWei) revert PrepaidLock_WrongRelease(broadcastId, heldWei, releasedWei);
    }

    /*//////////////////////////////////////////////////////////////
                                 VIEWS
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IPrepaidLock
    function lockIdOf(address payer, bytes32 nonce) public view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), payer, nonce));
    }

    /// @inheritdoc IPrepaidLock
    function lockOf(bytes32 lockId) external view returns (Lock memory) {
        return _locks[lockId];
    }

    /*//////////////////////////////////////////////////////////////
                                 CHECKS
    //////////////////////////////////////////////////////////////*/

    function _checkParties(address processor) private view {
        (Role role, bytes32 regionId) = registry.activeRoleOf(msg.sender);
        if (role != Role.User) revert PrepaidLock_NotUser(msg.sender);
        (Role servingRole, bytes32 servedRegionId) = registry.activeRoleOf(processor);
        if (servingRole != Role.Processor) revert PrepaidLock_NotProcessor(processor);
        if (servedRegionId != regionId) revert PrepaidLock_WrongRegion(msg.sender, processor);
    }

    /// @dev A shortest time, or a requester could ruin a node's credit with T = now + 1.
    function _checkTime(uint256 expiresAt, uint256 shortestSeconds) private view {
        uint256 earliestAt = block.timestamp + shortestSeconds;
        if (expiresAt < earliestAt) revert PrepaidLock_TooLittleTime(expiresAt, earliestAt);
    }

    function _checkMessage(bytes32 digest, uint32 length) private pure {
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
        if (!BLS.verify(registry.blsKeyOf(signer), message, tag, signature)) revert PrepaidLock_BadSignature(lockId);
    }

    /// @dev docs/formats.md §1, REQUEST.
    function _requestMessage(RequestOrder calldata order) private view returns (bytes memory) {
        return abi.encode(
            block.chainid,
            address(this),
            msg.sender,
            order.processor,
            order.typeId,
            order.messageDigest,
            order.messageLength,
            order.nonce,
            order.signedAt,
            order.expiresAt
        );
    }

    /// @dev docs/formats.md §1, SHARING; static words, so two encodings joined are the encoding of all.
    function _sharingMessage(SharingOrder calldata order) private view returns (bytes memory) {
        return bytes.concat(
            abi.encode(block.chainid, address(this), order.payer, order.payee, order.broadcastId, order.dataSetId),
            abi.encode(
                order.messageDigest,
                order.messageLength,
                order.nonce,
                order.signedAt,
                order.expiresAt,
                order.groupHash
            )
        );
    }

    function _checkShares(
        bytes32 lockId,
        Lock storage lock,
        G1Point[] calldata deliveryKeys,
        G2Point[] calldata commitments,
        G1Point[] calldata shares
    ) private view {
        (bytes32 dataSetId, uint256 threshold) = (lock.subject, lock.threshold);
        if (commitments.length != threshold) {
            revert ShareCheck.ShareCheck_CommitmentCount(threshold, commitments.length);
        }
        bytes32 keyHash = keccak256(abi.encode(commitments[0]));
        if (keyHash != ledger.keyHashOf(dataSetId)) revert PrepaidLock_WrongKey(lockId, keyHash);
        ShareGrant memory grant = ShareGrant(address(this), lockId, dataSetId, threshold);
        if (!ShareCheck.verify(grant, deliveryKeys, shares, commitments)) revert PrepaidLock_BadShares(lockId);
    }
}
