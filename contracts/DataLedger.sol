// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {DataSet, IDataLedger, Publication, SignedBatch} from "../interfaces/IDataLedger.sol";
import {IMemberRegistry, Role} from "../interfaces/IMemberRegistry.sol";
import {BLS} from "./libraries/BLS.sol";
import {BN254} from "./libraries/BN254.sol";
import {DomainTags} from "./libraries/DomainTags.sol";
import {MerkleSha256} from "./libraries/MerkleSha256.sol";
import {Wiring} from "./libraries/Wiring.sol";

/// @title DataLedger
/// @notice Anchored readings (protocol §2.4) and published data sets (§2.5). Append-only.
///
///     device:    next seq 1 ──anchor(1, a)──▶ 1 + a ──anchor(1 + a, b)──▶ 1 + a + b …    one slot a batch, one for the next seq
///     data set:  unknown ──publish──▶ published                                          for ever
///
/// Who can stop what: revoking a device or processor stops its next batch or data set. What stands here is never changed or removed.
/// Assumes: the device's clock is its own affair (no time here is compared with the block's). That a batch does not cross UTC
/// midnight, that a published root is over anchored readings of consenting devices, and what a digest stands for, are
/// checked off chain, by whoever opens the readings: the chain sees commitments alone.
contract DataLedger is IDataLedger {
    /// @notice The most readings of one batch.
    uint32 public constant MAX_BATCH = 65_536;
    /// @notice The longest sealed manifest, in bytes.
    uint32 public constant MAX_MANIFEST_BYTES = 32_768;

    /// @notice The most batches of one {anchorMany}.
    uint256 public constant MOST_BATCHES = 64;

    /// @notice How far ahead a signed batch may expire.
    uint256 public constant LONGEST_EXPIRY_SECONDS = 30 days;

    bytes32 private constant ANCHOR_TAG = keccak256("DMSM-V1-anchor");

    /// @notice Where devices and processors are looked up.
    IMemberRegistry public immutable registry;

    /// @dev What a device has anchored. Both under one key, and the seq in a word of its own, so that a write reads nothing first.
    struct Track {
        uint256 lastSeq; // which is the number of readings, too: a device's first seq is 1
        mapping(uint256 fromSeq => bytes32 batchHash) batches;
    }

    mapping(address device => Track track) private _tracks;
    mapping(address processor => uint256 count) private _dataSetCount;
    mapping(bytes32 dataSetId => DataSet dataSet) private _dataSets;
    mapping(bytes32 keyHash => bool used) private _keyUsed;

    constructor(address registry_) {
        registry = IMemberRegistry(Wiring.requireContract(registry_));
    }

    /*//////////////////////////////////////////////////////////////
                                READINGS
    //////////////////////////////////////////////////////////////*/

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

    function _anchor(address device, uint64 fromSeq, uint32 count, bytes32 root) private {
        if (!registry.mayAnchor(device)) revert DataLedger_NotDevice(device);
        if (count == 0 || count > MAX_BATCH || root == 0) revert DataLedger_BadBatch(fromSeq, count);
        bytes32 batchHash = _batchHash(fromSeq, count, root);
        Track storage track = _tracks[device];
        uint256 lastSeq = track.lastSeq;
        // Seqs grow by 65,536 a batch at most: 2^48 batches before they leave 64 bits.
        unchecked {
            if (fromSeq != lastSeq + 1) {
                if (track.batches[fromSeq] == batchHash) return;
                if (fromSeq == 0 || fromSeq > lastSeq) {
                    revert DataLedger_SeqGap(device, fromSeq, uint64(lastSeq + 1));
                }
                revert DataLedger_SeqTaken(device, fromSeq);
            }

            track.lastSeq = lastSeq + count;
        }
        track.batches[fromSeq] = batchHash;

        emit BatchAnchored(device, fromSeq, count, root);
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

    /// @dev keccak256(abi.encode(fromSeq, count, root)), without the encoder's detours.
    function _batchHash(uint256 fromSeq, uint256 count, bytes32 root) private pure returns (bytes32 batchHash) {
        assembly ("memory-safe") {
            let words := mload(0x40)
            mstore(words, fromSeq)
            mstore(add(words, 0x20), count)
            mstore(add(words, 0x40), root)
            batchHash := keccak256(words, 0x60)
        }
    }

    /*//////////////////////////////////////////////////////////////
                               DATA SETS
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IDataLedger
    function publish(Publication calldata publication) external returns (bytes32 dataSetId) {
        (Role role, bytes32 regionId) = registry.beginnerOf(msg.sender);
        if (role != Role.Processor) revert DataLedger_NotProcessor(msg.sender);
        _checkPublication(publication);
        bytes32 keyHash = keccak256(abi.encode(publication.keyCommitment));
        if (_keyUsed[keyHash]) revert DataLedger_KeyUsed(keyHash);
        dataSetId = nextDataSetId(msg.sender);
        _checkKey(dataSetId, publication);

        ++_dataSetCount[msg.sender];
        _keyUsed[keyHash] = true;
        _store(dataSetId, regionId, keyHash, publication);

        emit DataSetPublished(
            dataSetId, msg.sender, regionId, registry.idCommitmentOf(msg.sender), publication
        );
    }

    /// @inheritdoc IDataLedger
    function dataSetOf(bytes32 dataSetId) external view returns (DataSet memory) {
        return _dataSets[dataSetId];
    }

    /// @inheritdoc IDataLedger
    function offerOf(bytes32 dataSetId)
        external
        view
        returns (address processor, uint40 windowFrom, uint40 windowTo, uint16 kind)
    {
        DataSet storage dataSet = _dataSets[dataSetId];
        return (dataSet.processor, dataSet.windowFrom, dataSet.windowTo, dataSet.kind);
    }

    /// @inheritdoc IDataLedger
    function keyHashOf(bytes32 dataSetId) external view returns (bytes32) {
        return _dataSets[dataSetId].keyHash;
    }

    /// @inheritdoc IDataLedger
    function nextDataSetId(address processor) public view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), processor, _dataSetCount[processor]));
    }

    function _checkPublication(Publication calldata publication) private pure {
        (uint40 from, uint40 to) = (publication.windowFrom, publication.windowTo);
        if (from % 1 days != 0) revert DataLedger_BadPublication("windowFrom");
        if (to % 1 days != 0 || to <= from) revert DataLedger_BadPublication("windowTo");
        if (publication.kind == 0) revert DataLedger_BadPublication("kind");
        if (publication.rowCount == 0) revert DataLedger_BadPublication("rowCount");
        if (publication.readingsRoot == 0) revert DataLedger_BadPublication("readingsRoot");
        if (publication.manifestDigest == 0) revert DataLedger_BadPublication("manifestDigest");
        uint32 length = publication.manifestLength;
        if (length == 0 || length > MAX_MANIFEST_BYTES) revert DataLedger_BadPublication("manifestLength");
        if (BN254.isInfinity(publication.keyCommitment)) revert DataLedger_BadPublication("keyCommitment");
    }

    /// @dev The pairing inside refuses points that are not canonical or not of the group, so that one key has one hash.
    function _checkKey(bytes32 dataSetId, Publication calldata publication) private view {
        bytes memory message =
            abi.encode(block.chainid, address(this), msg.sender, dataSetId, publication.keyCommitment);
        if (!BLS.verify(publication.keyCommitment, message, DomainTags.DATAKEY, publication.keyPossession)) {
            revert DataLedger_BadKeyProof(dataSetId);
        }
    }

    function _store(bytes32 dataSetId, bytes32 regionId, bytes32 keyHash, Publication calldata publication) private {
        _dataSets[dataSetId] = DataSet({
            processor: msg.sender,
            windowFrom: publication.windowFrom,
            windowTo: publication.windowTo,
            kind: publication.kind,
            rowCount: publication.rowCount,
            manifestLength: publication.manifestLength,
            regionId: regionId,
            readingsRoot: publication.readingsRoot,
            manifestDigest: publication.manifestDigest,
            keyHash: keyHash
        });
    }
}
