"""What a household lets its devices' readings be used for, and until when."""

from __future__ import annotations

from offchain.chain.facts import ContractRevert, Receipt
from offchain.chain.gateway import ChainGateway
from offchain.records.contexts import DATA_SHARING_PURPOSE

_NO_CONSENT = "ConsentBook_NoConsent"


class Consents:
    """Give and withdraw consent, by device and purpose."""

    def __init__(self, gateway: ChainGateway) -> None:
        self._gateway = gateway

    def give(
        self, device: str, *, expires_at: int, purpose: bytes = DATA_SHARING_PURPOSE
    ) -> Receipt:
        """Let a device's readings into data sets until `expires_at` (unix seconds, exclusive)."""
        return self._gateway.transact("ConsentBook", "give", device, purpose, expires_at)

    def withdraw(self, device: str, *, purpose: bytes = DATA_SHARING_PURPOSE) -> Receipt | None:
        """Withdraw the consent, effective for the next sale: what is for sale already can be ended
        by `Sales.end`. None if there is no consent: it was withdrawn, or never given.
        """
        try:
            return self._gateway.transact("ConsentBook", "withdraw", device, purpose)
        except ContractRevert as revert:
            if revert.name != _NO_CONSENT:
                raise
            return None

    def expires_at(self, device: str, *, purpose: bytes = DATA_SHARING_PURPOSE) -> int:
        """Return until when consent was given (unix seconds, exclusive); 0 if never."""
        return int(self._gateway.call("ConsentBook", "expiryOf", device, purpose))
