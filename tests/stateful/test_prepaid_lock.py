"""PrepaidLock driven at random against a model in Python that predicts every revert.

Several locks stand at once; time jumps to a second before, at and after each deadline. After each
step:

1. the contract's balance is what came in less what went out, and never below ``liabilitiesWei``;
2. ``liabilitiesWei`` is the sum of open prepayments and withdrawable sums of the model;
3. every lock is in the model's state, every account may withdraw what the model says;
4. credit is the model's: it moved once for each lock that ended well or was broken.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple

import money
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
from money import (
    ACCEPTED,
    ADVICE,
    BILL,
    CLAIMED,
    DECLINED,
    DELIVERED,
    REFUNDED,
    REJECTED,
    REQUESTED,
    SELECTED,
    SETTLED,
    SHARING_SHORTEST_S,
    SHORTEST_S,
    SharingOrder,
)
from reverting import reverts_with

from offchain.crypto import sharing
from tests.contracts.conftest import isolated

REASON = money.NOT_SERVED
SHARING_PRICE_WEI, SHARING_WINDOW_S = 7 * 10**15, 200
FAR_S = 2_500
OPEN = {REQUESTED, ACCEPTED, CLAIMED, SELECTED, DELIVERED}


@dataclass
class Model:
    """One lock as it should stand."""

    id: bytes
    payer: Any
    payee: Any
    price_wei: int
    expires_at: int
    window_s: int
    state: int
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    settle_at: int = 0


ACTIONS = (
    *("request", "request", "select", "reject", "decline", "withdraw", "withdraw"),
    *("accept", "accept", "claim", "claim", "deliver", "deliver", "settle", "settle", "refund"),
)
# Brownie's own `state_machine` fixture does not work with the compiled build of Brownie 1.22.
SETTINGS = hypothesis_settings(
    max_examples=16,
    stateful_step_count=60,
    deadline=None,
    database=None,
    derandomize=True,  # the same sequences in every run
    suppress_health_check=HealthCheck.all(),
)


class Luck(NamedTuple):
    """What chance decides about a call."""

    index: int  # which lock, counted from the latest
    right: bool  # the right sender, secret, shares
    edge: int | None  # seconds from the lock's deadline, None: the next second
    spare: int  # seconds that T is beyond the shortest
    type_id: int
    side: int  # which region


def draw_luck(chance: Random) -> Luck:
    """Draw what is decided about a call, most often so that it can succeed."""
    return Luck(
        index=chance.choice([0, 0, 0, 1, 1, 2, 3, 5]),
        right=chance.random() < 0.8,
        edge=chance.choice([None, None, None, -1, 0, 1]),
        spare=chance.choice([-1, 0, 40, 2_000, 9_000, 30_000, 90_000]),
        type_id=chance.choice([BILL, ADVICE]),
        side=chance.randrange(2),
    )


# What the sequences must have led to at least, or they prove too little.
FUNCTIONS = {
    *("request", "reject", "accept", "claim", "openSharing", "decline", "deliver"),
    *("settle", "refund", "withdrawFor"),
}
LEAST_REFUSALS = 14  # different ones, of 21


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
        self.withdrawable = {m.address: 0 for m in (*self.users, *self.processors, self.buyer)}
        self.credits = {p.address: 0 for p in self.processors}
        self.came_in_wei = self.went_out_wei = 0
        self.clock = self.now() + 10
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
            return False
        function(*arguments, options)
        return True

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
        if luck.edge is not None:
            deadline = it.settle_at if it.state in (CLAIMED, DELIVERED) else it.expires_at
            if deadline - self.clock < FAR_S:  # a longer jump would end most other locks
                self.clock = max(self.clock, deadline + luck.edge - 1)
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

    def begin(self, it: Model) -> None:
        self.locks.append(it)
        self.touched = it
        self.came_in_wei += it.price_wei

    def end(self, it: Model, state: int, owner: Any) -> None:
        it.state = state
        self.withdrawable[owner.address] += it.price_wei

    def succeed(self, it: Model, state: int) -> None:
        """Claimed or delivered at ``self.clock``; settled at once without a window."""
        it.state, it.settle_at = state, self.clock + it.window_s
        if it.window_s == 0:
            self.settle_model(it)

    def settle_model(self, it: Model) -> None:
        self.end(it, SETTLED, it.payee)
        self.credits[it.payee.address] += self.credit.GAIN()

    # One rule and one source of chance: Hypothesis by itself would leave most actions out of a
    # sequence and repeat values; so it shortens a failing sequence, and does not choose it.
    @rule(chance=st.randoms(use_true_random=True))
    def act(self, chance: Random) -> None:
        action, luck = chance.choice(ACTIONS), draw_luck(chance)
        note(f"{action} {luck}")
        getattr(self, action)(luck)

    # ---- beginning ----

    def request(self, luck: Luck) -> None:
        payer, payee = self.users[luck.side], self.processors[luck.side]
        earliest = self.next_time + SHORTEST_S
        order = money.request_order(payee, expires_at=earliest + luck.spare, type_id=luck.type_id)
        expected = self.too_near(earliest + luck.spare, earliest)
        price = money.PRICE_WEI if luck.type_id == BILL else money.ADVICE_PRICE_WEI
        signature = money.sign_request(self.lock, payer, order)
        sent = {"sender": payer.account, "value": price}
        if self.call(expected, self.lock.request, order, signature, **sent):
            lock_id = money.id_of(self.lock, payer, order.nonce)
            window = 0 if luck.type_id == BILL else money.WINDOW_S
            self.begin(Model(lock_id, payer, payee, price, order.expires_at, window, REQUESTED))

    def select(self, luck: Luck) -> None:
        earliest = self.next_time + SHARING_SHORTEST_S
        order = self.sharing_order._replace(
            expires_at=earliest + luck.spare, nonce=secrets.token_bytes(32)
        )
        expected = self.too_near(earliest + luck.spare, earliest)
        signature = money.sign_sharing(self.lock, self.buyer, order)
        sent = {"sender": self.market_account, "value": order.price_wei}
        if self.call(expected, self.lock.openSharing, order, signature, **sent):
            lock_id = money.id_of(self.lock, self.buyer, order.nonce)
            price, expires_at = order.price_wei, order.expires_at
            pair = (self.buyer, self.processors[0])
            self.begin(Model(lock_id, *pair, price, expires_at, SHARING_WINDOW_S, SELECTED))

    # ---- the payee's steps ----

    def reject(self, luck: Luck) -> None:
        if it := self.pick(luck, REQUESTED):
            sender = it.payee if luck.right else it.payer
            stranger = None if luck.right else ("PrepaidLock_NotPayee", it.id, sender.address)
            expected = stranger or self.wrong_state(it, REQUESTED)
            if self.call(expected, self.lock.reject, it.id, REASON, sender=sender.account):
                self.end(it, REJECTED, it.payer)

    def accept(self, luck: Luck) -> None:
        if not (it := self.pick(luck, REQUESTED)):
            return
        expected = self.wrong_state(it, REQUESTED) or self.expired(it)
        secret_hash = money.commitment_of(it.payee, it.secret)
        if not luck.right:
            secret_hash = money.NOTHING
            expected = expected or ("PrepaidLock_SecretHashUsed", secret_hash)
        arguments = (it.id, secret_hash, money.digest_of("answer"), 9_000)
        if self.call(expected, self.lock.accept, *arguments, sender=it.payee.account):
            it.state = ACCEPTED

    def decline(self, luck: Luck) -> None:
        if it := self.pick(luck, SELECTED):
            sender = it.payee if luck.right else it.payer
            stranger = None if luck.right else ("PrepaidLock_NotPayee", it.id, sender.address)
            expected = stranger or self.wrong_state(it, SELECTED) or self.expired(it)
            if self.call(expected, self.lock.decline, it.id, REASON, sender=sender.account):
                self.end(it, DECLINED, it.payer)

    # ---- success and failure, by anyone ----

    def claim(self, luck: Luck) -> None:
        if not (it := self.pick(luck, ACCEPTED)):
            return
        expected = self.wrong_state(it, ACCEPTED) or self.expired(it)
        if not luck.right:
            expected = expected or ("PrepaidLock_BadSecret", it.id)
        secret = it.secret if luck.right else secrets.token_bytes(32)
        if self.call(expected, self.lock.claim, it.id, secret, sender=self.relayer):
            self.succeed(it, CLAIMED)

    def deliver(self, luck: Luck) -> None:
        if not (it := self.pick(luck, SELECTED)):
            return
        expected = self.wrong_state(it, SELECTED) or self.expired(it)
        commitments, shares = self.transcript
        if not luck.right:
            expected = expected or ("PrepaidLock_BadShares", it.id)
            shares = [shares[1], shares[0], shares[2]]
        arguments = (it.id, self.group.accounts, self.group.key_words, commitments, shares)
        if self.call(expected, self.lock.deliver, *arguments, sender=self.relayer):
            self.succeed(it, DELIVERED)

    def refund(self, luck: Luck) -> None:
        if not (it := self.pick(luck, REQUESTED, ACCEPTED, SELECTED)):
            return
        expected = self.wrong_state(it, REQUESTED, ACCEPTED, SELECTED)
        if not expected and self.next_time < it.expires_at:
            expected = ("PrepaidLock_NotExpired", it.id, it.expires_at, self.next_time)
        if self.call(expected, self.lock.refund, it.id, sender=self.relayer):
            if it.state != REQUESTED:
                left = self.credits[it.payee.address] - self.credit.LOSS()
                self.credits[it.payee.address] = max(left, 0)
            self.end(it, REFUNDED, it.payer)

    def settle(self, luck: Luck) -> None:
        if not (it := self.pick(luck, CLAIMED, DELIVERED)):
            return
        expected = self.wrong_state(it, CLAIMED, DELIVERED)
        if not expected and self.next_time < it.settle_at:
            expected = ("PrepaidLock_TooEarly", it.id, it.settle_at, self.next_time)
        if self.call(expected, self.lock.settle, it.id, sender=self.relayer):
            self.settle_model(it)

    def withdraw(self, luck: Luck) -> None:
        address = list(self.withdrawable)[(luck.index + luck.side) % len(self.withdrawable)]
        due = self.withdrawable[address]
        before = money.balance_of(address)
        expected = None if due else ("PrepaidLock_NothingToWithdraw", address)
        if self.call(expected, self.lock.withdrawFor, address, sender=self.relayer):
            self.withdrawable[address] = 0
            self.went_out_wei += due
            assert money.balance_of(address) == before + due

    # ---- what must stay true ----

    @invariant()
    def money_is_conserved(self) -> None:
        held = sum(it.price_wei for it in self.locks if it.state in OPEN)
        owed = held + sum(self.withdrawable.values())
        assert self.lock.liabilitiesWei() == owed
        assert self.lock.balance() == self.came_in_wei - self.went_out_wei == owed

    @invariant()
    def chain_agrees_with_the_model(self) -> None:
        if it := self.touched:
            stored = self.lock.lockOf(it.id)
            assert (stored["state"], stored["settleAt"]) == (it.state, it.settle_at)
        for address, due in self.withdrawable.items():
            assert self.lock.withdrawableOf(address) == due
        for address, points in self.credits.items():
            assert self.credit.creditOf(address) == points


def test_prepaid_lock__given_any_sequence_of_calls__agrees_with_the_model(
    govern, catalogue, ledger, lock, market, credit, processor,
    processor_two, meter_owner, neighbour, buyer, buyer_two, buyer_three, relayer, at, now,
):  # fmt: skip
    money.set_terms(govern, catalogue, sharing_window_s=SHARING_WINDOW_S)
    data_set = money.publish(ledger, processor)
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
    )
    scene = {
        "lock": lock,
        "credit": credit,
        "market_account": money.unlocked(market.address, balance_wei=10**24),
        "processors": (processor, processor_two),
        "users": (meter_owner, neighbour),
        "buyer": buyer,
        "relayer": relayer,
        "group": group,
        "transcript": money.transcript_words(dealt),
        "sharing_order": order,
        "at": at,
        "now": now,
        "isolated": isolated,
        "seen": set(),
    }
    run_state_machine_as_test(lambda: PrepaidLockMachine(scene), settings=SETTINGS)
    assert {function for function, error in scene["seen"] if error is None} == FUNCTIONS
    refusals = {(function, error) for function, error in scene["seen"] if error}
    assert len(refusals) >= LEAST_REFUSALS, refusals
