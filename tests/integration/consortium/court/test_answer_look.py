"""What a judge concludes from the bytes of a disputed answer, outcome by outcome (docs/formats.md
§16), on the real contracts.
"""

from dataclasses import replace

import pytest

from offchain.audit.answer_look import AnswerLook, ShownAnswer
from offchain.audit.look import Look, Side
from offchain.audit.opened_answer import answer_bytes, open_outer
from offchain.billing import tariff_document
from offchain.billing.answering import Prices, work_out
from offchain.billing.series_at_hand import SeriesAtHand
from offchain.billing.tariff_days import TariffFiles
from offchain.chain.errors import NodeUnavailable
from offchain.crypto import kem, paillier
from offchain.crypto.curve import G1, add
from offchain.crypto.kem import Opening
from offchain.crypto.messages import factor_commitment
from offchain.errors import DocumentMissing
from offchain.member.directory import MemberDirectory
from offchain.member.errors import AnswerNotServed, NotJudgeable
from offchain.records.answer import Answer
from offchain.records.evidence import AnswerEvidence
from offchain.storage import Cid
from offchain.storage.blocks import INDEX_TAG
from offchain.storage.errors import ObjectCorrupt, StoreUnavailable
from tests.integration.node.test_requests import ask
from tests.integration.town import ADVICE, BILL, BITS, House, Town, say_tariff
from tests.integration.town import tariff_document as town_tariff

from .conftest import (
    Court,
    Lie,
    answer_falsely,
    answer_honestly,
    double_the_bill,
    leave_out_first_day,
    spoilt,
)


def looks(town: Town, house: House) -> AnswerLook:
    directory = MemberDirectory(house.gateway, town.store, paillier_bits=BITS)
    return AnswerLook(
        gateway=house.gateway,
        index=town.index,
        store=town.store,
        directory=directory,
        book=house.household.locks,
        type_names={BILL: "bill", ADVICE: "advice"},
    )


def shown_by_payer(house: House, lock_id: bytes) -> AnswerEvidence:
    """What an honest payer shows."""
    lock, asked = house.household.locks.lock(lock_id), house.household.notes.read(lock_id)
    return house.household.disputes._document(lock, asked)


def look_at(town: Town, house: House, lock_id: bytes, *shown: ShownAnswer) -> Look:
    return looks(town, house).look(house.household.locks.lock(lock_id), shown)


def payers(document: AnswerEvidence) -> ShownAnswer:
    return ShownAnswer(True, document)


def payees(document: AnswerEvidence) -> ShownAnswer:
    return ShownAnswer(False, document)


NOTHING = AnswerEvidence(answer=None, request=None)


def malformed_coins(key: paillier.PaillierPublicKey, reply: bytes, context: bytes) -> bytes:
    """Seal with coins that are not derived: the recipient alone could tell."""
    sealed, opening = kem.seal_with_opening(key, reply, context=context)
    c = paillier.encrypt_with_coins(key, opening.r, coins=opening.coins ^ 1 or 1)
    width = 2 * key.byte_length
    return sealed[:6] + paillier.ciphertext_to_bytes(key, c) + sealed[6 + width :]


