// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {Draw, OwnersLeaf, Publication} from "../../../interfaces/IDataSetBook.sol";
import {Role} from "../../../interfaces/IMemberRegistry.sol";
import {MarketActions} from "./MarketActions.sol";

/// @title SetActions
/// @notice Data sets that are published, retired, published anew; consents that come and go; draws. Three of four nodes publish false
/// lists: one names a device twice, one somebody who is no device, two more rows than they sold.
abstract contract SetActions is MarketActions {
    uint256 internal constant MOST_SETS = 16; // where the table of keys ends
    bytes32 private constant PURPOSE = keccak256("DMSM-V1-data-sharing");

    address internal deviceTwo = address(0xD2);
    mapping(address device => uint256 expiresAt) private _consentUntil;

    function setUpSets() internal {
        admit(deviceTwo, Role.Device, SOUTH, neighbour);
        for (uint256 i = 0; i < 4; ++i) _publishOf(i);
    }

    function _publishOf(uint256 node) private {
        (Publication memory it, uint256 dataKey) = publication(1);
        address who = nodes[node];
        bytes32 id = sets.dataSetIdOf(it.keyCommitment);
        SetGhost storage g = setGhosts[id];
        (g.seller, g.dataKey, g.saleUntil, g.rowCount) = (who, dataKey, it.saleUntil, it.rowCount);
        (g.devices, g.rows) = ([device, deviceTwo], [uint32(100), 68]);
        if (node == 1) (g.devices, g.rows) = ([device, device], [uint32(4e9), 168]);
        if (node == 3) g.rows[0] = 4e9;
        if (node == 2) (g.devices, g.rows) = ([outsider, deviceTwo], [uint32(160), 8]);
        it.deviceCount = 2;
        it.ownersRoot = nodeHash(leafHash(g.devices[0], g.rows[0]), leafHash(g.devices[1], g.rows[1]));
        publish(who, it, dataKey);
        setIds.push(id);
        setOf[who] = id;
    }

    /// @dev A node whose set is not for sale any more publishes another one.
    function renew(uint256 seed) external {
        uint256 node = seed % 4;
        address who = nodes[node];
        if (isOnSale(setOf[who]) || isStopped() || isRevoked[who] || dataSets == MOST_SETS) return;
        _publishOf(node);
        ++done["renew"];
    }

    function retireInBetween(bytes32 id) internal override {
        bytes memory data = abi.encodeCall(sets.retire, (id));
        if (!isOnSale(id) || !act("retire in between", address(sets), setGhosts[id].seller, 0, data, true)) return;
        setGhosts[id].saleUntil = block.timestamp;
    }

    function retire(uint256 seed) external {
        if (seed % 5 != 0) return; // or little would be sold
        bytes32 id = _anySet(seed >> 8);
        bool isSeller = seed % 2 == 0;
        address by = isSeller ? setGhosts[id].seller : outsider;
        bytes memory data = abi.encodeCall(sets.retire, (id));
        if (act("retire", address(sets), by, 0, data, isSeller && isOnSale(id))) setGhosts[id].saleUntil = block.timestamp;
    }

    /// @dev Whoever shows a leaf whose consent does not stand ends the sale; whoever shows another leaf, or one that stands, does not.
    function retireFor(uint256 seed) external {
        if (seed % 3 != 0) return;
        bytes32 id = _anySet(seed >> 8);
        bool isRight = seed % 4 != 1;
        OwnersLeaf memory leaf = _leaf(id, (seed >> 4) % 2);
        if (!isRight) leaf.rows ^= 1;
        bool predicted = isRight && isOnSale(id) && !_stands(leaf.device);
        bytes memory data = abi.encodeCall(sets.retireFor, (id, leaf));
        if (act("retire for", address(sets), outsider, 0, data, predicted)) setGhosts[id].saleUntil = block.timestamp;
    }

    function consent(uint256 seed) external {
        address meter = seed % 2 == 0 ? device : deviceTwo;
        address owner = meter == device ? meterOwner : neighbour;
        if (seed % 8 < 6) {
            uint64 expiresAt = uint64(block.timestamp + 1 + (seed >> 8) % 20 days);
            bytes memory data = abi.encodeCall(consents.give, (meter, PURPOSE, expiresAt));
            if (act("give consent", address(consents), owner, 0, data, !isRevoked[owner])) _consentUntil[meter] = expiresAt;
        } else {
            bytes memory data = abi.encodeCall(consents.withdraw, (meter, PURPOSE));
            bool predicted = _consentUntil[meter] != 0;
            if (act("withdraw consent", address(consents), owner, 0, data, predicted)) _consentUntil[meter] = 0;
        }
    }

    function draw(uint256 seed) external {
        bytes32 id = _setToDraw(seed >> 8);
        bool isRight = seed % 8 != 3;
        OwnersLeaf memory leaf = _leaf(id, (seed >> 4) % 2);
        if (!isRight) leaf.rows += 1;
        bytes memory data = abi.encodeCall(sets.draw, (id, leaf));
        if (!act("draw", address(sets), outsider, 0, data, isRight && leaf.device != outsider)) return;
        modelDraw(id, leaf);
        act("draw again", address(sets), outsider, 0, data, true); // gives nothing
    }

    /// @dev Both leaves of a set, the first one twice.
    function drawMany(uint256 seed) external {
        bytes32 id = _setToDraw(seed >> 8);
        Draw[] memory draws = new Draw[](3);
        for (uint256 i = 0; i < 3; ++i) draws[i] = Draw(id, _leaf(id, i % 2));
        bool predicted = draws[0].leaf.device != outsider;
        if (!act("draw many", address(sets), outsider, 0, abi.encodeCall(sets.drawMany, (draws)), predicted)) return;
        modelDraw(id, draws[0].leaf);
        modelDraw(id, draws[1].leaf);
    }

    function modelDraw(bytes32 id, OwnersLeaf memory leaf) internal {
        SetGhost storage g = setGhosts[id];
        uint256 amount = leaf.rows * (g.perRow - g.drawn[leaf.device]);
        g.drawn[leaf.device] = g.perRow;
        if (amount > g.pot) {
            amount = g.pot;
            ++done["greedy draw held to the pot"];
        }
        g.pot -= amount;
        g.paidOut += amount;
        owed[leaf.device == device ? meterOwner : neighbour] += amount;
        if (amount != 0) ++done["draw of something"];
    }

    function _leaf(bytes32 id, uint256 index) internal view returns (OwnersLeaf memory it) {
        SetGhost storage g = setGhosts[id];
        (it.device, it.rows, it.index) = (g.devices[index], g.rows[index], uint16(index));
        it.proof = new bytes32[](1);
        it.proof[0] = leafHash(g.devices[1 - index], g.rows[1 - index]);
    }

    /// @dev Devices are not revoked here; their owners are.
    function _stands(address meter) private view returns (bool) {
        return block.timestamp < _consentUntil[meter] && !isRevoked[meter == device ? meterOwner : neighbour];
    }

    /// @dev Three times of four one with something in its pot, if there is any, else any one.
    function _setToDraw(uint256 seed) private view returns (bytes32 id) {
        for (uint256 i = 0; i < setIds.length && seed % 4 != 0; ++i) {
            id = setIds[((seed >> 4) + i) % setIds.length];
            if (setGhosts[id].pot != 0) return id;
        }
        return _anySet(seed >> 2);
    }

    function _anySet(uint256 seed) private view returns (bytes32) {
        return seed % 3 == 0 ? setIds[(seed >> 4) % setIds.length] : setOf[nodes[(seed >> 4) % 4]];
    }
}
