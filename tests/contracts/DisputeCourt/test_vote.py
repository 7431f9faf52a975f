"""DisputeCourt.vote: the consortium's members judge (vote.tree)."""

import disputes
import money
import pytest
from members import Role
from reading import plain

PRICE_WEI = money.ADVICE_PRICE_WEI


@pytest.fixture
def it(open_disputed, judges):
    return open_disputed()


@pytest.fixture
def vote(court, judges):
    """``vote(lock, for_payer, judge=0)``: the transaction of one of the three judges."""

    def send(it, for_payer=True, *, judge=0, by=None):
        account = by or judges[judge].account
        return court.vote(it.id, for_payer, {"from": account})

    return send


@pytest.fixture
def new_judge(consortium, govern, admit, new_account):
    """``new_judge()``: a fourth member, with a key in the registry."""

    def make():
        judge = admit(Role.CONSORTIUM, account=new_account())
        govern(consortium, "addMember", judge.address, 3)
        return judge

    return make


def test_vote__given_no_case__reverts(open_claimed, vote, refuses):
    it = open_claimed()
    with refuses("DisputeCourt_NoCase", it.id):
        vote(it)


@pytest.mark.parametrize("for_payer", [True, False])
def test_vote__given_decided_case__reverts(it, vote, verdict, refuses, for_payer):
    verdict(it, for_payer)
    for again in (True, False):
        with refuses("DisputeCourt_AlreadyDecided", it.id):
            vote(it, again, judge=2)


@pytest.mark.parametrize("late", [0, 1])
def test_vote__when_time_is_over__reverts(it, vote, due_of, refuses, at, late):
    vote(it)
    due = due_of(it)
    at(due + late)
    with refuses("DisputeCourt_TooLate", it.id, due, due + late):
        vote(it, judge=1)


def test_vote__when_time_is_left__decides(it, vote, due_of, state_of, at):
    vote(it)
    at(due_of(it) - 1)
    vote(it, judge=1)
    assert state_of(it) == money.SLASHED


def test_vote__when_caller_is_no_member__reverts(
    it, vote, refuses, regulator, meter_owner, processor, outsider, deployer
):
    for account in (
        regulator.account, meter_owner.account, processor.account, outsider, deployer,
    ):  # fmt: skip
        with refuses("DisputeCourt_NotJudge", it.id, account):
            vote(it, by=account)


def test_vote__given_judge_revoked_since__counts_its_vote(
    it, vote, revoke, judges, consortium, govern, state_of
):
    """No decision of the consortium reaches a case: two revoked judges vote."""
    for judge in judges[1:]:
        revoke(judge)
    govern(consortium, "removeMember", judges[2].address, 2)
    vote(it, judge=1)
    vote(it, judge=2)
    assert state_of(it) == money.SLASHED


def test_vote__given_member_without_key__votes(
    vote, consortium, govern, new_account, open_disputed, court, at, now
):
    keyless = new_account()
    govern(consortium, "addMember", keyless.address, 3)
    at(now() + 1)
    later = open_disputed()
    vote(later, by=keyless)
    assert court.hasVoted(later.id, keyless)


def test_vote__given_later_member__reverts(it, new_judge, vote, refuses):
    judge = new_judge()
    with refuses("DisputeCourt_NotJudge", it.id, judge.address):
        vote(it, by=judge.account)


@pytest.mark.parametrize(("seconds", "may"), [(0, False), (1, True)])
def test_vote__given_member_since_a_second_before__votes(
    open_claimed, dispute, court, judges, consortium, founders, admit, new_account, vote, refuses,
    at, now, seconds, may,
):  # fmt: skip
    """Added in the second of the opening, a member does not judge; a second before, it does."""
    it, judge = open_claimed(), admit(Role.CONSORTIUM, account=new_account())
    call = (consortium.address, 0, consortium.addMember.encode_input(judge.address, 3))
    consortium.propose(*call, {"from": founders[0]})
    proposal = consortium.proposalCount()
    call_hash = consortium.proposalOf(proposal)["callHash"]
    consortium.approve(proposal, call_hash, {"from": founders[1]})
    added_at = now() + 5
    at(added_at)
    consortium.execute(proposal, *call, {"from": founders[0]})
    _next_block_at(added_at + seconds)
    dispute(it)
    assert court.caseOf(it.id)["openedAt"] == consortium.memberSince(judge.address) + seconds
    if may:
        vote(it, by=judge.account)
        assert court.hasVoted(it.id, judge.address)
        return
    with refuses("DisputeCourt_NotJudge", it.id, judge.address):
        vote(it, by=judge.account)


def _next_block_at(timestamp):
    """Let the next block have this time, also that of the latest block."""
    answer = money.web3.provider.make_request("anvil_setTime", [timestamp])
    assert "error" not in answer, answer
    money.web3.provider.make_request("evm_setNextBlockTimestamp", [timestamp])


