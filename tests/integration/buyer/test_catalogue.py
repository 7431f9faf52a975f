"""What is for sale, and on what record, the chain alone tells; the form tells it of each line."""

from offchain.buyer.buyer import Buyer
from offchain.buyer.catalogue import ForSale, catalogue
from offchain.buyer.form import form_of, seen_offers
from offchain.buyer.history import SellingHistory, history_of
from offchain.member.broadcast import conditions_of
from offchain.types import SECONDS_PER_DAY
from tests.integration.buyer.test_sharing import call_for_data, publish_both, select_both
from tests.integration.town import DATA_SET_PRICE_WEI, SHORTEST_S, Town, poll


def shown(town: Town, **wanted: object) -> list[ForSale]:
    return catalogue(town.buyers[0].gateway, town.index, **wanted)  # type: ignore[arg-type]


def credit_of(buyer: Buyer, account: str) -> int:
    return int(buyer.gateway.call("CreditBook", "creditOf", account))


def test_catalogue__before_any_broadcast__shows_windows_rows_and_meters(fresh: Town) -> None:
    publish_both(fresh)
    north, south = fresh.nodes

    found = {one.processor: one for one in shown(fresh)}

    assert set(found) == {north.keys.address, south.keys.address}
    one = found[north.keys.address]
    assert (one.window_from, one.window_to) == fresh.houses[0].window
    assert (one.days, one.rows, one.meters, one.kind) == (2, 96, 2, 1)
    assert one.sale_until > one.window_to
    assert (one.asked_wei, one.sold_times) == (None, 0)
    assert one.history == SellingHistory(sold=0, declined=0, failed=0)
    assert found[south.keys.address].meters == 1


def test_catalogue__given_what_is_wanted__leaves_out_the_rest(fresh: Town) -> None:
    publish_both(fresh)
    start, end = fresh.houses[0].window
    north, south = fresh.nodes
    assert [one.processor for one in shown(fresh, regions=[south.region])] == [south.keys.address]
    assert len(shown(fresh, window_from=end - 1, window_to=end)) == 2
    assert shown(fresh, window_from=end, window_to=end + SECONDS_PER_DAY) == []
    assert shown(fresh, window_from=start - SECONDS_PER_DAY, window_to=start) == []
    assert shown(fresh, kind=2) == [] and len(shown(fresh, kind=1)) == 2
    north.worker.retiring.retire_anyway(shown(fresh, regions=[north.region])[0].data_set_id)
    assert [one.processor for one in shown(fresh)] == [south.keys.address]


def test_catalogue__after_sales_declines_and_failures__tells_the_record(fresh: Town) -> None:
    buyer, (north, south) = fresh.buyers[0], fresh.nodes
    publish_both(fresh)
    first = call_for_data(fresh)
    for node in fresh.nodes:
        poll(node.worker)
    sold, missed = select_both(fresh, first)
    by_node = {buyer.locks.lock(one).payee: one for one in (sold, missed)}
    north.worker.market.deliver(by_node[north.keys.address])
    fresh.anvil.warp(10 * SHORTEST_S)
    buyer.money.refund(by_node[south.keys.address])

    lines = shown(fresh)

    assert [one.processor for one in lines] == [north.keys.address, south.keys.address]
    assert lines[0].credit == credit_of(buyer, north.keys.address) > lines[1].credit
    assert (lines[0].asked_wei, lines[0].sold_times) == (DATA_SET_PRICE_WEI, 1)
    assert lines[0].history == SellingHistory(sold=1, declined=0, failed=0)
    assert (lines[1].asked_wei, lines[1].sold_times) == (DATA_SET_PRICE_WEI, 0)
    assert lines[1].history == SellingHistory(sold=0, declined=0, failed=1)

    second = call_for_data(fresh)
    poll(north.worker)
    (lock_id,) = select_both(fresh, second)
    fresh.admin.revoke(fresh.buyers[2].keys.address)
    assert north.worker.market.deliver(lock_id).kind == "declined"
    newest = fresh.index.follower.catch_up()
    told = history_of(fresh.index, north.keys.address, newest)
    assert told == SellingHistory(sold=1, declined=1, failed=0)


def test_seen_offers__of_a_form__tells_rows_meters_days_and_the_end_of_each_sale(
    fresh: Town,
) -> None:
    buyer, node = fresh.buyers[0], fresh.nodes[0]
    start, _ = fresh.houses[0].window
    day = node.publisher.publish(start, start + SECONDS_PER_DAY)
    broadcast_id = call_for_data(fresh)
    poll(node.worker)

    (seen,) = seen_offers(
        buyer.gateway, fresh.index, broadcast_id, form_of(buyer.gateway, broadcast_id)
    )

    assert (seen.rows, seen.meters, seen.wanted_days) == (48, 2, 1)
    assert (seen.window_from, seen.sale_until) == (start, day.sale_until)
    assert seen.history.sold == 0
    requester, conditions = conditions_of(buyer.gateway, fresh.index, broadcast_id)
    assert requester == buyer.keys.address
    assert conditions.purpose_text() == "a study of standing loads"
    assert seen_offers(buyer.gateway, fresh.index, broadcast_id, []) == []
