// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {ICreditBook} from "../../interfaces/ICreditBook.sol";
import {IDataSetBook} from "../../interfaces/IDataSetBook.sol";
import {IDisputeCourt} from "../../interfaces/IDisputeCourt.sol";
import {Dispute, IPrepaidLock, Lock, LockState} from "../../interfaces/IPrepaidLock.sol";
import {IRequestCatalogue, Rules} from "../../interfaces/IRequestCatalogue.sol";
import {LockLifecycle} from "../libraries/LockLifecycle.sol";
import {Wiring} from "../libraries/Wiring.sol";
import {Purse} from "./Purse.sol";
import {G1Point} from "../types/Points.sol";

/// @title LockEnding
/// @notice How a lock of {PrepaidLock} ends: settled, refunded, slashed, and the demand or dispute in between; the lifecycle is drawn in {LockLifecycle}.
/// @dev Reads the lock, the time and the rules of the lock's version alone: no role, no price, no stop. The court is called to open a case and calls to
/// decide it; the book of data sets is told what owners get of a price, the credit book each end that counts, and neither ever refuses.
abstract contract LockEnding is Purse {
    using LockLifecycle for Lock;

    /// @notice Longest sealed message, answer or evidence, in bytes.
    uint256 public constant MAX_SEALED_BYTES = 32 * 1024;
    /// @notice The most locks of one {endMany}.
    uint256 public constant MOST_ENDED = 64;
    /// @notice What a part is of, in fees and bonds.
    uint256 public constant BPS = 10_000;
    /// @notice The most disputes that an account may have open: more than judges can look at would end undecided, which gives the goods away.
    uint256 public constant MOST_DISPUTES = 3;
    /// @notice The gas of serving that is paid: less than a transaction takes without the bytes, and than a byte takes at least, a zero (4 as calldata, 8 in the log).
    uint256 public constant SERVE_BASE_GAS = 40_000;
    uint256 public constant SERVE_BYTE_GAS = 12;

    IRequestCatalogue public immutable catalogue;
    IDataSetBook public immutable dataSets;
    ICreditBook public immutable credit;
    IDisputeCourt public immutable court;
    /// @notice Who gets the fees: the consortium.
    address public immutable treasury;

    mapping(bytes32 lockId => Lock) internal _locks;
    mapping(bytes32 lockId => Dispute) private _disputes;
    /// @inheritdoc IPrepaidLock
    mapping(address account => uint256 count) public openDisputesOf;

    /// @param credit_,court_ May be predictions: they are not called here.
    constructor(
        IRequestCatalogue catalogue_,
        IDataSetBook dataSets_,
        ICreditBook credit_,
        IDisputeCourt court_,
        address treasury_
    ) {
        catalogue = IRequestCatalogue(Wiring.requireContract(address(catalogue_)));
        dataSets = IDataSetBook(Wiring.requireContract(address(dataSets_)));
        credit = ICreditBook(Wiring.requireAddress(address(credit_)));
        court = IDisputeCourt(Wiring.requireAddress(address(court_)));
        treasury = Wiring.requireContract(treasury_);
    }

    /*//////////////////////////////////////////////////////////////
                        WITHHELD, OR WRONG: DISPUTES
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IPrepaidLock
    function demand(bytes32 lockId) external payable {
        Lock storage lock = _locks[lockId];
        Rules memory rules = _rulesOf(lock);
        lock.demand(lockId, rules.serveSeconds);
        if (msg.sender != lock.payer) revert PrepaidLock_NotParty(lockId, msg.sender);
        uint96 depositWei = _demandWei(lock, rules);
        if (msg.value != depositWei) revert PrepaidLock_WrongValue(msg.value, depositWei);
        liabilitiesWei += depositWei;

        emit Demanded(lockId, msg.sender, lock.payee, depositWei, lock.dueAt);
    }

    /// @inheritdoc IPrepaidLock
    function serve(bytes32 lockId, bytes calldata answer) external {
        Lock storage lock = _locks[lockId];
        lock.serve(lockId);
        // The length first: it bounds what is hashed and logged.
        bytes32 digest = answer.length == lock.answerLength ? sha256(answer) : bytes32(0);
        if (digest != lock.answerDigest) revert PrepaidLock_WrongAnswer(lockId, digest);
        uint256 depositWei = demandWeiOf(lockId);
        uint256 paidWei = Math.min(block.basefee * serveGasOf(answer.length), depositWei);
        _owe(lock.payee, paidWei);
        _owe(lock.payer, depositWei - paidWei);

        emit Served(lockId, lock.payer, lock.payee, uint96(paidWei), answer, lock.dueAt);
    }

    /// @inheritdoc IPrepaidLock
    function slash(bytes32 lockId) public {
        Lock storage lock = _locks[lockId];
        lock.slash(lockId);
        _owe(lock.payer, demandWeiOf(lockId));
        _payBack(lockId, lock, 0);
    }

    /// @inheritdoc IPrepaidLock
    function dispute(bytes32 lockId, bytes32 evidenceDigest, uint32 evidenceLength) external payable {
        Lock storage lock = _locks[lockId];
        Rules memory rules = _rulesOf(lock);
        lock.dispute(lockId, rules.decideSeconds);
        if (msg.sender != lock.payer) revert PrepaidLock_NotParty(lockId, msg.sender);
        _openDispute(lockId, lock, rules, evidenceDigest, evidenceLength);
    }

    /// @inheritdoc IPrepaidLock
    function disputeAsMember(
        bytes32 lockId,
        address[] calldata accounts,
        G1Point[] calldata deliveryKeys,
        bytes32 evidenceDigest,
        uint32 evidenceLength
    ) external payable {
        Lock storage lock = _locks[lockId];
        Rules memory rules = _rulesOf(lock);
        lock.dispute(lockId, rules.decideSeconds);
        _checkGroup(lockId, lock, accounts, deliveryKeys);
        bool isMember;
        for (uint256 i = 0; i < accounts.length; ++i) {
            if (accounts[i] == msg.sender) isMember = true;
        }
        if (!isMember) revert PrepaidLock_NotParty(lockId, msg.sender);
        _openDispute(lockId, lock, rules, evidenceDigest, evidenceLength);
    }

    /// @inheritdoc IPrepaidLock
    function decide(bytes32 lockId, bool forPayer) external {
        if (msg.sender != address(court)) revert PrepaidLock_NotCourt(msg.sender);
        Lock storage lock = _locks[lockId];
        lock.decide(lockId, forPayer);
        Dispute memory closed = _closeDispute(lockId);
        if (forPayer) {
            _owe(closed.by, closed.bondWei);
            _payBack(lockId, lock, _feeOf(lock));
        } else {
            _payOut(lockId, lock, closed.bondWei);
        }
    }

    function _closeDispute(bytes32 lockId) private returns (Dispute memory closed) {
        closed = _disputes[lockId];
        --openDisputesOf[closed.by];
    }

    function _openDispute(
        bytes32 lockId,
        Lock storage lock,
        Rules memory rules,
        bytes32 evidenceDigest,
        uint32 evidenceLength
    ) private {
        if (evidenceDigest == 0 || evidenceLength == 0 || evidenceLength > MAX_SEALED_BYTES) {
            revert PrepaidLock_BadEvidence(evidenceDigest, evidenceLength);
        }
        uint96 bondWei = _disputeWei(lock, rules);
        if (msg.value != bondWei) revert PrepaidLock_WrongValue(msg.value, bondWei);
        if (++openDisputesOf[msg.sender] > MOST_DISPUTES) revert PrepaidLock_TooManyDisputes(msg.sender, MOST_DISPUTES);
        _disputes[lockId] = Dispute(msg.sender, bondWei);
        liabilitiesWei += bondWei;

        emit Disputed(lockId, lock.payee, msg.sender, bondWei, evidenceDigest, evidenceLength, lock.dueAt);

        court.open(lockId, lock.dueAt);
    }

    /*//////////////////////////////////////////////////////////////
                                THE END
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IPrepaidLock
    function settle(bytes32 lockId) public {
        Lock storage lock = _locks[lockId];
        lock.settle(lockId);
        _payOut(lockId, lock, 0);
    }

    /// @inheritdoc IPrepaidLock
    function refund(bytes32 lockId) public {
        Lock storage lock = _locks[lockId];
        LockState from = lock.refund(lockId);
        (address payer, address payee, uint96 priceWei) = (lock.payer, lock.payee, lock.priceWei);
        _owe(payer, priceWei);
        bool isBroken = from == LockState.Accepted || from == LockState.Selected;
        uint96 gainWei = isBroken ? lock.bondWei : 0;
        if (isBroken) {
            _forfeit(payee, gainWei, payer);
        } else if (from == LockState.Disputed) {
            Dispute memory closed = _closeDispute(lockId);
            _owe(closed.by, closed.bondWei);
            _free(payee, lock.bondWei);
        }

        emit Refunded(lockId, payer, payee, priceWei, gainWei);

        if (isBroken) credit.recordFailure(payee, lockId);
    }

    /// @inheritdoc IPrepaidLock
    function endMany(bytes32[] calldata lockIds) external returns (uint256 ended) {
        if (lockIds.length > MOST_ENDED) revert PrepaidLock_TooMany(lockIds.length, MOST_ENDED);
        for (uint256 i = 0; i < lockIds.length; ++i) {
            Lock storage lock = _locks[lockIds[i]];
            LockState state = lock.state;
            bool isPaid = state == LockState.Requested || state == LockState.Accepted || state == LockState.Selected;
            if (block.timestamp < (isPaid ? lock.expiresAt : lock.dueAt)) continue;
            if (isPaid || state == LockState.Disputed) refund(lockIds[i]);
            else if (state == LockState.Claimed || state == LockState.Delivered) settle(lockIds[i]);
            else if (state == LockState.Demanded) slash(lockIds[i]);
            else continue;
            ++ended;
        }
    }

    /// @dev The payee is paid; `gainWei` is the bond of a disputer who lost. What the division of the owners' part by rows leaves
    /// over goes with the fee.
    function _payOut(bytes32 lockId, Lock storage lock, uint96 gainWei) private {
        (address payer, address payee, uint96 priceWei) = (lock.payer, lock.payee, lock.priceWei);
        (uint96 feeWei, uint96 ownersWei) = (_feeOf(lock), _partOf(priceWei, lock.ownersBps));
        _owe(payee, uint256(priceWei) - feeWei - ownersWei + gainWei);
        if (ownersWei != 0) {
            uint96 restWei = uint96(dataSets.recordSale(lock.subject, ownersWei)); // at most the part
            (feeWei, ownersWei) = (feeWei + restWei, ownersWei - restWei);
        }
        _owe(treasury, feeWei);
        _free(payee, lock.bondWei);

        emit Settled(lockId, payer, payee, priceWei, feeWei, ownersWei, gainWei);

        credit.recordSuccess(payee, payer, feeWei, lockId);
    }

    /// @dev The payer gets its price back, and the payee's bond less what a verdict leaves to the consortium.
    function _payBack(bytes32 lockId, Lock storage lock, uint96 feeWei) private {
        (address payer, address payee, uint96 priceWei) = (lock.payer, lock.payee, lock.priceWei);
        uint96 gainWei = lock.bondWei - feeWei;
        _owe(payer, priceWei);
        _forfeit(payee, gainWei, payer);
        _forfeit(payee, feeWei, treasury);

        emit Slashed(lockId, payer, payee, priceWei, feeWei, gainWei);

        credit.recordFailure(payee, lockId);
    }

    function _feeOf(Lock storage lock) private view returns (uint96) {
        return _partOf(lock.priceWei, lock.feeBps); // never above the bond
    }

    function _partOf(uint96 priceWei, uint16 bps) private pure returns (uint96) {
        return uint96(uint256(priceWei) * bps / BPS); // never above the price
    }

    /*//////////////////////////////////////////////////////////////
                                 VIEWS
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IPrepaidLock
    function lockOf(bytes32 lockId) external view returns (Lock memory) {
        return _locks[lockId];
    }

    /// @inheritdoc IPrepaidLock
    function disputeOf(bytes32 lockId) external view returns (Dispute memory) {
        return _disputes[lockId];
    }

    /// @inheritdoc IPrepaidLock
    function demandWeiOf(bytes32 lockId) public view returns (uint96) {
        Lock storage lock = _locks[lockId];
        return _demandWei(lock, _rulesOf(lock));
    }

    /// @inheritdoc IPrepaidLock
    function serveGasOf(uint256 answerLength) public pure returns (uint256) {
        return SERVE_BASE_GAS + SERVE_BYTE_GAS * answerLength;
    }

    /// @inheritdoc IPrepaidLock
    function disputeWeiOf(bytes32 lockId) public view returns (uint96) {
        Lock storage lock = _locks[lockId];
        return _disputeWei(lock, _rulesOf(lock));
    }

    function _demandWei(Lock storage lock, Rules memory rules) private view returns (uint96) {
        return uint96(serveGasOf(lock.answerLength) * rules.serveGasWei); // at most 2^20 times 2^64
    }

    function _disputeWei(Lock storage lock, Rules memory rules) private view returns (uint96) {
        return uint96(Math.max(_partOf(lock.priceWei, rules.disputeBondBps), rules.disputeMinWei));
    }

    /*//////////////////////////////////////////////////////////////
                                 CHECKS
    //////////////////////////////////////////////////////////////*/

    function _rulesOf(Lock storage lock) internal view returns (Rules memory) {
        return catalogue.rulesAt(lock.rulesVersion);
    }

    function _checkGroup(
        bytes32 lockId,
        Lock storage lock,
        address[] calldata accounts,
        G1Point[] calldata deliveryKeys
    ) internal view {
        if (keccak256(abi.encode(accounts, deliveryKeys)) != lock.binding) revert PrepaidLock_WrongGroup(lockId);
    }
}
