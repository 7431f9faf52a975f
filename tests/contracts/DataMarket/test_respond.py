"""DataMarket.respond: the form, sorted at all times (respond.tree)."""

from random import Random

import money
import pytest
from members import NOBODY, Role, region_id
from money import DAY, WINDOW

from tests.contracts.DataMarket.conftest import BONDS_WEI

OPEN, SELECTED, CLOSED = 1, 2, 3
SIXTEEN = tuple(sorted([region_id("north"), *(region_id(f"region {i:02}") for i in range(15))]))


def test_respond__given_other_state__reverts(
    broadcast, respond, choose, select, refuses, market, processor, processor_two, at, outsider
):
    selected = broadcast()
    respond(selected, processor)
    select(selected, [choose(selected, processor)], value=10**15)
    with refuses("DataMarket_WrongState", selected.id, SELECTED):
        respond(selected, processor_two)
    closed = broadcast()
    at(closed.conditions.select_by)
    market.close(closed.id, {"from": outsider})
    with refuses("DataMarket_WrongState", closed.id, CLOSED):
        respond(closed, processor)
    with refuses("DataMarket_WrongState", money.NOTHING, 0):
        respond(closed._replace(id=money.NOTHING), processor)


@pytest.mark.parametrize("late", [0, 1])
def test_respond__when_respond_by_is_reached__reverts(
    broadcast, respond, refuses, processor, at, late
):
    ad = broadcast()
    by = ad.conditions.respond_by
    at(by + late)
    with refuses("DataMarket_TooLate", ad.id, by, by + late):
        respond(ad, processor)


def test_respond__when_respond_by_is_not_reached__enters(broadcast, respond, form, processor, at):
    ad = broadcast()
    at(ad.conditions.respond_by - 1)
    respond(ad, processor)
    assert form(ad) == [processor.address]


def test_respond__when_caller_is_no_active_processor__reverts(
    broadcast, respond, refuses, data_set, buyer, meter_owner, processor, revoke
):
    ad = broadcast()
    for member in (buyer, meter_owner):
        with refuses("DataMarket_NotProcessor", member.address):
            respond(ad, member, data_set_id=data_set.data_set_id)
    revoke(processor)
    with refuses("DataMarket_NotProcessor", processor.address):
        respond(ad, processor)


def test_respond__when_region_is_not_wanted__reverts(broadcast, respond, refuses, processor):
    others = tuple(region for region in SIXTEEN if region != processor.region)
    for regions in ((region_id("south"),), others, others[:4], others[7:]):
        ad = broadcast(regions=regions)
        with refuses("DataMarket_RegionNotWanted", ad.id, processor.region):
            respond(ad, processor)


def test_respond__when_region_is_wanted__enters(broadcast, respond, form, processor):
    before = [bytes([0, i]).ljust(32, b"\0") for i in range(1, 16)]
    after = [bytes([255, i]).ljust(32, b"\0") for i in range(15)]
    for position in range(16):
        regions = (*before[:position], processor.region, *after[: 15 - position])
        ad = broadcast(regions=regions)
        respond(ad, processor)
        assert form(ad) == [processor.address]


def test_respond__given_earlier_response__reverts(broadcast, respond, refuses, market, processor):
    ad = broadcast()
    respond(ad, processor)
    with refuses("DataMarket_AlreadyResponded", ad.id, processor.address):
        respond(ad, processor)
    market.withdrawResponse(ad.id, {"from": processor.account})
    with refuses("DataMarket_AlreadyResponded", ad.id, processor.address):
        respond(ad, processor)


def test_respond__when_data_set_is_unfit__reverts(
    broadcast, respond, refuses, data_sets, processor, data_set, data_set_two
):
    other_kind = money.publish(data_sets, processor, kind=2).data_set_id
    ad = broadcast()
    for unfit in (money.digest_of("unknown"), data_set_two.data_set_id, other_kind):
        with refuses("DataMarket_UnfitDataSet", ad.id, unfit):
            respond(ad, processor, data_set_id=unfit)
    begin, end = WINDOW
    for window in ((begin - DAY, begin), (end, end + DAY)):
        beside = broadcast(window_from=window[0], window_to=window[1])
        with refuses("DataMarket_UnfitDataSet", beside.id, data_set.data_set_id):
            respond(beside, processor)


