// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {BN254} from "../../../contracts/libraries/BN254.sol";
import {LibraryHarness} from "../../../contracts/mocks/LibraryHarness.sol";
import {G1Point} from "../../../contracts/types/Points.sol";
import {KeyProofs, Role} from "../../../interfaces/IMemberRegistry.sol";
import {Keys} from "../base/Keys.sol";
import {TestBase} from "../base/TestBase.sol";

contract DeliveryKeyTest is TestBase {
    address private constant REGISTRY = address(0x4E6);
    address private constant ACCOUNT = address(0xACC);
    uint256 private constant Q = 21888242871839275222246405745257275088548364400416034343698204186575808495617;

    LibraryHarness private harness;
    G1Point private key;
    G1Point private nonce;
    uint256 private response;

    function setUp() public {
        harness = LibraryHarness(create("LibraryHarness", ""));
        key = Keys.deliveryKey(3);
        KeyProofs memory proofs = Keys.proofs(3, REGISTRY, ACCOUNT, Role.Sharer);
        (nonce, response) = (proofs.deliveryNonce, proofs.deliveryResponse);
    }

    function test_delivery_key__given_honest_proof__holds() public view {
        yes(_verify(REGISTRY, ACCOUNT, uint8(Role.Sharer), key, nonce, response), "valid");
    }

    /// @dev The challenge is written out here once more, so that no field of it can be lost unseen.
    function test_delivery_key__given_proof_by_the_format__holds() public view {
        uint256 r = 12_345;
        G1Point memory commitment = BN254.mul(BN254.generatorH(), r);
        bytes memory transcript = abi.encode(
            keccak256("DMSM-V1-DELIVERY-KEY"),
            block.chainid,
            REGISTRY,
            ACCOUNT,
            uint8(Role.User),
            key.x,
            key.y,
            commitment.x,
            commitment.y
        );
        uint256 c = uint256(keccak256(transcript)) % Q;
        uint256 z = addmod(r, mulmod(c, Keys.deliverySecret(3), Q), Q);
        yes(_verify(REGISTRY, ACCOUNT, uint8(Role.User), key, commitment, z), "valid");
    }

    function test_delivery_key__when_anything_differs__fails() public {
        uint8 role = uint8(Role.Sharer);
        no(_verify(address(1), ACCOUNT, role, key, nonce, response), "registry");
        no(_verify(REGISTRY, address(1), role, key, nonce, response), "account");
        no(_verify(REGISTRY, ACCOUNT, uint8(Role.User), key, nonce, response), "role");
        no(_verify(REGISTRY, ACCOUNT, role, Keys.deliveryKey(4), nonce, response), "key");
        no(_verify(REGISTRY, ACCOUNT, role, key, Keys.deliveryKey(4), response), "nonce");
        no(_verify(REGISTRY, ACCOUNT, role, key, nonce, response + 1), "response");
        no(_verify(REGISTRY, ACCOUNT, role, key, nonce, Q - response), "negated");
        no(_verify(REGISTRY, ACCOUNT, role, key, nonce, 0), "zero");
        no(_verify(REGISTRY, ACCOUNT, role, key, nonce, response + Q), "not canonical");
        vm.chainId(5);
        no(_verify(REGISTRY, ACCOUNT, role, key, nonce, response), "chain");
    }

    /// @dev z = q is 0 mod q, and R = −[c]ek would answer it; as c is a hash of R nobody finds one, so that only this tells: nothing is
    /// computed for a response that is not canonical.
    function test_delivery_key__when_response_is_q__fails_at_once() public {
        vm.expectCall(address(7), "", 0);
        no(_verify(REGISTRY, ACCOUNT, uint8(Role.Sharer), key, nonce, Q), "q");
    }

    function test_delivery_key__when_a_point_is_invalid__fails() public view {
        uint8 role = uint8(Role.Sharer);
        G1Point memory zero;
        no(_verify(REGISTRY, ACCOUNT, role, zero, nonce, response), "key infinite");
        no(_verify(REGISTRY, ACCOUNT, role, key, zero, response), "nonce infinite");
        no(_verify(REGISTRY, ACCOUNT, role, G1Point(1, 3), nonce, response), "key off the curve");
        no(_verify(REGISTRY, ACCOUNT, role, key, G1Point(1, 3), response), "nonce off the curve");
        no(_verify(REGISTRY, ACCOUNT, role, G1Point(key.x + BN254.P, key.y), nonce, response), "key not canonical");
        no(_verify(REGISTRY, ACCOUNT, role, key, G1Point(nonce.x, nonce.y + BN254.P), response), "nonce not canonical");
    }

    /// @dev A key of the secret 0 would be infinity with z = r: only the check of the key refuses it.
    function test_delivery_key__given_infinite_key_and_matching_response__fails() public view {
        G1Point memory zero;
        uint256 r = 77;
        no(_verify(REGISTRY, ACCOUNT, 4, zero, BN254.mul(BN254.generatorH(), r), r), "infinite key");
    }

    function _verify(address at, address who, uint8 role, G1Point memory ek, G1Point memory r, uint256 z)
        private
        view
        returns (bool)
    {
        return harness.verifyDeliveryKey(at, who, role, ek, r, z);
    }
}
