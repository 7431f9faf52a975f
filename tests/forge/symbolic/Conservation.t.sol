// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Authorisation, Bond, IPrepaidLock, Lock, LockState, Reason} from "../../../interfaces/IPrepaidLock.sol";
import {Rules} from "../../../interfaces/IRequestCatalogue.sol";
import {G1Point, G2Point} from "../../../contracts/types/Points.sol";
import {Vm} from "../base/Vm.sol";
import {OpenLock, Stubs, dataSetOf, keyCommitment} from "./OpenLock.sol";

/// @notice For halmos: one lock in any state it can be in, any two calls after it at any two times; one call at any price.
contract ConservationSymbolic {
    uint96 private constant DEPOSIT = (40_000 + 12) * 1e9; // an answer of one byte
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    bytes32 private constant ID = "lock";
    bytes32 private constant SECRET = "x";
    address private constant PAYER = address(0xB1);
    address private constant PAYEE = address(0xA1);
    uint256 private constant CALLS = 13;
    // Fee, bond and disputer's bond of it are all rounded.
    uint96 private constant ODD_PRICE = 1 ether + 7_777;

    Stubs private stubs;
    OpenLock private prepaid;

    function setUp() public {
        stubs = new Stubs(
            Rules({
                serveSeconds: 1 days,
                decideSeconds: 7 days,
                feeBps: 200,
                bondBps: 5_000,
                disputeBondBps: 2_500,
                serveGasWei: 1e9,
                disputeMinWei: 1e14
            })
        );
        prepaid = new OpenLock(stubs);
    }

    /// @dev What the contract owes is what it has said it owes, and what it holds; a call that is refused changes nothing.
    function check_two_calls__conserve_every_wei(
        uint8 state,
        bool isDemanded,
        uint32[2] memory after_,
        uint8[2] memory calls
    ) public {
        vm.assume(calls[0] < CALLS && calls[1] < CALLS);
        _put(state, ODD_PRICE, isDemanded);
        for (uint256 i = 0; i < 2; ++i) {
            vm.warp(1_000 + uint256(after_[0]) + (i == 0 ? 0 : uint256(after_[1])));
            // Refused, it has changed nothing: what follows it is what follows the state before.
            if (!_call(calls[i])) return;
            _conserved(ODD_PRICE);
        }
    }

    /// @dev The same for any price, over one call.
    function check_one_call__conserves_every_wei_of_any_price(
        uint8 state,
        uint96 price,
        bool isDemanded,
        uint32 after_,
        uint8 call
    ) public {
        vm.assume(call < CALLS && price > 1e15 && price < 1e24);
        _put(state, price, isDemanded);
        vm.warp(1_000 + uint256(after_));
        _call(call);
        _conserved(price);
    }

    /// @dev A lock ends at most once, and credit moves with the end alone, at most once.
    function check_two_calls__end_at_most_once(
        uint8 state,
        bool isDemanded,
        uint32[2] memory after_,
        uint8[2] memory calls
    ) public {
        vm.assume(calls[0] < CALLS && calls[1] < CALLS);
        _put(state, ODD_PRICE, isDemanded);
        uint256 ends;
        for (uint256 i = 0; i < 2; ++i) {
            vm.warp(1_000 + uint256(after_[0]) + (i == 0 ? 0 : uint256(after_[1])));
            LockState before = prepaid.lockOf(ID).state;
            uint256 moves = stubs.successes() + stubs.failures();
            if (!_call(calls[i])) return;
            LockState now_ = prepaid.lockOf(ID).state;
            assert(!_isEnd(before));
            if (!_isEnd(before) && _isEnd(now_)) ++ends;
            uint256 moved = stubs.successes() + stubs.failures() - moves;
            assert(moved == 0 || (moved == 1 && !_isEnd(before) && _isEnd(now_)));
        }
        assert(ends <= 1);
    }

    /// @dev Controls: the proofs know a delivery whose pairing holds and one whose does not, a relay whose signature is the payee's and
    /// one whose is not; and the preimage of a hash, and its answer, are taken.
    function check_must_fail__delivery__never_holds(bool isPayee) public {
        assert(!_delivers(isPayee));
    }

    function check_must_fail__delivery__always_holds() public {
        assert(_delivers(true));
    }

    function check_must_fail__delivery__needs_no_signature() public {
        vm.assume(_delivers(true));
        assert(_delivers(false));
    }

    function check_must_fail__claim_and_serve__never_hold(bool isServed) public {
        _put(uint8(isServed ? LockState.Demanded : LockState.Accepted), ODD_PRICE, isServed);
        assert(!_call(isServed ? 6 : 2));
    }

    function _delivers(bool isPayee) private returns (bool ok) {
        _put(uint8(LockState.Selected), ODD_PRICE, false);
        if (isPayee) vm.prank(PAYEE);
        (ok,) = address(prepaid).call(_delivery());
    }

    function _put(uint8 state, uint96 price, bool isDemanded) private {
        LockState s = LockState(state);
        vm.assume(
            s == LockState.Requested || s == LockState.Accepted || s == LockState.Claimed || s == LockState.Demanded
                || s == LockState.Selected || s == LockState.Delivered
        );
        Lock memory lock;
        (lock.payer, lock.payee, lock.state, lock.priceWei) = (PAYER, PAYEE, s, price);
        (lock.expiresAt, lock.dueAt, lock.disputeWindowSeconds) = (2_000_000, 2_000_000, 300);
        (lock.feeBps, lock.bondWei, lock.rulesVersion, lock.threshold) = (200, price / 2, 1, 2);
        (lock.answerLength, lock.isDemanded) = (1, isDemanded || s == LockState.Demanded);
        lock.answerDigest = sha256(hex"2a");
        lock.binding = sha256(abi.encode(PAYEE, SECRET));
        if (s == LockState.Selected || s == LockState.Delivered) {
            lock.binding = keccak256(abi.encode(new address[](2), _points()));
            (lock.subject, lock.ownersBps) = (dataSetOf(stubs), 5_000);
        }
        uint256 value = uint256(price) + price / 2;
        if (s == LockState.Demanded) value += DEPOSIT;
        vm.deal(address(this), value);
        prepaid.put{value: value}(ID, lock);
    }

    function _call(uint8 which) private returns (bool ok) {
        bytes memory data;
        (address from, uint256 value) = (address(0xD0), uint256(0));
        if (which == 0) (from, data) = (PAYEE, abi.encodeCall(prepaid.reject, (ID, Reason.NotServed)));
        if (which == 1) (from, data) = (PAYEE, abi.encodeCall(prepaid.accept, (ID, "c", "d", 1)));
        if (which == 2) data = abi.encodeCall(prepaid.claim, (ID, SECRET));
        if (which == 3) (from, data) = (PAYEE, abi.encodeCall(prepaid.decline, (ID, Reason.NotServed)));
        if (which == 4) data = _delivery();
        if (which == 5) (from, value, data) = (PAYER, DEPOSIT, abi.encodeCall(prepaid.demand, (ID)));
        if (which == 6) data = abi.encodeCall(prepaid.serve, (ID, hex"2a"));
        if (which == 7) data = abi.encodeCall(prepaid.slash, (ID));
        if (which == 8) {
            (from, value) = (PAYER, prepaid.disputeWeiOf(ID));
            data = abi.encodeCall(prepaid.dispute, (ID, "evidence", 1));
        }
        if (which == 9) (from, data) = (address(stubs), abi.encodeCall(prepaid.decide, (ID, true)));
        if (which == 10) (from, data) = (address(stubs), abi.encodeCall(prepaid.decide, (ID, false)));
        if (which == 11) data = abi.encodeCall(prepaid.settle, (ID));
        if (which == 12) data = abi.encodeCall(prepaid.refund, (ID));
        vm.deal(from, value);
        vm.prank(from);
        (ok,) = address(prepaid).call{value: value}(data);
    }

    function _delivery() private view returns (bytes memory) {
        Authorisation memory leave;
        G2Point[] memory commitments = new G2Point[](2);
        commitments[0] = commitments[1] = keyCommitment();
        return abi.encodeCall(prepaid.deliver, (ID, new address[](2), _points(), commitments, _points(), leave));
    }

    /// @dev Delivery keys, and shares.
    function _points() private pure returns (G1Point[] memory points) {
        points = new G1Point[](2);
        (points[0], points[1]) = (G1Point(1, 2), G1Point(3, 4));
    }

    function _conserved(uint256 price) private view {
        LockState s = prepaid.lockOf(ID).state;
        Bond memory bond = prepaid.bondOf(PAYEE);
        uint256 known = prepaid.withdrawableOf(PAYER) + prepaid.withdrawableOf(PAYEE)
            + prepaid.withdrawableOf(address(stubs)) + bond.freeWei + bond.heldWei + stubs.potWei();
        if (!_isEnd(s)) known += price;
        if (s == LockState.Demanded) known += DEPOSIT;
        if (s == LockState.Disputed) known += prepaid.disputeOf(ID).bondWei;
        assert(prepaid.liabilitiesWei() == known);
        assert(address(prepaid).balance == known);
        if (_isEnd(s)) assert(bond.heldWei == 0);
    }

    function _isEnd(LockState s) private pure returns (bool) {
        return s == LockState.Rejected || s == LockState.Declined || s == LockState.Refunded || s == LockState.Settled
            || s == LockState.Slashed;
    }
}
