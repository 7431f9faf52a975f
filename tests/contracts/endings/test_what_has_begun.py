"""What has begun ends by its own rules: revocation, terms, rules and the stop touch nothing.

Each path from a beginning to an end is walked undisturbed, and once more under each disturbance
that begins right after the lock has. Every state, stage, sum, bond, credit and event must be the
same.
"""

import disputes
import money
import pytest
from reading import plain

from tests.contracts.conftest import isolated


@pytest.fixture
def disturbances(
    govern, catalogue, registry, revoke, processor, meter_owner, buyer, buyer_two, buyer_three
):
    """By name: what the consortium may do to what others have begun."""

    def change_terms():
        for type_id, name in ((money.BILL, b"bill"), (money.ADVICE, b"advice")):
            closed = (False, 2_000, 1_000, 1, 1, name.ljust(32, b"\0"))
            govern(catalogue, "setType", type_id, closed)
        govern(catalogue, "setSharingTerms", (2_000, 1_000, 1, 8_000))

    def revoke_everybody():
        for member in (processor, meter_owner, buyer, buyer_two, buyer_three):
            revoke(member)

    return {
        "members revoked": revoke_everybody,
        "types closed, terms changed": change_terms,
        "rules changed": lambda: govern(
            catalogue, "setRules", disputes.rules_words(disputes.OTHER_RULES)
        ),
        "emergency stop": lambda: govern(registry, "stopBeginnings"),
    }


@pytest.fixture
def paths(
    lock, open_request, open_accepted, open_claimed, open_sharing, open_delivered, deliver, demand,
    serve, dispute, dispute_as_member, verdict, court, buyer, processor, relayer, judges,
):  # fmt: skip
    """By name: how the lock is opened, and the steps to its end; "due" lets its deadline come."""

    def by(account, function, *arguments):
        return lambda it: getattr(lock, function)(it.id, *arguments, {"from": account})

    def claim(it):
        return lock.claim(it.id, it.secret, {"from": relayer})

    def add_evidence(it):
        evidence = (money.digest_of("more"), 9)
        return court.addEvidence(it.id, *evidence, {"from": processor.account})

    node, advice = processor.account, lambda: open_accepted(type_id=money.ADVICE)
    settle, refund, slash = (by(relayer, name) for name in ("settle", "refund", "slash"))
    many = lambda it: lock.endMany([it.id], {"from": relayer})  # noqa: E731
    return {
        "rejected": (open_request, [by(node, "reject", 1)]),
        "never accepted": (open_request, ["due", refund]),
        "claimed without a window": (open_accepted, [claim]),
        "never claimed": (open_accepted, ["due", refund]),
        "claimed and settled": (advice, [claim, "due", settle]),
        "served and settled": (advice, [claim, demand, serve, "due", many]),
        "not served": (advice, [claim, demand, "due", slash]),
        "served and disputed": (
            open_claimed,
            [demand, serve, dispute, lambda it: verdict(it, True)],
        ),
        "disputed for the payee": (
            open_claimed,
            [dispute, add_evidence, lambda it: verdict(it, False)],
        ),
        "disputed, not decided": (open_claimed, [dispute, "due", refund]),
        "declined": (open_sharing, [by(node, "decline", 1)]),
        "never delivered": (open_sharing, ["due", many]),
        "delivered without a window": (open_sharing, [deliver]),
        "delivered and settled": (open_delivered, ["due", settle]),
        "disputed by a member": (
            open_delivered,
            [dispute_as_member, add_evidence, lambda it: verdict(it, True)],
        ),
        "disputed by the buyer, not decided": (open_delivered, [dispute, "due", many]),
    }


PATHS = [
    "rejected", "never accepted", "claimed without a window", "never claimed",
    "claimed and settled", "served and settled", "not served", "served and disputed",
    "disputed for the payee", "disputed, not decided", "declined", "never delivered",
    "delivered without a window", "delivered and settled", "disputed by a member",
    "disputed by the buyer, not decided",
]  # fmt: skip
ENDS = {money.REJECTED, money.DECLINED, money.SETTLED, money.REFUNDED, money.SLASHED}


