"""The model of `make bench-deviations` beside the contracts: plays at two base fees, wei for wei.

One base fee lies below what a demand's deposit pays for a gas, the other far above. Every call is
made on both, at a tip; the model is told the gas of the receipt and nothing else. Also here: what
serving takes at least, which the model's formulas keep below, and what follows from it.
"""

import hashlib
import secrets
from random import Random

import broadcasts
import disputes
import money
import pytest
from brownie import ServingBatch, web3

from bench.credit_model import Standing
from bench.deviating.by_nodes import BROUGHT_BYTE_GAS, GAP_GAS, LOCKS_AT_ONCE, MADE_BYTE_GAS
from bench.deviating.gas import alone_gas, batched_gas, paid_gas
from bench.deviating.world import BPS, MOST_DISPUTES, TREASURY, RefusedCall, World
from bench.deviating.world import Rules as ModelRules
from scripts.deploy import Founding, Rules

BELOW_WEI, ABOVE_WEI = money.RULES.serve_gas_wei // 10, money.RULES.serve_gas_wei * 1_000
TIP_WEI = 7
PRICE_WEI = money.ADVICE_PRICE_WEI
RULES = ModelRules(
    fee_bps=money.RULES.fee_bps,
    bond_bps=money.RULES.bond_bps,
    dispute_bond_bps=money.RULES.dispute_bond_bps,
    serve_gas_wei=money.RULES.serve_gas_wei,
    dispute_min_wei=money.RULES.dispute_min_wei,
)


def ask_node(method, *arguments):
    """Ask anvil itself."""
    answer = web3.provider.make_request(method, list(arguments))
    assert "error" not in answer, answer


class Stage:
    """Makes each call on the contracts and in the model, and compares all money."""

    def __init__(self, lock, people, *, base_fee_wei, sealer):
        self.lock, self.people, self.base_fee_wei = lock, people, base_fee_wei
        self.world = World(RULES, base_fee_wei, TIP_WEI, sealer)
        self.bonds = {name: lock.bondOf(who.address) for name, who in people.items()}
        self.before = {name: web3.eth.get_balance(who.address) for name, who in people.items()}
        ask_node("anvil_setCoinbase", people[sealer].address)

    def send(self, call, *arguments, by, value=0):
        """Send a call as one of the people, at the base fee and a tip; return its gas."""
        sender = self.people[by]
        price = self.base_fee_wei + TIP_WEI
        ask_node("anvil_setNextBlockBaseFeePerGas", hex(self.base_fee_wei))
        account = getattr(sender, "account", sender)
        try:
            tx = call(*arguments, {"from": account, "value": value, "gas_price": price})
        finally:
            ask_node("anvil_setNextBlockBaseFeePerGas", "0x0")
        return tx.gas_used

    def compare(self, credit):
        """All sums are equal: ether, what may be withdrawn, bonds, credit, and what is owed."""
        for name, who in self.people.items():
            bond, first = self.lock.bondOf(who.address), self.bonds[name]
            found = (
                self.before[name] - web3.eth.get_balance(who.address),
                self.lock.withdrawableOf(who.address),
                bond["freeWei"] - first["freeWei"],
                bond["heldWei"],
                credit.creditOf(who.address),
                self.lock.openDisputesOf(who.address),
            )
            world = self.world
            told = (
                world.spent[name],
                world.withdrawable[name],
                world.free[name] - first["freeWei"],
                world.held[name],
                world.points(name),
                world.open_disputes[name],
            )
            assert found == told, name


@pytest.fixture(params=[BELOW_WEI, ABOVE_WEI], ids=["below the deposit's", "above it"])
def stage(
    request, lock, processor, meter_owner, buyer, buyer_two, judges, consortium, relayer
):  # fmt: skip
    """A stage on which the node seals every block: what it tips comes back to it."""
    people = {
        "node": processor, "payer": meter_owner, "buyer": buyer, "member": buyer_two,
        "judge": judges[0], "other judge": judges[1], "anyone": relayer, TREASURY: consortium,
    }  # fmt: skip
    made = Stage(lock, people, base_fee_wei=request.param, sealer="node")
    made.world.free["node"] = lock.bondOf(processor.address)["freeWei"]
    yield made
    ask_node("anvil_setCoinbase", "0x" + "00" * 20)


