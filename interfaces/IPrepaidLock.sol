// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {LockTerms} from "../contracts/types/LockTerms.sol";
import {G1Point, G2Point} from "../contracts/types/Points.sol";

/// @notice Where a lock stands. Rejected, Declined, Refunded, Settled and Slashed are terminal.
/// Request: None → Requested → {Rejected | Refunded | Accepted}, Accepted → {Claimed | Refunded}, Claimed → {Demanded | Disputed | Settled},
/// Demanded → {Claimed | Slashed}, Disputed → {Settled | Refunded | Slashed}.
/// Sharing: None → Selected → {Declined | Refunded | Delivered}, Delivered → {Disputed | Settled}, Disputed as above.
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
    NotServed,
    ConsentWithdrawn
}

/// @notice A lock as stored.
/// @param payer Who paid and gets a refund.
/// @param state Where it stands.
/// @param expiresAt T: success iff now < T, refund iff now ≥ T.
/// @param dueAt The deadline of the stage behind T, 0 before. Claimed, Delivered: disputes until then, settlement from then on. Demanded: the answer is
/// served until then, {slash} from then on. Disputed: the judges decide until then, {refund} from then on.
/// @param isDemanded Whether the sealed answer was demanded on chain: once a lock.
/// @param payee The processing node that is paid on success.
/// @param priceWei The prepayment.
/// @param disputeWindowSeconds The window under which the lock began.
/// @param threshold,groupSize t and n of a sharing lock, else 0.
/// @param answerLength The most bytes that the sealed answer of a request may have, and its length once accepted; 0 of a sharing lock.
/// @param feeBps The consortium's part of the price at settlement, in 1/10,000.
/// @param ownersBps The owners' part of the price at settlement of a sharing lock, in 1/10,000; 0 of a request.
/// @param rulesVersion The catalogue's rules under which the lock began ({IRequestCatalogue.rulesAt}).
/// @param bondWei What the payee puts up for this lock: from acceptance or selection until the end.
/// @param subject typeId of a request (left-padded), data set id of a sharing lock.
/// @param binding Request: 0, then C once accepted. Sharing: groupHash.
/// @param answerDigest SHA-256 (and CID) of the doubly sealed answer of an accepted request, else 0.
struct Lock {
    address payer;
    LockState state;
    uint40 expiresAt;
    uint40 dueAt;
    bool isDemanded;
    address payee;
    uint96 priceWei;
    uint32 disputeWindowSeconds;
    uint8 threshold;
    uint8 groupSize;
    uint16 answerLength;
    uint16 feeBps;
    uint16 ownersBps;
    uint32 rulesVersion;
    uint96 bondWei;
    bytes32 subject;
    bytes32 binding;
    bytes32 answerDigest;
}

/// @notice What a processing node has put up for its locks.
/// @param freeWei Backs no lock; its owner may take it.
/// @param heldWei Backs locks that have not ended.
/// @param freedAt When its owner last took some of it ({takeBond}), 0 if never.
struct Bond {
    uint96 freeWei;
    uint96 heldWei;
    uint40 freedAt;
}

/// @notice A running dispute.
/// @param by Who brought it: the payer, or a member of the group.
/// @param bondWei What it put up: it gets it back, or loses it to the payee.
struct Dispute {
    address by;
    uint96 bondWei;
}

/// @notice A user's request R (protocol §3), without its payer, who is the caller.
/// @param processor The user's local node.
/// @param typeId The request type.
/// @param messageLength Length of the sealed message M, at most 32 KiB.
/// @param signedAt The requester's timestamp; signed and recorded, not compared with the block's time.
/// @param expiresAt T.
/// @param messageDigest SHA-256 (and CID) of the sealed message M.
/// @param nonce Fresh for the payer.
/// @param terms What it is asked under.
struct RequestOrder {
    address processor;
    uint32 typeId;
    uint32 messageLength;
    uint64 signedAt;
    uint40 expiresAt;
    bytes32 messageDigest;
    bytes32 nonce;
    LockTerms terms;
}

/// @notice One selection of a sharing node, passed on by the market, which has checked member, group, response and the versions of its terms.
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
    LockTerms terms;
}

