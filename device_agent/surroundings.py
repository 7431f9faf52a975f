"""What the agent must know of others: its processor, its owner, its policy, their public keys."""

import hashlib
from dataclasses import dataclass

from device_agent.errors import BadSetup
from device_agent.node_client import NodeClient
from offchain.chain.gateway import ChainGateway
from offchain.crypto.paillier import PaillierPublicKey
from offchain.errors import CryptoError
from offchain.types import Account, Link, Policy, Role, to_account


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The device's place: link to its processor, its owner, and where notifications go."""

    link: Link
    owner: Account
    notification_board: Account


def find_surroundings(gateway: ChainGateway) -> Surroundings:
    """Read the device's place from the chain.

    Raises BadSetup when the account is no active device, or its region has no processor.
    """
    device = to_account(gateway.address)
    role, region = gateway.call("MemberRegistry", "activeRoleOf", device)
    if role != Role.DEVICE:
        raise BadSetup(f"{device} is no active device on this chain; have it admitted first")
    processor = to_account(gateway.call("MemberRegistry", "processorOf", region))
    if int(processor, 16) == 0:
        raise BadSetup(f"no processing node serves the region of {device} now")
    return Surroundings(
        link=Link(
            chain_id=gateway.chain_id,
            data_ledger=to_account(gateway.deployment.address("DataLedger")),
            device=device,
            processor=processor,
        ),
        owner=to_account(gateway.call("MemberRegistry", "ownerOf", device)),
        notification_board=to_account(gateway.deployment.address("NotificationBoard")),
    )


def find_policy(gateway: ChainGateway, device: Account) -> Policy | None:
    """Return the owner's policy as the chain has it now, None if there is none."""
    policy = Policy.from_chain(gateway.call("NotificationBoard", "policyOf", device))
    return policy if policy.heartbeat_seconds else None


def find_paillier_key(
    gateway: ChainGateway, node: NodeClient, member: Account
) -> PaillierPublicKey:
    """Fetch a member's Paillier key from the node; the chain says whether it is the right one.

    Raises BadSetup when it is not, or is no sound key.
    """
    profile, _ = gateway.call("MemberRegistry", "memberOf", member)
    data = node.paillier_key(member)
    if hashlib.sha256(data).digest() != bytes(profile[4]):
        raise BadSetup(f"the node gave out a Paillier key of {member} that the chain does not know")
    try:
        return PaillierPublicKey.from_bytes(data, bits=None)
    except CryptoError as error:
        raise BadSetup(f"the Paillier key of {member} is not usable: {error}") from error
