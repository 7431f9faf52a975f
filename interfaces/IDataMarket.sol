// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {LockTerms} from "../contracts/types/LockTerms.sol";
import {G1Point} from "../contracts/types/Points.sol";

/// @notice What a data-sharing node asks for (protocol §5.1).
/// @param windowFrom,windowTo The wanted time window (unix seconds, to exclusive); a data set must overlap it.
/// @param kind The wanted kind of data, as in {Publication}.
/// @param groupSize,threshold n and t, 2 ≤ t ≤ n ≤ 100.
/// @param maxPriceWei The most it pays a data set.
/// @param respondBy Responses until then (exclusive).
/// @param selectBy Selection until then (exclusive); later than respondBy.
/// @param openingsLength Length of the sealed ID openings, at most 32 KiB.
/// @param openingsDigest SHA-256 (and CID) of the ID opening sealed to each active processor of the regions.
/// @param nonce Lets the requester broadcast the same once more.
/// @param regions The wanted regions, strictly ascending, 1 to 16.
/// @param purpose What the data is for, in public words, 1 to 256 bytes: the owners read it. UTF-8 is expected.
struct Conditions {
    uint40 windowFrom;
    uint40 windowTo;
    uint8 kind;
    uint8 groupSize;
    uint8 threshold;
    uint96 maxPriceWei;
    uint40 respondBy;
    uint40 selectBy;
    uint32 openingsLength;
    bytes32 openingsDigest;
    bytes32 nonce;
    bytes32[] regions;
    bytes purpose;
}

/// @notice What is stored of {Conditions}: what a contract reads again. The rest is in the event; the broadcast's id
/// commits to all of it.
struct Wanted {
    uint40 windowFrom;
    uint40 windowTo;
    uint8 kind;
    uint8 groupSize;
    uint8 threshold;
    uint96 maxPriceWei;
    uint40 respondBy;
    uint40 selectBy;
    bytes32[] regions;
}

/// @notice One line of the form.
/// @param rulesVersion,sharingVersion The versions of rules and terms of sharing under which it is offered, and a lock
/// begins.
struct Response {
    address processor;
    uint96 priceWei;
    bytes32 dataSetId;
    uint32 credit;
    uint40 respondedAt;
    uint32 rulesVersion;
    uint32 sharingVersion;
}

/// @notice One selected node: what goes into its lock.
/// @param terms What the buyer signs; of the response's versions.
struct Choice {
    address processor;
    uint40 expiresAt;
    uint32 messageLength;
    uint64 signedAt;
    bytes32 messageDigest;
    bytes32 nonce;
    LockTerms terms;
    G1Point signature;
}

enum BroadcastState {
    None,
    Open,
    Selected,
    Closed
}

/// @title IDataMarket
/// @notice Brings buyers and sellers of data together (paper §V.C, Fig. 8): a sharer broadcasts what it wants,
/// processors respond, the form sorts them by credit, the sharer selects. Lifecycle: None → Open → {Selected | Closed}.
interface IDataMarket {
    /// @notice Emitted when a sharer asked for data.
    event Broadcast(
        bytes32 indexed broadcastId, address indexed requester, uint96 applicationWei, Conditions conditions
    );
    /// @notice Emitted at each response; `replaced` is the responder that fell out of a full form, zero if none.
    event Responded(
        bytes32 indexed broadcastId,
        address indexed processor,
        bytes32 indexed dataSetId,
        uint96 priceWei,
        uint32 credit,
        uint32 rulesVersion,
        uint32 sharingVersion,
        address replaced
    );
    /// @notice Emitted when a processor took its response back.
    event ResponseWithdrawn(bytes32 indexed broadcastId, address indexed processor);
    /// @notice Emitted when the requester selected; one {IPrepaidLock.Selected} a lock follows.
    event GroupSelected(
        bytes32 indexed broadcastId,
        address indexed requester,
        bytes32 groupHash,
        address[] members,
        G1Point[] deliveryKeys,
        bytes32[] lockIds
    );
    /// @notice Emitted when a broadcast ended without selection.
    event BroadcastClosed(bytes32 indexed broadcastId, uint256 standingResponders);

    error DataMarket_NotSharer(address caller);
    error DataMarket_NotProcessor(address caller);
    error DataMarket_NotRequester(bytes32 broadcastId, address caller);
    /// @notice A field of the conditions is out of range; `field` names it: window, group, maxPriceWei, respondBy,
    /// selectBy, openings, regions, purpose; or "terms": the consortium has not set the terms of sharing yet.
    error DataMarket_BadConditions(bytes32 field);
    error DataMarket_WrongValue(uint256 sentWei, uint256 expectedWei);
    /// @notice The requester has broadcast the same conditions before, nonce included.
    error DataMarket_Repeated(bytes32 broadcastId);
    error DataMarket_WrongState(bytes32 broadcastId, BroadcastState state);
    error DataMarket_TooLate(bytes32 broadcastId, uint256 deadlineAt, uint256 nowAt);
    error DataMarket_TooEarly(bytes32 broadcastId, uint256 deadlineAt, uint256 nowAt);
    error DataMarket_RegionNotWanted(bytes32 broadcastId, bytes32 regionId);
    /// @notice The data set is not the responder's, is of another kind, does not overlap the window, or is not on sale.
    error DataMarket_UnfitDataSet(bytes32 broadcastId, bytes32 dataSetId);
    error DataMarket_PriceAboveMaximum(bytes32 broadcastId, uint256 priceWei, uint256 maxPriceWei);
    error DataMarket_AlreadyResponded(bytes32 broadcastId, address processor);
    error DataMarket_NoResponse(bytes32 broadcastId, address processor);
    /// @notice The form is full and the responder's credit is not above the last one's.
    error DataMarket_FormFull(bytes32 broadcastId, uint32 credit);
    /// @notice The group does not have n members, is not strictly ascending, lacks the requester, or has a member that
    /// is no active sharer.
    error DataMarket_BadGroup(bytes32 broadcastId, address member);
    error DataMarket_NothingChosen(bytes32 broadcastId);
    /// @notice The versions named are not those that hold: the present ones for a response, the response's for a
    /// choice.
    error DataMarket_OtherTerms(bytes32 broadcastId, uint32 rulesVersion, uint32 sharingVersion);
    /// @notice The sale of a chosen node's data set has ended, by its time or because it was retired.
    error DataMarket_NotOnSale(bytes32 broadcastId, bytes32 dataSetId);
    /// @notice A chosen processor was chosen twice or is not active any more.
    error DataMarket_BadChoice(bytes32 broadcastId, address processor);

