// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {G1Point, G2Point} from "../contracts/libraries/BN254.sol";

/// @notice Where a lock stands. Rejected, Declined, Refunded, Settled and Slashed are terminal.
/// Request: None → Requested → {Rejected | Refunded | Accepted}, Accepted → {Claimed | Refunded}, Claimed → Settled.
/// Sharing: None → Selected → {Declined | Refunded | Delivered}, Delivered → Settled.
/// Demanded, Disputed and Slashed have their place here and no way in yet (docs/known-limits.md).
enum LockState {
    None,
    Requested,
    Rejected,
    Accepted,
    Claimed,
    Selected,
    Declined,
    Delivered,
    Settled,
    Refunded,
    Demanded,
    Disputed,
    Slashed
}

/// @notice Why a processing node rejects or declines.
enum Reason {
    None,
    IdNotRecognised,
    MessageUnreadable,
    WindowUnavailable,
    AnswerTooLarge,
    TooLittleTime,
    MemberNotAcceptable,
    NotServed
}

/// @notice A lock as stored.
/// @param payer Who paid and gets a refund.
/// @param payee The processing node that is paid on success.
/// @param state Where it stands.
/// @param expiresAt T: success iff now < T, refund iff now ≥ T.
/// @param settleAt When a claimed or delivered lock may be settled; 0 before.
/// @param disputeWindowSeconds The window under which the lock began.
/// @param priceWei The prepayment.
/// @param subject typeId of a request (left-padded), data set id of a sharing lock.
/// @param binding Request: 0, then C once accepted. Sharing: groupHash.
/// @param answerDigest SHA-256 (and CID) of the doubly sealed answer of an accepted request, else 0.
/// @param threshold,groupSize t and n of a sharing lock, else 0.
struct Lock {
    address payer;
    LockState state;
    uint40 expiresAt;
    uint40 settleAt;
    address payee;
    uint96 priceWei;
    uint32 disputeWindowSeconds;
    uint8 threshold;
    uint8 groupSize;
    bytes32 subject;
    bytes32 binding;
    bytes32 answerDigest;
}

/// @notice A user's request R (protocol §3), without its payer, who is the caller.
/// @param processor The user's local node.
/// @param typeId The request type.
/// @param messageLength Length of the sealed message M, at most 32 KiB.
/// @param signedAt The requester's timestamp; signed and recorded, not compared with the block's time.
/// @param expiresAt T.
/// @param messageDigest SHA-256 (and CID) of the sealed message M.
/// @param nonce Fresh for the payer.
struct RequestOrder {
    address processor;
    uint32 typeId;
    uint32 messageLength;
    uint64 signedAt;
    uint40 expiresAt;
    bytes32 messageDigest;
    bytes32 nonce;
}

/// @notice One selection of a sharing node, passed on by the market, which has checked member, group and response.
struct SharingOrder {
    address payer;
    address payee;
    bytes32 broadcastId;
    bytes32 dataSetId;
    bytes32 groupHash;
    uint8 threshold;
    uint8 groupSize;
    uint96 priceWei;
    uint32 messageLength;
    uint64 signedAt;
    uint40 expiresAt;
    bytes32 messageDigest;
    bytes32 nonce;
}

