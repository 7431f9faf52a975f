// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {BroadcastState, Choice, Conditions, Response} from "../../../interfaces/IDataMarket.sol";
import {LockState, Reason, SharingOrder} from "../../../interfaces/IPrepaidLock.sol";
import {G1Point, G2Point} from "../../../contracts/libraries/BN254.sol";
import {Keys} from "../base/Keys.sol";
import {Actions} from "./Actions.sol";

/// @title MarketActions
/// @notice Broadcasts, responses, selections, deliveries; and anchors of a device's readings.
abstract contract MarketActions is Actions {
    struct Ad {
        bytes32 id;
        BroadcastState state;
        uint256 respondBy;
        uint256 selectBy;
        address[] form; // standing responders, in the order of their credit then
        uint256[] credits;
        mapping(address processor => bool) hasResponded;
        mapping(address processor => uint256 at) respondedAt;
    }

    uint96 internal constant OFFER = 2 ether + 1;

    Ad[] internal ads;
    mapping(address processor => bytes32 dataSetId) internal setOf;
    mapping(address processor => uint256 dataKey) internal dataKeyOf;
    uint64 internal anchored;

    modifier ifAnyAd() {
        if (ads.length == 0) return;
        _;
    }

    function setUpMarket() internal {
        (setOf[processor], dataKeyOf[processor]) = publish(processor, 1);
        (setOf[processorTwo], dataKeyOf[processorTwo]) = publish(processorTwo, 1);
    }

    function broadcast(uint256 seed) external {
        Conditions memory c;
        (c.windowFrom, c.windowTo, c.kind) = (20_000 days, 20_001 days, 1);
        (c.groupSize, c.threshold, c.maxPriceWei) = (3, THRESHOLD, 9 ether);
        c.respondBy = uint40(block.timestamp + 60 + seed % 600);
        c.selectBy = uint40(c.respondBy + 1 + (seed >> 8) % 600);
        (c.openingsLength, c.openingsDigest, c.nonce) = (700, "openings", bytes32(++locks));
        c.regions = new bytes32[](2);
        (c.regions[0], c.regions[1]) = (NORTH, SOUTH);
        bytes memory data = abi.encodeCall(market.broadcast, (c));
        bool predicted = !isStopped();
        if (!act("broadcast", address(market), buyer, APPLICATION_WEI, data, predicted)) return;
        Ad storage ad = ads.push();
        (ad.id, ad.state) = (market.broadcastIdOf(buyer, c.nonce), BroadcastState.Open);
        (ad.respondBy, ad.selectBy) = (c.respondBy, c.selectBy);
        application[ad.id] = APPLICATION_WEI;
        act("replay broadcast", address(market), buyer, APPLICATION_WEI, data, false);
    }

    function respond(uint256 seed) external ifAnyAd {
        Ad storage ad = ads[_pickAd(seed)];
        address who = (seed >> 4) % 2 == 0 ? processor : processorTwo;
        bool isOwn = seed % 16 != 3;
        bytes32 set = isOwn ? setOf[who] : setOf[who == processor ? processorTwo : processor];
        bytes memory data = abi.encodeCall(market.respond, (ad.id, set, OFFER));
        bool predicted = isOwn && ad.state == BroadcastState.Open && block.timestamp < ad.respondBy && !isStopped()
            && !isRevoked[who] && !ad.hasResponded[who];
        uint256 points = credit.creditOf(who);
        if (!act("respond", address(market), who, 0, data, predicted)) return;
        (ad.hasResponded[who], ad.respondedAt[who]) = (true, block.timestamp);
        ad.form.push(who);
        ad.credits.push(points);
        if (ad.form.length == 2 && ad.credits[0] < points) {
            (ad.form[0], ad.form[1]) = (ad.form[1], ad.form[0]);
            (ad.credits[0], ad.credits[1]) = (ad.credits[1], ad.credits[0]);
        }
    }

    function withdrawResponse(uint256 seed) external ifAnyAd {
        if (seed % 3 != 0) return;
        Ad storage ad = ads[_pickAd(seed)];
        address who = (seed >> 4) % 2 == 0 ? processor : processorTwo;
        uint256 place = _placeOf(ad, who);
        bool predicted = ad.state == BroadcastState.Open && place < ad.form.length;
        bytes memory data = abi.encodeCall(market.withdrawResponse, (ad.id));
        if (act("withdrawResponse", address(market), who, 0, data, predicted)) _remove(ad, place);
    }

    function select(uint256 seed) external ifAnyAd {
        Ad storage ad = ads[_pickAd(seed)];
        address who = (seed >> 4) % 2 == 0 ? processor : processorTwo;
        if (ad.form.length != 0 && (seed >> 5) % 4 != 0) who = ad.form[(seed >> 7) % ad.form.length];
        Choice[] memory choices = new Choice[](1);
        choices[0] = _choice(ad.id, who, uint40(block.timestamp + SHARING_SHORTEST_S + (seed >> 8) % 900));
        bytes memory data = abi.encodeCall(market.select, (ad.id, group, choices));
        bool predicted = ad.state == BroadcastState.Open && block.timestamp < ad.selectBy && !isStopped()
            && _placeOf(ad, who) < ad.form.length && !isRevoked[who] && bondFree[who] >= OFFER / 2;
        if (!act("select", address(market), buyer, OFFER, data, predicted)) return;
        ad.state = BroadcastState.Selected;
        owed[buyer] += application[ad.id];
        application[ad.id] = 0;
        Ghost storage g = ghosts.push();
        (g.id, g.state, g.isSharing) = (prepaid.lockIdOf(buyer, choices[0].nonce), LockState.Selected, true);
        (g.payer, g.payee, g.deadline, g.window) = (buyer, who, choices[0].expiresAt, WINDOW_S);
        (g.price, g.fee, g.bond) = (OFFER, uint256(OFFER) * 200 / 10_000, OFFER / 2);
        (g.dataKey, g.dataSetId) = (dataKeyOf[who], setOf[who]);
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
        if (seed % 5 != 0) return;
        bytes memory data = abi.encodeCall(prepaid.decline, (g.id, Reason.NotServed));
        bool predicted = g.state == LockState.Selected && block.timestamp < g.deadline;
        if (!act("decline", address(prepaid), g.payee, 0, data, predicted)) return;
        owed[g.payer] += g.price;
        (bondFree[g.payee], bondHeld[g.payee]) = (bondFree[g.payee] + g.bond, bondHeld[g.payee] - g.bond);
        modelEnd(g, LockState.Declined);
    }

    function deliver(uint256 seed) external ifAny {
        Ghost storage g = ghosts[pick(seed, LockState.Selected)];
        bool isRight = seed % 8 != 3;
        uint256 key = g.isSharing ? g.dataKey : dataKeyOf[processor];
        (G2Point[] memory commitments, G1Point[] memory shares) = Keys.deal(key, THRESHOLD, groupKeys);
        if (!isRight) (shares[0], shares[1]) = (shares[1], shares[0]);
        bytes memory data = abi.encodeCall(prepaid.deliver, (g.id, group, groupKeys, commitments, shares));
        bool predicted = isRight && g.state == LockState.Selected && block.timestamp < g.deadline;
        if (act("deliver", address(prepaid), outsider, 0, data, predicted)) modelFulfil(g);
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
        bool wasStopped = stoppedUntil > ad.respondBy && stoppedUntil < ad.selectBy + 7 days;
        for (uint256 i = 0; i < ad.form.length; ++i) if (_counts(ad, ad.form[i])) ++count;
        uint256 rest = application[ad.id];
        if (count != 0 && !wasStopped) {
            uint256 part = rest / count;
            for (uint256 i = 0; i < ad.form.length; ++i) {
                if (!_counts(ad, ad.form[i])) continue;
                owed[ad.form[i]] += part;
                rest -= part;
            }
        }
        owed[buyer] += rest;
        application[ad.id] = 0;
    }

    function _counts(Ad storage ad, address who) private view returns (bool) {
        uint256 at = ad.respondedAt[who];
        bool isBacked = bondFree[who] >= OFFER / 2 + addedSince(who, at);
        return !isRevoked[who] && isBacked && prepaid.bondOf(who).freedAt < at;
    }

    function _choice(bytes32 adId, address who, uint40 expiresAt) private returns (Choice memory c) {
        (c.processor, c.expiresAt, c.messageLength, c.signedAt) = (who, expiresAt, 1_500, 1_700_000_000);
        (c.messageDigest, c.nonce) = ("sealed conditions", bytes32(++locks));
        SharingOrder memory it;
        (it.payer, it.payee, it.broadcastId, it.dataSetId) = (buyer, who, adId, setOf[who]);
        (it.messageDigest, it.messageLength, it.nonce) = (c.messageDigest, c.messageLength, c.nonce);
        (it.signedAt, it.expiresAt) = (c.signedAt, c.expiresAt);
        it.groupHash = keccak256(abi.encode(group, groupKeys));
        c.signature = signed(it);
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

    function _remove(Ad storage ad, uint256 place) private {
        for (uint256 i = place; i + 1 < ad.form.length; ++i) {
            (ad.form[i], ad.credits[i]) = (ad.form[i + 1], ad.credits[i + 1]);
        }
        ad.form.pop();
        ad.credits.pop();
    }
}