/// @notice A payee's leave to deliver a transcript for it: the secp256k1 signature of its account over
/// keccak256(abi.encode(keccak256("DMSM-V1-delivery"), seed)), where the seed is that of the share check (docs/formats.md §2). It binds chain, contract, lock, data
/// set, threshold and the whole transcript.
struct Authorisation {
    uint8 v;
    bytes32 r;
    bytes32 s;
}

/// @title IPrepaidLock
/// @notice Holds all money: prepayments with a hash-lock (a user's request) or a share-lock (data sharing), the bonds of processing
/// nodes and of disputes, the deposits of demands and of market applications. Money leaves only by {withdrawFor}, to the account it belongs to.
/// What ends a lock depends on the lock and the time alone and can be stopped by nobody; in a dispute the consortium's judges choose
/// between the two parties, what a party loses the other one gets, and the consortium's fee is the same whoever wins.
///
/// With W the dispute window, S the time to serve and D the time to decide of its rules, a request ends by T + W + S + W + D at the latest, a sharing lock
/// by T + W + D: by anybody's call of {refund}, {settle} or {slash}, one from any state (after {claim} or {deliver} by the payee or nobody).
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
    event Claimed(bytes32 indexed lockId, address indexed payer, address indexed payee, bytes32 secret, uint40 dueAt);
    /// @notice Emitted when a sharing node selected and paid.
    event Selected(
        bytes32 indexed lockId, address indexed payer, address indexed payee, SharingOrder order, G1Point signature
    );
    /// @notice Emitted when the node declined; the prepayment is withdrawable by the payer.
    event Declined(bytes32 indexed lockId, address indexed payer, address indexed payee, Reason reason);
    /// @notice Emitted when a valid transcript was delivered: the broadcast channel of the sharing (paper §V.C).
    event Delivered(
        bytes32 indexed lockId, address indexed payer, address indexed payee, G2Point[] commitments, G1Point[] shares, uint40 dueAt
    );
    /// @notice Emitted when the payer demanded the sealed answer on chain.
    event Demanded(
        bytes32 indexed lockId, address indexed payer, address indexed payee, uint96 depositWei, uint40 dueAt
    );
    /// @notice Emitted when the demanded answer was served: `answer` is the sealed answer itself.
    /// @param paidWei What the payee gets of the deposit for serving; the rest is the payer's again.
    event Served(
        bytes32 indexed lockId, address indexed payer, address indexed payee, uint96 paidWei, bytes answer, uint40 dueAt
    );
    /// @notice Emitted when a dispute was opened.
    /// @param by Who brought it.
    /// @param bondWei What it put up.
    /// @param evidenceDigest SHA-256 (and CID) of the evidence, sealed to each judge (docs/formats.md §16).
    event Disputed(
        bytes32 indexed lockId,
        address indexed payee,
        address indexed by,
        uint96 bondWei,
        bytes32 evidenceDigest,
        uint32 evidenceLength,
        uint40 dueAt
    );
    /// @notice Emitted when the price became withdrawable by the payee, less the fee, which the treasury may withdraw, and the
    /// owners' part, which they draw ({IDataSetBook.draw}); the lock's bond is free again.
    /// @param feeWei What the treasury gets: the fee, and what the division of the owners' part by rows leaves over.
    /// @param ownersWei What goes into the data set's pot; 0 of a request.
    /// @param gainWei The bond of a lost dispute, which the payee gets, else 0.
    event Settled(
        bytes32 indexed lockId,
        address indexed payer,
        address indexed payee,
        uint96 priceWei,
        uint96 feeWei,
        uint96 ownersWei,
        uint96 gainWei
    );
    /// @notice Emitted when the prepayment became withdrawable by the payer because T passed, or because the judges did not decide.
    /// @param gainWei The payee's bond, which the payer gets when the payee had taken the task on and let T pass, else 0.
    event Refunded(
        bytes32 indexed lockId, address indexed payer, address indexed payee, uint96 priceWei, uint96 gainWei
    );
    /// @notice Emitted when the prepayment became withdrawable by the payer because the payee did not serve, or lost a dispute.
    /// @param feeWei What a verdict leaves to the consortium of the payee's bond; 0 without one.
    /// @param gainWei The rest of the payee's bond, which the payer gets.
    event Slashed(
        bytes32 indexed lockId, address indexed payer, address indexed payee, uint96 priceWei, uint96 feeWei, uint96 gainWei
    );
    /// @notice Emitted when an account's bond grew by a payment.
    event BondAdded(address indexed account, address indexed by, uint96 amountWei);
    /// @notice Emitted when an account took free bond: it is withdrawable now.
    event BondTaken(address indexed account, uint96 amountWei);
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
    /// @notice T is so far away that the prepayment would be forgotten.
    error PrepaidLock_TooMuchTime(uint256 expiresAt, uint256 latestAt);
    error PrepaidLock_BadMessage(bytes32 messageDigest, uint32 messageLength);
    error PrepaidLock_NonceUsed(bytes32 lockId);
    error PrepaidLock_BadSignature(bytes32 lockId);
    error PrepaidLock_NotMarket(address caller);
    error PrepaidLock_NotDataSets(address caller);
    error PrepaidLock_NotPayee(bytes32 lockId, address caller);
    /// @notice The lock is not in a state this call works from.
    error PrepaidLock_WrongState(bytes32 lockId, LockState state);
    error PrepaidLock_Expired(bytes32 lockId, uint256 expiresAt, uint256 nowAt);
    error PrepaidLock_NotExpired(bytes32 lockId, uint256 expiresAt, uint256 nowAt);
    error PrepaidLock_SecretHashUsed(bytes32 secretHash);
    error PrepaidLock_BadAnswer(bytes32 answerDigest, uint32 answerLength);
    error PrepaidLock_BadSecret(bytes32 lockId);
    /// @notice The stage still runs: what is due at its end is not due yet.
    error PrepaidLock_TooEarly(bytes32 lockId, uint256 dueAt, uint256 nowAt);
    /// @notice The stage is over: a demand, an answer served, a dispute or a verdict comes too late.
    error PrepaidLock_TooLate(bytes32 lockId, uint256 dueAt, uint256 nowAt);
    /// @notice Only the payer demands; only the payer or a member of the lock's group disputes.
    error PrepaidLock_NotParty(bytes32 lockId, address caller);
    error PrepaidLock_AlreadyDemanded(bytes32 lockId);
    /// @notice The bytes served are not the ones whose digest and length the payee committed.
    error PrepaidLock_WrongAnswer(bytes32 lockId, bytes32 digest);
    error PrepaidLock_BadEvidence(bytes32 evidenceDigest, uint32 evidenceLength);
    error PrepaidLock_NotCourt(address caller);
    error PrepaidLock_TooMany(uint256 count, uint256 most);
    /// @notice The account has as many disputes open as it may.
    error PrepaidLock_TooManyDisputes(address account, uint256 most);
    /// @notice The terms that hold are not the signed ones.
    error PrepaidLock_OtherTerms(LockTerms terms);
    /// @notice The delivery is neither sent nor signed by the payee.
    error PrepaidLock_NotAuthorised(bytes32 lockId, address caller);
    /// @notice The account's free bond does not cover the amount.
    error PrepaidLock_BondTooSmall(address account, uint256 freeWei, uint256 neededWei);
    error PrepaidLock_WrongGroup(bytes32 lockId);
    /// @notice The first commitment is not the data set's key: it makes another data set's id.
    error PrepaidLock_WrongKey(bytes32 lockId, bytes32 dataSetId);
    error PrepaidLock_BadShares(bytes32 lockId);
    error PrepaidLock_BadReason(Reason reason);
    error PrepaidLock_WrongRelease(bytes32 broadcastId, uint256 heldWei, uint256 releasedWei);
    error PrepaidLock_NothingToWithdraw(address account);
    error PrepaidLock_TransferFailed(address account, uint256 amountWei);

    // ---- a user's request ----

    /// @notice Prepays a request. Everything is checked before the money is taken; what fails reverts, so nothing was paid.
    /// @dev Requirements, in this order:
    /// - the caller is an active user;
    /// - the processor is active, and serves the caller's region;
    /// - the type is open;
    /// - value equals the price;
    /// - the terms are the type's, under the present rules;
    /// - expiresAt − now ≥ the type's shortest and ≤ 90 days;
    /// - digest and length sound;
    /// - nonce fresh;
    /// - σ (REQUEST tag) over abi.encode(chainId, this, payer, order) verifies under the payer's BLS key.
    /// @return lockId See {lockIdOf}.
    function request(RequestOrder calldata order, G1Point calldata signature) external payable returns (bytes32 lockId);

    /// @notice Refuses a request with a reason; the full prepayment goes back. Credit is unchanged.
    /// @dev Requirements: caller is the payee; state Requested; reason not None.
    function reject(bytes32 lockId, Reason reason) external;

    /// @notice Commits to an answer.
    /// @dev Requirements: caller is the payee and an active processor; state Requested; now < T; secretHash C = SHA256(abi.encode(payee, x))
    /// was never used by this payee and is not zero; digest not zero; 0 < length ≤ the terms' longest answer; the payee's free bond covers the lock's, which is held from now on. Uniqueness is by (payee, C): C names its payee, so another
    /// node that copies it from the mempool could never claim with it, and must not be able to block it either.
    function accept(bytes32 lockId, bytes32 secretHash, bytes32 answerDigest, uint32 answerLength) external;

    /// @notice Opens the hash-lock. Anyone may relay; the right is the payee's.
    /// @dev Requirements: state Accepted; now < T; SHA256(abi.encode(payee, secret)) = C. With a window of 0 it settles at once.
    function claim(bytes32 lockId, bytes32 secret) external;

    // ---- data sharing ----

    /// @notice Opens a sharing lock for the market.
    /// @dev Requirements:
    /// - the caller is the market;
    /// - value equals the price;
    /// - the terms are those of the versions that they name;
    /// - expiresAt − now ≥ the sharing terms' shortest and ≤ 90 days;
    /// - digest and length sound;
    /// - nonce fresh;
    /// - σ_s (SHARING tag) over abi.encode(chainId, this, order) verifies under the payer's BLS key;
    /// - the payee's free bond covers the lock's, which is held from now on.
    function openSharing(SharingOrder calldata order, G1Point calldata signature) external payable returns (bytes32 lockId);

    /// @notice Declines before T at no cost; the bond held for the lock is free again, but backs no offer that was made before ({isCovered}).
    /// @dev Requirements: caller is the payee; state Selected; now < T; reason not None.
    function decline(bytes32 lockId, Reason reason) external;

    /// @notice Delivers the key's shares; the contract checks all of them at once (docs/formats.md §2). Anyone may relay what the payee has
    /// signed: a transcript alone proves knowledge of [k]H, which every earlier buyer's group has, and not that the payee delivers.
    /// @dev With a window of 0 it settles at once. Requirements:
    /// - state Selected; now < T;
    /// - keccak256(abi.encode(accounts, deliveryKeys)) is the lock's groupHash;
    /// - t commitments, none infinity; n shares;
    /// - commitments[0] is the data set's key: {IDataSetBook.dataSetIdOf} it is the lock's data set;
    /// - the transcript verifies;
    /// - the caller is the payee, or `authorisation` is its signature.
    /// @param authorisation Not read when the payee sends.
    function deliver(
        bytes32 lockId,
        address[] calldata accounts,
        G1Point[] calldata deliveryKeys,
        G2Point[] calldata commitments,
        G1Point[] calldata shares,
        Authorisation calldata authorisation
    ) external;

    // ---- when what was paid for is withheld or wrong ----

    /// @notice Demands the sealed answer on chain, once a lock. The value is a deposit, of which the payee gets the cost of serving when it serves; the rest goes back.
    /// @dev Requirements: state Claimed; now < dueAt; caller is the payer; not demanded before; value equals {demandWeiOf}.
    function demand(bytes32 lockId) external payable;

    /// @notice Serves the demanded answer; the window for disputes restarts. Anyone may bring it. The payee gets the block's base fee, which nobody earns, times
    /// {serveGasOf}, which is less than serving takes: at most the deposit, so that withholding until the demand earns nothing. The rest is the payer's.
    /// @dev Requirements: state Demanded; now < dueAt; `answer` has the committed length and SHA-256.
    function serve(bytes32 lockId, bytes calldata answer) external;

    /// @notice Ends a lock whose demanded answer was not served: price, deposit and the payee's bond go to the payer, the payee's credit falls. Anyone may call.
    /// @dev Requirements: state Demanded; now ≥ dueAt.
    function slash(bytes32 lockId) external;

    /// @notice Disputes what was delivered. The value is the disputer's bond.
    /// @dev Requirements: state Claimed or Delivered; now < dueAt; caller is the payer and has fewer than 3 disputes open; digest not zero, 0 < length ≤ 32 KiB; value equals {disputeWeiOf}.
    function dispute(bytes32 lockId, bytes32 evidenceDigest, uint32 evidenceLength) external payable;

    /// @notice The same by a member of a sharing lock's group, which is named by the snapshot that delivery used.
    /// @dev Requirements: state Delivered; now < dueAt; keccak256(abi.encode(accounts, deliveryKeys)) is the lock's groupHash; caller is among them; the rest as in {dispute}.
    function disputeAsMember(
        bytes32 lockId,
        address[] calldata accounts,
        G1Point[] calldata deliveryKeys,
        bytes32 evidenceDigest,
        uint32 evidenceLength
    ) external payable;

    /// @notice Ends a disputed lock by the judges' verdict, between the two parties alone. For the payer: price back, the payee's bond to the payer less the fee,
    /// the disputer's bond back, credit falls (Slashed). For the payee: as {settle}, and the disputer's bond to the payee. The consortium gets the same fee either way.
    /// @dev Requirements: caller is the court; state Disputed; now < dueAt.
    function decide(bytes32 lockId, bool forPayer) external;

    // ---- the end ----

    /// @notice Makes the price, less the fee and the owners' part, withdrawable by the payee and raises its credit. Anyone may
    /// call. The fee, with what the division of the owners' part by rows leaves over, is the treasury's; the owners' part goes into
    /// the data set's pot ({IDataSetBook.recordSale}).
    /// @dev Requirements: state Claimed or Delivered; now ≥ dueAt.
    function settle(bytes32 lockId) external;

    /// @notice Gives the prepayment back. Anyone may call. From Accepted or Selected the payee's bond goes to the payer and its credit falls; from Disputed
    /// (the judges did not decide) both bonds go back and no credit moves.
    /// @dev Requirements: state Requested, Accepted or Selected and now ≥ T; or Disputed and now ≥ dueAt.
    function refund(bytes32 lockId) external;

    /// @notice Does for each lock of a list what is due by time: {settle}, {slash} or {refund}. What is not due is passed over, so that nobody's
    /// call can spoil another's. Anyone may call.
    /// @dev Requirements: at most 64 locks.
    /// @return ended How many locks ended.
    function endMany(bytes32[] calldata lockIds) external returns (uint256 ended);

    /// @notice Sends an account what is its own. Anyone may call; the money goes to the account.
    function withdrawFor(address account) external;

    // ---- bonds ----

    /// @notice Adds the value to a processing node's bond. Anyone may pay.
    /// @dev Requirements: the account is an active processor; value not zero.
    function addBond(address account) external payable;

    /// @notice Makes free bond of the caller withdrawable. Requirements: 0 < amount ≤ the free bond.
    function takeBond(uint96 amountWei) external;

    // ---- what owners draw ----

    /// @notice Makes what was drawn out of a data set's pot withdrawable by an owner. Nothing comes in or goes out by it.
    /// @dev Requirements: the caller is the book of data sets, which draws no more than was recorded.
    function payOwner(address owner, uint256 amountWei) external;

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

    /// @notice What an account has put up.
    function bondOf(address account) external view returns (Bond memory);

    /// @notice The running or ended dispute of a lock (all zero if none).
    function disputeOf(bytes32 lockId) external view returns (Dispute memory);

    /// @notice What {demand} deposits: the rules' price of a gas, for the gas of serving the answer.
    function demandWeiOf(bytes32 lockId) external view returns (uint96);

    /// @notice The gas that a served answer of this length is paid for: less than it takes, even of zero bytes alone.
    function serveGasOf(uint256 answerLength) external pure returns (uint256);

    /// @notice How many disputes an account has open of those that it brought.
    function openDisputesOf(address account) external view returns (uint256);

    /// @notice What {dispute} costs: the rules' part of the price, or their least sum if that is more.
    function disputeWeiOf(bytes32 lockId) external view returns (uint96);

    /// @notice Whether free bond covers an amount without what was added, or freed by declining, after `since` (unix seconds), and its owner has taken none of it
    /// after `since`. Nobody can make it false by adding, and a decline only withdraws from earlier offers what it has freed itself.
    function isCovered(address account, uint256 amountWei, uint256 since) external view returns (bool);

    /// @notice The deposit held for a broadcast.
    function applicationOf(bytes32 broadcastId) external view returns (uint96);

    /// @notice All the contract owes: open prepayments, bonds, held deposits, pots of data sets, withdrawable sums. Never above
    /// its balance.
    function liabilitiesWei() external view returns (uint256);
}
