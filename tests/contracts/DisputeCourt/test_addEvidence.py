"""DisputeCourt.addEvidence: replies, and what a false friend left out (addEvidence.tree)."""

import disputes
import money
import pytest
from reading import plain

DIGEST, LENGTH = money.digest_of("another evidence"), 777


@pytest.fixture
def it(open_delivered, dispute_as_member):
    """A sharing lock that buyer_two disputed."""
    it = open_delivered()
    dispute_as_member(it)
    return it


@pytest.fixture
def add(court, buyer):
    """``add(lock, by=…, digest=…, length=…)``: the transaction, by the payer if not told."""

    def send(it, by=buyer, *, digest=DIGEST, length=LENGTH):
        return court.addEvidence(it.id, digest, length, {"from": getattr(by, "account", by)})

    return send


def test_add_evidence__given_no_case__reverts(open_delivered, add, refuses):
    it = open_delivered()
    with refuses("DisputeCourt_NoCase", it.id):
        add(it)


def test_add_evidence__given_decided_case__reverts(it, add, verdict, refuses):
    verdict(it, True)
    with refuses("DisputeCourt_AlreadyDecided", it.id):
        add(it)


@pytest.mark.parametrize("late", [0, 1])
def test_add_evidence__when_time_is_over__reverts(it, add, due_of, refuses, at, late):
    due = due_of(it)
    at(due + late)
    with refuses("DisputeCourt_TooLate", it.id, due, due + late):
        add(it)


def test_add_evidence__when_time_is_left__adds(it, add, due_of, at):
    at(due_of(it) - 1)
    assert add(it).events.count("EvidenceAdded") == 1


def test_add_evidence__when_caller_is_no_party__reverts(
    it, add, refuses, outsider, meter_owner, processor_two, judges, buyer_two, buyer_three
):
    """Also a member of the group, which has a function of its own."""
    for who in (outsider, meter_owner, processor_two, judges[0], buyer_two, buyer_three):
        with refuses("DisputeCourt_NotParty", it.id, who.address):
            add(it, who)


def test_add_evidence__when_evidence_is_unsound__reverts(it, add, refuses):
    for digest, length in (
        (money.NOTHING, LENGTH),
        (DIGEST, 0),
        (DIGEST, money.MAX_SEALED_BYTES + 1),
    ):
        with refuses("DisputeCourt_BadEvidence", digest, length):
            add(it, digest=digest, length=length)
    add(it, length=money.MAX_SEALED_BYTES)


def test_add_evidence__given_added_before__reverts(it, add, refuses, buyer, processor):
    add(it)
    with refuses("DisputeCourt_AlreadyAdded", it.id, buyer.address):
        add(it, digest=money.digest_of("yet another"))
    add(it, processor)  # each its own


def test_add_evidence__given_revoked_parties__adds(it, add, revoke, buyer, processor):
    for who in (buyer, processor):
        revoke(who)
        assert add(it, who).events.count("EvidenceAdded") == 1


def test_add_evidence__when_everything_holds__emits(
    it, add, court, buyer, processor, only_event, owes, may_withdraw
):
    before = plain(court.caseOf(it.id))
    for who in (buyer, processor):
        tx = add(it, who)
        event = only_event(tx, "EvidenceAdded")
        assert (bytes(event["lockId"]), event["by"]) == (it.id, who.address)
        assert (bytes(event["evidenceDigest"]), event["evidenceLength"]) == (DIGEST, LENGTH)
        assert len(tx.events) == 1
    assert plain(court.caseOf(it.id)) == before
    owes(it.order.price_wei + disputes.dispute_wei(it.order.price_wei))
    may_withdraw()
    print(f"gas addEvidence: {tx.gas_used}")