def test_vote__given_removed_member__votes_in_what_was_open(
    it, vote, refuses, judges, consortium, govern, open_disputed, court, at, now
):
    judge = judges[2]
    govern(consortium, "removeMember", judge.address, 2)
    at(now() + 1)
    later = open_disputed()
    with refuses("DisputeCourt_NotJudge", later.id, judge.address):
        vote(later, judge=2)
    govern(consortium, "addMember", judge.address, 2)
    with refuses("DisputeCourt_NotJudge", later.id, judge.address):
        vote(later, judge=2)
    vote(it, judge=2)
    assert court.hasVoted(it.id, judge.address)


@pytest.mark.parametrize(("seconds", "may"), [(-1, False), (0, True), (1, True)])
def test_vote__given_member_removed_around_the_opening__votes_if_it_was_one_before(
    open_claimed, dispute, judges, consortium, impersonate, vote, court, refuses, at, now, seconds,
    may,
):  # fmt: skip
    """In the second of the opening a removal takes no vote away; a second before it does."""
    it, judge, own = open_claimed(), judges[2], {"from": impersonate(consortium)}
    moment = now() + 5
    if seconds < 0:
        at(moment + seconds)
        consortium.removeMember(judge.address, 2, own)
    at(moment)
    dispute(it)
    if seconds >= 0:
        _next_block_at(moment + seconds)
        consortium.removeMember(judge.address, 2, own)
    if may:
        vote(it, judge=2)
        assert court.hasVoted(it.id, judge.address)
        return
    with refuses("DisputeCourt_NotJudge", it.id, judge.address):
        vote(it, judge=2)


def test_vote__given_judge_that_voted__reverts(it, vote, court, refuses, judges):
    vote(it)
    for again in (True, False):
        with refuses("DisputeCourt_AlreadyVoted", it.id, judges[0].address):
            vote(it, again)
    assert court.caseOf(it.id)["votesForPayer"] == 1


@pytest.mark.parametrize("for_payer", [True, False])
def test_vote__given_fewer_than_k__counts_and_emits(
    it, vote, court, judges, only_event, state_of, owes, may_withdraw, for_payer
):
    before = plain(court.caseOf(it.id))
    assert not court.hasVoted(it.id, judges[0].address)
    tx = vote(it, for_payer)
    counts = (1, 0) if for_payer else (0, 1)
    assert plain(court.caseOf(it.id)) == (*before[:3], *counts, False)
    assert court.hasVoted(it.id, judges[0].address)
    assert not court.hasVoted(it.id, judges[1].address)
    event = only_event(tx, "Voted")
    assert (bytes(event["lockId"]), event["judge"]) == (it.id, judges[0].address)
    assert event["forPayer"] is for_payer
    assert len(tx.events) == 1
    assert state_of(it) == money.DISPUTED
    owes(PRICE_WEI + disputes.dispute_wei(PRICE_WEI))
    may_withdraw()
    print(f"gas vote: {tx.gas_used}")


def test_vote__given_votes_for_both__waits_for_equal_ones(it, vote, court, state_of):
    vote(it, True, judge=0)
    vote(it, False, judge=1)
    assert state_of(it) == money.DISPUTED
    vote(it, False, judge=2)
    assert state_of(it) == money.SETTLED
    case = court.caseOf(it.id)
    assert (case["votesForPayer"], case["votesForPayee"], case["isDecided"]) == (1, 2, True)


def test_vote__given_judge_that_left__counts_its_vote(
    it, vote, judges, consortium, govern, revoke, state_of
):
    vote(it, judge=2)
    govern(consortium, "removeMember", judges[2].address, 2)
    revoke(judges[2])
    vote(it, judge=1)
    assert state_of(it) == money.SLASHED


@pytest.mark.parametrize("for_payer", [True, False])
def test_vote__given_kth_vote__ends_the_lock(
    it, vote, lock, court, judges, only_event, state_of, owes, may_withdraw, bond_is, for_payer
):
    vote(it, for_payer)
    tx = vote(it, for_payer, judge=1)
    fee, own = money.fee_of(PRICE_WEI), disputes.dispute_wei(PRICE_WEI)
    bond = money.bond_of(PRICE_WEI)
    if for_payer:
        assert state_of(it) == money.SLASHED
        may_withdraw(meter_owner=PRICE_WEI + own + bond - fee, consortium=fee)
        bond_is(held=0, lost=bond)
    else:
        assert state_of(it) == money.SETTLED
        may_withdraw(processor=PRICE_WEI - fee + own, consortium=fee)
        bond_is(held=0)
    owes(PRICE_WEI + own)
    assert [lock.withdrawableOf(judge.address) for judge in judges] == [0, 0, 0]
    assert court.balance() == 0
    assert court.caseOf(it.id)["isDecided"]
    end = "Slashed" if for_payer else "Settled"
    assert [event.name for event in tx.events] == ["Voted", "CaseDecided", end, "CreditChanged"]
    event = only_event(tx, "CaseDecided")
    assert (bytes(event["lockId"]), event["forPayer"]) == (it.id, for_payer)
    print(f"gas deciding vote: {tx.gas_used}")
