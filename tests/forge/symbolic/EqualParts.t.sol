// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {ICreditBook} from "../../../interfaces/ICreditBook.sol";
import {Conditions} from "../../../interfaces/IDataMarket.sol";
import {IDataSetBook} from "../../../interfaces/IDataSetBook.sol";
import {IMemberRegistry, Role} from "../../../interfaces/IMemberRegistry.sol";
import {IPrepaidLock} from "../../../interfaces/IPrepaidLock.sol";
import {IRequestCatalogue, Rules, SharingTerms} from "../../../interfaces/IRequestCatalogue.sol";
import {DataMarket} from "../../../contracts/DataMarket.sol";
import {Vm} from "../base/Vm.sol";
import {OpenLock, Stubs} from "./OpenLock.sol";

/// @notice For halmos: the equal parts of any application prepayment, for none, one, three and all of 16 responders standing. The market and
/// the purse run their own code; the form was filled by 16 real responses.
/// @custom:halmos --loop 64 --solver z3
contract EqualPartsSymbolic {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint256 private constant RESPONDERS = 16;

    MarketStubs private stubs;
    DataMarket private market;
    OpenLock private prepaid;
    bytes32 private broadcastId;

    function setUp() public {
        vm.warp(1_000);
        stubs = new MarketStubs();
        prepaid = new OpenLock(stubs);
        stubs.setLock(prepaid);
        market = new DataMarket(
            IMemberRegistry(address(stubs)),
            IRequestCatalogue(address(stubs)),
            IDataSetBook(address(stubs)),
            ICreditBook(address(stubs)),
            IPrepaidLock(address(stubs))
        );
        Conditions memory c;
        (c.windowTo, c.kind, c.groupSize, c.threshold, c.maxPriceWei) = (1, 1, 2, 2, 1);
        (c.respondBy, c.selectBy, c.openingsLength, c.openingsDigest) = (2_000, 3_000, 1, "d");
        c.regions = new bytes32[](1);
        c.regions[0] = "region";
        c.purpose = "p";
        vm.deal(address(this), 1);
        broadcastId = market.broadcast{value: 1}(c);
        for (uint256 i = 0; i < RESPONDERS; ++i) {
            vm.prank(_responder(i));
            market.respond(broadcastId, bytes32(uint256(uint160(_responder(i)))), 1, 1, 1);
        }
        vm.warp(3_000);
    }

    /// @dev Nobody stands: all goes back.
    function check_close__given_nobody_standing__gives_all_back(uint96 more) public {
        _closed(more, 0);
    }

    /// @dev Parts and rest are what was held, and whoever stands gets the same part, nobody else anything: nobody gets more than an equal part.
    function check_close__given_one_standing__gives_it_all(uint96 more) public {
        _closed(more, 1);
    }

    function check_close__given_three_standing__shares_equally(uint96 more) public {
        _closed(more, 3);
    }

    function check_close__given_full_form_standing__shares_equally(uint96 more) public {
        _closed(more, RESPONDERS);
    }

    /// @dev A requester that was revoked did not walk away: it gets all, though all 16 stand.
    function check_close__given_revoked_requester__gives_all_back(uint96 more) public {
        vm.assume(more < type(uint96).max);
        uint256 held = _hold(more);
        stubs.set(RESPONDERS, false);
        market.close(broadcastId);
        uint256 differs = (prepaid.withdrawableOf(address(this)) ^ held) | prepaid.applicationOf(broadcastId);
        for (uint256 i = 0; i < RESPONDERS; ++i) differs |= prepaid.withdrawableOf(_responder(i));
        assert(differs == 0);
    }

    function _closed(uint96 more, uint256 n) private {
        vm.assume(more < type(uint96).max);
        uint256 held = _hold(more);
        stubs.set(n, true);
        market.close(broadcastId);
        uint256 part = n == 0 ? 0 : prepaid.withdrawableOf(_responder(0));
        // One comparison for the solver: what is not as it should be leaves a bit.
        uint256 differs = prepaid.applicationOf(broadcastId) | (prepaid.liabilitiesWei() ^ held);
        for (uint256 i = 0; i < RESPONDERS; ++i) differs |= prepaid.withdrawableOf(_responder(i)) ^ (i < n ? part : 0);
        uint256 sum = prepaid.withdrawableOf(address(this));
        for (uint256 i = 0; i < n; ++i) sum += part;
        assert(differs | (sum ^ held) == 0);
    }

    function _hold(uint96 more) private returns (uint256 held) {
        vm.deal(address(this), more);
        stubs.holdApplication{value: more}(broadcastId, address(this));
        held = uint256(more) + 1;
    }

    function _responder(uint256 i) private pure returns (address) {
        return address(uint160(0xA000 + i));
    }
}

/// @notice As {Stubs}, and stands for the market at the lock. The first `standing` responders have a bond behind their offer.
contract MarketStubs is Stubs {
    OpenLock private lock;
    uint256 private standing;
    bool private isRequesterActive = true;

    constructor() Stubs(Rules(1 days, 7 days, 0, 1_000, 100, 1, 1)) {}

    function setLock(OpenLock lock_) external {
        lock = lock_;
    }

    function set(uint256 standing_, bool isRequesterActive_) external {
        (standing, isRequesterActive) = (standing_, isRequesterActive_);
    }

    // ---- the lock, asked by the market ----

    function holdApplication(bytes32 broadcastId, address payer) external payable {
        lock.holdApplication{value: msg.value}(broadcastId, payer);
    }

    function applicationOf(bytes32 broadcastId) external view returns (uint96) {
        return lock.applicationOf(broadcastId);
    }

    function releaseApplication(bytes32 broadcastId, address[] calldata to, uint96[] calldata amountsWei) external {
        lock.releaseApplication(broadcastId, to, amountsWei);
    }

    function isCovered(address account, uint256, uint256) external view returns (bool) {
        return uint160(account) - 0xA000 < standing;
    }

    // ---- the others ----

    function isActive(address, Role role) external view override returns (bool) {
        return role == Role.Processor || isRequesterActive;
    }

    function beginnerOf(address) external pure override returns (Role, bytes32) {
        return (Role.Processor, "region");
    }

    /// @dev A responder's data set bears its address.
    function offerOf(bytes32 dataSetId) external pure returns (address, uint40, uint40, uint8, uint40) {
        return (address(uint160(uint256(dataSetId))), 0, 1, 1, 3_000);
    }

    function creditOf(address) external pure returns (uint32) {
        return 7;
    }

    function sharingTerms() external pure returns (SharingTerms memory) {
        return SharingTerms(60, 0, 1, 0);
    }

    function versions() external pure returns (uint32, uint32) {
        return (1, 1);
    }

    function stoppedSeconds(uint256, uint256) external pure returns (uint256) {
        return 0;
    }
}
