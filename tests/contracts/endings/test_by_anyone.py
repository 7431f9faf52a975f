"""Anyone ends any lock by T plus the stated windows, in at most two calls: here in one."""

import disputes
import money
import pytest
from money import RULES

ENDS = {money.REJECTED, money.DECLINED, money.SETTLED, money.REFUNDED, money.SLASHED}
CALLS = ("settle", "refund", "slash")
W, S, D = money.WINDOW_S, RULES.serve_seconds, RULES.decide_seconds
# From the latest second at which each state can be entered: its end, counted from T.
LATEST = {
    money.REQUESTED: 0,
    money.ACCEPTED: 0,
    money.CLAIMED: W,
    money.DEMANDED: W + S,
    money.DISPUTED: W + S + W + D,
    money.SELECTED: 0,
    money.DELIVERED: disputes.SHARING_WINDOW_S,
}
THE_END = {
    money.REQUESTED: ("refund", money.REFUNDED),
    money.ACCEPTED: ("refund", money.REFUNDED),
    money.SELECTED: ("refund", money.REFUNDED),
    money.CLAIMED: ("settle", money.SETTLED),
    money.DELIVERED: ("settle", money.SETTLED),
    money.DEMANDED: ("slash", money.SLASHED),
    money.DISPUTED: ("refund", money.REFUNDED),
}


@pytest.fixture
def latest(
    lock, open_request, open_accepted, open_sharing, deliver, demand, serve, dispute,
    set_sharing_window, due_of, relayer, at,
):  # fmt: skip
    """``latest(state)``: a lock that came into the state at the last second at which it could."""

    def last(it, step):
        at(due_of(it) - 1)
        step(it)

    def claimed():
        it = open_accepted(type_id=money.ADVICE)
        at(it.expires_at - 1)
        lock.claim(it.id, it.secret, {"from": relayer})
        return it

    def make(state):
        if state == money.REQUESTED:
            return open_request()
        if state == money.ACCEPTED:
            return open_accepted()
        if state in (money.SELECTED, money.DELIVERED):
            set_sharing_window(disputes.SHARING_WINDOW_S)
            it = open_sharing()
            if state == money.DELIVERED:
                at(it.expires_at - 1)
                deliver(it)
            return it
        it = claimed()
        if state != money.CLAIMED:
            last(it, demand)
        if state == money.DISPUTED:
            last(it, serve)
            last(it, dispute)
        return it

    return make


@pytest.mark.parametrize("state", THE_END)
def test_any_lock__at_t_plus_the_windows__is_ended_by_anyone_in_one_call(
    state, latest, lock, outsider, processor, state_of, at, reverts_with
):
    it = latest(state)
    assert state_of(it) == state
    owed = lock.liabilitiesWei()
    bound = it.expires_at + LATEST[state]
    function, end = THE_END[state]
    for other in CALLS:
        if other != function:
            at(bound)
            bound += 1  # each transaction has its own second
            with reverts_with("PrepaidLock_WrongState", it.id, state):
                getattr(lock, other)(it.id, {"from": outsider})
    at(bound)
    getattr(lock, function)(it.id, {"from": outsider})
    assert state_of(it) == end
    assert lock.withdrawableOf(outsider) == 0
    assert lock.balance() == lock.liabilitiesWei() == owed
    assert lock.bondOf(processor.address)["heldWei"] == 0


@pytest.mark.parametrize("state", THE_END)
def test_any_lock__at_t_plus_the_windows__is_ended_by_end_many_alone(
    state, latest, lock, outsider, state_of, at
):
    """One call that fits every state, at the very second of the bound."""
    it = latest(state)
    at(it.expires_at + LATEST[state])
    assert lock.endMany([it.id], {"from": outsider}).return_value == 1
    assert state_of(it) == THE_END[state][1]


@pytest.mark.parametrize("state", THE_END)
def test_any_lock__a_moment_before_its_end_is_due__is_ended_by_no_stranger(
    state, in_state, lock, outsider, state_of, at
):
    """Control: the bound is not reached by ending early."""
    it = in_state(state)
    stored = lock.lockOf(it.id)
    at((stored["dueAt"] or stored["expiresAt"]) - 1)
    assert lock.endMany([it.id], {"from": outsider}).return_value == 0
    assert state_of(it) == state


@pytest.mark.parametrize("state", sorted(ENDS))
def test_ended_lock__whatever_is_called__never_changes(
    state, in_state, lock, court, judges, accept, demand, dispute, serve, processor, outsider,
    refuses, now, mine_at,
):  # fmt: skip
    it = in_state(state)
    before = lock.lockOf(it.id)
    for later in (0, 10**6):
        mine_at(now() + 1 + later)
        for function in CALLS:
            with refuses("PrepaidLock_WrongState", it.id, state):
                getattr(lock, function)(it.id, {"from": outsider})
        for step in (demand, serve, dispute):
            with refuses("PrepaidLock_WrongState", it.id, state):
                step(it)
        for function, argument in (("reject", 1), ("decline", 1)):
            with refuses("PrepaidLock_WrongState", it.id, state):
                getattr(lock, function)(it.id, argument, {"from": processor.account})
        with refuses("PrepaidLock_WrongState", it.id, state):
            lock.claim(it.id, it.secret.ljust(32, b"\0"), {"from": outsider})
        as_court = money.unlocked(court.address, balance_wei=10**24)
        with refuses("PrepaidLock_WrongState", it.id, state):
            lock.decide(it.id, True, {"from": as_court})
        assert lock.endMany([it.id], {"from": outsider}).return_value == 0
    assert lock.lockOf(it.id) == before
