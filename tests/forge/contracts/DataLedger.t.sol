// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IDataLedger, SignedBatch} from "../../../interfaces/IDataLedger.sol";
import {IMemberRegistry, Role} from "../../../interfaces/IMemberRegistry.sol";
import {Wiring} from "../../../contracts/libraries/Wiring.sol";
import {G2Point} from "../../../contracts/types/Points.sol";
import {System} from "../base/System.sol";

contract DataLedgerTest is System {
    bytes32 private constant ROOT = "root";
    uint256 private constant DEVICE_KEY = 0xD3;
    uint40 private constant EXPIRES_AT = uint40(BEGIN + 29 days);

    address private signer;

    function setUp() public {
        deploySystem("PrepaidLock");
        castMembers();
        signer = admit(vm.addr(DEVICE_KEY), Role.Device, NORTH, meterOwner);
    }

    function make(address registry_) external returns (address) {
        return create("DataLedger", abi.encode(registry_));
    }

    function test_constructor__when_registry_has_no_code__reverts() public {
        refuse(abi.encodeWithSelector(Wiring.Wiring_NoContract.selector, address(7)));
        this.make(address(7));
    }

    // ---- readings ----

    function test_anchor__when_caller_or_batch_do_not_fit__reverts() public {
        refuse(abi.encodeWithSelector(IDataLedger.DataLedger_NotDevice.selector, meterOwner));
        vm.prank(meterOwner);
        ledger.anchor(1, 1, ROOT);
        uint32[3] memory counts = [uint32(0), 65_537, 1];
        for (uint256 i = 0; i < 3; ++i) {
            refuse(abi.encodeWithSelector(IDataLedger.DataLedger_BadBatch.selector, 1, counts[i]));
            vm.prank(device);
            ledger.anchor(1, counts[i], i == 2 ? bytes32(0) : ROOT);
        }
        vm.prank(device);
        ledger.anchor(1, 65_536, ROOT);
        revoke(device);
        refuse(abi.encodeWithSelector(IDataLedger.DataLedger_NotDevice.selector, device));
        vm.prank(device);
        ledger.anchor(65_537, 1, ROOT);
    }

    function test_anchor__goes_on_without_gaps_and_repeats_nothing() public {
        eq(ledger.nextSeqOf(device), 1, "first");
        vm.startPrank(device);
        vm.expectEmit(address(ledger));
        emit IDataLedger.BatchAnchored(device, 1, 10, ROOT);
        ledger.anchor(1, 10, ROOT);
        eq(ledger.nextSeqOf(device), 11, "next");
        eq(ledger.anchorOf(device, 1), keccak256(abi.encode(uint64(1), uint32(10), ROOT)), "batch");
        vm.recordLogs();
        ledger.anchor(1, 10, ROOT);
        eq(vm.getRecordedLogs().length, 0, "an identical repeat does nothing");
        refuse(abi.encodeWithSelector(IDataLedger.DataLedger_SeqTaken.selector, device, 1));
        ledger.anchor(1, 10, "other");
        refuse(abi.encodeWithSelector(IDataLedger.DataLedger_SeqTaken.selector, device, 1));
        ledger.anchor(1, 9, ROOT);
        refuse(abi.encodeWithSelector(IDataLedger.DataLedger_SeqTaken.selector, device, 10));
        ledger.anchor(10, 1, ROOT);
        refuse(abi.encodeWithSelector(IDataLedger.DataLedger_SeqGap.selector, device, 12, 11));
        ledger.anchor(12, 1, ROOT);
        refuse(abi.encodeWithSelector(IDataLedger.DataLedger_SeqGap.selector, device, 0, 11));
        ledger.anchor(0, 1, ROOT);
        ledger.anchor(11, 1, ROOT);
        eq(ledger.nextSeqOf(device), 12, "next");
    }

    function test_anchor__given_the_stop__reverts() public {
        decided(address(registry), abi.encodeCall(IMemberRegistry.stopBeginnings, ()));
        refuse(abi.encodeWithSelector(IMemberRegistry.MemberRegistry_Stopped.selector, BEGIN + DELAY_S + 7 days));
        vm.prank(device);
        ledger.anchor(1, 1, ROOT);
    }

    function test_anchorSigned__by_anybody__anchors_for_the_device() public {
        bytes32 digest = keccak256(
            abi.encode(
                keccak256("DMSM-V1-anchor"), block.chainid, address(ledger), signer, uint64(1), uint32(5), ROOT, EXPIRES_AT
            )
        );
        eq(ledger.anchorDigest(signer, 1, 5, ROOT, EXPIRES_AT), digest, "digest");
        vm.prank(outsider);
        ledger.anchorSigned(_signed(1, 5, ROOT));
        eq(ledger.nextSeqOf(signer), 6, "next");
    }

    function test_anchorSigned__when_signature_is_for_anything_else__reverts() public {
        SignedBatch memory good = _signed(1, 5, ROOT);
        for (uint256 i = 0; i < 7; ++i) {
            SignedBatch memory it = abi.decode(abi.encode(good), (SignedBatch));
            if (i == 0) it.device = device;
            if (i == 1) it.fromSeq = 2;
            if (i == 2) it.count = 6;
            if (i == 3) it.root = "other";
            if (i == 4) it.signature = hex"1234";
            if (i == 5) it.signature[0] ^= 0x01;
            if (i == 6) it.expiresAt += 1;
            refuse(abi.encodeWithSelector(IDataLedger.DataLedger_BadSignature.selector, it.device, it.fromSeq));
            ledger.anchorSigned(it);
        }
        vm.chainId(2);
        refuse(abi.encodeWithSelector(IDataLedger.DataLedger_BadSignature.selector, signer, 1));
        ledger.anchorSigned(good);
    }

    function test_anchorSigned__at_each_bound_of_the_expiry() public {
        SignedBatch memory it = _signed(1, 5, ROOT);
        uint40[4] memory times =
            [EXPIRES_AT, EXPIRES_AT + 1, EXPIRES_AT - 30 days - 1, EXPIRES_AT - 30 days];
        for (uint256 i = 0; i < 4; ++i) {
            vm.warp(times[i]);
            if (i < 3) {
                refuse(
                    abi.encodeWithSelector(
                        IDataLedger.DataLedger_BadExpiry.selector, signer, 1, EXPIRES_AT, times[i]
                    )
                );
            }
            ledger.anchorSigned(it);
        }
        vm.warp(EXPIRES_AT - 1);
        ledger.anchorSigned(_signed(6, 1, ROOT));
        eq(ledger.nextSeqOf(signer), 7, "next");
    }

    function test_anchorMany__anchors_what_it_can_and_names_the_rest() public {
        SignedBatch[] memory batches = new SignedBatch[](3);
        (batches[0], batches[1], batches[2]) = (_signed(1, 5, ROOT), _signed(9, 1, ROOT), _signed(6, 2, ROOT));
        vm.expectEmit(address(ledger));
        emit IDataLedger.BatchAnchored(signer, 1, 5, ROOT);
        vm.expectEmit(address(ledger));
        emit IDataLedger.BatchRefused(
            signer, 9, abi.encodeWithSelector(IDataLedger.DataLedger_SeqGap.selector, signer, 9, 6)
        );
        eq(ledger.anchorMany(batches), 2, "anchored");
        eq(ledger.nextSeqOf(signer), 8, "next");
    }

    function test_anchorMany__at_each_bound() public {
        eq(ledger.anchorMany(new SignedBatch[](0)), 0, "none");
        eq(ledger.anchorMany(new SignedBatch[](64)), 0, "all refused");
        refuse(abi.encodeWithSelector(IDataLedger.DataLedger_TooMany.selector, 65, 64));
        ledger.anchorMany(new SignedBatch[](65));
    }

    function test_verifyReading__tells_by_batch_and_path() public {
        bytes32 left = sha256(abi.encodePacked(hex"00", bytes32("a")));
        bytes32 right = sha256(abi.encodePacked(hex"00", bytes32("b")));
        bytes32 root = sha256(abi.encodePacked(hex"01", left, right));
        vm.startPrank(device);
        ledger.anchor(1, 3, ROOT);
        ledger.anchor(4, 2, root);
        vm.stopPrank();
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = left;
        yes(ledger.verifyReading(device, 5, "b", 4, 2, root, proof), "the second");
        no(ledger.verifyReading(device, 4, "b", 4, 2, root, proof), "not the first");
        no(ledger.verifyReading(device, 3, "b", 4, 2, root, proof), "before the batch");
        no(ledger.verifyReading(device, 6, "b", 4, 2, root, proof), "behind the batch");
        no(ledger.verifyReading(device, 5, "b", 4, 3, root, proof), "another batch");
        no(ledger.verifyReading(device, 5, "b", 4, 2, ROOT, proof), "another root");
        no(ledger.verifyReading(signer, 5, "b", 4, 2, root, proof), "another device");
        no(ledger.verifyReading(device, 5, "a", 4, 2, root, proof), "another reading");
    }

    function _signed(uint64 fromSeq, uint32 count, bytes32 root) private view returns (SignedBatch memory it) {
        (it.device, it.fromSeq, it.count, it.root, it.expiresAt) = (signer, fromSeq, count, root, EXPIRES_AT);
        bytes32 digest = ledger.anchorDigest(signer, fromSeq, count, root, EXPIRES_AT);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(DEVICE_KEY, digest);
        it.signature = abi.encodePacked(r, s, v);
    }
}
