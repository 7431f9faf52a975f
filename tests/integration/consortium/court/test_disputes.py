"""Demands and disputes from end to end on the real contracts: money, credit, evidence, votes."""

import logging
from dataclasses import replace

import pytest

from offchain.audit.evidence import judges_of, open_evidence, seal_evidence
from offchain.audit.look import Side
from offchain.chain.facts import ContractRevert
from offchain.chain.health import HealthGate, HealthLimits
from offchain.consortium.admin import Admin
from offchain.consortium.court.judge import JudgeAgent
from offchain.member.errors import (
    AnswerNotServed,
    EvidenceUnreadable,
    NoJudges,
    NothingToDispute,
    TermsUnfit,
)
from offchain.member.roles import LockState
from offchain.node.duty_tables import Duty
from offchain.node.tables import requests
from offchain.storage.errors import ObjectCorrupt, StoreUnavailable
from tests.integration.town import PRICE_WEI, House, Town

from .conftest import (
    SERVE_S,
    WINDOW_S,
    Court,
    Lie,
    answer_falsely,
    answer_honestly,
    double_the_bill,
    spoilt,
)

DISPUTE_WEI = max(PRICE_WEI // 4, 10**14)
SERVE_GAS_WEI = 10**9  # of the first rules


def owed(town: Town, account: str) -> int:
    return town.houses[0].gateway.call("PrepaidLock", "withdrawableOf", account)


def credit_of(house: House) -> int:
    return house.gateway.call("CreditBook", "creditOf", house.node.keys.address)


def held_bond(house: House) -> int:
    return house.gateway.call("PrepaidLock", "bondOf", house.node.keys.address).heldWei


def dispute(court: Court, house: House, lock_id: bytes) -> None:
    house.household.disputes.dispute(house.household.disputes.prepare(lock_id))


def withhold(court: Court, house: House, lock_id: bytes) -> bytes:
    """Take the answer out of the content store; return it."""
    digest = house.household.locks.lock(lock_id).answer_digest
    data = court.town.store.get(digest, max_bytes=32 * 1024)
    court.town.store.unpin(digest)
    return data


def test_dispute__given_garbage__two_judges_give_price_and_bond_back(
    court: Court, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    town, house = court.town, court.town.houses[0]
    lock_id = answer_falsely(town, house, Lie(answer=double_the_bill))
    lock, me = house.household.locks.lock(lock_id), house.keys.address
    wrong = {one.name for one in house.household.answers.audit(lock_id).findings if not one.ok}
    assert wrong == {"result_recomputed"}
    before, credit = owed(town, me), credit_of(house)

    prepared = house.household.disputes.prepare(lock_id)
    assert (prepared.look.side, prepared.cost_wei) == (Side.PAYER, DISPUTE_WEI)
    house.household.disputes.dispute(prepared)
    assert house.household.locks.lock(lock_id).state is LockState.DISPUTED
    assert [one.kind for one in house.node.worker.run_once()] == ["replied"]
    opinion = court.judges[0].agent.look(lock_id)
    assert opinion.look.side is Side.PAYER and opinion.unread == ()
    assert any("result_recomputed" in claim for _, claim in opinion.claims)
    assert court.step(1) == ["voted"]
    assert house.household.locks.lock(lock_id).state is LockState.DISPUTED
    assert court.step(2) == ["voted"]  # the first judge has voted already

    assert house.household.locks.lock(lock_id).state is LockState.SLASHED
    assert owed(town, me) - before == PRICE_WEI + DISPUTE_WEI + lock.bond_wei - lock.fee_wei
    assert credit_of(house) < credit or credit == 0
    assert court.step(3) == []
    assert house.node.worker.run_once() == [] and held_bond(house) == 0
    said = caplog.text
    bill = house.household.answers.open(lock_id).answer.result
    for secret in (str(bill["import_wh"]), str(bill["subtotal"]), house.keys.identity):
        assert secret not in said


def test_dispute__given_honest_answer__is_refused_and_by_force_lost(court: Court) -> None:
    town, house = court.town, court.town.houses[0]
    lock_id = answer_honestly(house)
    lock, node = house.household.locks.lock(lock_id), house.node.keys.address
    before = owed(town, node), owed(town, house.keys.address)

    prepared = house.household.disputes.prepare(lock_id)
    with pytest.raises(NothingToDispute, match="would be lost"):
        prepared.require_worth()
    house.household.disputes.dispute(prepared)
    house.node.worker.run_once()
    court.step()

    assert house.household.locks.lock(lock_id).state is LockState.SETTLED
    earned = owed(town, node) - before[0]
    assert earned == PRICE_WEI - lock.fee_wei + DISPUTE_WEI
    assert owed(town, house.keys.address) == before[1]


def test_dispute__given_no_opening_shown__waits_for_the_nodes_reply(court: Court) -> None:
    """A payer that shows nothing gains nothing: the honest node's reply decides at once."""
    house = court.town.houses[0]
    lock_id = answer_honestly(house)
    prepared = house.household.disputes.prepare(lock_id)
    empty = replace(prepared.document, answer=None, request=None)
    house.household.disputes.dispute(replace(prepared, document=empty))

    assert court.step() == ["waits", "waits"]
    assert [one.kind for one in house.node.worker.run_once()] == ["replied"]
    assert house.node.worker.run_once() == []
    assert court.step() == ["voted", "voted"]

    assert house.household.locks.lock(lock_id).state is LockState.SETTLED


def test_dispute__given_withheld_bytes__judges_wait_and_then_decide(court: Court) -> None:
    town, house = court.town, court.town.houses[0]
    lock_id = answer_honestly(house)
    withhold(court, house, lock_id)
    with pytest.raises(TermsUnfit, match=f"not served: demand it first .*{lock_id.hex()}"):
        house.household.disputes.prepare(lock_id)
    prepared = house.household.disputes.prepare(lock_id, force=True)
    assert (prepared.look.side, prepared.look.is_final) == (Side.PAYER, False)
    house.household.disputes.dispute(prepared)

    assert court.step() == ["waits", "waits"]
    case = court.judges[0].agent.open_cases()[0]
    town.anvil.stand_at(case.patient_until - 2)
    assert court.step(1) == ["waits"]
    town.anvil.stand_at(case.patient_until)
    assert court.step() == ["voted", "voted"]

    assert house.household.locks.lock(lock_id).state is LockState.SLASHED


def test_dispute__given_withheld_bytes_and_a_reply__is_for_the_honest_node(court: Court) -> None:
    house = court.town.houses[0]
    lock_id = answer_honestly(house)
    withhold(court, house, lock_id)
    house.household.disputes.dispute(house.household.disputes.prepare(lock_id, force=True))

    house.node.worker.run_once()  # puts the bytes back, and shows the opening

    assert court.step() == ["voted", "voted"]
    assert house.household.locks.lock(lock_id).state is LockState.SETTLED


def test_add_evidence__given_garbage_served_after_the_dispute__is_for_the_payer(
    court: Court,
) -> None:
    """The node withholds its garbage until the payer has shown nothing, and then brings it."""
    town, house = court.town, court.town.houses[0]
    lock_id = answer_falsely(town, house, Lie(answer=double_the_bill))
    garbage = withhold(court, house, lock_id)
    prepared = house.household.disputes.prepare(lock_id, force=True)
    assert prepared.document.answer is None
    house.household.disputes.dispute(prepared)
    with pytest.raises(TermsUnfit, match="nothing to show yet"):
        house.household.disputes.add_evidence(lock_id)
    town.store.put(garbage)
    look = court.judges[0].agent.look(lock_id).look
    assert (look.side, look.is_final) == (Side.PAYEE, False)

    house.household.disputes.add_evidence(lock_id)

    assert court.step() == ["voted", "voted"]
    assert house.household.locks.lock(lock_id).state is LockState.SLASHED


def test_add_evidence__given_no_dispute__says_so(court: Court) -> None:
    house = court.town.houses[0]
    lock_id = answer_honestly(house)

    with pytest.raises(TermsUnfit, match="CLAIMED and not disputed"):
        house.household.disputes.add_evidence(lock_id)


def test_dispute__given_nobody_decides__gives_everything_back(court: Court) -> None:
    town, house = court.town, court.town.houses[0]
    lock_id = answer_falsely(town, house, Lie(answer=double_the_bill))
    me, node, credit = house.keys.address, house.node, credit_of(house)
    before, bond = owed(town, me), house.gateway.call("PrepaidLock", "bondOf", node.keys.address)
    dispute(court, house, lock_id)
    court.step(1)
    town.anvil.stand_at(house.household.locks.lock(lock_id).due_at)
    assert court.step(3) == []

    outcomes = [one.kind for one in node.worker.run_once()]

    assert "refunded" in outcomes
    assert owed(town, me) - before == PRICE_WEI + DISPUTE_WEI
    after = house.gateway.call("PrepaidLock", "bondOf", node.keys.address)
    assert after.freeWei == bond.freeWei + bond.heldWei and after.heldWei == 0
    assert credit_of(house) == credit


def test_dispute__given_window_over_or_demanded__says_so(court: Court) -> None:
    town, house = court.town, court.town.houses[0]
    lock_id, other = answer_honestly(house), answer_honestly(house)
    house.household.disputes.demand(other)

    with pytest.raises(TermsUnfit, match="DEMANDED"):
        house.household.disputes.prepare(other)
    town.anvil.warp(WINDOW_S)
    with pytest.raises(TermsUnfit, match="ended at"):
        house.household.disputes.prepare(lock_id)
    with pytest.raises(TermsUnfit, match="ended at"):
        house.household.disputes.demand(lock_id)


def test_dispute__given_no_judge_with_a_key__pays_nothing(court: Court) -> None:
    town, house = court.town, court.town.houses[0]
    lock_id = answer_falsely(town, house, Lie(answer=double_the_bill))
    prepared = house.household.disputes.prepare(lock_id)
    registered = [town.directory.member(one.keys.address) for one in court.judges[:2]]
    files = [town.store.get(one.paillier_digest, max_bytes=1 << 20) for one in registered]
    for one in registered:
        town.store.unpin(one.paillier_digest)
    house.household.disputes._directory._keys.clear()  # what it has seen it knows

    with pytest.raises(NoJudges, match="1 judges can read evidence and 2 must agree"):
        house.household.disputes.dispute(prepared)

    for file in files:
        town.store.put(file)
    assert house.household.locks.lock(lock_id).state is LockState.CLAIMED


def test_dispute__given_store_that_does_not_answer_for_a_key__leaves_no_judge_out(
    court: Court, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two judges of three could still decide: the third must not lose its voice to a hiccup."""
    town, house = court.town, court.town.houses[0]
    lock_id = answer_falsely(town, house, Lie(answer=double_the_bill))
    prepared = house.household.disputes.prepare(lock_id)
    digest = town.directory.member(court.judges[2].keys.address).paillier_digest
    house.household.disputes._directory._keys.clear()
    real = town.store.get

    def get(cid: bytes, **bounds: int) -> bytes:
        if cid == digest:
            raise StoreUnavailable("no daemon")
        return real(cid, **bounds)

    monkeypatch.setattr(town.store, "get", get)
    with pytest.raises(StoreUnavailable, match="no daemon"):
        house.household.disputes.dispute(prepared)

    assert house.household.locks.lock(lock_id).state is LockState.CLAIMED


def test_look__given_spoilt_evidence_in_the_judges_store__concludes_nothing(court: Court) -> None:
    town, house = court.town, court.town.houses[0]
    lock_id = answer_falsely(town, house, Lie(answer=double_the_bill))
    dispute(court, house, lock_id)
    (brought,) = court.judges[0].agent._cases.brought(lock_id)

    with spoilt(town, brought.digest), pytest.raises(ObjectCorrupt):
        court.judges[0].agent.look(lock_id)

    assert court.judges[0].agent.look(lock_id).look.side is Side.PAYER


def test_run_once__given_chain_not_to_be_believed__votes_on_nothing(court: Court) -> None:
    """A vote cannot be taken back: a chain that stands still gets none."""
    town, house, judge = court.town, court.town.houses[0], court.judges[0]
    lock_id = answer_honestly(house)
    house.household.disputes.dispute(house.household.disputes.prepare(lock_id))
    limits = HealthLimits(heartbeat_s=1.0)
    clock = house.gateway.now() + 60
    agent = JudgeAgent(
        gateway=judge.gateway,
        index=town.index,
        store=town.store,
        keys=judge.keys,
        directory=town.directory,
        health=HealthGate(
            judge.gateway.endpoint, limits, chain_id=judge.gateway.chain_id, clock=lambda: clock
        ),
    )

    (step,) = agent.run_once()

    assert step.kind == "paused" and "stands still" in step.detail
    assert agent.open_cases()[0].votes_for_payee == 0


# ---- demands


def test_demand__given_withheld_answer__is_served_and_opened_from_the_event(court: Court) -> None:
    town, house = court.town, court.town.houses[0]
    lock_id = answer_honestly(house)
    withhold(court, house, lock_id)
    with pytest.raises(AnswerNotServed):
        house.household.answers.open(lock_id)
    parties = house.node.keys.address, house.keys.address
    before, deposit = (
        [owed(town, one) for one in parties],
        house.household.disputes.demand_wei(lock_id),
    )

    house.household.disputes.demand(lock_id)
    with pytest.raises(AnswerNotServed):
        house.household.answers.open(lock_id)
    outcomes = house.node.worker.run_once()

    assert [one.kind for one in outcomes] == ["served"]
    assert house.household.answers.open(lock_id).signature_valid  # the store still has nothing
    assert house.household.answers.audit(lock_id).ok
    lock = house.household.locks.lock(lock_id)
    assert lock.state is LockState.CLAIMED and lock.is_demanded
    assert lock.due_at == house.gateway.contract_time() + WINDOW_S
    # The chain's base fee is 0: serving cost the node nothing, and the deposit goes back.
    assert [owed(town, one) for one in parties] == [before[0], before[1] + deposit]
    assert house.node.worker.run_once() == []
    with pytest.raises(TermsUnfit, match="demanded and served already"):
        house.household.disputes.demand(lock_id)


def test_demand__given_node_that_never_serves__is_slashed(court: Court) -> None:
    town, house = court.town, court.town.houses[0]
    lock_id = answer_honestly(house)
    withhold(court, house, lock_id)
    me, credit, lock = house.keys.address, credit_of(house), house.household.locks.lock(lock_id)
    before, deposit = owed(town, me), house.household.disputes.demand_wei(lock_id)
    house.household.disputes.demand(lock_id)
    with pytest.raises(ContractRevert, match="TooEarly"):
        house.household.disputes.slash(lock_id)
    town.anvil.warp(SERVE_S)

    late = house.node.worker.run_once()
    house.household.disputes.slash(lock_id)

    assert [one.kind for one in late] == ["expired"]
    assert owed(town, me) - before == PRICE_WEI + deposit + lock.bond_wei
    assert credit_of(house) < credit or credit == 0
    assert house.node.worker.run_once() == [] and held_bond(house) == 0


def test_demand__given_served_garbage__is_disputed_from_the_event(court: Court) -> None:
    town, house = court.town, court.town.houses[0]
    lock_id = answer_falsely(town, house, Lie(inner=lambda _: b"garbage"))
    withhold(court, house, lock_id)
    house.household.disputes.demand(lock_id)
    house.node.worker.run_once()

    dispute(court, house, lock_id)
    court.step()

    assert house.household.locks.lock(lock_id).state is LockState.SLASHED


def test_serve__given_gas_as_dear_as_the_deposit_repays__serves_at_once(
    court: Court, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = court.town.houses[0]
    lock_id = answer_honestly(house)
    house.household.disputes.demand(lock_id)
    monkeypatch.setitem(vars(house.node.gateway), "gas_price_wei", lambda: SERVE_GAS_WEI)

    assert [one.kind for one in house.node.worker.run_once()] == ["served"]
    assert house.household.locks.lock(lock_id).state is LockState.CLAIMED


def test_serve__given_dear_gas__waits_until_half_of_the_time(
    court: Court, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = court.town.houses[0]
    lock_id = answer_honestly(house)
    house.household.disputes.demand(lock_id)
    node = house.node
    monkeypatch.setitem(vars(node.gateway), "gas_price_wei", lambda: SERVE_GAS_WEI + 1)

    assert [one.kind for one in node.worker.run_once()] == ["skipped"]
    assert "waits for cheaper gas" in node.worker.defence.serve(lock_id).detail
    court.town.anvil.warp(SERVE_S // 2)
    assert [one.kind for one in node.worker.run_once()] == ["served"]


def test_serve__given_no_store_with_the_answer__says_what_is_lost(court: Court) -> None:
    house = court.town.houses[0]
    lock_id = answer_honestly(house)
    withhold(court, house, lock_id)
    house.household.disputes.demand(lock_id)
    held = house.node.held
    held._run(requests.update().where(requests.c.lock_id == lock_id).values(answer=None))

    (outcome,) = house.node.worker.run_once()

    assert outcome.kind == "failed" and "is it the store that accepted" in outcome.detail
    assert held.duties(Duty.SERVE)[-1:] == [lock_id]


# ---- evidence


def test_evidence__given_copied_digest__opens_for_its_own_account_alone(court: Court) -> None:
    town, house, other = court.town, court.town.houses[0], court.town.houses[2]
    lock_id = answer_honestly(house)
    prepared = house.household.disputes.prepare(lock_id)
    judge, me = court.judges[0], house.keys.address
    sealed = seal_evidence(
        prepared.document,
        lock_id=lock_id,
        by=me,
        judges=judges_of(house.gateway, town.index),
        gateway=house.gateway,
        directory=town.directory,
    )
    parts = {"keys": judge.keys, "gateway": judge.gateway}

    assert open_evidence(sealed, lock_id=lock_id, by=me, **parts) == prepared.document
    for where in (
        {"lock_id": lock_id, "by": other.keys.address},
        {"lock_id": b"\1" * 32, "by": me},
    ):
        with pytest.raises(EvidenceUnreadable):
            open_evidence(sealed, **where, **parts)
    stranger = {"keys": other.keys, "gateway": judge.gateway}
    with pytest.raises(EvidenceUnreadable, match="has nothing for"):
        open_evidence(sealed, lock_id=lock_id, by=me, **stranger)


def test_evidence__given_any_byte_flipped__is_refused(court: Court) -> None:
    town, house = court.town, court.town.houses[0]
    lock_id = answer_honestly(house)
    document = house.household.disputes.prepare(lock_id).document
    judge, me = court.judges[0], house.keys.address
    sealed = seal_evidence(
        document,
        lock_id=lock_id,
        by=me,
        judges=judges_of(house.gateway, town.index),
        gateway=house.gateway,
        directory=town.directory,
    )

    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1 << place % 8
        with pytest.raises(EvidenceUnreadable):
            open_evidence(
                bytes(changed), lock_id=lock_id, by=me, keys=judge.keys, gateway=judge.gateway
            )


def test_judges_of__given_case__are_members_since_before_it(court: Court) -> None:
    town, gateway = court.town, court.town.houses[0].gateway
    now = sorted((one.keys.address for one in court.judges), key=str.lower)

    assert judges_of(gateway, town.index) == now
    since = gateway.call("Consortium", "memberSince", court.judges[2].keys.address)
    assert court.judges[2].keys.address not in judges_of(gateway, town.index, before=since)
    assert set(judges_of(gateway, town.index, before=since + 1)) == set(now)
    assert town.houses[0].keys.address not in now


def test_dispute__given_a_judge_removed_and_revoked_since__it_judges_and_reads_all_the_same(
    court: Court,
) -> None:
    """Who judges is fixed when the case opens: no later decision takes a vote away."""
    town, house = court.town, court.town.houses[0]
    lock_id = answer_falsely(town, house, Lie(answer=double_the_bill))
    dispute(court, house, lock_id)
    gone = court.judges[1]
    admins = [Admin(one.gateway, town.index) for one in court.judges]
    for propose in (
        lambda: admins[0].remove_member(gone.keys.address, threshold=2),
        lambda: admins[0].revoke(gone.keys.address),
    ):
        admins[2].approve(propose().proposal.proposal_id)
    assert gone.keys.address not in judges_of(house.gateway, town.index)
    (case,) = court.judges[0].agent.open_cases()
    assert gone.keys.address in judges_of(house.gateway, town.index, before=case.opened_at)

    assert house.node.worker.run_once()[0].kind == "replied"
    steps = [step.kind for one in court.judges[:2] for step in one.agent.run_once()]

    assert steps == ["voted", "voted"]
    assert house.household.locks.lock(lock_id).state is LockState.SLASHED


def test_dispute__given_three_open__says_so_and_pays_nothing(court: Court) -> None:
    town, house = court.town, court.town.houses[0]
    locks = [answer_falsely(town, house, Lie(answer=double_the_bill)) for _ in range(4)]
    for lock_id in locks[:3]:
        dispute(court, house, lock_id)
    prepared = house.household.disputes.prepare(locks[3])
    balance = house.gateway.balance_wei(house.keys.address)

    with pytest.raises(TermsUnfit, match="3 disputes of this account are open, and 3 are the most"):
        house.household.disputes.dispute(prepared)

    assert house.gateway.balance_wei(house.keys.address) == balance
    court.step()
    house.household.disputes.dispute(prepared)


def test_look__given_evidence_that_cannot_be_had__says_so(court: Court) -> None:
    town, house = court.town, court.town.houses[0]
    lock_id = answer_falsely(town, house, Lie(answer=double_the_bill))
    dispute(court, house, lock_id)
    (brought,) = court.judges[0].agent._cases.brought(lock_id)
    town.store.unpin(brought.digest)

    opinion = court.judges[0].agent.look(lock_id)

    assert (opinion.look.side, opinion.look.is_final) == (Side.PAYEE, False)
    assert len(opinion.unread) == 1 and "cannot be had" in opinion.unread[0]