@pytest.mark.parametrize("why", ["its time", "retired"])
@pytest.mark.parametrize("late", [-1, 0, 1])
def test_respond__given_ended_sale__reverts(
    broadcast, respond, refuses, form, data_sets, processor, at, now, why, late
):
    moment = now() + 100
    sale_until = moment if why == "its time" else None
    it = money.publish(data_sets, processor, sale_until=sale_until)
    ad = broadcast()
    if why == "retired" and late >= 0:
        at(moment - 5)
        data_sets.retire(it.data_set_id, {"from": processor.account})
    at(moment + late)
    if late < 0:
        respond(ad, processor, data_set_id=it.data_set_id)
        assert form(ad) == [processor.address]
        return
    with refuses("DataMarket_UnfitDataSet", ad.id, it.data_set_id):
        respond(ad, processor, data_set_id=it.data_set_id)


def test_respond__when_data_set_overlaps_by_a_second__enters(broadcast, respond, form, processor):
    begin, end = WINDOW
    for window in ((begin - DAY, begin + 1), (end - 1, end + DAY), (begin - DAY, end + DAY)):
        ad = broadcast(window_from=window[0], window_to=window[1])
        respond(ad, processor)
        assert form(ad) == [processor.address]


def test_respond__when_price_is_out_of_range__reverts(broadcast, respond, refuses, processor):
    ad = broadcast()
    maximum = ad.conditions.max_price_wei
    for price in (0, maximum + 1, 2**96 - 1):
        with refuses("DataMarket_PriceAboveMaximum", ad.id, price, maximum):
            respond(ad, processor, price=price)


def test_respond__when_price_is_the_maximum__enters(broadcast, respond, form, processor):
    ad = broadcast()
    respond(ad, processor, price=ad.conditions.max_price_wei)
    assert form(ad) == [processor.address]


@pytest.mark.parametrize(
    ("credits", "first"), [((0, 0), 0), ((10, 20), 1), ((20, 10), 0), ((20, 20), 0)]
)
def test_respond__given_other_lines__sorts_by_credit(
    broadcast, respond, form, credit, processor, processor_two, credits, first
):
    pair = (processor, processor_two)
    ad = broadcast()
    for member, points in zip(pair, credits, strict=True):
        money.set_credit(credit, member, points)
        respond(ad, member)
    assert form(ad) == [pair[first].address, pair[1 - first].address]


def test_respond__given_credit_that_moves__keeps_the_snapshot(
    broadcast, respond, form, credit, market, processor, processor_two
):
    ad = broadcast()
    for member, points in ((processor, 20), (processor_two, 10)):
        money.set_credit(credit, member, points)
        respond(ad, member)
    money.set_credit(credit, processor_two, 500)
    assert form(ad) == [processor.address, processor_two.address]
    assert [line[3] for line in market.formOf(ad.id)] == [20, 10]


def test_respond__when_everything_holds__stores_and_emits(
    broadcast, respond, market, lock, credit, processor, data_set, only_event, at
):
    ad = broadcast()
    money.set_credit(credit, processor, 40)
    at(ad.conditions.respond_by - 7)
    tx = respond(ad, processor, price=123)
    (line,) = market.formOf(ad.id)
    assert (line[0], line[1], bytes(line[2])) == (processor.address, 123, data_set.data_set_id)
    assert (line[3], line[4]) == (40, ad.conditions.respond_by - 7)
    event = only_event(tx, "Responded")
    assert bytes(event["broadcastId"]) == ad.id
    assert bytes(event["dataSetId"]) == data_set.data_set_id
    assert (event["processor"], event["priceWei"]) == (processor.address, 123)
    assert (event["credit"], event["replaced"]) == (40, NOBODY)
    assert (event["rulesVersion"], event["sharingVersion"]) == (1, 1)
    assert lock.liabilitiesWei() == BONDS_WEI + money.APPLICATION_WEI
    print(f"gas respond (first line): {tx.gas_used}")


# ---- a full form ----


@pytest.fixture
def newcomer(full_form, admit, revoke, data_sets, credit):
    """``newcomer(points, region=…)``: a processor that takes over the region of a standing one.

    ``among``: who serves which region now, kept up to date for who needs several.
    """

    def make(points, *, region=None, among=None):
        serving = dict(full_form.active) if among is None else among
        predecessor = serving[region or full_form.regions[-1]]
        revoke(predecessor)
        member = serving[predecessor.region] = admit(Role.PROCESSOR, predecessor.region)
        money.set_credit(credit, member, points)
        return member, money.publish(data_sets, member).data_set_id

    return make


