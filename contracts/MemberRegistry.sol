// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";

import {IConsortium} from "../interfaces/IConsortium.sol";
import {IMemberRegistry, KeyProofs, Profile, Role} from "../interfaces/IMemberRegistry.sol";
import {Governed} from "./bases/Governed.sol";
import {BLS} from "./libraries/BLS.sol";
import {BN254} from "./libraries/BN254.sol";
import {DeliveryKey} from "./libraries/DeliveryKey.sol";
import {DomainTags} from "./libraries/DomainTags.sol";
import {G1Point, G2Point} from "./types/Points.sol";

/// @title MemberRegistry
/// @notice Who takes part (paper §III.B): role, region, ID commitment and keys of every member, and companies' names.
///
///     account:  None ──admit──▶ active ──revoke──▶ revoked   (final; keys, ID commitment and names stay taken)
///     name:     free ──admit, rename──▶ one account's, for ever
///     region:   free ──admit processor──▶ served ──revoke processor──▶ free
///     stop:     armed ──stopBeginnings──▶ holds for {stopSeconds} ──▶ spent ──rearmStop──▶ armed
///
/// Who can stop what: the consortium alone admits, renames and revokes. Revocation stops what a member *begins*
/// elsewhere; the contracts that end things do not ask this registry whether somebody is active, and the keys of a
/// revoked member stay readable.
/// The emergency stop is asked by whatever begins something, and by nothing that ends it; it is over by itself, and
/// holds once until it is armed again.
/// A revoked user's devices stay members until they are revoked themselves.
/// Assumes: the consortium checks off chain that an account, its secret ID, its Paillier key and its name belong to the
/// party it admits, and that the name cannot be mistaken for another.
contract MemberRegistry is IMemberRegistry, Governed {
    using Checkpoints for Checkpoints.Trace208;

    /// @dev One member. Role, activity and owner share a slot: that slot answers {isActive} and {ownerOf}.
    struct Record {
        Role role;
        bool active;
        address owner;
        bytes32 regionId;
        bytes32 idCommitment;
        bytes32 paillierDigest;
        G2Point blsKey;
        G1Point deliveryKey;
    }

    /// @notice What a stop lasts beyond the consortium's delay.
    uint256 public constant ALARM_SECONDS = 7 days;
    /// @notice How long it must be over before it may be armed again.
    uint256 public constant REST_SECONDS = 30 days;
    /// @inheritdoc IMemberRegistry
    uint256 public constant MAX_NAME_BYTES = 64;

    /// @inheritdoc IMemberRegistry
    uint256 public immutable stopSeconds;

    /// @inheritdoc IMemberRegistry
    uint40 public stoppedUntil;
    /// @inheritdoc IMemberRegistry
    bool public isStopSpent;
    // The stops: their beginnings, and the end of each.
    Checkpoints.Trace208 private _stops;

    /// @inheritdoc IMemberRegistry
    mapping(bytes32 regionId => address processor) public processorOf;
    /// @inheritdoc IMemberRegistry
    mapping(bytes32 nameHash => address account) public holderOfName;

    mapping(address account => Record record) private _records;
    mapping(bytes32 keyHash => bool taken) private _blsKeyTaken;
    mapping(bytes32 keyHash => bool taken) private _deliveryKeyTaken;
    mapping(bytes32 idCommitment => bool taken) private _idCommitmentTaken;

    modifier whileRunning() {
        uint256 until = stoppedUntil;
        if (block.timestamp < until) revert MemberRegistry_Stopped(until);
        _;
    }

    constructor(address consortium_) Governed(consortium_) {
        stopSeconds = IConsortium(consortium_).delaySeconds() + ALARM_SECONDS;
    }

    /*//////////////////////////////////////////////////////////////
                     ADMISSION, NAMES, REVOCATION
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IMemberRegistry
    function admit(address account, string calldata name, Profile calldata profile, KeyProofs calldata proofs)
        external
        onlyConsortium
    {
        // check
        if (_records[account].role != Role.None) revert MemberRegistry_AlreadyKnown(account);
        _checkProfile(account, profile);
        _checkNameLength(account, profile.role, name);
        _checkFree(account, name, profile);
        _checkBlsKey(account, profile, proofs);
        if (profile.role != Role.Device) _checkDeliveryKey(account, profile, proofs);

        // effect
        _take(account, name, profile);
        _keep(_records[account], profile);

        // log
        _logAdmission(account, name, profile);
    }

    /// @inheritdoc IMemberRegistry
    function rename(address account, string calldata name) external onlyConsortium {
        // check
        Record storage record = _records[account];
        if (!record.active) revert MemberRegistry_NotActive(account);
        if (!_isCompany(record.role)) revert MemberRegistry_BadProfile(account, "role");
        _checkNameLength(account, record.role, name);
        _checkNameFree(account, name);

        // effect
        holderOfName[keccak256(bytes(name))] = account;

        // log
        emit MemberRenamed(account, bytes(name));
    }

    /// @inheritdoc IMemberRegistry
    function revoke(address account) external onlyConsortium {
        // check
        Record storage record = _records[account];
        if (!record.active) revert MemberRegistry_NotActive(account);

        // effect
        (Role role, bytes32 regionId) = (record.role, record.regionId);
        record.active = false;
        if (role == Role.Processor) delete processorOf[regionId];

        // log
        emit MemberRevoked(account, role, regionId);
    }

    /*//////////////////////////////////////////////////////////////
                             EMERGENCY STOP
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IMemberRegistry
    function stopBeginnings() external onlyConsortium {
        // check
        if (isStopSpent) revert MemberRegistry_StopSpent();

        // effect
        isStopSpent = true;
        stoppedUntil = uint40(block.timestamp + stopSeconds);
        _stops.push(uint48(block.timestamp), stoppedUntil);

        // log
        emit BeginningsStopped(stoppedUntil);
    }

    /// @inheritdoc IMemberRegistry
    function rearmStop() external onlyConsortium {
        // check
        if (!isStopSpent) revert MemberRegistry_StopArmed();
        uint256 earliestAt = stoppedUntil + REST_SECONDS;
        if (block.timestamp < earliestAt) revert MemberRegistry_TooEarly(earliestAt, block.timestamp);

        // effect
        isStopSpent = false;

        // log
        emit StopRearmed();
    }

    /// @inheritdoc IMemberRegistry
    /// @dev Goes back from stop to stop. Two of them begin {stopSeconds} and {REST_SECONDS} apart at least, which
    /// bounds the steps by the span.
    function stoppedSeconds(uint256 from, uint256 to) external view returns (uint256 total) {
        uint256 before = to;
        while (before > from) {
            uint256 endedAt = _stops.upperLookup(uint48(before - 1));
            if (endedAt <= from) break;
            before = endedAt - stopSeconds;
            total += Math.min(endedAt, to) - Math.max(before, from);
        }
    }

    /// @inheritdoc IMemberRegistry
    function beginnerOf(address account) external view whileRunning returns (Role role, bytes32 regionId) {
        return activeRoleOf(account);
    }

    /// @inheritdoc IMemberRegistry
    function mayBegin(address account, Role role) external view whileRunning returns (bool) {
        return isActive(account, role);
    }

    /// @inheritdoc IMemberRegistry
    function mayAnchor(address device) external view whileRunning returns (bool) {
        return isActive(device, Role.Device);
    }

    /*//////////////////////////////////////////////////////////////
                                 VIEWS
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IMemberRegistry
    function memberOf(address account) external view returns (Profile memory profile, bool active) {
        Record storage record = _records[account];
        profile = Profile({
            role: record.role,
            regionId: record.regionId,
            owner: record.owner,
            idCommitment: record.idCommitment,
            paillierDigest: record.paillierDigest,
            blsKey: record.blsKey,
            deliveryKey: record.deliveryKey
        });
        active = record.active;
    }

    /// @inheritdoc IMemberRegistry
    function activeRoleOf(address account) public view returns (Role role, bytes32 regionId) {
        Record storage record = _records[account];
        if (record.active) (role, regionId) = (record.role, record.regionId);
    }

    /// @inheritdoc IMemberRegistry
    function isActive(address account, Role role) public view returns (bool active) {
        Record storage record = _records[account];
        // What every beginning asks: one read, and no more than it needs. In the first slot the role is the lowest
        // byte, `active` the next.
        assembly ("memory-safe") {
            active := eq(and(sload(record.slot), 0xffff), or(role, 0x100))
        }
    }

    /// @inheritdoc IMemberRegistry
    function ownerOf(address device) external view returns (address) {
        return _records[device].owner;
    }

    /// @inheritdoc IMemberRegistry
    function blsKeyOf(address account) external view returns (G2Point memory) {
        return _records[account].blsKey;
    }

    /// @inheritdoc IMemberRegistry
    function isSignedBy(address account, bytes calldata message, bytes calldata tag, G1Point calldata signature)
        external
        view
        returns (bool)
    {
        return BLS.verify(_records[account].blsKey, message, tag, signature);
    }

    /// @inheritdoc IMemberRegistry
    function deliveryKeyOf(address account) external view returns (G1Point memory) {
        return _records[account].deliveryKey;
    }

    /// @inheritdoc IMemberRegistry
    function consortium() external view returns (address) {
        return CONSORTIUM;
    }

    /// @inheritdoc IMemberRegistry
    function idCommitmentOf(address account) external view returns (bytes32) {
        return _records[account].idCommitment;
    }

    /*//////////////////////////////////////////////////////////////
                                PROFILE
    //////////////////////////////////////////////////////////////*/

    function _checkProfile(address account, Profile calldata profile) private view {
        Role role = profile.role;
        if (account == address(0)) revert MemberRegistry_BadProfile(account, "account");
        if (role == Role.None) revert MemberRegistry_BadProfile(account, "role");
        if (profile.idCommitment == 0) revert MemberRegistry_BadProfile(account, "idCommitment");
        bool mayRoam = role == Role.Consortium || role == Role.Sharer;
        if (profile.regionId == 0 && !mayRoam) revert MemberRegistry_BadProfile(account, "regionId");

        bool isDevice = role == Role.Device;
        bool ownerFits = isDevice ? _isUserOf(profile.owner, profile.regionId) : profile.owner == address(0);
        if (!ownerFits) revert MemberRegistry_BadProfile(account, "owner");
        if ((profile.paillierDigest == 0) != isDevice) revert MemberRegistry_BadProfile(account, "paillierDigest");
        if (isDevice && !BN254.isInfinity(profile.deliveryKey)) {
            revert MemberRegistry_BadProfile(account, "deliveryKey");
        }
    }

    function _isUserOf(address account, bytes32 regionId) private view returns (bool) {
        return isActive(account, Role.User) && _records[account].regionId == regionId;
    }

    /// @dev A household's and a device's name never stand on chain.
    function _isCompany(Role role) private pure returns (bool) {
        return role == Role.Consortium || role == Role.Processor || role == Role.Sharer;
    }

    function _checkNameLength(address account, Role role, string calldata name) private pure {
        uint256 length = bytes(name).length;
        bool fits = _isCompany(role) ? length != 0 && length <= MAX_NAME_BYTES : length == 0;
        if (!fits) revert MemberRegistry_BadProfile(account, "name");
    }

    /*//////////////////////////////////////////////////////////////
                          WHAT IS TAKEN FOR EVER
    //////////////////////////////////////////////////////////////*/

    function _checkFree(address account, string calldata name, Profile calldata profile) private view {
        if (profile.role == Role.Processor) {
            address processor = processorOf[profile.regionId];
            if (processor != address(0)) revert MemberRegistry_RegionTaken(profile.regionId, processor);
        }
        _checkNameFree(account, name);
        _checkKeyFree(_idCommitmentTaken, account, profile.idCommitment);
        _checkKeyFree(_blsKeyTaken, account, _hashOf(profile.blsKey));
        if (profile.role != Role.Device) _checkKeyFree(_deliveryKeyTaken, account, _hashOf(profile.deliveryKey));
    }

    /// @dev Nobody holds the empty name: it is never taken.
    function _checkNameFree(address account, string calldata name) private view {
        address holder = holderOfName[keccak256(bytes(name))];
        if (holder != address(0) && holder != account) revert MemberRegistry_NameTaken(account, holder);
    }

    function _checkKeyFree(mapping(bytes32 => bool) storage taken, address account, bytes32 keyHash) private view {
        if (taken[keyHash]) revert MemberRegistry_KeyTaken(account, keyHash);
    }

    /// @dev A region is taken until its processor is revoked, everything else for ever.
    function _take(address account, string calldata name, Profile calldata profile) private {
        if (profile.role == Role.Processor) processorOf[profile.regionId] = account;
        if (_isCompany(profile.role)) holderOfName[keccak256(bytes(name))] = account;
        _idCommitmentTaken[profile.idCommitment] = true;
        _blsKeyTaken[_hashOf(profile.blsKey)] = true;
        if (profile.role != Role.Device) _deliveryKeyTaken[_hashOf(profile.deliveryKey)] = true;
    }

    function _keep(Record storage record, Profile calldata profile) private {
        (record.role, record.active, record.owner) = (profile.role, true, profile.owner);
        record.regionId = profile.regionId;
        record.idCommitment = profile.idCommitment;
        record.blsKey = profile.blsKey;
        if (profile.role != Role.Device) {
            record.paillierDigest = profile.paillierDigest;
            record.deliveryKey = profile.deliveryKey;
        }
    }

    /*//////////////////////////////////////////////////////////////
                                  KEYS
    //////////////////////////////////////////////////////////////*/

    function _hashOf(G2Point calldata key) private pure returns (bytes32) {
        return keccak256(abi.encode(key));
    }

    function _hashOf(G1Point calldata key) private pure returns (bytes32) {
        return keccak256(abi.encode(key));
    }

    /// @dev The pairing inside {BLS.verify} refuses bad points as well; which of the two it was is only asked on
    /// failure.
    function _checkBlsKey(address account, Profile calldata profile, KeyProofs calldata proofs) private view {
        bytes memory message =
            abi.encode(block.chainid, address(this), account, uint8(profile.role), profile.blsKey);
        if (BLS.verify(profile.blsKey, message, DomainTags.POP, proofs.blsPossession)) return;
        if (!BN254.isValidG2(profile.blsKey)) revert MemberRegistry_BadPoint(account, "blsKey");
        revert MemberRegistry_BadProof(account, "blsKey");
    }

    function _checkDeliveryKey(address account, Profile calldata profile, KeyProofs calldata proofs) private view {
        if (!BN254.isValidG1(profile.deliveryKey)) revert MemberRegistry_BadPoint(account, "deliveryKey");
        bool known = DeliveryKey.verify(
            address(this),
            account,
            uint8(profile.role),
            profile.deliveryKey,
            proofs.deliveryNonce,
            proofs.deliveryResponse
        );
        if (!known) revert MemberRegistry_BadProof(account, "deliveryKey");
    }

    function _logAdmission(address account, string calldata name, Profile calldata profile) private {
        emit MemberAdmitted(
            account,
            profile.role,
            profile.regionId,
            profile.owner,
            profile.idCommitment,
            profile.paillierDigest,
            profile.blsKey,
            profile.deliveryKey,
            bytes(name)
        );
    }
}
