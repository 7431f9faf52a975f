// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {BroadcastState, Response} from "../../../interfaces/IDataMarket.sol";
import {OwnersLeaf} from "../../../interfaces/IDataSetBook.sol";
import {Bond, Lock, LockState} from "../../../interfaces/IPrepaidLock.sol";
import {KeyActions} from "./KeyActions.sol";

/// @title Invariants
/// @notice What must stay true (protocol.md §6, by its numbers), after any calls by anybody at any time, hostile receivers among them.
/// Compared with the model after every call:
///
/// 1. Each account's withdrawable sum and bond, each deposit, each data set's pot, and the sum of all with the running locks: balance and
///    liabilities, to the wei.
/// 2. State, T, due time, price, payer and payee of each lock; how often it ended. At a run's end anybody ends every lock in at most two calls.
/// 3. A lock beyond acceptance or selection was fulfilled before T; whom its price went to is 1's.
/// 5. Each node's credit, what it gained in the epoch and from each payer: the model moves them where a lock ends and nowhere else. Each
///    node's credit times the point is at most what the node's own settled locks paid in fees.
/// 6. Each form, line by line with the credits of then, is the model's and sorted. No call costs more than 3,000,000 gas.
///
/// Tried by the actions, each of which predicts whether its call succeeds:
///
/// 4. No nonce, (p, C), (device, seq), BLS key, delivery key, ID commitment or F_0 is taken twice.
/// 7. Revoked nodes, users, judges and buyers begin nothing, end what they began, and withdraw what is theirs.
///
/// 9. Decisions are agreed, carried out, cancelled and left to lapse at any moment, also between the signing of a request or selection and its mining: each
///    is carried out at most once, never below its subject's floor, never after it lapsed. Money, times and ends of each lock are those of the terms that its payer
///    has signed (1, 2), whatever was carried out since. A right transcript that the payee does not send is no delivery.
///
/// 10. Payee's part, fee, rest and owners' part of each settled price add up to it (by 1). No data set pays out more than came in for it, whatever its
///    list says; a draw twice gives once; no offer or sale of a data set begins whose sale has ended, by its time, its seller or a leaf whose consent
///    does not stand.
///
/// Signatures, preimages, proofs of keys and share transcripts are real. Four nodes, two users, three buyers at a time. The cap of 1,000 points an
/// epoch and forms longer than four lines are not reached here: symbolic/Credit.t.sol, libraries/SortedForm.t.sol and contracts/DataMarket.t.sol have them.
contract InvariantsTest is KeyActions {
    uint256 private constant STEPS = 62;

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    function setUp() public override {
        ownersBps = 3_333;
        setUpModel("PrepaidLock");
        setUpSets();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(this);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[STEPS] memory steps = _steps();
        targets = new FuzzSelector[](1);
        (targets[0].addr, targets[0].selectors) = (address(this), new bytes4[](STEPS));
        for (uint256 i = 0; i < STEPS; ++i) targets[0].selectors[i] = steps[i];
    }

    /// @dev What the rest depends on comes more often.
    function _steps() private pure returns (bytes4[STEPS] memory) {
        return [
            this.passTime.selector, this.passTime.selector, this.passTime.selector, this.request.selector,
            this.request.selector, this.request.selector, this.accept.selector, this.accept.selector,
            this.accept.selector, this.claim.selector, this.claim.selector, this.claim.selector,
            this.acceptWithUsedSecret.selector, this.reject.selector, this.demand.selector, this.serve.selector,
            this.dispute.selector, this.dispute.selector, this.vote.selector, this.vote.selector,
            this.vote.selector, this.refund.selector, this.settle.selector, this.slash.selector,
            this.endMany.selector, this.withdrawFor.selector, this.moveBond.selector, this.govern.selector,
            this.broadcast.selector, this.respond.selector, this.respond.selector, this.select.selector,
            this.select.selector, this.deliver.selector, this.deliver.selector, this.close.selector,
            this.withdrawResponse.selector, this.decline.selector, this.anchor.selector, this.demand.selector,
            this.respond.selector, this.respond.selector, this.admitNewcomer.selector, this.publishAgain.selector,
            this.changeBuyer.selector, this.agree.selector, this.agree.selector, this.carryOut.selector,
            this.carryOut.selector, this.cancelOne.selector, this.renew.selector, this.retire.selector,
            this.retireFor.selector, this.consent.selector, this.draw.selector, this.draw.selector,
            this.drawMany.selector, this.respond.selector, this.select.selector, this.deliver.selector,
            this.settle.selector, this.settle.selector
        ];
    }

    /// @dev Shows that the actions get somewhere: in long walks every kind of step succeeds, and every kind of end comes.
    function test_actions__in_long_walks__reach_everything() public {
        bytes32[55] memory kinds = [
            bytes32("request"), "accept", "reject", "claim", "demand", "serve", "dispute", "vote", "verdict",
            "refund", "settle", "slash", "withdrawFor", "addBond", "takeBond", "broadcast", "respond", "select",
            "deliver", "close", "decline", "withdrawResponse", "anchor", "stop", "revoke", "endMany",
            "buyer comes back", "form longer than 2", "admit", "known key or name refused", "publish",
            "known key commitment refused", "select with somebody revoked", "agree",
            "carry out", "stale decision refused", "lapsed decision refused", "vote to cancel", "cancel",
            "request of other terms", "serve", "dispute", "renew", "retire", "retire for", "give consent",
            "withdraw consent", "draw", "draw again", "draw many", "draw of something",
            "greedy draw held to the pot", "sale with an owners' part", "offer of an ended sale refused",
            "sale of a retired set refused"
        ];
        uint256[55] memory reached;
        uint256 start = vm.snapshotState();
        for (uint256 walk = 0; walk < 50; ++walk) {
            _walk(walk);
            for (uint256 i = 0; i < kinds.length; ++i) reached[i] += done[kinds[i]];
            vm.revertToState(start);
        }
        for (uint256 i = 0; i < kinds.length; ++i) yes(reached[i] > 0, string(abi.encodePacked(kinds[i])));
    }

    /// @dev Shows that the model of credit meets what walks seldom do: a pair's cap, a loss, several epochs.
    function test_credit__in_many_locks_of_one_pair__is_the_models() public {
        for (uint256 i = 0; i < 7; ++i) {
            this.request(4); // a bill, which settles at once
            this.accept(1);
            this.claim(1);
            check5_credit();
        }
        eq(bound["pair"], 2, "the cap held two gains down");
        eq(standingNow(processor).points, 30, "and credit with them");
        vm.warp(block.timestamp + 65 days);
        check5_credit();
        eq(standingNow(processor).points, 22, "two epochs later");
        this.request(4);
        this.accept(1);
        vm.warp(ghosts[7].deadline);
        this.refund(1);
        check5_credit();
        eq(standingNow(processor).points, 0, "lost");
    }

    function _walk(uint256 walk) private {
        bytes4[STEPS] memory steps = _steps();
        for (uint256 i = 0; i < 200; ++i) {
            uint256 random = uint256(keccak256(abi.encode(walk, i)));
            (bool ok, bytes memory why) =
                address(this).call(abi.encodePacked(steps[random % STEPS], abi.encode(random >> 8)));
            yes(ok, string(why));
        }
        check1_money();
        check2_lifecycle();
        check5_credit();
        check6_form();
    }

    function invariant_1_to_7() public view {
        check1_money();
        check2_lifecycle();
        check3_payments();
        check5_credit();
        check6_form();
        check10_owners();
    }

    /// @dev At the end of each run: everything can be ended by anybody, and every wei taken out by whom it belongs to.
    function afterInvariant() public {
        uint256 ended = _endEverything();
        yes(ended <= 2, "two rounds of calls end every lock");
        for (uint256 i = 0; i < ghosts.length; ++i) {
            eq(ghosts[i].ends, 1, "each lock ended exactly once");
            no(isRunning(prepaid.lockOf(ghosts[i].id).state), "and is at its end");
        }
        _closeAds();
        check1_money();
        check5_credit();
        uint256 undrawn = _drawEverything();
        check10_owners();
        for (uint256 i = 0; i < everybody.length; ++i) withdrawOf(everybody[i]);
        uint256 left = owed[neighbour] + owed[buyerThree] + undrawn; // who refuse their own money, or false lists
        for (uint256 i = 0; i < 4; ++i) {
            left += bondFree[nodes[i]];
            eq(bondHeld[nodes[i]], 0, "no bond is held for anything");
        }
        eq(address(prepaid).balance, left, "nothing else is left");
        eq(address(market).balance, 0, "nor in the market");
    }

    // ---- the checks ----

    function check1_money() public view {
        uint256 running;
        for (uint256 i = 0; i < ghosts.length; ++i) {
            Ghost storage g = ghosts[i];
            if (isRunning(g.state)) running += g.price + g.deposit + g.quarrel;
        }
        uint256 standing;
        for (uint256 i = 0; i < everybody.length; ++i) {
            address who = everybody[i];
            Bond memory bond = prepaid.bondOf(who);
            eq(prepaid.withdrawableOf(who), owed[who], "1: withdrawable");
            eq(bond.freeWei, bondFree[who], "1: free bond");
            eq(bond.heldWei, bondHeld[who], "1: held bond");
            standing += owed[who] + bondFree[who] + bondHeld[who];
        }
        uint256 deposits;
        for (uint256 i = 0; i < ads.length; ++i) {
            eq(prepaid.applicationOf(ads[i].id), application[ads[i].id], "1: application");
            deposits += application[ads[i].id];
        }
        uint256 pots;
        for (uint256 i = 0; i < setIds.length; ++i) pots += setGhosts[setIds[i]].pot;
        eq(address(prepaid).balance, running + standing + deposits + pots, "1: covered to the wei");
        eq(prepaid.liabilitiesWei(), address(prepaid).balance, "1: liabilities");
        eq(cameIn - wentOut, address(prepaid).balance, "1: in minus out");
        eq(address(market).balance, 0, "1: the market holds nothing");
    }

    function check2_lifecycle() public view {
        for (uint256 i = 0; i < ghosts.length; ++i) {
            Ghost storage g = ghosts[i];
            Lock memory lock = prepaid.lockOf(g.id);
            eq(uint256(lock.state), uint256(g.state), "2: state");
            eq(lock.expiresAt, g.deadline, "2: T never moves");
            eq(lock.dueAt, g.due, "2: due");
            eq(lock.priceWei, g.price, "2: price");
            eq(lock.payer, g.payer, "2: payer");
            eq(lock.payee, g.payee, "2: payee");
            eq(g.ends, isRunning(g.state) ? 0 : 1, "2: ends once");
        }
    }

    function check3_payments() public view {
        for (uint256 i = 0; i < ghosts.length; ++i) {
            LockState state = prepaid.lockOf(ghosts[i].id).state;
            bool isBeyond = state == LockState.Claimed || state == LockState.Delivered || state == LockState.Settled
                || state == LockState.Demanded || state == LockState.Disputed || state == LockState.Slashed;
            if (isBeyond) yes(ghosts[i].isFulfilled, "3: a preimage or transcript before T");
        }
    }

    /// @dev Compared with the model after every call, so a point that moves at another moment than a lock's end is found there and then.
    function check5_credit() public view {
        for (uint256 i = 0; i < 4; ++i) {
            Standing memory s = standingNow(nodes[i]);
            eq(credit.creditOf(nodes[i]), s.points, "5: credit moves at the end of a lock alone");
            eq(credit.gainedOf(nodes[i]), s.gained, "5: gained in the epoch");
            yes(s.points * POINT_WEI <= feesOf[nodes[i]], "5: an account's credit costs the account's fees");
            eq(credit.gainedFrom(nodes[i], meterOwner), gainedNow(nodes[i], meterOwner), "5: gained from a user");
            eq(credit.gainedFrom(nodes[i], neighbour), gainedNow(nodes[i], neighbour), "5: gained from another");
            eq(credit.gainedFrom(nodes[i], buyer), gainedNow(nodes[i], buyer), "5: gained from the buyer");
        }
    }

    function check6_form() public view {
        for (uint256 i = 0; i < ads.length; ++i) {
            Response[] memory form = market.formOf(ads[i].id);
            eq(form.length, ads[i].form.length, "6: lines");
            for (uint256 j = 0; j < form.length; ++j) {
                eq(form[j].processor, ads[i].form[j], "6: order");
                eq(form[j].credit, ads[i].credits[j], "6: credit as it was then");
                if (j > 0) yes(form[j - 1].credit >= form[j].credit, "6: sorted");
            }
        }
    }

    function check10_owners() public view {
        for (uint256 i = 0; i < setIds.length; ++i) {
            SetGhost storage g = setGhosts[setIds[i]];
            (uint256 perRow, uint256 pot,,,) = sets.earningsOf(setIds[i]);
            eq(perRow, g.perRow, "10: what a row has earned");
            eq(pot, g.pot, "10: the pot");
            yes(g.paidOut <= g.cameIn, "10: no more is paid out than came in");
            eq(g.paidOut + pot, g.cameIn, "10: and the rest is still there");
            (,,,, uint40 saleUntil) = sets.offerOf(setIds[i]);
            eq(saleUntil, g.saleUntil, "10: a sale ends once, and never begins again");
        }
    }

    // ---- the end of a run ----

    /// @dev Draws what can be drawn; what nobody owns, and what a list does not name, stays.
    function _drawEverything() private returns (uint256 undrawn) {
        for (uint256 i = 0; i < setIds.length; ++i) {
            for (uint256 j = 0; j < 2; ++j) {
                OwnersLeaf memory leaf = _leaf(setIds[i], j);
                if (leaf.device == outsider) continue;
                sets.draw(setIds[i], leaf);
                modelDraw(setIds[i], leaf);
            }
            SetGhost storage g = setGhosts[setIds[i]];
            if (g.rows[0] + g.rows[1] == g.rowCount && g.devices[0] != outsider) eq(g.pot, 0, "an honest list leaves nothing");
            undrawn += g.pot;
        }
    }

    /// @dev Returns how many rounds it took to end all: one call a lock and round, by a stranger.
    function _endEverything() private returns (uint256 rounds) {
        for (bool isAnyLeft = true; isAnyLeft; ++rounds) {
            uint256 until = block.timestamp;
            for (uint256 i = 0; i < ghosts.length; ++i) {
                Ghost storage g = ghosts[i];
                if (!isRunning(g.state)) continue;
                uint256 edge = g.isFulfilled ? g.due : g.deadline;
                if (edge > until) until = edge;
            }
            vm.warp(until);
            isAnyLeft = false;
            for (uint256 i = 0; i < ghosts.length; ++i) {
                bytes32[] memory one = new bytes32[](1);
                one[0] = ghosts[i].id;
                if (!isRunning(ghosts[i].state)) continue;
                vm.prank(outsider);
                eq(prepaid.endMany(one), 1, "anybody ends it");
                modelEndIfDue(ghosts[i]);
                if (isRunning(ghosts[i].state)) isAnyLeft = true;
            }
        }
    }

    function _closeAds() private {
        for (uint256 i = 0; i < ads.length; ++i) {
            if (ads[i].state != BroadcastState.Open) continue;
            if (ads[i].selectBy > block.timestamp) vm.warp(ads[i].selectBy);
            closeAd(i);
        }
    }
}
