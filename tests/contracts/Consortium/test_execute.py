"""Consortium.execute: what waits, what does not, and how often (execute.tree)."""

import pytest
from brownie import ReentrantReceiver, RevertingReceiver, web3
from members import Role, new_proofs, region_id
from reading import plain
from reverting import decode_error

from tests.contracts.Consortium.conftest import DAY, DELAY, LIFE, NOTHING, Call


@pytest.fixture
def urgent(council, prepare, new_account):
    """An admission and the emergency stop, both of which the council's registry takes."""
    member = prepare(new_account(), Role.USER, region_id("north"))
    registry = council.registry
    place = (registry, web3.eth.chain_id, member.account)  # proofs name their registry
    proofs = new_proofs(*place, Role.USER, member.keys)
    return {
        "admit": (
            council.call("admit", member.address, member.profile, proofs, to=registry),
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


@pytest.mark.parametrize("late", [-1, 0, 1])
def test_execute__when_agreement_lapses__reverts(council, at, reverts_with, late):
    call = council.call("setThreshold", 4)
    council.agree(call)
    lapses_at = council.agreed_at(1) + DELAY + LIFE
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
    assert contract.delayFor(0, call.data) == DELAY
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
    assert council.contract.delayFor(0, call.data) == 0
    council.agree(call)
    agreed_at = council.agreed_at(1)
    at(agreed_at)
    council.execute(1, call)
    assert council.contract.proposalOf(1)["isExecuted"]
    if member:
        assert council.registry.isActive(member.address, Role.USER)
    else:
        assert council.registry.stoppedUntil() == agreed_at + 7 * DAY


def test_execute__when_it_pays__waits_for_the_delay(
    council, urgent, relayer, new_account, deployer, at, reverts_with
):
    give(deployer, council.contract)
    takes_anything = new_account()
    web3.provider.make_request("anvil_setCode", [takes_anything.address, "0x00"])  # STOP
    bodies = [NOTHING, *(call.data for call, _ in urgent.values()), urgent["admit"][0].data[:4]]
    for proposal_id, body in enumerate(bodies, start=1):
        payment = Call(takes_anything.address, 10**17, body)
        assert council.contract.delayFor(10**17, body) == DELAY
        council.agree(payment)
        ready_at = council.agreed_at(proposal_id) + DELAY
        at(ready_at - 1)
        with reverts_with("Consortium_TooEarly", proposal_id, ready_at, ready_at - 1):
            council.execute(proposal_id, payment)
        at(ready_at)
        council.execute(proposal_id, payment, by=relayer)
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
    assert council.contract.delayFor(0, call.data) == 0
    mine_at(ends_at)
    assert council.contract.delayFor(0, call.data) == DELAY
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
    assert decode_error(bytes(hostile.lastResult()))[:2] == ("Consortium_AlreadyExecuted", (1,))
    assert hostile.balance() == 10**17
    assert council.contract.balance() == 9 * 10**17


def test_execute__when_everything_holds__makes_the_call(council, deployer, relayer, at, only_event):
    give(deployer, council.contract)
    question = council.call("processorOf", b"\1" * 32, to=council.registry)
    wallet = ReentrantReceiver.deploy({"from": deployer})
    payment = Call(wallet.address, 3, NOTHING)
    for proposal_id, call in ((1, question), (2, payment)):
        council.agree(call)
        at(council.agreed_at(proposal_id) + DELAY)
        tx = council.execute(proposal_id, call, by=relayer)
        assert council.contract.proposalOf(proposal_id)["isExecuted"]
        assert plain(only_event(tx, "Executed")) == plain(
            {
                "proposalId": proposal_id,
                "target": call.target,
                "selector": call.data[:4].ljust(4, b"\0"),
                "by": relayer,
            }
        )
        expected = bytes(32) if call is question else b""
        assert plain(tx.return_value) == plain(expected)
    assert wallet.balance() == 3
