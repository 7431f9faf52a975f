"""Money that comes back or was earned: what every payer and payee takes out of the contract."""

from __future__ import annotations

from offchain.chain.facts import Receipt
from offchain.chain.gateway import ChainGateway


class Money:
    """Refund what nobody earned, and withdraw what is one's own.

    `confirmations` is how deep a block must lie to be believed; None: as deep as the gateway says.
    """

    def __init__(self, gateway: ChainGateway, *, confirmations: int | None = None) -> None:
        self._gateway = gateway
        self._confirmations = confirmations

    def refund(self, lock_id: bytes) -> Receipt:
        """Give the prepayment back because T passed, or because a dispute stayed undecided."""
        return self._gateway.transact("PrepaidLock", "refund", lock_id)

    def withdrawable_wei(self) -> int:
        """Return what this account may withdraw: what is final, and not on its way already."""
        me, blocks = self._gateway.address, {"latest", self._gateway.final(self._confirmations)}
        return min(
            int(self._gateway.call("PrepaidLock", "withdrawableOf", me, block=block))
            for block in blocks
        )

    def withdraw(self) -> Receipt | None:
        """Withdraw what is this account's own; None if there is nothing."""
        if self.withdrawable_wei() == 0:
            return None
        return self._gateway.transact("PrepaidLock", "withdrawFor", self._gateway.address)
