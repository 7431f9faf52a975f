// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {G1Point, G2Point} from "../contracts/types/Points.sol";

/// @notice What a processor publishes (protocol §2.5). Its proof of possession signs every field, so that whoever reads the
/// event checks it by the data set's id alone.
/// @param windowFrom First second of the window (unix, UTC midnight).
/// @param windowTo End of the window (unix, UTC midnight, exclusive).
/// @param saleUntil End of the sale (unix seconds, exclusive), at most 30 days ahead.
/// @param kind What it holds; 1 = full readings.
/// @param rowCount How many readings it holds.
/// @param deviceCount Of how many devices; the number of leaves of the owners' list.
/// @param manifestLength Length of the sealed manifest in bytes, at most 32 KiB.
/// @param readingsRoot RFC 9162 Merkle root over the readings' commitments M', ordered by device account, then seq.
/// @param manifestDigest SHA-256 of the sealed manifest, which is also its CID.
/// @param ownersRoot RFC 9162 Merkle root over the owners' list, a leaf a device (see {OwnersLeaf}).
/// @param ownersDigest SHA-256 of the owners' list, which is also its CID. The list is public (docs/formats.md).
/// @param keyCommitment F_0 = [k]G2.
struct Publication {
    uint40 windowFrom;
    uint40 windowTo;
    uint40 saleUntil;
    uint8 kind;
    uint32 rowCount;
    uint16 deviceCount;
    uint32 manifestLength;
    bytes32 readingsRoot;
    bytes32 manifestDigest;
    bytes32 ownersRoot;
    bytes32 ownersDigest;
    G2Point keyCommitment;
}

/// @notice One entry of an owners' list, and the proof that it is in a data set's `ownersRoot`.
/// The leaf is the 32-byte word `device (20 bytes) ‖ rows (12 bytes, big-endian)`; leaves ascend by device, each device once.
/// @param device A device's account.
/// @param rows How many of the data set's readings are its own.
/// @param index Place of the leaf, from 0.
/// @param proof RFC 9162 inclusion proof in a tree of `deviceCount` leaves.
struct OwnersLeaf {
    address device;
    uint32 rows;
    uint16 index;
    bytes32[] proof;
}

/// @notice What one device has earned by one data set, to be drawn.
struct Draw {
    bytes32 dataSetId;
    OwnersLeaf leaf;
}

/// @title IDataSetBook
/// @notice Published data sets (protocol §2.5): what is for sale and until when, and what their owners have earned.
/// What was published is never changed; a sale ends at its time, or before it by {retire} or {retireFor}, and never begins again.
///
/// Of each sale the owners' part (the terms' `ownersBps` of the price) is divided by rows: `perRowWei` grows, and the rest of the
/// division is the treasury's. A device's rows times what `perRowWei` grew since it last drew is its owner's. The money itself
/// lies in {IPrepaidLock}. No data set pays out more than came in for it: a false owners' root harms its own data set alone.
interface IDataSetBook {
    /// @notice Emitted once a data set, with all that was published. Checked by the id: it is {dataSetIdOf} of the key
    /// commitment, and `keyPossession` is a signature under that key over all other fields.
    event DataSetPublished(
        bytes32 indexed dataSetId,
        address indexed processor,
        bytes32 indexed regionId,
        bytes32 idCommitment,
        Publication publication,
        G1Point keyPossession
    );
    /// @notice Emitted when a sale was ended before its time.
    /// @param device Whose consent did not stand; zero if its processor ended it.
    /// @param by The caller.
    event DataSetRetired(
        bytes32 indexed dataSetId, address indexed processor, address indexed device, address by
    );
    /// @notice Emitted when what a device had earned by a data set became withdrawable by its owner.
    event Drawn(bytes32 indexed dataSetId, address indexed device, address owner, uint256 amountWei);

    /// @notice The caller is not an active processor.
    error DataSetBook_NotProcessor(address caller);
    /// @notice A field of the publication is out of range; `field` names it.
    error DataSetBook_BadPublication(bytes32 field);
    /// @notice The key commitment was used before: the id is taken.
    error DataSetBook_KeyUsed(bytes32 dataSetId);
    /// @notice The proof of possession of the data set's key does not verify.
    error DataSetBook_BadKeyProof(bytes32 dataSetId);
    /// @notice The data set is unknown (`saleUntil` is 0), or its sale has ended.
    error DataSetBook_NotOnSale(bytes32 dataSetId, uint256 saleUntil);
    /// @notice The caller did not publish the data set.
    error DataSetBook_NotSeller(bytes32 dataSetId, address caller);
    /// @notice The leaf is not in the data set's owners' root.
    error DataSetBook_BadLeaf(bytes32 dataSetId, address device);
    /// @notice The device's consent stands: nobody but the processor ends this sale for it.
    error DataSetBook_ConsentStands(bytes32 dataSetId, address device);
    /// @notice Nobody owns what the leaf names: it is no device.
    error DataSetBook_NoOwner(bytes32 dataSetId, address device);
    /// @notice The caller is not the lock.
    error DataSetBook_NotLock(address caller);
    error DataSetBook_TooMany(uint256 count, uint256 most);

