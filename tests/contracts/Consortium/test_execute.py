"""Consortium.execute: what waits, what does not, and how often (execute.tree)."""

import pytest
from brownie import ReentrantReceiver, RevertingReceiver, chain, web3
from members import Role, new_proofs, region_id
from reading import plain
from reverting import decode_error, revert_data

from tests.contracts.Consortium.conftest import DAY, DELAY, LAPSE, NOTHING, Call


@pytest.fixture
def urgent(council, prepare, new_account):
    """An admission and the emergency stop, both of which the council's registry takes."""
    member = prepare(new_account(), Role.USER, region_id("north"))
    registry = council.registry
    place = (registry, web3.eth.chain_id, member.account)  # proofs name their registry
    proofs = new_proofs(*place, Role.USER, member.keys)
    return {
        "admit": (
            council.call("admit", *member.admission[:3], proofs, to=registry),
            member,
        ),
        "stopBeginnings": (council.call("stopBeginnings", to=registry), None),
    }


def give(account, contract, amount_wei=10**18):
    account.transfer(contract, amount_wei)


def test_execute__given_no_such_proposal__reverts(council, revoke_call, reverts_with):
    with reverts_with("Consortium_NoProposal", 1):
        council.execute(1, revoke_call)


def test_execute__given_executed__reverts(council, decide, reverts_with):
    call = council.call("setThreshold", 4)
    decide(council, call)
    with reverts_with("Consortium_AlreadyExecuted", 1):
        council.execute(1, call)


def test_execute__when_caller_is_no_member__reverts(council, outsider, at, reverts_with):
    call = council.call("setThreshold", 4)
    council.agree(call)
    at(council.agreed_at(1) + DELAY)
    with reverts_with("Consortium_NotMember", outsider):
        council.execute(1, call, by=outsider)


def test_execute__given_renewed_agreement__lapses_as_before(council, at, reverts_with):
    """One of k cannot keep a decision alive that the others have forgotten."""
    call = council.call("setThreshold", 4)
    council.agree(call)
    lapses_at = council.agreed_at(1) + DELAY + LAPSE
    at(lapses_at - DELAY - 10)
    council.contract.withdrawApproval(1, {"from": council.members[0]})
    council.approve(1, 0)
    ready_at = council.agreed_at(1) + DELAY
    assert ready_at < lapses_at
    at(lapses_at)
    with reverts_with("Consortium_Lapsed", 1, lapses_at, lapses_at):
        council.execute(1, call)


