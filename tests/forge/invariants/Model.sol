// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {LockState} from "../../../interfaces/IPrepaidLock.sol";
import {Role} from "../../../interfaces/IMemberRegistry.sol";
import {Rules} from "../../../interfaces/IRequestCatalogue.sol";
import {ReentrantReceiver} from "../../../contracts/mocks/ReentrantReceiver.sol";
import {RevertingReceiver} from "../../../contracts/mocks/RevertingReceiver.sol";
import {LockTerms} from "../../../contracts/types/LockTerms.sol";
import {G1Point} from "../../../contracts/types/Points.sol";
import {CreditModel} from "./CreditModel.sol";

/// @title Model
/// @notice What should be, kept beside what is: every lock, every account's money, every node's credit, who is a member, whether the stop holds. Written
/// from protocol.md §3 and §5, not from the contracts. Actions predict from it whether a call succeeds, and are wrong if it does otherwise.
abstract contract Model is CreditModel {
    bytes32 internal constant EAST = "east";
    bytes32 internal constant WEST = "west";

    struct Ghost {
        bytes32 id;
        LockState state;
        address payer;
        address payee;
        uint256 deadline; // T
        uint256 due;
        uint256 window;
        uint256 price;
        uint256 fee;
        uint256 bond;
        uint256 deposit; // of a demand, while it runs
        uint256 quarrel; // a disputer's bond, while it runs
        address by;
        bool isSharing;
        bool isDemanded;
        bool isFulfilled; // by a valid preimage or transcript before T
        uint256 ends; // how often it ended
        uint256 dataKey;
        bytes32 secret;
        bytes32 dataSetId;
        uint256 votesForPayer;
        uint256 votesForPayee;
        uint256 openedAt;
        uint256 serveSeconds; // of the rules' version that its payer has signed
        uint256 decideSeconds;
        uint256 disputeWei;
        uint256 demandWei;
        uint256 ownersBps;
    }

    /// @dev A data set: what its list says, which need not be true, and what its owners earned.
    struct SetGhost {
        address seller;
        uint256 dataKey;
        uint256 saleUntil;
        uint256 rowCount;
        address[2] devices; // of its two leaves
        uint32[2] rows;
        uint256 perRow;
        uint256 pot;
        uint256 cameIn;
        uint256 paidOut;
        mapping(address device => uint256 perRow) drawn;
    }

    Ghost[] internal ghosts;
    bytes32[] internal setIds;
    mapping(bytes32 dataSetId => SetGhost) internal setGhosts;
    address[] internal everybody;
    address[4] internal nodes;
    address[] internal buyers; // one after another: who was revoked is not admitted again
    mapping(address buyer => address[] accounts) internal groupOf;
    mapping(address buyer => G1Point[] deliveryKeys) internal groupKeysOf;
    mapping(address account => uint256 wei_) internal owed;
    mapping(address account => uint256 wei_) internal bondFree;
    mapping(address account => uint256 wei_) internal bondHeld;
    mapping(address account => uint256[2][] timesAndWei) internal bondsAdded;
    mapping(address account => bool) internal isRevoked;
    mapping(bytes32 broadcastId => uint256 wei_) internal application;
    mapping(uint256 lockIndex => mapping(address judge => bool)) internal voted;
    uint256 internal cameIn;
    uint256 internal wentOut;
    uint256 internal stoppedUntil;
    bool internal isStopSpent;
    uint256[2][] internal stops; // from, until
    mapping(address account => uint256 count) internal disputesOf;
    // As they were when they were set, by version.
    mapping(uint256 version => Rules) internal rulesOf;
    // How often each kind of action succeeded: a campaign that never gets anywhere proves nothing.
    mapping(bytes32 action => uint256 count) public done;

    function setUpModel(string memory lockName) internal {
        deploySystem(lockName);
        setTerms();
        setSharingWindow(WINDOW_S);
        rulesOf[1] = rules();
        castMembers();
        // Hostile receivers: a user that refuses ether, a processor that calls back for more, a buyer that refuses.
        vm.etch(neighbour, address(new RevertingReceiver()).code);
        vm.etch(processorTwo, address(new ReentrantReceiver()).code);
        vm.etch(buyerThree, address(new RevertingReceiver()).code);
        ReentrantReceiver(payable(processorTwo)).prepare(
            address(prepaid), abi.encodeCall(prepaid.withdrawFor, (processorTwo))
        );
        nodes = [processor, processorTwo, address(0xA3), address(0xA4)];
        admit(nodes[2], Role.Processor, EAST, address(0));
        admit(nodes[3], Role.Processor, WEST, address(0));
        everybody = [
            processor, processorTwo, nodes[2], nodes[3], meterOwner, neighbour, buyerTwo, buyerThree,
            address(consortium), outsider
        ];
        setBuyer(buyer);
        for (uint256 i = 0; i < 4; ++i) addBondTo(nodes[i], 40 ether);
    }

    /// @dev The buyer from now on, and the group of what it selects: itself and the two others, ascending.
    function setBuyer(address account) internal {
        buyer = account;
        buyers.push(account);
        everybody.push(account);
        groupOf[account] = [account, buyerTwo, buyerThree];
        for (uint256 i = 0; i < 3; ++i) groupKeysOf[account].push(registry.deliveryKeyOf(groupOf[account][i]));
    }

    function addBondTo(address account, uint256 amountWei) internal {
        prepaid.addBond{value: amountWei}(account);
        modelAdd(account, amountWei);
        cameIn += amountWei;
    }

    // ---- the model's own steps ----

    function modelAdd(address account, uint256 amountWei) internal {
        bondFree[account] += amountWei;
        bondsAdded[account].push([block.timestamp, amountWei]);
    }

    /// @dev What was added, or freed by declining, after `since` backs nothing that was promised then.
    function addedSince(address account, uint256 since) internal view returns (uint256 sum) {
        uint256[2][] storage all = bondsAdded[account];
        for (uint256 i = 0; i < all.length; ++i) if (all[i][0] > since) sum += all[i][1];
    }

    function isStopped() internal view returns (bool) {
        return block.timestamp < stoppedUntil;
    }

    function stoppedSeconds(uint256 from, uint256 to) internal view returns (uint256 sum) {
        for (uint256 i = 0; i < stops.length; ++i) {
            uint256 begin = stops[i][0] > from ? stops[i][0] : from;
            uint256 end = stops[i][1] < to ? stops[i][1] : to;
            if (end > begin) sum += end - begin;
        }
    }

    /// @dev A lock's outcome is that of the terms that its payer has signed: the model takes all from them, and from no later rule.
    function modelTerms(Ghost storage g, LockTerms memory terms) internal {
        Rules memory signed_ = rulesOf[terms.rulesVersion];
        (g.window, g.bond) = (terms.disputeWindowSeconds, terms.bondWei);
        g.fee = g.price * signed_.feeBps / 10_000;
        (g.serveSeconds, g.decideSeconds) = (signed_.serveSeconds, signed_.decideSeconds);
        uint256 part = g.price * signed_.disputeBondBps / 10_000;
        g.disputeWei = part > signed_.disputeMinWei ? part : signed_.disputeMinWei;
        g.demandWei = (40_000 + 12 * ANSWER.length) * signed_.serveGasWei;
        g.ownersBps = terms.ownersBps;
    }

    function modelEnd(Ghost storage g, LockState state) internal {
        g.state = state;
        ++g.ends;
    }

    function modelPayOut(Ghost storage g) internal {
        uint256 part = g.price * g.ownersBps / 10_000;
        uint256 fee = g.fee + _modelSale(g.dataSetId, part);
        owed[g.payee] += g.price - g.fee - part + g.quarrel;
        owed[address(consortium)] += fee;
        creditSucceeds(g.payee, g.payer, fee);
        (bondFree[g.payee], bondHeld[g.payee]) = (bondFree[g.payee] + g.bond, bondHeld[g.payee] - g.bond);
        if (g.state == LockState.Disputed) --disputesOf[g.by];
        g.quarrel = 0;
        modelEnd(g, LockState.Settled);
    }

    /// @dev Of a request there is no part. Returns what the division by rows leaves over.
    function _modelSale(bytes32 dataSetId, uint256 part) private returns (uint256 rest) {
        if (part == 0) return 0;
        SetGhost storage it = setGhosts[dataSetId];
        rest = part % it.rowCount;
        it.perRow += part / it.rowCount;
        it.pot += part - rest;
        it.cameIn += part - rest;
        ++done["sale with an owners' part"];
    }

    function modelSlash(Ghost storage g, uint256 feeWei) internal {
        owed[g.payer] += g.price + g.bond - feeWei + g.deposit;
        owed[address(consortium)] += feeWei;
        creditFails(g.payee);
        bondHeld[g.payee] -= g.bond;
        if (g.state == LockState.Disputed) {
            owed[g.by] += g.quarrel;
            --disputesOf[g.by];
        }
        (g.quarrel, g.deposit) = (0, 0);
        modelEnd(g, LockState.Slashed);
    }

    function modelRefund(Ghost storage g) internal {
        owed[g.payer] += g.price;
        if (g.state == LockState.Accepted || g.state == LockState.Selected) {
            owed[g.payer] += g.bond;
            bondHeld[g.payee] -= g.bond;
            creditFails(g.payee);
        } else if (g.state == LockState.Disputed) {
            owed[g.by] += g.quarrel;
            --disputesOf[g.by];
            g.quarrel = 0;
            (bondFree[g.payee], bondHeld[g.payee]) = (bondFree[g.payee] + g.bond, bondHeld[g.payee] - g.bond);
        }
        modelEnd(g, LockState.Refunded);
    }

    function modelFulfil(Ghost storage g) internal {
        g.isFulfilled = true;
        g.due = block.timestamp + g.window;
        g.state = g.isSharing ? LockState.Delivered : LockState.Claimed;
        if (g.window == 0) modelPayOut(g);
    }

    function isRunning(LockState state) internal pure returns (bool) {
        return state == LockState.Requested || state == LockState.Accepted || state == LockState.Claimed
            || state == LockState.Selected || state == LockState.Delivered || state == LockState.Demanded
            || state == LockState.Disputed;
    }

    // ---- doing and comparing ----

    /// @dev Calls as `from`; the outcome must be the predicted one, and cost no more than a block has.
    function act(bytes32 action, address to, address from, uint256 valueWei, bytes memory data, bool predicted)
        internal
        returns (bool ok)
    {
        if (valueWei != 0) vm.deal(from, from.balance + valueWei);
        uint256 before = gasleft();
        vm.prank(from);
        bytes memory result;
        (ok, result) = to.call{value: valueWei}(data);
        yes(before - gasleft() < 3_000_000, string.concat("gas of ", string(abi.encodePacked(action))));
        if (ok != predicted) {
            if (!ok) rethrow(result);
            yes(false, string.concat("should have been refused: ", string(abi.encodePacked(action))));
        }
        if (ok) {
            ++done[action];
            if (to == address(prepaid) || to == address(market)) cameIn += valueWei;
        }
    }

    function rethrow(bytes memory result) private pure {
        assembly ("memory-safe") {
            revert(add(result, 0x20), mload(result))
        }
    }

    /// @dev A lock: three times of four one in this state, if there is any, else any one.
    function pick(uint256 seed, LockState state) internal view returns (uint256 index) {
        index = (seed >> 2) % ghosts.length;
        if (seed % 4 == 0) return index;
        for (uint256 i = 0; i < ghosts.length; ++i) {
            uint256 candidate = (index + i) % ghosts.length;
            if (ghosts[candidate].state == state) return candidate;
        }
    }
}
