"""PrepaidLock driven at random against a model in Python that predicts every revert.

Several locks stand at once; the consortium changes the rules in between; time jumps to a second
before, at and after each deadline. After each step:

1. the contract's balance is what came in less what went out, and equals ``liabilitiesWei``;
2. ``liabilitiesWei`` is the sum of the model's open prepayments, bonds, deposits and withdrawable
   sums;
3. every lock, dispute, case, bond, deposit, withdrawable sum and credit is stored as in the model;
4. a view rebuilt from the events alone (event_view.py) equals storage in all of it.
"""

from __future__ import annotations

import hashlib
import secrets
from random import Random
from typing import Any, NamedTuple

import disputes
import money
import publishing
from credit_model import CreditModel
from event_view import EventView
from hypothesis import HealthCheck, note
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from lock_model import (
    ALL_RULES,
    ANSWER,
    ANSWER_DIGEST,
    BACKED,
    FAR_S,
    HANDED_OVER,
    JUDGES_NEEDED,
    OPEN,
    PAID,
    PUT_UP_WEI,
    REASON,
    SHARING_PRICE_WEI,
    SHARING_WINDOW_S,
    SMALL_WEI,
    Model,
)
from members import Role
from money import (
    ACCEPTED,
    ADVICE,
    BILL,
    BPS,
    CLAIMED,
    DECLINED,
    DELIVERED,
    DEMANDED,
    DISPUTED,
    REFUNDED,
    REJECTED,
    REQUESTED,
    RULES,
    SELECTED,
    SETTLED,
    SHARING_SHORTEST_S,
    SHORTEST_S,
    SLASHED,
    SharingOrder,
)
from reading import plain
from reading_many import read_many
from reverting import reverts_with

from offchain.crypto import sharing
from tests.contracts.conftest import isolated

ACTIONS = (
    *("request", "request", "request", "select", "select", "reject", "decline", "accept", "claim"),
    *("deliver", "settle", "refund", "end_many", "demand", "serve", "slash", "dispute"),
    *("dispute_as_member", "vote", "withdraw", "withdraw", "add_bond", "take_bond"),
    *("change_rules", "hold_application", "release_application", "draw", "draw_many"),
)
# What moves a lock on: else few would come far.
NEXT = {
    REQUESTED: ("accept", "accept", "accept", "reject", "refund"),
    ACCEPTED: ("claim", "claim", "claim", "refund"),
    CLAIMED: ("demand", "demand", "dispute", "settle"),
    SELECTED: ("deliver", "decline", "refund"),
    DELIVERED: ("dispute", "dispute_as_member", "settle"),
    DEMANDED: ("serve", "slash"),
    DISPUTED: ("vote", "vote", "vote", "refund"),
}
# Brownie's own `state_machine` fixture does not work with the compiled build of Brownie 1.22.
SETTINGS = hypothesis_settings(
    max_examples=30,
    stateful_step_count=90,
    deadline=None,
    database=None,
    derandomize=True,  # the same sequences in every run
    suppress_health_check=HealthCheck.all(),
)


class Luck(NamedTuple):
    """What chance decides about a call."""

    index: int  # which lock, counted from the latest
    right: bool  # the right sender, secret, shares, value
    edge: int | None  # seconds from the lock's deadline, None: the next second
    spare: int  # seconds that T is beyond the shortest
    type_id: int
    side: int  # which region, party or verdict


def draw_luck(chance: Random) -> Luck:
    """Draw what is decided about a call, most often so that it can succeed."""
    return Luck(
        index=chance.choice([0, 0, 0, 1, 1, 2, 3, 5]),
        right=chance.random() < 0.8,
        edge=chance.choice([None, None, None, None, None, -1, 0, 1]),
        spare=chance.choice([-1, 0, 40, 2_000, 9_000, 30_000, 90_000]),
        type_id=chance.choice([BILL, ADVICE, ADVICE]),
        side=chance.randrange(3),
    )