@pytest.fixture
def begin(stage, lock, processor, meter_owner, now):
    """``begin(name, answer=…, until=…)``: an advice, as far as Claimed; its id and T."""

    def make(name, *, answer=disputes.ANSWER, until="claimed"):
        expires_at = now() + 2 * money.SHORTEST_S
        order = money.request_order(processor, expires_at=expires_at, type_id=money.ADVICE)
        signature = money.sign_request(lock, meter_owner, order)
        gas = stage.send(lock.request, order, signature, by="payer", value=PRICE_WEI)
        stage.world.request(name, "payer", "node", PRICE_WEI, gas=gas)
        lock_id, secret = money.id_of(lock, meter_owner, order.nonce), secrets.token_bytes(32)
        if until == "requested":
            return lock_id, expires_at
        c, digest = money.commitment_of(processor, secret), hashlib.sha256(answer).digest()
        gas = stage.send(lock.accept, lock_id, c, digest, len(answer), by="node")
        stage.world.accept(name, len(answer), gas=gas)
        if until == "claimed":
            stage.world.claim(name, gas=stage.send(lock.claim, lock_id, secret, by="node"))
        return lock_id, expires_at

    return make


@pytest.fixture
def dispute_it(stage, lock):
    def send(name, lock_id):
        value = RULES.dispute_of(PRICE_WEI)
        gas = stage.send(lock.dispute, lock_id, *disputes.EVIDENCE, by="payer", value=value)
        stage.world.dispute(name, gas=gas)

    return send


@pytest.fixture
def judge_it(stage, court):
    def send(name, lock_id, *, for_payer):
        stage.world.vote("judge", gas=stage.send(court.vote, lock_id, for_payer, by="judge"))
        gas = stage.send(court.vote, lock_id, for_payer, by="other judge")
        stage.world.decide(name, for_payer=for_payer, judge="other judge", gas=gas)

    return send


@pytest.fixture
def settle_it(stage, lock, at):
    def send(name, lock_id):
        at(lock.lockOf(lock_id)["dueAt"])
        stage.world.settle(name, by="anyone", gas=stage.send(lock.settle, lock_id, by="anyone"))

    return send


def demand_it(stage, name, lock_id, length):
    value = RULES.demand_of(length)
    gas = stage.send(stage.lock.demand, lock_id, by="payer", value=value)
    stage.world.demand(name, gas=gas)


# ---- plays, wei for wei ----


@pytest.mark.parametrize("length", [1, 9_000])
def test_withheld__until_it_is_demanded__is_paid_as_the_model_says(
    stage, begin, settle_it, lock, credit, length
):
    answer = disputes.ANSWER[:length]
    lock_id, _ = begin("a", answer=answer)
    demand_it(stage, "a", lock_id, length)
    gas = stage.send(lock.serve, lock_id, answer, by="node")
    paid = stage.world.serve("a", gas)
    assert paid == min(stage.base_fee_wei, RULES.serve_gas_wei) * lock.serveGasOf(length)
    settle_it("a", lock_id)
    stage.compare(credit)


def test_never_served__when_time_is_over__is_slashed_as_the_model_says(
    stage, begin, lock, credit, at
):
    money.set_credit(credit, stage.people["node"], 50)
    stage.world.credit.standings["node"] = Standing(credit=50)
    lock_id, _ = begin("a")
    demand_it(stage, "a", lock_id, len(disputes.ANSWER))
    at(lock.lockOf(lock_id)["dueAt"])
    stage.world.slash("a", by="anyone", gas=stage.send(lock.slash, lock_id, by="anyone"))
    assert stage.world.points("node") == 20
    stage.compare(credit)


