// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {IDataSetBook, Publication} from "../../../interfaces/IDataSetBook.sol";
import {IMemberRegistry, KeyProofs, Profile, Role} from "../../../interfaces/IMemberRegistry.sol";
import {Keys} from "../base/Keys.sol";
import {G2Table} from "../vectors/G2Table.sol";
import {SetActions} from "./SetActions.sol";

/// @title KeyActions
/// @notice §6.4: no member's key, ID commitment, name or key commitment twice, whoever had it first and whether it is
/// still a member. Everything but the one repetition is right, proofs too, and so it is the named reason of each
/// refusal; with nothing repeated it succeeds.
abstract contract KeyActions is SetActions {
    uint256 private constant MOST_MEMBERS = 20; // and seven buyers: keys of members lie below those of data sets

    /// @dev The consortium admits a newcomer; four times of five a part of what it registers is another's.
    function admitNewcomer(uint256 seed) external {
        address newcomer = address(uint160(0xF000 + members));
        Profile memory it = Keys.profile(members, Role.Sharer, 0, address(0));
        KeyProofs memory proofs = Keys.proofs(members, address(registry), newcomer, Role.Sharer);
        uint256 known = (seed >> 8) % members;
        Profile memory old = Keys.profile(known, Role.Sharer, 0, address(0));
        KeyProofs memory oldProofs = Keys.proofs(known, address(registry), newcomer, Role.Sharer);
        // A device has no delivery key that could be taken.
        bool isDevice = known == keyOf[device] || known == keyOf[deviceTwo];
        uint256 part = isDevice && seed % 5 == 1 ? 0 : seed % 5;
        bytes32 repeated = it.idCommitment;
        if (part == 0) {
            (it.blsKey, proofs.blsPossession) = (old.blsKey, oldProofs.blsPossession);
            repeated = keccak256(abi.encode(old.blsKey));
        } else if (part == 1) {
            (it.deliveryKey, proofs.deliveryNonce) = (old.deliveryKey, oldProofs.deliveryNonce);
            proofs.deliveryResponse = oldProofs.deliveryResponse;
            repeated = keccak256(abi.encode(old.deliveryKey));
        } else if (part == 2) {
            it.idCommitment = repeated = old.idCommitment;
        }
        (string memory name, address holder) =
            part == 4 ? _takenName(known) : (Keys.name(members, Role.Sharer), address(0));
        bytes memory data = abi.encodeCall(registry.admit, (newcomer, name, it, proofs));
        bytes memory why = part == 4
            ? abi.encodeWithSelector(IMemberRegistry.MemberRegistry_NameTaken.selector, newcomer, holder)
            : abi.encodeWithSelector(IMemberRegistry.MemberRegistry_KeyTaken.selector, newcomer, repeated);
        if (part != 3) {
            _mustRefuse("known key or name refused", address(registry), address(consortium), data, why);
        } else if (seed % 20 == 3 && members < MOST_MEMBERS) {
            if (act("admit", address(registry), address(consortium), 0, data, true)) ++members;
        }
    }

    /// @dev The name of a member, or a buyer's where that member has none.
    function _takenName(uint256 known) private view returns (string memory name, address holder) {
        name = Keys.name(known, Role.Sharer);
        holder = registry.holderOfName(keccak256(bytes(name)));
        if (holder != address(0)) return (name, holder);
        return (Keys.name(keyOf[buyer], Role.Sharer), buyer);
    }

    /// @dev A node publishes a data set; seven times of eight under a key commitment that a data set, its own or another's, has.
    function publishAgain(uint256 seed) external {
        address who = nodes[(seed >> 4) % 4];
        bool mayPublish = !isStopped() && !isRevoked[who];
        bool isFresh = seed % 8 == 0;
        if (isFresh && dataSets == MOST_SETS) return;
        uint256 dataKey = FIRST_DATA_KEY + 4 * (isFresh ? dataSets : (seed >> 8) % dataSets);
        (Publication memory it,) = publication(1);
        it.keyCommitment = G2Table.point(dataKey);
        bytes memory data = abi.encodeCall(sets.publish, (it, possession(who, it, dataKey)));
        if (isFresh) {
            if (act("publish", address(sets), who, 0, data, mayPublish)) ++dataSets;
        } else if (mayPublish) {
            bytes32 repeated = sets.dataSetIdOf(it.keyCommitment);
            bytes memory why = abi.encodeWithSelector(IDataSetBook.DataSetBook_KeyUsed.selector, repeated);
            _mustRefuse("known key commitment refused", address(sets), who, data, why);
        } else {
            act("publish, stopped or revoked", address(sets), who, 0, data, false);
        }
    }

    function _mustRefuse(bytes32 action, address to, address from, bytes memory data, bytes memory why) private {
        vm.prank(from);
        (bool ok, bytes memory result) = to.call(data);
        no(ok, string.concat("should have been refused: ", string(abi.encodePacked(action))));
        eq(result, why, string(abi.encodePacked(action)));
        ++done[action];
    }
}
