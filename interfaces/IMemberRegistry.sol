// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {G1Point, G2Point} from "../contracts/types/Points.sol";

/// @notice What a member is (paper §III.B). An account has one role for ever.
enum Role {
    None,
    Consortium,
    Processor,
    Device,
    User,
    Sharer
}

/// @notice What a member registers beside its name, and what the registry keeps of it.
/// @param role The role.
/// @param regionId The region served (processor) or lived in; zero only for consortium nodes and sharers.
/// @param owner The user account that owns a device; zero for every other role.
/// @param idCommitment SHA256d(id ‖ salt) of the secret ID (paper §VI.B.2).
/// @param paillierDigest SHA-256 of the Paillier key and its proofs as published, which is also their CID; zero for a
/// device.
/// @param blsKey BLS public key [s]G2.
/// @param deliveryKey Delivery key [s]H; zero (0,0) for a device.
struct Profile {
    Role role;
    bytes32 regionId;
    address owner;
    bytes32 idCommitment;
    bytes32 paillierDigest;
    G2Point blsKey;
    G1Point deliveryKey;
}

/// @notice Proofs of possession; both bind chain id, registry, account and role (docs/formats.md §1).
/// @param blsPossession BLS signature under the POP tag.
/// @param deliveryNonce Schnorr commitment R; ignored for a device.
/// @param deliveryResponse Schnorr response z; ignored for a device.
struct KeyProofs {
    G1Point blsPossession;
    G1Point deliveryNonce;
    uint256 deliveryResponse;
}

/// @title IMemberRegistry
/// @notice Who takes part: admitted and revoked by the consortium, with keys whose possession was proved on chain.
/// Lifecycle of an account: None → active → revoked. Revocation is final for the account; what it began ends by
/// its own rules.
///
/// Companies (consortium, processing and data-sharing nodes) have a public name: 1 to {MAX_NAME_BYTES} bytes, given at
/// admission and changed by {rename}. The names of households and devices never stand on chain.
/// - A name belongs to the first account that had it, for ever: what was signed, published or paid under a name stays
///   its account's, and nobody takes over a name that has just become free. So a revoked member's name stays taken, as
///   its keys do, and so does a name that was given up; its own account may take it back.
/// - Names are compared byte for byte. Nothing here holds them to UTF-8, to one form of a letter or to letters that can
///   be told apart: whoever proposes and approves a name checks that (docs/formats.md §1), and whoever shows it escapes
///   it and shows the account beside it.
/// - The names are in the events: the registry keeps no more than the holder of each name's hash.
interface IMemberRegistry {
    /// @notice Emitted when a member was admitted, with everything a worker needs to rebuild the registry.
    /// @param name The public name in bytes as given, which may be any; empty for a user and a device.
    event MemberAdmitted(
        address indexed account,
        Role indexed role,
        bytes32 indexed regionId,
        address owner,
        bytes32 idCommitment,
        bytes32 paillierDigest,
        G2Point blsKey,
        G1Point deliveryKey,
        bytes name
    );

    /// @notice Emitted when a company got another public name; the one before stays its own.
    event MemberRenamed(address indexed account, bytes name);

    /// @notice Emitted when a member was revoked.
    event MemberRevoked(address indexed account, Role indexed role, bytes32 indexed regionId);

    /// @notice Emitted when the emergency stop was used: nothing begins until `until`.
    event BeginningsStopped(uint256 until);
    /// @notice Emitted when the emergency stop may be used once more.
    event StopRearmed();

    /// @notice The emergency stop holds: nothing begins until `until`; whatever has begun ends as always.
    error MemberRegistry_Stopped(uint256 until);
    /// @notice The emergency stop was used and not armed again.
    error MemberRegistry_StopSpent();
    /// @notice The emergency stop is armed already.
    error MemberRegistry_StopArmed();
    /// @notice The last stop is not over long enough.
    error MemberRegistry_TooEarly(uint256 earliestAt, uint256 nowAt);
    /// @notice The account is known already (an account registers once, also after revocation).
    error MemberRegistry_AlreadyKnown(address account);
    /// @notice The account is not an active member.
    error MemberRegistry_NotActive(address account);
    /// @notice A field of the profile, or the name, is missing, too long or must be empty for the role; `field` names
    /// it in ASCII.
    error MemberRegistry_BadProfile(address account, bytes32 field);
    /// @notice The name is or was another account's.
    error MemberRegistry_NameTaken(address account, address holder);
    /// @notice The region has an active processor already.
    error MemberRegistry_RegionTaken(bytes32 regionId, address processor);
    /// @notice The BLS or delivery key, or the ID commitment, belongs to another account already.
    error MemberRegistry_KeyTaken(address account, bytes32 keyHash);
    /// @notice A point is infinity, off the curve or has a coordinate that is not canonical.
    error MemberRegistry_BadPoint(address account, bytes32 field);
    /// @notice A proof of possession does not verify; `field` is "blsKey" or "deliveryKey".
    error MemberRegistry_BadProof(address account, bytes32 field);

