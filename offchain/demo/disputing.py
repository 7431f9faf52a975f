"""Stage: a node answers garbage and is judged; it withholds, is made to serve, or is slashed."""

from __future__ import annotations

import secrets
from functools import partial
from typing import Any, cast

from offchain.audit.opened_answer import answer_context
from offchain.audit.working import worked_out
from offchain.billing.bill import Bill
from offchain.billing.window_parts import whole_utc_days
from offchain.consortium.admin import Admin
from offchain.consortium.court.judge import Step
from offchain.crypto import kem
from offchain.crypto.secret import SecretBytes
from offchain.demo import voting
from offchain.demo.asking import ask
from offchain.demo.pricing import PRODUCT
from offchain.demo.world import BILL, BILL_PRICE_WEI, HomeSite, World
from offchain.member.errors import AnswerNotServed, MemberError
from offchain.member.locks import Lock
from offchain.member.roles import LockState
from offchain.node.reply import compose_answer, seal_answer
from offchain.node.windows import held_window
from offchain.storage import Cid, ContentStore

_AGREEING = 2
_DOLLAR = 1_000_000  # micro-units


class _Withheld:
    """A content store that takes answers and keeps none: a node that withholds works with it."""

    def __init__(self, store: ContentStore) -> None:
        self._store = store

    def put(self, data: bytes, *, lasting: bool = False) -> Cid:
        """Name the object and keep it to oneself."""
        del lasting
        return Cid.of_block(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def set_dispute_terms(world: World) -> None:
    """Let bills be disputed: until here they settle at once."""
    shortest_s, window_s = world.ground.shortest_s, world.ground.dispute_s
    set_type = partial(Admin.set_type, type_id=BILL, name="bill", price_wei=BILL_PRICE_WEI)
    voting.decide(world, partial(set_type, shortest_s=shortest_s, dispute_window_s=window_s))
    voting.decide(
        world, lambda admin: admin.set_rules(serveSeconds=shortest_s, decideSeconds=window_s)
    )


def answer_garbage(world: World) -> None:
    """A node charges twice what the readings say, and a dollar; the user finds it and disputes."""
    home = _home_with_credit(world)
    lock_id = _claim_garbage(world, home)
    found = [one.name for one in home.household.answers.audit(lock_id).findings if not one.ok]
    lock, credit, before = home.household.locks.lock(lock_id), _credit(home), _owed(home)
    prepared = home.household.disputes.prepare(lock_id)
    prepared.require_worth()
    home.household.disputes.dispute(prepared)
    world.wait_for_depth()
    home.node.index.follower.catch_up()
    for one in home.node.worker.defence.disputes():
        home.node.worker.defence.reply(one)
    votes = _judge(world)
    after = home.household.locks.lock(lock_id)
    gain_wei, fallen = _owed(home) - before, _credit(home) < credit
    wanted_wei = lock.price_wei + prepared.cost_wei + lock.bond_wei - lock.fee_wei
    ok = (
        found == ["result_recomputed"]
        and after.state is LockState.SLASHED
        and len(votes) == _AGREEING
        and gain_wei == wanted_wei
        and fallen
    )
    detail = (
        f"the audit finds {', '.join(found)}; {len(votes)} judges: {votes[-1].detail}; the lock is "
        f"{after.state.name}, the user gets {gain_wei} wei (price, own bond and the node's less "
        f"the fee), credit from {credit} to {_credit(home)}"
        if votes
        else f"no judge voted; the lock is {after.state.name}"
    )
    world.findings.record("garbage_answer_slashed", ok, detail)


def withhold_answers(world: World) -> None:
    """A node withholds two answers: one it serves when it is demanded, the other it never does."""
    home = _home_with_credit(world)
    served = _demand(world, home)
    world.wait_for_depth()
    outcome = home.node.worker.defence.serve(served)
    audit = home.household.answers.audit(served)  # the answer comes from the chain's event
    is_served = outcome.kind == "served" and audit.ok
    is_slashed, told = _never_served(world, home)
    detail = f"demanded, {outcome.kind} on chain ({outcome.detail}), opened and audited; {told}"
    world.findings.record("unserved_answer_demanded", is_served and is_slashed, detail)
    world.ground.wait_until(home.household.locks.lock(served).due_at)
    home.node.worker.settlements.end([served])


def _never_served(world: World, home: HomeSite) -> tuple[bool, str]:
    lock_id, before = _demand(world, home), _owed(home)
    lock, credit = home.household.locks.lock(lock_id), _credit(home)
    deposit_wei = home.gateway.call("PrepaidLock", "demandWeiOf", lock_id)
    world.ground.wait_until(lock.due_at)
    home.household.disputes.slash(lock_id)
    gain_wei = _owed(home) - before
    state = home.household.locks.lock(lock_id).state
    is_slashed = (
        state is LockState.SLASHED
        and gain_wei == lock.price_wei + lock.bond_wei + deposit_wei
        and _credit(home) < credit
    )
    told = (
        f"another never served: {state.name}, the user gets {gain_wei} wei (price, deposit and "
        f"bond), credit from {credit} to {_credit(home)}"
    )
    return is_slashed, told


def _demand(world: World, home: HomeSite) -> bytes:
    """Let the node accept and claim with an answer that it keeps to itself, and demand it."""
    lock_id = ask(home, BILL, home.window_of_days(1)).lock_id
    node = home.node
    hiding = node.worker_with(cast(ContentStore, _Withheld(node.content)))
    _take_in(world, home, lock_id)
    hiding.requests.handle(lock_id)
    world.wait_for_depth()
    hiding.requests.claim(lock_id)
    try:
        home.household.answers.open(lock_id)
    except AnswerNotServed:
        home.household.disputes.demand(lock_id)
        node.index.follower.catch_up()
        node.worker.defence.demands()
        return lock_id
    raise MemberError("the answer was to be withheld and is there all the same")


def _claim_garbage(world: World, home: HomeSite) -> bytes:
    """Prepare what a lying node would: readings and anchors are true, the sum is twice as much,
    and a dollar: there are homes that owe nothing.
    """
    node, window = home.node, home.window_of_days(1)
    lock_id = ask(home, BILL, window).lock_id
    _take_in(world, home, lock_id)
    lock, factor = home.household.locks.lock(lock_id), secrets.token_bytes(32)
    start, end = whole_utc_days(window)
    held = held_window(node.held, node.gateway, home.device, from_s=start, to_s=end)
    if held is None:
        raise MemberError("the node holds no readings of the window")
    honest = worked_out(
        "bill",
        {home.device: held.all_readings},
        window=window,
        product=PRODUCT,
        region_id=node.region,
        as_of_block=_asked_in(home, lock),
        tariffs=home.household.tariffs,
        gateway=node.gateway,
    )
    assert isinstance(honest.result, Bill)
    answer = compose_answer(
        lock,
        [held],
        kind="bill",
        result=honest.result.to_json() | {"total": 2 * honest.result.total + _DOLLAR},
        held=node.held,
        signed_at=node.gateway.now(),
        as_of_block=_asked_in(home, lock),
    )
    sealed, opening = seal_answer(
        answer,
        lock,
        factor=factor,
        keys=node.keys,
        to_user=kem.encapsulate(
            home.household.keys.decryption_key.public_key,
            context=answer_context(lock, node.gateway),
        ),
        gateway=node.gateway,
    )
    order = _order(home, lock)
    message = node.content.get(bytes(order.messageDigest), max_bytes=order.messageLength)
    node.held.put_proof(lock_id, opening=opening, message=message)
    node.held.prepare_answer(lock_id, factor=SecretBytes(factor), answer=sealed)
    node.worker.requests.handle(lock_id)
    world.wait_for_depth()
    node.worker.requests.claim(lock_id)
    world.say(f"{home.node.region_name}: claimed a bill of more than twice the price")
    return lock_id


def _take_in(world: World, home: HomeSite, lock_id: bytes) -> None:
    world.wait_for_depth()
    home.node.index.follower.catch_up()
    if lock_id not in home.node.worker.requests.pending():
        raise MemberError("the node has not seen the request")


def _judge(world: World) -> list[Step]:
    """Let the founders look at the case, one after the other, until it is decided."""
    votes = []
    for founder in world.founders:
        world.wait_for_depth()
        votes += [step for step in founder.judge.run_once() if step.kind == "voted"]
    return votes


def _home_with_credit(world: World) -> HomeSite:
    """A home whose node has the most to lose."""
    return max(world.homes, key=_credit)


def _order(home: HomeSite, lock: Lock) -> Any:
    return _requested(home, lock).args["order"]


def _asked_in(home: HomeSite, lock: Lock) -> int:
    return int(_requested(home, lock).block_number)


def _requested(home: HomeSite, lock: Lock) -> Any:
    start = home.gateway.deployment.block("PrepaidLock")
    (event,) = home.gateway.events(
        "PrepaidLock", "Requested", from_block=start, lockId=lock.lock_id
    )
    return event


def _owed(home: HomeSite) -> int:
    return home.household.money.withdrawable_wei()


def _credit(home: HomeSite) -> int:
    return int(home.gateway.call("CreditBook", "creditOf", home.node.keys.address))
