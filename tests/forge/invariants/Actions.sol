// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IPrepaidLock, LockState, Reason, RequestOrder} from "../../../interfaces/IPrepaidLock.sol";
import {IMemberRegistry, Role} from "../../../interfaces/IMemberRegistry.sol";
import {RequestType, Rules, SharingTerms} from "../../../interfaces/IRequestCatalogue.sol";
import {G1Point} from "../../../contracts/types/Points.sol";
import {Model} from "./Model.sol";

/// @title Actions
/// @notice What anybody may try with locks and money, at random, rightly and wrongly. Each predicts its outcome.
abstract contract Actions is Model {
    modifier ifAny() {
        if (ghosts.length == 0) return;
        _;
    }

    // ---- time ----

    /// @dev Goes to a deadline of some lock, a second before or behind it; or on a little.
    function passTime(uint256 seed) external {
        uint256 to = block.timestamp + 1 + seed % 97;
        if (ghosts.length != 0 && seed % 4 == 0) {
            Ghost storage g = ghosts[(seed >> 8) % ghosts.length];
            uint256 edge = g.isFulfilled ? g.due : g.deadline;
            uint256 wanted = edge + (seed >> 4) % 3 - 1;
            if (wanted > block.timestamp) to = wanted;
        }
        if (seed % 32 == 31) to = (block.timestamp / 30 days + 1) * 30 days + (seed >> 4) % 3 - 1; // around an epoch's end
        // While the stop holds nothing begins: now and then its end comes.
        if (isStopped() && seed % 3 == 0) to = stoppedUntil + (seed >> 4) % 2;
        vm.warp(to);
    }

    // ---- a user's request ----

    function request(uint256 seed) external {
        bool isNorth = seed % 3 != 0;
        address payer = isNorth ? meterOwner : neighbour;
        address payee = isNorth ? processor : processorTwo;
        RequestOrder memory it = anOrder(seed % 4 == 0 ? BILL : ADVICE);
        it.processor = payee;
        it.expiresAt = uint40(block.timestamp + SHORTEST_S + (seed >> 8) % 900);
        G1Point memory signature = signed(it, payer);
        uint256 price = priceOf(it.typeId);
        bytes memory data = abi.encodeCall(prepaid.request, (it, signature));
        // Now and then somebody carries out what is agreed after the request was signed, and before it is mined.
        if (seed % 8 == 6) carryOutAny(seed >> 16);
        bool isAsSigned = keccak256(abi.encode(it.terms)) == keccak256(abi.encode(requestTerms(it.typeId)));
        if (!isAsSigned) ++done["request of other terms"];
        bool isInTime = it.expiresAt >= block.timestamp + SHORTEST_S;
        bool predicted = isAsSigned && isInTime && !isStopped() && !isRevoked[payer] && !isRevoked[payee];
        if (!act("request", address(prepaid), payer, price, data, predicted)) return;
        Ghost storage g = ghosts.push();
        (g.id, g.state, g.payer, g.payee) = (prepaid.lockIdOf(payer, it.nonce), LockState.Requested, payer, payee);
        (g.deadline, g.price) = (it.expiresAt, price);
        modelTerms(g, it.terms);
        g.secret = keccak256(abi.encode("secret", it.nonce));
        // §6.4: the same nonce, and so the same signature, never again.
        act("replay request", address(prepaid), payer, price, data, false);
    }

    function accept(uint256 seed) external ifAny {
        Ghost storage g = ghosts[pick(seed, LockState.Requested)];
        bool isCopied = seed % 16 == 5;
        bytes32 c = sha256(abi.encode(isCopied ? outsider : g.payee, g.secret));
        bytes memory data = abi.encodeCall(prepaid.accept, (g.id, c, sha256(ANSWER), uint32(ANSWER.length)));
        bool predicted = g.state == LockState.Requested && block.timestamp < g.deadline && !isStopped()
            && !isRevoked[g.payee] && bondFree[g.payee] >= g.bond;
        if (!act("accept", address(prepaid), g.payee, 0, data, predicted)) return;
        g.state = LockState.Accepted;
        if (isCopied) g.secret = ""; // nobody knows what opens this one for the payee
        (bondFree[g.payee], bondHeld[g.payee]) = (bondFree[g.payee] - g.bond, bondHeld[g.payee] + g.bond);
    }

    /// @dev §6.4: a pair (p, C) is accepted once. Another request of the same node is tried with a C in use.
    function acceptWithUsedSecret(uint256 seed) external ifAny {
        Ghost storage g = ghosts[pick(seed, LockState.Requested)];
        Ghost storage other = ghosts[(seed >> 16) % ghosts.length];
        if (g.state != LockState.Requested || other.isSharing || other.payee != g.payee) return;
        if (other.state == LockState.Requested || other.state == LockState.Rejected || other.secret == 0) return;
        if (prepaid.lockOf(other.id).binding == 0) return;
        bytes32 c = sha256(abi.encode(other.payee, other.secret));
        bytes memory data = abi.encodeCall(prepaid.accept, (g.id, c, sha256(ANSWER), uint32(ANSWER.length)));
        act("accept with a used C", address(prepaid), g.payee, 0, data, false);
    }

    function reject(uint256 seed) external ifAny {
        Ghost storage g = ghosts[pick(seed, LockState.Requested)];
        if (seed % 4 != 0) return; // or few requests would get any further
        bool isPayee = seed % 32 != 8;
        bytes memory data = abi.encodeCall(prepaid.reject, (g.id, Reason.NotServed));
        bool predicted = isPayee && g.state == LockState.Requested;
        if (!act("reject", address(prepaid), isPayee ? g.payee : outsider, 0, data, predicted)) return;
        owed[g.payer] += g.price;
        modelEnd(g, LockState.Rejected);
    }

    function claim(uint256 seed) external ifAny {
        Ghost storage g = ghosts[pick(seed, LockState.Accepted)];
        bool isRight = seed % 8 != 3 && g.secret != 0;
        bytes32 secret = isRight ? g.secret : bytes32("wrong");
        bytes memory data = abi.encodeCall(prepaid.claim, (g.id, secret));
        bool predicted = isRight && g.state == LockState.Accepted && block.timestamp < g.deadline;
        if (act("claim", address(prepaid), outsider, 0, data, predicted)) modelFulfil(g);
    }

    // ---- withheld, or wrong ----

    function demand(uint256 seed) external ifAny {
        Ghost storage g = ghosts[pick(seed, LockState.Claimed)];
        bool isPayer = seed % 16 != 3;
        uint256 deposit = g.demandWei;
        bytes memory data = abi.encodeCall(prepaid.demand, (g.id));
        bool predicted = isPayer && g.state == LockState.Claimed && block.timestamp < g.due && !g.isDemanded;
        address by = isPayer ? g.payer : outsider;
        if (!act("demand", address(prepaid), by, deposit, data, predicted)) return;
        (g.state, g.isDemanded, g.deposit, g.due) = (LockState.Demanded, true, deposit, block.timestamp + g.serveSeconds);
    }

    function serve(uint256 seed) external ifAny {
        Ghost storage g = ghosts[pick(seed, LockState.Demanded)];
        bool isRight = seed % 8 != 3;
        bytes memory data = abi.encodeCall(prepaid.serve, (g.id, isRight ? ANSWER : bytes("something else")));
        bool predicted = isRight && g.state == LockState.Demanded && block.timestamp < g.due;
        vm.fee((seed >> 8) % 3 * 0.7 gwei);
        uint256 paid = (40_000 + 12 * ANSWER.length) * block.basefee;
        if (paid > g.deposit) paid = g.deposit;
        bool isServed = act("serve", address(prepaid), outsider, 0, data, predicted);
        vm.fee(0);
        if (!isServed) return;
        owed[g.payee] += paid;
        owed[g.payer] += g.deposit - paid;
        (g.state, g.deposit, g.due) = (LockState.Claimed, 0, block.timestamp + g.window);
    }

    function dispute(uint256 seed) external ifAny {
        Ghost storage g = ghosts[pick(seed, seed % 8 < 4 ? LockState.Claimed : LockState.Delivered)];
        bool isParty = seed % 16 != 3;
        address by = isParty ? g.payer : outsider;
        bytes memory data = abi.encodeCall(prepaid.dispute, (g.id, EVIDENCE, 500));
        if (g.isSharing && seed % 2 == 0) {
            by = isParty ? groupOf[g.payer][(seed >> 8) % 3] : outsider;
            data = abi.encodeCall(
                prepaid.disputeAsMember, (g.id, groupOf[g.payer], groupKeysOf[g.payer], EVIDENCE, 500)
            );
        }
        uint256 bond = g.disputeWei;
        bool predicted = isParty && isHandedOver(g) && block.timestamp < g.due && disputesOf[by] < 3;
        if (!act("dispute", address(prepaid), by, bond, data, predicted)) return;
        (g.state, g.quarrel, g.by) = (LockState.Disputed, bond, by);
        (g.due, g.openedAt) = (block.timestamp + g.decideSeconds, block.timestamp);
        ++disputesOf[by];
    }

    function vote(uint256 seed) external ifAny {
        uint256 index = pick(seed, LockState.Disputed);
        Ghost storage g = ghosts[index];
        address judge = seed % 16 == 3 ? outsider : judges[(seed >> 8) % 3];
        bool forPayer = (seed >> 12) % 2 == 0;
        bool predicted = judge != outsider && g.state == LockState.Disputed && block.timestamp < g.due
            && !voted[index][judge];
        bytes memory data = abi.encodeCall(court.vote, (g.id, forPayer));
        if (!act("vote", address(court), judge, 0, data, predicted)) return;
        voted[index][judge] = true;
        uint256 votes = forPayer ? ++g.votesForPayer : ++g.votesForPayee;
        if (votes < 2) return;
        ++done["verdict"];
        if (forPayer) modelSlash(g, g.fee);
        else modelPayOut(g);
    }

    function isHandedOver(Ghost storage g) internal view returns (bool) {
        return g.state == LockState.Claimed || g.state == LockState.Delivered;
    }

    // ---- the end, by anybody ----

    function refund(uint256 seed) external ifAny {
        Ghost storage g = ghosts[pick(seed, seed % 8 < 4 ? LockState.Accepted : LockState.Disputed)];
        bool isPaid =
            g.state == LockState.Requested || g.state == LockState.Accepted || g.state == LockState.Selected;
        bool predicted = (isPaid && block.timestamp >= g.deadline)
            || (g.state == LockState.Disputed && block.timestamp >= g.due);
        bytes memory data = abi.encodeCall(prepaid.refund, (g.id));
        if (act("refund", address(prepaid), outsider, 0, data, predicted)) modelRefund(g);
    }

    function settle(uint256 seed) external ifAny {
        Ghost storage g = ghosts[pick(seed, seed % 8 < 4 ? LockState.Claimed : LockState.Delivered)];
        bytes memory data = abi.encodeCall(prepaid.settle, (g.id));
        bool predicted = isHandedOver(g) && block.timestamp >= g.due;
        if (act("settle", address(prepaid), outsider, 0, data, predicted)) modelPayOut(g);
    }

    function slash(uint256 seed) external ifAny {
        Ghost storage g = ghosts[pick(seed, LockState.Demanded)];
        bytes memory data = abi.encodeCall(prepaid.slash, (g.id));
        bool predicted = g.state == LockState.Demanded && block.timestamp >= g.due;
        if (act("slash", address(prepaid), outsider, 0, data, predicted)) modelSlash(g, 0);
    }

    function endMany(uint256 seed) external ifAny {
        if (seed % 4 != 0) return;
        bytes32[] memory ids = new bytes32[](ghosts.length < 3 ? ghosts.length : 3);
        for (uint256 i = 0; i < ids.length; ++i) ids[i] = ghosts[(seed >> (8 * i)) % ghosts.length].id;
        vm.prank(outsider);
        prepaid.endMany(ids);
        ++done["endMany"];
        for (uint256 i = 0; i < ids.length; ++i) modelEndIfDue(ghosts[(seed >> (8 * i)) % ghosts.length]);
    }

    function modelEndIfDue(Ghost storage g) internal {
        bool isPaid =
            g.state == LockState.Requested || g.state == LockState.Accepted || g.state == LockState.Selected;
        if (!isRunning(g.state) || block.timestamp < (isPaid ? g.deadline : g.due)) return;
        if (isPaid || g.state == LockState.Disputed) modelRefund(g);
        else if (g.state == LockState.Demanded) modelSlash(g, 0);
        else modelPayOut(g);
    }

    // ---- money ----

    function withdrawFor(uint256 seed) external {
        withdrawOf(everybody[seed % everybody.length]);
    }

    function withdrawOf(address account) internal {
        bool refuses = account == neighbour || account == buyerThree; // hostile: they refuse ether
        uint256 amount = owed[account];
        bool predicted = amount != 0 && !refuses;
        bytes memory data = abi.encodeCall(prepaid.withdrawFor, (account));
        uint256 before = account.balance;
        if (!act("withdrawFor", address(prepaid), outsider, 0, data, predicted)) return;
        eq(account.balance - before, amount, "received what was owed, once");
        owed[account] = 0;
        wentOut += amount;
    }

    function moveBond(uint256 seed) external {
        address account = nodes[(seed >> 16) % 4];
        uint256 amount = 1 + (seed >> 8) % 3 ether;
        if (seed % 4 < 2) {
            bytes memory data = abi.encodeCall(prepaid.addBond, (account));
            if (!act("addBond", address(prepaid), outsider, amount, data, !isRevoked[account])) return;
            modelAdd(account, amount);
        } else {
            if (seed % 64 == 3) amount = bondFree[account] + 1;
            bytes memory data = abi.encodeCall(prepaid.takeBond, (uint96(amount)));
            if (!act("takeBond", address(prepaid), account, 0, data, amount <= bondFree[account])) return;
            bondFree[account] -= amount;
            owed[account] += amount;
        }
    }

    // ---- what the consortium agrees on, carried out, cancelled and left to lapse at any moment ----

    struct Decision {
        uint256 id;
        address target;
        bytes data;
        uint256 kind; // 0 rules, 1 terms of sharing, 2 bill, 3 advice
        uint256 agreedAt;
        bool isOver;
    }

    Decision[] internal decisions;
    uint256[4] internal floors; // by kind, which is the subject

    function agree(uint256 seed) external {
        if (seed % 3 == 0) return; // others happen more often
        Decision storage d = decisions.push();
        d.kind = (seed >> 4) % 4;
        (d.target, d.data) = (address(catalogue), _callOf(d.kind, seed >> 8));
        (d.id, d.agreedAt) = (agreed(d.target, d.data), block.timestamp);
        ++done["agree"];
    }

    /// @dev Rules of every version keep the consortium's part within the bond.
    function _callOf(uint256 kind, uint256 random) private view returns (bytes memory) {
        uint32 window = random % 2 == 0 ? uint32(60 + (random >> 8) % 600) : 0;
        if (kind == 0) {
            Rules memory other = rules();
            (other.feeBps, other.bondBps) = (uint16(random % 2_001), uint16(2_001 + (random >> 16) % 8_000));
            (other.serveSeconds, other.decideSeconds) = (uint32(60 + random % 9_000), uint32(60 + random % 7_000));
            other.serveGasWei = uint64(1 + random % 2 gwei);
            return abi.encodeCall(catalogue.setRules, (other));
        }
        if (kind == 1) {
            return abi.encodeCall(
                catalogue.setSharingTerms, (SharingTerms(SHARING_SHORTEST_S, window, APPLICATION_WEI, uint16(random % 8_001)))
            );
        }
        uint32 typeId = kind == 2 ? BILL : ADVICE;
        RequestType memory it = RequestType(true, SHORTEST_S, window, LONGEST, priceOf(typeId), "any");
        return abi.encodeCall(catalogue.setType, (typeId, it));
    }

    function carryOut(uint256 seed) external {
        carryOutAny(seed);
    }

    /// @dev §6.9: at most once, never after a later one about the same thing, never more than a week after it could be.
    function carryOutAny(uint256 seed) internal {
        if (decisions.length == 0) return;
        Decision storage d = decisions[seed % decisions.length];
        // Now and then it is tried just when it may be, or just when it lapses.
        uint256 readyAt = d.agreedAt + (block.timestamp < BEGIN + FOUNDING_S ? 0 : DELAY_S);
        uint256 lapsesAt = d.agreedAt + (d.agreedAt < BEGIN + FOUNDING_S ? 0 : DELAY_S) + 7 days;
        bool isBelow = d.id < floors[d.kind];
        bool predicted = !d.isOver && !isBelow && block.timestamp >= readyAt && block.timestamp < lapsesAt;
        if (isBelow) ++done["stale decision refused"];
        if (block.timestamp >= lapsesAt) ++done["lapsed decision refused"];
        bytes memory data = abi.encodeCall(consortium.execute, (d.id, d.target, 0, d.data));
        address by = judges[(seed >> 8) % 3];
        act("carry out by nobody", address(consortium), outsider, 0, data, false);
        if (!act("carry out", address(consortium), by, 0, data, predicted)) return;
        (d.isOver, floors[d.kind]) = (true, d.id);
        if (d.kind != 0) return;
        (uint32 version,) = catalogue.versions();
        rulesOf[version] = catalogue.rulesAt(version);
    }

    function cancelOne(uint256 seed) external {
        if (decisions.length == 0 || seed % 4 != 0) return;
        Decision storage d = decisions[(seed >> 4) % decisions.length];
        uint256 lapsesAt = d.agreedAt + DELAY_S + 7 days;
        bool predicted = !d.isOver && block.timestamp < lapsesAt;
        bytes32 callHash = keccak256(abi.encode(d.target, uint256(0), d.data));
        bytes memory data = abi.encodeCall(consortium.cancel, (d.id, callHash));
        if (!act("vote to cancel", address(consortium), judges[0], 0, data, predicted && !_hasVoted[d.id])) return;
        _hasVoted[d.id] = true;
        if (seed % 8 == 0) return; // one vote cancels nothing
        act("cancel", address(consortium), judges[2], 0, data, true);
        d.isOver = true;
    }

    mapping(uint256 proposalId => bool) private _hasVoted;

    // ---- the consortium ----

    /// @dev §6.7: revoked members begin nothing and end what they began. Rare, or nothing would begin any more.
    function govern(uint256 seed) external {
        if (seed % 24 == 0 && !isStopSpent) {
            decided(address(registry), abi.encodeCall(IMemberRegistry.stopBeginnings, ()));
            (stoppedUntil, isStopSpent) = (block.timestamp + DELAY_S + 7 days, true);
            stops.push([block.timestamp, stoppedUntil]);
            ++done["stop"];
        } else if (seed % 24 == 1) {
            address[5] memory some = [nodes[(seed >> 16) % 4], nodes[2], meterOwner, neighbour, judges[2]];
            modelRevoke(some[(seed >> 8) % 5]);
        }
    }

    /// @dev The buyer is revoked as well, and comes back as another account: no account is admitted twice.
    function changeBuyer(uint256 seed) external {
        if (!isRevoked[buyer]) {
            if (seed % 4 == 0) modelRevoke(buyer);
        } else if (seed % 2 == 0 && buyers.length < 8) {
            // Below those before it, so that its group ascends.
            setBuyer(admit(address(uint160(buyer) - 1), Role.Sharer, 0, address(0)));
            ++done["buyer comes back"];
        }
    }

    function modelRevoke(address who) private {
        if (isRevoked[who]) return;
        revoke(who);
        isRevoked[who] = true;
        ++done["revoke"];
    }
}
