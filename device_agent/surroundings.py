"""Where the device stands: what the deployment file says, and what only the chain can say."""

import hashlib
from dataclasses import dataclass

from device_agent.errors import BadSetup, NodeUnreachable
from device_agent.node_client import NodeClient
from offchain.chain.deployment import Deployment
from offchain.chain.gateway import ChainGateway
from offchain.crypto import key_file
from offchain.crypto.paillier import PaillierPublicKey
from offchain.errors import CryptoError
from offchain.types import Account, Link, Policy, Role, to_account


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a device knows without asking anybody: enough to make its records."""

    chain_id: int
    data_ledger: Account
    notification_board: Account
    device: Account

    @classmethod
    def of(cls, deployment: Deployment, device: Account) -> "Place":
        """Take it from a deployment file."""
        return cls(
            chain_id=deployment.chain_id,
            data_ledger=to_account(deployment.address("DataLedger")),
            notification_board=to_account(deployment.address("NotificationBoard")),
            device=device,
        )

    def link(self, processor: Account) -> Link:
        """Return what messages to a processor are bound to."""
        return Link(
            chain_id=self.chain_id,
            data_ledger=self.data_ledger,
            device=self.device,
            processor=processor,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The device's owner and its policy, its region and the processor of that, as the chain has
    them.

    processor: None while nobody serves the region. policy: None if the owner has set none.
    """

    owner: Account
    region_id: bytes
    processor: Account | None
    policy: Policy | None


def find_surroundings(
    gateway: ChainGateway, device: Account, before: Surroundings | None = None
) -> Surroundings:
    """Ask the chain, by one question where the region is that of `before`. Raises BadSetup when the
    account is no active device, and ChainError.
    """
    asked: list[tuple] = [
        ("MemberRegistry", "activeRoleOf", (device,)),
        ("MemberRegistry", "ownerOf", (device,)),
        ("NotificationBoard", "policyOf", (device,)),
    ]
    if before is not None:
        asked.append(("MemberRegistry", "processorOf", (before.region_id,)))
    (role, region), owner, policy, *serving = gateway.call_many(asked)
    if role != Role.DEVICE:
        raise BadSetup(f"{device} is no active device on this chain; have it admitted first")
    if before is None or bytes(region) != before.region_id:
        serving = [gateway.call("MemberRegistry", "processorOf", region)]
    processor = to_account(serving[0])
    held = Policy.from_chain(policy)
    return Surroundings(
        owner=to_account(owner),
        region_id=bytes(region),
        processor=processor if int(processor, 16) else None,
        policy=held if held.heartbeat_seconds else None,
    )


def find_paillier_key(
    gateway: ChainGateway, node: NodeClient, member: Account, *, bits: int
) -> PaillierPublicKey:
    """Fetch a member's Paillier key from the node; the chain says whether it is the right one.

    Its proofs are verified. Raises NodeUnreachable when it is not the right one: the node may have
    that later. Raises BadSetup when the right one is not usable, or has not exactly `bits`.
    """
    profile, _ = gateway.call("MemberRegistry", "memberOf", member)
    data = node.paillier_key(member)
    if hashlib.sha256(data).digest() != bytes(profile[4]):
        raise NodeUnreachable(
            f"the node gave out a Paillier key of {member} that the chain does not know"
        )
    try:
        registry = gateway.deployment.address("MemberRegistry")
        context = key_file.KeyContext(gateway.chain_id, registry, member)
        return key_file.read(data, context, bits=bits)
    except CryptoError as error:
        raise BadSetup(f"the Paillier key of {member} is not usable: {error}") from error
