// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Bond, Lock, LockState, RequestOrder} from "../../../interfaces/IPrepaidLock.sol";
import {RequestType, Rules, SharingTerms} from "../../../interfaces/IRequestCatalogue.sol";
import {RequestCatalogue} from "../../../contracts/RequestCatalogue.sol";
import {LockTerms} from "../../../contracts/types/LockTerms.sol";
import {G1Point} from "../../../contracts/types/Points.sol";
import {Vm} from "../base/Vm.sol";
import {OpenLock, Stubs} from "./OpenLock.sol";

/// @notice For halmos: the parts of a price, for every price and for all rules that the catalogue's own code allows.
contract PartsSymbolic {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    address private constant PAYER = address(0xB1);
    address private constant PAYEE = address(0xA1);
    uint32 private constant TYPE = 1;

    RuledStubs private stubs;
    OpenLock private prepaid;

    function setUp() public {
        vm.warp(1_000);
        stubs = new RuledStubs();
        prepaid = new OpenLock(stubs);
    }

    /// @dev Of a lock that settles, the consortium gets its fee, the payee the rest of the price and its bond back: no wei more or less.
    /// @custom:halmos --solver z3
    function check_settled__fee_and_rest_are_the_price(uint96 price, uint16 feeBps, uint16 bondBps) public {
        (bytes32 lockId, uint256 bond) = _accepted(price, feeBps, bondBps);
        prepaid.claim(lockId, "x");
        uint256 fee = prepaid.withdrawableOf(address(stubs));
        assert(fee <= price);
        assert(fee + prepaid.withdrawableOf(PAYEE) == price);
        assert(prepaid.bondOf(PAYEE).freeWei == bond && prepaid.bondOf(PAYEE).heldWei == 0);
    }

    function _requested(uint96 price, uint16 feeBps, uint16 bondBps) private returns (bytes32 lockId) {
        vm.assume(price != 0 && price <= 10_000 ether);
        stubs.rule(price, feeBps, bondBps);
        RequestOrder memory it;
        (it.processor, it.typeId, it.messageLength, it.expiresAt) = (PAYEE, TYPE, 1, 2_000);
        (it.messageDigest, it.nonce) = ("d", "n");
        it.terms = LockTerms(1, 0, 0, feeBps, 0, 1, uint96(uint256(price) * bondBps / 10_000));
        vm.deal(PAYER, price);
        vm.prank(PAYER);
        lockId = prepaid.request{value: price}(it, G1Point(0, 0));
    }

    function _accepted(uint96 price, uint16 feeBps, uint16 bondBps) private returns (bytes32 lockId, uint256 bond) {
        lockId = _requested(price, feeBps, bondBps);
        bond = prepaid.lockOf(lockId).bondWei;
        vm.deal(address(this), bond);
        prepaid.fund{value: bond}(PAYEE);
        vm.prank(PAYEE);
        prepaid.accept(lockId, keccak256(abi.encode(PAYEE, bytes32("x"))), "a", 1);
    }
}

/// @notice As {Stubs}, but with the catalogue's own code behind its answers: it refuses rules that are not allowed.
contract RuledStubs is Stubs {
    RequestCatalogue private catalogue;

    constructor() Stubs(Rules(1 days, 7 days, 0, 1_000, 100, 1, 1)) {}

    function rule(uint96 price, uint16 feeBps, uint16 bondBps) external {
        catalogue = new RequestCatalogue(address(this), Rules(1 days, 7 days, feeBps, bondBps, 100, 1, 1));
        catalogue.setType(1, RequestType(true, 60, 0, 1, price, "type"));
    }

    function requestConditions(uint32 typeId) external view returns (RequestType memory, uint32, Rules memory) {
        return catalogue.requestConditions(typeId);
    }

    function rulesAt(uint32 version) external view override returns (Rules memory) {
        return catalogue.rulesAt(version);
    }
}