def test_late__when_t_is_missed__is_refunded_as_the_model_says(stage, begin, lock, credit, at):
    lock_id, expires_at = begin("a", until="accepted")
    at(expires_at)
    stage.world.refund("a", by="anyone", gas=stage.send(lock.refund, lock_id, by="anyone"))
    stage.compare(credit)


def test_request__when_rejected_or_left__costs_what_the_model_says(stage, begin, lock, credit, at):
    rejected, _ = begin("a", until="requested")
    left, expires_at = begin("b", until="requested")
    gas = stage.send(lock.reject, rejected, money.NOT_SERVED, by="node")
    stage.world.reject("a", gas=gas)
    at(expires_at)
    stage.world.refund("b", by="anyone", gas=stage.send(lock.refund, left, by="anyone"))
    stage.compare(credit)


@pytest.mark.parametrize("for_payer", [True, False])
def test_dispute__when_judged__moves_what_the_model_says(
    stage, begin, dispute_it, judge_it, credit, for_payer
):
    lock_id, _ = begin("a")
    dispute_it("a", lock_id)
    judge_it("a", lock_id, for_payer=for_payer)
    stage.compare(credit)


def test_disputes__three_at_once_and_undecided__move_what_the_model_says(
    stage, begin, dispute_it, settle_it, lock, credit, at, meter_owner, reverts_with
):
    names = [f"lock {i}" for i in range(MOST_DISPUTES + 1)]
    ids = [begin(name)[0] for name in names]
    for name, lock_id in zip(names[:-1], ids, strict=False):
        dispute_it(name, lock_id)
    with pytest.raises(RefusedCall, match="3 disputes open"):
        stage.world.dispute(names[-1])
    bond = {"from": meter_owner.account, "value": RULES.dispute_of(PRICE_WEI)}
    with reverts_with("PrepaidLock_TooManyDisputes", meter_owner.address, MOST_DISPUTES):
        lock.dispute(ids[-1], *disputes.EVIDENCE, bond)
    settle_it(names[-1], ids[-1])
    stage.compare(credit)
    at(lock.lockOf(ids[-2])["dueAt"])
    for name, lock_id in zip(names[:-1], ids, strict=False):
        stage.world.refund(name, by="anyone", gas=stage.send(lock.refund, lock_id, by="anyone"))
    stage.compare(credit)


@pytest.fixture
def select_it(stage, some_conditions, choose, data_set, group, market, catalogue, lock, buyer):
    """``select_it(price_wei)``: broadcast, an offer, a selection; the lock's id."""

    def make(price_wei, *, selects=True):
        ad_wei, world = money.APPLICATION_WEI, stage.world
        gas = stage.send(market.broadcast, some_conditions, by="buyer", value=ad_wei)
        world.broadcast("ad", "buyer", ad_wei, gas=gas)
        ad_id = broadcasts.id_of(market, buyer, some_conditions)
        offer = (ad_id, data_set.data_set_id, price_wei, *catalogue.versions())
        world.respond("node", gas=stage.send(market.respond, *offer, by="node"))
        if not selects:
            return ad_id
        ad = type("Ad", (), {"id": ad_id, "conditions": some_conditions})
        choice = choose(ad, stage.people["node"])
        chosen = (ad_id, group.accounts, [choice])
        gas = stage.send(market.select, *chosen, by="buyer", value=price_wei)
        world.select("ad", "a", "node", price_wei, gas=gas)
        return money.id_of(lock, buyer, choice[5])

    return make


