"""CreditBook beside the model of docs/credit.md, both driven by hypothesis, equal after each step.

After each step also, for each account: credit ≤ fees paid for it / pointWei (protocol §6.5), and
credit < MAXIMUM. Time goes by seconds around the end of an epoch, by epochs, and by years.
"""

from __future__ import annotations

from collections import Counter

import hypothesis
import money
from brownie import accounts
from hypothesis import strategies as st

from bench.credit_model import EPOCH_SECONDS, MAXIMUM, CreditModel
from tests.contracts.conftest import isolated

POINT = money.POINT_WEI
LOCK_ID = b"\x07" * 32
NODES, PAYERS = range(2), range(3)

fees = st.one_of(
    st.integers(9 * POINT, 12 * POINT), st.integers(0, 3 * POINT), st.integers(0, 2**256 - 1)
)
successes = st.tuples(st.just("success"), st.sampled_from(NODES), st.sampled_from(PAYERS), fees)
steps = st.one_of(
    successes,
    successes,
    successes,
    st.tuples(st.just("failure"), st.sampled_from(NODES)),
    st.tuples(
        st.just("wait"),
        st.one_of(
            st.sampled_from([(1, -1), (1, 0), (1, 1)]),  # to the next epoch's edge
            st.tuples(st.integers(1, 70), st.integers(-1, 1)),
        ),
    ),
)


class Pair:
    """The contract and the model; both get every step."""

    def __init__(self, credit, lock_account, epoch, mine_at, at):
        self.credit, self.lock, self.mine_at, self.at = credit, lock_account, mine_at, at
        self.model = CreditModel(credit.pointWei())
        self.now, self.fees_wei = epoch, Counter()

    def take(self, name, *arguments):
        getattr(self, name)(*arguments)

    def success(self, node, payer, fee_wei):
        node, payer = (accounts[i].address for i in (node, 10 + payer))
        self.tick()
        tx = self.credit.recordSuccess(node, payer, fee_wei, LOCK_ID, {"from": self.lock})
        self.fees_wei[node] += fee_wei
        self.agree(tx, self.model.record_success(node, payer, fee_wei, at=self.now))

    def failure(self, node):
        node = accounts[node].address
        self.tick()
        tx = self.credit.recordFailure(node, LOCK_ID, {"from": self.lock})
        self.agree(tx, self.model.record_failure(node, at=self.now))

    def wait(self, jump):
        epochs, seconds = jump
        self.now = max(self.now + 1, (self.now // EPOCH_SECONDS + epochs) * EPOCH_SECONDS + seconds)
        self.mine_at(self.now)

    def tick(self):
        self.now += 1
        self.at(self.now)

    @staticmethod
    def agree(tx, expected):
        event = tx.events["CreditChanged"]
        assert (event["previous"], event["current"]) == expected

    def compare(self):
        for node in (accounts[i].address for i in NODES):
            standing = self.model.standing_of(node, at=self.now)
            found = (self.credit.creditOf(node), self.credit.gainedOf(node))
            assert found == (standing.credit, standing.gained)
            assert standing.credit * POINT <= self.fees_wei[node]
            assert standing.credit < MAXIMUM
            for payer in (accounts[10 + i].address for i in PAYERS):
                expected = self.model.gained_from(node, payer, at=self.now)
                assert self.credit.gainedFrom(node, payer) == expected


@hypothesis.settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)
@hypothesis.given(calls=st.lists(steps, min_size=8, max_size=25))
def test_credit_book__given_random_steps__agrees_with_the_model(
    credit, lock_account, epoch, mine_at, at, calls
):
    with isolated():
        pair = Pair(credit, lock_account, epoch, mine_at, at)
        for call in calls:
            pair.take(*call)
            pair.compare()


def test_credit_book__given_full_gains_of_three_payers__agrees_with_the_model(
    credit, lock_account, epoch, mine_at, at
):
    # What random steps rarely reach: pairs at their caps over several epochs, a failure between.
    pair = Pair(credit, lock_account, epoch, mine_at, at)
    for _ in range(4):
        for payer in PAYERS:
            for fee_wei in (10 * POINT, 10 * POINT + 1, 11 * POINT, 2**256 - 1):
                pair.success(0, payer, fee_wei)
                pair.compare()
        pair.failure(0)
        pair.wait((1, 0))
        pair.compare()
    assert (
        credit.creditOf(accounts[0]) == pair.model.credit_of(accounts[0].address, at=pair.now) > 0
    )