def flip_last(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


@pytest.mark.parametrize("kind", [BILL, ADVICE])
def test_look__given_honest_answer__is_for_the_payee(court: Court, kind: int) -> None:
    town, house = court.town, court.town.houses[0]
    lock_id = answer_honestly(house, type_id=kind)

    look = look_at(town, house, lock_id, payers(shown_by_payer(house, lock_id)))

    assert (look.side, look.is_final) == (Side.PAYEE, True)
    assert {one.name for one in look.findings} >= {"coverage", "signature_of_node"}


def doubled(point: G1) -> G1:
    return add(point, point)


LIES = {
    "outer box": (Lie(outer=flip_last), "under the revealed secret x"),
    "not even a box": (Lie(outer=lambda _: b"garbage"), "under the revealed secret x"),
    "no sealed message": (Lie(inner=lambda _: b"garbage"), "no message sealed to the payer"),
    "c is zero": (
        Lie(inner=lambda one: one[:6] + bytes(512) + one[518:]),
        "no message sealed to the payer",
    ),
    "coins": (Lie(seal=malformed_coins), "coins are not derived"),
    "tag": (Lie(inner=flip_last), "key commitment or its tag"),
    "another context": (
        Lie(seal=lambda key, reply, context: kem.seal(key, reply, context=context + b"!")),
        "coins are not derived",
    ),
    "reply": (Lie(reply=lambda _: b"{}"), "malformed"),
    "answer": (Lie(answer_bytes=lambda one: one[:-1]), "malformed"),
    "signature": (Lie(signature=doubled), "signature"),
    "result": (Lie(answer=double_the_bill), "result recomputed"),
    "lock": (Lie(answer=lambda one: replace(one, lock_id=b"\7" * 32)), "request matches"),
    "future": (Lie(answer=lambda one: replace(one, as_of_block=2**62)), "as of block"),
}


@pytest.mark.parametrize("name", LIES)
def test_look__given_false_answer__is_for_the_payer(court: Court, name: str) -> None:
    lie, why = LIES[name]
    town, house = court.town, court.town.houses[0]
    lock_id = answer_falsely(town, house, lie)

    look = look_at(town, house, lock_id, payers(shown_by_payer(house, lock_id)))

    assert (look.side, look.is_final) == (Side.PAYER, True)
    assert why in look.why


@pytest.mark.parametrize("name", ["outer box", "no sealed message", "c is zero"])
def test_look__given_what_everybody_sees__needs_no_opening(court: Court, name: str) -> None:
    town, house = court.town, court.town.houses[0]
    lock_id = answer_falsely(town, house, LIES[name][0])

    look = look_at(town, house, lock_id)

    assert (look.side, look.is_final) == (Side.PAYER, True)


def test_look__given_day_left_out__needs_the_window(court: Court) -> None:
    town, house = court.town, court.town.houses[0]
    lie = Lie(answer=lambda one: leave_out_first_day(town, one))
    lock_id = answer_falsely(town, house, lie)
    document = shown_by_payer(house, lock_id)

    whole = look_at(town, house, lock_id, payers(document))
    without = look_at(town, house, lock_id, payers(replace(document, request=None)))
    replied = payees(AnswerEvidence(answer=None, request=document.request))
    with_reply = look_at(town, house, lock_id, payers(replace(document, request=None)), replied)

    assert (whole.side, whole.is_final, whole.why) == (Side.PAYER, True, "coverage does not hold")
    assert (without.side, without.is_final) == (Side.PAYEE, False)
    assert "nobody showed what was asked" in without.why
    assert (with_reply.side, with_reply.is_final) == (Side.PAYER, True)


def test_look__given_another_device__is_for_the_payer(court: Court) -> None:
    """The answer is true to the last bit, about a house that was not asked for."""
    town, house, other = court.town, court.town.houses[0], court.town.houses[2]
    honest = answer_honestly(other)
    foreign = other.household.answers.open(honest).answer
    lie = Lie(answer=lambda one: replace(foreign, lock_id=one.lock_id, as_of_block=one.as_of_block))
    lock_id = answer_falsely(town, house, lie)

    look = look_at(town, house, lock_id, payers(shown_by_payer(house, lock_id)))

    assert (look.side, look.why) == (Side.PAYER, "request matches does not hold")


def test_look__given_no_opening__waits_and_is_for_the_payee(court: Court) -> None:
    town, house = court.town, court.town.houses[0]
    lock_id = answer_falsely(town, house, Lie(answer=double_the_bill))

    for shown in ([], [payers(NOTHING)], [payees(NOTHING)]):
        look = look_at(town, house, lock_id, *shown)
        assert (look.side, look.is_final) == (Side.PAYEE, False)


def test_look__given_false_opening_of_the_payer__is_for_the_payee(court: Court) -> None:
    town, house = court.town, court.town.houses[0]
    lock_id = answer_falsely(town, house, Lie(answer=double_the_bill))
    document = shown_by_payer(house, lock_id)
    assert document.answer is not None
    key = house.keys.decryption_key.public_key
    true = Opening.from_bytes(key, document.answer)
    other = replace(true, r=(true.r + 1) % key.n).to_bytes(key)

    for false in (other, flip_last(document.answer), document.answer[:-1], b""):
        look = look_at(town, house, lock_id, payers(replace(document, answer=false)))
        assert (look.side, look.is_final) == (Side.PAYEE, True), false
    # A false one of the payee counts for nothing.
    lie = payees(AnswerEvidence(answer=other, request=None))
    assert look_at(town, house, lock_id, lie).is_final is False
    assert look_at(town, house, lock_id, lie, payers(document)).side is Side.PAYER


def test_look__given_false_opening_of_the_request__is_for_the_payee(court: Court) -> None:
    town, house = court.town, court.town.houses[0]
    lock_id = answer_honestly(house)
    document = shown_by_payer(house, lock_id)
    assert document.request is not None

    false = replace(document, request=flip_last(document.request))
    look = look_at(town, house, lock_id, payers(false))

    assert (look.side, look.is_final) == (Side.PAYEE, True)
    assert "not the request's" in look.why


def test_look__given_every_byte_of_the_opening_flipped__finds_none_true(court: Court) -> None:
    town, house = court.town, court.town.houses[0]
    lock_id = answer_falsely(town, house, Lie(answer=double_the_bill))
    document = shown_by_payer(house, lock_id)
    assert document.answer is not None
    lock, key = house.household.locks.lock(lock_id), house.keys.decryption_key.public_key
    outer = answer_bytes(lock, store=town.store, book=house.household.locks)
    sealed = open_outer(lock, outer, gateway=house.gateway, book=house.household.locks)

    for place in range(len(document.answer)):
        changed = bytearray(document.answer)
        changed[place] ^= 1
        opening = Opening.from_bytes(key, bytes(changed))
        assert not kem.verify_opening(key, sealed, opening), place


def test_look__given_bytes_that_nobody_serves__waits_and_is_for_the_payer(court: Court) -> None:
    town, house = court.town, court.town.houses[0]
    lock_id = answer_honestly(house)
    document, digest = (
        shown_by_payer(house, lock_id),
        house.household.locks.lock(lock_id).answer_digest,
    )
    bytes_held = town.store.get(digest, max_bytes=32 * 1024)
    town.store.unpin(digest)

    without = look_at(town, house, lock_id, payers(document))
    town.store.put(bytes_held)
    again = look_at(town, house, lock_id, payers(document))

    assert (without.side, without.is_final) == (Side.PAYER, False)
    assert (again.side, again.is_final) == (Side.PAYEE, True)


def test_look__given_digest_of_a_larger_object__finds_no_answer(court: Court) -> None:
    """Committed is the root of an object of many blocks: no bytes of 32 KiB are behind it."""
    town, house, node = court.town, court.town.houses[0], court.town.houses[0].node
    root, factor, lock_id = town.store.put(b"x" * 300_000).digest, b"f" * 32, ask(house)
    node.gateway.transact(
        "PrepaidLock",
        "accept",
        lock_id,
        factor_commitment(processor=node.keys.address, factor=factor),
        root,
        32 * 1024,
    )
    node.gateway.transact("PrepaidLock", "claim", lock_id, factor)

    look = look_at(town, house, lock_id)

    assert (look.side, look.is_final) == (Side.PAYER, False)
    with pytest.raises(AnswerNotServed):
        house.household.answers.open(lock_id)


def test_look__given_keys_that_cannot_be_had__waits(court: Court) -> None:
    town, house = court.town, court.town.houses[0]
    lock_id = answer_honestly(house)
    document = shown_by_payer(house, lock_id)
    for owner, side in ((house.keys, Side.PAYEE), (house.node.keys, Side.PAYER)):
        digest = town.directory.member(owner.address).paillier_digest
        file = town.store.get(digest, max_bytes=1 << 20)
        town.store.unpin(digest)
        look = look_at(town, house, lock_id, payers(document))
        town.store.put(file)
        assert (look.side, look.is_final) == (side, False), look.why
        assert "own key is missing" in look.why


def test_look__given_request_that_cannot_be_had__judges_without_the_window(court: Court) -> None:
    town, house = court.town, court.town.houses[0]
    lock_id = answer_honestly(house)
    asked = house.household.notes.read(lock_id)
    order = house.household.locks.event_of("Requested", lock_id).args["order"]
    town.store.unpin(bytes(order.messageDigest))

    document = shown_by_payer(house, lock_id)
    without = look_at(town, house, lock_id, payers(document))
    town.store.put(asked.message)
    again = look_at(town, house, lock_id, payers(document))

    assert (without.side, without.is_final) == (Side.PAYEE, False)
    assert (again.side, again.is_final) == (Side.PAYEE, True)


def test_look__given_request_that_says_nothing__is_for_the_payee(
    court: Court, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The payer sealed no request text: an honest node would have rejected it."""
    town, house = court.town, court.town.houses[0]
    monkeypatch.setattr("offchain.household.request_draft.request.encode", lambda _: b"{}")
    lock_id = answer_falsely(town, house, Lie())

    look = look_at(town, house, lock_id, payers(shown_by_payer(house, lock_id)))

    assert (look.side, look.is_final) == (Side.PAYEE, True)
    assert "request is malformed" in look.why


def test_look__given_a_bill_by_another_tariff__is_for_the_payer(court: Court) -> None:
    town, house = court.town, court.town.houses[0]
    other = tariff_document.parse(town_tariff("mine", fixed=[]))

    def by_another(answer: Answer) -> Answer:
        readings = {house.device.address: house.readings}
        files = Prices(TariffFiles([other]), SeriesAtHand.of_files([]))
        own = work_out("bill", readings, files, window=house.window, as_of_s=0)
        return replace(answer, result=own.to_json())

    lock_id = answer_falsely(town, house, Lie(answer=by_another))
    look = look_at(town, house, lock_id, payers(shown_by_payer(house, lock_id)))

    assert (look.side, look.why) == (Side.PAYER, "result recomputed does not hold")


@pytest.mark.parametrize("kind", [BILL, ADVICE])
def test_look__given_a_correction_since__goes_by_the_tariff_of_then(
    court: Court, kind: int
) -> None:
    town, house = court.town, court.town.houses[0]
    lock_id = answer_honestly(house, type_id=kind)
    document, lock = shown_by_payer(house, lock_id), house.household.locks.lock(lock_id)

    say_tariff(town.admin, town.store, town_tariff("dearer", fixed=[]))

    assert looks(town, house).look(lock, [payers(document)]).side is Side.PAYEE


def test_look__given_a_tariff_that_nobody_has__concludes_nothing(
    court: Court, monkeypatch: pytest.MonkeyPatch
) -> None:
    town, house = court.town, court.town.houses[0]
    lock_id = answer_honestly(house)
    document, lock = shown_by_payer(house, lock_id), house.household.locks.lock(lock_id)

    def missing(store: object, digest: str) -> bytes:
        raise DocumentMissing(digest, "no store has it")

    monkeypatch.setattr("offchain.member.tariff_book.document_of", missing)
    with pytest.raises(NotJudgeable, match="no store has it"):
        looks(town, house).look(lock, [payers(document)])


def test_look__given_own_store_that_does_not_answer__concludes_nothing(
    court: Court, monkeypatch: pytest.MonkeyPatch
) -> None:
    town, house = court.town, court.town.houses[0]
    lock_id = answer_honestly(house)
    document, lock = shown_by_payer(house, lock_id), house.household.locks.lock(lock_id)
    judge = looks(town, house)

    def fail(*_: object, **__: object) -> bytes:
        raise StoreUnavailable("no daemon")

    for found in (lock.answer_digest, town.directory.member(lock.payer).paillier_digest):
        real = town.store.get
        monkeypatch.setattr(
            town.store,
            "get",
            lambda cid, found=found, real=real, **kw: fail() if cid == found else real(cid, **kw),
        )
        with pytest.raises(StoreUnavailable):
            judge.look(lock, [payers(document)])
        monkeypatch.undo()


def test_look__given_spoilt_bytes_in_the_own_store__concludes_nothing(court: Court) -> None:
    """A broken disk of the judge's says nothing about either party."""
    town, house = court.town, court.town.houses[0]
    lock_id = answer_honestly(house)
    document, lock = shown_by_payer(house, lock_id), house.household.locks.lock(lock_id)
    order = house.household.locks.event_of("Requested", lock_id).args["order"]
    keys = (town.directory.member(one).paillier_digest for one in (lock.payer, lock.payee))
    for digest in (lock.answer_digest, bytes(order.messageDigest), *keys):
        with spoilt(town, digest), pytest.raises(ObjectCorrupt):
            looks(town, house).look(lock, [payers(document)])

    assert look_at(town, house, lock_id, payers(document)).side is Side.PAYEE


def test_look__given_malformed_index_for_an_answer__is_the_payees_own_fault(court: Court) -> None:
    """The bytes are the ones that were committed, and no store has better ones."""
    town, house, node = court.town, court.town.houses[0], court.town.houses[0].node
    root, factor, lock_id = Cid.of_block(INDEX_TAG + b"?"), b"g" * 32, ask(house)
    town.store._write_block(root, INDEX_TAG + b"?")
    node.gateway.transact(
        "PrepaidLock",
        "accept",
        lock_id,
        factor_commitment(processor=node.keys.address, factor=factor),
        root.digest,
        32 * 1024,
    )
    node.gateway.transact("PrepaidLock", "claim", lock_id, factor)

    look = look_at(town, house, lock_id)

    assert (look.side, look.is_final) == (Side.PAYER, False)


def test_look__given_chain_that_does_not_answer_in_between__concludes_nothing(
    court: Court, monkeypatch: pytest.MonkeyPatch
) -> None:
    town, house = court.town, court.town.houses[0]
    lock_id = answer_honestly(house)
    document = shown_by_payer(house, lock_id)

    def fail(*_: object, **__: object) -> list:
        raise NodeUnavailable("gone")

    monkeypatch.setitem(vars(house.gateway), "call_many", fail)
    with pytest.raises(NotJudgeable, match="gone"):
        look_at(town, house, lock_id, payers(document))
