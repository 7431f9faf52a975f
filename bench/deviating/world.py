"""The money of locks and broadcasts in plain integers, call by call, as the contracts move it.

Who may call what, and when, is left to whoever plays; here is what each call pays, holds and burns
(PrepaidLock, DataMarket, CreditBook). Played beside the real contracts, wei for wei:
`tests/contracts/attacks/test_deviations.py`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from bench.credit_model import CreditModel
from bench.deviating.gas import gas_of, paid_gas

BPS = 10_000
GWEI = 10**9
POINT_WEI = 10**13
MOST_DISPUTES = 3
TREASURY = "consortium"


class RefusedCall(ValueError):
    """The contracts would revert."""


@dataclass(frozen=True)
class Rules:
    """The consortium's rules that move money: a deployment's defaults (scripts/deploy.py)."""

    fee_bps: int = 200
    bond_bps: int = 10_000
    dispute_bond_bps: int = 2_500
    serve_gas_wei: int = GWEI
    dispute_min_wei: int = 10**14

    def fee_of(self, price_wei: int) -> int:
        """Return the consortium's fee."""
        return price_wei * self.fee_bps // BPS

    def bond_of(self, price_wei: int) -> int:
        """Return what the payee puts up."""
        return price_wei * self.bond_bps // BPS

    def dispute_of(self, price_wei: int) -> int:
        """Return what a disputer puts up."""
        return max(price_wei * self.dispute_bond_bps // BPS, self.dispute_min_wei)

    def demand_of(self, length: int) -> int:
        """Return what a demand deposits."""
        return paid_gas(length) * self.serve_gas_wei


@dataclass
class Deal:
    """A lock."""

    payer: str
    payee: str
    price_wei: int
    bond_wei: int
    state: str
    length: int = 0
    deposit_wei: int = 0  # of a demand
    is_demanded: bool = False
    disputer: str = ""
    dispute_wei: int = 0


@dataclass
class World:
    """Everybody's money. Gas is given by whoever knows better, else as measured.

    `sealer` gets the tips; what it sends itself so costs it the base fee alone, as all that it
    tips comes back.
    """

    rules: Rules = field(default_factory=Rules)
    base_fee_wei: int = 0
    tip_wei: int = 0
    sealer: str = "sealer"
    spent: Counter[str] = field(default_factory=Counter)  # wei out of an account, less what came
    withdrawable: Counter[str] = field(default_factory=Counter)
    free: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    applications: dict[str, tuple[str, int]] = field(default_factory=dict)
    open_disputes: Counter[str] = field(default_factory=Counter)
    deals: dict[str, Deal] = field(default_factory=dict)
    used: Counter[str] = field(default_factory=Counter)  # gas by sender
    burned_wei: int = 0
    credit: CreditModel = field(default_factory=lambda: CreditModel(POINT_WEI))

    # ---- what somebody has ----

    def wealth(self, *accounts: str) -> int:
        """Return what accounts have more than at the beginning, in wei; bonds are theirs."""
        return sum(
            self.withdrawable[who] + self.free[who] + self.held[who] - self.spent[who]
            for who in accounts
        )

    def points(self, account: str) -> int:
        """Return an account's credit."""
        return self.credit.credit_of(account, at=0)

    def in_locks(self) -> int:
        """Return the prices and deposits that belong to nobody yet."""
        open_states = ("requested", "accepted", "claimed", "demanded", "disputed")
        prices = sum(
            deal.price_wei
            for deal in self.deals.values()
            if deal.state in (*open_states, "selected", "delivered")
        )
        at_stake = sum(deal.deposit_wei + deal.dispute_wei for deal in self.deals.values())
        return prices + at_stake + sum(wei for _, wei in self.applications.values())

    # ---- a user's request ----

    def add_bond(self, account: str, wei: int, *, gas: int | None = None) -> None:
        """Put up a bond."""
        self._send(account, "PrepaidLock.addBond", gas, wei)
        self.free[account] += wei

    def request(
        self, lock: str, payer: str, payee: str, price_wei: int, *, gas: int | None = None
    ) -> None:
        """Prepay a request."""
        self._send(payer, "PrepaidLock.request", gas, price_wei)
        bond_wei = self.rules.bond_of(price_wei)
        self.deals[lock] = Deal(payer, payee, price_wei, bond_wei, "requested")

    def reject(self, lock: str, *, gas: int | None = None) -> None:
        """Give the whole price back."""
        deal = self._leave(lock, "requested", to="rejected")
        self._send(deal.payee, "PrepaidLock.reject", gas)
        self.withdrawable[deal.payer] += deal.price_wei

    def accept(self, lock: str, length: int, *, gas: int | None = None) -> None:
        """Commit to an answer and its bond."""
        deal = self._leave(lock, "requested", to="accepted")
        self._send(deal.payee, "PrepaidLock.accept", gas)
        deal.length = length
        self._hold(deal)

    def claim(self, lock: str, *, by: str = "", gas: int | None = None) -> None:
        """Reveal x; a dispute window begins."""
        deal = self._leave(lock, "accepted", to="claimed")
        self._send(by or deal.payee, "PrepaidLock.claim", gas)

    # ---- data sharing ----

    def broadcast(self, ad: str, buyer: str, wei: int, *, gas: int | None = None) -> None:
        """Ask for data, with an application prepayment."""
        self._send(buyer, "DataMarket.broadcast, 2 regions", gas, wei)
        self.applications[ad] = (buyer, wei)

    def respond(self, node: str, *, gas: int | None = None) -> None:
        """Offer a data set."""
        self._send(node, "DataMarket.respond, second line", gas)

    def select(
        self, ad: str, lock: str, payee: str, price_wei: int, *, gas: int | None = None
    ) -> None:
        """Choose one node; the application prepayment comes back."""
        buyer, application_wei = self.applications.pop(ad)
        self._send(buyer, "DataMarket.select, 1 node of a group of 3", gas, price_wei)
        self.withdrawable[buyer] += application_wei
        bond_wei = self.rules.bond_of(price_wei)
        self.deals[lock] = Deal(buyer, payee, price_wei, bond_wei, "selected")
        self._hold(self.deals[lock])

    def close(self, ad: str, *standing: str, by: str, gas: int | None = None) -> None:
        """Share the prepayment of a buyer who walked away; what cannot be divided is its own."""
        buyer, wei = self.applications.pop(ad)
        self._send(by, "DataMarket.close, 2 responses", gas)
        part = wei // len(standing) if standing else 0
        for node in standing:
            self.withdrawable[node] += part
        self.withdrawable[buyer] += wei - part * len(standing)

    def decline(self, lock: str, *, gas: int | None = None) -> None:
        """Give the price back and free the bond."""
        deal = self._leave(lock, "selected", to="declined")
        self._send(deal.payee, "PrepaidLock.decline", gas)
        self._free(deal)
        self.withdrawable[deal.payer] += deal.price_wei

    def deliver(self, lock: str, *, by: str = "", gas: int | None = None) -> None:
        """Deliver the shares; a dispute window begins."""
        deal = self._leave(lock, "selected", to="delivered")
        self._send(by or deal.payee, "PrepaidLock.deliver, (3,5)", gas)

    # ---- withheld, or wrong ----

    def demand(self, lock: str, *, gas: int | None = None) -> None:
        """Ask for the bytes on chain; deposit the cost of serving."""
        deal = self.deals[lock]
        if deal.is_demanded:
            raise RefusedCall(f"{lock} was demanded before")
        self._leave(lock, "claimed", to="demanded")
        deal.is_demanded, deal.deposit_wei = True, self.rules.demand_of(deal.length)
        self._send(deal.payer, "PrepaidLock.demand", gas, deal.deposit_wei)

    def serve(self, lock: str, gas: int, *, by: str = "") -> int:
        """Serve the bytes: paid by the base fee, at most the deposit. Return what was paid."""
        deal = self._leave(lock, "demanded", to="claimed")
        self._send(by or deal.payee, "", gas)
        paid_wei = min(self.base_fee_wei * paid_gas(deal.length), deal.deposit_wei)
        self.withdrawable[deal.payee] += paid_wei
        self.withdrawable[deal.payer] += deal.deposit_wei - paid_wei
        deal.deposit_wei = 0
        return paid_wei

    def slash(self, lock: str, *, by: str = "", gas: int | None = None) -> None:
        """End what was not served: price, bond and deposit to the payer."""
        deal = self._leave(lock, "demanded", to="slashed")
        self._send(by or deal.payer, "PrepaidLock.slash", gas)
        self.withdrawable[deal.payer] += deal.deposit_wei
        deal.deposit_wei = 0
        self._pay_back(deal, fee_wei=0)

    def dispute(self, lock: str, *, by: str = "", gas: int | None = None) -> None:
        """Bring it before the judges, with a bond; at most three open for an account."""
        deal = self.deals[lock]
        disputer = by or deal.payer
        if self.open_disputes[disputer] == MOST_DISPUTES:
            raise RefusedCall(f"{disputer} has {MOST_DISPUTES} disputes open")
        self._leave(lock, "claimed", "delivered", to="disputed")
        deal.disputer, deal.dispute_wei = disputer, self.rules.dispute_of(deal.price_wei)
        self.open_disputes[disputer] += 1
        self._send(disputer, "PrepaidLock.dispute", gas, deal.dispute_wei)

    def vote(self, judge: str, *, gas: int | None = None) -> None:
        """One vote that does not decide yet."""
        self._send(judge, "DisputeCourt.vote", gas)

    def decide(self, lock: str, *, for_payer: bool, judge: str, gas: int | None = None) -> None:
        """The deciding vote: the loser's bond goes to the other party, the fee is the same."""
        deal = self._leave(lock, "disputed", to="slashed" if for_payer else "settled")
        side = "payer" if for_payer else "payee"
        self._send(judge, f"DisputeCourt.vote, deciding for the {side}", gas)
        wei = self._end_dispute(deal)
        if for_payer:
            self.withdrawable[deal.disputer] += wei
            self._pay_back(deal, fee_wei=self.rules.fee_of(deal.price_wei))
        else:
            self._pay_out(deal, gain_wei=wei)

    # ---- the end ----

    def settle(self, lock: str, *, by: str = "", gas: int | None = None) -> None:
        """Pay the payee after the window."""
        deal = self._leave(lock, "claimed", "delivered", to="settled")
        self._send(by or deal.payee, "PrepaidLock.settle", gas)
        self._pay_out(deal, gain_wei=0)

    def refund(self, lock: str, *, by: str = "", gas: int | None = None) -> None:
        """Give back what was not accepted, was missed (with the bond), or stayed undecided."""
        deal = self.deals[lock]
        before = deal.state
        self._leave(lock, "requested", "accepted", "selected", "disputed", to="refunded")
        at = {"requested": "Requested", "disputed": "Disputed"}.get(before, "Accepted")
        self._send(by or deal.payer, f"PrepaidLock.refund, from {at}", gas)
        self.withdrawable[deal.payer] += deal.price_wei
        if at == "Accepted":
            self.held[deal.payee] -= deal.bond_wei
            self.withdrawable[deal.payer] += deal.bond_wei
            self.credit.record_failure(deal.payee, at=0)
        elif at == "Disputed":
            self.withdrawable[deal.disputer] += self._end_dispute(deal)
            self._free(deal)

    # ---- parts ----

    def _send(self, by: str, name: str, gas: int | None, wei: int = 0) -> None:
        used = gas_of(name) if gas is None else gas
        self.spent[by] += used * (self.base_fee_wei + self.tip_wei) + wei
        self.spent[self.sealer] -= used * self.tip_wei
        self.used[by] += used
        self.burned_wei += used * self.base_fee_wei

    def _leave(self, lock: str, *states: str, to: str) -> Deal:
        deal = self.deals[lock]
        if deal.state not in states:
            raise RefusedCall(f"{lock} is {deal.state}, not {' or '.join(states)}")
        deal.state = to
        return deal

    def _hold(self, deal: Deal) -> None:
        if self.free[deal.payee] < deal.bond_wei:
            raise RefusedCall(f"{deal.payee} has {self.free[deal.payee]} wei of bond free")
        self.free[deal.payee] -= deal.bond_wei
        self.held[deal.payee] += deal.bond_wei

    def _free(self, deal: Deal) -> None:
        self.held[deal.payee] -= deal.bond_wei
        self.free[deal.payee] += deal.bond_wei

    def _end_dispute(self, deal: Deal) -> int:
        self.open_disputes[deal.disputer] -= 1
        wei, deal.dispute_wei = deal.dispute_wei, 0
        return wei

    def _pay_out(self, deal: Deal, *, gain_wei: int) -> None:
        fee_wei = self.rules.fee_of(deal.price_wei)
        self.withdrawable[deal.payee] += deal.price_wei - fee_wei + gain_wei
        self.withdrawable[TREASURY] += fee_wei
        self._free(deal)
        self.credit.record_success(deal.payee, deal.payer, fee_wei, at=0)

    def _pay_back(self, deal: Deal, *, fee_wei: int) -> None:
        self.held[deal.payee] -= deal.bond_wei
        self.withdrawable[deal.payer] += deal.price_wei + deal.bond_wei - fee_wei
        self.withdrawable[TREASURY] += fee_wei
        self.credit.record_failure(deal.payee, at=0)
