"""What a payer might try: ruin a node by a T it cannot meet, drain its gas, slip a member."""

import hashlib

import disputes
import money
import pytest
from members import Role

from offchain.crypto import sharing

GAS_A_KIB = 42_000  # what the rules assume that serving a KiB costs
GAS_PRICE_WEI = money.RULES.serve_kib_wei // GAS_A_KIB
FLOOR_GAS_A_TOKEN = 10  # EIP-7623; a byte that is not zero has four tokens, a zero one
BASE_GAS = 21_000


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
        terms = (True, shortest, 0, money.PRICE_WEI, b"bill".ljust(32, b"\0"))
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


# ---- a demand, to drain a node's gas ----


def floor_gas(data):
    """Return the least gas of a transaction with this input under EIP-7623."""
    zeros = data.count(0)
    return BASE_GAS + FLOOR_GAS_A_TOKEN * (zeros + 4 * (len(data) - zeros))


@pytest.fixture
def cost_of_serving(lock, open_claimed, demand, serve):
    """``cost_of_serving(length)``: gas by London, by EIP-7623, and the deposit's."""

    def measure(length):
        answer = bytes(1 + i % 255 for i in range(length))  # no zero byte: the dearest
        it = open_claimed(length=length, digest=hashlib.sha256(answer).digest())
        deposit = lock.demandWeiOf(it.id)
        demand(it, value=deposit)
        used = serve(it, answer).gas_used
        data = bytes.fromhex(lock.serve.encode_input(it.id, answer)[2:])
        return used, max(used, floor_gas(data)), deposit // GAS_PRICE_WEI

    return measure


@pytest.mark.parametrize("length", [1, 1_023, 1_024, 1_025, 9_000, 31 * 1024 + 1, 32 * 1024])
def test_demand__when_made_to_drain_the_nodes_gas__pays_for_serving(cost_of_serving, length):
    london, floor, paid = cost_of_serving(length)
    print(f"gas serve {length} bytes: {london}, with EIP-7623 {floor}, deposit pays {paid}")
    assert paid >= floor >= london


def test_demand__without_the_deposit_of_the_rules__would_drain_the_node(
    cost_of_serving, open_claimed, demand, refuses
):
    """Control: bytes at their old price, or without the transaction itself, do not pay for it."""
    _, floor, _ = cost_of_serving(32 * 1024)
    old_price = 32 * 1024 * 16 + BASE_GAS
    assert old_price < floor
    _, small_floor, small_paid = cost_of_serving(1)
    assert small_paid - disputes.SERVE_BASE_KIB * GAS_A_KIB < small_floor
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
