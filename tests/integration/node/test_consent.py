"""Only devices whose owners consent are in a data set: the node keeps to it, the buyer sees it."""

import pytest

from offchain.audit.data_sets import VerificationReport, verify_data_set
from offchain.audit.opened_data_set import OpenedDataSet, open_data_set
from offchain.crypto import sharing
from offchain.index.asked import members
from offchain.member.consent import MARGIN_S, lacking_consent, lacking_consent_as_of
from offchain.member.data_sets import PublishedDataSet
from offchain.member.errors import NothingToPublish
from offchain.member.roles import MemberRole
from offchain.node import publisher as publishing
from offchain.node.publisher import DataSetPublisher
from tests.integration.town import BITS, House, Town


def published_devices(town: Town, publisher: DataSetPublisher) -> set[str]:
    opened = opened_by_node(town, publisher, publisher.publish(*town.houses[0].window))
    return {one.packed.device for one in opened.companion.devices}


def opened_by_node(
    town: Town, publisher: DataSetPublisher, published: PublishedDataSet
) -> OpenedDataSet:
    stored = publisher._held.data_set(published.data_set_id)
    return open_data_set(
        published,
        sharing.group_secret(stored.data_key),
        gateway=town.buyers[0].gateway,
        store=town.store,
        paillier_bits=BITS,
    )


def audit(
    town: Town, publisher: DataSetPublisher, data_set: PublishedDataSet
) -> VerificationReport:
    return verify_data_set(
        opened_by_node(town, publisher, data_set),
        gateway=town.buyers[0].gateway,
        index=town.index,
        directory=town.directory,
    )


def publish_everybody(
    town: Town, publisher: DataSetPublisher, monkeypatch: pytest.MonkeyPatch
) -> PublishedDataSet:
    """Publish as a node does that does not ask for consent."""
    monkeypatch.setattr(publishing, "lacking_consent", lambda *_: {})
    return publisher.publish(*town.houses[0].window)


def test_publish__given_consent_of_all__has_all_and_the_audit_holds(
    fresh: Town, publisher: DataSetPublisher, homes: list[House]
) -> None:
    data_set = publisher.publish(*homes[0].window)

    report = audit(fresh, publisher, data_set)

    assert {one.device for one in report.devices} == {home.device.address for home in homes}
    assert report.ok, report.findings
    assert "consent_stood" in [one.name for one in report.findings]


@pytest.mark.parametrize("how", ["owner", "device", "withdrawn", "ends soon"])
def test_publish__given_one_home_out__leaves_its_device_out(
    fresh: Town, publisher: DataSetPublisher, homes: list[House], how: str
) -> None:
    stays, leaves = homes
    end_consent(fresh, leaves, how)

    assert published_devices(fresh, publisher) == {stays.device.address}


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("owner", "its owner was revoked"),
        ("device", "the device was revoked"),
        ("withdrawn", "consent was withdrawn"),
        ("expired", "consent had ended"),
    ],
)
def test_verify__given_device_without_consent__names_it(
    fresh: Town,
    publisher: DataSetPublisher,
    homes: list[House],
    monkeypatch: pytest.MonkeyPatch,
    how: str,
    said: str,
) -> None:
    stays, leaves = homes
    if how == "device":  # the tables already leave it out; the liar's say that it is active
        newest, region = fresh.index.follower.catch_up(), fresh.nodes[0].region
        listed = members.active(fresh.index, MemberRole.DEVICE, newest, region_id=region)
        monkeypatch.setattr(publishing.members, "active", lambda *_, **__: listed)
    end_consent(fresh, leaves, how)

    report = audit(fresh, publisher, publish_everybody(fresh, publisher, monkeypatch))

    wrong = [one for one in report.findings if not one.ok]
    assert [one.name for one in wrong] == ["consent_stood"]
    assert f"{leaves.device.address}: {said}" in wrong[0].detail
    assert stays.device.address not in wrong[0].detail


