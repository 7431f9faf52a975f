// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IRequestCatalogue, RequestType, Rules, SharingTerms} from "../../../interfaces/IRequestCatalogue.sol";
import {Governed} from "../../../contracts/bases/Governed.sol";
import {Wiring} from "../../../contracts/libraries/Wiring.sol";
import {System} from "../base/System.sol";

contract RequestCatalogueTest is System {
    function setUp() public {
        deploySystem("PrepaidLock");
    }

    function make(address consortium_, Rules memory first) external returns (address) {
        return create("RequestCatalogue", abi.encode(consortium_, first));
    }

    function test_constructor__when_a_part_does_not_fit__reverts() public {
        refuse(abi.encodeWithSelector(Wiring.Wiring_NoContract.selector, address(7)));
        this.make(address(7), rules());
        Rules memory bad = rules();
        bad.serveSeconds = 59;
        refuse(abi.encodeWithSelector(IRequestCatalogue.RequestCatalogue_BadParameter.selector, bytes32("serveSeconds")));
        this.make(address(consortium), bad);
        (uint32 first,) = catalogue.versions();
        eq(first, 1, "the first rules");
        eq(abi.encode(catalogue.rulesAt(1)), abi.encode(rules()), "as given");
    }

    function test_set__when_caller_does_not_fit__reverts() public {
        bytes memory refused =
            abi.encodeWithSelector(Governed.Governed_NotConsortium.selector, address(this));
        refuse(refused);
        catalogue.setType(BILL, _type());
        refuse(refused);
        catalogue.setSharingTerms(_terms());
        refuse(refused);
        catalogue.setRules(rules());
    }

    function test_setType__at_each_bound() public {
        for (uint256 i = 0; i < 14; ++i) {
            (uint32 typeId, RequestType memory it, bytes32 field) = (BILL, _type(), bytes32(0));
            if (i == 0) (typeId, field) = (0, "typeId");
            if (i == 1) (it.name, field) = (0, "name");
            if (i == 2) (it.priceWei, field) = (0, "priceWei");
            if (i == 3) (it.shortestSeconds, field) = (59, "shortestSeconds");
            if (i == 4) (it.shortestSeconds, field) = (30 days + 1, "shortestSeconds");
            if (i == 5) (it.disputeWindowSeconds, field) = (59, "disputeWindowSeconds");
            if (i == 6) (it.disputeWindowSeconds, field) = (30 days + 1, "disputeWindowSeconds");
            if (i == 7) (it.shortestSeconds, it.disputeWindowSeconds) = (60, 60);
            if (i == 8) (it.shortestSeconds, it.disputeWindowSeconds) = (30 days, 30 days);
            if (i == 9) (it.priceWei, it.disputeWindowSeconds, it.longestAnswerBytes) = (1, 0, 1);
            if (i == 10) (it.priceWei, field) = (10_000 ether + 1, "priceWei");
            if (i == 11) (it.longestAnswerBytes, field) = (0, "longestAnswerBytes");
            if (i == 12) (it.longestAnswerBytes, field) = (32_769, "longestAnswerBytes");
            if (i == 13) (it.priceWei, it.longestAnswerBytes) = (10_000 ether, 32_768);
            if (field != 0) {
                refuse(abi.encodeWithSelector(IRequestCatalogue.RequestCatalogue_BadParameter.selector, field));
            } else {
                vm.expectEmit(address(catalogue));
                emit IRequestCatalogue.RequestTypeSet(
                    typeId,
                    it.active,
                    it.shortestSeconds,
                    it.disputeWindowSeconds,
                    it.longestAnswerBytes,
                    it.priceWei,
                    it.name
                );
            }
            vm.prank(address(consortium));
            catalogue.setType(typeId, it);
            if (field == 0) eq(abi.encode(catalogue.typeOf(typeId)), abi.encode(it), "stored");
        }
    }

    function test_openType__when_type_is_closed_or_unknown__reverts() public {
        refuse(abi.encodeWithSelector(IRequestCatalogue.RequestCatalogue_UnknownType.selector, BILL));
        catalogue.openType(BILL);
        RequestType memory it = _type();
        setType(BILL, it);
        eq(abi.encode(catalogue.openType(BILL)), abi.encode(it), "open");
        it.active = false;
        setType(BILL, it);
        refuse(abi.encodeWithSelector(IRequestCatalogue.RequestCatalogue_UnknownType.selector, BILL));
        catalogue.openType(BILL);
    }

    function test_setSharingTerms__at_each_bound() public {
        uint32 version;
        for (uint256 i = 0; i < 11; ++i) {
            (SharingTerms memory it, bytes32 field) = (_terms(), bytes32(0));
            if (i == 0) (it.applicationWei, field) = (0, "applicationWei");
            if (i == 1) (it.shortestSeconds, field) = (59, "shortestSeconds");
            if (i == 2) (it.shortestSeconds, field) = (30 days + 1, "shortestSeconds");
            if (i == 3) (it.disputeWindowSeconds, field) = (59, "disputeWindowSeconds");
            if (i == 4) (it.applicationWei, it.disputeWindowSeconds) = (1, 60);
            if (i == 5) (it.applicationWei, field) = (10 ether + 1, "applicationWei");
            if (i == 6) it.applicationWei = 10 ether;
            if (i == 7) (it.ownersBps, field) = (8_001, "ownersBps");
            if (i == 8) it.ownersBps = 8_000;
            if (i == 9) it.ownersBps = 0;
            if (field != 0) {
                refuse(abi.encodeWithSelector(IRequestCatalogue.RequestCatalogue_BadParameter.selector, field));
            } else {
                vm.expectEmit(address(catalogue));
                emit IRequestCatalogue.SharingTermsSet(
                    ++version, it.shortestSeconds, it.disputeWindowSeconds, it.applicationWei, it.ownersBps
                );
            }
            vm.prank(address(consortium));
            uint32 given = catalogue.setSharingTerms(it);
            if (field != 0) continue;
            eq(given, version, "version");
            eq(abi.encode(catalogue.sharingTerms()), abi.encode(it), "stored");
            eq(abi.encode(catalogue.sharingTermsAt(version)), abi.encode(it), "for good");
        }
    }

    function test_setRules__at_each_bound() public {
        uint32 version = 1;
        for (uint256 i = 0; i < 20; ++i) {
            (Rules memory it, bytes32 field) = (rules(), bytes32(0));
            if (i == 0) (it.serveSeconds, field) = (59, "serveSeconds");
            if (i == 1) (it.serveSeconds, field) = (30 days + 1, "serveSeconds");
            if (i == 2) (it.decideSeconds, field) = (59, "decideSeconds");
            if (i == 3) (it.decideSeconds, field) = (30 days + 1, "decideSeconds");
            if (i == 4) (it.feeBps, field) = (2_001, "feeBps");
            if (i == 5) (it.bondBps, field) = (999, "bondBps");
            if (i == 6) (it.bondBps, field) = (10_001, "bondBps");
            if (i == 7) (it.disputeBondBps, field) = (99, "disputeBondBps");
            if (i == 8) (it.disputeBondBps, field) = (10_001, "disputeBondBps");
            if (i == 9) (it.feeBps, it.bondBps, field) = (1_501, 1_500, "feeBps");
            if (i == 10) (it.serveGasWei, field) = (0, "serveGasWei");
            if (i == 11) (it.serveGasWei, field) = (1_000 gwei + 1, "serveGasWei");
            if (i == 12) (it.disputeMinWei, field) = (0, "disputeMinWei");
            if (i == 17) (it.disputeMinWei, field) = (1 ether + 1, "disputeMinWei");
            if (i == 18) it.disputeMinWei = 1 ether;
            if (i == 13) (it.serveSeconds, it.decideSeconds, it.feeBps, it.bondBps) = (60, 60, 0, 1_000);
            if (i == 14) (it.serveSeconds, it.decideSeconds, it.feeBps, it.bondBps) = (30 days, 30 days, 2_000, 2_000);
            if (i == 15) (it.bondBps, it.disputeBondBps, it.serveGasWei) = (10_000, 10_000, 1_000 gwei);
            if (i == 16) (it.disputeBondBps, it.disputeMinWei, it.serveGasWei) = (100, 1, 1);
            if (field != 0) {
                refuse(abi.encodeWithSelector(IRequestCatalogue.RequestCatalogue_BadParameter.selector, field));
                vm.prank(address(consortium));
                catalogue.setRules(it);
                continue;
            }
            vm.expectEmit(address(catalogue));
            emit IRequestCatalogue.RulesSet(++version, it);
            vm.prank(address(consortium));
            eq(catalogue.setRules(it), version, "version");
            eq(abi.encode(catalogue.rulesAt(version)), abi.encode(it), "stored");
            eq(abi.encode(catalogue.rulesAt(1)), abi.encode(rules()), "no version changes");
        }
    }

    function test_conditions__give_everything_at_once() public {
        setTerms();
        Rules memory other = rules();
        other.feeBps = 1;
        setRules(other);
        (RequestType memory it, uint32 version, Rules memory present) = catalogue.requestConditions(ADVICE);
        eq(abi.encode(it, version, present), abi.encode(catalogue.typeOf(ADVICE), 2, other), "of a request");
        (SharingTerms memory terms, Rules memory first) = catalogue.sharingConditionsAt(1, 1);
        eq(abi.encode(terms, first), abi.encode(catalogue.sharingTerms(), rules()), "of sharing");
        (uint32 rulesVersion, uint32 sharingVersion) = catalogue.versions();
        eq(rulesVersion, 2, "rules");
        eq(sharingVersion, 1, "sharing");
    }

    function _type() private pure returns (RequestType memory) {
        return RequestType(true, SHORTEST_S, WINDOW_S, LONGEST, PRICE_WEI, "bill");
    }

    function _terms() private pure returns (SharingTerms memory) {
        return SharingTerms(SHARING_SHORTEST_S, WINDOW_S, APPLICATION_WEI, 5_000);
    }
}
