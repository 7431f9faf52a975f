// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Draw, IDataSetBook, OwnersLeaf, Publication} from "../../../interfaces/IDataSetBook.sol";
import {IMemberRegistry, Role} from "../../../interfaces/IMemberRegistry.sol";
import {IPrepaidLock, LockState} from "../../../interfaces/IPrepaidLock.sol";
import {G1Point, G2Point} from "../../../contracts/types/Points.sol";
import {Wiring} from "../../../contracts/libraries/Wiring.sol";
import {Locks} from "../base/Locks.sol";
import {G2Table} from "../vectors/G2Table.sol";

contract DataSetBookTest is Locks {
    bytes32 private constant PURPOSE = keccak256("DMSM-V1-data-sharing");
    uint32 private constant ROWS = 168;

    // Each of its 20 bytes is set: a leaf holds them all.
    address private deviceTwo = address(type(uint160).max - 0xD2);

    function setUp() public override {
        ownersBps = 5_000;
        super.setUp();
        admit(deviceTwo, Role.Device, SOUTH, neighbour);
    }

    function make(address[3] memory p) external returns (address) {
        return create("DataSetBook", abi.encode(p[0], p[1], p[2]));
    }

    function test_constructor__when_a_part_is_missing__reverts() public {
        address[3] memory good = [address(registry), address(consents), address(prepaid)];
        this.make(good);
        for (uint256 i = 0; i < 3; ++i) {
            address[3] memory parts = abi.decode(abi.encode(good), (address[3]));
            parts[i] = address(0);
            refuse(
                i < 2
                    ? abi.encodeWithSelector(Wiring.Wiring_NoContract.selector, address(0))
                    : abi.encodeWithSelector(Wiring.Wiring_ZeroAddress.selector)
            );
            this.make(parts);
        }
        this.make([good[0], good[1], address(11)]);
    }

    function test_constants__are_told() public view {
        eq(constantOf(address(sets), "MAX_MANIFEST_BYTES"), 32_768, "bytes of a manifest");
        eq(constantOf(address(sets), "LONGEST_SALE_SECONDS"), 30 days, "seconds of a sale");
        eq(constantOf(address(sets), "MOST_DRAWS"), 64, "draws at once");
        eq(constantOf(address(sets), "DATA_SHARING_PURPOSE"), uint256(PURPOSE), "purpose");
    }

    // ---- publish ----

    function test_publish__stores_and_emits() public {
        (Publication memory p, uint256 dataKey) = publication(3);
        bytes32 id = keccak256(abi.encode(block.chainid, address(sets), p.keyCommitment));
        eq(sets.dataSetIdOf(p.keyCommitment), id, "id");
        G1Point memory proof = possession(processor, p, dataKey);
        bytes32 idCommitment = registry.idCommitmentOf(processor);
        vm.expectEmit(address(sets));
        emit IDataSetBook.DataSetPublished(id, processor, NORTH, idCommitment, p, proof);
        vm.prank(processor);
        eq(sets.publish(p, proof), id, "returned");
        _offers(id, processor, p, p.saleUntil);
        (uint256 perRow, uint256 pot, uint32 rowCount, uint16 deviceCount, bytes32 root) = sets.earningsOf(id);
        eq(perRow + pot, 0, "nothing earned");
        eq(abi.encode(rowCount, deviceCount, root), abi.encode(p.rowCount, p.deviceCount, p.ownersRoot), "list");
        _offers("unknown", address(0), _nothing(), 0);
    }

    function test_publish__when_caller_does_not_fit__reverts() public {
        (Publication memory p, uint256 dataKey) = publication(1);
        _refusesPublication(p, dataKey, buyer, abi.encodeWithSelector(IDataSetBook.DataSetBook_NotProcessor.selector, buyer));
        uint256 snapshot = vm.snapshotState();
        revoke(processor);
        _refusesPublication(
            p, dataKey, processor, abi.encodeWithSelector(IDataSetBook.DataSetBook_NotProcessor.selector, processor)
        );
        vm.revertToState(snapshot);
        decided(address(registry), abi.encodeCall(IMemberRegistry.stopBeginnings, ()));
        bytes memory stopped =
            abi.encodeWithSelector(IMemberRegistry.MemberRegistry_Stopped.selector, BEGIN + DELAY_S + 7 days);
        _refusesPublication(p, dataKey, processor, stopped);
    }

    function test_publish__at_each_bound() public {
        for (uint256 i = 0; i < 26; ++i) {
            (Publication memory p, uint256 dataKey) = publication(1);
            bytes32 field;
            if (i == 0) (p.windowFrom, field) = (20_000 days + 1, "windowFrom");
            if (i == 1) (p.windowTo, field) = (20_007 days - 1, "windowTo");
            if (i == 2) (p.windowTo, field) = (20_000 days, "windowTo");
            if (i == 3) (p.windowTo, field) = (19_999 days, "windowTo");
            if (i == 4) (p.kind, field) = (0, "kind");
            if (i == 5) (p.rowCount, field) = (0, "rowCount");
            if (i == 6) (p.readingsRoot, field) = (0, "readingsRoot");
            if (i == 7) (p.manifestDigest, field) = (0, "manifest");
            if (i == 8) (p.manifestLength, field) = (0, "manifest");
            if (i == 9) (p.manifestLength, field) = (32_769, "manifest");
            if (i == 10) (p.keyCommitment, field) = (G2Point(0, 0, 0, 0), "keyCommitment");
            if (i == 11) (p.saleUntil, field) = (uint40(block.timestamp), "saleUntil");
            if (i == 12) (p.saleUntil, field) = (uint40(block.timestamp - 1), "saleUntil");
            if (i == 13) (p.saleUntil, field) = (uint40(block.timestamp + 30 days + 1), "saleUntil");
            if (i == 14) (p.deviceCount, field) = (0, "deviceCount");
            if (i == 15) (p.rowCount, p.deviceCount, field) = (2, 3, "deviceCount");
            if (i == 16) (p.ownersRoot, field) = (0, "ownersRoot");
            if (i == 17) (p.ownersDigest, field) = (0, "ownersDigest");
            if (i == 18) p.saleUntil = uint40(block.timestamp + 1);
            if (i == 19) p.saleUntil = uint40(block.timestamp + 30 days);
            if (i == 20) (p.rowCount, p.deviceCount) = (3, 3);
            if (i == 21) (p.rowCount, p.deviceCount, p.kind) = (type(uint32).max, type(uint16).max, 255);
            if (i == 22) (p.manifestLength, p.windowTo, p.rowCount) = (32_768, 20_001 days, 1);
            if (i == 23) (p.windowFrom, p.windowTo) = (0, uint40(uint256(type(uint40).max) / 1 days * 1 days));
            if (i == 24) (p.windowFrom, field) = (20_000 days + 12 hours, "windowFrom");
            if (i == 25) (p.windowTo, field) = (20_007 days - 12 hours, "windowTo");
            if (field != 0) {
                bytes memory bad = abi.encodeWithSelector(IDataSetBook.DataSetBook_BadPublication.selector, field);
                _refusesPublication(p, dataKey, processor, bad);
            } else {
                _offers(publish(processor, p, dataKey), processor, p, p.saleUntil);
            }
        }
    }

    function test_publish__when_key_was_used_or_proof_is_for_anything_else__reverts() public {
        (Publication memory p, uint256 dataKey) = publication(1);
        bytes32 id = sets.dataSetIdOf(p.keyCommitment);
        bytes memory bad = abi.encodeWithSelector(IDataSetBook.DataSetBook_BadKeyProof.selector, id);
        _refusesProof(p, possession(processorTwo, p, dataKey), bad); // copied from another processor
        _refusesProof(p, possession(processor, p, dataKey + 1), bad);
        for (uint256 i = 0; i < 11; ++i) {
            Publication memory other = abi.decode(abi.encode(p), (Publication));
            if (i == 0) other.windowFrom -= 1 days;
            if (i == 1) other.windowTo += 1 days;
            if (i == 2) other.saleUntil -= 1;
            if (i == 3) other.kind = 2;
            if (i == 4) other.rowCount += 1;
            if (i == 5) other.deviceCount += 1;
            if (i == 6) other.manifestLength += 1;
            if (i == 7) other.readingsRoot = "other";
            if (i == 8) other.manifestDigest = "other";
            if (i == 9) other.ownersRoot = "other";
            if (i == 10) other.ownersDigest = "other";
            _refusesProof(other, possession(processor, p, dataKey), bad);
        }
        G1Point memory proof = possession(processor, p, dataKey);
        p.keyCommitment = G2Point(0, 1, 2, 3); // some coordinates are zero, but it is not infinity
        id = sets.dataSetIdOf(p.keyCommitment);
        _refusesProof(p, proof, abi.encodeWithSelector(IDataSetBook.DataSetBook_BadKeyProof.selector, id));
        (id,) = publish(processor, 1);
        --dataSets;
        (p, dataKey) = publication(1);
        bytes memory used = abi.encodeWithSelector(IDataSetBook.DataSetBook_KeyUsed.selector, id);
        _refusesPublication(p, dataKey, processor, used);
        _refusesPublication(p, dataKey, processorTwo, used);
        vm.prank(processor);
        sets.retire(id);
        _refusesPublication(p, dataKey, processor, used);
    }

    // ---- retire, retireFor ----

    function test_retire__ends_the_sale_once() public {
        (Publication memory p, uint256 dataKey) = publication(1);
        bytes32 id = publish(processor, p, dataKey);
        refuse(err(IDataSetBook.DataSetBook_NotSeller.selector, id, processorTwo));
        vm.prank(processorTwo);
        sets.retire(id);
        revoke(processor);
        vm.warp(p.saleUntil - 1);
        vm.expectEmit(address(sets));
        emit IDataSetBook.DataSetRetired(id, processor, address(0), processor);
        vm.prank(processor);
        sets.retire(id);
        _offers(id, processor, p, p.saleUntil - 1);
        refuse(err(IDataSetBook.DataSetBook_NotOnSale.selector, id, p.saleUntil - 1));
        vm.prank(processor);
        sets.retire(id);
    }

    function test_retire__when_the_sale_is_over_or_never_was__reverts() public {
        (Publication memory p, uint256 dataKey) = publication(1);
        bytes32 id = publish(processor, p, dataKey);
        OwnersLeaf memory leaf = _leafOfOne();
        vm.warp(p.saleUntil);
        refuse(err(IDataSetBook.DataSetBook_NotOnSale.selector, id, p.saleUntil));
        vm.prank(processor);
        sets.retire(id);
        refuse(err(IDataSetBook.DataSetBook_NotOnSale.selector, id, p.saleUntil));
        sets.retireFor(id, leaf);
        refuse(err(IDataSetBook.DataSetBook_NotOnSale.selector, "none", uint256(0)));
        vm.prank(processor);
        sets.retire("none");
        refuse(err(IDataSetBook.DataSetBook_NotOnSale.selector, "none", uint256(0)));
        sets.retireFor("none", leaf);
    }

    function test_retireFor__given_no_standing_consent__ends_the_sale() public {
        (Publication memory p, uint256 dataKey) = publication(1);
        bytes32 id = publish(processor, p, dataKey);
        vm.prank(meterOwner);
        consents.give(device, PURPOSE, uint64(block.timestamp + 10));
        OwnersLeaf memory leaf = _leafOfOne();
        leaf.rows = ROWS - 1;
        refuse(err(IDataSetBook.DataSetBook_BadLeaf.selector, id, device));
        sets.retireFor(id, leaf);
        leaf.rows = ROWS;
        for (uint256 i = 0; i < 2; ++i) {
            refuse(err(IDataSetBook.DataSetBook_ConsentStands.selector, id, device));
            vm.prank(i == 0 ? meterOwner : processor);
            sets.retireFor(id, leaf);
        }
        for (uint256 i = 0; i < 4; ++i) {
            uint256 snapshot = vm.snapshotState();
            if (i == 0) vm.warp(block.timestamp + 10);
            if (i == 1) {
                vm.prank(meterOwner);
                consents.withdraw(device, PURPOSE);
            }
            if (i == 2) revoke(meterOwner);
            if (i == 3) revoke(device);
            decided(address(registry), abi.encodeCall(IMemberRegistry.stopBeginnings, ()));
            vm.expectEmit(address(sets));
            emit IDataSetBook.DataSetRetired(id, processor, device, outsider);
            vm.prank(outsider);
            sets.retireFor(id, leaf);
            _offers(id, processor, p, block.timestamp);
            vm.revertToState(snapshot);
        }
    }

    // ---- recordSale ----

    function test_recordSale__adds_whole_wei_a_row_and_returns_the_rest() public {
        refuse(abi.encodeWithSelector(IDataSetBook.DataSetBook_NotLock.selector, address(this)));
        sets.recordSale(dataSetId, 1);
        vm.startPrank(address(prepaid));
        eq(sets.recordSale("none", 5), 5, "of an unknown data set");
        eq(sets.recordSale(dataSetId, ROWS - 1), ROWS - 1, "less than a wei a row");
        eq(sets.recordSale(dataSetId, 2 * ROWS + 3), 3, "the rest");
        eq(sets.recordSale(dataSetId, 0), 0, "nothing");
        _earned(dataSetId, 2, 2 * ROWS);
    }

    /// @dev Near the end of 104 bits a sale is the treasury's: what holds a lock up would be worse.
    function test_recordSale__at_the_end_of_its_sums__refuses_nothing() public {
        uint256 most = type(uint104).max;
        for (uint256 i = 0; i < 4; ++i) {
            _putEarnings(i == 0 ? most : most - 1, i == 1 ? most - ROWS + 1 : 0);
            vm.prank(address(prepaid));
            uint256 rest = sets.recordSale(dataSetId, ROWS + 1);
            eq(rest, i < 2 ? ROWS + 1 : 1, "rest");
            if (i >= 2) _earned(dataSetId, most, ROWS);
        }
        _putEarnings(0, most - ROWS);
        vm.prank(address(prepaid));
        eq(sets.recordSale(dataSetId, ROWS), 0, "it just fits");
        _earned(dataSetId, 1, most);
    }

    // ---- draws ----

    function test_draw__pays_the_owner_once() public {
        bytes32 id = dataSetId;
        eq(sets.draw(id, _leafOfOne()), 0, "before any sale");
        _sell();
        (uint256 perRow, uint256 pot,,,) = sets.earningsOf(id);
        eq(pot, perRow * ROWS, "pot");
        vm.expectEmit(address(sets));
        emit IDataSetBook.Drawn(id, device, meterOwner, pot);
        vm.expectCall(address(prepaid), abi.encodeCall(IPrepaidLock.payOwner, (meterOwner, pot)), 2);
        vm.prank(outsider);
        eq(sets.draw(id, _leafOfOne()), pot, "all rows are its own");
        eq(prepaid.withdrawableOf(meterOwner), pot, "withdrawable");
        eq(sets.perRowDrawnOf(id, device), perRow, "drawn");
        _earned(id, perRow, 0);
        vm.recordLogs();
        eq(sets.draw(id, _leafOfOne()), 0, "again");
        eq(vm.getRecordedLogs().length, 0, "without event");
        solvent();
        revoke(meterOwner);
        _sell();
        eq(sets.draw(id, _leafOfOne()), pot, "of the second sale, to a revoked owner");
        eq(prepaid.withdrawableOf(meterOwner), 2 * pot, "withdrawable");
    }

    function test_draw__when_leaf_does_not_fit__reverts() public {
        OwnersLeaf memory leaf = _leafOfOne();
        refuse(err(IDataSetBook.DataSetBook_BadLeaf.selector, "none", device));
        sets.draw("none", leaf);
        leaf.index = 1;
        refuse(err(IDataSetBook.DataSetBook_BadLeaf.selector, dataSetId, device));
        sets.draw(dataSetId, leaf);
        bytes32 id = _publishTwo(processor, address(77), 100, device, 68);
        leaf = _leafOfTwo(0, address(77), 100, device, 68); // a precompile would take what is expected
        refuse(err(IDataSetBook.DataSetBook_NoOwner.selector, id, address(77)));
        sets.draw(id, leaf);
    }

    function test_drawMany__pays_each_run_of_an_owner_at_once() public {
        bytes32 id = _publishTwo(processor, device, 100, deviceTwo, 68);
        _sell();
        dataSetId = id;
        dataKey += 4;
        _sell();
        (uint256 first,,,,) = sets.earningsOf(id);
        (Draw[] memory draws, bytes32 old) = (new Draw[](4), _firstSet());
        draws[0] = Draw(old, _leafOfOne());
        draws[1] = Draw(id, _leafOfTwo(0, device, 100, deviceTwo, 68));
        draws[2] = Draw(id, _leafOfTwo(1, device, 100, deviceTwo, 68));
        draws[3] = draws[1];
        (uint256 perRow,,,,) = sets.earningsOf(old);
        uint256 mine = perRow * ROWS + first * 100;
        vm.expectCall(address(prepaid), abi.encodeCall(IPrepaidLock.payOwner, (meterOwner, mine)), 1);
        vm.expectCall(address(prepaid), abi.encodeCall(IPrepaidLock.payOwner, (neighbour, first * 68)), 2);
        eq(sets.drawMany(draws), mine + first * 68, "sum");
        eq(sets.drawMany(draws), 0, "again");
        eq(sets.drawMany(new Draw[](0)), 0, "none");
        refuse(abi.encodeWithSelector(IDataSetBook.DataSetBook_TooMany.selector, 65, 64));
        sets.drawMany(new Draw[](65));
        Draw[] memory most = new Draw[](64);
        for (uint256 i = 0; i < 64; ++i) most[i] = draws[i % 3];
        eq(sets.drawMany(most), 0, "sixty-four");
        _sell();
        Draw[] memory one = new Draw[](1);
        one[0] = draws[2];
        eq(sets.drawMany(one), first * 68, "of the next sale, the last of a list");
        solvent();
    }

    /// @dev Nothing due is no payment: whoever draws pays no gas for a call that moves nothing.
    function test_drawMany__calls_the_lock_for_what_is_due_alone() public {
        _sell();
        Draw[] memory draws = new Draw[](2);
        draws[0] = Draw(dataSetId, _leafOfOne());
        draws[1] = draws[0];
        vm.expectCall(address(prepaid), abi.encodeWithSelector(IPrepaidLock.payOwner.selector), 1);
        yes(sets.drawMany(draws) != 0, "drawn");
        eq(sets.drawMany(draws), 0, "again");
        eq(sets.draw(dataSetId, _leafOfOne()), 0, "and alone");
    }

    /// @dev Any list of two, true or false, any two sales, any order of draws: a pot pays out no more than came in for it, and no other's.
    function testFuzz_draw__given_any_list__pays_no_more_than_came_in(
        uint256 seed,
        uint32[2] memory rows,
        uint96[3] memory parts
    ) public {
        address[3] memory some = [device, deviceTwo, device];
        (address a, address b) = (some[seed % 3], some[(seed >> 2) % 3]);
        bytes32 id = _publishTwo(processor, a, rows[0], b, rows[1]);
        vm.prank(address(prepaid));
        sets.recordSale(dataSetId, 1 ether);
        uint256 cameIn;
        uint256 paidOut;
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(address(prepaid));
            cameIn += parts[i] - sets.recordSale(id, parts[i]);
            for (uint256 j = 0; j < 2; ++j) {
                if ((seed >> (4 + 2 * i + j)) % 2 == 0 && i < 2) continue;
                OwnersLeaf memory leaf = _leafOfTwo(uint16(j), a, rows[0], b, rows[1]);
                (uint256 perRow,,,,) = sets.earningsOf(id);
                uint256 due = leaf.rows * (perRow - sets.perRowDrawnOf(id, leaf.device));
                uint256 left = cameIn - paidOut;
                uint256 amount = sets.draw(id, leaf);
                eq(amount, due < left ? due : left, "the rows' part, at most the pot");
                eq(sets.draw(id, leaf), 0, "once");
                paidOut += amount;
            }
        }
        (, uint256 pot,,,) = sets.earningsOf(id);
        eq(paidOut + pot, cameIn, "no wei more");
        (, pot,,,) = sets.earningsOf(dataSetId);
        eq(pot, 1 ether / ROWS * ROWS, "another's pot");
        eq(prepaid.withdrawableOf(meterOwner) + prepaid.withdrawableOf(neighbour), paidOut, "to owners alone");
    }

    // ---- helpers ----

    function _nothing() private pure returns (Publication memory it) {}

    function _firstSet() private view returns (bytes32) {
        return sets.dataSetIdOf(G2Table.point(FIRST_DATA_KEY));
    }

    function _offers(bytes32 id, address by, Publication memory p, uint256 saleUntil) private view {
        (address seller, uint40 from, uint40 to, uint8 kind, uint40 until) = sets.offerOf(id);
        eq(
            abi.encode(seller, from, to, kind, until),
            abi.encode(by, p.windowFrom, p.windowTo, p.kind, uint40(saleUntil)),
            "offer"
        );
    }

    function _earned(bytes32 id, uint256 perRow, uint256 pot) private view {
        (uint256 perRowWei, uint256 potWei,,,) = sets.earningsOf(id);
        eq(perRowWei, perRow, "a row");
        eq(potWei, pot, "the pot");
    }

    /// @dev Into the second of a data set's words.
    function _putEarnings(uint256 perRow, uint256 pot) private {
        bytes32 slot = bytes32(uint256(keccak256(abi.encode(dataSetId, uint256(0)))) + 1);
        vm.store(address(sets), slot, bytes32(ROWS | (uint256(1) << 32) | (perRow << 48) | (pot << 152)));
        _earned(dataSetId, perRow, pot);
    }

    function _refusesPublication(Publication memory p, uint256 key, address by, bytes memory refused) private {
        G1Point memory proof = possession(by, p, key);
        refuse(refused);
        vm.prank(by);
        sets.publish(p, proof);
    }

    function _refusesProof(Publication memory p, G1Point memory proof, bytes memory refused) private {
        refuse(refused);
        vm.prank(processor);
        sets.publish(p, proof);
    }

    function _leafOfOne() private view returns (OwnersLeaf memory it) {
        (it.device, it.rows, it.proof) = (device, ROWS, new bytes32[](0));
    }

    function _publishTwo(address by, address a, uint32 rowsOfA, address b, uint32 rowsOfB) private returns (bytes32) {
        (Publication memory p, uint256 key) = publication(1);
        p.deviceCount = 2;
        p.ownersRoot = nodeHash(leafHash(a, rowsOfA), leafHash(b, rowsOfB));
        return publish(by, p, key);
    }

    function _leafOfTwo(uint16 index, address a, uint32 rowsOfA, address b, uint32 rowsOfB)
        private
        pure
        returns (OwnersLeaf memory it)
    {
        (it.device, it.rows, it.index) = index == 0 ? (a, rowsOfA, index) : (b, rowsOfB, index);
        it.proof = new bytes32[](1);
        it.proof[0] = index == 0 ? leafHash(b, rowsOfB) : leafHash(a, rowsOfA);
    }

    function _sell() private {
        bytes32 lockId = selected();
        deliver(lockId);
        is_(lockId, LockState.Settled);
    }
}