@pytest.fixture
def walk(
    lock, credit, consortium, processor, meter_owner, buyer, buyer_two, relayer, judges, at, now
):
    """``walk(opener, steps, disturb)``: the whole story, told without absolute times."""
    everybody = (consortium, processor, meter_owner, buyer, buyer_two, relayer)

    def told(it, tx, previous_due):
        stored = lock.lockOf(it.id)
        begins = tx is not None and stored["dueAt"] != previous_due
        events = [(event.name, sums_of(event)) for event in tx.events] if tx else []
        bond = lock.bondOf(processor.address)
        return (
            stored["state"],
            stored["dueAt"] - tx.timestamp if begins else "as before",
            stored["bondWei"], stored["feeBps"], stored["rulesVersion"],
            [lock.withdrawableOf(who.address) for who in everybody],
            (bond["freeWei"], bond["heldWei"]),
            (lock.liabilitiesWei(), lock.balance(), credit.creditOf(processor.address)),
            events,
        )  # fmt: skip

    def run(opener, steps, disturb):
        money.set_credit(credit, processor, 100)
        it = opener()
        if disturb:
            disturb()
        story = [told(it, None, None)]
        for step in steps:
            if step == "due":
                stored = lock.lockOf(it.id)
                deadline = stored["dueAt"] or stored["expiresAt"]
                at(deadline - 1)
                lock.endMany([it.id], {"from": relayer})  # nothing is due yet
                assert lock.lockOf(it.id)["state"] == stored["state"]
                at(deadline)
                continue
            previous_due = lock.lockOf(it.id)["dueAt"]
            story.append(told(it, step(it), previous_due))
        assert lock.lockOf(it.id)["state"] in ENDS
        return story

    return run


def sums_of(event):
    """Return what an event says about money."""
    return {name: plain(value) for name, value in event.items() if name.endswith("Wei")}


@pytest.mark.parametrize("name", PATHS)
def test_what_has_begun__whatever_the_consortium_does__ends_as_if_it_had_not(
    name, paths, walk, disturbances
):
    opener, steps = paths[name]
    with isolated():
        undisturbed = walk(opener, steps, None)
    for disturbance, disturb in disturbances.items():
        with isolated():
            assert walk(opener, steps, disturb) == undisturbed, disturbance


def test_paths__as_named__are_all_walked(paths):
    assert list(paths) == PATHS


@pytest.mark.parametrize("who", ["processor", "meter_owner"])
def test_what_is_owed__given_revoked_members_and_the_stop__can_be_withdrawn(
    who, request, lock, open_request, open_accepted, revoke, govern, registry, relayer, processor,
):  # fmt: skip
    member = request.getfixturevalue(who)
    settled, rejected = open_accepted(), open_request()
    lock.claim(settled.id, settled.secret, {"from": relayer})
    lock.reject(rejected.id, money.NOT_SERVED, {"from": processor.account})
    due, before = lock.withdrawableOf(member.address), member.account.balance()
    assert due > 0
    revoke(member)
    govern(registry, "stopBeginnings")
    lock.withdrawFor(member.address, {"from": relayer})
    assert member.account.balance() == before + due


@pytest.mark.parametrize("disturbance", ["members revoked", "emergency stop"])
def test_what_begins__under_the_same_disturbance__is_refused(
    disturbance, disturbances, pay, an_order, open_request, accept, reverts_with, registry,
    meter_owner, processor,
):  # fmt: skip
    """Control: revocation and stop do stop something."""
    it = open_request()
    disturbances[disturbance]()
    if disturbance == "emergency stop":
        errors = [("MemberRegistry_Stopped", registry.stoppedUntil())] * 2
    else:
        errors = [
            ("PrepaidLock_NotUser", meter_owner.address),
            ("PrepaidLock_NotProcessor", processor.address),
        ]
    with reverts_with(*errors[0]):
        pay(an_order)
    with reverts_with(*errors[1]):
        accept(it)
