// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {IConsentBook} from "../interfaces/IConsentBook.sol";
import {Draw, IDataSetBook, OwnersLeaf, Publication} from "../interfaces/IDataSetBook.sol";
import {IMemberRegistry, Role} from "../interfaces/IMemberRegistry.sol";
import {IPrepaidLock} from "../interfaces/IPrepaidLock.sol";
import {BLS} from "./libraries/BLS.sol";
import {BN254} from "./libraries/BN254.sol";
import {DataSetId} from "./libraries/DataSetId.sol";
import {DomainTags} from "./libraries/DomainTags.sol";
import {MerkleSha256} from "./libraries/MerkleSha256.sol";
import {Wiring} from "./libraries/Wiring.sol";
import {G1Point, G2Point} from "./types/Points.sol";

/// @title DataSetBook
/// @notice See {IDataSetBook}.
///
///     sale:   unknown ──publish──▶ on sale ──retire, retireFor──▶ ended            on sale ──now ≥ saleUntil──▶ ended
///     money:  {recordSale} ──▶ pot ──{draw}──▶ withdrawable by a device's owner
///
/// @dev Stores only what a contract reads; all else is in the event, whose every field the proof of possession signs.
/// Who can stop what: revoking a processor, and the emergency stop, stop its next data set. Nobody can stop the end of a sale,
/// nor a draw.
/// What it assumes: the lock is this system's own, and calls nobody when it is called from here. That the owners' list is
/// that of the rows, and that a published root is over anchored readings, is checked off chain, by whoever opens the data set.
contract DataSetBook is IDataSetBook {
    /// @notice The longest sealed manifest, in bytes.
    uint32 public constant MAX_MANIFEST_BYTES = 32_768;
    /// @notice The longest sale, in seconds.
    uint256 public constant LONGEST_SALE_SECONDS = 30 days;
    /// @notice The most draws of one {drawMany}.
    uint256 public constant MOST_DRAWS = 64;
    /// @notice The purpose that a device's owner consents to.
    bytes32 public constant DATA_SHARING_PURPOSE = keccak256("DMSM-V1-data-sharing");

    IMemberRegistry public immutable registry;
    IConsentBook public immutable consents;
    IPrepaidLock public immutable prepaidLock;

    /// @dev Three words: what a buyer asks, what changes with each sale and draw, and what a leaf is held against.
    struct DataSet {
        address processor;
        uint8 kind;
        uint24 fromDay; // days since 1970: windows are of whole UTC days
        uint24 toDay;
        uint40 saleUntil;
        uint32 rowCount; // never zero, so that the first sale writes no fresh word
        uint16 deviceCount;
        uint104 perRowWei;
        uint104 potWei;
        bytes32 ownersRoot;
    }

    mapping(bytes32 dataSetId => DataSet dataSet) private _dataSets;
    mapping(bytes32 dataSetId => mapping(address device => uint256 perRowWei)) private _perRowDrawn;

    /// @param prepaidLock_ Deployed after this contract, at an address known beforehand: it has no code yet.
    constructor(address registry_, address consents_, address prepaidLock_) {
        registry = IMemberRegistry(Wiring.requireContract(registry_));
        consents = IConsentBook(Wiring.requireContract(consents_));
        prepaidLock = IPrepaidLock(Wiring.requireAddress(prepaidLock_));
    }

    modifier onlyLock() {
        if (msg.sender != address(prepaidLock)) revert DataSetBook_NotLock(msg.sender);
        _;
    }

    /*//////////////////////////////////////////////////////////////
                                FOR SALE
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IDataSetBook
    function publish(Publication calldata publication, G1Point calldata keyPossession)
        external
        returns (bytes32 dataSetId)
    {
        // Check.
        (Role role, bytes32 regionId) = registry.beginnerOf(msg.sender);
        if (role != Role.Processor) revert DataSetBook_NotProcessor(msg.sender);
        _checkTimes(publication);
        _checkContent(publication);
        dataSetId = dataSetIdOf(publication.keyCommitment);
        DataSet storage dataSet = _dataSets[dataSetId];
        if (dataSet.processor != address(0)) revert DataSetBook_KeyUsed(dataSetId);
        _checkKey(dataSetId, publication, keyPossession);

        // Effect.
        _store(dataSet, publication);

        // Log.
        emit DataSetPublished(
            dataSetId, msg.sender, regionId, registry.idCommitmentOf(msg.sender), publication, keyPossession
        );
    }

    /// @inheritdoc IDataSetBook
    function retire(bytes32 dataSetId) external {
        DataSet storage dataSet = _onSale(dataSetId);
        if (msg.sender != dataSet.processor) revert DataSetBook_NotSeller(dataSetId, msg.sender);
        _retire(dataSetId, dataSet, address(0));
    }

    /// @inheritdoc IDataSetBook
    function retireFor(bytes32 dataSetId, OwnersLeaf calldata leaf) external {
        DataSet storage dataSet = _onSale(dataSetId);
        _checkLeaf(dataSetId, dataSet, leaf);
        if (consents.stands(leaf.device, DATA_SHARING_PURPOSE)) {
            revert DataSetBook_ConsentStands(dataSetId, leaf.device);
        }
        _retire(dataSetId, dataSet, leaf.device);
    }

    function _onSale(bytes32 dataSetId) private view returns (DataSet storage dataSet) {
        dataSet = _dataSets[dataSetId];
        uint256 saleUntil = dataSet.saleUntil;
        if (block.timestamp >= saleUntil) revert DataSetBook_NotOnSale(dataSetId, saleUntil);
    }

    /// @dev Keeps when it ended: a broadcast's deposit asks for it.
    function _retire(bytes32 dataSetId, DataSet storage dataSet, address device) private {
        dataSet.saleUntil = uint40(block.timestamp);

        emit DataSetRetired(dataSetId, dataSet.processor, device, msg.sender);
    }

    function _checkTimes(Publication calldata publication) private view {
        (uint256 from, uint256 to) = (publication.windowFrom, publication.windowTo);
        if (from % 1 days != 0) revert DataSetBook_BadPublication("windowFrom");
        if (to % 1 days != 0 || to <= from) revert DataSetBook_BadPublication("windowTo");
        uint256 saleUntil = publication.saleUntil;
        bool isSale = block.timestamp < saleUntil && saleUntil <= block.timestamp + LONGEST_SALE_SECONDS;
        if (!isSale) revert DataSetBook_BadPublication("saleUntil");
    }

    function _checkContent(Publication calldata publication) private pure {
        (uint256 rowCount, uint256 deviceCount) = (publication.rowCount, publication.deviceCount);
        if (publication.kind == 0) revert DataSetBook_BadPublication("kind");
        if (rowCount == 0) revert DataSetBook_BadPublication("rowCount");
        if (deviceCount == 0 || deviceCount > rowCount) revert DataSetBook_BadPublication("deviceCount");
        if (publication.readingsRoot == 0) revert DataSetBook_BadPublication("readingsRoot");
        if (publication.manifestDigest == 0) revert DataSetBook_BadPublication("manifestDigest");
        if (publication.ownersRoot == 0) revert DataSetBook_BadPublication("ownersRoot");
        if (publication.ownersDigest == 0) revert DataSetBook_BadPublication("ownersDigest");
        uint256 length = publication.manifestLength;
        if (length == 0 || length > MAX_MANIFEST_BYTES) revert DataSetBook_BadPublication("manifestLength");
        if (BN254.isInfinity(publication.keyCommitment)) revert DataSetBook_BadPublication("keyCommitment");
    }

    /// @dev The pairing inside refuses points that are not canonical or not of the group, so that one key has one id.
    function _checkKey(bytes32 dataSetId, Publication calldata publication, G1Point calldata keyPossession)
        private
        view
    {
        bytes32 digest = keccak256(abi.encode(publication));
        bytes memory message = abi.encode(block.chainid, address(this), msg.sender, dataSetId, digest);
        if (!BLS.verify(publication.keyCommitment, message, DomainTags.DATAKEY, keyPossession)) {
            revert DataSetBook_BadKeyProof(dataSetId);
        }
    }

    function _store(DataSet storage dataSet, Publication calldata publication) private {
        // Read first, then written in one go: a word of storage at a time. 40 bits of seconds are less than 24 bits of days.
        uint24 fromDay = uint24(publication.windowFrom / 1 days);
        uint24 toDay = uint24(publication.windowTo / 1 days);
        (uint8 kind, uint40 saleUntil) = (publication.kind, publication.saleUntil);
        dataSet.processor = msg.sender;
        dataSet.kind = kind;
        dataSet.fromDay = fromDay;
        dataSet.toDay = toDay;
        dataSet.saleUntil = saleUntil;
        (uint32 rowCount, uint16 deviceCount) = (publication.rowCount, publication.deviceCount);
        dataSet.rowCount = rowCount;
        dataSet.deviceCount = deviceCount;
        dataSet.ownersRoot = publication.ownersRoot;
    }

    /*//////////////////////////////////////////////////////////////
                            WHAT OWNERS EARN
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IDataSetBook
    function recordSale(bytes32 dataSetId, uint256 partWei) external onlyLock returns (uint256 restWei) {
        DataSet storage dataSet = _dataSets[dataSetId];
        uint256 rowCount = dataSet.rowCount;
        if (rowCount == 0) return partWei;
        uint256 eachWei = partWei / rowCount;
        (uint256 perRowWei, uint256 potWei) = (dataSet.perRowWei + eachWei, dataSet.potWei + eachWei * rowCount);
        if (perRowWei > type(uint104).max || potWei > type(uint104).max) return partWei;

        (dataSet.perRowWei, dataSet.potWei) = (uint104(perRowWei), uint104(potWei));

        return partWei - eachWei * rowCount;
    }

    /// @inheritdoc IDataSetBook
    function draw(bytes32 dataSetId, OwnersLeaf calldata leaf) external returns (uint256 amountWei) {
        address owner;
        (owner, amountWei) = _draw(dataSetId, leaf);
        if (amountWei != 0) prepaidLock.payOwner(owner, amountWei);
    }

    /// @inheritdoc IDataSetBook
    function drawMany(Draw[] calldata draws) external returns (uint256 sumWei) {
        if (draws.length > MOST_DRAWS) revert DataSetBook_TooMany(draws.length, MOST_DRAWS);
        address owner;
        uint256 runWei; // of draws one after another for one owner
        for (uint256 i = 0; i < draws.length; ++i) {
            Draw calldata each = draws[i];
            (address next, uint256 amountWei) = _draw(each.dataSetId, each.leaf);
            if (next != owner) {
                if (runWei != 0) prepaidLock.payOwner(owner, runWei);
                (owner, runWei) = (next, 0);
            }
            runWei += amountWei;
            sumWei += amountWei;
        }
        if (runWei != 0) prepaidLock.payOwner(owner, runWei);
    }

    /// @dev Takes out of the pot; the caller pays.
    function _draw(bytes32 dataSetId, OwnersLeaf calldata leaf) private returns (address owner, uint256 amountWei) {
        // Check.
        DataSet storage dataSet = _dataSets[dataSetId];
        (address device, uint256 rows) = _checkLeaf(dataSetId, dataSet, leaf);
        owner = registry.ownerOf(device);
        if (owner == address(0)) revert DataSetBook_NoOwner(dataSetId, device);
        mapping(address => uint256) storage drawn = _perRowDrawn[dataSetId];
        (uint256 perRowWei, uint256 potWei, uint256 drawnWei) = (dataSet.perRowWei, dataSet.potWei, drawn[device]);
        if (perRowWei == drawnWei) return (owner, 0);
        // What was drawn is what a row had earned then, which only grows; 32 bits times 104, and never above the pot.
        unchecked {
            amountWei = Math.min(rows * (perRowWei - drawnWei), potWei);
            potWei -= amountWei;
        }

        // Effect.
        drawn[device] = perRowWei;
        dataSet.potWei = uint104(potWei);

        // Log.
        emit Drawn(dataSetId, device, owner, amountWei);
    }

    /// @dev An unknown data set has no leaves: no index is below its number of devices.
    function _checkLeaf(bytes32 dataSetId, DataSet storage dataSet, OwnersLeaf calldata leaf)
        private
        view
        returns (address device, uint256 rows)
    {
        (device, rows) = (leaf.device, leaf.rows);
        bytes32 word = bytes32((uint256(uint160(device)) << 96) | rows);
        bool isIn = MerkleSha256.verify(dataSet.ownersRoot, word, leaf.index, dataSet.deviceCount, leaf.proof);
        if (!isIn) revert DataSetBook_BadLeaf(dataSetId, device);
    }

    /*//////////////////////////////////////////////////////////////
                                 VIEWS
    //////////////////////////////////////////////////////////////*/

    /// @inheritdoc IDataSetBook
    function dataSetIdOf(G2Point calldata keyCommitment) public view returns (bytes32) {
        return DataSetId.idOf(address(this), keyCommitment);
    }

    /// @inheritdoc IDataSetBook
    function offerOf(bytes32 dataSetId)
        external
        view
        returns (address processor, uint40 windowFrom, uint40 windowTo, uint8 kind, uint40 saleUntil)
    {
        DataSet storage dataSet = _dataSets[dataSetId];
        windowFrom = uint40(uint256(dataSet.fromDay) * 1 days);
        windowTo = uint40(uint256(dataSet.toDay) * 1 days);
        return (dataSet.processor, windowFrom, windowTo, dataSet.kind, dataSet.saleUntil);
    }

    /// @inheritdoc IDataSetBook
    function earningsOf(bytes32 dataSetId)
        external
        view
        returns (uint256 perRowWei, uint256 potWei, uint32 rowCount, uint16 deviceCount, bytes32 ownersRoot)
    {
        DataSet storage dataSet = _dataSets[dataSetId];
        return (
            dataSet.perRowWei, dataSet.potWei, dataSet.rowCount, dataSet.deviceCount, dataSet.ownersRoot
        );
    }

    /// @inheritdoc IDataSetBook
    function perRowDrawnOf(bytes32 dataSetId, address device) external view returns (uint256) {
        return _perRowDrawn[dataSetId][device];
    }
}
