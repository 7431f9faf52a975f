// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IConsortium} from "../../../interfaces/IConsortium.sol";
import {IConsentBook} from "../../../interfaces/IConsentBook.sol";
import {ICreditBook} from "../../../interfaces/ICreditBook.sol";
import {IDataLedger} from "../../../interfaces/IDataLedger.sol";
import {IDataMarket} from "../../../interfaces/IDataMarket.sol";
import {IDataSetBook, Publication} from "../../../interfaces/IDataSetBook.sol";
import {IDisputeCourt} from "../../../interfaces/IDisputeCourt.sol";
import {IMemberRegistry, KeyProofs, Profile, Role} from "../../../interfaces/IMemberRegistry.sol";
import {INotificationBoard} from "../../../interfaces/INotificationBoard.sol";
import {IPrepaidLock} from "../../../interfaces/IPrepaidLock.sol";
import {IRequestCatalogue, RequestType, Rules, SharingTerms} from "../../../interfaces/IRequestCatalogue.sol";
import {ITariffBook} from "../../../interfaces/ITariffBook.sol";
import {G1Point} from "../../../contracts/types/Points.sol";
import {DomainTags} from "../../../contracts/libraries/DomainTags.sol";
import {G2Table} from "../vectors/G2Table.sol";
import {Keys} from "./Keys.sol";
import {TestBase} from "./TestBase.sol";