# What the sequences must have led to at least, or they prove too little.
FUNCTIONS = {
    *("request", "reject", "accept", "claim", "openSharing", "decline", "deliver"),
    *("settle", "refund", "withdrawFor", "demand", "serve", "slash", "dispute", "disputeAsMember"),
    *("vote", "endMany", "addBond", "takeBond", "holdApplication", "releaseApplication"),
    *("draw", "drawMany"),
}
ENDINGS = {  # from which state to which
    *((REQUESTED, REJECTED), (REQUESTED, REFUNDED), (ACCEPTED, REFUNDED), (SELECTED, DECLINED)),
    *((SELECTED, REFUNDED), (CLAIMED, SETTLED), (DELIVERED, SETTLED), (DEMANDED, SLASHED)),
    *((DISPUTED, SETTLED), (DISPUTED, SLASHED), (DISPUTED, REFUNDED)),
}
LEAST_REFUSALS = 36  # different ones
OWNERS_BPS = 3_333


class PrepaidLockMachine(RuleBasedStateMachine):
    """Rules are calls of the contract; each predicts its own outcome first."""

    def __init__(self, scene: dict[str, Any]) -> None:
        super().__init__()
        vars(self).update(scene)
        self.isolation = self.isolated()
        self.isolation.__enter__()

    def teardown(self) -> None:
        self.isolation.__exit__(None, None, None)

    @initialize()
    def setup(self) -> None:
        self.locks: list[Model] = []
        self.touched: Model | None = None
        people = (*self.users, *self.processors, *self.buyers)
        self.withdrawable = {m.address: 0 for m in people} | {self.treasury: 0}
        self.bonds = {p.address: [0, 0, 0] for p in self.processors}  # free, held, freed at
        self.credits = CreditModel(self.credit.pointWei())
        self.applications: dict[bytes, int] = {}
        self.view = EventView(self.treasury)
        self.rules, self.version = RULES, 1
        self.came_in_wei = self.went_out_wei = 0
        self.per_row_wei = self.pot_wei = 0
        self.drawn = {entry: 0 for entry, _ in self.owners.entries}
        self.clock = self.now() + 10
        for side in (0, 1):
            self.put_up(self.processors[side], PUT_UP_WEI)
        for side, type_id in ((0, BILL), (1, ADVICE), (0, ADVICE)):
            self.request(Luck(0, True, None, 5_000, type_id, side))
            self.accept(Luck(0, True, None, 0, type_id, side))
        self.select(Luck(0, True, None, 9_000, BILL, 0))

    # ---- driving ----

    def call(self, expected: tuple | None, function: Any, *arguments: Any, sender: Any, value=0):
        """Send at the next second; it must revert as ``expected``, or succeed. Tells which."""
        self.clock += 1
        self.at(self.clock)
        self.seen.add((function._name.split(".")[-1], expected[0] if expected else None))
        options = {"from": sender, "value": value}
        if expected:
            with reverts_with(*expected):
                function(*arguments, options)
            return None
        tx = function(*arguments, options)
        self.view.apply(tx)
        self.came_in_wei += value
        return tx

    @property
    def next_time(self) -> int:
        return self.clock + 1

    def pick(self, luck: Luck, *states: int) -> Model | None:
        """A lock in one of the states, the latest for index 0; for index 5 or where none is, any.

        With an edge, the next call comes a second before, at or after the lock's next deadline.
        """
        fitting = [it for it in self.locks if it.state in states]
        among = fitting if fitting and luck.index < 5 else self.locks
        if not among:
            return None
        it = self.touched = among[-1 - luck.index % len(among)]
        if luck.edge is not None and it.deadline - self.clock < FAR_S:
            # A longer jump would end most other locks.
            self.clock = max(self.clock, it.deadline + luck.edge - 1)
        return it

    def wrong_state(self, it: Model, *allowed: int) -> tuple | None:
        return None if it.state in allowed else ("PrepaidLock_WrongState", it.id, it.state)

    def too_near(self, expires_at: int, earliest: int) -> tuple | None:
        fault = ("PrepaidLock_TooLittleTime", expires_at, earliest)
        return fault if expires_at < earliest else None

    def expired(self, it: Model) -> tuple | None:
        if self.next_time < it.expires_at:
            return None
        return ("PrepaidLock_Expired", it.id, it.expires_at, self.next_time)

    def too_late(self, it: Model) -> tuple | None:
        if self.next_time < it.due_at:
            return None
        return ("PrepaidLock_TooLate", it.id, it.due_at, self.next_time)

    def too_early(self, it: Model) -> tuple | None:
        if self.next_time >= it.due_at:
            return None
        return ("PrepaidLock_TooEarly", it.id, it.due_at, self.next_time)

    def uncovered(self, payee: Any, bond_wei: int) -> tuple | None:
        free = self.bonds[payee.address][0]
        fault = ("PrepaidLock_BondTooSmall", payee.address, free, bond_wei)
        return fault if free < bond_wei else None

    # ---- the model's money ----

    def owe(self, account: Any, amount_wei: int) -> None:
        self.withdrawable[getattr(account, "address", account)] += amount_wei

    def move_bond(self, payee: Any, *, free: int = 0, held: int = 0, by_choice: bool = False):
        bond = self.bonds[payee.address]
        bond[0], bond[1] = bond[0] + free, bond[1] + held
        if by_choice:
            bond[2] = self.clock

    def begin(self, it: Model) -> None:
        self.locks.append(it)
        self.touched = it

    def enter(self, it: Model, state: int, stage_s: int) -> None:
        it.state, it.due_at = state, self.clock + stage_s

    def end(self, it: Model, state: int) -> None:
        self.ended.add((it.state, state))
        it.state = state

    def hand_over(self, it: Model, state: int) -> None:
        """Claimed or delivered at ``self.clock``; settled at once without a window."""
        self.enter(it, state, it.window_s)
        if it.window_s == 0:
            self.pay_out(it)

    def pay_out(self, it: Model, gain_wei: int = 0) -> None:
        self.end(it, SETTLED)
        each_wei, rest_wei = divmod(it.owners_part_wei, self.owners.rows)
        self.per_row_wei += each_wei
        self.pot_wei += it.owners_part_wei - rest_wei
        fee_wei = it.fee_wei + rest_wei
        self.owe(it.payee, it.price_wei - it.fee_wei - it.owners_part_wei + gain_wei)
        self.owe(self.treasury, fee_wei)
        self.move_bond(it.payee, free=it.bond_wei, held=-it.bond_wei)
        self.credits.succeed(it.payee.address, it.payer.address, fee_wei, self.clock)

    def pay_back(self, it: Model, fee_wei: int) -> None:
        self.end(it, SLASHED)
        self.owe(it.payer, it.price_wei + it.bond_wei - fee_wei)
        self.owe(self.treasury, fee_wei)
        self.move_bond(it.payee, held=-it.bond_wei)
        self.credits.fail(it.payee.address, self.clock)

    def give_back(self, it: Model) -> None:
        state = it.state
        self.end(it, REFUNDED)
        self.owe(it.payer, it.price_wei)
        if state == DISPUTED:
            self.owe(it.disputer, it.dispute_wei)
            self.move_bond(it.payee, free=it.bond_wei, held=-it.bond_wei)
        elif state != REQUESTED:
            self.owe(it.payer, it.bond_wei)
            self.move_bond(it.payee, held=-it.bond_wei)
            self.credits.fail(it.payee.address, self.clock)

    def slash_model(self, it: Model) -> None:
        self.owe(it.payer, it.demand_wei)
        self.pay_back(it, 0)

    # One rule and one source of chance: Hypothesis by itself would leave most actions out of a
    # sequence and repeat values; so it shortens a failing sequence, and does not choose it.
    @rule(chance=st.randoms(use_true_random=True))
    def act(self, chance: Random) -> None:
        standing = sorted({it.state for it in self.locks} & OPEN)
        is_next = standing and chance.random() < 0.6
        action = chance.choice(NEXT[chance.choice(standing)] if is_next else ACTIONS)
        luck = draw_luck(chance)
        note(f"{action} {luck}")
        getattr(self, action)(luck)

    # ---- beginning ----

    def request(self, luck: Luck) -> None:
        side = luck.side % 2
        payer, payee = self.users[side], self.processors[side]
        earliest = self.next_time + SHORTEST_S
        order = money.request_order(payee, expires_at=earliest + luck.spare, type_id=luck.type_id)
        expected = self.too_near(earliest + luck.spare, earliest)
        price = money.PRICE_WEI if luck.type_id == BILL else money.ADVICE_PRICE_WEI
        order = order._replace(terms=self.terms(order.terms, price))
        signature = money.sign_request(self.lock, payer, order)
        sent = {"sender": payer.account, "value": price}
        if self.call(expected, self.lock.request, order, signature, **sent):
            lock_id = money.id_of(self.lock, payer, order.nonce)
            window = 0 if luck.type_id == BILL else money.WINDOW_S
            terms = (price, order.expires_at, window, REQUESTED, self.rules, self.version)
            subject = luck.type_id.to_bytes(32, "big")
            it = Model(lock_id, payer, payee, *terms, subject)
            it.answer_length = money.LONGEST_ANSWER
            self.begin(it)

    def terms(self, of: money.LockTerms, price_wei: int) -> money.LockTerms:
        """Return terms under the present rules, which is what a payer signs."""
        bond_wei = price_wei * self.rules.bond_bps // BPS
        fee_bps = self.rules.fee_bps
        return of._replace(rules_version=self.version, fee_bps=fee_bps, bond_wei=bond_wei)

    def select(self, luck: Luck) -> None:
        earliest = self.next_time + SHARING_SHORTEST_S
        order = self.sharing_order._replace(
            expires_at=earliest + luck.spare, nonce=secrets.token_bytes(32)
        )
        order = order._replace(terms=self.terms(order.terms, order.price_wei))
        buyer, payee = self.buyers[0], self.processors[0]
        bond_wei = order.price_wei * self.rules.bond_bps // BPS
        expected = self.too_near(earliest + luck.spare, earliest)
        expected = expected or self.uncovered(payee, bond_wei)
        signature = money.sign_sharing(self.lock, buyer, order)
        sent = {"sender": self.market_account, "value": order.price_wei}
        if self.call(expected, self.lock.openSharing, order, signature, **sent):
            lock_id = money.id_of(self.lock, buyer, order.nonce)
            terms = (order.price_wei, order.expires_at, SHARING_WINDOW_S, SELECTED)
            rules = (self.rules, self.version)
            it = Model(lock_id, buyer, payee, *terms, *rules, order.data_set_id, OWNERS_BPS)
            it.group, it.binding = (order.threshold, order.group_size), order.group_hash
            self.move_bond(payee, free=-it.bond_wei, held=it.bond_wei)
            self.begin(it)

    def change_rules(self, luck: Luck) -> None:
        """The consortium sets other rules; they bind only what begins afterwards."""
        if luck.index not in (0, 1):
            return  # it takes three transactions
        self.rules = ALL_RULES[luck.side % 2]
        self.version += 1
        self.govern(self.catalogue, "setRules", disputes.rules_words(self.rules))
        self.clock = max(self.clock, self.now())

    # ---- the payee's steps ----

    def reject(self, luck: Luck) -> None:
        if it := self.pick(luck, REQUESTED):
            sender = it.payee if luck.right else it.payer
            stranger = None if luck.right else ("PrepaidLock_NotPayee", it.id, sender.address)
            expected = stranger or self.wrong_state(it, REQUESTED)
            if self.call(expected, self.lock.reject, it.id, REASON, sender=sender.account):
                self.end(it, REJECTED)
                self.owe(it.payer, it.price_wei)

    def accept(self, luck: Luck) -> None:
        if not (it := self.pick(luck, REQUESTED)):
            return
        expected = self.wrong_state(it, REQUESTED) or self.expired(it)
        secret_hash = money.commitment_of(it.payee, it.secret)
        if not luck.right:
            secret_hash = money.NOTHING
            expected = expected or ("PrepaidLock_SecretHashUsed", secret_hash)
        expected = expected or self.uncovered(it.payee, it.bond_wei)
        arguments = (it.id, secret_hash, ANSWER_DIGEST, len(ANSWER))
        if self.call(expected, self.lock.accept, *arguments, sender=it.payee.account):
            it.state, it.binding = ACCEPTED, secret_hash
            it.answer_length, it.answer_digest = len(ANSWER), ANSWER_DIGEST
            self.move_bond(it.payee, free=-it.bond_wei, held=it.bond_wei)

    def decline(self, luck: Luck) -> None:
        if it := self.pick(luck, SELECTED):
            sender = it.payee if luck.right else it.payer
            stranger = None if luck.right else ("PrepaidLock_NotPayee", it.id, sender.address)
            expected = stranger or self.wrong_state(it, SELECTED) or self.expired(it)
            if self.call(expected, self.lock.decline, it.id, REASON, sender=sender.account):
                self.end(it, DECLINED)
                self.owe(it.payer, it.price_wei)
                bond = it.bond_wei
                self.move_bond(it.payee, free=bond, held=-bond)

    def add_bond(self, luck: Luck) -> None:
        payee, value = self.processors[luck.side % 2], SMALL_WEI if luck.right else 0
        if value:
            return self.put_up(payee, value)
        expected = ("PrepaidLock_WrongValue", 0, 1)
        return self.call(expected, self.lock.addBond, payee.address, sender=self.relayer)

    def put_up(self, payee: Any, value: int) -> None:
        sent = {"sender": payee.account, "value": value}
        if self.call(None, self.lock.addBond, payee.address, **sent):
            self.move_bond(payee, free=value)

    def take_bond(self, luck: Luck) -> None:
        payee = self.processors[luck.side % 2]
        free = self.bonds[payee.address][0]
        amount = free + 1 if not luck.right else min(free, (luck.index + 1) * SMALL_WEI)
        expected = None
        if amount == 0 or amount > free:
            expected = ("PrepaidLock_BondTooSmall", payee.address, free, amount)
        if self.call(expected, self.lock.takeBond, amount, sender=payee.account):
            self.move_bond(payee, free=-amount, by_choice=True)
            self.owe(payee, amount)

    # ---- success and failure, by anyone ----

    def claim(self, luck: Luck) -> None:
        if not (it := self.pick(luck, ACCEPTED)):
            return
        expected = self.wrong_state(it, ACCEPTED) or self.expired(it)
        if not luck.right:
            expected = expected or ("PrepaidLock_BadSecret", it.id)
        secret = it.secret if luck.right else secrets.token_bytes(32)
        if self.call(expected, self.lock.claim, it.id, secret, sender=self.relayer):
            self.hand_over(it, CLAIMED)

    def deliver(self, luck: Luck) -> None:
        if not (it := self.pick(luck, SELECTED)):
            return
        expected = self.wrong_state(it, SELECTED) or self.expired(it)
        commitments, shares = self.transcript
        if not luck.right:
            expected = expected or ("PrepaidLock_BadShares", it.id)
            shares = [shares[1], shares[0], shares[2]]
        members = (self.group.accounts, self.group.key_words)
        dealing = (commitments, shares)
        leave, sender = money.NO_AUTHORISATION, it.payee.account
        if luck.side % 2 and it.binding == self.group.hash:  # relayed
            leave = money.sign_delivery(self.lock, it.payee, it.id, self.group, dealing)
            sender = self.relayer
        if self.call(expected, self.lock.deliver, it.id, *members, *dealing, leave, sender=sender):
            self.hand_over(it, DELIVERED)

    def refund(self, luck: Luck) -> None:
        if not (it := self.pick(luck, *PAID, DISPUTED)):
            return
        expected = self.wrong_state(it, *PAID, DISPUTED)
        if it.state == DISPUTED:
            expected = self.too_early(it)
        elif not expected and self.next_time < it.expires_at:
            expected = ("PrepaidLock_NotExpired", it.id, it.expires_at, self.next_time)
        if self.call(expected, self.lock.refund, it.id, sender=self.relayer):
            self.give_back(it)

    def settle(self, luck: Luck) -> None:
        if not (it := self.pick(luck, *HANDED_OVER)):
            return
        expected = self.wrong_state(it, *HANDED_OVER) or self.too_early(it)
        if self.call(expected, self.lock.settle, it.id, sender=self.relayer):
            self.pay_out(it)

    def end_many(self, luck: Luck) -> None:
        """What is due of some locks; each ends by its own rule."""
        self.pick(luck, *OPEN)
        chosen = self.locks[-1 - luck.index :]
        tx = self.call(None, self.lock.endMany, [it.id for it in chosen], sender=self.relayer)
        due = [it for it in chosen if it.state in OPEN and self.clock >= it.deadline]
        assert tx.return_value == len(due)
        for it in due:
            if it.state in HANDED_OVER:
                self.pay_out(it)
            elif it.state == DEMANDED:
                self.slash_model(it)
            else:
                self.give_back(it)

    def withdraw(self, luck: Luck) -> None:
        address = list(self.withdrawable)[(luck.index + 3 * luck.side) % len(self.withdrawable)]
        due = self.withdrawable[address]
        before = money.balance_of(address)
        expected = None if due else ("PrepaidLock_NothingToWithdraw", address)
        if self.call(expected, self.lock.withdrawFor, address, sender=self.relayer):
            self.withdrawable[address] = 0
            self.went_out_wei += due
            assert money.balance_of(address) == before + due

    # ---- demands and disputes ----

    def demand(self, luck: Luck) -> None:
        if not (it := self.pick(luck, CLAIMED)):
            return
        expected = self.wrong_state(it, CLAIMED) or self.too_late(it)
        if it.is_demanded:
            expected = expected or ("PrepaidLock_AlreadyDemanded", it.id)
        value = it.demand_wei if luck.right else it.demand_wei - 1
        if not luck.right:
            expected = expected or ("PrepaidLock_WrongValue", value, it.demand_wei)
        sent = {"sender": it.payer.account, "value": value}
        if self.call(expected, self.lock.demand, it.id, **sent):
            it.is_demanded = True
            self.enter(it, DEMANDED, it.rules.serve_seconds)

    def serve(self, luck: Luck) -> None:
        if not (it := self.pick(luck, DEMANDED)):
            return
        expected = self.wrong_state(it, DEMANDED) or self.too_late(it)
        answer = ANSWER if luck.right else ANSWER[::-1]
        if not luck.right:
            digest = hashlib.sha256(answer).digest()
            expected = expected or ("PrepaidLock_WrongAnswer", it.id, digest)
        if self.call(expected, self.lock.serve, it.id, answer, sender=self.relayer):
            self.owe(it.payer, it.demand_wei)  # gas costs nothing here
            self.enter(it, CLAIMED, it.window_s)

    def slash(self, luck: Luck) -> None:
        if it := self.pick(luck, DEMANDED):
            expected = self.wrong_state(it, DEMANDED) or self.too_early(it)
            if self.call(expected, self.lock.slash, it.id, sender=self.relayer):
                self.slash_model(it)

    def dispute(self, luck: Luck) -> None:
        if not (it := self.pick(luck, *HANDED_OVER)):
            return
        by = it.payer if luck.right else it.payee
        expected = self.wrong_state(it, *HANDED_OVER) or self.too_late(it)
        if not luck.right:
            expected = expected or ("PrepaidLock_NotParty", it.id, by.address)
        expected = expected or self.too_many(by)
        sent = {"sender": by.account, "value": it.dispute_wei}
        if self.call(expected, self.lock.dispute, it.id, *disputes.EVIDENCE, **sent):
            self.open_case(it, by)

    def dispute_as_member(self, luck: Luck) -> None:
        if not (it := self.pick(luck, DELIVERED)):
            return
        by = self.buyers[luck.side] if luck.right else self.users[0]
        expected = self.wrong_state(it, *HANDED_OVER) or self.too_late(it)
        if it.binding != self.group.hash:
            expected = expected or ("PrepaidLock_WrongGroup", it.id)
        elif not luck.right:
            expected = expected or ("PrepaidLock_NotParty", it.id, by.address)
        expected = expected or self.too_many(by)
        members = (self.group.accounts, self.group.key_words)
        sent = {"sender": by.account, "value": it.dispute_wei}
        arguments = (it.id, *members, *disputes.EVIDENCE)
        if self.call(expected, self.lock.disputeAsMember, *arguments, **sent):
            self.open_case(it, by)

    def too_many(self, by: Any) -> tuple | None:
        count = sum(it.state == DISPUTED and it.disputer == by for it in self.locks)
        return ("PrepaidLock_TooManyDisputes", by.address, 3) if count == 3 else None

    def open_case(self, it: Model, by: Any) -> None:
        it.disputer, it.opened_at = by, self.clock
        self.enter(it, DISPUTED, it.rules.decide_seconds)
        it.decide_by = it.due_at

    def vote(self, luck: Luck) -> None:
        if not (it := self.pick(luck, DISPUTED)):
            return
        judge = self.judges[luck.side] if luck.right else self.users[0]
        expected = self.refused_vote(it, judge)
        # Most judges of a case agree.
        for_payer = (self.locks.index(it) % 2 == 0) == (luck.index < 3)
        if self.call(expected, self.court.vote, it.id, for_payer, sender=judge.account):
            it.votes[judge.address] = for_payer
            if list(it.votes.values()).count(for_payer) == JUDGES_NEEDED:
                self.decide(it, for_payer)

    def refused_vote(self, it: Model, judge: Any) -> tuple | None:
        if not it.opened_at:
            return ("DisputeCourt_NoCase", it.id)
        if it.is_decided:
            return ("DisputeCourt_AlreadyDecided", it.id)
        if self.next_time >= it.due_at:
            return ("DisputeCourt_TooLate", it.id, it.due_at, self.next_time)
        if judge not in self.judges:
            return ("DisputeCourt_NotJudge", it.id, judge.address)
        if judge.address in it.votes:
            return ("DisputeCourt_AlreadyVoted", it.id, judge.address)
        return None

    def decide(self, it: Model, for_payer: bool) -> None:
        it.is_decided = True
        if for_payer:
            self.owe(it.disputer, it.dispute_wei)
            self.pay_back(it, it.fee_wei)
        else:
            self.pay_out(it, it.dispute_wei)

    # ---- what owners draw ----

    def draw(self, luck: Luck) -> None:
        leaf = self.owners.leaf_at(luck.index % len(self.owners.entries))
        leaf = leaf if luck.right else leaf._replace(rows=leaf.rows + 1)
        expected = None
        if not luck.right:
            expected = ("DataSetBook_BadLeaf", self.data_set_id, leaf.device)
        arguments = (self.data_set_id, leaf)
        if self.call(expected, self.data_sets.draw, *arguments, sender=self.relayer):
            self.draw_model(leaf)

    def draw_many(self, luck: Luck) -> None:
        leaves = [self.owners.leaf_at(i) for i in range(len(self.owners.entries))]
        draws = [(self.data_set_id, leaf) for leaf in (*leaves, leaves[luck.side % len(leaves)])]
        if self.call(None, self.data_sets.drawMany, draws, sender=self.relayer):
            for leaf in leaves:
                self.draw_model(leaf)

    def draw_model(self, leaf: Any) -> None:
        amount_wei = leaf.rows * (self.per_row_wei - self.drawn[leaf.device])
        self.drawn[leaf.device] = self.per_row_wei
        self.pot_wei -= amount_wei
        self.owe(self.owner_of[leaf.device], amount_wei)

    # ---- the market's deposits ----

    def hold_application(self, luck: Luck) -> None:
        broadcast_id, payer = secrets.token_bytes(32), self.buyers[0]
        sent = {"sender": self.market_account, "value": money.APPLICATION_WEI}
        if self.call(None, self.lock.holdApplication, broadcast_id, payer.address, **sent):
            self.applications[broadcast_id] = money.APPLICATION_WEI

    def release_application(self, luck: Luck) -> None:
        if not self.applications:
            return
        broadcast_id = list(self.applications)[-1]
        held = self.applications[broadcast_id]
        payee, payer = self.processors[luck.side % 2], self.buyers[0]
        parts = [held // 3, held - held // 3 + (0 if luck.right else 1)]
        expected = None
        if sum(parts) != held:
            expected = ("PrepaidLock_WrongRelease", broadcast_id, held, sum(parts))
        arguments = (broadcast_id, [payee.address, payer.address], parts)
        if self.call(
            expected, self.lock.releaseApplication, *arguments, sender=self.market_account
        ):
            self.applications[broadcast_id] = 0
            self.owe(payee, parts[0])
            self.owe(payer, parts[1])

    # ---- what must stay true ----

    @invariant()
    def money_is_conserved(self) -> None:
        held = sum(it.held_wei for it in self.locks) + sum(self.applications.values())
        bonds = sum(free + held for free, held, _ in self.bonds.values())
        owed = held + bonds + sum(self.withdrawable.values()) + self.pot_wei
        sums = tuple(self.data_sets.earningsOf(self.data_set_id)[:2])
        assert sums == (self.per_row_wei, self.pot_wei)
        assert self.pot_wei == self.view.pots[self.data_set_id] >= 0
        assert self.lock.liabilitiesWei() == owed
        assert self.lock.balance() == self.came_in_wei - self.went_out_wei == owed
        backing = sum(it.bond_wei for it in self.locks if it.state in BACKED)
        assert sum(held for _, held, _ in self.bonds.values()) == backing

    @invariant()
    def storage_agrees_with_model_and_events(self) -> None:
        locks, accounts, bonded = self.locks, list(self.withdrawable), list(self.bonds)
        deposits = list(self.applications)
        ids = [it.id for it in locks]
        answers = iter(
            read_many(
                [(self.lock.lockOf, lock_id) for lock_id in ids]
                + [(self.lock.disputeOf, lock_id) for lock_id in ids]
                + [(self.court.caseOf, lock_id) for lock_id in ids]
                + [(self.lock.withdrawableOf, account) for account in accounts]
                + [(self.lock.bondOf, account) for account in bonded]
                + [(self.credit.creditOf, account) for account in bonded]
                + [(self.lock.applicationOf, broadcast_id) for broadcast_id in deposits]
                + [(self.lock.liabilitiesWei,)]
            )
        )
        stored = [[next(answers) for _ in locks] for _ in range(3)]
        for it, lock, disputed, case in zip(locks, *stored, strict=True):
            expected = it.as_stored(), it.dispute_as_stored(), it.case_as_stored()
            found = plain(lock), plain(disputed), plain(case)
            assert found == expected == self.view.as_stored(it.id)
        view, now = self.view, self.now()
        assert set(view.locks) == set(ids)
        for account in accounts:
            assert next(answers) == self.withdrawable[account] == view.withdrawable[account]
        for account in bonded:
            assert plain(next(answers)) == tuple(self.bonds[account]) == view.bond_of(account)
        for account in bonded:
            points = self.credits.standing(account, now)[0]
            assert next(answers) == points == view.credit_of(account, now)
        for broadcast_id in deposits:
            held = self.applications[broadcast_id]
            assert next(answers) == held == view.applications[broadcast_id]
        assert next(answers) == view.liabilities_wei


def test_prepaid_lock__given_any_sequence_of_calls__agrees_with_the_model(
    govern, catalogue, data_sets, lock, market, credit, court, consortium, processor, processor_two,
    meter_owner, device, neighbour, buyer, buyer_two, buyer_three, founders, admit, relayer, at,
    now,
):  # fmt: skip
    money.set_terms(govern, catalogue, sharing_window_s=SHARING_WINDOW_S, owners_bps=OWNERS_BPS)
    judges = [admit(Role.CONSORTIUM, account=founder) for founder in founders]
    other = admit(Role.DEVICE, neighbour.region, owner=neighbour)
    owners = publishing.owners_of((device, 100), (other, 68))
    data_set = money.publish(data_sets, processor, owners=owners)
    group = money.group_of(buyer, buyer_two, buyer_three)
    dealt = sharing.deal(data_set.key, threshold=2, delivery_keys=group.keys)
    order = SharingOrder(
        payer=buyer.address,
        payee=processor.address,
        broadcast_id=money.digest_of("broadcast"),
        data_set_id=data_set.data_set_id,
        group_hash=group.hash,
        threshold=2,
        group_size=3,
        price_wei=SHARING_PRICE_WEI,
        message_length=1_500,
        signed_at=1_700_000_000,
        expires_at=0,
        message_digest=money.digest_of("sealed conditions"),
        nonce=money.NOTHING,
        terms=money.sharing_terms(
            SHARING_PRICE_WEI, window_s=SHARING_WINDOW_S, owners_bps=OWNERS_BPS
        ),
    )
    scene = {
        "lock": lock,
        "data_sets": data_sets,
        "data_set_id": data_set.data_set_id,
        "owners": owners,
        "owner_of": {device.address: meter_owner, other.address: neighbour},
        "credit": credit,
        "court": court,
        "catalogue": catalogue,
        "govern": govern,
        "treasury": consortium.address,
        "market_account": money.unlocked(market.address, balance_wei=10**24),
        "processors": (processor, processor_two),
        "users": (meter_owner, neighbour),
        "buyers": (buyer, buyer_two, buyer_three),
        "judges": judges,
        "relayer": relayer,
        "group": group,
        "transcript": money.transcript_words(dealt),
        "sharing_order": order,
        "at": at,
        "now": now,
        "isolated": isolated,
        "seen": set(),
        "ended": set(),
    }
    run_state_machine_as_test(lambda: PrepaidLockMachine(scene), settings=SETTINGS)
    assert {function for function, error in scene["seen"] if error is None} == FUNCTIONS
    assert scene["ended"] >= ENDINGS, ENDINGS - scene["ended"]
    refusals = {(function, error) for function, error in scene["seen"] if error}
    print(f"{len(refusals)} refusals: {sorted(refusals)}")
    assert len(refusals) >= LEAST_REFUSALS, refusals