@pytest.mark.parametrize("end", ["settled", "for the payer", "undecided"])
def test_sale__when_delivered__moves_what_the_model_says(
    stage, select_it, settle_it, judge_it, set_sharing_window, group, transcript, lock, credit, at,
    end,
):  # fmt: skip
    set_sharing_window(disputes.SHARING_WINDOW_S)
    price_wei, world = 10**15 + 1, stage.world
    lock_id = select_it(price_wei)
    snapshot = (group.accounts, group.key_words)
    dealt = (*snapshot, *money.transcript_words(transcript), money.NO_AUTHORISATION)
    world.deliver("a", gas=stage.send(lock.deliver, lock_id, *dealt, by="node"))
    if end == "settled":
        settle_it("a", lock_id)
        stage.compare(credit)
        return
    told = (lock_id, *snapshot, *disputes.EVIDENCE)
    bond_wei = RULES.dispute_of(price_wei)
    gas = stage.send(lock.disputeAsMember, *told, by="member", value=bond_wei)
    world.dispute("a", by="member", gas=gas)
    stage.compare(credit)
    if end == "undecided":
        at(lock.lockOf(lock_id)["dueAt"])
        world.refund("a", by="anyone", gas=stage.send(lock.refund, lock_id, by="anyone"))
    else:
        judge_it("a", lock_id, for_payer=True)
    stage.compare(credit)


@pytest.mark.parametrize("end", ["declined", "walked away"])
def test_broadcast__when_it_ends_otherwise__moves_what_the_model_says(
    stage, select_it, some_conditions, market, lock, credit, at, end
):
    if end == "declined":
        lock_id = select_it(10**15 + 1)
        stage.compare(credit)
        gas = stage.send(lock.decline, lock_id, money.NOT_SERVED, by="node")
        stage.world.decline("a", gas=gas)
    else:
        ad_id = select_it(10**15 + 1, selects=False)
        at(some_conditions.select_by)
        gas = stage.send(market.close, ad_id, by="anyone")
        stage.world.close("ad", "node", by="anyone", gas=gas)
    stage.compare(credit)


def test_defaults__of_the_model__are_those_of_a_deployment():
    deployed, model = Rules(), ModelRules()
    for name in ("fee_bps", "bond_bps", "dispute_bond_bps", "serve_gas_wei", "dispute_min_wei"):
        assert getattr(model, name) == getattr(deployed, name), name
    fields = Founding.__dataclass_fields__
    assert fields["point_wei"].default == money.POINT_WEI
    assert BPS == money.BPS


# ---- what serving takes at least ----


@pytest.fixture
def demanded(open_claimed, demand, lock):
    """``demanded(answer, …)``: ids of locks whose answers were demanded."""

    def make(*answers):
        made = [
            open_claimed(length=len(answer), digest=hashlib.sha256(answer).digest())
            for answer in answers
        ]
        for it, answer in zip(made, answers, strict=True):
            demand(it, value=RULES.demand_of(len(answer)))
        return [it.id for it in made]

    return make


@pytest.fixture
def batch(deployer):
    return ServingBatch.deploy({"from": deployer})


def at_base_fee(base_fee_wei, send):
    ask_node("anvil_setNextBlockBaseFeePerGas", hex(base_fee_wei))
    try:
        return send({"gas_price": base_fee_wei}).gas_used
    finally:
        ask_node("anvil_setNextBlockBaseFeePerGas", "0x0")


def is_close(gas, told, *, above):
    """At least what the model says; by London's rules, which it is fitted to, not much more."""
    rules = web3.provider.make_request("anvil_nodeInfo", [])["result"]["hardFork"].lower()
    return told - 100 <= gas and (rules != "london" or gas <= told + above)


LENGTHS = [1, 1_024, 2_048, 9_000, 32_768]
FEW, MANY = 2, 6


