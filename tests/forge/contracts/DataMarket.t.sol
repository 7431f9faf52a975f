// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {BroadcastState, Choice, Conditions, IDataMarket, Response, Wanted} from "../../../interfaces/IDataMarket.sol";
import {IDataSetBook, Publication} from "../../../interfaces/IDataSetBook.sol";
import {IMemberRegistry, Role} from "../../../interfaces/IMemberRegistry.sol";
import {IPrepaidLock, LockState, SharingOrder} from "../../../interfaces/IPrepaidLock.sol";
import {Rules, SharingTerms} from "../../../interfaces/IRequestCatalogue.sol";
import {ICreditBook} from "../../../interfaces/ICreditBook.sol";
import {Wiring} from "../../../contracts/libraries/Wiring.sol";
import {G1Point} from "../../../contracts/types/Points.sol";
import {Locks} from "../base/Locks.sol";

contract DataMarketTest is Locks {
    uint96 private constant OFFER = 3 ether + 1;
    uint256 private constant RESPOND_BY = BEGIN + 1_000;
    uint256 private constant SELECT_BY = BEGIN + 2_000;

    bytes32 private south;
    bytes32 private id;
    bytes32[] private regions = [NORTH, SOUTH];

    function setUp() public override {
        super.setUp();
        (south,) = publish(processorTwo, 1);
        vm.deal(address(market), 0);
    }

    function make(address[5] memory p) external returns (address) {
        return create("DataMarket", abi.encode(p[0], p[1], p[2], p[3], p[4]));
    }

    function test_constructor__when_a_part_is_missing__reverts() public {
        address[5] memory good =
            [address(registry), address(catalogue), address(sets), address(credit), address(prepaid)];
        this.make(good);
        for (uint256 i = 0; i < 5; ++i) {
            address[5] memory parts = abi.decode(abi.encode(good), (address[5]));
            parts[i] = address(0);
            refuse(
                i < 3
                    ? abi.encodeWithSelector(Wiring.Wiring_NoContract.selector, address(0))
                    : abi.encodeWithSelector(Wiring.Wiring_ZeroAddress.selector)
            );
            this.make(parts);
        }
        this.make([good[0], good[1], good[2], address(11), address(12)]);
    }

    function test_constants__are_told() public view {
        eq(constantOf(address(market), "MAX_OPENINGS_BYTES"), 32_768, "bytes of openings");
        eq(constantOf(address(market), "MAX_PURPOSE_BYTES"), 256, "bytes of a purpose");
        eq(constantOf(address(market), "MAX_REGIONS"), 16, "regions");
        eq(constantOf(address(market), "SHORTEST_RESPONSE_SECONDS"), 60, "seconds to respond");
        eq(constantOf(address(market), "LONGEST_SECONDS"), 90 days, "seconds of a broadcast");
    }

    // ---- broadcast ----

    function test_broadcast__stores_holds_and_emits() public {
        Conditions memory c = _conditions();
        bytes32 expected = keccak256(abi.encode(block.chainid, address(market), buyer, c));
        eq(market.broadcastIdOf(buyer, c), expected, "id");
        vm.expectEmit(address(market));
        emit IDataMarket.Broadcast(expected, buyer, APPLICATION_WEI, c);
        vm.expectEmit(address(prepaid));
        emit IPrepaidLock.ApplicationHeld(expected, buyer, APPLICATION_WEI);
        vm.prank(buyer);
        eq(market.broadcast{value: APPLICATION_WEI}(c), expected, "returned");
        (address requester, BroadcastState state, Wanted memory stored) = market.broadcastOf(expected);
        eq(requester, buyer, "requester");
        eq(uint256(state), uint256(BroadcastState.Open), "state");
        Wanted memory wanted = Wanted(
            c.windowFrom,
            c.windowTo,
            c.kind,
            c.groupSize,
            c.threshold,
            c.maxPriceWei,
            c.respondBy,
            c.selectBy,
            c.regions
        );
        eq(abi.encode(stored), abi.encode(wanted), "what is read again");
        eq(prepaid.applicationOf(expected), APPLICATION_WEI, "held");
        eq(address(market).balance, 0, "the market holds nothing");
        eq(market.formOf(expected).length, 0, "form");
    }

    function test_broadcast__when_caller_does_not_fit__reverts() public {
        Conditions memory c = _conditions();
        _refusesBroadcast(c, meterOwner, abi.encodeWithSelector(IDataMarket.DataMarket_NotSharer.selector, meterOwner));
        revoke(buyer);
        _refusesBroadcast(c, buyer, abi.encodeWithSelector(IDataMarket.DataMarket_NotSharer.selector, buyer));
        _stop();
        _refusesBroadcast(c, buyerTwo, _stopped());
    }

    function test_broadcast__at_each_bound_of_the_conditions() public {
        for (uint256 i = 0; i < 25; ++i) {
            Conditions memory c = _conditions();
            bytes32 field;
            if (i == 0) (c.windowFrom, field) = (c.windowTo, "window");
            if (i == 1) (c.windowFrom, field) = (c.windowTo + 1, "window");
            if (i == 2) (c.threshold, field) = (1, "group");
            if (i == 3) (c.threshold, field) = (4, "group");
            if (i == 4) (c.groupSize, field) = (101, "group");
            if (i == 5) (c.maxPriceWei, field) = (0, "maxPriceWei");
            if (i == 6) (c.respondBy, field) = (uint40(BEGIN + 59), "respondBy");
            if (i == 7) (c.selectBy, field) = (c.respondBy, "selectBy");
            if (i == 8) (c.selectBy, field) = (c.respondBy - 1, "selectBy");
            if (i == 9) (c.selectBy, field) = (uint40(BEGIN + 90 days + 1), "selectBy");
            if (i == 10) (c.openingsLength, field) = (0, "openings");
            if (i == 11) (c.openingsLength, field) = (32_769, "openings");
            if (i == 12) (c.openingsDigest, field) = (0, "openings");
            if (i == 13) (c.regions, field) = (new bytes32[](0), "regions");
            if (i == 14) (c.regions, field) = (_ascending(17), "regions");
            if (i == 15) (c.regions[1], field) = (NORTH, "regions");
            if (i == 16) (c.regions[0], c.regions[1], field) = (SOUTH, NORTH, "regions");
            if (i == 17) (c.regions[0], field) = (0, "regions");
            if (i == 18) (c.windowFrom, c.windowTo) = (0, 1);
            if (i == 19) (c.threshold, c.groupSize, c.respondBy) = (100, 100, uint40(BEGIN + 60));
            if (i == 20) (c.selectBy, c.openingsLength) = (uint40(BEGIN + 90 days), 32_768);
            if (i == 21) (c.regions, c.openingsLength, c.maxPriceWei) = (_ascending(16), 1, 1);
            if (i == 22) (c.purpose, field) = ("", "purpose");
            if (i == 23) (c.purpose, field) = (new bytes(257), "purpose");
            if (i == 24) c.purpose = new bytes(256);
            c.nonce = bytes32(i + 1);
            if (field == 0) _open(c);
            else _refusesBroadcast(c, buyer, abi.encodeWithSelector(IDataMarket.DataMarket_BadConditions.selector, field));
        }
    }

    function test_broadcast__when_value_does_not_fit_or_it_is_repeated__reverts() public {
        Conditions memory c = _conditions();
        for (uint256 i = 0; i < 2; ++i) {
            uint256 value = APPLICATION_WEI - 1 + 2 * i;
            refuse(abi.encodeWithSelector(IDataMarket.DataMarket_WrongValue.selector, value, APPLICATION_WEI));
            vm.prank(buyer);
            market.broadcast{value: value}(c);
        }
        bytes32 opened = _open(c);
        _refusesBroadcast(c, buyer, err(IDataMarket.DataMarket_Repeated.selector, opened));
        vm.warp(SELECT_BY);
        market.close(opened);
        vm.warp(BEGIN);
        _refusesBroadcast(c, buyer, err(IDataMarket.DataMarket_Repeated.selector, opened));
    }

    function test_broadcast__given_no_terms__reverts() public {
        deploySystem("PrepaidLock");
        castMembersAgain();
        _refusesBroadcast(
            _conditions(), buyer, abi.encodeWithSelector(IDataMarket.DataMarket_BadConditions.selector, bytes32("terms"))
        );
    }

    function castMembersAgain() internal {
        members = 0;
        castMembers();
    }

    // ---- respond, withdrawResponse ----

    function test_respond__enters_the_line_and_emits() public {
        _open(_conditions());
        _setCredit(processor, 40);
        vm.warp(BEGIN + 7);
        vm.expectEmit(address(market));
        emit IDataMarket.Responded(id, processor, dataSetId, OFFER, 40, 1, 1, address(0));
        _respond(processor, dataSetId);
        Response[] memory form = market.formOf(id);
        eq(form.length, 1, "one line");
        eq(abi.encode(form[0]), abi.encode(Response(processor, OFFER, dataSetId, 40, uint40(BEGIN + 7), 1, 1)), "line");
    }

    function test_respond__keeps_the_form_sorted_by_the_credit_then() public {
        _open(_conditions());
        _respond(processor, dataSetId);
        _setCredit(processorTwo, 1);
        _respond(processorTwo, south);
        _setCredit(processor, 8_000);
        Response[] memory form = market.formOf(id);
        eq(form[0].processor, processorTwo, "first");
        eq(form[1].processor, processor, "second");
        eq(form[1].credit, 0, "as it was then");
    }

    function test_respond__when_state_or_time_do_not_fit__reverts() public {
        refuse(err(IDataMarket.DataMarket_WrongState.selector, "none", uint256(BroadcastState.None)));
        vm.prank(processor);
        market.respond("none", dataSetId, OFFER, 1, 1);
        _open(_conditions());
        for (uint256 i = 0; i < 2; ++i) {
            vm.warp(RESPOND_BY + i);
            _refusesResponse(
                processor, dataSetId, OFFER, err(IDataMarket.DataMarket_TooLate.selector, id, RESPOND_BY, RESPOND_BY + i)
            );
        }
        vm.warp(RESPOND_BY - 1);
        _respond(processor, dataSetId);
        vm.warp(SELECT_BY);
        market.close(id);
        _refusesResponse(
            processorTwo, south, OFFER, err(IDataMarket.DataMarket_WrongState.selector, id, uint256(BroadcastState.Closed))
        );
    }

    function test_respond__when_responder_or_offer_do_not_fit__reverts() public {
        Conditions memory c = _conditions();
        (bytes32 otherKind,) = publish(processor, 2);
        _open(c);
        _refusesResponse(buyer, dataSetId, OFFER, abi.encodeWithSelector(IDataMarket.DataMarket_NotProcessor.selector, buyer));
        bytes memory unfit = err(IDataMarket.DataMarket_UnfitDataSet.selector, id, uint256(south));
        _refusesResponse(processor, south, OFFER, unfit);
        _refusesResponse(processor, "none", OFFER, err(IDataMarket.DataMarket_UnfitDataSet.selector, id, uint256(bytes32("none"))));
        _refusesResponse(
            processor, otherKind, OFFER, err(IDataMarket.DataMarket_UnfitDataSet.selector, id, uint256(otherKind))
        );
        for (uint256 i = 0; i < 2; ++i) {
            uint96 price = [uint96(0), c.maxPriceWei + 1][i];
            _refusesResponse(
                processor, dataSetId, price, err(IDataMarket.DataMarket_PriceAboveMaximum.selector, id, price, c.maxPriceWei)
            );
        }
        vm.prank(processor);
        market.respond(id, dataSetId, c.maxPriceWei, 1, 1);
        _refusesResponse(processor, dataSetId, OFFER, err(IDataMarket.DataMarket_AlreadyResponded.selector, id, processor));
        revoke(processorTwo);
        _refusesResponse(
            processorTwo, south, OFFER, abi.encodeWithSelector(IDataMarket.DataMarket_NotProcessor.selector, processorTwo)
        );
    }

    function test_respond__given_the_stop__reverts_and_withdrawal_does_not() public {
        _open(_conditions());
        _respond(processor, dataSetId);
        _stop();
        _refusesResponse(processorTwo, south, OFFER, _stopped());
        vm.prank(processor);
        market.withdrawResponse(id);
    }

    /// @dev The data set is of [20,000, 20,007) days: a window that only touches it does not overlap.
    function test_respond__at_each_bound_of_the_window() public {
        uint40[4] memory from = [uint40(20_007 days), 20_007 days - 1, 19_000 days, 19_000 days];
        uint40[4] memory to = [uint40(20_100 days), 20_100 days, 20_000 days, 20_000 days + 1];
        for (uint256 i = 0; i < 4; ++i) {
            Conditions memory c = _conditions();
            (c.windowFrom, c.windowTo, c.nonce) = (from[i], to[i], bytes32(i));
            _open(c);
            if (i % 2 == 1) _respond(processor, dataSetId);
            else {
                _refusesResponse(
                    processor, dataSetId, OFFER, err(IDataMarket.DataMarket_UnfitDataSet.selector, id, uint256(dataSetId))
                );
            }
        }
    }

    /// @dev Every place of the region in lists of every length is found, and nothing beside them.
    function test_respond__given_lists_of_every_length__finds_the_region() public {
        for (uint256 n = 1; n <= 16; ++n) {
            for (uint256 at = 0; at <= n; ++at) {
                Conditions memory c = _conditions();
                c.regions = new bytes32[](n);
                for (uint256 i = 0; i < n; ++i) {
                    // NORTH at place `at`, the others ascending around it; not at all if at = n.
                    c.regions[i] = bytes32(uint256(NORTH) + i - at);
                    if (at == n) c.regions[i] = bytes32(uint256(NORTH) + i + 1 - (n + 1) / 2 + (i + 1 >= (n + 1) / 2 ? 1 : 0));
                }
                c.nonce = keccak256(abi.encode(n, at));
                _open(c);
                if (at < n) _respond(processor, dataSetId);
                else {
                    _refusesResponse(
                        processor,
                        dataSetId,
                        OFFER,
                        err(IDataMarket.DataMarket_RegionNotWanted.selector, id, uint256(NORTH))
                    );
                }
            }
        }
    }

    function test_respond__given_a_full_form__replaces_the_last_or_is_refused() public {
        (address[] memory nodes, bytes32[] memory offers) = _eighteenNodes();
        Conditions memory c = _conditions();
        c.regions = new bytes32[](16);
        _openAll(c);
        for (uint256 i = 0; i < 16; ++i) {
            _setCredit(nodes[i], uint16(100 + i % 5));
            _respond(nodes[i], offers[i]);
        }
        _setCredit(nodes[16], 100);
        _refusesResponse(nodes[16], offers[16], OFFER, err(IDataMarket.DataMarket_FormFull.selector, id, 100));
        _setCredit(nodes[16], 101);
        // The last is the latest of those with 100: the 16th (index 15).
        vm.expectEmit(address(market));
        emit IDataMarket.Responded(id, nodes[16], offers[16], OFFER, 101, 1, 1, nodes[15]);
        _respond(nodes[16], offers[16]);
        eq(market.formOf(id).length, 16, "still full");
        // Who was replaced has responded for ever, and has no line.
        _refusesResponse(nodes[15], offers[15], OFFER, err(IDataMarket.DataMarket_AlreadyResponded.selector, id, nodes[15]));
        refuse(err(IDataMarket.DataMarket_NoResponse.selector, id, nodes[15]));
        vm.prank(nodes[15]);
        market.withdrawResponse(id);
        Response[] memory form = market.formOf(id);
        for (uint256 i = 1; i < 16; ++i) yes(form[i - 1].credit >= form[i].credit, "sorted");
    }

    /// @dev A free slot keeps the line that stood there; who enters it replaces nobody.
    function test_respond__given_a_slot_that_was_left__replaces_nobody() public {
        _open(_conditions());
        _respond(processor, dataSetId);
        vm.prank(processor);
        market.withdrawResponse(id);
        vm.expectEmit(address(market));
        emit IDataMarket.Responded(id, processorTwo, south, OFFER, 0, 1, 1, address(0));
        _respond(processorTwo, south);
    }

    function test_withdrawResponse__takes_the_line_out_for_ever() public {
        _open(_conditions());
        refuse(err(IDataMarket.DataMarket_NoResponse.selector, id, processor));
        vm.prank(processor);
        market.withdrawResponse(id);
        _respond(processor, dataSetId);
        _respond(processorTwo, south);
        vm.expectEmit(address(market));
        emit IDataMarket.ResponseWithdrawn(id, processor);
        vm.prank(processor);
        market.withdrawResponse(id);
        Response[] memory form = market.formOf(id);
        eq(form.length, 1, "one line");
        eq(form[0].processor, processorTwo, "the other's");
        refuse(err(IDataMarket.DataMarket_NoResponse.selector, id, processor));
        vm.prank(processor);
        market.withdrawResponse(id);
        _refusesResponse(processor, dataSetId, OFFER, err(IDataMarket.DataMarket_AlreadyResponded.selector, id, processor));
        refuse(err(IDataMarket.DataMarket_WrongState.selector, "none", uint256(BroadcastState.None)));
        vm.prank(processor);
        market.withdrawResponse("none");
    }

    // ---- select ----

    function test_select__opens_a_lock_each_and_gives_the_deposit_back() public {
        _bothRespond();
        Choice[] memory choices = new Choice[](2);
        (choices[0], choices[1]) = (_choice(processorTwo), _choice(processor));
        bytes32[] memory ids = new bytes32[](2);
        for (uint256 i = 0; i < 2; ++i) ids[i] = prepaid.lockIdOf(buyer, choices[i].nonce);
        vm.warp(SELECT_BY - 1);
        choices[0].expiresAt = uint40(SELECT_BY + 5_000);
        choices[0].signature = _sign(choices[0], south);
        choices[1].expiresAt = uint40(SELECT_BY + 6_000);
        choices[1].signature = _sign(choices[1], dataSetId);
        bytes32 groupHash = keccak256(abi.encode(group, groupKeys));
        vm.expectEmit(address(market));
        emit IDataMarket.GroupSelected(id, buyer, groupHash, group, groupKeys, ids);
        vm.prank(buyer);
        eq(abi.encode(market.select{value: 2 * OFFER}(id, group, choices)), abi.encode(ids), "ids");
        for (uint256 i = 0; i < 2; ++i) is_(ids[i], LockState.Selected);
        eq(prepaid.lockOf(ids[0]).payee, processorTwo, "payee");
        eq(prepaid.lockOf(ids[0]).subject, south, "data set");
        eq(prepaid.lockOf(ids[0]).priceWei, OFFER, "price");
        eq(prepaid.lockOf(ids[0]).binding, groupHash, "group");
        eq(prepaid.lockOf(ids[0]).threshold, THRESHOLD, "t");
        eq(prepaid.lockOf(ids[0]).groupSize, 3, "n");
        eq(prepaid.lockOf(ids[0]).expiresAt, SELECT_BY + 5_000, "T");
        eq(prepaid.lockOf(ids[1]).payee, processor, "payee");
        eq(prepaid.withdrawableOf(buyer), APPLICATION_WEI, "deposit");
        (, BroadcastState state,) = market.broadcastOf(id);
        eq(uint256(state), uint256(BroadcastState.Selected), "state");
        eq(address(market).balance, 0, "nothing stays");
        vm.prank(buyer);
        refuse(err(IDataMarket.DataMarket_WrongState.selector, id, uint256(BroadcastState.Selected)));
        market.select{value: 2 * OFFER}(id, group, choices);
        solvent();
    }

    function test_select__when_caller_or_time_do_not_fit__reverts() public {
        _bothRespond();
        _refusesSelection(group, _one(), OFFER, buyerTwo, err(IDataMarket.DataMarket_NotRequester.selector, id, buyerTwo));
        for (uint256 i = 0; i < 2; ++i) {
            vm.warp(SELECT_BY + i);
            _refusesSelection(
                group, _one(), OFFER, buyer, err(IDataMarket.DataMarket_TooLate.selector, id, SELECT_BY, SELECT_BY + i)
            );
        }
        vm.warp(BEGIN + 8);
        uint256 snapshot = vm.snapshotState();
        _stop();
        _refusesSelection(
            group, _one(), OFFER, buyer, abi.encodeWithSelector(IMemberRegistry.MemberRegistry_Stopped.selector, BEGIN + 8 + DELAY_S + 7 days)
        );
        vm.revertToState(snapshot);
        revoke(buyer);
        _refusesSelection(group, _one(), OFFER, buyer, abi.encodeWithSelector(IDataMarket.DataMarket_NotSharer.selector, buyer));
    }

    function test_select__when_group_does_not_fit__reverts() public {
        _bothRespond();
        address[] memory g = new address[](3);
        (g[0], g[1]) = (buyer, buyerTwo);
        address[5] memory thirds = [buyerTwo, buyer, outsider, meterOwner, processor];
        for (uint256 i = 0; i < 5; ++i) {
            g[2] = thirds[i];
            _refusesSelection(g, _one(), OFFER, buyer, err(IDataMarket.DataMarket_BadGroup.selector, id, thirds[i]));
        }
        g[2] = address(0);
        _refusesSelection(g, _one(), OFFER, buyer, err(IDataMarket.DataMarket_BadGroup.selector, id, address(0)));
        address fourth = admit(address(0xE4), Role.Sharer, 0, address(0));
        (g[0], g[1], g[2]) = (buyerTwo, buyerThree, fourth);
        _refusesSelection(g, _one(), OFFER, buyer, err(IDataMarket.DataMarket_BadGroup.selector, id, buyer));
        // One too many, though each of them fits.
        address[] memory four = new address[](4);
        (four[0], four[1], four[2], four[3]) = (buyer, buyerTwo, buyerThree, fourth);
        _refusesSelection(four, _one(), OFFER, buyer, err(IDataMarket.DataMarket_BadGroup.selector, id, address(0)));
        for (uint256 n = 0; n < 5; ++n) {
            if (n == 3) continue;
            _refusesSelection(
                new address[](n), _one(), OFFER, buyer, err(IDataMarket.DataMarket_BadGroup.selector, id, address(0))
            );
        }
        revoke(buyerThree);
        _refusesSelection(group, _one(), OFFER, buyer, err(IDataMarket.DataMarket_BadGroup.selector, id, buyerThree));
    }

    function test_select__when_choices_do_not_fit__reverts() public {
        _bothRespond();
        _refusesSelection(group, new Choice[](0), 0, buyer, err(IDataMarket.DataMarket_NothingChosen.selector, id));
        address[2] memory responders = [processor, processorTwo]; // a line each
        for (uint256 i = 0; i < 2; ++i) {
            bytes memory bad = err(IDataMarket.DataMarket_BadChoice.selector, id, responders[i]);
            Choice[] memory twice = new Choice[](2);
            (twice[0], twice[1]) = (_choice(responders[i]), _choice(responders[i]));
            _refusesSelection(group, twice, 2 * OFFER, buyer, bad);
        }
        Choice[] memory one = _one();
        one[0].processor = buyerTwo;
        _refusesSelection(group, one, OFFER, buyer, err(IDataMarket.DataMarket_NoResponse.selector, id, buyerTwo));
        for (uint256 i = 0; i < 2; ++i) {
            uint256 value = OFFER - 1 + 2 * i;
            _refusesSelection(
                group, _one(), value, buyer, abi.encodeWithSelector(IDataMarket.DataMarket_WrongValue.selector, value, OFFER)
            );
        }
        revoke(processor);
        _refusesSelection(group, _one(), OFFER, buyer, err(IDataMarket.DataMarket_BadChoice.selector, id, processor));
    }

    function test_select__when_signature_or_bond_do_not_fit__reverts_whole() public {
        _bothRespond();
        Choice[] memory one = _one();
        one[0].messageDigest = "other";
        bytes32 lockId = prepaid.lockIdOf(buyer, one[0].nonce);
        _refusesSelection(group, one, OFFER, buyer, err(IPrepaidLock.PrepaidLock_BadSignature.selector, lockId));
        vm.prank(processor);
        prepaid.takeBond(BOND_WEI);
        _refusesSelection(
            group,
            _one(),
            OFFER,
            buyer,
            abi.encodeWithSelector(IPrepaidLock.PrepaidLock_BondTooSmall.selector, processor, 0, OFFER / 2)
        );
        (, BroadcastState state,) = market.broadcastOf(id);
        eq(uint256(state), uint256(BroadcastState.Open), "as before");
    }

    /// @dev Rules and terms that are set after the offer reach neither its lock nor who counts at the end.
    function test_offer__keeps_the_versions_that_it_names() public {
        _open(_conditions());
        for (uint256 i = 0; i < 4; ++i) {
            uint32[2] memory v = [[uint32(0), 1], [uint32(2), 1], [uint32(1), 0], [uint32(1), 2]][i];
            refuse(abi.encodeWithSelector(IDataMarket.DataMarket_OtherTerms.selector, id, 1, 1));
            vm.prank(processor);
            market.respond(id, dataSetId, OFFER, v[0], v[1]);
        }
        _respond(processor, dataSetId);
        Rules memory other = rules();
        (other.bondBps, other.feeBps) = (10_000, 2_000);
        setRules(other);
        setSharing(SharingTerms(30 days, 30 days, 1, 8_000));
        refuse(abi.encodeWithSelector(IDataMarket.DataMarket_OtherTerms.selector, id, 2, 2));
        vm.prank(processorTwo);
        market.respond(id, south, OFFER, 1, 1);
        eq(market.formOf(id)[0].rulesVersion, 1, "rules");
        eq(market.formOf(id)[0].sharingVersion, 1, "sharing");
        Choice[] memory one = _one();
        for (uint256 i = 0; i < 2; ++i) {
            one[0].terms = sharingTermsAt(OFFER, i == 0 ? 2 : 1, i == 0 ? 1 : 2);
            bytes memory refused = abi.encodeWithSelector(IDataMarket.DataMarket_OtherTerms.selector, id, 1, 1);
            _refusesSelection(group, one, OFFER, buyer, refused);
        }
        one = _one();
        vm.prank(buyer);
        bytes32[] memory ids = market.select{value: OFFER}(id, group, one);
        eq(prepaid.lockOf(ids[0]).feeBps, 200, "fee");
        eq(prepaid.lockOf(ids[0]).ownersBps, 0, "owners");
        eq(prepaid.lockOf(ids[0]).bondWei, OFFER / 2, "bond");
        eq(prepaid.lockOf(ids[0]).disputeWindowSeconds, 0, "window");
    }

    /// @dev A response, a selection and a responder's part of the deposit each ask whether the data set is on sale.
    function test_sale__when_it_has_ended__is_neither_offered_nor_selected() public {
        (Publication memory p, uint256 key) = publication(1);
        p.saleUntil = uint40(BEGIN + 500);
        bytes32 brief = publish(processor, p, key);
        _open(_conditions());
        vm.warp(BEGIN + 500);
        bytes memory unfit = err(IDataMarket.DataMarket_UnfitDataSet.selector, id, uint256(brief));
        _refusesResponse(processor, brief, OFFER, unfit);
        vm.warp(BEGIN + 499);
        _respond(processor, brief);
        Choice[] memory one = new Choice[](1);
        one[0] = _choice(processor);
        one[0].signature = _sign(one[0], brief);
        vm.warp(BEGIN + 500);
        _refusesSelection(group, one, OFFER, buyer, err(IDataMarket.DataMarket_NotOnSale.selector, id, uint256(brief)));
        uint256 snapshot = vm.snapshotState();
        vm.warp(BEGIN + 499);
        vm.prank(buyer);
        market.select{value: OFFER}(id, group, one);
        vm.revertToState(snapshot);
        vm.prank(processorTwo);
        market.respond(id, south, OFFER, 1, 1);
        vm.warp(SELECT_BY);
        vm.expectEmit(address(market));
        emit IDataMarket.BroadcastClosed(id, 1);
        market.close(id);
        eq(prepaid.withdrawableOf(processorTwo), APPLICATION_WEI, "the other one alone");
    }

    function test_sale__when_it_ends_with_selectBy__counts() public {
        for (uint256 i = 0; i < 3; ++i) {
            uint256 snapshot = vm.snapshotState();
            _bothRespond();
            vm.warp(SELECT_BY - 1 + i);
            vm.prank(processor);
            sets.retire(dataSetId);
            vm.warp(SELECT_BY + 1);
            vm.expectEmit(address(market));
            emit IDataMarket.BroadcastClosed(id, i == 0 ? 1 : 2);
            market.close(id);
            vm.revertToState(snapshot);
        }
    }

    // ---- close ----

    function test_close__when_state_or_time_do_not_fit__reverts() public {
        _bothRespond();
        vm.warp(SELECT_BY - 1);
        refuse(err(IDataMarket.DataMarket_TooEarly.selector, id, SELECT_BY, SELECT_BY - 1));
        market.close(id);
        vm.warp(SELECT_BY);
        market.close(id);
        refuse(err(IDataMarket.DataMarket_WrongState.selector, id, uint256(BroadcastState.Closed)));
        market.close(id);
    }

    function test_close__given_no_response__gives_the_deposit_back() public {
        _open(_conditions());
        vm.warp(SELECT_BY);
        vm.expectEmit(address(market));
        emit IDataMarket.BroadcastClosed(id, 0);
        vm.prank(outsider);
        market.close(id);
        eq(prepaid.withdrawableOf(buyer), APPLICATION_WEI, "deposit");
        (, BroadcastState state,) = market.broadcastOf(id);
        eq(uint256(state), uint256(BroadcastState.Closed), "state");
    }

    /// @dev The deposit is odd: a third wei stays with the requester.
    function test_close__given_responses__shares_the_deposit_among_them() public {
        _bothRespond();
        vm.warp(SELECT_BY);
        address[] memory to = new address[](3);
        uint96[] memory amountsWei = new uint96[](3);
        (to[0], to[1], to[2]) = (processor, processorTwo, buyer);
        (amountsWei[0], amountsWei[1], amountsWei[2]) = (APPLICATION_WEI / 2, APPLICATION_WEI / 2, 1);
        vm.expectCall(address(prepaid), abi.encodeCall(IPrepaidLock.releaseApplication, (id, to, amountsWei)), 1);
        vm.expectEmit(address(market));
        emit IDataMarket.BroadcastClosed(id, 2);
        market.close(id);
        eq(prepaid.withdrawableOf(processor), APPLICATION_WEI / 2, "first");
        eq(prepaid.withdrawableOf(processorTwo), APPLICATION_WEI / 2, "second");
        eq(prepaid.withdrawableOf(buyer), 1, "the remainder");
        solvent();
    }

    /// @dev Fewer wei than responders: no part is left for any of them.
    function test_close__given_a_deposit_below_a_wei_each__leaves_it_to_the_requester() public {
        setSharing(SharingTerms(SHARING_SHORTEST_S, 0, 1, 0));
        vm.prank(buyer);
        id = market.broadcast{value: 1}(_conditions());
        vm.prank(processor);
        market.respond(id, dataSetId, OFFER, 1, 2);
        vm.prank(processorTwo);
        market.respond(id, south, OFFER, 1, 2);
        vm.warp(SELECT_BY);
        vm.expectEmit(address(market));
        emit IDataMarket.BroadcastClosed(id, 2);
        market.close(id);
        eq(prepaid.withdrawableOf(processor), 0, "first");
        eq(prepaid.withdrawableOf(processorTwo), 0, "second");
        eq(prepaid.withdrawableOf(buyer), 1, "all of it");
        solvent();
    }

    function test_close__passes_over_who_could_not_have_been_selected() public {
        for (uint256 i = 0; i < 5; ++i) {
            uint256 snapshot = vm.snapshotState();
            _bothRespond();
            if (i == 0) revoke(processor);
            if (i == 1) {
                vm.prank(processor);
                market.withdrawResponse(id);
            }
            if (i == 2) {
                vm.prank(processor);
                prepaid.takeBond(BOND_WEI - OFFER / 2 + 1);
            }
            if (i == 3) {
                // Enough is left, but some was taken since the response.
                vm.warp(block.timestamp + 1);
                vm.prank(processor);
                prepaid.takeBond(1);
            }
            vm.warp(SELECT_BY);
            vm.expectEmit(address(market));
            emit IDataMarket.BroadcastClosed(id, i == 4 ? 2 : 1);
            market.close(id);
            uint256 part = i == 4 ? APPLICATION_WEI / 2 : APPLICATION_WEI;
            eq(prepaid.withdrawableOf(processorTwo), part, "the other one");
            vm.revertToState(snapshot);
        }
    }

    function test_close__asks_for_a_bond_that_covers_the_offer_exactly() public {
        vm.prank(processor);
        prepaid.takeBond(BOND_WEI - OFFER / 2);
        vm.warp(BEGIN + 1);
        _bothRespond();
        vm.warp(SELECT_BY);
        vm.expectEmit(address(market));
        emit IDataMarket.BroadcastClosed(id, 2);
        market.close(id);
    }

    function test_close__given_a_revoked_requester__gives_all_back() public {
        _bothRespond();
        revoke(buyer);
        vm.warp(SELECT_BY);
        market.close(id);
        eq(prepaid.withdrawableOf(buyer), APPLICATION_WEI, "it did not walk away");
        eq(prepaid.withdrawableOf(processor), 0, "processor");
    }

    /// @dev A stop that took half of the time from respondBy to selectBy, or more, kept the requester from selecting.
    function test_close__given_a_stop__at_each_bound() public {
        uint256 half = (SELECT_BY - RESPOND_BY) / 2;
        uint256[6] memory stopped = [half - 1, half, half + 1, SELECT_BY - RESPOND_BY, 1, 0];
        for (uint256 i = 0; i < 6; ++i) {
            uint256 snapshot = vm.snapshotState();
            _open(_conditions());
            _respond(processor, dataSetId);
            vm.warp(SELECT_BY - stopped[i]);
            _stop();
            vm.warp(SELECT_BY);
            market.close(id);
            bool isExcused = stopped[i] >= half;
            eq(prepaid.withdrawableOf(buyer), isExcused ? APPLICATION_WEI : 0, "buyer");
            eq(prepaid.withdrawableOf(processor), isExcused ? 0 : APPLICATION_WEI, "processor");
            vm.revertToState(snapshot);
        }
    }

    // ---- helpers ----

    function _conditions() private view returns (Conditions memory c) {
        c.windowFrom = 19_999 days;
        c.windowTo = 20_001 days;
        c.kind = 1;
        (c.groupSize, c.threshold) = (3, THRESHOLD);
        c.maxPriceWei = 9 ether;
        (c.respondBy, c.selectBy) = (uint40(RESPOND_BY), uint40(SELECT_BY));
        (c.openingsLength, c.openingsDigest) = (700, "openings");
        c.nonce = "nonce";
        c.regions = regions;
        c.purpose = "Forecast";
    }

    function _ascending(uint256 count) private pure returns (bytes32[] memory list) {
        list = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) list[i] = bytes32(uint256(NORTH) + i);
    }

    function _open(Conditions memory c) private returns (bytes32) {
        vm.prank(buyer);
        id = market.broadcast{value: APPLICATION_WEI}(c);
        return id;
    }

    function _refusesBroadcast(Conditions memory c, address by, bytes memory refused) private {
        refuse(refused);
        vm.prank(by);
        market.broadcast{value: APPLICATION_WEI}(c);
    }

    function _respond(address by, bytes32 set) private {
        vm.prank(by);
        market.respond(id, set, OFFER, 1, 1);
    }

    function _refusesResponse(address by, bytes32 set, uint96 price, bytes memory refused) private {
        refuse(refused);
        vm.prank(by);
        market.respond(id, set, price, 1, 1);
    }

    function _bothRespond() private {
        _open(_conditions());
        _respond(processor, dataSetId);
        _respond(processorTwo, south);
    }

    function _choice(address who) private returns (Choice memory it) {
        it.processor = who;
        it.expiresAt = uint40(block.timestamp + 2 * SHARING_SHORTEST_S);
        it.messageLength = 1_500;
        it.signedAt = 1_700_000_000;
        it.messageDigest = "sealed conditions";
        it.nonce = bytes32(++locks);
        it.terms = sharingTermsAt(OFFER, 1, 1);
        it.signature = _sign(it, who == processor ? dataSetId : south);
    }

    function _one() private returns (Choice[] memory one) {
        one = new Choice[](1);
        one[0] = _choice(processor);
    }

    function _sign(Choice memory c, bytes32 set) private view returns (G1Point memory) {
        SharingOrder memory it;
        (it.payer, it.payee, it.broadcastId, it.dataSetId) = (buyer, c.processor, id, set);
        (it.messageDigest, it.messageLength, it.nonce) = (c.messageDigest, c.messageLength, c.nonce);
        (it.signedAt, it.expiresAt) = (c.signedAt, c.expiresAt);
        it.groupHash = keccak256(abi.encode(group, groupKeys));
        (it.threshold, it.groupSize, it.priceWei, it.terms) = (THRESHOLD, 3, OFFER, c.terms);
        return signed(it);
    }

    function _refusesSelection(
        address[] memory g,
        Choice[] memory choices,
        uint256 value,
        address by,
        bytes memory refused
    ) private {
        refuse(refused);
        vm.prank(by);
        market.select{value: value}(id, g, choices);
    }

    /// @dev The credit book answers so; how credit comes about is its own tests' matter.
    function _setCredit(address who, uint16 points) private {
        vm.mockCall(
            address(credit), abi.encodeWithSelector(ICreditBook.creditOf.selector, who), abi.encode(uint32(points))
        );
    }

    function _stop() private {
        decided(address(registry), abi.encodeCall(IMemberRegistry.stopBeginnings, ()));
    }

    function _stopped() private pure returns (bytes memory) {
        return abi.encodeWithSelector(IMemberRegistry.MemberRegistry_Stopped.selector, BEGIN + DELAY_S + 7 days);
    }

    /// @dev Eighteen processors in sixteen regions: registry and book of data sets answer for them.
    function _eighteenNodes() private returns (address[] memory nodes, bytes32[] memory offers) {
        (nodes, offers) = (new address[](18), new bytes32[](18));
        for (uint256 i = 0; i < 18; ++i) {
            (nodes[i], offers[i]) = (address(uint160(0xF000 + i)), bytes32(0x5e7 + i));
            vm.mockCall(
                address(registry),
                abi.encodeWithSelector(IMemberRegistry.beginnerOf.selector, nodes[i]),
                abi.encode(Role.Processor, bytes32(1 + i % 16))
            );
            vm.mockCall(
                address(sets),
                abi.encodeCall(IDataSetBook.offerOf, (offers[i])),
                abi.encode(nodes[i], uint40(20_000 days), uint40(20_007 days), uint8(1), uint40(BEGIN + 30 days))
            );
        }
    }

    function _openAll(Conditions memory c) private {
        for (uint256 i = 0; i < 16; ++i) c.regions[i] = bytes32(1 + i);
        _open(c);
    }
}
