"""DisputeCourt.addEvidenceAsMember: a member of the lock's group (addEvidenceAsMember.tree)."""

import money
import pytest
from members import Role

DIGEST, LENGTH = money.digest_of("more evidence"), 900


@pytest.fixture
def it(open_delivered, dispute, judges):
    opened = open_delivered()
    dispute(opened)
    return opened


@pytest.fixture
def add(court, group, buyer_two):
    """``add(lock, by=…, group=…)``: the transaction, by buyer_two if not told."""

    def send(it, by=buyer_two, *, of=group):
        options = {"from": getattr(by, "account", by)}
        words = (of.accounts, of.key_words, DIGEST, LENGTH)
        return court.addEvidenceAsMember(it.id, *words, options)

    return send


def test_add_evidence_as_member__given_no_case__reverts(open_delivered, add, refuses):
    it = open_delivered()
    with refuses("DisputeCourt_NoCase", it.id):
        add(it)


def test_add_evidence_as_member__when_caller_is_not_of_the_group__reverts(
    it, add, admit, refuses, outsider, processor, judges, buyer, buyer_two
):
    stranger = admit(Role.SHARER)
    for who in (outsider, processor, judges[0], stranger):
        with refuses("DisputeCourt_NotParty", it.id, who.address):
            add(it, who)
    with refuses("DisputeCourt_NotParty", it.id, stranger.address):
        add(it, stranger, of=money.group_of(buyer, buyer_two, stranger))


def test_add_evidence_as_member__given_a_request__reverts(open_disputed, add, refuses, buyer_two):
    private = open_disputed()
    with refuses("DisputeCourt_NotParty", private.id, buyer_two.address):
        add(private)


def test_add_evidence_as_member__given_added_before__reverts(it, add, refuses, buyer_two):
    add(it)
    with refuses("DisputeCourt_AlreadyAdded", it.id, buyer_two.address):
        add(it)


def test_add_evidence_as_member__when_everything_holds__emits(
    it, add, revoke, buyer_two, buyer_three, only_event
):
    revoke(buyer_three)
    for who in (buyer_two, buyer_three):
        tx = add(it, who)
        event = only_event(tx, "EvidenceAdded")
        assert (bytes(event["lockId"]), event["by"]) == (it.id, who.address)
        assert (bytes(event["evidenceDigest"]), event["evidenceLength"]) == (DIGEST, LENGTH)
        assert len(tx.events) == 1
