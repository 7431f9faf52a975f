"""The consortium's decisions: who takes part and under which terms.

Everything goes through the one door `execute`.
"""

from __future__ import annotations

from typing import Any

from offchain.chain import codec
from offchain.chain.gateway import ChainGateway
from offchain.chain.receipt import Receipt
from offchain.services.errors import ServiceError
from offchain.services.registration import Registration


class Admin:
    """Act for the consortium with the account that may bring its decisions."""

    def __init__(self, gateway: ChainGateway) -> None:
        self._gateway = gateway

    def admit(self, registration: Registration) -> Receipt:
        """Admit a member; the registry checks its proofs.

        A refusal is the registry's named error.
        """
        return self.execute(
            "MemberRegistry",
            "admit",
            registration.account,
            registration.profile,
            registration.proofs,
        )

    def revoke(self, account: str) -> Receipt:
        """Revoke a member for ever."""
        return self.execute("MemberRegistry", "revoke", account)

    def set_type(
        self,
        type_id: int,
        *,
        name: str,
        price_wei: int,
        shortest_s: int,
        dispute_window_s: int = 0,
        active: bool = True,
    ) -> Receipt:
        """Set or change a request type: exact price, least T − now, and the time between claim
        and settlement.
        """
        name_word = ascii_word(name)
        terms = (active, shortest_s, dispute_window_s, price_wei, name_word)
        return self.execute("RequestCatalogue", "setType", type_id, terms)

    def set_sharing_terms(
        self, *, application_wei: int, shortest_s: int, dispute_window_s: int = 0
    ) -> Receipt:
        """Set the terms under which data sharing begins."""
        return self.execute(
            "RequestCatalogue", "setSharingTerms", (shortest_s, dispute_window_s, application_wei)
        )

    def fund(self, account: str, value_wei: int) -> Receipt:
        """Send an account ether for gas and prepayments."""
        return self._gateway.transfer(account, value_wei)

    def execute(self, contract: str, function: str, *args: Any) -> Receipt:
        """Carry out a call on a governed contract in the consortium's name."""
        target = self._gateway.deployment.contract(contract)
        calldata = codec.encode_call(codec.find_function(target.abi, function, len(args)), args)
        return self._gateway.transact("OwnerConsortium", "execute", target.address, calldata)


def ascii_word(text: str) -> bytes:
    """Return ASCII text of 1..32 characters as a bytes32."""
    if not text.isascii() or not 1 <= len(text) <= 32:
        raise ServiceError(f"a name is 1 to 32 ASCII characters, not {text!r}")
    return text.encode("ascii").ljust(32, b"\0")
