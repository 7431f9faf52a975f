// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IConsentBook} from "../../../interfaces/IConsentBook.sol";
import {Wiring} from "../../../contracts/libraries/Wiring.sol";
import {System} from "../base/System.sol";

contract ConsentBookTest is System {
    bytes32 private constant PURPOSE = "research";
    uint64 private constant EXPIRES = uint64(BEGIN) + 100;

    function setUp() public {
        deploySystem("PrepaidLock");
        castMembers();
    }

    function make(address registry_) external returns (address) {
        return create("ConsentBook", abi.encode(registry_));
    }

    function test_constructor__when_registry_has_no_code__reverts() public {
        refuse(abi.encodeWithSelector(Wiring.Wiring_NoContract.selector, address(7)));
        this.make(address(7));
    }

    function test_give__when_caller_or_time_do_not_fit__reverts() public {
        refuse(abi.encodeWithSelector(IConsentBook.ConsentBook_NotOwner.selector, device, neighbour));
        vm.prank(neighbour);
        consents.give(device, PURPOSE, EXPIRES);
        for (uint64 i = 0; i < 2; ++i) {
            refuse(abi.encodeWithSelector(IConsentBook.ConsentBook_Expired.selector, uint64(BEGIN) - i, BEGIN));
            vm.prank(meterOwner);
            consents.give(device, PURPOSE, uint64(BEGIN) - i);
        }
        vm.prank(meterOwner);
        consents.give(device, PURPOSE, uint64(BEGIN) + 1);
        revoke(meterOwner);
        refuse(abi.encodeWithSelector(IConsentBook.ConsentBook_NotOwner.selector, device, meterOwner));
        vm.prank(meterOwner);
        consents.give(device, PURPOSE, EXPIRES);
    }

    function test_give__holds_until_it_lapses() public {
        no(consents.stands(device, PURPOSE), "not yet");
        vm.expectEmit(address(consents));
        emit IConsentBook.ConsentGiven(device, PURPOSE, meterOwner, EXPIRES);
        vm.prank(meterOwner);
        consents.give(device, PURPOSE, EXPIRES);
        eq(consents.expiryOf(device, PURPOSE), EXPIRES, "expiry");
        no(consents.stands(device, "other"), "for this purpose alone");
        vm.warp(EXPIRES - 1);
        yes(consents.stands(device, PURPOSE), "given");
        vm.warp(EXPIRES);
        no(consents.stands(device, PURPOSE), "lapsed");
    }

    function test_withdraw__when_caller_or_consent_do_not_fit__reverts() public {
        refuse(abi.encodeWithSelector(IConsentBook.ConsentBook_NoConsent.selector, device, PURPOSE));
        vm.prank(meterOwner);
        consents.withdraw(device, PURPOSE);
        refuse(abi.encodeWithSelector(IConsentBook.ConsentBook_NotOwner.selector, device, neighbour));
        vm.prank(neighbour);
        consents.withdraw(device, PURPOSE);
    }

    function test_withdraw__by_a_revoked_owner__still_acts() public {
        vm.prank(meterOwner);
        consents.give(device, PURPOSE, EXPIRES);
        uint256 snapshot = vm.snapshotState();
        revoke(device);
        no(consents.stands(device, PURPOSE), "of a revoked device");
        vm.revertToState(snapshot);
        yes(consents.stands(device, PURPOSE), "given");
        revoke(meterOwner);
        no(consents.stands(device, PURPOSE), "of a revoked owner");
        vm.expectEmit(address(consents));
        emit IConsentBook.ConsentWithdrawn(device, PURPOSE, meterOwner);
        vm.prank(meterOwner);
        consents.withdraw(device, PURPOSE);
        no(consents.stands(device, PURPOSE), "withdrawn");
        eq(consents.expiryOf(device, PURPOSE), 0, "expiry");
    }
}
