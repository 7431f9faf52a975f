// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IConsortium} from "../../../interfaces/IConsortium.sol";
import {Choice, Conditions, IDataMarket} from "../../../interfaces/IDataMarket.sol";
import {IPrepaidLock, Lock, LockState, RequestOrder, SharingOrder} from "../../../interfaces/IPrepaidLock.sol";
import {RequestType, Rules, SharingTerms} from "../../../interfaces/IRequestCatalogue.sol";
import {LockTerms} from "../../../contracts/types/LockTerms.sol";
import {G1Point} from "../../../contracts/types/Points.sol";
import {Locks} from "../base/Locks.sol";

/// @notice Decisions that were agreed and left lying, carried out in the moment that suits somebody: each sequence took money on the contracts
/// before (docs/proofs.md). All of it goes through the vote; the founding is over.
contract StaleDecisionsTest is Locks {
    uint96 private constant OFFER = 3 ether + 1;

    function setUp() public override {
        super.setUp();
        vm.warp(BEGIN + FOUNDING_S);
    }

    // ---- an old "no window", just before a request ----

    function test_old_window__just_before_a_request__is_carried_out_by_nobody() public {
        uint256 stale = agreed(address(catalogue), _window(0));
        uint256 kept = agreed(address(catalogue), _window(WINDOW_S));
        carryOut(kept, address(catalogue), _window(WINDOW_S));
        RequestOrder memory it = anOrder(ADVICE);
        _refusesExecution(stale, processor, abi.encodeWithSelector(IConsortium.Consortium_NotMember.selector, processor));
        bytes memory superseded = abi.encodeWithSelector(IConsortium.Consortium_Superseded.selector, stale, kept);
        for (uint256 i = 0; i < judges.length; ++i) _refusesExecution(stale, judges[i], superseded);

        bytes32 lockId = send(it);
        accept(lockId); // of garbage
        claim(lockId);
        is_(lockId, LockState.Claimed);
        dispute(lockId, meterOwner);
        decide(lockId, true);
        is_(lockId, LockState.Slashed);
        eq(prepaid.withdrawableOf(processor), 0, "nothing for garbage");
    }

    function test_old_window__twenty_days_later__has_lapsed() public {
        uint256 stale = agreed(address(catalogue), _window(0));
        uint256 lapsesAt = block.timestamp + DELAY_S + 7 days;
        vm.warp(block.timestamp + 22 days);
        bytes memory lapsed =
            abi.encodeWithSelector(IConsortium.Consortium_Lapsed.selector, stale, lapsesAt, block.timestamp);
        _refusesExecution(stale, judges[0], lapsed);
    }

    /// @dev Control: what is agreed last is carried out, and binds who signs it; who signed before is not bound.
    function test_new_window__when_agreed_last__binds_who_signs_it() public {
        carryOut(agreed(address(catalogue), _window(WINDOW_S)), address(catalogue), _window(WINDOW_S));
        RequestOrder memory before = anOrder(ADVICE);
        carryOut(agreed(address(catalogue), _window(0)), address(catalogue), _window(0));
        before.expiresAt = uint40(block.timestamp + 2 * SHORTEST_S);
        LockTerms memory holds = requestTerms(ADVICE);
        G1Point memory signature = signed(before, meterOwner);
        refuse(abi.encodeWithSelector(IPrepaidLock.PrepaidLock_OtherTerms.selector, holds));
        vm.prank(meterOwner);
        prepaid.request{value: 2 * PRICE_WEI}(before, signature);

        bytes32 lockId = requested(ADVICE);
        accept(lockId);
        claim(lockId);
        is_(lockId, LockState.Settled);
    }

    // ---- a higher k, just before a dispute ----

    function test_higher_k__just_before_a_dispute__is_not_the_payers_to_carry_out() public {
        bytes memory three = abi.encodeCall(IConsortium.setThreshold, (3));
        uint256 proposalId = agreed(address(consortium), three);
        vm.warp(block.timestamp + DELAY_S);
        bytes32 lockId = claimed();
        refuse(abi.encodeWithSelector(IConsortium.Consortium_NotMember.selector, meterOwner));
        vm.prank(meterOwner);
        consortium.execute(proposalId, address(consortium), 0, three);

        uint96 bondWei = prepaid.disputeWeiOf(lockId);
        dispute(lockId, meterOwner);
        carryOut(proposalId, address(consortium), three); // a member does, after the opening
        decide(lockId, false);
        is_(lockId, LockState.Settled);
        eq(prepaid.withdrawableOf(processor), 2 * PRICE_WEI - _fee(lockId) + bondWei, "paid, with the disputer's bond");
    }

    /// @dev Control: a case that opens afterwards asks for three votes.
    function test_higher_k__before_the_opening__holds_for_the_case() public {
        decided(address(consortium), abi.encodeCall(IConsortium.setThreshold, (3)));
        bytes32 lockId = disputed();
        decide(lockId, false);
        is_(lockId, LockState.Disputed);
        vm.prank(judges[2]);
        court.vote(lockId, false);
        is_(lockId, LockState.Settled);
    }

    // ---- harder terms between an offer and its selection ----

    function test_harder_terms__between_offer_and_selection__bind_no_offer() public {
        bytes memory shorter = abi.encodeCall(catalogue.setSharingTerms, (SharingTerms(60, 0, APPLICATION_WEI, 0)));
        Rules memory all = rules();
        all.bondBps = 10_000;
        bytes memory dearer = abi.encodeCall(catalogue.setRules, (all));
        (uint256 one, uint256 two) = (agreed(address(catalogue), shorter), agreed(address(catalogue), dearer));
        vm.warp(block.timestamp + DELAY_S);
        bytes32 broadcastId = _offered();
        carryOut(one, address(catalogue), shorter);
        carryOut(two, address(catalogue), dearer);

        uint256 shortest = block.timestamp + SHARING_SHORTEST_S;
        bytes memory tooLittle =
            abi.encodeWithSelector(IPrepaidLock.PrepaidLock_TooLittleTime.selector, block.timestamp + 60, shortest);
        _refusesSelection(broadcastId, _choices(broadcastId, uint40(block.timestamp + 60), 1), tooLittle);
        bytes memory otherTerms = abi.encodeWithSelector(IDataMarket.DataMarket_OtherTerms.selector, broadcastId, 1, 1);
        _refusesSelection(broadcastId, _choices(broadcastId, uint40(block.timestamp + 60), 2), otherTerms);

        // Control: under the offer's own terms it begins, and the node's bond is half of the price.
        bytes32 lockId = _select(broadcastId, _choices(broadcastId, uint40(shortest), 1));
        eq(prepaid.lockOf(lockId).bondWei, OFFER / 2, "bond");
        deliver(lockId);
        is_(lockId, LockState.Settled);
    }

    // ---- helpers ----

    function _window(uint32 windowSeconds) private view returns (bytes memory) {
        RequestType memory it = RequestType(true, SHORTEST_S, windowSeconds, LONGEST, 2 * PRICE_WEI, "advice");
        return abi.encodeCall(catalogue.setType, (ADVICE, it));
    }

    function _refusesExecution(uint256 proposalId, address by, bytes memory refused) private {
        bytes memory data = _window(0);
        refuse(refused);
        vm.prank(by);
        consortium.execute(proposalId, address(catalogue), 0, data);
    }

    function _fee(bytes32 lockId) private view returns (uint256) {
        Lock memory lock = prepaid.lockOf(lockId);
        return uint256(lock.priceWei) * lock.feeBps / 10_000;
    }

    function _offered() private returns (bytes32 broadcastId) {
        Conditions memory c;
        (c.windowFrom, c.windowTo, c.kind) = (19_999 days, 20_001 days, 1);
        (c.groupSize, c.threshold, c.maxPriceWei) = (3, THRESHOLD, 9 ether);
        (c.respondBy, c.selectBy) = (uint40(block.timestamp + 1_000), uint40(block.timestamp + 2_000));
        (c.openingsLength, c.openingsDigest, c.nonce) = (700, "openings", "nonce");
        c.regions = new bytes32[](1);
        c.regions[0] = NORTH;
        c.purpose = "Forecast";
        vm.prank(buyer);
        broadcastId = market.broadcast{value: APPLICATION_WEI}(c);
        vm.prank(processor);
        market.respond(broadcastId, dataSetId, OFFER, 1, 1);
    }

    /// @dev Of the processor, under the rules and terms of sharing of this version.
    function _choices(bytes32 broadcastId, uint40 expiresAt, uint32 version) private returns (Choice[] memory one) {
        SharingOrder memory it = aSharingOrder();
        (it.broadcastId, it.expiresAt, it.priceWei) = (broadcastId, expiresAt, OFFER);
        it.terms = sharingTermsAt(OFFER, version, version);
        one = new Choice[](1);
        Choice memory c = one[0];
        (c.processor, c.expiresAt, c.messageLength, c.signedAt) = (it.payee, expiresAt, it.messageLength, it.signedAt);
        (c.messageDigest, c.nonce, c.terms, c.signature) = (it.messageDigest, it.nonce, it.terms, signed(it));
    }

    function _select(bytes32 broadcastId, Choice[] memory choices) private returns (bytes32) {
        vm.prank(buyer);
        return market.select{value: OFFER}(broadcastId, group, choices)[0];
    }

    function _refusesSelection(bytes32 broadcastId, Choice[] memory choices, bytes memory refused) private {
        refuse(refused);
        vm.prank(buyer);
        market.select{value: OFFER}(broadcastId, group, choices);
    }
}
