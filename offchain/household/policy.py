"""What a household wants to be told of its devices (paper §V.A)."""

from __future__ import annotations

from offchain.chain.facts import Receipt
from offchain.chain.gateway import ChainGateway
from offchain.types import Policy


class Policies:
    """Set and read the policies of one's devices."""

    def __init__(self, gateway: ChainGateway) -> None:
        self._gateway = gateway

    def set(self, device: str, policy: Policy) -> Receipt:
        """Set what the owner wants to be told of a device."""
        return self._gateway.transact("NotificationBoard", "setPolicy", device, policy.as_tuple())

    def of(self, device: str) -> Policy:
        """Return the policy of a device, as the newest block has it."""
        return Policy.from_chain(self._gateway.call("NotificationBoard", "policyOf", device))