SOMEONE = "0x" + "77" * 20
PAIRS = {
    "k": (("setThreshold", (5,)), ("setThreshold", (4,))),
    "members and k": (("setThreshold", (5,)), ("addMember", (SOMEONE, 4))),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_execute__given_later_one_of_the_subject__reverts(council, at, reverts_with, pair):
    (first, arguments), (second, others) = PAIRS[pair]
    older, newer = council.call(first, *arguments), council.call(second, *others)
    for call in (older, newer):
        council.agree(call)
    at(council.agreed_at(2) + DELAY)
    council.execute(2, newer)
    subject = council.subject_of(1, older)
    assert council.contract.floorOf(subject) == 2
    for member in council.members:
        with reverts_with("Consortium_Superseded", 1, 2):
            council.execute(1, older, by=member)
    assert council.contract.threshold() == 4


def test_execute__given_later_one_of_another_subject__is_carried_out(council, at, deployer):
    give(deployer, council.contract)
    calls = [
        council.call("setThreshold", 4),
        Call(SOMEONE, 3, NOTHING),
        Call(SOMEONE, 3, NOTHING),
        council.call("processorOf", b"\1" * 32, to=council.registry),
        council.call("setThreshold", 5),  # agreed, and left alone
    ]
    for call in calls:
        council.agree(call)
    at(council.agreed_at(5) + DELAY)
    council.execute(4, calls[3])
    council.execute(3, calls[2])
    council.execute(2, calls[1])
    council.execute(1, calls[0])
    assert council.contract.threshold() == 4
    assert len({council.subject_of(i + 1, call).hex() for i, call in enumerate(calls)}) == 4


@pytest.fixture
def newcomer(council, prepare, new_account):
    """A sharer with proofs for the council's registry, the call that admits it, and names."""
    member = prepare(new_account(), Role.SHARER, bytes(32))
    place = (council.registry, web3.eth.chain_id, member.account)
    proofs = new_proofs(*place, Role.SHARER, member.keys)
    admission = council.call("admit", *member.admission[:3], proofs, to=council.registry)
    names = [
        council.call("rename", member.address, name, to=council.registry)
        for name in ("Early", "Late")
    ]
    return member, admission, *names


def test_execute__given_a_name_from_before_the_admission__reverts(
    council, newcomer, at, reverts_with
):
    """An admission gives a name: an earlier decision about the name never follows it."""
    _, admission, early, late = newcomer
    for call in (early, admission, late):
        council.agree(call)
    council.execute(2, admission)
    at(council.agreed_at(3) + DELAY)
    assert council.contract.floorFor(1, *early.parts) == 2
    with reverts_with("Consortium_Superseded", 1, 2):
        council.execute(1, early)
    tx = council.execute(3, late)
    assert plain(tx.events["MemberRenamed"]["name"]) == plain(b"Late")
    assert council.contract.floorFor(1, *early.parts) == 3


def test_execute__given_a_later_name__leaves_the_revocation(council, newcomer, at):
    member, admission, _, late = newcomer
    revocation = council.call("revoke", member.address, to=council.registry)
    for call in (admission, revocation, late):
        council.agree(call)
    council.execute(1, admission)
    at(council.agreed_at(3) + DELAY)
    council.execute(3, late)
    assert council.contract.floorFor(2, *revocation.parts) == 1
    council.execute(2, revocation)
    assert not council.registry.isActive(member.address, Role.SHARER)


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_execute__given_two_of_a_subject__ends_at_the_later(council, at, reverts_with, order):
    calls = {1: council.call("setThreshold", 5), 2: council.call("setThreshold", 3)}
    for call in calls.values():
        council.agree(call)
    council.approve(2, 3, 4)  # also under the higher k
    at(council.agreed_at(2) + DELAY)
    council.execute(order[0], calls[order[0]])
    if order == (2, 1):
        with reverts_with("Consortium_Superseded", 1, 2):
            council.execute(1, calls[1])
    else:
        council.execute(2, calls[2])
    assert council.contract.threshold() == 3


@pytest.mark.parametrize("first", [1, 2])
def test_execute__given_two_equal_stops_of_one_alarm__answers_it_once(
    council, at, reverts_with, first
):
    """Nobody keeps the second one to stop everything again, once the stop is armed anew."""
    registry = council.registry
    stop, rearm = (council.call(name, to=registry) for name in ("stopBeginnings", "rearmStop"))
    for _ in range(2):
        council.agree(stop)
    council.execute(first, stop)
    other = 3 - first
    lapses_at = council.agreed_at(other) + LAPSE
    error = ("Consortium_Superseded", 1, 2) if other == 1 else ("MemberRegistry_StopSpent",)
    with reverts_with(*error):
        council.execute(other, stop)
    at(registry.stoppedUntil() + 30 * DAY)
    council.agree(rearm)
    at(council.agreed_at(3) + DELAY)
    council.execute(3, rearm)
    assert not registry.isStopSpent()
    tried_at = council.agreed_at(3) + DELAY + 60
    at(tried_at)
    with reverts_with("Consortium_Lapsed", other, lapses_at, tried_at):
        council.execute(other, stop)
    assert not registry.isStopSpent()


def test_execute__given_endless_proposals_of_a_minority__is_not_held_up(council, at, reverts_with):
    call = council.call("setThreshold", 4)
    rival = council.call("setThreshold", 5)
    for _ in range(20):
        council.propose(rival, by=4)
    council.agree(call)
    for _ in range(20):
        council.propose(rival, by=4)
    at(council.agreed_at(21) + DELAY)
    council.execute(21, call)
    assert council.contract.threshold() == 4
    with reverts_with("Consortium_Superseded", 20, 21):
        agree_and_execute(council, 20, rival)
    with reverts_with("Consortium_NotAgreed", 41, 1, 4):
        council.execute(41, rival)


def agree_and_execute(council, proposal_id, call):
    council.approve(proposal_id, 0, 1, 2)
    chain.sleep(DELAY)
    council.execute(proposal_id, call)


def test_execute__when_receiver_answers_at_length__takes_little_of_it(
    council, deployer, new_account, at
):
    """A receiver that returns, or reverts with, a megabyte: whoever pays it out pays for 1 KiB."""
    give(deployer, council.contract)
    for proposal_id, ending in ((1, "f3"), (2, "fd")):
        bomb = new_account()
        code = "0x6210000060" + "00" + ending  # return or revert (0, 0x100000)
        web3.provider.make_request("anvil_setCode", [bomb.address, code])
        payment = Call(bomb.address, 1, NOTHING)
        council.agree(payment)
        at(council.agreed_at(proposal_id) + DELAY)
        if ending == "f3":
            tx = council.execute(proposal_id, payment)
            assert len(bytes(tx.return_value)) == 1_024
            assert bomb.balance() == 1
            continue
        with pytest.raises(Exception) as caught:
            council.execute(proposal_id, payment)
        assert len(revert_data(caught.value)) == 1_024


@pytest.mark.parametrize("late", [-1, 0, 1])
def test_execute__when_agreement_lapses__reverts(council, at, reverts_with, late):
    call = council.call("setThreshold", 4)
    council.agree(call)
    lapses_at = council.agreed_at(1) + DELAY + LAPSE
    at(lapses_at + late)
    if late < 0:
        council.execute(1, call)
        assert council.contract.threshold() == 4
        return
    with reverts_with("Consortium_Lapsed", 1, lapses_at, lapses_at + late):
        council.execute(1, call)


def test_execute__when_call_is_another__reverts(council, outsider, at, reverts_with):
    call = council.call("setThreshold", 4)
    council.agree(call)
    at(council.agreed_at(1) + DELAY)
    for other in (
        Call(outsider.address, 0, call.data),
        Call(call.target, 1, call.data),
        Call(call.target, 0, call.data + b"\0"),
        Call(call.target, 0, NOTHING),
        council.call("setThreshold", 5),
    ):
        with reverts_with("Consortium_OtherCall", 1):
            council.execute(1, other)
    council.execute(1, call)


def test_execute__given_too_few_approvals__reverts(council, revoke_call, at, now, reverts_with):
    council.propose(revoke_call)
    for approvals in (1, 2):
        at(now() + DELAY)
        with reverts_with("Consortium_NotAgreed", 1, approvals, 3):
            council.execute(1, revoke_call)
        council.approve(1, approvals)


@pytest.mark.parametrize("late", [-1, 0, 1])
@pytest.mark.parametrize(
    "function, arguments",
    [
        ("setThreshold", (4,)),
        ("addMember", ("0x" + "77" * 20, 4)),
        ("removeMember", (None, 3)),
        ("rearmStop", ()),
        ("revoke", (None,)),
        ("nothing", ()),
    ],
)
def test_execute__when_what_hurts_is_early__reverts(
    council, processor, at, reverts_with, only_event, function, arguments, late
):
    contract, registry = council.contract, council.registry
    if function == "nothing":  # a bare call
        call = Call(processor.address, 0, NOTHING)
    else:
        to = registry if function in ("rearmStop", "revoke") else contract
        someone = council.members[4] if to == contract else processor.address
        call = council.call(function, *(v if v else someone for v in arguments), to=to)
    assert contract.delayFor(*call.parts) == DELAY
    council.agree(call)
    ready_at = council.agreed_at(1) + DELAY
    at(ready_at + late)
    if late < 0:
        with reverts_with("Consortium_TooEarly", 1, ready_at, ready_at + late):
            council.execute(1, call)
        return
    refusals = {
        "rearmStop": ("MemberRegistry_StopArmed",),
        "revoke": ("MemberRegistry_NotActive", processor.address),
    }
    if function in refusals:
        with reverts_with(*refusals[function]):  # the call was made: an empty registry refuses it
            council.execute(1, call)
        return
    assert only_event(council.execute(1, call), "Executed")["proposalId"] == 1


@pytest.mark.parametrize("name", ["admit", "stopBeginnings"])
def test_execute__when_it_is_urgent__waits_for_nothing(council, urgent, at, name):
    call, member = urgent[name]
    assert council.contract.delayFor(*call.parts) == 0
    council.agree(call)
    agreed_at = council.agreed_at(1)
    at(agreed_at)
    council.execute(1, call)
    assert council.contract.proposalOf(1)["isExecuted"]
    if member:
        assert council.registry.isActive(member.address, Role.USER)
    else:
        assert council.registry.stoppedUntil() == agreed_at + DELAY + 7 * DAY


def test_execute__when_it_pays__waits_for_the_delay(
    council, urgent, new_account, deployer, at, reverts_with
):
    give(deployer, council.contract)
    takes_anything = new_account()
    web3.provider.make_request("anvil_setCode", [takes_anything.address, "0x00"])  # STOP
    bodies = [NOTHING, *(call.data for call, _ in urgent.values()), urgent["admit"][0].data[:4]]
    for proposal_id, body in enumerate(bodies, start=1):
        payment = Call(takes_anything.address, 10**17, body)
        assert council.contract.delayFor(*payment.parts) == DELAY
        council.agree(payment)
        ready_at = council.agreed_at(proposal_id) + DELAY
        at(ready_at - 1)
        with reverts_with("Consortium_TooEarly", proposal_id, ready_at, ready_at - 1):
            council.execute(proposal_id, payment)
        at(ready_at)
        council.execute(proposal_id, payment)
        assert takes_anything.balance() == proposal_id * 10**17
    assert council.contract.balance() == 10**18 - 4 * 10**17


@pytest.mark.parametrize("late", [-1, 0, 1])
def test_execute__given_the_founding__waits_for_nothing(found, now, at, reverts_with, late):
    ends_at = now() + DAY
    council = found(founding_ends_at=ends_at)
    call = council.call("setThreshold", 4)
    council.agree(call)
    agreed_at = council.agreed_at(1)
    at(ends_at + late)
    if late < 0:
        council.execute(1, call)
        assert council.contract.threshold() == 4
        return
    with reverts_with("Consortium_TooEarly", 1, agreed_at + DELAY, ends_at + late):
        council.execute(1, call)


def test_execute__given_the_founding__lets_a_payment_wait(
    found, deployer, new_account, now, at, reverts_with
):
    """k founders do not empty the consortium in a second; what else they decide is at once."""
    council, receiver = found(founding_ends_at=now() + 3 * DAY), new_account()
    give(deployer, council.contract)
    payment, change = Call(receiver.address, 10**17, NOTHING), council.call("setThreshold", 3)
    for call in (payment, change):
        council.agree(call)
    council.execute(2, change)
    ready_at = council.agreed_at(1) + DELAY
    assert ready_at < council.contract.foundingEndsAt()
    at(ready_at - 1)
    with reverts_with("Consortium_TooEarly", 1, ready_at, ready_at - 1):
        council.execute(1, payment)
    at(ready_at)
    council.execute(1, payment)
    assert receiver.balance() == 10**17


def test_execute__given_agreement_in_the_founding__waits_when_it_is_over(
    found, now, at, mine_at, reverts_with
):
    ends_at = now() + DAY
    council = found(founding_ends_at=ends_at)
    call = council.call("setThreshold", 4)
    at(ends_at - 10)
    council.propose(call)
    council.approve(1, 1)
    at(ends_at - 5)
    council.approve(1, 2)
    assert council.contract.delayFor(*call.parts) == 0
    mine_at(ends_at)
    assert council.contract.delayFor(*call.parts) == DELAY
    ready_at = ends_at - 5 + DELAY
    at(ready_at - 1)
    with reverts_with("Consortium_TooEarly", 1, ready_at, ready_at - 1):
        council.execute(1, call)
    at(ready_at)
    council.execute(1, call)
    assert council.contract.threshold() == 4


def test_execute__when_target_reverts__passes_it_on(
    council, revoke_call, processor, deployer, at, reverts_with
):
    closed = RevertingReceiver.deploy({"from": deployer})
    give(deployer, council.contract)
    payment = Call(closed.address, 7, NOTHING)
    too_much = Call(closed.address, 10**18 + 1, NOTHING)
    for call in (revoke_call, payment, too_much):
        council.agree(call)
    at(council.agreed_at(3) + DELAY)

    for _ in range(2):
        with reverts_with("MemberRegistry_NotActive", processor.address):
            council.execute(1, revoke_call)
        with reverts_with("RevertingReceiver_Closed"):
            council.execute(2, payment)
        with reverts_with(None):  # more than there is
            council.execute(3, too_much)
    assert not any(council.contract.proposalOf(i)["isExecuted"] for i in (1, 2, 3))

    closed.setOpen(True, {"from": deployer})
    council.execute(2, payment)
    assert closed.balance() == 7
    assert council.contract.balance() == 10**18 - 7


def test_execute__when_target_calls_back__carries_out_once(council, deployer, at):
    hostile = ReentrantReceiver.deploy({"from": deployer})
    give(deployer, council.contract)
    payment = Call(hostile.address, 10**17, NOTHING)
    council.agree(payment)
    again = council.contract.execute.encode_input(1, *payment.parts)
    hostile.prepare(council.contract, again, {"from": deployer})
    at(council.agreed_at(1) + DELAY)

    council.execute(1, payment)

    assert (hostile.attempts(), hostile.successes()) == (1, 0)
    refusal = decode_error(bytes(hostile.lastResult()))[:2]
    assert refusal == ("Consortium_NotMember", (hostile.address.lower(),))
    assert hostile.balance() == 10**17
    assert council.contract.balance() == 9 * 10**17


def test_execute__when_everything_holds__makes_the_call(council, deployer, at, only_event):
    give(deployer, council.contract)
    question = council.call("processorOf", b"\1" * 32, to=council.registry)
    wallet = ReentrantReceiver.deploy({"from": deployer})
    payment = Call(wallet.address, 3, NOTHING)
    for proposal_id, call in ((1, question), (2, payment)):
        council.agree(call)
        at(council.agreed_at(proposal_id) + DELAY)
        tx = council.execute(proposal_id, call, by=council.members[4])
        assert council.contract.proposalOf(proposal_id)["isExecuted"]
        assert plain(only_event(tx, "Executed")) == plain(
            {
                "proposalId": proposal_id,
                "target": call.target,
                "selector": call.data[:4].ljust(4, b"\0"),
                "subject": council.subject_of(proposal_id, call),
                "by": council.members[4],
            }
        )
        expected = bytes(32) if call is question else b""
        assert plain(tx.return_value) == plain(expected)
    assert wallet.balance() == 3
