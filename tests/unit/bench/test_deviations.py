"""The model of who deviates: each call by hand, every way of a lock, the limits, and the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest

from bench import deviations
from bench.deviating import by_nodes, by_payers, world
from bench.deviating.by_nodes import GAP_GAS, LEAST_ANSWER, MADE_BYTE_GAS
from bench.deviating.case import BASE_FEES_GWEI, Case
from bench.deviating.gas import LONGEST_ANSWER, alone_gas, batched_gas, gas_of, paid_gas
from bench.deviating.page import page
from bench.deviating.strategies import STRATEGIES, Strategy, least_price_wei, longest_run, worst
from bench.deviating.world import GWEI, TREASURY, RefusedCall, Rules, World
from offchain.records import answer as answers
from offchain.records import packed
from tests.unit.records.test_documents import ANSWER

PAGE = Path(__file__).resolve().parents[3] / "docs" / "benchmarks" / "deviations.md"
RULES = Rules(
    fee_bps=500, bond_bps=8_000, dispute_bond_bps=2_500, serve_gas_wei=10, dispute_min_wei=7
)
PRICE, FEE, BOND, DISPUTE = 1_000, 50, 800, 250
LENGTH = 83
COMMON_FEES = [Case(fee * GWEI) for fee in BASE_FEES_GWEI]


def new_world(**changed: object) -> World:
    made = World(RULES, **changed)  # type: ignore[arg-type]
    made.add_bond("node", 10_000, gas=0)
    return made


def begun(made: World, *, until: str = "claimed") -> World:
    made.request("a", "payer", "node", PRICE, gas=0)
    if until != "requested":
        made.accept("a", LENGTH, gas=0)
    if until == "claimed":
        made.claim("a", gas=0)
    return made


# ---- each call, by hand ----


def test_rules__by_hand__are_parts_of_the_price() -> None:
    assert (RULES.fee_of(PRICE), RULES.bond_of(PRICE), RULES.dispute_of(PRICE)) == (50, 800, 250)
    assert (RULES.fee_of(19), RULES.bond_of(19), RULES.dispute_of(19)) == (0, 15, 7)
    assert RULES.demand_of(LENGTH) == (40_000 + 12 * 83) * 10


def test_settle__by_hand__pays_price_less_fee_and_a_point() -> None:
    made = begun(new_world())
    assert (made.free["node"], made.held["node"]) == (9_200, 800)
    made.settle("a", gas=0)
    assert made.wealth("node") == 950
    assert made.wealth("payer") == -1_000
    assert made.wealth(TREASURY) == 50
    assert (made.free["node"], made.held["node"]) == (10_000, 0)
    rich = new_world()
    rich.request("a", "payer", "node", 20 * 10**13 * 3, gas=0)
    rich.add_bond("node", 10**18, gas=0)
    rich.accept("a", 1, gas=0)
    rich.claim("a", gas=0)
    rich.settle("a", gas=0)
    assert rich.points("node") == 3


@pytest.mark.parametrize("base_fee, paid", [(0, 0), (3, 3 * 40_996), (10, 409_960), (99, 409_960)])
def test_serve__by_hand__pays_the_base_fee_up_to_the_deposit(base_fee: int, paid: int) -> None:
    made = begun(new_world(base_fee_wei=base_fee))
    made.demand("a", gas=0)
    assert made.wealth("payer") == -1_000 - 409_960
    assert made.serve("a", 60_000, by="anyone") == paid
    assert made.wealth("node") == paid
    assert made.wealth("payer") == -1_000 - paid
    assert made.wealth("anyone") == -60_000 * base_fee
    with pytest.raises(RefusedCall, match="demanded before"):
        made.demand("a", gas=0)


def test_slash__by_hand__pays_price_bond_and_deposit() -> None:
    made = begun(new_world())
    made.demand("a", gas=0)
    made.slash("a", gas=0)
    assert (made.wealth("payer"), made.wealth("node"), made.wealth(TREASURY)) == (800, -800, 0)


@pytest.mark.parametrize(
    "for_payer, payer, node", [(True, 800 - 50, -800), (False, -1_000 - 250, 950 + 250)]
)
def test_decide__by_hand__moves_the_losers_bond(for_payer: bool, payer: int, node: int) -> None:
    made = begun(new_world())
    made.dispute("a", gas=0)
    assert made.wealth("payer") == -1_250
    made.decide("a", for_payer=for_payer, judge="judge", gas=0)
    assert (made.wealth("payer"), made.wealth("node"), made.wealth(TREASURY)) == (payer, node, 50)


def test_refund__by_hand__depends_on_what_was_left() -> None:
    asked = begun(new_world(), until="requested")
    asked.refund("a", gas=0)
    assert (asked.wealth("payer"), asked.wealth("node")) == (0, 0)
    missed = begun(new_world(), until="accepted")
    missed.refund("a", gas=0)
    assert (missed.wealth("payer"), missed.wealth("node")) == (800, -800)
    undecided = begun(new_world())
    undecided.dispute("a", gas=0)
    undecided.refund("a", gas=0)
    assert (undecided.wealth("payer"), undecided.wealth("node")) == (0, 0)
    assert undecided.open_disputes["payer"] == 0


def test_dispute__the_fourth_of_an_account__is_refused() -> None:
    made = new_world()
    for name in "abcd":
        made.request(name, "payer", "node", PRICE, gas=0)
        made.accept(name, 1, gas=0)
        made.claim(name, gas=0)
    for name in "abc":
        made.dispute(name, gas=0)
    with pytest.raises(RefusedCall, match="3 disputes open"):
        made.dispute("d", gas=0)
    made.refund("a", gas=0)
    made.dispute("d", gas=0)


def test_close__by_hand__shares_the_prepayment_and_leaves_the_rest_to_the_buyer() -> None:
    made = new_world()
    made.broadcast("ad", "buyer", 100, gas=0)
    made.close("ad", "node", "friend", "other", by="node", gas=0)
    assert [made.wealth(who) for who in ("node", "friend", "other", "buyer")] == [33, 33, 33, -99]
    made.broadcast("ad", "buyer", 100, gas=0)
    made.select("ad", "a", "node", PRICE, gas=0)
    assert made.wealth("buyer") == -99 - PRICE
    made.decline("a", gas=0)
    assert (made.wealth("buyer"), made.held["node"]) == (-99, 0)


def test_gas__at_a_tip__is_burned_but_for_what_the_sealer_gets() -> None:
    made = World(RULES, base_fee_wei=5, tip_wei=2, sealer="node")
    made.vote("judge", gas=100)
    made.vote("node", gas=100)
    assert made.wealth("judge") == -700
    assert made.wealth("node") == 200 - 500
    assert made.burned_wei == 1_000


def test_accept__without_a_bond__is_refused() -> None:
    made = World(RULES)
    made.request("a", "payer", "node", PRICE, gas=0)
    with pytest.raises(RefusedCall, match="0 wei of bond free"):
        made.accept("a", 1, gas=0)


# ---- every way of a lock ----

STEPS: dict[str, Callable[[World], object]] = {
    "reject": lambda it: it.reject("a", gas=3),
    "accept": lambda it: it.accept("a", LENGTH, gas=3),
    "claim": lambda it: it.claim("a", gas=3),
    "demand": lambda it: it.demand("a", gas=3),
    "serve": lambda it: it.serve("a", 50_000),
    "slash": lambda it: it.slash("a", gas=3),
    "dispute": lambda it: it.dispute("a", by="member", gas=3),
    "for payer": lambda it: it.decide("a", for_payer=True, judge="judge", gas=3),
    "for payee": lambda it: it.decide("a", for_payer=False, judge="judge", gas=3),
    "settle": lambda it: it.settle("a", gas=3),
    "refund": lambda it: it.refund("a", gas=3),
}


def ways(made: World, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], World]]:
    """Yield every sequence of calls that is allowed, with the world behind it."""
    yield path, made
    for name, step in STEPS.items():
        following = deepcopy(made)
        try:
            step(following)
        except RefusedCall:
            continue
        yield from ways(following, (*path, name))


@pytest.mark.parametrize("base_fee", [0, 1, 1_000])
def test_every_way_of_a_lock__keeps_each_wei_and_pays_no_coalition(base_fee: int) -> None:
    made = new_world(base_fee_wei=base_fee, tip_wei=1)
    made.request("a", "payer", "node", PRICE, gas=3)
    everybody = ("node", "payer", "member", "judge", "sealer", TREASURY)
    ended = 0
    for path, after in ways(made):
        assert after.wealth(*everybody) + after.burned_wei + after.in_locks() == 0, path
        # Whoever holds both sides, the group, a judge and the sealer takes nothing from anybody.
        assert after.wealth(*everybody[:-1]) <= 0, path
        # The most that a node gets of others, and a payer with a friend in the group.
        paid = min(base_fee, RULES.serve_gas_wei) * paid_gas(LENGTH)
        assert after.wealth("node") <= PRICE - FEE + DISPUTE + paid, path
        assert after.wealth("payer", "member") <= BOND, path
        ended += after.deals["a"].state in ("rejected", "refunded", "settled", "slashed")
    assert ended == 12


# ---- gas ----


def test_gas__of_serving__agrees_with_the_snapshot() -> None:
    assert abs(alone_gas(9_000) - gas_of("PrepaidLock.serve, 9,000 bytes")) < 100
    assert paid_gas(9_000) == 148_000
    assert batched_gas(1) == 22_783 + 277
    assert batched_gas(32, in_calldata=256) == 23_060 + 255 * 16 + 4
    assert alone_gas(1, zeros=1) == 23_060 + 32_313 + 128
    assert alone_gas(1) == alone_gas(1, zeros=1) + 12


@pytest.mark.parametrize("length", range(1, LONGEST_ANSWER + 1, 117))
def test_gas__paid_for_any_length__keeps_below_what_is_stated(length: int) -> None:
    assert paid_gas(length) < alone_gas(length, zeros=length)
    assert paid_gas(length) - batched_gas(length) <= GAP_GAS + MADE_BYTE_GAS * length
    if length >= LEAST_ANSWER:
        assert paid_gas(length) < batched_gas(length, in_calldata=length)


def test_least_answer__beside_the_shortest_document__is_shorter() -> None:
    """One device, one batch, neither end, the smallest keys: sealed, boxed (formats §3, §10). One
    without a reading has both ends, and is longer.
    """
    (device,) = ANSWER.devices
    bare = replace(device, opening=None, closing=None)
    document = answers.encode(replace(ANSWER, devices=(bare,)))
    none = packed.none_of(device.packed.device, device.packed.first_seq)
    edges = {name: replace(getattr(device, name), proof=()) for name in ("opening", "closing")}
    between = replace(device, packed=none, batches=(), nonce_keys={}, **edges)
    assert len(document) < len(answers.encode(replace(ANSWER, devices=(between,))))
    in_base64 = (len(document) + 2) // 3 * 4
    reply = len('{"answer":"","signature":""}') + in_base64 + 2 * 64
    sealed = 4 + 2 + 2 * 256 + 32 + 12 + reply + 16
    assert 4 + 12 + sealed + 16 >= LEAST_ANSWER


# ---- the strategies ----


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda it: it.name)
@pytest.mark.parametrize("price_wei", [10**12, 10**15, 10**18])
def test_strategy__at_any_price__keeps_its_limit(strategy: Strategy, price_wei: int) -> None:
    for fee in BASE_FEES_GWEI:
        for seals in (False, True):
            tip = GWEI if seals else 0
            at = {"seals": seals, "tip_wei": tip, "request_wei": price_wei, "sale_wei": price_wei}
            case = Case(fee * GWEI, **at)  # type: ignore[arg-type]
            assert worst(strategy, case).excess_wei(case) <= 0
            # Where neither follows the base fee: what the deviator did not burn is its own.
            fixed = replace(case, follows=False)
            assert worst(strategy, fixed).excess_wei(fixed) <= 0


def test_strategies__with_no_bound_stated__earn_nothing_at_any_base_fee() -> None:
    without = [strategy for strategy in STRATEGIES if strategy.bound == "0"]
    assert len(without) == 15
    for strategy in without:
        assert all(worst(strategy, case).limit_wei == 0 for case in COMMON_FEES), strategy.name


def test_strategies__with_a_bound__earn_something_somewhere() -> None:
    """A bound that nothing comes near would hide that it is none."""
    low = [replace(case, follows=False, request_wei=10**12) for case in COMMON_FEES]
    for strategy in STRATEGIES:
        if strategy.bound != "0" and strategy.name != "demanded_from_a_reckoner":
            earned = [worst(strategy, case).profit_wei for case in (*COMMON_FEES, *low)]
            assert max(earned) > 0, strategy.name


def test_garbage_batched__at_prices_that_follow__earns_nothing() -> None:
    """Its bound is above 0 only where price and bond are less than the gas of a long answer."""
    outcomes = [by_nodes.garbage_batched(case) for case in COMMON_FEES]
    assert all(it.profit_wei < 0 == it.limit_wei for it in outcomes)


def test_demanded_from_a_reckoner__earns_only_where_prices_do_not_follow() -> None:
    assert all(by_payers.demanded_from_a_reckoner(case).profit_wei <= 0 for case in COMMON_FEES)
    fixed = Case(10 * GWEI, follows=False)
    outcome = by_payers.demanded_from_a_reckoner(fixed)
    burned = gas_of("PrepaidLock.demand") + gas_of("PrepaidLock.slash")
    assert outcome.profit_wei == 2 * fixed.price_wei - burned * 10 * GWEI > 0


@pytest.mark.parametrize("count, earns", [(6, False), (7, True)])
def test_garbage_to_one_payer__from_seven_on__earns(
    monkeypatch: pytest.MonkeyPatch, count: int, earns: bool
) -> None:
    monkeypatch.setattr(by_nodes, "LOCKS_AT_ONCE", count)
    outcome = by_nodes.garbage_to_one_payer(Case(0))
    assert (outcome.profit_wei > 0) == earns
    assert by_nodes.garbage_to_one_payer_judged(Case(0)).profit_wei < 0


# ---- a changed formula is seen ----


def missed(strategy_names: set[str]) -> set[str]:
    chosen = [strategy for strategy in STRATEGIES if strategy.name in strategy_names]
    return {s.name for s in chosen if any(worst(s, c).excess_wei(c) > 0 for c in COMMON_FEES)}


def test_figures__if_serving_were_paid_by_the_kib__are_missed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """42,000 gas for each KiB: the price under which withholding earned."""
    monkeypatch.setattr(world, "paid_gas", lambda length: 42_000 * -(-length // 1_024))
    names = {"withheld", "withheld_until_it_suits", "withheld_batched", "never_served"}
    assert missed(names) == names - {"never_served"}


def test_figures__if_a_false_dispute_cost_nothing__are_missed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Rules, "dispute_of", lambda self, price_wei: 0)
    names = {"mass_disputes_mostly_reached", "false_dispute"}
    assert missed(names) == {"mass_disputes_mostly_reached"}


def test_figures__if_a_bond_were_never_lost__are_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    def pay_back(self: World, deal: world.Deal, *, fee_wei: int) -> None:
        self._free(deal)
        self.withdrawable[deal.payer] += deal.price_wei

    monkeypatch.setattr(World, "_pay_back", pay_back)
    monkeypatch.setattr(by_nodes, "LOCKS_AT_ONCE", 4)
    assert by_nodes.garbage_to_one_payer(Case(0)).profit_wei > 0


# ---- signers, defences, the page ----


@pytest.mark.parametrize(
    "signers, colluding, run",
    [(3, 1, 1), (3, 2, None), (4, 2, 2), (5, 2, 2), (5, 3, None), (7, 3, 3), (7, 4, None)],
)
def test_longest_run__of_colluding_signers__is_their_number_below_a_majority(
    signers: int, colluding: int, run: int | None
) -> None:
    assert longest_run(signers, colluding) == run


def test_least_price__by_hand__is_where_a_defence_pays() -> None:
    prices = least_price_wei(GWEI)
    assert prices["a demand that nobody serves"] == (48_367 + 70_074) * GWEI // 2
    assert max(prices.values()) < Case(GWEI).price_wei
    assert set(least_price_wei(0).values()) == {0}


def test_figures__all_of_them__keep_their_limits() -> None:
    figures = list(deviations.all_figures())
    assert len(figures) == len(STRATEGIES) * (len(BASE_FEES_GWEI) + 3)
    assert len({figure.name for figure in figures}) == len(figures)
    assert [figure.line() for figure in figures if not figure.is_met] == []


def test_page__in_the_docs__is_what_the_model_gives() -> None:
    made = page(list(deviations.all_figures()))
    assert PAGE.read_text(encoding="utf-8") == made, "run `make bench-deviations`"