    /// @notice Asks for data; value is the application prepayment, held by PrepaidLock.
    /// @dev Requirements:
    /// - the caller is an active sharer, and no emergency stop holds;
    /// - windowFrom < windowTo;
    /// - 2 ≤ t ≤ n ≤ 100;
    /// - maxPriceWei is not zero;
    /// - now + 60 ≤ respondBy < selectBy ≤ now + 90 days;
    /// - openingsDigest is not zero, and 0 < openingsLength ≤ 32 KiB;
    /// - the purpose has 1 to 256 bytes;
    /// - there are 1 to 16 regions, strictly ascending, none of them zero;
    /// - the terms of sharing are set;
    /// - value equals the terms' applicationWei;
    /// - the requester has not broadcast the same conditions before.
    /// @return broadcastId {broadcastIdOf} the caller and the conditions.
    function broadcast(Conditions calldata conditions) external payable returns (bytes32 broadcastId);

    /// @notice Offers a data set under the present rules and terms of sharing, which it names: a lock begins under
    /// them, whatever is set later. The credit is read now and stays as it is in this form.
    /// @dev Requirements:
    /// - the broadcast is Open;
    /// - now < respondBy;
    /// - the caller is an active processor, and no emergency stop holds;
    /// - its region is wanted;
    /// - it has not responded before, nor withdrawn a response, nor been replaced;
    /// - the data set is its own, is of the kind, overlaps the window, and is on sale;
    /// - 0 < priceWei ≤ maxPriceWei;
    /// - both versions are the present ones;
    /// - the form has room, or a last line with less credit.
    function respond(
        bytes32 broadcastId,
        bytes32 dataSetId,
        uint96 priceWei,
        uint32 rulesVersion,
        uint32 sharingVersion
    ) external;

    /// @notice Takes a response back.
    /// @dev Requirements:
    /// - the broadcast is Open;
    /// - the caller has a standing response.
    function withdrawResponse(bytes32 broadcastId) external;

    /// @notice Selects one or several nodes, names the group, and prepays: one lock each. The application deposit goes
    /// back.
    /// @dev One choice is checked after the other. Requirements:
    /// - the broadcast is Open;
    /// - now < selectBy;
    /// - the caller is the requester;
    /// - it is an active sharer, and no emergency stop holds;
    /// - `members` are groupSize active sharers, strictly ascending, and the caller is among them;
    /// - somebody is chosen;
    /// - each chosen node has a standing response;
    /// - it is chosen once, and active;
    /// - the terms of the choice are of its response's versions;
    /// - its data set is on sale: now < saleUntil;
    /// - value equals the sum of the prices;
    /// - the requirements of {IPrepaidLock.openSharing} hold for each lock.
    function select(bytes32 broadcastId, address[] calldata members, Choice[] calldata choices)
        external
        payable
        returns (bytes32[] memory lockIds);

    /// @notice Ends a broadcast that was not selected in time. Anyone may call. The deposit goes back to the requester
    /// if no responder counts, if the requester was revoked, or if emergency stops took half or more of its time from
    /// respondBy to selectBy. Else it goes in equal parts to the responders that count, and the remainder to the
    /// requester. A responder counts if it could have been selected: its line stands, it is active, its free bond
    /// covers its offer under the rules of its offer ({IPrepaidLock.isCovered} since it responded), and its data set
    /// was on sale until selectBy (saleUntil ≥ selectBy; what was retired later counts).
    /// @dev Requirements:
    /// - the broadcast is Open;
    /// - now ≥ selectBy.
    function close(bytes32 broadcastId) external;

    /// @notice Returns the form, highest credit first, ties earlier first.
    function formOf(bytes32 broadcastId) external view returns (Response[] memory);

    /// @notice Returns requester, state, and what is stored of the conditions (all zero if unknown).
    function broadcastOf(bytes32 broadcastId)
        external
        view
        returns (address requester, BroadcastState state, Wanted memory wanted);

    /// @notice Returns keccak256(abi.encode(chainId, this, requester, conditions)): an id commits to all conditions, so
    /// that what a node that nobody trusts tells of them is checked by it.
    function broadcastIdOf(address requester, Conditions calldata conditions) external view returns (bytes32);
}
