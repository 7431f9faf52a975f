"""A node or judge that loses power between a demand or dispute and its answer does it once."""

from pathlib import Path

import pytest

from offchain.consortium.court.judge import JudgeAgent
from offchain.member.roles import LockState
from offchain.node.duty_tables import Duty
from tests.integration.node.test_crashes import count_of, run
from tests.integration.node.test_crashes import node_keys as node_keys

from .conftest import Court, answer_honestly
from .test_disputes import withhold


@pytest.mark.parametrize(
    ("step", "with_outbox"), [("serve:begun", False), ("serve:sent", False), ("serve:sent", True)]
)
def test_worker__given_crash_while_serving__serves_once(
    court: Court, node_keys: Path, tmp_path: Path, step: str, with_outbox: bool
) -> None:
    town, house = court.town, court.town.houses[0]
    outbox = str(tmp_path / "outbox.sqlite") if with_outbox else None
    lock_id = answer_honestly(house)
    withhold(court, house, lock_id)
    house.household.disputes.demand(lock_id)

    run(town, house.node, node_keys, crash_at=step, outbox=outbox)
    run(town, house.node, node_keys, outbox=outbox)

    assert house.household.locks.lock(lock_id).state is LockState.CLAIMED
    assert count_of(town, "Served", lock_id) == 1
    assert house.household.answers.audit(lock_id).ok
    assert lock_id not in house.node.held.duties(Duty.SERVE)


@pytest.mark.parametrize(
    ("step", "with_outbox"),
    [
        ("reply:journaled", False),
        ("reply:stored", False),
        ("reply:sent", False),
        ("reply:sent", True),
    ],
)
def test_worker__given_crash_while_replying__shows_the_same_evidence_once(
    court: Court, node_keys: Path, tmp_path: Path, step: str, with_outbox: bool
) -> None:
    town, house = court.town, court.town.houses[0]
    outbox = str(tmp_path / "outbox.sqlite") if with_outbox else None
    lock_id = answer_honestly(house)
    house.household.disputes.dispute(house.household.disputes.prepare(lock_id))

    run(town, house.node, node_keys, crash_at=step, outbox=outbox)
    kept = house.node.held.evidence(lock_id)
    run(town, house.node, node_keys, outbox=outbox)

    assert kept is not None and house.node.held.evidence(lock_id) == kept
    cases = court.judges[0].agent._cases
    mine = [one for one in cases.brought(lock_id) if one.by == house.node.keys.address]
    assert len(mine) == 1
    assert town.store.get(mine[0].digest, max_bytes=mine[0].length) == kept
    assert court.step() == ["voted", "voted"]
    assert house.household.locks.lock(lock_id).state is LockState.SETTLED


def test_worker__given_depth__serves_at_once_and_replies_when_blocks_lie_on_it(
    court: Court, node_keys: Path
) -> None:
    town, house, depth = court.town, court.town.houses[0], {"confirmations": 3}
    demanded, disputed = answer_honestly(house), answer_honestly(house)
    house.household.disputes.demand(demanded)
    house.household.disputes.dispute(house.household.disputes.prepare(disputed))
    cases = court.judges[0].agent._cases

    run(town, house.node, node_keys, **depth)
    assert house.household.locks.lock(demanded).state is LockState.CLAIMED
    assert len(cases.brought(disputed)) == 1
    assert demanded in house.node.held.duties(Duty.SERVE)  # it may be taken off the chain yet
    town.anvil.mine(3)
    run(town, house.node, node_keys, **depth)
    assert len(cases.brought(disputed)) == 2
    assert disputed in house.node.held.duties(Duty.REPLY)
    run(town, house.node, node_keys, **depth)
    town.anvil.mine(3)
    run(town, house.node, node_keys, **depth)

    assert demanded not in house.node.held.duties(Duty.SERVE)
    assert disputed not in house.node.held.duties(Duty.REPLY)
    assert count_of(town, "Served", demanded) == 1
    assert len(cases.brought(disputed)) == 2


def test_judge__given_start_after_a_vote__votes_once(court: Court) -> None:
    town, house, judge = court.town, court.town.houses[0], court.judges[0]
    lock_id = answer_honestly(house)
    house.household.disputes.dispute(house.household.disputes.prepare(lock_id))
    assert court.step(1) == ["voted"]

    again = JudgeAgent(
        gateway=judge.gateway,
        index=town.index,
        store=town.store,
        keys=judge.keys,
        directory=town.directory,
    )

    assert again.run_once() == []
    assert again.open_cases()[0].votes_for_payee == 1
