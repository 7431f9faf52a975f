"""What a payer might try: ruin a node by a T it cannot meet, drain its gas, slip a member."""

import hashlib

import disputes
import money
import pytest
from brownie import web3
from members import Role

from offchain.crypto import sharing

# ---- T = now + 1 ----


def test_t__when_one_second_away__is_refused(pay, refuses, an_order, at, now):
    begin = now() + 10
    at(begin)
    with refuses("PrepaidLock_TooLittleTime", begin + 1, begin + money.SHORTEST_S):
        pay(an_order._replace(expires_at=begin + 1))


def test_t__when_types_would_allow_a_second__is_refused_by_the_catalogue(
    govern, catalogue, reverts_with
):
    for shortest in (0, 1, 59):
        terms = (True, shortest, 0, 1, money.PRICE_WEI, b"bill".ljust(32, b"\0"))
        with reverts_with("RequestCatalogue_BadParameter", "shortestSeconds"):
            govern(catalogue, "setType", money.BILL, terms)


def test_t__one_second_after_acceptance__would_cost_the_node_bond_and_credit(
    open_request, accept, lock, relayer, processor, credit, at, bond_is
):
    """Control: what the payer of a T that cannot be met would win, were it not refused."""
    money.set_credit(credit, processor, 50)
    it = open_request()
    at(it.expires_at - 1)
    accept(it)
    at(it.expires_at)
    lock.refund(it.id, {"from": relayer})
    assert credit.creditOf(processor.address) == 50 - credit.LOSS()
    bond_is(held=0, lost=money.bond_of(money.PRICE_WEI))


# ---- a demand, to drain a node's gas; an answer withheld until it is demanded ----


@pytest.fixture
def cost_of_serving(lock, open_claimed, demand, serve):
    """``cost_of_serving(answer)``: gas of the demand and of serving, and the gas that is paid."""

    def measure(answer):
        digest = hashlib.sha256(answer).digest()
        it = open_claimed(length=len(answer), digest=digest)
        asked = demand(it, value=lock.demandWeiOf(it.id)).gas_used
        return asked, serve(it, answer).gas_used, lock.serveGasOf(len(answer))

    return measure


DEAREST = bytes(1 + i % 255 for i in range(32 * 1024))  # no zero byte
CHEAPEST = bytes(32 * 1024)
# How often what the payer burns a node may burn unpaid: Prague's floor (EIP-7623) takes 40 gas
# instead of 24 for a byte that is not zero.
MOST_UNPAID = {"london": 1, "prague": 2}


@pytest.mark.parametrize("answer", [DEAREST, CHEAPEST], ids=["dearest", "cheapest"])
@pytest.mark.parametrize("length", [1, 1_024, 9_000, 31 * 1024 + 1, 32 * 1024])
def test_demand__when_made_to_drain_the_nodes_gas__costs_the_payer_more(
    cost_of_serving, length, answer
):
    """At any base fee: what the payer burns is above what the node is not paid, or half of it."""
    rules = web3.provider.make_request("anvil_nodeInfo", [])["result"]["hardFork"].lower()
    asked, used, paid = cost_of_serving(answer[:length])
    print(f"gas demand {asked}, serve {length} bytes {used}, paid {paid}")
    assert used - paid < MOST_UNPAID[rules] * (asked + paid)


@pytest.mark.parametrize("answer", [DEAREST, CHEAPEST], ids=["dearest", "cheapest"])
@pytest.mark.parametrize("length", [1, 1_024, 9_000, 32 * 1024])
def test_answer__when_withheld_until_it_is_demanded__earns_nothing(cost_of_serving, length, answer):
    """At any base fee, whatever bytes and length the payee picks: a transaction burns more.

    What a contract can save that serves many answers: test_deviations.py.
    """
    _, used, paid = cost_of_serving(answer[:length])
    assert paid < used


def test_answer__when_withheld_under_a_price_for_a_kib__would_earn(cost_of_serving):
    """Control: 42,000 gas a KiB, as was paid before, is more than zero bytes take."""
    _, used, _ = cost_of_serving(CHEAPEST)
    assert used < 36 * 42_000


def test_demand__without_its_deposit__is_refused(open_claimed, demand, refuses):
    it = open_claimed()
    with refuses("PrepaidLock_WrongValue", 0, disputes.demand_wei()):
        demand(it, value=0)


# ---- a member's key changed, or the member revoked, between selection and delivery ----


def test_member__when_revoked_after_selection__is_delivered_to_by_the_snapshot(
    open_sharing, deliver, revoke, buyer_two, group, transcript, only_event, data_set, buyer
):
    it = open_sharing()
    revoke(buyer_two)
    event = only_event(deliver(it), "Delivered")
    opened = {}
    for member in (buyer, buyer_two):
        index = group.accounts.index(member.address) + 1
        share = transcript.shares[index - 1]
        assert tuple(event["shares"][index - 1]) == tuple(money.words(share))
        opened[index] = sharing.decrypt_share(member.keys.delivery_secret, share)
    found = sharing.recover(opened, commitments=transcript.commitments, threshold=2, members=3)
    assert found.group_secret == sharing.group_secret(data_set.key)


def test_member__with_new_keys_after_selection__changes_nothing(
    open_sharing, deliver, refuses, revoke, admit, buyer, buyer_two, buyer_three, data_set
):
    """The payer's friend comes back with another key: the deal's group stays what was paid for."""
    it = open_sharing()
    revoke(buyer_two)
    rotated = money.group_of(buyer, admit(Role.SHARER), buyer_three)
    dealt = sharing.deal(data_set.key, threshold=2, delivery_keys=rotated.keys)
    commitments, shares = money.transcript_words(dealt)
    with refuses("PrepaidLock_WrongGroup", it.id):
        deliver(it, group=rotated, commitments=commitments, shares=shares)


def test_member__if_delivery_read_the_registry__would_make_it_impossible(
    broadcast, respond, choose, select, refuses, revoke, processor, buyer_two, registry
):
    """Control: the check of the present registry, as a selection makes it, refuses this group."""
    ad = broadcast()
    respond(ad, processor)
    revoke(buyer_two)
    assert registry.isActive(buyer_two.address, Role.SHARER) is False
    with refuses("DataMarket_BadGroup", ad.id, buyer_two.address):
        select(ad, [choose(ad, processor)], value=10**15)
