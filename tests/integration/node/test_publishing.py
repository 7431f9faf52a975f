"""What a region's publication holds: one home that cannot be in it costs itself alone, and the
operator hears of it before anything is sold.
"""

import logging
from dataclasses import replace

import pytest

from offchain.crypto import kdf
from offchain.member.errors import NothingToPublish
from offchain.node.publisher import DataSetPublisher
from offchain.types import SECONDS_PER_DAY, Reading, day_of
from tests.integration.node.test_consent import opened_by_node
from tests.integration.town import House, Town, fill

LARGEST_STEP_WH = 2**20 - 1


def add_reading(
    town: Town, publisher: DataSetPublisher, house: House, *, register: str, step_wh: int
) -> Reading:
    """Let a home's device send one more reading of the window's last day, anchored by itself."""
    last = house.readings[-1]
    time_s, seq = last.time_s + 60, last.seq + 1
    key = kdf.nonce_day_key(
        house.device.device_secret,
        chain_id=last.chain_id,
        data_ledger=town.deployment.address("DataLedger"),
        device=house.device.address,
        day=day_of(time_s),
    )
    shown = {register: getattr(last, register) + step_wh}
    made = replace(last, seq=seq, time_s=time_s, nonce=kdf.reading_nonce(key, seq), **shown)
    gateway = town.nodes[0].gateway.with_account(house.device.account)
    fill(publisher._held, house.device, [made], gateway)
    return made


@pytest.mark.parametrize("register", ["import_wh", "export_wh"])
def test_publish__given_a_step_beyond_a_slot__leaves_that_home_out_and_names_it(
    fresh: Town,
    publisher: DataSetPublisher,
    homes: list[House],
    caplog: pytest.LogCaptureFixture,
    register: str,
) -> None:
    stays, leaves = homes
    add_reading(fresh, publisher, stays, register=register, step_wh=LARGEST_STEP_WH)
    add_reading(fresh, publisher, leaves, register=register, step_wh=LARGEST_STEP_WH + 1)

    with caplog.at_level(logging.WARNING):
        published = publisher.publish(*stays.window)

    opened = opened_by_node(fresh, publisher, published)
    assert [one.packed.device for one in opened.companion.devices] == [stays.device.address]
    assert leaves.device.address in caplog.text and leaves.keys.address in caplog.text
    assert "register steps by 2^20 Wh or more to reading 73" in caplog.text
    assert not any(str(getattr(one, register)) in caplog.text for one in leaves.readings)


def test_look__given_days_without_data__counts_what_would_be_sold(
    fresh: Town, publisher: DataSetPublisher, homes: list[House]
) -> None:
    start, end = homes[0].window
    longer = start, end + 3 * SECONDS_PER_DAY
    leaves = homes[1]
    add_reading(fresh, publisher, leaves, register="import_wh", step_wh=LARGEST_STEP_WH + 1)

    found = publisher.look(*longer)

    assert (found.homes, found.devices, found.rows) == (1, 1, 48)
    first = start // SECONDS_PER_DAY
    assert found.days == range(first, first + 5)
    assert found.empty_days == (first + 2, first + 3, first + 4)
    assert found.device_days == 2 and not found.is_whole
    assert [(one.device, one.owner) for one in found.left_out] == [
        (leaves.device.address, leaves.keys.address)
    ]
    day_before = publisher.look(start - SECONDS_PER_DAY, start)
    assert day_before.is_whole and (day_before.homes, day_before.rows) == (2, 48)


def test_look__given_nothing_to_sell__names_who_is_left_out(
    fresh: Town, publisher: DataSetPublisher, homes: list[House]
) -> None:
    for home in homes:
        add_reading(fresh, publisher, home, register="export_wh", step_wh=LARGEST_STEP_WH + 1)
    for act in (publisher.look, publisher.publish):
        with pytest.raises(NothingToPublish) as caught:
            act(*homes[0].window)
        assert all(home.device.address in str(caught.value) for home in homes)


def test_look__given_a_set_that_was_built__has_nothing_to_say(
    fresh: Town, publisher: DataSetPublisher, homes: list[House]
) -> None:
    assert publisher.look(*homes[0].window).is_whole
    publisher.publish(*homes[0].window)
    assert publisher.look(*homes[0].window) is None