    // ---- for sale ----

    /// @notice Publishes a data set; its id is {dataSetIdOf} its key commitment.
    /// @dev Requirements, in this order:
    /// - the caller is an active processor, and no emergency stop holds;
    /// - windowFrom < windowTo, both multiples of 86,400;
    /// - now < saleUntil ≤ now + 30 days;
    /// - kind and rowCount are not zero;
    /// - 0 < deviceCount ≤ rowCount;
    /// - readingsRoot, manifestDigest, ownersRoot and ownersDigest are not zero;
    /// - 0 < manifestLength ≤ 32,768;
    /// - F_0 is not infinity and was never used;
    /// - `keyPossession` is a BLS signature under k (DATAKEY tag) over
    ///   abi.encode(chainId, this, caller, dataSetId, keccak256(abi.encode(publication))).
    function publish(Publication calldata publication, G1Point calldata keyPossession)
        external
        returns (bytes32 dataSetId);

    /// @notice Ends the sale of a data set. What was selected before goes on. No emergency stop holds it up.
    /// @dev Requirements, in this order:
    /// - the data set is on sale;
    /// - the caller published it; it may be revoked since.
    function retire(bytes32 dataSetId) external;

    /// @notice Ends the sale of a data set that holds readings of a device whose consent does not stand. Anyone may call: the
    /// owner who withdrew, above all. No emergency stop holds it up.
    /// @dev Requirements, in this order:
    /// - the data set is on sale;
    /// - the leaf is in its owners' root;
    /// - the device's consent to data sharing does not stand ({IConsentBook.stands}).
    function retireFor(bytes32 dataSetId, OwnersLeaf calldata leaf) external;

    // ---- what owners earn ----

    /// @notice Records the owners' part of a price. It refuses nothing, so that it holds no lock up: of an unknown data set all
    /// is rest, and so it is when the sums of a data set would leave 104 bits (20 million million ether).
    /// @dev Requirements: the caller is the lock.
    /// @return restWei What the division by rows leaves over; it is the treasury's.
    function recordSale(bytes32 dataSetId, uint256 partWei) external returns (uint256 restWei);

    /// @notice Makes what a device has earned withdrawable by its owner, revoked or not. Anyone may call. A repetition gives
    /// nothing, and reverts not.
    /// @dev Requirements, in this order:
    /// - the leaf is in the data set's owners' root;
    /// - somebody owns the device.
    /// @return amountWei rows · (perRowWei − what it was at the device's last draw), at most the data set's pot.
    function draw(bytes32 dataSetId, OwnersLeaf calldata leaf) external returns (uint256 amountWei);

    /// @notice {draw} for several devices and data sets; one bad leaf makes it revert whole. Cheapest in the order of owners.
    /// @dev Requirements:
    /// - at most 64 draws;
    /// - those of {draw} for each.
    /// @return sumWei What all of them gave.
    function drawMany(Draw[] calldata draws) external returns (uint256 sumWei);

    // ---- views ----

    /// @notice keccak256(abi.encode(chainId, this, keyCommitment)): an id is a data set's F_0, and unique as that is.
    function dataSetIdOf(G2Point calldata keyCommitment) external view returns (bytes32);

    /// @notice What a buyer asks about a data set first (all zero if unknown), from one word. It is on sale while
    /// now < saleUntil; of one that was retired, `saleUntil` is when.
    function offerOf(bytes32 dataSetId)
        external
        view
        returns (address processor, uint40 windowFrom, uint40 windowTo, uint8 kind, uint40 saleUntil);

    /// @notice What a data set's owners have earned (all zero if unknown).
    /// @return perRowWei What a row has earned in all.
    /// @return potWei What is still to be drawn.
    function earningsOf(bytes32 dataSetId)
        external
        view
        returns (uint256 perRowWei, uint256 potWei, uint32 rowCount, uint16 deviceCount, bytes32 ownersRoot);

    /// @notice `perRowWei` as it was when the device last drew, 0 if it never did.
    function perRowDrawnOf(bytes32 dataSetId, address device) external view returns (uint256);
}
