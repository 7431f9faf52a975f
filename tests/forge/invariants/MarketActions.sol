// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {BroadcastState, Choice, Conditions, Response} from "../../../interfaces/IDataMarket.sol";
import {LockState, Reason, SharingOrder} from "../../../interfaces/IPrepaidLock.sol";
import {G1Point, G2Point} from "../../../contracts/types/Points.sol";
import {Keys} from "../base/Keys.sol";
import {Actions} from "./Actions.sol";

/// @title MarketActions
/// @notice Broadcasts, responses, selections, deliveries; and anchors of a device's readings.
abstract contract MarketActions is Actions {
    struct Ad {
        bytes32 id;
        BroadcastState state;
        address requester;
        uint256 respondBy;
        uint256 selectBy;
        address[] form; // standing responders, in the order of their credit then
        uint256[] credits;
        mapping(address processor => bool) hasResponded;
        mapping(address processor => uint256 at) respondedAt;
        mapping(address processor => uint32[2] rulesAndSharing) versionsOf;
        mapping(address processor => bytes32 dataSetId) setOf;
    }

    uint96 internal constant OFFER = 2 ether + 1;

    Ad[] internal ads;
    uint32[2] private versionsNow; // of rules and terms of sharing
    mapping(address processor => bytes32 dataSetId) internal setOf;
    uint64 internal anchored;

    modifier ifAnyAd() {
        if (ads.length == 0) return;
        _;
    }

    function broadcast(uint256 seed) external {
        Conditions memory c;
        (c.windowFrom, c.windowTo, c.kind) = (20_000 days, 20_001 days, 1);
        (c.groupSize, c.threshold, c.maxPriceWei) = (3, THRESHOLD, 9 ether);
        c.respondBy = uint40(block.timestamp + 60 + seed % 2_000);
        c.selectBy = uint40(c.respondBy + 1 + (seed >> 8) % 600);
        (c.openingsLength, c.openingsDigest, c.nonce) = (700, "openings", bytes32(++locks));
        c.purpose = "Forecast";
        c.regions = new bytes32[](4);
        (c.regions[0], c.regions[1], c.regions[2], c.regions[3]) = (EAST, NORTH, SOUTH, WEST);
        bytes memory data = abi.encodeCall(market.broadcast, (c));
        bool predicted = !isStopped() && !isRevoked[buyer];
        if (!act("broadcast", address(market), buyer, APPLICATION_WEI, data, predicted)) return;
        Ad storage ad = ads.push();
        (ad.id, ad.state) = (market.broadcastIdOf(buyer, c), BroadcastState.Open);
        (ad.requester, ad.respondBy, ad.selectBy) = (buyer, c.respondBy, c.selectBy);
        application[ad.id] = APPLICATION_WEI;
        act("replay broadcast", address(market), buyer, APPLICATION_WEI, data, false);
    }

    function respond(uint256 seed) external ifAnyAd {
        Ad storage ad = ads[_pickAd(seed)];
        address who = nodes[(seed >> 4) % 4];
        bool isOwn = seed % 16 != 3;
        (versionsNow[0], versionsNow[1]) = catalogue.versions();
        bytes32 set = setOf[isOwn ? who : nodes[((seed >> 4) + 1) % 4]];
        bytes memory data = abi.encodeCall(market.respond, (ad.id, set, OFFER, versionsNow[0], versionsNow[1]));
        bool predicted = isOwn && ad.state == BroadcastState.Open && block.timestamp < ad.respondBy && !isStopped()
            && !isRevoked[who] && !ad.hasResponded[who] && isOnSale(set);
        if (!isOnSale(set)) ++done["offer of an ended sale refused"];
        uint256 points = standingNow(who).points;
        if (!act("respond", address(market), who, 0, data, predicted)) return;
        (ad.hasResponded[who], ad.respondedAt[who], ad.versionsOf[who]) = (true, block.timestamp, versionsNow);
        ad.setOf[who] = set;
        _enter(ad, who, points);
    }

    function withdrawResponse(uint256 seed) external ifAnyAd {
        if (seed % 3 != 0) return;
        Ad storage ad = ads[_pickAd(seed)];
        address who = nodes[(seed >> 4) % 4];
        uint256 place = _placeOf(ad, who);
        bool predicted = ad.state == BroadcastState.Open && place < ad.form.length;
        bytes memory data = abi.encodeCall(market.withdrawResponse, (ad.id));
        if (act("withdrawResponse", address(market), who, 0, data, predicted)) _remove(ad, place);
    }

    function select(uint256 seed) external ifAnyAd {
        Ad storage ad = ads[_pickAd(seed)];
        address who = nodes[(seed >> 4) % 4];
        if (ad.form.length != 0 && (seed >> 5) % 4 != 0) who = ad.form[(seed >> 7) % ad.form.length];
        // Now and then with a revoked buyer in the group instead of the third member.
        bool isWithRevoked = seed % 8 == 5 && ad.requester != buyers[0] && isRevoked[buyers[0]];
        if (isWithRevoked) _selectWith(ad, who, [ad.requester, buyers[0], buyerTwo], seed);
        else _selectWith(ad, who, [ad.requester, buyerTwo, buyerThree], seed);
    }

    function _selectWith(Ad storage ad, address who, address[3] memory members, uint256 seed) private {
        (address[] memory accounts, G1Point[] memory keys) = (new address[](3), new G1Point[](3));
        bool isSound = true;
        for (uint256 i = 0; i < 3; ++i) {
            (accounts[i], keys[i]) = (members[i], registry.deliveryKeyOf(members[i]));
            isSound = isSound && !isRevoked[members[i]];
        }
        Choice[] memory choices = new Choice[](1);
        uint256 expiresAt = block.timestamp + SHARING_SHORTEST_S + (seed >> 8) % 900;
        choices[0] = _choice(ad, who, expiresAt, keccak256(abi.encode(accounts, keys)));
        bytes memory data = abi.encodeCall(market.select, (ad.id, accounts, choices));
        // Carried out between signing and mining: the lock is that of the offer all the same.
        if (seed % 8 == 6) carryOutAny(seed >> 16);
        // The race: somebody ends the sale in between.
        if (seed % 16 == 9) retireInBetween(ad.setOf[who]);
        bool predicted = ad.state == BroadcastState.Open && block.timestamp < ad.selectBy && !isStopped() && isSound
            && _placeOf(ad, who) < ad.form.length && !isRevoked[who] && bondFree[who] >= choices[0].terms.bondWei
            && isOnSale(ad.setOf[who]);
        if (ad.state == BroadcastState.Open && _placeOf(ad, who) < ad.form.length && !isOnSale(ad.setOf[who])) {
            ++done["sale of a retired set refused"];
        }
        if (!isSound) ++done["select with somebody revoked"];
        if (!act("select", address(market), ad.requester, OFFER, data, predicted)) return;
        ad.state = BroadcastState.Selected;
        owed[ad.requester] += application[ad.id];
        application[ad.id] = 0;
        _modelSelected(ad, prepaid.lockIdOf(ad.requester, choices[0].nonce), who, choices[0]);
    }

    function _modelSelected(Ad storage ad, bytes32 lockId, address who, Choice memory choice) private {
        Ghost storage g = ghosts.push();
        (g.id, g.state, g.isSharing) = (lockId, LockState.Selected, true);
        (g.payer, g.payee, g.deadline, g.price) = (ad.requester, who, choice.expiresAt, OFFER);
        modelTerms(g, choice.terms);
        (g.dataKey, g.dataSetId) = (setGhosts[ad.setOf[who]].dataKey, ad.setOf[who]);
        (bondFree[who], bondHeld[who]) = (bondFree[who] - g.bond, bondHeld[who] + g.bond);
    }

    function close(uint256 seed) external ifAnyAd {
        closeAd(_pickAd(seed));
    }

    function closeAd(uint256 index) internal {
        Ad storage ad = ads[index];
        bool predicted = ad.state == BroadcastState.Open && block.timestamp >= ad.selectBy;
        bytes memory data = abi.encodeCall(market.close, (ad.id));
        if (!act("close", address(market), outsider, 0, data, predicted)) return;
        ad.state = BroadcastState.Closed;
        _shareOut(ad);
    }

    function decline(uint256 seed) external ifAny {
        Ghost storage g = ghosts[pick(seed, LockState.Selected)];
        if (seed % 3 != 0) return;
        bytes memory data = abi.encodeCall(prepaid.decline, (g.id, Reason.NotServed));
        bool predicted = g.state == LockState.Selected && block.timestamp < g.deadline;
        if (!act("decline", address(prepaid), g.payee, 0, data, predicted)) return;
        owed[g.payer] += g.price;
        bondHeld[g.payee] -= g.bond;
        modelAdd(g.payee, g.bond);
        modelEnd(g, LockState.Declined);
    }

    function deliver(uint256 seed) external ifAny {
        Ghost storage g = ghosts[pick(seed, LockState.Selected)];
        bool isRight = seed % 8 != 3;
        uint256 key = g.isSharing ? g.dataKey : setGhosts[setOf[processor]].dataKey;
        address asker = g.isSharing ? g.payer : buyer;
        (G2Point[] memory commitments, G1Point[] memory shares) = Keys.deal(key, THRESHOLD, groupKeysOf[asker]);
        if (!isRight) (shares[0], shares[1]) = (shares[1], shares[0]);
        bytes memory data = abi.encodeCall(
            prepaid.deliver, (g.id, groupOf[asker], groupKeysOf[asker], commitments, shares, noLeave())
        );
        bool predicted = isRight && g.state == LockState.Selected && block.timestamp < g.deadline;
        // A right transcript is no delivery of the payee's when the buyer brings it.
        if (predicted && seed % 4 == 0) act("deliver by the buyer", address(prepaid), g.payer, 0, data, false);
        if (act("deliver", address(prepaid), g.payee, 0, data, predicted)) modelFulfil(g);
    }

    /// @dev §6.4: a (device, seq) is anchored once; a repeat does nothing.
    function anchor(uint256 seed) external {
        uint32 count = uint32(1 + seed % 5);
        bytes memory data = abi.encodeCall(ledger.anchor, (anchored + 1, count, bytes32(seed | 1)));
        if (!act("anchor", address(ledger), device, 0, data, !isStopped())) return;
        act("anchor again", address(ledger), device, 0, data, true);
        data = abi.encodeCall(ledger.anchor, (anchored + 1, count, bytes32(seed | 1) ^ bytes32(uint256(2))));
        act("anchor another", address(ledger), device, 0, data, false);
        data = abi.encodeCall(ledger.anchor, (anchored + count + 2, 1, bytes32("gap")));
        act("anchor with a gap", address(ledger), device, 0, data, false);
        anchored += count;
    }

    function _shareOut(Ad storage ad) private {
        uint256 count;
        bool wasStopped = 2 * stoppedSeconds(ad.respondBy, ad.selectBy) >= ad.selectBy - ad.respondBy;
        for (uint256 i = 0; i < ad.form.length; ++i) if (_counts(ad, ad.form[i])) ++count;
        uint256 rest = application[ad.id];
        if (count != 0 && !wasStopped && !isRevoked[ad.requester]) {
            uint256 part = rest / count;
            for (uint256 i = 0; i < ad.form.length; ++i) {
                if (!_counts(ad, ad.form[i])) continue;
                owed[ad.form[i]] += part;
                rest -= part;
            }
        }
        owed[ad.requester] += rest;
        application[ad.id] = 0;
    }

    function _counts(Ad storage ad, address who) private view returns (bool) {
        uint256 at = ad.respondedAt[who];
        uint256 needed = uint256(OFFER) * rulesOf[ad.versionsOf[who][0]].bondBps / 10_000;
        bool isBacked = bondFree[who] >= needed + addedSince(who, at);
        bool wasOnSale = setGhosts[ad.setOf[who]].saleUntil >= ad.selectBy;
        return !isRevoked[who] && isBacked && wasOnSale && prepaid.bondOf(who).freedAt <= at;
    }

    function _choice(Ad storage ad, address who, uint256 expiresAt, bytes32 groupHash) private returns (Choice memory c) {
        (c.processor, c.expiresAt, c.messageLength, c.signedAt) = (who, uint40(expiresAt), 1_500, 1_700_000_000);
        (c.messageDigest, c.nonce) = ("sealed conditions", bytes32(++locks));
        SharingOrder memory it;
        (it.payer, it.payee, it.broadcastId, it.dataSetId) = (ad.requester, who, ad.id, ad.setOf[who]);
        (it.messageDigest, it.messageLength, it.nonce) = (c.messageDigest, c.messageLength, c.nonce);
        (it.signedAt, it.expiresAt, it.groupHash) = (c.signedAt, c.expiresAt, groupHash);
        uint32[2] storage offered = ad.versionsOf[who];
        c.terms = sharingTermsAt(OFFER, offered[0], offered[1]);
        (it.threshold, it.groupSize, it.priceWei, it.terms) = (THRESHOLD, 3, OFFER, c.terms);
        c.signature = signed(it);
    }

    function retireInBetween(bytes32 dataSetId) internal virtual;

    function isOnSale(bytes32 dataSetId) internal view returns (bool) {
        return block.timestamp < setGhosts[dataSetId].saleUntil;
    }

    /// @dev A broadcast: three times of four one that is open, if there is any, else any one.
    function _pickAd(uint256 seed) private view returns (uint256 index) {
        index = (seed >> 2) % ads.length;
        if (seed % 4 == 0) return index;
        for (uint256 i = 0; i < ads.length; ++i) {
            uint256 candidate = (index + i) % ads.length;
            if (ads[candidate].state == BroadcastState.Open) return candidate;
        }
    }

    function _placeOf(Ad storage ad, address who) private view returns (uint256 place) {
        while (place < ad.form.length && ad.form[place] != who) ++place;
    }

    /// @dev Behind all with the same or a higher credit.
    function _enter(Ad storage ad, address who, uint256 points) private {
        ad.form.push(who);
        ad.credits.push(points);
        for (uint256 i = ad.form.length - 1; i > 0 && ad.credits[i - 1] < points; --i) {
            (ad.form[i], ad.form[i - 1]) = (ad.form[i - 1], who);
            (ad.credits[i], ad.credits[i - 1]) = (ad.credits[i - 1], points);
        }
        if (ad.form.length > 2) ++done["form longer than 2"];
    }

    function _remove(Ad storage ad, uint256 place) private {
        for (uint256 i = place; i + 1 < ad.form.length; ++i) {
            (ad.form[i], ad.credits[i]) = (ad.form[i + 1], ad.credits[i + 1]);
        }
        ad.form.pop();
        ad.credits.pop();
    }
}
