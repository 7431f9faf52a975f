"""What a node keeps to defend its answers."""

import pytest

from offchain.database import Place
from offchain.node.duty_tables import AnswerProof, Duty
from offchain.node.store import NodeStore, StoreConflict
from tests.databases import place as place

LOCK, OTHER = b"\1" * 32, b"\2" * 32


def test_put_proof__given_an_answer_made_again__keeps_the_last(place: Place) -> None:
    with NodeStore(place) as held:
        held.put_proof(LOCK, opening=b"first", message=b"m")
        held.put_proof(LOCK, opening=b"second", message=b"m")

        assert held.proof(LOCK) == AnswerProof(b"second", b"m")
        assert held.proof(OTHER) is None
        assert "second" not in repr(held.proof(LOCK))


def test_duties__given_repeats_and_ends__lists_what_waits(place: Place) -> None:
    with NodeStore(place) as held:
        for lock_id in (LOCK, OTHER, LOCK):
            held.put_duty(lock_id, Duty.SERVE)
        held.put_duty(LOCK, Duty.REPLY)
        held.end_duty(LOCK, Duty.SERVE)

    with NodeStore(place) as held:
        assert held.duties(Duty.SERVE) == [OTHER]
        assert held.duties(Duty.REPLY) == [LOCK]


def test_put_duty__given_one_that_ended__leaves_it_so(place: Place) -> None:
    """The tables of the chain tell it at each poll until its lock goes on."""
    with NodeStore(place) as held:
        held.put_duty(LOCK, Duty.REPLY)
        held.keep_evidence(LOCK, b"reply")
        held.end_duty(LOCK, Duty.REPLY)
        held.put_duty(LOCK, Duty.REPLY)

        assert held.duties(Duty.REPLY) == []
        assert held.evidence(LOCK) == b"reply"


def test_keep_evidence__given_another_reply__keeps_the_first(place: Place) -> None:
    with NodeStore(place) as held:
        held.put_duty(LOCK, Duty.REPLY)

        assert held.evidence(LOCK) is None
        assert held.keep_evidence(LOCK, b"first") == b"first"
        assert held.keep_evidence(LOCK, b"second") == b"first"


def test_duties__given_unknown_lock__raise(place: Place) -> None:
    with NodeStore(place) as held:
        with pytest.raises(StoreConflict):
            held.end_duty(LOCK, Duty.SERVE)
        with pytest.raises(StoreConflict):
            held.keep_evidence(LOCK, b"reply")
        assert held.evidence(LOCK) is None
