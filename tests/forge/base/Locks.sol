// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {
    Authorisation,
    Bond,
    Dispute,
    IPrepaidLock,
    Lock,
    LockState,
    Reason,
    RequestOrder,
    SharingOrder
} from "../../../interfaces/IPrepaidLock.sol";
import {RequestType, Rules, SharingTerms} from "../../../interfaces/IRequestCatalogue.sol";
import {DomainTags} from "../../../contracts/libraries/DomainTags.sol";
import {LockTerms} from "../../../contracts/types/LockTerms.sol";
import {G1Point, G2Point} from "../../../contracts/types/Points.sol";
import {Keys} from "./Keys.sol";
import {System} from "./System.sol";

/// @title Locks
/// @notice Brings locks into each of their states by real calls, with real signatures and shares.
abstract contract Locks is System {
    bytes internal constant ANSWER = "the sealed answer, as it lies in the store";
    bytes32 internal constant SECRET = "x";
    bytes32 internal constant EVIDENCE = "evidence";
    uint8 internal constant THRESHOLD = 2;

    uint256 internal locks;
    bytes32 internal dataSetId;
    uint256 internal dataKey;
    address[] internal group;
    G1Point[] internal groupKeys;

    function setUp() public virtual {
        deploySystem("PrepaidLock");
        setTerms();
        castMembers();
        putUpBonds();
        (dataSetId, dataKey) = publish(processor, 1);
        group = [buyer, buyerTwo, buyerThree];
        for (uint256 i = 0; i < 3; ++i) groupKeys.push(registry.deliveryKeyOf(group[i]));
        vm.deal(address(market), 1_000 ether);
    }

    // ---- a user's request ----

    function anOrder(uint32 typeId) internal returns (RequestOrder memory it) {
        it.processor = processor;
        it.typeId = typeId;
        it.messageLength = 1_500;
        it.signedAt = 1_700_000_000;
        it.expiresAt = uint40(block.timestamp + 2 * SHORTEST_S);
        it.messageDigest = "sealed message";
        it.nonce = bytes32(++locks);
        it.terms = requestTerms(typeId);
    }

    /// @dev Those that hold now.
    function requestTerms(uint32 typeId) internal view returns (LockTerms memory) {
        (RequestType memory asked, uint32 version, Rules memory now_) = catalogue.requestConditions(typeId);
        uint96 bondWei = uint96(uint256(asked.priceWei) * now_.bondBps / 10_000);
        return LockTerms(
            version, 0, asked.disputeWindowSeconds, now_.feeBps, 0, asked.longestAnswerBytes, bondWei
        );
    }

    function sharingTerms(uint96 priceWei) internal view returns (LockTerms memory) {
        (uint32 rulesVersion, uint32 sharingVersion) = catalogue.versions();
        return sharingTermsAt(priceWei, rulesVersion, sharingVersion);
    }

    function sharingTermsAt(uint96 priceWei, uint32 rulesVersion, uint32 sharingVersion)
        internal
        view
        returns (LockTerms memory)
    {
        (SharingTerms memory terms, Rules memory at) = catalogue.sharingConditionsAt(sharingVersion, rulesVersion);
        uint96 bondWei = uint96(uint256(priceWei) * at.bondBps / 10_000);
        return LockTerms(
            rulesVersion, sharingVersion, terms.disputeWindowSeconds, at.feeBps, terms.ownersBps, 0, bondWei
        );
    }

    function signed(RequestOrder memory it, address payer) internal view returns (G1Point memory) {
        bytes memory message = abi.encode(block.chainid, address(prepaid), payer, it);
        return Keys.sign(keyOf[payer], message, DomainTags.REQUEST);
    }

    function priceOf(uint32 typeId) internal pure returns (uint96) {
        return typeId == BILL ? PRICE_WEI : 2 * PRICE_WEI;
    }

    function send(RequestOrder memory it) internal returns (bytes32) {
        G1Point memory signature = signed(it, meterOwner);
        vm.prank(meterOwner);
        return prepaid.request{value: priceOf(it.typeId)}(it, signature);
    }

    function requested(uint32 typeId) internal returns (bytes32) {
        return send(anOrder(typeId));
    }

    function secretHash(bytes32 lockId) internal view returns (bytes32) {
        return sha256(abi.encode(processor, secretOf(lockId)));
    }

    function secretOf(bytes32 lockId) internal pure returns (bytes32) {
        return keccak256(abi.encode(SECRET, lockId));
    }

    function accept(bytes32 lockId) internal {
        (bytes32 c, bytes32 digest) = (secretHash(lockId), sha256(ANSWER)); // a precompile would take the prank
        vm.prank(processor);
        prepaid.accept(lockId, c, digest, uint32(ANSWER.length));
    }

    function accepted(uint32 typeId) internal returns (bytes32 lockId) {
        lockId = requested(typeId);
        accept(lockId);
    }

    function claim(bytes32 lockId) internal {
        prepaid.claim(lockId, secretOf(lockId));
    }

    function claimed() internal returns (bytes32 lockId) {
        lockId = accepted(ADVICE);
        claim(lockId);
    }

    function demanded() internal returns (bytes32 lockId) {
        lockId = claimed();
        demand(lockId);
    }

    function demand(bytes32 lockId) internal {
        uint96 depositWei = prepaid.demandWeiOf(lockId);
        vm.prank(meterOwner);
        prepaid.demand{value: depositWei}(lockId);
    }

    function refusesDemand(bytes32 lockId, bytes memory refused) internal {
        uint96 depositWei = prepaid.demandWeiOf(lockId);
        refuse(refused);
        vm.prank(meterOwner);
        prepaid.demand{value: depositWei}(lockId);
    }

    function refusesDispute(bytes32 lockId, address by, bytes memory refused) internal {
        uint96 bondWei = prepaid.disputeWeiOf(lockId);
        refuse(refused);
        vm.prank(by);
        prepaid.dispute{value: bondWei}(lockId, EVIDENCE, 500);
    }

    function refusesDelivery(bytes32 lockId, bytes memory refused) internal {
        (G2Point[] memory commitments, G1Point[] memory shares) = Keys.deal(dataKey, THRESHOLD, groupKeys);
        refuse(refused);
        vm.prank(processor);
        prepaid.deliver(lockId, group, groupKeys, commitments, shares, noLeave());
    }

    function disputed() internal returns (bytes32 lockId) {
        lockId = claimed();
        dispute(lockId, meterOwner);
    }

    function dispute(bytes32 lockId, address by) internal {
        uint96 bondWei = prepaid.disputeWeiOf(lockId);
        vm.prank(by);
        prepaid.dispute{value: bondWei}(lockId, EVIDENCE, 500);
    }

    function decide(bytes32 lockId, bool forPayer) internal {
        for (uint256 i = 0; i < 2; ++i) {
            vm.prank(judges[i]);
            court.vote(lockId, forPayer);
        }
    }

    // ---- data sharing ----

    function aSharingOrder() internal returns (SharingOrder memory it) {
        it.payer = buyer;
        it.payee = processor;
        it.broadcastId = "broadcast";
        it.dataSetId = dataSetId;
        it.groupHash = keccak256(abi.encode(group, groupKeys));
        it.threshold = THRESHOLD;
        it.groupSize = 3;
        it.priceWei = 7 ether + 3;
        it.messageLength = 1_500;
        it.signedAt = 1_700_000_000;
        it.expiresAt = uint40(block.timestamp + 2 * SHARING_SHORTEST_S);
        it.messageDigest = "sealed conditions";
        it.nonce = bytes32(++locks);
        it.terms = sharingTerms(it.priceWei);
    }

    function signed(SharingOrder memory it) internal view returns (G1Point memory) {
        bytes memory message = abi.encode(block.chainid, address(prepaid), it);
        return Keys.sign(keyOf[it.payer], message, DomainTags.SHARING);
    }

    function send(SharingOrder memory it) internal returns (bytes32) {
        G1Point memory signature = signed(it);
        vm.prank(address(market));
        return prepaid.openSharing{value: it.priceWei}(it, signature);
    }

    function selected() internal returns (bytes32) {
        return send(aSharingOrder());
    }

    function deliver(bytes32 lockId) internal {
        (G2Point[] memory commitments, G1Point[] memory shares) = Keys.deal(dataKey, THRESHOLD, groupKeys);
        vm.prank(processor);
        prepaid.deliver(lockId, group, groupKeys, commitments, shares, noLeave());
    }

    function noLeave() internal pure returns (Authorisation memory it) {}

    /// @dev What begins afterwards has this dispute window.
    function setSharingWindow(uint32 windowSeconds) internal {
        setSharing(SharingTerms(SHARING_SHORTEST_S, windowSeconds, APPLICATION_WEI, ownersBps));
    }

    function delivered() internal returns (bytes32 lockId) {
        setSharingWindow(WINDOW_S);
        lockId = selected();
        deliver(lockId);
    }

    // ---- what holds afterwards ----

    function is_(bytes32 lockId, LockState state) internal view {
        eq(uint256(prepaid.lockOf(lockId).state), uint256(state), "state");
    }

    /// @dev All money that the contract owes to anybody this test knows, beside what runs in locks.
    function solvent() internal view {
        eq(address(prepaid).balance, prepaid.liabilitiesWei(), "balance and liabilities");
    }

    function err(bytes4 selector, bytes32 a) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(selector, a);
    }

    function err(bytes4 selector, bytes32 a, uint256 b) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(selector, a, b);
    }

    function err(bytes4 selector, bytes32 a, address b) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(selector, a, b);
    }

    function err(bytes4 selector, bytes32 a, uint256 b, uint256 c) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(selector, a, b, c);
    }
}
