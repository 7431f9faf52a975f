// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IMemberRegistry, KeyProofs, Profile, Role} from "../../../interfaces/IMemberRegistry.sol";
import {BN254} from "../../../contracts/libraries/BN254.sol";
import {Wiring} from "../../../contracts/libraries/Wiring.sol";
import {Governed} from "../../../contracts/bases/Governed.sol";
import {G1Point, G2Point} from "../../../contracts/types/Points.sol";
import {Keys} from "../base/Keys.sol";
import {System} from "../base/System.sol";

contract MemberRegistryTest is System {
    address private constant NEW = address(0xEE);
    uint256 private constant INDEX = 25;

    function setUp() public {
        deploySystem("PrepaidLock");
        castMembers();
    }

    function make(address consortium_) external returns (address) {
        return create("MemberRegistry", abi.encode(consortium_));
    }

    function test_constructor__when_consortium_has_no_code__reverts() public {
        refuse(abi.encodeWithSelector(Wiring.Wiring_NoContract.selector, address(7)));
        this.make(address(7));
        eq(registry.consortium(), address(consortium), "consortium");
    }

    function test_admit__when_caller_does_not_fit__reverts() public {
        (Profile memory p, KeyProofs memory k) = _member(Role.User, NORTH, address(0));
        refuse(abi.encodeWithSelector(Governed.Governed_NotConsortium.selector, judges[0]));
        vm.prank(judges[0]);
        registry.admit(NEW, _nameFor(p.role), p, k);
    }

    function test_admit__stores_and_emits() public {
        Role[4] memory roles = [Role.User, Role.Sharer, Role.Consortium, Role.Processor];
        for (uint256 i = 0; i < 4; ++i) {
            uint256 snapshot = vm.snapshotState();
            bytes32 region = roles[i] == Role.User ? NORTH : i == 3 ? bytes32("west") : bytes32(0);
            (Profile memory p, KeyProofs memory k) = _member(roles[i], region, address(0));
            vm.expectEmit(address(registry));
            emit IMemberRegistry.MemberAdmitted(
                NEW,
                roles[i],
                region,
                address(0),
                p.idCommitment,
                p.paillierDigest,
                p.blsKey,
                p.deliveryKey,
                bytes(_nameFor(roles[i]))
            );
            _admit(p, k);
            (Profile memory stored, bool active) = registry.memberOf(NEW);
            eq(abi.encode(stored), abi.encode(p), "profile");
            yes(active, "active");
            yes(registry.isActive(NEW, roles[i]) && registry.mayBegin(NEW, roles[i]), "role");
            no(registry.isActive(NEW, Role.Device) || registry.mayBegin(NEW, Role.Device), "no other role");
            (Role role, bytes32 regionId) = registry.beginnerOf(NEW);
            yes(role == roles[i] && regionId == region, "beginner");
            eq(registry.idCommitmentOf(NEW), p.idCommitment, "id");
            eq(abi.encode(registry.blsKeyOf(NEW)), abi.encode(p.blsKey), "bls");
            eq(abi.encode(registry.deliveryKeyOf(NEW)), abi.encode(p.deliveryKey), "ek");
            eq(registry.processorOf("west"), i == 3 ? NEW : address(0), "region");
            eq(registry.holderOfName(keccak256(bytes(_nameFor(roles[i])))), i == 0 ? address(0) : NEW, "name");
            vm.revertToState(snapshot);
        }
    }

    function test_admit__given_a_device__stores_its_owner_and_no_delivery_key() public {
        (Profile memory p, KeyProofs memory k) = _member(Role.Device, NORTH, meterOwner);
        _admit(p, k);
        eq(registry.ownerOf(NEW), meterOwner, "owner");
        (Profile memory stored,) = registry.memberOf(NEW);
        eq(abi.encode(stored), abi.encode(p), "profile");
    }

    function test_admit__when_account_is_known__reverts() public {
        (Profile memory p, KeyProofs memory k) = _member(Role.User, NORTH, address(0));
        _admit(p, k);
        _refuses(p, k, abi.encodeWithSelector(IMemberRegistry.MemberRegistry_AlreadyKnown.selector, NEW));
        revoke(NEW);
        _refuses(p, k, abi.encodeWithSelector(IMemberRegistry.MemberRegistry_AlreadyKnown.selector, NEW));
    }

    function test_admit__when_a_field_does_not_fit__reverts() public {
        for (uint256 i = 0; i < 14; ++i) {
            bool isDevice = i >= 7;
            (Profile memory p, KeyProofs memory k) =
                isDevice ? _member(Role.Device, NORTH, meterOwner) : _member(Role.User, NORTH, address(0));
            bytes32 field;
            if (i == 0) (p.role, field) = (Role.None, "role");
            if (i == 1) (p.idCommitment, field) = (0, "idCommitment");
            if (i == 2) (p.regionId, field) = (0, "regionId");
            if (i == 3) (p.owner, field) = (meterOwner, "owner");
            if (i == 4) (p.paillierDigest, field) = (0, "paillierDigest");
            if (i == 5) (p.role, p.regionId, field) = (Role.Processor, 0, "regionId");
            if (i == 6) (p.role, p.owner, field) = (Role.Sharer, buyer, "owner");
            if (i == 7) (p.owner, field) = (address(0), "owner");
            if (i == 8) (p.owner, field) = (neighbour, "owner"); // of another region
            if (i == 9) (p.owner, field) = (buyer, "owner"); // no user
            if (i == 10) (p.paillierDigest, field) = ("digest", "paillierDigest");
            if (i == 11) (p.deliveryKey, field) = (Keys.deliveryKey(1), "deliveryKey");
            if (i == 12) (p.regionId, field) = (0, "regionId");
            if (i == 13) (p.deliveryKey.y, field) = (1, "deliveryKey");
            _refuses(p, k, abi.encodeWithSelector(IMemberRegistry.MemberRegistry_BadProfile.selector, NEW, field));
        }
        (Profile memory good, KeyProofs memory proofs) = _member(Role.User, NORTH, address(0));
        refuse(abi.encodeWithSelector(IMemberRegistry.MemberRegistry_BadProfile.selector, address(0), bytes32("account")));
        vm.prank(address(consortium));
        registry.admit(address(0), "", good, proofs);
        revoke(meterOwner);
        (Profile memory orphan, KeyProofs memory its) = _member(Role.Device, NORTH, meterOwner);
        _refuses(
            orphan, its, abi.encodeWithSelector(IMemberRegistry.MemberRegistry_BadProfile.selector, NEW, bytes32("owner"))
        );
    }

    function test_admit__when_region_is_served__reverts_until_its_processor_is_revoked() public {
        (Profile memory p, KeyProofs memory k) = _member(Role.Processor, NORTH, address(0));
        _refuses(p, k, abi.encodeWithSelector(IMemberRegistry.MemberRegistry_RegionTaken.selector, NORTH, processor));
        revoke(processor);
        eq(registry.processorOf(NORTH), address(0), "free");
        _admit(p, k);
        eq(registry.processorOf(NORTH), NEW, "served");
    }

    function test_admit__when_a_key_or_id_was_taken__reverts_for_ever() public {
        revoke(meterOwner);
        (Profile memory old,) = registry.memberOf(meterOwner);
        for (uint256 i = 0; i < 3; ++i) {
            (Profile memory p, KeyProofs memory k) = _member(Role.User, NORTH, address(0));
            bytes32 keyHash;
            if (i == 0) (p.idCommitment, keyHash) = (old.idCommitment, old.idCommitment);
            if (i == 1) (p.blsKey, keyHash) = (old.blsKey, keccak256(abi.encode(old.blsKey)));
            if (i == 2) (p.deliveryKey, keyHash) = (old.deliveryKey, keccak256(abi.encode(old.deliveryKey)));
            _refuses(p, k, abi.encodeWithSelector(IMemberRegistry.MemberRegistry_KeyTaken.selector, NEW, keyHash));
        }
    }

    // ---- names ----

    function test_admit__when_a_name_does_not_fit_the_role__reverts() public {
        Role[5] memory roles = [Role.User, Role.Device, Role.Sharer, Role.Consortium, Role.Processor];
        bytes32[5] memory regions = [NORTH, NORTH, bytes32(0), 0, "west"];
        bytes memory refused =
            abi.encodeWithSelector(IMemberRegistry.MemberRegistry_BadProfile.selector, NEW, bytes32("name"));
        for (uint256 i = 0; i < 5; ++i) {
            (Profile memory p, KeyProofs memory k) =
                _member(roles[i], regions[i], i == 1 ? meterOwner : address(0));
            bool isCompany = i >= 2;
            _admitsOrRefuses("", p, k, isCompany ? refused : bytes(""));
            _admitsOrRefuses("n", p, k, isCompany ? bytes("") : refused);
            _admitsOrRefuses(_bytes(64), p, k, isCompany ? bytes("") : refused);
            _admitsOrRefuses(_bytes(65), p, k, refused);
        }
    }

    function test_admit__when_a_name_is_or_was_anothers__reverts_for_ever() public {
        string memory theirs = Keys.name(keyOf[buyer], Role.Sharer);
        (Profile memory p, KeyProofs memory k) = _member(Role.Sharer, 0, address(0));
        bytes memory taken = abi.encodeWithSelector(IMemberRegistry.MemberRegistry_NameTaken.selector, NEW, buyer);
        _admitsOrRefuses(theirs, p, k, taken);
        _rename(buyer, "Vendor");
        _admitsOrRefuses(theirs, p, k, taken);
        _admitsOrRefuses("Vendor", p, k, taken);
        revoke(buyer);
        _admitsOrRefuses(theirs, p, k, taken);
        _admitsOrRefuses("Vendor", p, k, taken);
        _admitsOrRefuses("vendor", p, k, "");
    }

    function test_rename__when_caller_account_or_name_do_not_fit__reverts() public {
        refuse(abi.encodeWithSelector(Governed.Governed_NotConsortium.selector, buyer));
        vm.prank(buyer);
        registry.rename(buyer, "Vendor");
        refuse(abi.encodeWithSelector(IMemberRegistry.MemberRegistry_NotActive.selector, NEW));
        _rename(NEW, "Vendor");
        bytes memory badRole;
        for (uint256 i = 0; i < 2; ++i) {
            address who = i == 0 ? meterOwner : device;
            badRole = abi.encodeWithSelector(IMemberRegistry.MemberRegistry_BadProfile.selector, who, bytes32("role"));
            refuse(badRole);
            _rename(who, "Vendor");
            refuse(badRole);
            _rename(who, "");
        }
        bytes memory badName =
            abi.encodeWithSelector(IMemberRegistry.MemberRegistry_BadProfile.selector, buyer, bytes32("name"));
        refuse(badName);
        _rename(buyer, "");
        refuse(badName);
        _rename(buyer, _bytes(65));
        refuse(abi.encodeWithSelector(IMemberRegistry.MemberRegistry_NameTaken.selector, buyer, processor));
        _rename(buyer, Keys.name(keyOf[processor], Role.Processor));
        revoke(buyer);
        refuse(abi.encodeWithSelector(IMemberRegistry.MemberRegistry_NotActive.selector, buyer));
        _rename(buyer, "Vendor");
    }

    function test_rename__keeps_every_name_its_accounts() public {
        string memory first = Keys.name(keyOf[buyer], Role.Sharer);
        string[3] memory names = [_bytes(64), "n", first]; // its own first one, too
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectEmit(address(registry));
            emit IMemberRegistry.MemberRenamed(buyer, bytes(names[i]));
            _rename(buyer, names[i]);
            eq(registry.holderOfName(keccak256(bytes(names[i]))), buyer, "holder");
        }
        bytes memory taken =
            abi.encodeWithSelector(IMemberRegistry.MemberRegistry_NameTaken.selector, buyerTwo, buyer);
        for (uint256 i = 0; i < 3; ++i) {
            refuse(taken);
            _rename(buyerTwo, names[i]);
        }
        yes(registry.isActive(buyer, Role.Sharer), "nothing else has changed");
        eq(registry.MAX_NAME_BYTES(), 64, "bytes");
    }

    function _rename(address account, string memory name) private {
        vm.prank(address(consortium));
        registry.rename(account, name);
    }

    /// @dev Leaves everything as it was.
    function _admitsOrRefuses(string memory name, Profile memory p, KeyProofs memory k, bytes memory refused) private {
        uint256 snapshot = vm.snapshotState();
        if (refused.length > 0) refuse(refused);
        vm.prank(address(consortium));
        registry.admit(NEW, name, p, k);
        vm.revertToState(snapshot);
    }

    function _bytes(uint256 length) private pure returns (string memory) {
        return string(new bytes(length));
    }

    function _nameFor(Role role) private pure returns (string memory) {
        return Keys.name(INDEX, role);
    }

    // ---- keys ----

    function test_admit__when_a_point_is_invalid__names_it() public {
        (Profile memory p, KeyProofs memory k) = _member(Role.User, NORTH, address(0));
        p.blsKey.xRe += 1;
        _refuses(p, k, abi.encodeWithSelector(IMemberRegistry.MemberRegistry_BadPoint.selector, NEW, bytes32("blsKey")));
        p.blsKey = G2Point(0, 0, 0, 0);
        _refuses(p, k, abi.encodeWithSelector(IMemberRegistry.MemberRegistry_BadPoint.selector, NEW, bytes32("blsKey")));
        (p, k) = _member(Role.User, NORTH, address(0));
        p.deliveryKey.x += 1;
        _refuses(
            p, k, abi.encodeWithSelector(IMemberRegistry.MemberRegistry_BadPoint.selector, NEW, bytes32("deliveryKey"))
        );
        p.deliveryKey = G1Point(0, 0);
        _refuses(
            p, k, abi.encodeWithSelector(IMemberRegistry.MemberRegistry_BadPoint.selector, NEW, bytes32("deliveryKey"))
        );
    }

    /// @dev A proof for another account, role, registry or chain is worth nothing: the copied proof.
    function test_admit__when_a_proof_is_for_anything_else__reverts() public {
        bytes memory badBls =
            abi.encodeWithSelector(IMemberRegistry.MemberRegistry_BadProof.selector, NEW, bytes32("blsKey"));
        bytes memory badEk =
            abi.encodeWithSelector(IMemberRegistry.MemberRegistry_BadProof.selector, NEW, bytes32("deliveryKey"));
        for (uint256 i = 0; i < 5; ++i) {
            (Profile memory p, KeyProofs memory good) = _member(Role.User, NORTH, address(0));
            KeyProofs memory k;
            if (i == 0) k = Keys.proofs(INDEX, address(registry), buyer, Role.User);
            if (i == 1) k = Keys.proofs(INDEX, address(registry), NEW, Role.Sharer);
            if (i == 2) k = Keys.proofs(INDEX, address(market), NEW, Role.User);
            if (i == 3) {
                vm.chainId(7);
                k = Keys.proofs(INDEX, address(registry), NEW, Role.User);
                vm.chainId(31337);
            }
            if (i == 4) k = Keys.proofs(INDEX + 1, address(registry), NEW, Role.User);
            _refuses(p, k, badBls);
            k.blsPossession = good.blsPossession;
            _refuses(p, k, badEk);
            k.deliveryNonce = good.deliveryNonce;
            _refuses(p, k, badEk);
            k.deliveryResponse = good.deliveryResponse;
            uint256 snapshot = vm.snapshotState();
            _admit(p, k);
            vm.revertToState(snapshot);
        }
    }

    function test_revoke__when_caller_or_account_do_not_fit__reverts() public {
        refuse(abi.encodeWithSelector(Governed.Governed_NotConsortium.selector, judges[0]));
        vm.prank(judges[0]);
        registry.revoke(buyer);
        refuse(abi.encodeWithSelector(IMemberRegistry.MemberRegistry_NotActive.selector, NEW));
        vm.prank(address(consortium));
        registry.revoke(NEW);
        vm.prank(address(consortium));
        registry.revoke(buyer);
        refuse(abi.encodeWithSelector(IMemberRegistry.MemberRegistry_NotActive.selector, buyer));
        vm.prank(address(consortium));
        registry.revoke(buyer);
    }

    function test_revoke__keeps_the_keys_readable() public {
        vm.expectEmit(address(registry));
        emit IMemberRegistry.MemberRevoked(meterOwner, Role.User, NORTH);
        vm.prank(address(consortium));
        registry.revoke(meterOwner);
        (Profile memory p, bool active) = registry.memberOf(meterOwner);
        no(active, "active");
        no(registry.isActive(meterOwner, Role.User), "role");
        (Role role, bytes32 region) = registry.activeRoleOf(meterOwner);
        yes(role == Role.None && region == 0, "no role");
        eq(abi.encode(registry.blsKeyOf(meterOwner)), abi.encode(p.blsKey), "bls");
        eq(registry.processorOf(NORTH), processor, "the region is still served");
        bytes memory signature = abi.encode(Keys.sign(keyOf[meterOwner], "m", "t"));
        yes(registry.isSignedBy(meterOwner, "m", "t", abi.decode(signature, (G1Point))), "its signatures hold");
        no(registry.isSignedBy(buyer, "m", "t", abi.decode(signature, (G1Point))), "nobody else's");
        no(registry.isSignedBy(NEW, "m", "t", G1Point(0, 0)), "a stranger's infinity");
    }

    // ---- the emergency stop ----

    function test_stop__when_caller_does_not_fit__reverts() public {
        bytes memory refused = abi.encodeWithSelector(Governed.Governed_NotConsortium.selector, judges[0]);
        vm.startPrank(judges[0]);
        refuse(refused);
        registry.stopBeginnings();
        refuse(refused);
        registry.rearmStop();
    }

    function test_stop__holds_once_and_is_over_by_itself() public {
        vm.startPrank(address(consortium));
        refuse(abi.encodeWithSelector(IMemberRegistry.MemberRegistry_StopArmed.selector));
        registry.rearmStop();
        eq(registry.stopSeconds(), DELAY_S + 7 days, "the delay and a week");
        uint40 until = uint40(BEGIN + DELAY_S + 7 days);
        vm.expectEmit(address(registry));
        emit IMemberRegistry.BeginningsStopped(until);
        registry.stopBeginnings();
        eq(registry.stoppedUntil(), until, "until");
        yes(registry.isStopSpent(), "spent");
        refuse(abi.encodeWithSelector(IMemberRegistry.MemberRegistry_StopSpent.selector));
        registry.stopBeginnings();
        vm.warp(until - 1);
        refuse(abi.encodeWithSelector(IMemberRegistry.MemberRegistry_Stopped.selector, until));
        registry.mayBegin(buyer, Role.Sharer);
        refuse(abi.encodeWithSelector(IMemberRegistry.MemberRegistry_Stopped.selector, until));
        registry.beginnerOf(buyer);
        yes(registry.isActive(buyer, Role.Sharer), "active all the same");
        vm.warp(until);
        yes(registry.mayBegin(buyer, Role.Sharer), "over");
        refuse(abi.encodeWithSelector(IMemberRegistry.MemberRegistry_StopSpent.selector));
        registry.stopBeginnings();
        uint256 earliest = until + 30 days;
        vm.warp(earliest - 1);
        refuse(abi.encodeWithSelector(IMemberRegistry.MemberRegistry_TooEarly.selector, earliest, earliest - 1));
        registry.rearmStop();
        vm.warp(earliest);
        vm.expectEmit(address(registry));
        emit IMemberRegistry.StopRearmed();
        registry.rearmStop();
        no(registry.isStopSpent(), "armed");
        registry.stopBeginnings();
        eq(registry.stoppedUntil(), earliest + DELAY_S + 7 days, "again");
    }

    function test_stoppedSeconds__counts_every_stop_of_a_span() public {
        uint256 stop = registry.stopSeconds();
        eq(registry.stoppedSeconds(0, BEGIN + 90 days), 0, "none yet");
        vm.startPrank(address(consortium));
        vm.warp(BEGIN + 100);
        registry.stopBeginnings();
        uint256 first = BEGIN + 100;
        uint256 second = first + stop + 30 days;
        vm.warp(second);
        registry.rearmStop();
        registry.stopBeginnings();
        eq(registry.stoppedSeconds(first, second + stop), 2 * stop, "both");
        eq(registry.stoppedSeconds(first - 5, second + 7), stop + 7, "the second has begun");
        eq(registry.stoppedSeconds(first + 5, second), stop - 5, "the first alone");
        eq(registry.stoppedSeconds(first + stop - 1, first + stop + 1), 1, "its last second");
        eq(registry.stoppedSeconds(first + stop, second), 0, "between them");
        eq(registry.stoppedSeconds(first - 1, first), 0, "the second before");
        eq(registry.stoppedSeconds(first - 1, first + 1), 1, "its first second");
        eq(registry.stoppedSeconds(first + 9, first + 9), 0, "an empty span");
        eq(registry.stoppedSeconds(second + stop, second + stop + 1), 0, "after both");
    }

    function _member(Role role, bytes32 region, address owner)
        private
        view
        returns (Profile memory p, KeyProofs memory k)
    {
        return (Keys.profile(INDEX, role, region, owner), Keys.proofs(INDEX, address(registry), NEW, role));
    }

    function _admit(Profile memory p, KeyProofs memory k) private {
        vm.prank(address(consortium));
        registry.admit(NEW, _nameFor(p.role), p, k);
    }

    function _refuses(Profile memory p, KeyProofs memory k, bytes memory refused) private {
        refuse(refused);
        _admit(p, k);
    }
}
