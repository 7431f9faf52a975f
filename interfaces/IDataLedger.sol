// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

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
/// @notice Keeps anchored readings. A device's batches are contiguous: each begins at the seq where the last one ended,
/// starting at 1. What is anchored never changes.
interface IDataLedger {
    /// @notice Emitted once a batch.
    /// @param root RFC 9162 Merkle root over the batch's commitments M' in seq order.
    event BatchAnchored(address indexed device, uint64 indexed fromSeq, uint32 count, bytes32 root);
    /// @notice Emitted by {anchorMany} for a batch that was refused; `reason` is the error's data.
    event BatchRefused(address indexed device, uint64 indexed fromSeq, bytes reason);

    /// @notice The caller is not an active device.
    error DataLedger_NotDevice(address caller);
    /// @notice count is zero or above the maximum of 65,536 readings a batch, or the root is zero.
    error DataLedger_BadBatch(uint64 fromSeq, uint32 count);
    /// @notice The batch does not begin where the last one ended.
    error DataLedger_SeqGap(address device, uint64 fromSeq, uint64 expectedSeq);
    /// @notice Another batch is anchored there already.
    error DataLedger_SeqTaken(address device, uint64 fromSeq);
    /// @notice There are more batches than one call takes.
    error DataLedger_TooMany(uint256 count, uint256 most);
    /// @notice The signed batch has expired, or expires more than 30 days from now.
    error DataLedger_BadExpiry(address device, uint64 fromSeq, uint256 expiresAt, uint256 nowAt);
    /// @notice The signature is not the device's over this batch.
    error DataLedger_BadSignature(address device, uint64 fromSeq);

    /// @notice Anchors a batch. An identical repeat is a no-op without event.
    /// @dev Requirements:
    /// - the caller is an active device, and no emergency stop holds;
    /// - 1 ≤ count ≤ 65,536;
    /// - the root is not zero;
    /// - fromSeq is the next seq of the device, or the same (fromSeq, count, root) is anchored already.
    function anchor(uint64 fromSeq, uint32 count, bytes32 root) external;

    /// @notice Anchors a batch that its device has signed; anyone may bring it.
    /// @dev A device signs one batch for a seq, and signs it again with another expiry at most (docs/formats.md §8).
    /// Requirements:
    /// - now < expiresAt ≤ now + 30 days;
    /// - the signature is the device's over {anchorDigest};
    /// - the requirements of {anchor} hold, with the device in the caller's place.
    function anchorSigned(SignedBatch calldata batch) external;

    /// @notice Does {anchorSigned} for several devices. A batch that is refused is passed over with a {BatchRefused},
    /// so that no device spoils another's.
    /// @dev Requirements:
    /// - there are at most 64 batches.
    /// @return anchored How many stand, repeats included.
    function anchorMany(SignedBatch[] calldata batches) external returns (uint256 anchored);

    /// @notice Returns what a device signs for {anchorMany}: keccak256(abi.encode(keccak256("DMSM-V1-anchor"), chainId,
    /// this, device, fromSeq, count, root, expiresAt)).
    function anchorDigest(address device, uint64 fromSeq, uint32 count, bytes32 root, uint40 expiresAt)
        external
        view
        returns (bytes32);

    /// @notice Returns the seq the device's next batch must begin with (1 for a new device).
    function nextSeqOf(address device) external view returns (uint64);

    /// @notice Returns keccak256(abi.encode(fromSeq, count, root)) of the anchored batch that begins at fromSeq, zero
    /// if none.
    function anchorOf(address device, uint64 fromSeq) external view returns (bytes32);

    /// @notice Tells whether a reading's commitment is in an anchored batch.
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
}