@pytest.mark.parametrize("kind", ["made", "brought"])
@pytest.mark.parametrize("length", LENGTHS)
def test_serve__by_a_contract_that_serves_many__takes_what_the_model_says(
    demanded, batch, lock, relayer, kind, length
):
    """The least: bytes from memory, and one answer more in a transaction that there is anyway."""
    chance = Random(length)

    def used(count):
        answers = [
            bytes(length) if kind == "made" else chance.randbytes(length) for _ in range(count)
        ]
        ids = demanded(*answers)

        def send(options):
            if kind == "made":
                return batch.serveZeros(lock.address, ids, length, {"from": relayer, **options})
            return batch.serve(lock.address, ids, answers, {"from": relayer, **options})

        return at_base_fee(BELOW_WEI, send)

    used(1)  # slots are settled
    more = (used(MANY) - used(FEW)) / (MANY - FEW)
    told = batched_gas(length, in_calldata=length if kind == "brought" else 0)
    print(f"gas serve {length} bytes {kind}, one more: {more:.0f}, model {told}")
    assert is_close(more, told, above=0.01 * told + 1_300)
    gap = GAP_GAS + length * (MADE_BYTE_GAS if kind == "made" else BROUGHT_BYTE_GAS)
    assert paid_gas(length) - more <= gap


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("kind", ["zeros", "no zeros"])
def test_serve__by_a_transaction_of_its_own__takes_what_the_model_says(
    demanded, lock, relayer, kind, length
):
    answer = bytes(length) if kind == "zeros" else bytes(1 + i % 255 for i in range(length))
    ids = demanded(answer, answer)
    first, second = (
        at_base_fee(BELOW_WEI, lambda o, it=it: lock.serve(it, answer, {"from": relayer, **o}))
        for it in ids
    )
    told = alone_gas(length, zeros=length if kind == "zeros" else 0)
    print(f"gas serve {length} {kind}: {second}, model {told}, first {first}")
    assert is_close(second, told, above=3_000)
    assert paid_gas(length) < told <= second


@pytest.mark.parametrize("count", [1, MANY])
def test_zeros__served_by_a_contract_when_demanded__earn_at_most_what_is_stated(
    demanded, batch, lock, relayer, processor, count
):
    """A limit of the formula (docs/credit.md): made in memory, an answer's bytes cost 9 gas."""
    length, answers = money.MAX_SEALED_BYTES, [bytes(money.MAX_SEALED_BYTES)] * count
    ids = demanded(*answers)
    gas = at_base_fee(
        BELOW_WEI,
        lambda o: batch.serveZeros(lock.address, ids, length, {"from": relayer, **o}),
    )
    earned = lock.withdrawableOf(processor.address) - gas * BELOW_WEI
    assert 0 < earned <= count * (GAP_GAS + MADE_BYTE_GAS * length) * BELOW_WEI


# ---- more garbage than an account may dispute ----


def test_garbage__of_eight_locks_of_one_payer__is_paid_for_five_while_judges_wait(
    open_claimed, dispute, lock, relayer, meter_owner, refuses, at, due_of, state_of, verdict,
    processor,
):  # fmt: skip
    """The cap of three protects nodes, and binds a payer who was cheated more often at once."""
    its = [open_claimed() for _ in range(LOCKS_AT_ONCE)]
    for it in its[:MOST_DISPUTES]:
        dispute(it)
    for it in its[MOST_DISPUTES:]:
        with refuses("PrepaidLock_TooManyDisputes", meter_owner.address, MOST_DISPUTES):
            dispute(it)
    at(due_of(its[-1]))
    for it in its[MOST_DISPUTES:]:
        lock.settle(it.id, {"from": relayer})
    for it in its[:MOST_DISPUTES]:
        verdict(it, True)
    paid = (LOCKS_AT_ONCE - MOST_DISPUTES) * (PRICE_WEI - RULES.fee_of(PRICE_WEI))
    assert lock.withdrawableOf(processor.address) == paid
    assert paid > MOST_DISPUTES * RULES.bond_of(PRICE_WEI)  # what it lost


def test_garbage__of_eight_locks_of_one_payer__is_paid_for_none_when_judged_in_time(
    open_claimed, dispute, lock, verdict, state_of, processor
):
    """Control: each verdict makes room for the next dispute."""
    its = [open_claimed() for _ in range(LOCKS_AT_ONCE)]
    for it in its:
        dispute(it)
        verdict(it, True)
    assert {state_of(it) for it in its} == {money.SLASHED}
    assert lock.withdrawableOf(processor.address) == 0
