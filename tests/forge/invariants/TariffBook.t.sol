// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IMemberRegistry, Role} from "../../../interfaces/IMemberRegistry.sol";
import {ITariffBook, SeriesEntry, TariffEntry} from "../../../interfaces/ITariffBook.sol";
import {System} from "../base/System.sol";

/// @title TariffBookInvariants
/// @notice What must stay true of the book (billing.md §5), after any calls by anybody at any time:
///
/// 1. Entries of a product and series of a name are only ever appended: each head is the hash of all that was accepted, in order, as it was then.
/// 2. Nothing that begins at or before its block's time is taken but from the consortium, by its vote; and it is marked.
/// 3. Nobody else appends: no stranger, no node of another region, no revoked node, no node during a stop.
contract TariffBookInvariants is System {
    /// @dev What was accepted, as the model keeps it. Of a tariff, `each` is 0.
    struct Kept {
        bytes32 digest;
        uint256 from;
        uint256 to;
        uint256 each;
        uint256 at;
        uint256 inBlock;
        bool isCorrection;
        bool isVoted;
    }

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    string[2] private _names = ["household", "industry"];
    mapping(bytes32 place => Kept[]) private _kept;
    mapping(bytes32 kind => uint256) private _done;
    uint256 private _newcomers;
    uint256[] private _agreed;
    mapping(uint256 proposalId => bytes) private _dataOf;

    function setUp() public {
        deploySystem("PrepaidLock");
        castMembers();
        vm.warp(BEGIN + FOUNDING_S);
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(this);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[7] memory steps = _steps();
        targets = new FuzzSelector[](1);
        (targets[0].addr, targets[0].selectors) = (address(this), new bytes4[](7));
        for (uint256 i = 0; i < 7; ++i) targets[0].selectors[i] = steps[i];
    }

    function _steps() private pure returns (bytes4[7] memory) {
        return [
            this.passTime.selector, this.appendTariff.selector, this.publishSeries.selector, this.agreeOn.selector,
            this.carryOutOne.selector, this.stop.selector, this.replaceNode.selector
        ];
    }

    // ---- what anybody may try, rightly and wrongly; each predicts its outcome ----

    function passTime(uint256 seed) external {
        vm.warp(block.timestamp + within(seed, 0, 2 days));
        vm.roll(block.number + seed % 3);
    }

    function appendTariff(uint256 seed) external {
        TariffEntry memory entry = _tariff(seed);
        bytes memory data = abi.encodeCall(ITariffBook.appendTariff, (_region(seed), _name(seed), entry));
        _try(seed, data, entry.digest, entry.validFrom, entry.validTo, 0);
    }

    function publishSeries(uint256 seed) external {
        SeriesEntry memory entry = _series(seed);
        bytes memory data = abi.encodeCall(ITariffBook.publishSeries, (_region(seed), _name(seed), entry));
        _try(seed, data, entry.digest, entry.startsAt, entry.endsAt, entry.resolutionSeconds);
    }

    function agreeOn(uint256 seed) external {
        bytes memory data = seed % 2 == 0
            ? abi.encodeCall(ITariffBook.appendTariff, (_region(seed), _name(seed), _tariff(seed)))
            : abi.encodeCall(ITariffBook.publishSeries, (_region(seed), _name(seed), _series(seed)));
        uint256 proposalId = agreed(address(tariffs), data);
        _agreed.push(proposalId);
        _dataOf[proposalId] = data;
    }

    /// @dev Waits for the delay. Whether it is superseded or lapsed the consortium's own invariants try.
    function carryOutOne(uint256 seed) external {
        if (_agreed.length == 0) return;
        uint256 proposalId = _agreed[_agreed.length - 1];
        bytes memory data = _dataOf[proposalId];
        _agreed.pop();
        uint256 readyAt =
            consortium.proposalOf(proposalId).agreedAt + consortium.delayFor(address(tariffs), 0, data);
        if (block.timestamp < readyAt) vm.warp(readyAt);
        vm.prank(judges[seed % 3]);
        try consortium.execute(proposalId, address(tariffs), 0, data) {
            _keep(data, true);
        } catch {
            ++_done["vote of no effect"];
        }
    }

    function stop(uint256 seed) external {
        if (registry.isStopSpent() || seed % 4 != 0) return;
        decided(address(registry), abi.encodeCall(IMemberRegistry.stopBeginnings, ()));
        ++_done["stop"];
    }

    function replaceNode(uint256 seed) external {
        if (_newcomers == 6 || seed % 8 != 0) return;
        revoke(processor);
        // Without a stop in the way, the old one is refused for its revocation.
        if (block.timestamp >= registry.stoppedUntil()) _appendAsRevoked();
        processor = admit(address(uint160(0xF000 + ++_newcomers)), Role.Processor, NORTH, address(0));
        ++_done["replace"];
    }

    function _appendAsRevoked() private {
        TariffEntry memory entry = TariffEntry("late", uint40(block.timestamp + 1), 0);
        refuse(abi.encodeWithSelector(ITariffBook.TariffBook_NotProcessor.selector, NORTH, processor));
        vm.prank(processor);
        tariffs.appendTariff(NORTH, _names[0], entry);
    }

    function _try(uint256 seed, bytes memory data, bytes32 digest, uint256 from, uint256 to, uint256 each) private {
        address[5] memory callers = [processor, processor, processorTwo, judges[0], outsider];
        address by = callers[(seed >> 32) % 5];
        bool fits = digest != 0 && (each == 0 ? to == 0 || to > from : to > from && (to - from) % each == 0);
        bool isNode = by == (_region(seed) == NORTH ? processor : processorTwo);
        bool mayBegin = block.timestamp >= registry.stoppedUntil();
        bool predicted = fits && isNode && mayBegin && from > block.timestamp;
        vm.prank(by);
        (bool ok,) = address(tariffs).call(data);
        eq(ok, predicted, "2, 3: who may append what");
        if (!ok && fits && isNode && mayBegin) ++_done["retroactive refused"];
        if (ok) _keep(data, false);
    }

    function _keep(bytes memory data, bool isVoted) private {
        bytes memory arguments = new bytes(data.length - 4);
        for (uint256 i = 0; i < arguments.length; ++i) arguments[i] = data[i + 4];
        bool isTariff = bytes4(data) == ITariffBook.appendTariff.selector;
        Kept memory it;
        (it.at, it.inBlock, it.isVoted) = (block.timestamp, block.number, isVoted);
        bytes32 region;
        string memory name;
        if (isTariff) {
            TariffEntry memory entry;
            (region, name, entry) = abi.decode(arguments, (bytes32, string, TariffEntry));
            (it.digest, it.from, it.to) = (entry.digest, entry.validFrom, entry.validTo);
        } else {
            SeriesEntry memory entry;
            (region, name, entry) = abi.decode(arguments, (bytes32, string, SeriesEntry));
            (it.digest, it.from, it.to, it.each) =
                (entry.digest, entry.startsAt, entry.endsAt, entry.resolutionSeconds);
        }
        it.isCorrection = it.from <= block.timestamp;
        _kept[_place(isTariff, region, name)].push(it);
        ++_done[isTariff ? bytes32("append") : bytes32("publish")];
        if (it.isCorrection) ++_done["correct"];
    }

    function _place(bool isTariff, bytes32 region, string memory name) private pure returns (bytes32) {
        return keccak256(abi.encode(isTariff, region, name));
    }

    function _region(uint256 seed) private pure returns (bytes32) {
        return (seed >> 8) % 4 == 0 ? SOUTH : NORTH;
    }

    function _name(uint256 seed) private view returns (string memory) {
        return _names[(seed >> 16) % 2];
    }

    function _from(uint256 seed) private view returns (uint40) {
        return uint40(within(seed >> 40, block.timestamp - 3, block.timestamp + 4));
    }

    function _tariff(uint256 seed) private view returns (TariffEntry memory) {
        uint40 from = _from(seed);
        uint40 to = (seed >> 56) % 3 == 0 ? 0 : from + uint40(within(seed >> 64, 0, 9));
        return TariffEntry((seed >> 72) % 16 == 0 ? bytes32(0) : bytes32(seed >> 80 | 1), from, to);
    }

    function _series(uint256 seed) private view returns (SeriesEntry memory) {
        uint32 each = uint32(900 << (seed >> 56) % 3);
        uint40 from = _from(seed);
        uint40 to = from + each * uint40((seed >> 64) % 4) + uint40((seed >> 72) % 8 == 0 ? 1 : 0);
        return SeriesEntry(bytes32(seed >> 80 | 1), from, to, each);
    }

    // ---- the checks ----

    /// forge-config: deep.invariant.runs = 2000
    function invariant_book() public view {
        for (uint256 i = 0; i < 8; ++i) {
            (bool isTariff, bytes32 region, string memory name) =
                (i % 2 == 0, i / 2 % 2 == 0 ? NORTH : SOUTH, _names[i / 4]);
            Kept[] storage all = _kept[_place(isTariff, region, name)];
            bytes32 head;
            for (uint256 j = 0; j < all.length; ++j) {
                Kept storage it = all[j];
                yes(it.isVoted || it.from > it.at, "2: nothing retroactive without a vote");
                head = isTariff
                    ? keccak256(abi.encode(head, it.digest, it.from, it.to, it.at, it.inBlock, it.isCorrection))
                    : keccak256(
                        abi.encode(head, it.digest, it.from, it.to, it.each, it.at, it.inBlock, it.isCorrection)
                    );
            }
            bytes32 product = keccak256(bytes(name));
            bytes32 found = isTariff ? tariffs.headOf(region, product) : tariffs.seriesHeadOf(region, product);
            eq(found, head, "1: the head of all that was accepted");
        }
    }

    /// @dev Shows that the actions get somewhere.
    function test_actions__in_long_walks__reach_everything() public {
        bytes32[7] memory kinds = [
            bytes32("append"), "publish", "correct", "retroactive refused", "stop", "replace", "vote of no effect"
        ];
        bytes4[7] memory steps = _steps();
        for (uint256 i = 0; i < 600; ++i) {
            uint256 random = uint256(keccak256(abi.encode("walk", i)));
            (bool ok, bytes memory why) =
                address(this).call(abi.encodePacked(steps[random % 7], abi.encode(random >> 8)));
            yes(ok, string(why));
        }
        invariant_book();
        for (uint256 i = 0; i < kinds.length; ++i) yes(_done[kinds[i]] > 0, string(abi.encodePacked(kinds[i])));
    }
}
