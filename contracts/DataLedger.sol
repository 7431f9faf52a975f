// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {IDataLedger, SignedBatch} from "../interfaces/IDataLedger.sol";
import {IMemberRegistry} from "../interfaces/IMemberRegistry.sol";
import {MerkleSha256} from "./libraries/MerkleSha256.sol";
import {Wiring} from "./libraries/Wiring.sol";

/// @title DataLedger
/// @notice Keeps anchored readings (protocol §2.4), and only adds to them.
///
///     device:    next seq 1 ──anchor(1, a)──▶ 1 + a ──anchor(1 + a, b)──▶ 1 + a + b …
///
/// A batch takes one slot, and the next seq another one.
/// Who can stop what: revoking a device stops its next batch. What stands here is never changed or removed.
/// Assumes: the device's clock is its own affair (no time here is compared with the block's). Whoever opens the
/// readings checks off chain that a batch does not cross UTC midnight, and what a root stands for: the chain sees
/// commitments alone.
contract DataLedger is IDataLedger {
    /// @notice The most readings of one batch.
    uint32 public constant MAX_BATCH = 65_536;
    /// @notice The most batches of one {anchorMany}.
    uint256 public constant MOST_BATCHES = 64;

    /// @notice How far ahead a signed batch may expire.
    uint256 public constant LONGEST_EXPIRY_SECONDS = 30 days;

    bytes32 private constant ANCHOR_TAG = keccak256("DMSM-V1-anchor");

    /// @notice Where devices and processors are looked up.
    IMemberRegistry public immutable registry;

    /// @dev What a device has anchored. Both lie under one key, and the seq in a word of its own, so that a write reads
    /// nothing first.
    struct Track {
        uint256 lastSeq; // also the number of readings: a device's first seq is 1
        mapping(uint256 fromSeq => bytes32 batchHash) batches;
    }

    mapping(address device => Track track) private _tracks;

    constructor(address registry_) {
        registry = IMemberRegistry(Wiring.requireContract(registry_));
    }

    /// @inheritdoc IDataLedger
    function anchor(uint64 fromSeq, uint32 count, bytes32 root) external {
        _anchor(msg.sender, fromSeq, count, root);
    }

    /// @inheritdoc IDataLedger
    function anchorSigned(SignedBatch calldata batch) external {
        (uint256 expiresAt, uint256 nowAt) = (batch.expiresAt, block.timestamp);
        if (nowAt >= expiresAt || expiresAt > nowAt + LONGEST_EXPIRY_SECONDS) {
            revert DataLedger_BadExpiry(batch.device, batch.fromSeq, expiresAt, nowAt);
        }
        bytes32 digest = anchorDigest(batch.device, batch.fromSeq, batch.count, batch.root, batch.expiresAt);
        (address signer, ECDSA.RecoverError fault,) = ECDSA.tryRecover(digest, batch.signature);
        bool isSigned = fault == ECDSA.RecoverError.NoError && signer == batch.device;
        if (!isSigned) revert DataLedger_BadSignature(batch.device, batch.fromSeq);
        _anchor(batch.device, batch.fromSeq, batch.count, batch.root);
    }

    /// @inheritdoc IDataLedger
    function anchorMany(SignedBatch[] calldata batches) external returns (uint256 anchored) {
        if (batches.length > MOST_BATCHES) revert DataLedger_TooMany(batches.length, MOST_BATCHES);
        for (uint256 i = 0; i < batches.length; ++i) {
            try this.anchorSigned(batches[i]) {
                ++anchored;
            } catch (bytes memory reason) {
                emit BatchRefused(batches[i].device, batches[i].fromSeq, reason);
            }
        }
    }

    /// @inheritdoc IDataLedger
    function anchorDigest(address device, uint64 fromSeq, uint32 count, bytes32 root, uint40 expiresAt)
        public
        view
        returns (bytes32)
    {
        return keccak256(abi.encode(ANCHOR_TAG, block.chainid, address(this), device, fromSeq, count, root, expiresAt));
    }

    /// @dev Takes what callers hold as uint64 and uint32 in whole words: they were cleaned once already.
    function _anchor(address device, uint256 fromSeq, uint256 count, bytes32 root) private {
        // check
        if (!registry.mayAnchor(device)) revert DataLedger_NotDevice(device);
        if (count == 0 || count > MAX_BATCH || root == 0) revert DataLedger_BadBatch(uint64(fromSeq), uint32(count));
        bytes32 batchHash = _batchHash(fromSeq, count, root);
        Track storage track = _tracks[device];
        uint256 lastSeq = track.lastSeq;
        // Seqs grow by 65,536 a batch at most: 2^48 batches before they leave 64 bits.
        unchecked {
            if (fromSeq != lastSeq + 1) {
                if (track.batches[fromSeq] == batchHash) return;
                if (fromSeq == 0 || fromSeq > lastSeq) {
                    revert DataLedger_SeqGap(device, uint64(fromSeq), uint64(lastSeq + 1));
                }
                revert DataLedger_SeqTaken(device, uint64(fromSeq));
            }

            // effect
            track.lastSeq = lastSeq + count;
        }
        track.batches[fromSeq] = batchHash;

        // log
        emit BatchAnchored(device, uint64(fromSeq), uint32(count), root);
    }

    /// @inheritdoc IDataLedger
    function nextSeqOf(address device) external view returns (uint64) {
        return uint64(_tracks[device].lastSeq + 1);
    }

    /// @inheritdoc IDataLedger
    function anchorOf(address device, uint64 fromSeq) public view returns (bytes32) {
        return _tracks[device].batches[fromSeq];
    }

    /// @inheritdoc IDataLedger
    function verifyReading(
        address device,
        uint64 seq,
        bytes32 commitment,
        uint64 fromSeq,
        uint32 count,
        bytes32 root,
        bytes32[] calldata proof
    ) external view returns (bool) {
        if (anchorOf(device, fromSeq) != _batchHash(fromSeq, count, root)) return false;
        if (seq < fromSeq) return false;
        return MerkleSha256.verify(root, commitment, seq - fromSeq, count, proof);
    }

    /// @dev Returns keccak256(abi.encode(fromSeq, count, root)), without the encoder's detours.
    function _batchHash(uint256 fromSeq, uint256 count, bytes32 root) private pure returns (bytes32 batchHash) {
        assembly ("memory-safe") {
            let words := mload(0x40)
            mstore(words, fromSeq)
            mstore(add(words, 0x20), count)
            mstore(add(words, 0x40), root)
            batchHash := keccak256(words, 0x60)
        }
    }
}
