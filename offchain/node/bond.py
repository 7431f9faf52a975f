"""What a node puts up for its locks: looked at before it takes one on, topped up within a limit."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from offchain.chain.facts import Receipt
from offchain.chain.gateway import ChainGateway
from offchain.node.outcome import NodeTerms
from offchain.types import Account


@dataclass(frozen=True, slots=True)
class BondState:
    """free_wei backs no lock yet, held_wei backs locks that have not ended."""

    free_wei: int
    held_wei: int


def bond_of(gateway: ChainGateway, account: str) -> BondState:
    """Return what an account has put up."""
    return read_bond(gateway.call(*bond_question(account)))


def bond_question(account: str) -> tuple[str, str, str]:
    """Return the call whose result `read_bond` takes."""
    return "PrepaidLock", "bondOf", account


def read_bond(found: Any) -> BondState:
    """Return what `PrepaidLock.bondOf` says."""
    return BondState(free_wei=found.freeWei, held_wei=found.heldWei)


class BondKeeper:
    """Keep the node's free bond at its target, from the node's own account.

    It never puts up more than the limit in all, nor more than half of what the account has: the
    rest is for gas.
    """

    def __init__(self, gateway: ChainGateway, terms: NodeTerms) -> None:
        self._gateway = gateway
        self._terms = terms
        self._one_at_a_time = threading.Lock()

    @property
    def account(self) -> Account:
        """Whose bond it is."""
        return Account(self._gateway.address)

    def state(self) -> BondState:
        """Return the bond as the newest block has it."""
        return bond_of(self._gateway, self.account)

    def top_up(self, needed_wei: int = 0) -> Receipt | None:
        """Add what is missing to the target, or to `needed_wei` if that is more, once the free bond
        is below half of the target or below `needed_wei`.

        None if it is not, or if what may be added would not be enough for `needed_wei`.
        """
        with self._one_at_a_time:
            if self.state().free_wei >= max(self._terms.bond_wei // 2, needed_wei):
                return None  # not at every lock: each top-up is a transaction
            self._gateway.settle()  # a top-up that a crash left unfinished comes first
            bond = self.state()
            missing_wei = max(self._terms.bond_wei, needed_wei) - bond.free_wei
            room_wei = self._terms.bond_limit_wei - bond.free_wei - bond.held_wei
            spare_wei = self._gateway.balance_wei(self.account) // 2
            amount_wei = min(missing_wei, room_wei, spare_wei)
            if amount_wei <= 0 or bond.free_wei + amount_wei < needed_wei:
                return None
            return self.add(amount_wei)

    def why_not_covered(self, needed_wei: int, state: BondState | None = None) -> str | None:
        """Return why the free bond does not cover a lock, None if it does; tops it up first.

        `state`: the bond, if that was just asked for.
        """
        free_wei = (state or self.state()).free_wei
        if free_wei < needed_wei:
            self.top_up(needed_wei)
            free_wei = self.state().free_wei
        if free_wei >= needed_wei:
            return None
        return (
            f"the free bond is {free_wei} wei and {needed_wei} are needed; add to it by "
            "`dmsm node bond add`, or raise bond_limit_wei and fund the node's account"
        )

    def add(self, amount_wei: int) -> Receipt:
        """Add to the bond from the node's account."""
        return self._gateway.transact("PrepaidLock", "addBond", self.account, value_wei=amount_wei)

    def take(self, amount_wei: int) -> Receipt:
        """Make free bond withdrawable."""
        return self._gateway.transact("PrepaidLock", "takeBond", amount_wei)
