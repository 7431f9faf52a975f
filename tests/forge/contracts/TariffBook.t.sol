// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IMemberRegistry} from "../../../interfaces/IMemberRegistry.sol";
import {ITariffBook, SeriesEntry, TariffEntry} from "../../../interfaces/ITariffBook.sol";
import {Wiring} from "../../../contracts/libraries/Wiring.sol";
import {System} from "../base/System.sol";

contract TariffBookTest is System {
    string private constant PRODUCT = "household";
    bytes32 private constant DIGEST = "digest";
    uint40 private constant AHEAD = uint40(BEGIN) + 100;

    function setUp() public {
        deploySystem("PrepaidLock");
        castMembers();
    }

    function make(address registry_) external returns (address) {
        return create("TariffBook", abi.encode(registry_));
    }

    function tariff(uint256 from, uint256 to) private pure returns (TariffEntry memory) {
        return TariffEntry(DIGEST, uint40(from), uint40(to));
    }

    function series(uint256 from, uint256 to, uint256 each) private pure returns (SeriesEntry memory) {
        return SeriesEntry(DIGEST, uint40(from), uint40(to), uint32(each));
    }

    function named(uint256 length) private pure returns (string memory name) {
        bytes memory letters = new bytes(length);
        for (uint256 i = 0; i < length; ++i) letters[i] = "n";
        return string(letters);
    }

    function append(string memory name, TariffEntry memory entry) private {
        vm.prank(processor);
        tariffs.appendTariff(NORTH, name, entry);
    }

    function publishPrices(string memory name, SeriesEntry memory entry) private {
        vm.prank(processor);
        tariffs.publishSeries(NORTH, name, entry);
    }

    function refuseField(bytes32 field) private {
        refuse(abi.encodeWithSelector(ITariffBook.TariffBook_BadEntry.selector, field));
    }

    function test_constructor__when_registry_has_no_code__reverts() public {
        refuse(abi.encodeWithSelector(Wiring.Wiring_NoContract.selector, address(7)));
        this.make(address(7));
    }

    function test_appendTariff__when_a_field_does_not_fit__reverts() public {
        refuseField("regionId");
        vm.prank(processor);
        tariffs.appendTariff(0, PRODUCT, tariff(AHEAD, 0));
        refuseField("name");
        append("", tariff(AHEAD, 0));
        refuseField("name");
        append(named(129), tariff(AHEAD, 0));
        append(named(128), tariff(AHEAD, 0));
        append(named(1), tariff(AHEAD, 0));
        refuseField("digest");
        append(PRODUCT, TariffEntry(0, AHEAD, 0));
        refuseField("validTo");
        append(PRODUCT, tariff(AHEAD, AHEAD));
        refuseField("validTo");
        append(PRODUCT, tariff(AHEAD, AHEAD - 1));
        append(PRODUCT, tariff(AHEAD, AHEAD + 1));
    }

    function test_publishSeries__when_a_field_does_not_fit__reverts() public {
        refuseField("regionId");
        vm.prank(processor);
        tariffs.publishSeries(0, PRODUCT, series(AHEAD, AHEAD + 900, 900));
        refuseField("name");
        publishPrices(named(129), series(AHEAD, AHEAD + 900, 900));
        refuseField("digest");
        publishPrices(PRODUCT, SeriesEntry(0, AHEAD, AHEAD + 900, 900));
        uint16[6] memory wrong = [0, 899, 901, 1_799, 2_700, 3_601];
        for (uint256 i = 0; i < wrong.length; ++i) {
            refuseField("resolutionSeconds");
            publishPrices(PRODUCT, series(AHEAD, AHEAD + wrong[i], wrong[i]));
        }
        uint16[3] memory right = [900, 1_800, 3_600];
        for (uint256 i = 0; i < right.length; ++i) {
            refuseField("endsAt");
            publishPrices(PRODUCT, series(AHEAD, AHEAD, right[i]));
            refuseField("endsAt");
            publishPrices(PRODUCT, series(AHEAD, AHEAD - right[i], right[i]));
            refuseField("endsAt");
            publishPrices(PRODUCT, series(AHEAD, AHEAD + right[i] + 1, right[i]));
            publishPrices(PRODUCT, series(AHEAD, AHEAD + 3 * uint256(right[i]), right[i]));
        }
    }

    function test_both__by_anybody_else__revert() public {
        address[4] memory others = [processorTwo, meterOwner, judges[0], outsider];
        for (uint256 i = 0; i < others.length; ++i) {
            refuseCaller(others[i]);
            tariffs.appendTariff(NORTH, PRODUCT, tariff(AHEAD, 0));
            refuseCaller(others[i]);
            tariffs.publishSeries(NORTH, PRODUCT, series(AHEAD, AHEAD + 900, 900));
        }
        revoke(processor);
        uint256 later = block.timestamp + 100;
        refuseCaller(processor);
        tariffs.appendTariff(NORTH, PRODUCT, tariff(later, 0));
        refuseCaller(processor);
        tariffs.publishSeries(NORTH, PRODUCT, series(later, later + 900, 900));
        eq(tariffs.headOf(NORTH, keccak256(bytes(PRODUCT))), 0, "nothing was appended");
    }

    function refuseCaller(address by) private {
        refuse(abi.encodeWithSelector(ITariffBook.TariffBook_NotProcessor.selector, NORTH, by));
        vm.prank(by);
    }

    function test_both__while_stopped__revert_for_the_node() public {
        decided(address(registry), abi.encodeCall(IMemberRegistry.stopBeginnings, ()));
        uint40 until = registry.stoppedUntil();
        vm.warp(until - 1);
        refuse(abi.encodeWithSelector(IMemberRegistry.MemberRegistry_Stopped.selector, until));
        append(PRODUCT, tariff(until + 1, 0));
        refuse(abi.encodeWithSelector(IMemberRegistry.MemberRegistry_Stopped.selector, until));
        publishPrices(PRODUCT, series(until + 1, until + 901, 900));
        vm.prank(address(consortium));
        tariffs.appendTariff(NORTH, PRODUCT, tariff(0, 0));
        vm.warp(until);
        append(PRODUCT, tariff(until + 1, 0));
        publishPrices(PRODUCT, series(until + 1, until + 901, 900));
    }

    function test_both__when_it_has_begun__revert_for_the_node() public {
        for (uint40 i = 0; i < 2; ++i) {
            bytes memory why = abi.encodeWithSelector(ITariffBook.TariffBook_NotAhead.selector, BEGIN - i, BEGIN);
            refuse(why);
            append(PRODUCT, tariff(BEGIN - i, 0));
            refuse(why);
            publishPrices(PRODUCT, series(BEGIN - i, BEGIN - i + 900, 900));
        }
        append(PRODUCT, tariff(BEGIN + 1, 0));
        publishPrices(PRODUCT, series(BEGIN + 1, BEGIN + 901, 900));
    }

    function test_appendTariff__by_node_and_vote__hashes_all_in_order() public {
        bytes32 product = keccak256(bytes(PRODUCT));
        vm.roll(77);
        vm.expectEmit(address(tariffs));
        emit ITariffBook.TariffAppended(
            NORTH, product, DIGEST, processor, AHEAD, AHEAD + 9, uint40(BEGIN), false, bytes(PRODUCT)
        );
        append(PRODUCT, tariff(AHEAD, AHEAD + 9));
        bytes32 head = keccak256(
            abi.encode(bytes32(0), DIGEST, uint256(AHEAD), uint256(AHEAD + 9), BEGIN, uint256(77), false)
        );
        eq(tariffs.headOf(NORTH, product), head, "one entry");
        eq(tariffs.seriesHeadOf(NORTH, product), 0, "no series");
        eq(tariffs.headOf(SOUTH, product), 0, "no other region");
        vm.roll(78);
        bytes memory data = abi.encodeCall(ITariffBook.appendTariff, (NORTH, PRODUCT, tariff(BEGIN, 0)));
        uint256 proposalId = agreed(address(tariffs), data);
        vm.expectEmit(address(tariffs));
        emit ITariffBook.TariffAppended(
            NORTH, product, DIGEST, address(consortium), uint40(BEGIN), 0, uint40(BEGIN), true, bytes(PRODUCT)
        );
        vm.prank(judges[2]);
        consortium.execute(proposalId, address(tariffs), 0, data);
        head = keccak256(abi.encode(head, DIGEST, BEGIN, uint256(0), BEGIN, uint256(78), true));
        eq(tariffs.headOf(NORTH, product), head, "two entries");
        decided(address(tariffs), abi.encodeCall(ITariffBook.appendTariff, (NORTH, PRODUCT, tariff(AHEAD, 0))));
        head = keccak256(abi.encode(head, DIGEST, uint256(AHEAD), uint256(0), BEGIN, uint256(78), false));
        eq(tariffs.headOf(NORTH, product), head, "three entries");
    }

    function test_publishSeries__by_node_and_vote__hashes_all_in_order() public {
        bytes32 name = keccak256(bytes(PRODUCT));
        vm.roll(77);
        vm.expectEmit(address(tariffs));
        emit ITariffBook.SeriesPublished(
            NORTH, name, DIGEST, processor, AHEAD, AHEAD + 1_800, 900, uint40(BEGIN), false, bytes(PRODUCT)
        );
        publishPrices(PRODUCT, series(AHEAD, AHEAD + 1_800, 900));
        bytes32 head = keccak256(
            abi.encode(
                bytes32(0), DIGEST, uint256(AHEAD), uint256(AHEAD + 1_800), uint256(900), BEGIN, uint256(77), false
            )
        );
        eq(tariffs.seriesHeadOf(NORTH, name), head, "one series");
        eq(tariffs.headOf(NORTH, name), 0, "no tariff");
        bytes memory data =
            abi.encodeCall(ITariffBook.publishSeries, (NORTH, PRODUCT, series(0, 3_600, 3_600)));
        uint256 proposalId = agreed(address(tariffs), data);
        vm.expectEmit(address(tariffs));
        emit ITariffBook.SeriesPublished(
            NORTH, name, DIGEST, address(consortium), 0, 3_600, 3_600, uint40(BEGIN), true, bytes(PRODUCT)
        );
        vm.prank(judges[2]);
        consortium.execute(proposalId, address(tariffs), 0, data);
        head = keccak256(
            abi.encode(head, DIGEST, uint256(0), uint256(3_600), uint256(3_600), BEGIN, uint256(77), true)
        );
        eq(tariffs.seriesHeadOf(NORTH, name), head, "two series");
    }
}