def test_verify__given_device_that_never_consented__names_it(
    fresh: Town, publisher: DataSetPublisher
) -> None:
    data_set = publisher.publish(*fresh.houses[0].window)
    stranger = fresh.buyers[0].keys.address

    lacking = lacking_consent_as_of(
        fresh.index, [stranger], data_set.place, at_s=fresh.buyers[0].gateway.now()
    )

    assert lacking == {stranger: "it is no device of this chain"}


def test_verify__without_a_lock__says_that_it_is_no_sale(
    fresh: Town, publisher: DataSetPublisher
) -> None:
    report = audit(fresh, publisher, publisher.publish(*fresh.houses[0].window))

    (found,) = [one for one in report.findings if one.name == "consent_stood"]
    assert found.detail == "of 2 devices when published; this is no sale"


def test_verify__given_consent_that_ends_after_the_publication__still_holds(
    fresh: Town, publisher: DataSetPublisher, homes: list[House]
) -> None:
    data_set = publisher.publish(*homes[0].window)
    end_consent(fresh, homes[0], "withdrawn")
    end_consent(fresh, homes[1], "owner")

    report = audit(fresh, publisher, data_set)

    assert report.ok, report.findings


def test_verify__given_consent_withdrawn_and_given_again__holds(
    fresh: Town, publisher: DataSetPublisher, homes: list[House]
) -> None:
    home = homes[1]
    end_consent(fresh, home, "withdrawn")
    home.household.consents.give(home.device.address, expires_at=home.gateway.now() + 86_400)

    report = audit(fresh, publisher, publisher.publish(*home.window))

    assert report.ok, report.findings
    assert len(report.devices) == 2


def test_publish__given_consent_withdrawn_after_building__builds_anew_without_it(
    fresh: Town, publisher: DataSetPublisher, homes: list[House]
) -> None:
    stays, leaves = homes
    begun = publisher._build(*stays.window)
    end_consent(fresh, leaves, "withdrawn")

    assert published_devices(fresh, publisher) == {stays.device.address}

    assert publisher._held.data_set(begun.data_set_id) is None  # forgotten, with its key


def test_publish__given_all_withdrawn_after_building__forgets_what_was_built(
    fresh: Town, publisher: DataSetPublisher, homes: list[House]
) -> None:
    publisher._build(*homes[0].window)
    for home in homes:
        end_consent(fresh, home, "withdrawn")

    with pytest.raises(NothingToPublish):
        publisher.publish(*homes[0].window)

    assert publisher._held.data_sets() == []


def test_publish__given_published_one_off_the_chain_and_consent_ended__builds_anew(
    fresh: Town, publisher: DataSetPublisher, homes: list[House]
) -> None:
    snapshot = fresh.anvil.snapshot()
    lost = publisher.publish(*homes[0].window)
    fresh.anvil.revert(snapshot)
    fresh.anvil.mine()  # another branch
    end_consent(fresh, homes[1], "withdrawn")

    made = publisher.publish(*homes[0].window)

    assert made.data_set_id != lost.data_set_id
    assert publisher._held.data_set(made.data_set_id).devices == [homes[0].device.address]


def test_lacking_consent__given_end_within_the_margin__counts_as_ended(
    fresh: Town, homes: list[House]
) -> None:
    home, device = homes[0], homes[0].device.address
    until = home.gateway.now() + 10_000
    home.household.consents.give(device, expires_at=until)

    fresh.anvil.stand_at(until - MARGIN_S - 1)
    assert lacking_consent(home.gateway, [device]) == {}
    fresh.anvil.stand_at(until - MARGIN_S)
    assert list(lacking_consent(home.gateway, [device])) == [device]


def end_consent(town: Town, home: House, how: str) -> None:
    device = home.device.address
    if how == "owner":
        town.admin.revoke(home.keys.address)
    elif how == "device":
        town.admin.revoke(device)
    elif how == "withdrawn":
        home.household.consents.withdraw(device)
    else:
        home.household.consents.give(device, expires_at=home.gateway.now() + MARGIN_S)
        if how == "expired":
            town.anvil.warp(MARGIN_S + 1)
