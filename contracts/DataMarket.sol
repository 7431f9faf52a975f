// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {ICreditBook} from "../interfaces/ICreditBook.sol";
import {BroadcastState, Choice, Conditions, IDataMarket, Response, Wanted} from "../interfaces/IDataMarket.sol";
import {IDataSetBook} from "../interfaces/IDataSetBook.sol";
import {IMemberRegistry, Role} from "../interfaces/IMemberRegistry.sol";
import {IPrepaidLock, SharingOrder} from "../interfaces/IPrepaidLock.sol";
import {IRequestCatalogue} from "../interfaces/IRequestCatalogue.sol";
import {BasisPoints} from "./libraries/BasisPoints.sol";
import {Book, BroadcastBook, Line, Mark} from "./libraries/BroadcastBook.sol";
import {SealedBytes} from "./libraries/SealedBytes.sol";
import {ShareCheck} from "./libraries/ShareCheck.sol";
import {SortedForm} from "./libraries/SortedForm.sol";
import {Wiring} from "./libraries/Wiring.sol";
import {LockTerms} from "./types/LockTerms.sol";
import {G1Point} from "./types/Points.sol";

/// @title DataMarket
/// @notice See {IDataMarket}.
///
///     None ──broadcast──▶ Open ──select (now < selectBy)──▶ Selected
///                          │ respond (now < respondBy), withdrawResponse
///                          └────close (now ≥ selectBy)───▶ Closed
///
/// @dev Holds no ether: what comes in goes to {IPrepaidLock} in the same call.
/// Who can stop what: the consortium, by revoking a member, stops what it would broadcast, respond and select. Nobody
/// can stop {close}, which gives the deposit out.
/// Assumes: registry, data sets, credit book and lock are this system's own, and none of them calls foreign code when
/// it is called from here.
contract DataMarket is IDataMarket {
    using BroadcastBook for Book;
    using SortedForm for SortedForm.Form;

    /// @notice The longest sealed ID openings, in bytes.
    uint256 public constant MAX_OPENINGS_BYTES = SealedBytes.MAX_BYTES;
    /// @notice The longest purpose, in bytes.
    uint256 public constant MAX_PURPOSE_BYTES = 256;
    /// @notice The most regions of a broadcast.
    uint256 public constant MAX_REGIONS = BroadcastBook.MAX_REGIONS;
    /// @notice The least time for responses, in seconds.
    uint256 public constant SHORTEST_RESPONSE_SECONDS = 60;
    /// @notice The longest life of a broadcast, in seconds.
    uint256 public constant LONGEST_SECONDS = 90 days;

    IMemberRegistry public immutable registry;
    IRequestCatalogue public immutable catalogue;
    IDataSetBook public immutable dataSets;
    ICreditBook public immutable credit;
    IPrepaidLock public immutable prepaidLock;

    mapping(bytes32 broadcastId => Book) private _books;

    /// @dev Calls nobody: the lock's and the credit book's addresses may be predictions.
    constructor(
        IMemberRegistry registry_,
        IRequestCatalogue catalogue_,
        IDataSetBook dataSets_,
        ICreditBook credit_,
        IPrepaidLock prepaidLock_
    ) {
        registry = IMemberRegistry(Wiring.requireContract(address(registry_)));
        catalogue = IRequestCatalogue(Wiring.requireContract(address(catalogue_)));
        dataSets = IDataSetBook(Wiring.requireContract(address(dataSets_)));
        credit = ICreditBook(Wiring.requireAddress(address(credit_)));
        prepaidLock = IPrepaidLock(Wiring.requireAddress(address(prepaidLock_)));
    }

    modifier onlyOpen(bytes32 broadcastId) {
        BroadcastState state = _books[broadcastId].state;
        if (state != BroadcastState.Open) revert DataMarket_WrongState(broadcastId, state);
        _;
    }

    /*//////////////////////////////////////////////////////////////
                               BROADCAST
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IDataMarket
    function broadcast(Conditions memory conditions) external payable returns (bytes32 broadcastId) {
        // check
        if (!registry.mayBegin(msg.sender, Role.Sharer)) revert DataMarket_NotSharer(msg.sender);
        _checkConditions(conditions);
        _checkRegions(conditions.regions);
        _checkDeposit();
        broadcastId = broadcastIdOf(msg.sender, conditions);
        Book storage book = _books[broadcastId];
        if (book.state != BroadcastState.None) revert DataMarket_Repeated(broadcastId);

        // effect
        book.open(msg.sender, conditions);

        // log
        emit Broadcast(broadcastId, msg.sender, uint96(msg.value), conditions);

        // interaction
        prepaidLock.holdApplication{value: msg.value}(broadcastId, msg.sender);
    }

    function _checkConditions(Conditions memory c) private view {
        if (c.windowFrom >= c.windowTo) revert DataMarket_BadConditions("window");
        if (c.threshold < ShareCheck.MIN_THRESHOLD || c.threshold > c.groupSize || c.groupSize > ShareCheck.MAX_MEMBERS)
        {
            revert DataMarket_BadConditions("group");
        }
        if (c.maxPriceWei == 0) revert DataMarket_BadConditions("maxPriceWei");
        if (c.respondBy < block.timestamp + SHORTEST_RESPONSE_SECONDS) revert DataMarket_BadConditions("respondBy");
        if (c.selectBy <= c.respondBy || c.selectBy > block.timestamp + LONGEST_SECONDS) {
            revert DataMarket_BadConditions("selectBy");
        }
        if (!SealedBytes.isFit(c.openingsDigest, c.openingsLength)) {
            revert DataMarket_BadConditions("openings");
        }
        uint256 purposeLength = c.purpose.length;
        if (purposeLength == 0 || purposeLength > MAX_PURPOSE_BYTES) revert DataMarket_BadConditions("purpose");
    }

    function _checkRegions(bytes32[] memory regions) private pure {
        if (regions.length == 0 || regions.length > MAX_REGIONS) revert DataMarket_BadConditions("regions");
        bytes32 previous = 0; // so the first may not be zero
        for (uint256 i = 0; i < regions.length; ++i) {
            if (regions[i] <= previous) revert DataMarket_BadConditions("regions");
            previous = regions[i];
        }
    }

    function _checkDeposit() private view {
        uint256 applicationWei = catalogue.sharingTerms().applicationWei;
        // The catalogue refuses a deposit of zero: the consortium has not opened the market yet.
        if (applicationWei == 0) revert DataMarket_BadConditions("terms");
        if (msg.value != applicationWei) revert DataMarket_WrongValue(msg.value, applicationWei);
    }

    /*//////////////////////////////////////////////////////////////
                               RESPONSES
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IDataMarket
    function respond(
        bytes32 broadcastId,
        bytes32 dataSetId,
        uint96 priceWei,
        uint32 rulesVersion,
        uint32 sharingVersion
    ) external onlyOpen(broadcastId) {
        // check
        Book storage book = _books[broadcastId];
        _requireBefore(broadcastId, book.respondBy);
        _checkResponder(broadcastId, book);
        if (book.hasResponded(msg.sender)) revert DataMarket_AlreadyResponded(broadcastId, msg.sender);
        _checkOffer(broadcastId, book, dataSetId, priceWei);
        _checkVersions(broadcastId, rulesVersion, sharingVersion);
        uint16 creditNow = SafeCast.toUint16(credit.creditOf(msg.sender)); // never above 8,000 (CreditBook)
        if (!book.form.accepts(creditNow)) revert DataMarket_FormFull(broadcastId, creditNow);

        // effect
        address replaced =
            book.enter(msg.sender, priceWei, dataSetId, creditNow, rulesVersion, sharingVersion);

        // log
        emit Responded(
            broadcastId, msg.sender, dataSetId, priceWei, creditNow, rulesVersion, sharingVersion, replaced
        );
    }

    /// @inheritdoc IDataMarket
    function withdrawResponse(bytes32 broadcastId) external onlyOpen(broadcastId) {
        // check
        Book storage book = _books[broadcastId];
        uint8 slot = _slotOf(broadcastId, book, msg.sender);

        // effect
        book.form.remove(slot);

        // log
        emit ResponseWithdrawn(broadcastId, msg.sender);
    }

    function _checkResponder(bytes32 broadcastId, Book storage book) private view {
        (Role role, bytes32 regionId) = registry.beginnerOf(msg.sender);
        if (role != Role.Processor) revert DataMarket_NotProcessor(msg.sender);
        if (!book.wants(regionId)) revert DataMarket_RegionNotWanted(broadcastId, regionId);
    }

    function _checkOffer(bytes32 broadcastId, Book storage book, bytes32 dataSetId, uint96 priceWei) private view {
        (address processor, uint40 windowFrom, uint40 windowTo, uint8 kind, uint40 saleUntil) =
            dataSets.offerOf(dataSetId);
        bool fits = processor == msg.sender && kind == book.kind && windowFrom < book.windowTo
            && book.windowFrom < windowTo && block.timestamp < saleUntil;
        if (!fits) revert DataMarket_UnfitDataSet(broadcastId, dataSetId);
        uint96 maxPriceWei = book.maxPriceWei;
        if (priceWei == 0 || priceWei > maxPriceWei) {
            revert DataMarket_PriceAboveMaximum(broadcastId, priceWei, maxPriceWei);
        }
    }

    function _checkVersions(bytes32 broadcastId, uint32 rulesVersion, uint32 sharingVersion) private view {
        (uint32 rulesNow, uint32 sharingNow) = catalogue.versions();
        if (rulesVersion != rulesNow || sharingVersion != sharingNow) {
            revert DataMarket_OtherTerms(broadcastId, rulesNow, sharingNow);
        }
    }

    function _slotOf(bytes32 broadcastId, Book storage book, address processor) private view returns (uint8) {
        (bool stands, uint8 slot) = book.find(processor);
        if (!stands) revert DataMarket_NoResponse(broadcastId, processor);
        return slot;
    }

    /*//////////////////////////////////////////////////////////////
                                SELECTION
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IDataMarket
    function select(bytes32 broadcastId, address[] calldata members, Choice[] calldata choices)
        external
        payable
        onlyOpen(broadcastId)
        returns (bytes32[] memory lockIds)
    {
        // check
        Book storage book = _books[broadcastId];
        _requireBefore(broadcastId, book.selectBy);
        if (msg.sender != book.requester) revert DataMarket_NotRequester(broadcastId, msg.sender);
        if (!registry.mayBegin(msg.sender, Role.Sharer)) revert DataMarket_NotSharer(msg.sender);
        G1Point[] memory deliveryKeys = _checkGroup(broadcastId, book.groupSize, members);
        bytes32 groupHash = keccak256(abi.encode(members, deliveryKeys));
        SharingOrder[] memory orders = _ordersFor(broadcastId, book, groupHash, choices);
        _checkValue(orders);

        // effect
        book.state = BroadcastState.Selected;
        lockIds = _lockIds(orders);

        // log
        emit GroupSelected(broadcastId, msg.sender, groupHash, members, deliveryKeys, lockIds);

        // interaction
        for (uint256 i = 0; i < orders.length; ++i) {
            prepaidLock.openSharing{value: orders[i].priceWei}(orders[i], choices[i].signature);
        }
        _release(broadcastId, msg.sender, new address[](0));
    }

    /// @dev Reads the keys that delivery will be checked against. They are unique by the registry's rule.
    function _checkGroup(bytes32 broadcastId, uint256 groupSize, address[] calldata members)
        private
        view
        returns (G1Point[] memory deliveryKeys)
    {
        if (members.length != groupSize) revert DataMarket_BadGroup(broadcastId, address(0));
        deliveryKeys = new G1Point[](groupSize);
        bool hasRequester;
        address previous;
        for (uint256 i = 0; i < groupSize; ++i) {
            address member = members[i];
            if (member <= previous || !registry.isActive(member, Role.Sharer)) {
                revert DataMarket_BadGroup(broadcastId, member);
            }
            hasRequester = hasRequester || member == msg.sender;
            deliveryKeys[i] = registry.deliveryKeyOf(member);
            previous = member;
        }
        if (!hasRequester) revert DataMarket_BadGroup(broadcastId, msg.sender);
    }

    function _ordersFor(bytes32 broadcastId, Book storage book, bytes32 groupHash, Choice[] calldata choices)
        private
        view
        returns (SharingOrder[] memory orders)
    {
        if (choices.length == 0) revert DataMarket_NothingChosen(broadcastId);
        orders = new SharingOrder[](choices.length);
        uint256 chosen; // bit s: the line in slot s
        for (uint256 i = 0; i < choices.length; ++i) {
            address processor = choices[i].processor;
            uint8 slot = _slotOf(broadcastId, book, processor);
            if ((chosen >> slot) & 1 == 1 || !registry.isActive(processor, Role.Processor)) {
                revert DataMarket_BadChoice(broadcastId, processor);
            }
            chosen |= 1 << slot;
            _checkTerms(broadcastId, book.marks[processor], choices[i].terms);
            bytes32 dataSetId = book.lines[slot].dataSetId;
            if (block.timestamp >= _saleUntil(dataSetId)) revert DataMarket_NotOnSale(broadcastId, dataSetId);
            orders[i].broadcastId = broadcastId;
            orders[i].groupHash = groupHash;
            _fill(orders[i], book, book.lines[slot], choices[i]);
        }
    }

    function _checkTerms(bytes32 broadcastId, Mark storage mark, LockTerms calldata terms) private view {
        (uint32 rulesVersion, uint32 sharingVersion) = (mark.rulesVersion, mark.sharingVersion);
        if (terms.rulesVersion != rulesVersion || terms.sharingVersion != sharingVersion) {
            revert DataMarket_OtherTerms(broadcastId, rulesVersion, sharingVersion);
        }
    }

    function _saleUntil(bytes32 dataSetId) private view returns (uint256 saleUntil) {
        (,,,, saleUntil) = dataSets.offerOf(dataSetId);
    }

    function _fill(SharingOrder memory order, Book storage book, Line storage line, Choice calldata choice)
        private
        view
    {
        order.payer = msg.sender;
        order.payee = choice.processor;
        order.dataSetId = line.dataSetId;
        order.threshold = book.threshold;
        order.groupSize = book.groupSize;
        order.priceWei = line.priceWei;
        order.messageLength = choice.messageLength;
        order.signedAt = choice.signedAt;
        order.expiresAt = choice.expiresAt;
        order.messageDigest = choice.messageDigest;
        order.nonce = choice.nonce;
        order.terms = choice.terms;
    }

    function _checkValue(SharingOrder[] memory orders) private view {
        uint256 priceWei;
        for (uint256 i = 0; i < orders.length; ++i) {
            priceWei += orders[i].priceWei;
        }
        if (msg.value != priceWei) revert DataMarket_WrongValue(msg.value, priceWei);
    }

    function _lockIds(SharingOrder[] memory orders) private view returns (bytes32[] memory lockIds) {
        lockIds = new bytes32[](orders.length);
        for (uint256 i = 0; i < orders.length; ++i) {
            lockIds[i] = prepaidLock.lockIdOf(orders[i].payer, orders[i].nonce);
        }
    }

    /*//////////////////////////////////////////////////////////////
                            WITHOUT SELECTION
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IDataMarket
    function close(bytes32 broadcastId) external onlyOpen(broadcastId) {
        // check
        Book storage book = _books[broadcastId];
        uint256 selectBy = book.selectBy;
        if (block.timestamp < selectBy) revert DataMarket_TooEarly(broadcastId, selectBy, block.timestamp);

        // effect
        address requester = book.requester;
        address[] memory standing = _standing(book);
        book.state = BroadcastState.Closed;

        // log
        emit BroadcastClosed(broadcastId, standing.length);

        // interaction
        // A requester that was revoked, or kept from selecting, did not walk away.
        if (!registry.isActive(requester, Role.Sharer) || _wasStopped(book)) standing = new address[](0);
        _release(broadcastId, requester, standing);
    }

    /// @dev Tells whether emergency stops took half or more of the time in which selection was due: a stop in its last
    /// second is no excuse.
    function _wasStopped(Book storage book) private view returns (bool) {
        (uint256 from, uint256 to) = (book.respondBy, book.selectBy);
        return 2 * registry.stoppedSeconds(from, to) >= to - from;
    }

    /// @dev Returns the responders that could have been selected, in the form's order: whose line stands, who are
    /// active, whose data set was on sale, and whose free bond covers their offer and was left alone since. A response
    /// without a bond behind it could not be paid, and would only collect this deposit.
    function _standing(Book storage book) private view returns (address[] memory standing) {
        uint8[] memory slots = book.form.ranked();
        standing = new address[](slots.length);
        uint256 count;
        for (uint256 i = 0; i < slots.length; ++i) {
            Line storage line = book.lines[slots[i]];
            address processor = line.processor;
            Mark memory mark = book.marks[processor];
            uint256 bondBps = catalogue.rulesAt(mark.rulesVersion).bondBps;
            uint256 bondWei = uint256(line.priceWei) * bondBps / BasisPoints.WHOLE;
            bool counts = registry.isActive(processor, Role.Processor)
                && _saleUntil(line.dataSetId) >= book.selectBy
                && prepaidLock.isCovered(processor, bondWei, mark.respondedAt);
            if (counts) standing[count++] = processor;
        }
        assembly ("memory-safe") {
            mstore(standing, count)
        }
    }

    /// @dev Gives the deposit out: equal parts to `sharers`, what remains to the requester.
    function _release(bytes32 broadcastId, address requester, address[] memory sharers) private {
        uint96 restWei = prepaidLock.applicationOf(broadcastId);
        uint96 partWei = sharers.length == 0 ? 0 : uint96(restWei / sharers.length);
        address[] memory to = new address[](sharers.length + 1);
        uint96[] memory amountsWei = new uint96[](to.length);
        for (uint256 i = 0; i < sharers.length; ++i) {
            (to[i], amountsWei[i]) = (sharers[i], partWei);
            restWei -= partWei;
        }
        (to[sharers.length], amountsWei[sharers.length]) = (requester, restWei);
        prepaidLock.releaseApplication(broadcastId, to, amountsWei);
    }

    /*//////////////////////////////////////////////////////////////
                                  VIEWS
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IDataMarket
    function formOf(bytes32 broadcastId) external view returns (Response[] memory) {
        return _books[broadcastId].responses();
    }

    /// @inheritdoc IDataMarket
    function broadcastOf(bytes32 broadcastId)
        external
        view
        returns (address requester, BroadcastState state, Wanted memory wanted)
    {
        Book storage book = _books[broadcastId];
        return (book.requester, book.state, book.wantedOf());
    }

    /// @inheritdoc IDataMarket
    function broadcastIdOf(address requester, Conditions memory conditions) public view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), requester, conditions));
    }

    function _requireBefore(bytes32 broadcastId, uint256 deadlineAt) private view {
        if (block.timestamp >= deadlineAt) revert DataMarket_TooLate(broadcastId, deadlineAt, block.timestamp);
    }
}