/// @title System
/// @notice The whole system, wired as it is deployed, with a few members that have real keys. What the consortium decides is voted: proposed by one judge,
/// approved by another, carried out when its delay is over.
abstract contract System is TestBase {
    uint256 internal constant BEGIN = 1_800_000_000;
    bytes32 internal constant NORTH = "north";
    bytes32 internal constant SOUTH = "south";
    uint32 internal constant BILL = 71;
    uint32 internal constant ADVICE = 72;
    uint96 internal constant PRICE_WEI = 3e15 + 1;
    uint96 internal constant APPLICATION_WEI = 1e15 + 1;
    uint32 internal constant SHORTEST_S = 600;
    uint32 internal constant SHARING_SHORTEST_S = 900;
    uint32 internal constant WINDOW_S = 300;
    uint16 internal constant LONGEST = 32_768;
    uint256 internal constant DELAY_S = 2 days;
    uint256 internal constant FOUNDING_S = 20 days;
    // Keys in G2Table from here on belong to data sets, FIRST_DATA_KEY + 4·i to the i-th.
    uint256 internal constant FIRST_DATA_KEY = 32;

    uint96 internal constant BOND_WEI = 100 ether;
    uint256 internal constant POINT_WEI = 1e13;

    IConsortium internal consortium;
    IMemberRegistry internal registry;
    IRequestCatalogue internal catalogue;
    IConsentBook internal consents;
    ITariffBook internal tariffs;
    IDataLedger internal ledger;
    IDataSetBook internal sets;
    INotificationBoard internal board;
    ICreditBook internal credit;
    IPrepaidLock internal prepaid;
    IDisputeCourt internal court;
    IDataMarket internal market;

    mapping(address account => uint256 index) internal keyOf;
    uint256 internal members;
    uint256 internal dataSets;
    // What owners get of a sale, by the terms that are set from now on.
    uint16 internal ownersBps;

    address internal processor;
    address internal processorTwo;
    address internal meterOwner;
    address internal neighbour;
    address internal device;
    address internal buyer;
    address internal buyerTwo;
    address internal buyerThree;
    address[3] internal judges = [address(0xC1), address(0xC2), address(0xC3)];
    address internal outsider = address(0x0075);

    /// @dev Deploys with `lockName` in the place of PrepaidLock.
    function deploySystem(string memory lockName) internal {
        vm.warp(BEGIN - 1 days);
        address[] memory founders = new address[](3);
        (founders[0], founders[1], founders[2]) = (judges[0], judges[1], judges[2]);
        uint256 nonce = vm.getNonce(address(this));
        address laterRegistry = vm.computeCreateAddress(address(this), nonce + 1);
        bytes memory arguments = abi.encode(founders, uint256(2), DELAY_S, BEGIN + FOUNDING_S, laterRegistry);
        consortium = IConsortium(create("Consortium", arguments));
        vm.warp(BEGIN);
        registry = IMemberRegistry(create("MemberRegistry", abi.encode(consortium)));
        catalogue = IRequestCatalogue(create("RequestCatalogue", abi.encode(consortium, rules())));
        consents = IConsentBook(create("ConsentBook", abi.encode(registry)));
        tariffs = ITariffBook(create("TariffBook", abi.encode(registry)));
        ledger = IDataLedger(create("DataLedger", abi.encode(registry)));
        board = INotificationBoard(create("NotificationBoard", abi.encode(registry)));
        nonce = vm.getNonce(address(this));
        prepaid = IPrepaidLock(vm.computeCreateAddress(address(this), nonce + 3));
        market = IDataMarket(vm.computeCreateAddress(address(this), nonce + 4));
        sets = IDataSetBook(create("DataSetBook", abi.encode(registry, consents, prepaid)));
        credit = ICreditBook(create("CreditBook", abi.encode(prepaid, POINT_WEI)));
        court = IDisputeCourt(create("DisputeCourt", abi.encode(consortium, prepaid)));
        create(lockName, abi.encode(registry, catalogue, sets, credit, market, court));
        create("DataMarket", abi.encode(registry, catalogue, sets, credit, prepaid));
    }

    function rules() internal pure virtual returns (Rules memory) {
        return Rules({
            serveSeconds: 1 days,
            decideSeconds: 7 days,
            feeBps: 200,
            bondBps: 5_000,
            disputeBondBps: 2_500,
            serveGasWei: 1 gwei,
            disputeMinWei: 1e14
        });
    }

    function setTerms() internal {
        setType(BILL, RequestType(true, SHORTEST_S, 0, LONGEST, PRICE_WEI, "bill"));
        setType(ADVICE, RequestType(true, SHORTEST_S, WINDOW_S, LONGEST, 2 * PRICE_WEI, "advice"));
        setSharing(SharingTerms(SHARING_SHORTEST_S, 0, APPLICATION_WEI, ownersBps));
    }

    function setType(uint32 typeId, RequestType memory it) internal {
        decided(address(catalogue), abi.encodeCall(IRequestCatalogue.setType, (typeId, it)));
    }

    function setSharing(SharingTerms memory it) internal {
        decided(address(catalogue), abi.encodeCall(IRequestCatalogue.setSharingTerms, (it)));
    }

    function setRules(Rules memory it) internal {
        decided(address(catalogue), abi.encodeCall(IRequestCatalogue.setRules, (it)));
    }

    /// @dev Two of three judges decide. During the founding nothing waits; afterwards the clock goes on by the delay.
    function decided(address target, bytes memory data) internal returns (bytes memory) {
        return carryOut(agreed(target, data), target, data);
    }

    function agreed(address target, bytes memory data) internal returns (uint256 proposalId) {
        vm.prank(judges[0]);
        proposalId = consortium.propose(target, 0, data);
        bytes32 callHash = keccak256(abi.encode(target, uint256(0), data));
        vm.prank(judges[1]);
        consortium.approve(proposalId, callHash);
    }

    function carryOut(uint256 proposalId, address target, bytes memory data) internal returns (bytes memory) {
        uint256 readyAt = consortium.proposalOf(proposalId).agreedAt + consortium.delayFor(target, 0, data);
        if (block.timestamp < readyAt) vm.warp(readyAt);
        vm.prank(judges[2]);
        return consortium.execute(proposalId, target, 0, data);
    }

    function castMembers() internal {
        processor = admit(address(0xA1), Role.Processor, NORTH, address(0));
        processorTwo = admit(address(0xA2), Role.Processor, SOUTH, address(0));
        meterOwner = admit(address(0xB1), Role.User, NORTH, address(0));
        neighbour = admit(address(0xB2), Role.User, SOUTH, address(0));
        device = admit(address(0xD1), Role.Device, NORTH, meterOwner);
        // Ascending, as a group wants them.
        buyer = admit(address(0xE1), Role.Sharer, 0, address(0));
        buyerTwo = admit(address(0xE2), Role.Sharer, 0, address(0));
        buyerThree = admit(address(0xE3), Role.Sharer, 0, address(0));
        for (uint256 i = 0; i < judges.length; ++i) admit(judges[i], Role.Consortium, 0, address(0));
    }

    function putUpBonds() internal {
        prepaid.addBond{value: BOND_WEI}(processor);
        prepaid.addBond{value: BOND_WEI}(processorTwo);
    }

    function admit(address account, Role role, bytes32 regionId, address owner) internal returns (address) {
        uint256 index = members++;
        keyOf[account] = index;
        vm.deal(account, 1_000 ether);
        Profile memory profile = Keys.profile(index, role, regionId, owner);
        KeyProofs memory proofs = Keys.proofs(index, address(registry), account, role);
        string memory name = Keys.name(index, role);
        decided(address(registry), abi.encodeCall(IMemberRegistry.admit, (account, name, profile, proofs)));
        return account;
    }

    function revoke(address account) internal {
        decided(address(registry), abi.encodeCall(IMemberRegistry.revoke, (account)));
    }

    /// @dev A publication that is accepted, with the next free key. All rows are of `device`.
    function publication(uint8 kind) internal view returns (Publication memory it, uint256 dataKey) {
        dataKey = FIRST_DATA_KEY + 4 * dataSets;
        it.windowFrom = 20_000 days;
        it.windowTo = 20_007 days;
        it.saleUntil = uint40(block.timestamp + 30 days);
        it.kind = kind;
        it.rowCount = 168;
        it.deviceCount = 1;
        it.manifestLength = 2_000;
        it.readingsRoot = "root";
        it.manifestDigest = "manifest";
        it.ownersRoot = leafHash(device, 168);
        it.ownersDigest = "owners";
        it.keyCommitment = G2Table.point(dataKey);
    }

    /// @dev The proof of possession of a data set's key, over every field, by whom it is published.
    function possession(address by, Publication memory it, uint256 dataKey) internal view returns (G1Point memory) {
        bytes32 id = keccak256(abi.encode(block.chainid, address(sets), it.keyCommitment));
        bytes memory message = abi.encode(block.chainid, address(sets), by, id, keccak256(abi.encode(it)));
        return Keys.sign(dataKey, message, DomainTags.DATAKEY);
    }

    function publish(address by, uint8 kind) internal returns (bytes32 dataSetId, uint256 dataKey) {
        Publication memory it;
        (it, dataKey) = publication(kind);
        dataSetId = publish(by, it, dataKey);
    }

    function publish(address by, Publication memory it, uint256 dataKey) internal returns (bytes32 dataSetId) {
        ++dataSets;
        G1Point memory proof = possession(by, it, dataKey);
        vm.prank(by);
        dataSetId = sets.publish(it, proof);
    }

    /// @dev A leaf of an owners' list: SHA256(0x00 ‖ device ‖ rows), the rows in 12 bytes.
    function leafHash(address account, uint96 rows) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(hex"00", account, rows));
    }

    function nodeHash(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(hex"01", left, right));
    }
}
