"""DataSetBook.retire (retire.tree)."""

import money
import pytest
from members import NOBODY
from reading import plain


def test_retire__given_no_sale__reverts(
    data_sets, published, processor, outsider, reverts_with, at, now
):
    with reverts_with("DataSetBook_NotOnSale", money.NOTHING, 0):
        data_sets.retire(money.NOTHING, {"from": processor.account})
    for late in (0, 1):
        at(published.sale_until + late)
        with reverts_with("DataSetBook_NotOnSale", published.data_set_id, published.sale_until):
            data_sets.retire(published.data_set_id, {"from": processor.account})


def test_retire__when_sale_lasts_a_second_more__ends_it(
    data_sets, published, processor, reverts_with, sale_until, at
):
    ended_at = published.sale_until - 1
    at(ended_at)
    data_sets.retire(published.data_set_id, {"from": processor.account})
    assert sale_until(published) == ended_at
    with reverts_with("DataSetBook_NotOnSale", published.data_set_id, ended_at):
        data_sets.retire(published.data_set_id, {"from": processor.account})


def test_retire__when_caller_is_not_the_seller__reverts(
    data_sets, published, processor_two, meter_owner, outsider, reverts_with
):
    for caller in (processor_two.account, meter_owner.account, outsider):
        with reverts_with("DataSetBook_NotSeller", published.data_set_id, caller):
            data_sets.retire(published.data_set_id, {"from": caller})


def test_retire__given_revoked_processor__ends_it(
    data_sets, published, processor, revoke, sale_until, now
):
    revoke(processor)
    data_sets.retire(published.data_set_id, {"from": processor.account})
    assert sale_until(published) == now()


@pytest.mark.parametrize("late_s", [1, 86_400])
def test_retire__when_seller_calls__ends_the_sale(
    data_sets, published, processor, only_event, at, now, late_s
):
    before = plain(data_sets.offerOf(published.data_set_id))
    earnings = plain(data_sets.earningsOf(published.data_set_id))
    moment = now() + late_s
    at(moment)
    tx = data_sets.retire(published.data_set_id, {"from": processor.account})
    assert plain(data_sets.offerOf(published.data_set_id)) == (*before[:4], moment)
    assert plain(data_sets.earningsOf(published.data_set_id)) == earnings
    assert plain(only_event(tx, "DataSetRetired")) == plain(
        {
            "dataSetId": published.data_set_id,
            "processor": processor.address,
            "device": NOBODY,
            "by": processor.address,
        }
    )