/// @title IPrepaidLock
/// @notice Holds all money: prepayments with a hash-lock (a user's request) or a share-lock (data sharing), and a market
/// application's deposit. Money leaves only by {withdrawFor}, to the account it belongs to.
/// What ends a lock depends on the lock and the time alone and can be stopped by nobody.
interface IPrepaidLock {
    /// @notice Emitted when a request was paid.
    event Requested(
        bytes32 indexed lockId, address indexed payer, address indexed payee, uint96 priceWei, RequestOrder order, G1Point signature
    );
    /// @notice Emitted when the node rejected; the prepayment is withdrawable by the payer.
    event Rejected(bytes32 indexed lockId, address indexed payer, address indexed payee, Reason reason);
    /// @notice Emitted when the node committed to its answer.
    event Accepted(
        bytes32 indexed lockId, address indexed payer, address indexed payee, bytes32 secretHash, bytes32 answerDigest, uint32 answerLength
    );
    /// @notice Emitted when the secret opened the lock.
    event Claimed(bytes32 indexed lockId, address indexed payer, address indexed payee, bytes32 secret, uint40 settleAt);
    /// @notice Emitted when a sharing node selected and paid.
    event Selected(
        bytes32 indexed lockId, address indexed payer, address indexed payee, SharingOrder order, G1Point signature
    );
    /// @notice Emitted when the node declined; the prepayment is withdrawable by the payer.
    event Declined(bytes32 indexed lockId, address indexed payer, address indexed payee, Reason reason);
    /// @notice Emitted when a valid transcript was delivered: the broadcast channel of the sharing (paper §V.C).
    event Delivered(
        bytes32 indexed lockId, address indexed payer, address indexed payee, G2Point[] commitments, G1Point[] shares, uint40 settleAt
    );
    /// @notice Emitted when the price became withdrawable by the payee.
    event Settled(bytes32 indexed lockId, address indexed payer, address indexed payee, uint96 priceWei);
    /// @notice Emitted when the prepayment became withdrawable by the payer because T passed.
    event Refunded(bytes32 indexed lockId, address indexed payer, address indexed payee, uint96 priceWei);
    /// @notice Emitted when a market application's deposit was taken in.
    event ApplicationHeld(bytes32 indexed broadcastId, address indexed payer, uint96 amountWei);
    /// @notice Emitted when a part of it became withdrawable.
    event ApplicationReleased(bytes32 indexed broadcastId, address indexed to, uint96 amountWei);
    /// @notice Emitted when money left.
    event Withdrawn(address indexed account, address indexed by, uint256 amountWei);

    error PrepaidLock_NotUser(address caller);
    error PrepaidLock_NotProcessor(address account);
    error PrepaidLock_WrongRegion(address payer, address processor);
    error PrepaidLock_UnknownType(uint32 typeId);
    error PrepaidLock_WrongValue(uint256 sentWei, uint256 priceWei);
    error PrepaidLock_TooLittleTime(uint256 expiresAt, uint256 earliestAt);
    error PrepaidLock_BadMessage(bytes32 messageDigest, uint32 messageLength);
    error PrepaidLock_NonceUsed(bytes32 lockId);
    error PrepaidLock_BadSignature(bytes32 lockId);
    error PrepaidLock_NotMarket(address caller);
    error PrepaidLock_NotPayee(bytes32 lockId, address caller);
    /// @notice The lock is not in a state this call works from.
    error PrepaidLock_WrongState(bytes32 lockId, LockState state);
    error PrepaidLock_Expired(bytes32 lockId, uint256 expiresAt, uint256 nowAt);
    error PrepaidLock_NotExpired(bytes32 lockId, uint256 expiresAt, uint256 nowAt);
    error PrepaidLock_SecretHashUsed(bytes32 secretHash);
    error PrepaidLock_BadAnswer(bytes32 answerDigest, uint32 answerLength);
    error PrepaidLock_BadSecret(bytes32 lockId);
    error PrepaidLock_TooEarly(bytes32 lockId, uint256 settleAt, uint256 nowAt);
    error PrepaidLock_WrongGroup(bytes32 lockId);
    error PrepaidLock_WrongKey(bytes32 lockId, bytes32 keyHash);
    error PrepaidLock_BadShares(bytes32 lockId);
    error PrepaidLock_BadReason(Reason reason);
    error PrepaidLock_WrongRelease(bytes32 broadcastId, uint256 heldWei, uint256 releasedWei);
    error PrepaidLock_NothingToWithdraw(address account);
    error PrepaidLock_TransferFailed(address account, uint256 amountWei);

    // ---- a user's request ----

    /// @notice Prepays a request. Everything is checked before the money is taken; what fails reverts, so nothing was paid.
    /// @dev Requirements, in this order: caller is an active user; the processor is active; it serves the caller's region; the type
    /// is open; value equals the price; expiresAt − now ≥ the type's shortest; digest and length sound; nonce fresh; σ verifies.
    /// @return lockId See {lockIdOf}.
    function request(RequestOrder calldata order, G1Point calldata signature) external payable returns (bytes32 lockId);