    /// @notice Admits a member.
    /// @dev Emits {MemberAdmitted}. Requirements:
    /// - the caller is the consortium;
    /// - the account was never known;
    /// - role and ID commitment are given;
    /// - a processor, a device and a user have a region;
    /// - a device has an owner that is an active user of its region, everybody else has none;
    /// - everybody but a device has a Paillier digest and a delivery key, a device has neither;
    /// - a consortium node, a processor and a sharer have a name of 1 to {MAX_NAME_BYTES} bytes, everybody else has
    /// none;
    /// - no other account has or had the name;
    /// - the region of a processor has no active one;
    /// - no other account has or had the keys or the ID commitment;
    /// - both proofs verify.
    /// @param name The public name, in UTF-8.
    function admit(address account, string calldata name, Profile calldata profile, KeyProofs calldata proofs)
        external;

    /// @notice Gives a company another public name.
    /// @dev Emits {MemberRenamed}. Requirements:
    /// - the caller is the consortium;
    /// - the account is an active consortium node, processor or sharer;
    /// - the name has 1 to {MAX_NAME_BYTES} bytes;
    /// - no other account has or had it.
    function rename(address account, string calldata name) external;

    /// @notice Revokes a member for ever. Its keys and its name stay taken. A processor's region becomes free.
    /// @dev Emits {MemberRevoked}. Requirements:
    /// - the caller is the consortium;
    /// - the account is active.
    function revoke(address account) external;

    /// @notice Uses the emergency stop, once: for {stopSeconds} no request, acceptance, broadcast, response, selection,
    /// data set or anchor begins. It ends by itself; nothing that has begun is touched, no money is held back.
    /// @dev Emits {BeginningsStopped}. Requirements:
    /// - the caller is the consortium;
    /// - the stop is armed.
    function stopBeginnings() external;

    /// @notice Arms the emergency stop for one more use.
    /// @dev Emits {StopRearmed}. Requirements:
    /// - the caller is the consortium;
    /// - the stop was used;
    /// - it is over for {REST_SECONDS}, so that stops cannot follow each other.
    function rearmStop() external;

    /// @notice The profile and whether the member is active (all zero for an unknown account).
    function memberOf(address account) external view returns (Profile memory profile, bool active);

    /// @notice Role and region of an active member, (None, 0) for anybody else. The cheap look-up for other contracts.
    function activeRoleOf(address account) external view returns (Role role, bytes32 regionId);

    /// @notice Whether the account is active in this role.
    function isActive(address account, Role role) external view returns (bool);

    /// @notice {activeRoleOf} for what begins: reverts with {MemberRegistry_Stopped} while the emergency stop holds.
    function beginnerOf(address account) external view returns (Role role, bytes32 regionId);

    /// @notice {isActive} for what begins: reverts with {MemberRegistry_Stopped} while the emergency stop holds.
    function mayBegin(address account, Role role) external view returns (bool);

    /// @notice {mayBegin} of a device: asked with every batch, and cheaper with one word to read.
    function mayAnchor(address device) external view returns (bool);

    /// @notice Whether a BLS signature over a message, under a domain tag, is the member's, also of a revoked one.
    function isSignedBy(address account, bytes calldata message, bytes calldata tag, G1Point calldata signature)
        external
        view
        returns (bool);

    /// @notice How long the emergency stop holds: the consortium's delay and a week, so that what the alarm is about
    /// can be decided before it ends.
    function stopSeconds() external view returns (uint256);

    /// @notice For how many seconds of a span, `to` exclusive, emergency stops have held or will hold.
    function stoppedSeconds(uint256 from, uint256 to) external view returns (uint256);

    /// @notice Until when nothing begins; in the past, or 0, when the emergency stop does not hold.
    function stoppedUntil() external view returns (uint40);

    /// @notice Whether the emergency stop was used and not armed again.
    function isStopSpent() external view returns (bool);

    /// @notice The active processor of a region, zero if none.
    function processorOf(bytes32 regionId) external view returns (address);

    /// @notice The owner of a device (also of a revoked one), zero if not a device.
    function ownerOf(address device) external view returns (address);

    /// @notice The BLS key of a member, also of a revoked one (all zero if unknown).
    function blsKeyOf(address account) external view returns (G2Point memory);

    /// @notice The delivery key of a member, also of a revoked one (zero if none).
    function deliveryKeyOf(address account) external view returns (G1Point memory);

    /// @notice Whose a name is or was: the account that no other can ever take the name from, zero if there is none.
    /// @param nameHash keccak256 of the name's bytes.
    function holderOfName(bytes32 nameHash) external view returns (address);

    /// @notice The ID commitment of a member, also of a revoked one.
    function idCommitmentOf(address account) external view returns (bytes32);

    /// @notice The most bytes of a public name.
    function MAX_NAME_BYTES() external view returns (uint256);

    /// @notice The contract that governs.
    function consortium() external view returns (address);
}
