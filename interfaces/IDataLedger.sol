// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {G1Point, G2Point} from "../contracts/types/Points.sol";

/// @notice A published data set (protocol §2.5).
/// @param processor Who published and sells it.
/// @param windowFrom First second of the window (unix, UTC midnight).
/// @param windowTo End of the window (unix, UTC midnight, exclusive).
/// @param rowCount Number of readings in it.
/// @param kind What it holds; 1 = full readings.
/// @param manifestLength Length of the sealed manifest in bytes, at most 32 KiB.
/// @param regionId The processor's region when it published.
/// @param readingsRoot RFC 9162 Merkle root over the readings' commitments M', ordered by device account, then seq.
/// @param manifestDigest SHA-256 of the sealed manifest, which is also its CID.
/// @param keyHash keccak256(abi.encode(F_0)), F_0 = [k]G2 the key commitment.
struct DataSet {
    address processor;
    uint40 windowFrom;
    uint40 windowTo;
    uint16 kind;
    uint32 rowCount;
    uint32 manifestLength;
    bytes32 regionId;
    bytes32 readingsRoot;
    bytes32 manifestDigest;
    bytes32 keyHash;
}

/// @notice What a processor publishes.
struct Publication {
    uint40 windowFrom;
    uint40 windowTo;
    uint16 kind;
    uint32 rowCount;
    uint32 manifestLength;
    bytes32 readingsRoot;
    bytes32 manifestDigest;
    G2Point keyCommitment;
    G1Point keyPossession;
}

/// @notice A batch brought by somebody else, signed by its device.
/// @param expiresAt Block time from which on nobody can bring it any more, at most 30 days ahead.
/// @param signature secp256k1 signature (65 bytes r ‖ s ‖ v) of {IDataLedger.anchorDigest} by the device's account.
struct SignedBatch {
    address device;
    uint64 fromSeq;
    uint32 count;
    bytes32 root;
    uint40 expiresAt;
    bytes signature;
}

/// @title IDataLedger
/// @notice Anchored readings and published data sets.
/// A device's batches are contiguous: each begins at the seq where the last one ended, starting at 1. What is anchored never changes.
interface IDataLedger {
    /// @notice Emitted once a batch.
    /// @param root RFC 9162 Merkle root over the batch's commitments M' in seq order.
    event BatchAnchored(address indexed device, uint64 indexed fromSeq, uint32 count, bytes32 root);
    /// @notice Emitted by {anchorMany} for a batch that was refused; `reason` is the error's data.
    event BatchRefused(address indexed device, uint64 indexed fromSeq, bytes reason);
    /// @notice Emitted once a data set.
    event DataSetPublished(
        bytes32 indexed dataSetId,
        address indexed processor,
        bytes32 indexed regionId,
        bytes32 idCommitment,
        Publication publication
    );

    /// @notice The caller is not an active device.
    error DataLedger_NotDevice(address caller);
    /// @notice The caller is not an active processor.
    error DataLedger_NotProcessor(address caller);
    /// @notice count is zero or above the maximum of 65,536 readings a batch, or the root is zero.
    error DataLedger_BadBatch(uint64 fromSeq, uint32 count);
    /// @notice The batch does not begin where the last one ended.
    error DataLedger_SeqGap(address device, uint64 fromSeq, uint64 expectedSeq);
    /// @notice Another batch is anchored there already.
    error DataLedger_SeqTaken(address device, uint64 fromSeq);
    error DataLedger_TooMany(uint256 count, uint256 most);
    /// @notice The signed batch has expired, or expires more than 30 days from now.
    error DataLedger_BadExpiry(address device, uint64 fromSeq, uint256 expiresAt, uint256 nowAt);
    /// @notice The signature is not the device's over this batch.
    error DataLedger_BadSignature(address device, uint64 fromSeq);
    /// @notice A field of the publication is out of range; `field` names it.
    error DataLedger_BadPublication(bytes32 field);
    /// @notice The key commitment was used before.
    error DataLedger_KeyUsed(bytes32 keyHash);
    /// @notice The proof of possession of the data set's key does not verify.
    error DataLedger_BadKeyProof(bytes32 dataSetId);

    /// @notice Anchors a batch. An identical repeat is a no-op without event.
    /// @dev Requirements: the caller is an active device; 1 ≤ count ≤ 65,536; root not zero; fromSeq is the next seq of the device,
    /// or the same (fromSeq, count, root) is anchored already.
    function anchor(uint64 fromSeq, uint32 count, bytes32 root) external;

    /// @notice Anchors a batch that its device has signed; anyone may bring it.
    /// @dev Requirements: now < expiresAt ≤ now + 30 days; the signature is the device's over {anchorDigest}; the rest as in {anchor}, with the device in the
    /// caller's place. A device signs one batch for a seq, and signs it again with another expiry at most (docs/formats.md §8).
    function anchorSigned(SignedBatch calldata batch) external;

    /// @notice {anchorSigned} for several devices. A batch that is refused is passed over with a {BatchRefused}, so that no device spoils another's.
    /// @dev Requirements: at most 64 batches.
    /// @return anchored How many stand, repeats included.
    function anchorMany(SignedBatch[] calldata batches) external returns (uint256 anchored);

    /// @notice Publishes a data set; its id is {nextDataSetId}.
    /// @dev Requirements: the caller is an active processor; windowFrom < windowTo, both multiples of 86,400; kind, rowCount,
    /// readingsRoot, manifestDigest not zero; 0 < manifestLength ≤ 32,768; F_0 is not infinity and was never used; the proof of possession verifies.
    function publish(Publication calldata publication) external returns (bytes32 dataSetId);

    /// @notice What a device signs for {anchorMany}: keccak256(abi.encode(keccak256("DMSM-V1-anchor"), chainId, this, device, fromSeq, count, root,
    /// expiresAt)).
    function anchorDigest(address device, uint64 fromSeq, uint32 count, bytes32 root, uint40 expiresAt)
        external
        view
        returns (bytes32);

    /// @notice The seq the device's next batch must begin with (1 for a new device).
    function nextSeqOf(address device) external view returns (uint64);

    /// @notice keccak256(abi.encode(fromSeq, count, root)) of the anchored batch that begins at fromSeq, zero if none.
    function anchorOf(address device, uint64 fromSeq) external view returns (bytes32);

    /// @notice Whether a reading's commitment is in an anchored batch.
    /// @param proof RFC 9162 inclusion proof of the leaf at index seq − fromSeq in a tree of `count` leaves.
    function verifyReading(
        address device,
        uint64 seq,
        bytes32 commitment,
        uint64 fromSeq,
        uint32 count,
        bytes32 root,
        bytes32[] calldata proof
    ) external view returns (bool);

    /// @notice The data set (all zero if unknown).
    function dataSetOf(bytes32 dataSetId) external view returns (DataSet memory);

    /// @notice What a buyer asks about a data set first (all zero if unknown): a cheap look-up for other contracts, one slot of seven.
    function offerOf(bytes32 dataSetId)
        external
        view
        returns (address processor, uint40 windowFrom, uint40 windowTo, uint16 kind);

    /// @notice The hash of the data set's key commitment (zero if unknown): a cheap look-up for other contracts.
    function keyHashOf(bytes32 dataSetId) external view returns (bytes32);

    /// @notice The id of the processor's next data set: keccak256(abi.encode(chainId, this, processor, its number of data sets)).
    function nextDataSetId(address processor) external view returns (bytes32);
}