    /// @notice Refuses a request with a reason; the full prepayment goes back. Credit is unchanged.
    /// @dev Requirements: caller is the payee; state Requested; reason not None.
    function reject(bytes32 lockId, Reason reason) external;

    /// @notice Commits to an answer.
    /// @dev Requirements: caller is the payee and an active processor; state Requested; now < T; secretHash C = SHA256(abi.encode(payee, x))
    /// was never used by this payee and is not zero; digest not zero; 0 < length ≤ 32 KiB. Uniqueness is by (payee, C): C names its payee, so another
    /// node that copies it from the mempool could never claim with it, and must not be able to block it either.
    function accept(bytes32 lockId, bytes32 secretHash, bytes32 answerDigest, uint32 answerLength) external;

    /// @notice Opens the hash-lock. Anyone may relay; the right is the payee's.
    /// @dev Requirements: state Accepted; now < T; SHA256(abi.encode(payee, secret)) = C. With a window of 0 it settles at once.
    function claim(bytes32 lockId, bytes32 secret) external;

    // ---- data sharing ----

    /// @notice Opens a sharing lock for the market.
    /// @dev Requirements: caller is the market; value equals the price; expiresAt − now ≥ the sharing terms' shortest; digest and length sound;
    /// nonce fresh; σ_s (SHARING tag) verifies under the payer's BLS key.
    function openSharing(SharingOrder calldata order, G1Point calldata signature) external payable returns (bytes32 lockId);

    /// @notice Declines before T at no cost.
    /// @dev Requirements: caller is the payee; state Selected; now < T; reason not None.
    function decline(bytes32 lockId, Reason reason) external;

    /// @notice Delivers the key's shares; the contract checks all of them at once (docs/formats.md §2). Anyone may relay.
    /// @dev Requirements: state Selected; now < T; keccak256(abi.encode(accounts, deliveryKeys)) is the lock's groupHash; t commitments, n shares;
    /// keccak256(abi.encode(commitments[0])) is the data set's keyHash; the transcript verifies. With a window of 0 it settles at once.
    function deliver(
        bytes32 lockId,
        address[] calldata accounts,
        G1Point[] calldata deliveryKeys,
        G2Point[] calldata commitments,
        G1Point[] calldata shares
    ) external;

    // ---- the end ----

    /// @notice Makes the price withdrawable by the payee and raises its credit. Anyone may call.
    /// @dev Requirements: state Claimed or Delivered; now ≥ settleAt.
    function settle(bytes32 lockId) external;

    /// @notice Gives the prepayment back because T passed. Anyone may call. From Accepted or Selected the payee's credit falls.
    /// @dev Requirements: state Requested, Accepted or Selected; now ≥ T.
    function refund(bytes32 lockId) external;

    /// @notice Sends an account what is its own. Anyone may call; the money goes to the account.
    function withdrawFor(address account) external;

    // ---- the market's application deposits ----

    /// @notice Takes in an application deposit. Only the market.
    function holdApplication(bytes32 broadcastId, address payer) external payable;

    /// @notice Releases a held deposit whole, in parts. Only the market; the parts must sum up to what is held.
    function releaseApplication(bytes32 broadcastId, address[] calldata to, uint96[] calldata amountsWei) external;

    // ---- views ----

    /// @notice keccak256(abi.encode(chainId, this, payer, nonce)).
    function lockIdOf(address payer, bytes32 nonce) external view returns (bytes32);

    function lockOf(bytes32 lockId) external view returns (Lock memory);

    /// @notice What an account may withdraw.
    function withdrawableOf(address account) external view returns (uint256);

    /// @notice The deposit held for a broadcast.
    function applicationOf(bytes32 broadcastId) external view returns (uint96);

    /// @notice All the contract owes: open prepayments, held deposits, withdrawable sums. Never above its balance.
    function liabilitiesWei() external view returns (uint256);
}
