"""Attacks on sales and their ends: by sellers of another region, by whoever cuts a command off, by
what a node's own journals say of yesterday.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from offchain.buyer.catalogue import catalogue
from offchain.chain.errors import NodeUnavailable
from offchain.cli import user as user_commands
from offchain.household.household import Household
from offchain.member.data_sets import PublishedDataSet
from offchain.node.publisher import DataSetPublisher
from offchain.types import SECONDS_PER_DAY
from tests.integration.buyer.test_sharing import call_for_data
from tests.integration.node.test_consent import audit, end_consent, publish_everybody
from tests.integration.node.test_retiring import FINAL, is_on_sale, kinds, leaf_of, publish
from tests.integration.town import House, Town, worker_of

# ---- a seller of another region


@pytest.fixture
def foreign(fresh: Town, publisher: DataSetPublisher) -> PublishedDataSet:
    """Whoever bought the first region's data sells it anew, as the second region's node: consents
    stand, rows and owners' list are true.
    """
    node = fresh.nodes[1]
    home = replace(fresh.directory.member(node.keys.address), region_id=fresh.nodes[0].region)
    publisher._keys, publisher._gateway = node.keys, node.gateway
    publisher._directory = SimpleNamespace(member=lambda _: home)  # type: ignore[assignment]
    return publisher.publish(*fresh.houses[0].window)


def test_verify__of_another_regions_devices__finds_it(
    fresh: Town, publisher: DataSetPublisher, foreign: PublishedDataSet
) -> None:
    """Protocol §2.5: a node publishes data sets of its region."""
    assert foreign.region_id == fresh.nodes[1].region

    report = audit(fresh, publisher, foreign)

    assert {one.device for one in report.devices} == {
        fresh.houses[number].device.address for number in (0, 2)
    }
    assert not report.ok


def test_seen__of_what_another_regions_node_sells__has_it_where_asked_to_look(
    fresh: Town, foreign: PublishedDataSet
) -> None:
    """Its part lies there to be drawn, and its owner can end the sale, if it looks there: the lists
    of all regions are too many to be fetched each time.
    """
    house = fresh.houses[0]
    assert house.household.sales.seen().data_sets == ()

    seen = house.household.sales.seen(everywhere=True)

    assert [one.published.data_set_id for one in seen.data_sets] == [foreign.data_set_id]


def test_catalogue__of_a_revoked_sellers_set__leaves_it_out(fresh: Town) -> None:
    """It can neither be offered nor selected."""
    publish(fresh.nodes[0], fresh.houses[0])
    assert len(catalogue(fresh.buyers[0].gateway, fresh.index)) == 1

    fresh.admin.revoke(fresh.nodes[0].keys.address)

    assert catalogue(fresh.buyers[0].gateway, fresh.index) == []


# ---- an owner's command that was cut off, or comes first


def withdrawn_by_command(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    """Run `dmsm user consent DEVICE --withdraw` and return what it prints."""

    @contextmanager
    def opened(_: object, **__: bool) -> Iterator[tuple[Any, Household]]:
        yield SimpleNamespace(gateway=house.gateway), house.household

    monkeypatch.setattr(user_commands, "open_household", opened)
    user_commands.consent(
        house.device.address,
        until=None,
        withdraw=True,
        purpose=user_commands.Purpose.SALE,
        profile=None,  # type: ignore[arg-type]
        as_json=True,
    )
    return capsys.readouterr().out


def test_withdraw__cut_off_before_it_ended_the_sale__ends_it_when_given_again(
    fresh: Town, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    node, house = fresh.nodes[0], fresh.houses[0]
    data_set_id = publish(node, house)
    house.household.consents.withdraw(house.device.address)  # and then it was killed

    withdrawn_by_command(house, monkeypatch, capsys)

    assert not is_on_sale(node, data_set_id)


def test_withdraw__by_who_never_consented__ends_the_sale_of_what_a_liar_sells(
    fresh: Town,
    publisher: DataSetPublisher,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    node, house = fresh.nodes[0], fresh.houses[0]
    end_consent(fresh, house, "withdrawn")
    data_set_id = publish_everybody(fresh, publisher, monkeypatch).data_set_id
    assert house.device.address in publisher._held.data_set(data_set_id).devices

    withdrawn_by_command(house, monkeypatch, capsys)

    assert not is_on_sale(node, data_set_id)


# ---- what a node's journal says of yesterday


def test_retire_anyway__after_a_retirement_for_consent_failed__is_not_published_anew(
    fresh: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Consent is given again before the node could end the sale; later its operator ends it."""
    node, house = fresh.nodes[0], fresh.houses[0]
    data_set_id = publish(node, house)
    worker = worker_of(fresh, node, republish=True)
    end_consent(fresh, house, "withdrawn")
    with monkeypatch.context() as cut:
        cut.setattr(worker.retiring, "_end", unavailable)
        with pytest.raises(NodeUnavailable):
            worker.retiring.retire(data_set_id)
    house.household.consents.give(
        house.device.address, expires_at=house.gateway.now() + SECONDS_PER_DAY
    )
    assert kinds(worker) == []

    worker.retiring.retire_anyway(data_set_id)

    assert kinds(worker) == []


def unavailable(_: bytes) -> None:
    raise NodeUnavailable("the chain node is gone")


def test_respond__with_a_set_that_its_operator_just_retired__offers_another(fresh: Town) -> None:
    """At a final block it is for sale still."""
    node, house = fresh.nodes[0], fresh.houses[0]
    data_set_id, smaller = publish(node, house), publish(node, house, days=1)
    broadcast_id = call_for_data(fresh)
    fresh.anvil.mine(FINAL)
    worker = worker_of(fresh, node, confirmations=FINAL)
    worker.retiring.retire_anyway(data_set_id)

    done = kinds(worker)
    fresh.anvil.mine(FINAL)
    done += kinds(worker)

    assert "responded" in done
    assert node.held.response(broadcast_id).data_set_id == smaller


# ---- reorganisations


def test_worker__where_the_owners_end_of_a_sale_is_taken_off__ends_it_itself(
    fresh: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node was too late on the branch that did not last, and is needed on the one that does."""
    node, house = fresh.nodes[0], fresh.houses[0]
    data_set_id = publish(node, house)
    leaf = leaf_of(node, house)
    end_consent(fresh, house, "withdrawn")
    snapshot = fresh.anvil.snapshot()
    house.gateway.transact("DataSetBook", "retireFor", data_set_id, leaf)
    with monkeypatch.context() as raced:
        raced.setattr(node.worker.retiring, "_is_on_sale", lambda _: True)
        assert node.worker.retiring.retire(data_set_id).kind == "skipped"
    fresh.anvil.revert(snapshot)
    fresh.anvil.mine()

    assert kinds(node.worker) == ["retired"]

    assert not is_on_sale(node, data_set_id)


def test_worker__under_an_emergency_stop__ends_sales_and_waits_with_publishing(
    fresh: Town,
) -> None:
    node, house = fresh.nodes[0], fresh.houses[0]
    data_set_id = publish(node, house)
    worker = worker_of(fresh, node, republish=True)
    end_consent(fresh, house, "withdrawn")
    fresh.admin.stop_beginnings()

    done = kinds(worker) + kinds(worker)

    assert not is_on_sale(node, data_set_id)
    assert "failed" not in done