def test_respond__given_full_form__replaces_the_last(
    full_form, newcomer, respond, refuses, market, only_event
):
    lines = market.formOf(full_form.ad.id)
    assert len(lines) == 16
    expected = sorted(full_form.credits.items(), key=lambda item: -item[1])  # stable: earlier first
    assert [(line[0], line[3]) for line in lines] == expected
    points = lines[5][3]
    member, data_set_id = newcomer(points)
    tx = respond(full_form.ad, member, data_set_id=data_set_id)
    assert only_event(tx, "Responded")["replaced"] == lines[15][0]
    after = [line[0] for line in market.formOf(full_form.ad.id)]
    rank = sum(line[3] >= points for line in lines)
    before = [line[0] for line in lines]
    assert after == [*before[:rank], member.address, *before[rank:15]]
    with refuses("DataMarket_AlreadyResponded", full_form.ad.id, member.address):
        respond(full_form.ad, member, data_set_id=data_set_id)


def test_respond__given_full_form_and_no_more_credit__reverts(
    full_form, newcomer, respond, refuses, market
):
    lowest = market.formOf(full_form.ad.id)[15][3]
    member, data_set_id = newcomer(lowest)
    with refuses("DataMarket_FormFull", full_form.ad.id, lowest):
        respond(full_form.ad, member, data_set_id=data_set_id)


def test_respond__given_full_form_and_withdrawal__has_room(full_form, newcomer, respond, market):
    ad = full_form.ad
    best = market.formOf(ad.id)[0][0]
    market.withdrawResponse(ad.id, {"from": full_form.accounts[best]})
    member, data_set_id = newcomer(0)
    respond(ad, member, data_set_id=data_set_id)
    after = [line[0] for line in market.formOf(ad.id)]
    assert len(after) == 16
    assert best not in after
    assert after[15] == member.address


@pytest.mark.parametrize("seed", [1, 2])
def test_respond__given_full_form_that_lives__stays_sorted(
    full_form, newcomer, respond, revoke, market, seed
):
    ad, luck = full_form.ad, Random(seed)
    accounts, active = dict(full_form.accounts), dict(full_form.active)
    model = [(line[0], line[3]) for line in market.formOf(ad.id)]

    def enter(points):
        member, data_set_id = newcomer(points, region=luck.choice(full_form.regions), among=active)
        accounts[member.address] = member.account
        respond(ad, member, data_set_id=data_set_id)
        if len(model) == 16:
            model.pop()
        rank = sum(credit >= points for _, credit in model)
        model.insert(rank, (member.address, points))

    def withdraw():
        address, _ = model.pop(luck.randrange(len(model)))
        market.withdrawResponse(ad.id, {"from": accounts[address]})

    for _ in range(12):
        step = luck.choice(["enter", "enter", "withdraw"])
        lowest = model[-1][1] + 1 if len(model) == 16 else 0
        if step == "enter":
            # A revocation goes with each: its predecessor's line, if any, stands.
            enter(luck.randint(lowest, 210) if luck.random() < 0.5 else max(lowest, 150))
        else:
            withdraw()
        assert [(line[0], line[3]) for line in market.formOf(ad.id)] == model


def test_respond__given_full_form__stays_within_gas(full_form, newcomer, respond, market):
    ad, used = full_form.ad, []
    for region in (full_form.regions[0], full_form.regions[-1]):
        best = market.formOf(ad.id)[0][3]
        member, data_set_id = newcomer(best + 10, region=region)
        used.append(respond(ad, member, data_set_id=data_set_id).gas_used)
        assert market.formOf(ad.id)[0][0] == member.address
    print(f"gas respond into a form of 16: {used}; into the 16th place: {full_form.last_gas}")
    assert max(used) <= 116_000


@pytest.mark.parametrize("versions", [(0, 1), (2, 1), (1, 0), (1, 2)])
def test_respond__when_versions_are_not_the_present_ones__reverts(
    broadcast, respond, processor, refuses, versions
):
    ad = broadcast()
    with refuses("DataMarket_OtherTerms", ad.id, 1, 1):
        respond(ad, processor, versions=versions)


def test_respond__given_terms_changed_since_it_was_made_up__reverts(
    broadcast, respond, processor, refuses, govern, catalogue, market
):
    """An offer under terms that it has not seen is none."""
    ad = broadcast()
    later = (money.SHARING_SHORTEST_S, 300, money.APPLICATION_WEI, 0)
    govern(catalogue, "setSharingTerms", later)
    with refuses("DataMarket_OtherTerms", ad.id, 1, 2):
        respond(ad, processor, versions=(1, 1))
    respond(ad, processor, versions=(1, 2))
    assert tuple(market.formOf(ad.id)[0][5:7]) == (1, 2)
