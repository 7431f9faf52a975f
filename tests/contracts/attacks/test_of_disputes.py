"""What could turn a dispute: a false friend, judges added for it, judges to be paid for it."""

import disputes
import money
import pytest
from brownie import project
from members import Role

PRICE_WEI = money.ADVICE_PRICE_WEI


# ---- a member's worthless dispute, before the payer's ----


@pytest.fixture
def spoilt(open_delivered, dispute_as_member):
    """A bad delivery that the payee's friend in the group disputed first, with nothing."""
    it = open_delivered()
    dispute_as_member(it, evidence=(money.digest_of("worthless"), 1))
    return it


def test_worthless_dispute__when_it_comes_first__keeps_nobodys_evidence_out(
    spoilt, dispute, refuses, court, verdict, buyer, buyer_two, only_event, may_withdraw
):
    with refuses("PrepaidLock_WrongState", spoilt.id, money.DISPUTED):
        dispute(spoilt)  # pre-empted indeed
    evidence = (money.digest_of("the payer's evidence"), 900)
    tx = court.addEvidence(spoilt.id, *evidence, {"from": buyer.account})
    assert only_event(tx, "EvidenceAdded")["by"] == buyer.address
    verdict(spoilt, True)
    price = spoilt.order.price_wei
    fee, back = money.fee_of(price), price + money.bond_of(price)
    own = disputes.dispute_wei(price)
    may_withdraw(buyer=back - fee, buyer_two=own, consortium=fee)


def test_worthless_dispute__without_the_payers_evidence__would_be_lost(
    spoilt, verdict, may_withdraw
):
    """Control: judges who saw the false friend's evidence alone find for the payee."""
    verdict(spoilt, False)
    price = spoilt.order.price_wei
    fee = money.fee_of(price)
    may_withdraw(processor=price - fee + disputes.dispute_wei(price), consortium=fee)


# ---- a stacked court ----


@pytest.fixture
def stack(consortium, govern, admit, new_account):
    """``stack()``: two members more; three of five decide."""

    def add():
        added = [admit(Role.CONSORTIUM, account=new_account()) for _ in range(2)]
        govern(consortium, "addMember", added[0].address, 3)
        consortium.propose(
            consortium.address, 0, consortium.addMember.encode_input(added[1].address, 3),
            {"from": consortium.members()[0]},
        )  # fmt: skip
        proposal = consortium.proposalCount()
        call_hash = consortium.proposalOf(proposal)["callHash"]
        for member in consortium.members()[1:3]:
            consortium.approve(proposal, call_hash, {"from": member})
        data = consortium.addMember.encode_input(added[1].address, 3)
        consortium.execute(proposal, consortium.address, 0, data, {"from": added[0].account})
        return added

    return add


def test_court__when_stacked_after_the_opening__does_not_hear_the_new_members(
    open_disputed, judges, stack, court, refuses, state_of
):
    it = open_disputed()
    for judge in stack():
        with refuses("DisputeCourt_NotJudge", it.id, judge.address):
            court.vote(it.id, False, {"from": judge.account})
    for judge in judges[:2]:  # k is that of the opening too
        court.vote(it.id, True, {"from": judge.account})
    assert state_of(it) == money.SLASHED


def test_court__when_stacked_before_the_opening__is_stacked(
    open_claimed, dispute, judges, stack, court, state_of, at, now
):
    """Control: the same votes of the same accounts decide a later case."""
    it, added = open_claimed(), stack()
    at(now() + 1)
    dispute(it)
    for judge in (*added, judges[0]):
        court.vote(it.id, False, {"from": judge.account})
    assert state_of(it) == money.SETTLED


# ---- a court whose judges are taken away ----


def test_court__when_its_judges_are_revoked_and_removed__still_decides(
    open_disputed, judges, revoke, govern, consortium, court, state_of
):
    """A verdict of two honest judges does not become a refund by any decision of the consortium."""
    it = open_disputed()
    for judge in judges[:2]:
        revoke(judge)
    govern(consortium, "removeMember", judges[0].address, 2)
    for judge in judges[:2]:
        court.vote(it.id, True, {"from": judge.account})
    assert state_of(it) == money.SLASHED


# ---- more disputes than judges can look at ----


def test_disputes__when_one_payer_opens_many__end_at_three(
    open_claimed, dispute, refuses, lock, meter_owner, verdict, at, due_of, relayer
):
    """An undecided dispute gives the goods away: an account has three at a time at most."""
    its = [open_claimed() for _ in range(4)]
    for it in its[:3]:
        dispute(it)
    assert lock.openDisputesOf(meter_owner.address) == 3
    with refuses("PrepaidLock_TooManyDisputes", meter_owner.address, 3):
        dispute(its[3])
    verdict(its[0], False)
    dispute(its[3])
    at(due_of(its[3]))
    for it in its[1:]:
        lock.refund(it.id, {"from": relayer})
    assert lock.openDisputesOf(meter_owner.address) == 0


# ---- a verdict that pays its judges ----


@pytest.mark.parametrize("for_payer", [True, False])
def test_verdict__whichever_it_is__pays_no_judge_and_the_same_fee(
    open_disputed, verdict, lock, court, judges, founders, consortium, for_payer
):
    it = open_disputed()
    before = [judge.account.balance() for judge in judges]
    verdict(it, for_payer)
    assert [lock.withdrawableOf(judge.address) for judge in judges] == [0, 0, 0]
    assert [judge.account.balance() for judge in judges] == before
    assert [lock.bondOf(judge.address)["freeWei"] for judge in judges] == [0, 0, 0]
    assert lock.withdrawableOf(court.address) == court.balance() == 0
    assert lock.withdrawableOf(consortium.address) == money.fee_of(PRICE_WEI)


def test_verdict__by_the_votes_of_all_judges__can_name_nobody_but_the_parties():
    """The court's functions take no account and no amount, and no ether."""
    abi = project.get_loaded_projects()[0]._build.get("DisputeCourt")["abi"]
    changing = [item for item in abi if item.get("stateMutability") in ("nonpayable", "payable")]
    functions = {item["name"]: item for item in changing if item["type"] == "function"}
    assert set(functions) == {"open", "vote", "addEvidence", "addEvidenceAsMember"}
    kinds = {name: [i["type"] for i in item["inputs"]] for name, item in functions.items()}
    assert kinds["vote"] == ["bytes32", "bool"]
    assert all(item["stateMutability"] == "nonpayable" for item in functions.values())


def test_verdict__what_judges_may_share__is_paid_by_a_decision_of_the_consortium_alone(
    open_disputed, verdict, lock, consortium, founders, judges, relayer, reverts_with, at
):
    """Control: there is money behind a verdict, the fee; one judge cannot take it."""
    verdict(open_disputed(), True)
    lock.withdrawFor(consortium.address, {"from": relayer})
    fee = money.fee_of(PRICE_WEI)
    assert consortium.balance() == fee
    call = (judges[0].address, fee, b"")
    consortium.propose(*call, {"from": founders[0]})
    proposal = consortium.proposalCount()
    with reverts_with("Consortium_NotAgreed", proposal, 1, 2):
        consortium.execute(proposal, *call, {"from": founders[0]})
    call_hash = consortium.proposalOf(proposal)["callHash"]
    consortium.approve(proposal, call_hash, {"from": founders[1]})
    # A payment waits, also during the founding.
    at(consortium.proposalOf(proposal)["agreedAt"] + consortium.delaySeconds())
    before = judges[0].account.balance()
    consortium.execute(proposal, *call, {"from": founders[0]})
    assert judges[0].account.balance() == before + fee
