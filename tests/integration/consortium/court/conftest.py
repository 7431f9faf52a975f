"""The town with a consortium of three that judges, request types that can be disputed, and nodes
that lie.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from offchain.audit.coverage import rebuild_device
from offchain.audit.opened_answer import answer_context
from offchain.audit.working import worked_out
from offchain.chain.gateway import ChainGateway
from offchain.consortium.admin import Admin
from offchain.consortium.court.judge import JudgeAgent
from offchain.crypto import bls, box, kem, messages, paillier
from offchain.crypto.curve import G1
from offchain.crypto.paillier import PaillierPublicKey
from offchain.crypto.secret import SecretBytes
from offchain.member.directory import MemberDirectory
from offchain.member.keys import MemberKeys
from offchain.member.locks import Lock
from offchain.member.registration import NO_REGION
from offchain.member.roles import LockState, MemberRole
from offchain.node.reply import compose_answer
from offchain.node.tables import duties
from offchain.node.windows import HeldWindow, held_window
from offchain.records import answer as answers
from offchain.records import contexts
from offchain.records.answer import Answer
from offchain.storage import Cid
from offchain.storage.directory import DirectoryStore
from offchain.types import Account, Reading
from tests.integration.columns import part
from tests.integration.node.test_requests import ask
from tests.integration.town import (
    ADVICE,
    APPLICATION_WEI,
    BILL,
    BITS,
    PRICE_WEI,
    PRODUCT,
    SHORTEST_S,
    House,
    Town,
    found,
    go_back,
)

WINDOW_S, SERVE_S, DECIDE_S = 1_000, 2_000, 4_000


@dataclass(kw_only=True)
class Judge:
    keys: MemberKeys
    gateway: ChainGateway
    agent: JudgeAgent


@dataclass(kw_only=True)
class Court:
    town: Town
    judges: list[Judge]
    stranger: tuple[MemberKeys, ChainGateway]  # a sharing node of nobody's group

    def step(self, count: int = 2) -> list[str]:
        """Let so many judges do one round; return what they did."""
        done = [step for one in self.judges[:count] for step in one.agent.run_once()]
        print([(one.kind, one.detail) for one in done])  # shown where a test fails
        return [one.kind for one in done]


@pytest.fixture(scope="module")
def founded(town: Town) -> Iterator[Court]:
    snapshot = town.anvil.snapshot()
    _set_terms(town.admin)
    owner = MemberKeys.generate(
        MemberRole.CONSORTIUM,
        account_key=town.anvil.keys[0],
        paillier_key=paillier.generate_private_key(BITS),
    )
    where = {"chain_id": town.deployment.chain_id}
    where["registry"] = town.deployment.address("MemberRegistry")
    owner.publish_paillier_key(town.store, **where)
    town.admin.admit(owner.registration(**where, region_id=NO_REGION, name="Regulator"))
    gateway = town.houses[0].gateway
    members = [(owner, gateway.with_account(owner.account))]
    members += [town.admit(MemberRole.CONSORTIUM, NO_REGION) for _ in range(2)]
    stranger = town.admit(MemberRole.SHARER, NO_REGION)
    town.admin.add_member(members[1][0].address, threshold=2)
    decision = town.admin.add_member(members[2][0].address, threshold=2)
    Admin(members[1][1], town.index).approve(decision.proposal.proposal_id)
    town.anvil.warp(10)  # a case of the second in which a judge joined is not its case
    judges = [_judge(town, *member) for member in members]
    yield Court(town=town, judges=judges, stranger=stranger)
    go_back(town, snapshot)


@pytest.fixture
def court(founded: Court) -> Iterator[Court]:
    """The court with the chain as it was before the test; the nodes forget the demands and
    disputes of locks that no chain has any more.
    """
    snapshot = founded.town.anvil.snapshot()
    yield founded
    go_back(founded.town, snapshot)
    for node in founded.town.nodes:
        node.held._run(duties.delete())


def _set_terms(admin: Admin) -> None:
    window = {"shortest_s": SHORTEST_S, "dispute_window_s": WINDOW_S}
    for type_id, name in ((BILL, "bill"), (ADVICE, "advice")):
        admin.set_type(type_id, name=name, price_wei=PRICE_WEI, **window)
    admin.set_sharing_terms(application_wei=APPLICATION_WEI, **window)
    admin.set_rules(serveSeconds=SERVE_S, decideSeconds=DECIDE_S)


def _judge(town: Town, keys: MemberKeys, gateway: ChainGateway) -> Judge:
    # A directory of its own: what it has not seen it must fetch.
    directory = MemberDirectory(gateway, town.store, paillier_bits=BITS)
    agent = JudgeAgent(
        gateway=gateway,
        index=town.index,
        store=town.store,
        keys=keys,
        directory=directory,
        paillier_bits=BITS,
    )
    return Judge(keys=keys, gateway=gateway, agent=agent)


@contextmanager
def spoilt(town: Town, digest: bytes) -> Iterator[None]:
    """Flip a bit of a block where it lies in the shared folder, as a bad disk does."""
    store = town.store
    assert isinstance(store, DirectoryStore)
    path = store._path(Cid.from_digest(digest))
    sound = path.read_bytes()
    path.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
    yield
    path.write_bytes(sound)


# ---- nodes that answer


def answer_honestly(house: House, **asked: object) -> bytes:
    """Ask and let the honest node accept and claim; return the lock."""
    lock_id = ask(house, **asked)
    found(house.node.worker.requests.pending)
    house.node.worker.requests.handle(lock_id)
    house.node.worker.requests.claim(lock_id)
    assert house.household.locks.lock(lock_id).state is LockState.CLAIMED
    return lock_id


Seal = Callable[[PaillierPublicKey, bytes, bytes], bytes]


@dataclass(kw_only=True)
class Lie:
    """How a node lies: each part takes the honest value and returns another."""

    answer: Callable[[Answer], Answer] = lambda one: one
    answer_bytes: Callable[[bytes], bytes] = lambda one: one
    signature: Callable[[G1], G1] = lambda one: one
    reply: Callable[[bytes], bytes] = lambda one: one
    seal: Seal = lambda key, reply, context: kem.seal(key, reply, context=context)
    inner: Callable[[bytes], bytes] = lambda one: one
    outer: Callable[[bytes], bytes] = lambda one: one


def answer_falsely(town: Town, house: House, lie: Lie, **asked: object) -> bytes:
    """Ask, and let the node accept and claim with a false answer; return the lock."""
    node, lock_id = house.node, ask(house, **asked)
    desk = node.worker.requests
    found(desk.pending)
    lock, factor = house.household.locks.lock(lock_id), secrets.token_bytes(32)
    event = desk._book.event_of("Requested", lock_id)
    start, end = house.window
    held = held_window(node.held, node.gateway, house.device.address, from_s=start, to_s=end)
    assert held is not None
    windows = [held]
    outer = _lying_bytes(town, house, lock, windows, lie, factor, event.block_number)
    node.held.prepare_answer(lock_id, factor=SecretBytes(factor), answer=outer)
    desk.handle(lock_id)
    desk.claim(lock_id)
    assert house.household.locks.lock(lock_id).state is LockState.CLAIMED
    return lock_id


def _lying_bytes(
    town: Town,
    house: House,
    lock: Lock,
    windows: list[HeldWindow],
    lie: Lie,
    factor: bytes,
    block: int,
) -> bytes:
    node, gateway = house.node, house.node.gateway
    honest = compose_answer(
        lock,
        windows,
        kind="bill",
        result=true_bill(house, {one.device: one.all_readings for one in windows}, block),
        held=node.held,
        signed_at=gateway.now(),
        as_of_block=block,
    )
    told = lie.answer(honest)
    data = lie.answer_bytes(answers.encode(told))
    message = messages.answer_message(
        chain_id=gateway.chain_id,
        prepaid_lock=gateway.deployment.address("PrepaidLock"),
        lock_id=lock.lock_id,
        answer_digest=hashlib.sha256(data).digest(),
        requester=lock.payer,
        processor=lock.payee,
        type_id=lock.type_id,
        signed_at=told.signed_at,
    )
    signature = lie.signature(bls.sign(node.keys.bls, message, role=messages.Role.ANSWER))
    reply = lie.reply(answers.encode_reply(data, signature))
    context = answer_context(lock, gateway)
    inner = lie.inner(lie.seal(house.keys.decryption_key.public_key, reply, context))
    outer = box.seal(contexts.factor_key(factor, lock.lock_id), inner, context=context)
    return lie.outer(outer)


def double_the_bill(answer: Answer) -> Answer:
    """Charge twice: readings and anchors are true, the sum is not."""
    return replace(answer, result=answer.result | {"total": 2 * answer.result["total"]})


def leave_out_first_day(town: Town, answer: Answer) -> Answer:
    """Leave the window's first day out and price the rest rightly: only the window shows it."""
    device, house = answer.devices[0], town.houses[0]
    count = device.batches[0][1]
    shorter = part(device.packed, count)
    day = min(device.nonce_keys)
    keys = {one: key for one, key in device.nonce_keys.items() if one != day}
    cut = replace(device, packed=shorter, batches=device.batches[1:], nonce_keys=keys, opening=None)
    rebuilt = rebuild_device(cut, town.deployment.chain_id)
    rest = {rebuilt.device: rebuilt.all_readings}
    return replace(answer, devices=(cut,), result=true_bill(house, rest, answer.as_of_block))


def true_bill(house: House, readings: dict[Account, list[Reading]], block: int) -> dict[str, Any]:
    """Return the bill that an honest node makes of readings for the window."""
    desk = house.node.worker.requests
    found = worked_out(
        "bill",
        readings,
        window=house.window,
        product=PRODUCT,
        region_id=house.node.region,
        as_of_block=block,
        tariffs=desk._tariffs,
        gateway=house.node.gateway,
    )
    return found.result.to_json()
