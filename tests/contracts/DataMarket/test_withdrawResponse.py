"""DataMarket.withdrawResponse (withdrawResponse.tree)."""

import money
from members import Role


def test_withdraw_response__given_other_state__reverts(
    broadcast, respond, choose, select, refuses, market, processor, at, outsider
):
    selected, closed = broadcast(), broadcast()
    respond(selected, processor)
    respond(closed, processor)
    select(selected, [choose(selected, processor)], value=10**15)
    at(closed.conditions.select_by)
    market.close(closed.id, {"from": outsider})
    for broadcast_id, state in ((selected.id, 2), (closed.id, 3), (money.NOTHING, 0)):
        with refuses("DataMarket_WrongState", broadcast_id, state):
            market.withdrawResponse(broadcast_id, {"from": processor.account})


def test_withdraw_response__given_no_standing_response__reverts(
    broadcast, respond, refuses, market, processor, processor_two, outsider
):
    ad = broadcast()
    respond(ad, processor)
    for account in (processor_two.account, outsider):
        with refuses("DataMarket_NoResponse", ad.id, account):
            market.withdrawResponse(ad.id, {"from": account})
    market.withdrawResponse(ad.id, {"from": processor.account})
    with refuses("DataMarket_NoResponse", ad.id, processor.address):
        market.withdrawResponse(ad.id, {"from": processor.account})
    respond(ad, processor_two)  # into the slot that became free
    with refuses("DataMarket_NoResponse", ad.id, processor.address):
        market.withdrawResponse(ad.id, {"from": processor.account})


def test_withdraw_response__given_replaced_line__reverts(
    full_form, admit, revoke, data_sets, credit, respond, refuses, market
):
    ad, region = full_form.ad, full_form.regions[3]
    last = market.formOf(ad.id)[15][0]
    revoke(full_form.active[region])
    newcomer = admit(Role.PROCESSOR, region)
    money.set_credit(credit, newcomer, 1_000)
    respond(ad, newcomer, data_set_id=money.publish(data_sets, newcomer).data_set_id)
    with refuses("DataMarket_NoResponse", ad.id, last):
        market.withdrawResponse(ad.id, {"from": full_form.accounts[last]})
    assert market.formOf(ad.id)[0][0] == newcomer.address


def test_withdraw_response__given_standing_response__takes_it_out(
    broadcast, respond, market, form, processor, processor_two, only_event
):
    ad = broadcast()
    respond(ad, processor)
    respond(ad, processor_two)
    tx = market.withdrawResponse(ad.id, {"from": processor.account})
    assert form(ad) == [processor_two.address]
    event = only_event(tx, "ResponseWithdrawn")
    assert (bytes(event["broadcastId"]), event["processor"]) == (ad.id, processor.address)


def test_withdraw_response__given_revoked_processor__takes_it_out(
    broadcast, respond, market, form, processor, revoke, at
):
    ad = broadcast()
    respond(ad, processor)
    revoke(processor)
    at(ad.conditions.respond_by + 1)
    market.withdrawResponse(ad.id, {"from": processor.account})
    assert form(ad) == []
