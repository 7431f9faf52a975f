"""PrepaidLock.endMany: what is due, for anyone, many at once (endMany.tree)."""

import money
import pytest

ENDS = {
    money.REQUESTED: money.REFUNDED,
    money.ACCEPTED: money.REFUNDED,
    money.SELECTED: money.REFUNDED,
    money.DISPUTED: money.REFUNDED,
    money.CLAIMED: money.SETTLED,
    money.DELIVERED: money.SETTLED,
    money.DEMANDED: money.SLASHED,
}


@pytest.fixture
def everywhere(in_state):
    """One lock in each state, by state."""
    states = [money.REFUNDED, *(state for state in range(13) if state != money.REFUNDED)]
    return {state: in_state(state) for state in states}


@pytest.fixture
def deadline_of(lock):
    """``deadline_of(it)``: when its end is due."""

    def read(it):
        stored = lock.lockOf(it.id)
        return stored["dueAt"] or stored["expiresAt"]

    return read


def ids(locks):
    return [it.id for it in locks]


def test_end_many__when_list_is_too_long__reverts(refuses, lock, relayer):
    with refuses("PrepaidLock_TooMany", 65, 64):
        lock.endMany([money.NOTHING] * 65, {"from": relayer})
    assert lock.endMany([money.NOTHING] * 64, {"from": relayer}).return_value == 0


def test_end_many__when_list_is_empty__ends_nothing(lock, relayer, owes):
    tx = lock.endMany([], {"from": relayer})
    assert (tx.return_value, len(tx.events)) == (0, 0)
    owes(0)


@pytest.mark.parametrize("state", ENDS)
def test_end_many__given_nothing_due__passes_over(
    in_state, state, deadline_of, lock, relayer, state_of, at
):
    it = in_state(state)
    owed = lock.liabilitiesWei()
    at(deadline_of(it) - 1)
    tx = lock.endMany([it.id], {"from": relayer})
    assert (tx.return_value, len(tx.events), state_of(it)) == (0, 0, state)
    at(deadline_of(it))
    tx = lock.endMany([it.id], {"from": relayer})
    assert (tx.return_value, state_of(it)) == (1, ENDS[state])
    assert lock.balance() == lock.liabilitiesWei() == owed


def test_end_many__given_all_due__ends_each_by_its_own_rule(
    everywhere, deadline_of, lock, relayer, state_of, at
):
    last = max(deadline_of(it) for state, it in everywhere.items() if state in ENDS)
    at(last)
    tx = lock.endMany(ids(everywhere.values()), {"from": relayer})
    assert tx.return_value == len(ENDS)
    for state, it in everywhere.items():
        assert state_of(it) == ENDS.get(state, state)
    assert {event.name for event in tx.events} == {
        "Refunded", "Settled", "Slashed", "CreditChanged",
    }  # fmt: skip
    counts = {name: tx.events.count(name) for name in ("Refunded", "Settled", "Slashed")}
    assert counts == {"Refunded": 4, "Settled": 2, "Slashed": 1}
    # Everything has ended, or is unknown: another call finds nothing to do.
    tx = lock.endMany(ids(everywhere.values()), {"from": relayer})
    assert (tx.return_value, len(tx.events)) == (0, 0)


def test_end_many__given_all_due__moves_the_same_money(
    everywhere, deadline_of, lock, relayer, at, bond_is, consortium, credit, processor
):
    money.set_credit(credit, processor, 500)
    last = max(deadline_of(it) for state, it in everywhere.items() if state in ENDS)
    owed, bill, advice = lock.liabilitiesWei(), money.PRICE_WEI, money.ADVICE_PRICE_WEI
    sold = everywhere[money.DELIVERED].order.price_wei
    before = _withdrawable(lock, consortium, processor)
    at(last)
    lock.endMany(ids(everywhere.values()), {"from": relayer})
    assert lock.balance() == lock.liabilitiesWei() == owed
    after = _withdrawable(lock, consortium, processor)
    fees = money.fee_of(advice) + money.fee_of(sold)
    assert after[0] - before[0] == fees
    # Claimed and delivered are paid for.
    assert after[1] - before[1] == advice + sold - fees
    lost = money.bond_of(bill) + money.bond_of(sold) + money.bond_of(advice)
    slashed = money.bond_of(advice)  # by the verdict that made the slashed one
    bond_is(held=0, lost=lost + slashed)
    gains = money.gain_of(credit, advice) + money.gain_of(credit, sold)
    assert credit.creditOf(processor.address) == 500 + gains - 3 * credit.LOSS()


def _withdrawable(lock, *accounts):
    return [lock.withdrawableOf(account.address) for account in accounts]


def test_end_many__given_a_lock_twice__ends_it_once(
    open_request, lock, relayer, at, owes, may_withdraw
):
    it = open_request()
    at(it.expires_at)
    tx = lock.endMany([it.id, it.id], {"from": relayer})
    assert (tx.return_value, tx.events.count("Refunded")) == (1, 1)
    may_withdraw(meter_owner=money.PRICE_WEI)
    owes(money.PRICE_WEI)


def test_end_many__given_one_due_among_others__ends_that_one(
    open_request, open_claimed, lock, relayer, due_of, state_of, at, may_withdraw
):
    first = open_claimed()
    other, rejected = open_request(), open_request()
    at(due_of(first))
    tx = lock.endMany(ids([other, first, rejected]), {"from": relayer})
    assert tx.return_value == 1
    assert (state_of(first), state_of(other)) == (money.SETTLED, money.REQUESTED)
    fee = money.fee_of(money.ADVICE_PRICE_WEI)
    may_withdraw(processor=money.ADVICE_PRICE_WEI - fee, consortium=fee)


def test_end_many__given_64_due__fits_a_block(open_accepted, lock, relayer, at, may_withdraw):
    many = [open_accepted() for _ in range(64)]
    at(many[-1].expires_at)
    tx = lock.endMany(ids(many), {"from": relayer})
    print(f"gas endMany of 64 from Accepted: {tx.gas_used}, each {tx.gas_used // 64}")
    assert tx.return_value == 64
    may_withdraw(meter_owner=64 * (money.PRICE_WEI + money.bond_of(money.PRICE_WEI)))
    assert tx.gas_used <= 64 * 40_000
