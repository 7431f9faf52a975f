"""DataSetBook.retireFor (retireFor.tree)."""

import money
import pytest
from publishing import DAY, PURPOSE
from reading import plain

from tests.contracts.DataSetBook.conftest import false_leaves


@pytest.fixture
def give(consents, registry, now):
    """``give(device, seconds, purpose=…)``: its owner consents from now on."""

    def consent(device, seconds=DAY, *, purpose=PURPOSE):
        owner = registry.ownerOf(device.address)
        consents.give(device.address, purpose, now() + seconds, {"from": owner})

    return consent


@pytest.fixture
def retire_for(data_sets, outsider):
    """``retire_for(published, leaf, by=…)``: the transaction, by a stranger if not told."""

    def send(it, leaf, *, by=outsider):
        return data_sets.retireFor(it.data_set_id, leaf, {"from": getattr(by, "account", by)})

    return send


def test_retire_for__given_no_sale__reverts(
    data_sets, published, retire_for, devices, processor, reverts_with, at, outsider
):
    leaf = published.owners.leaf(devices[0])
    with reverts_with("DataSetBook_NotOnSale", money.NOTHING, 0):
        data_sets.retireFor(money.NOTHING, leaf, {"from": outsider})
    for late in (0, 1):
        at(published.sale_until + late)
        with reverts_with("DataSetBook_NotOnSale", published.data_set_id, published.sale_until):
            retire_for(published, leaf)


def test_retire_for__when_leaf_is_not_in_the_root__reverts(
    published, retire_for, owners, outsider, reverts_with
):
    for leaf in false_leaves(owners, stranger=outsider.address):
        with reverts_with("DataSetBook_BadLeaf", published.data_set_id, leaf.device):
            retire_for(published, leaf)


def test_retire_for__given_standing_consent__reverts(
    published, retire_for, devices, give, processor, meter_owner, outsider, reverts_with
):
    leaf = published.owners.leaf(devices[0])
    give(devices[0])
    for caller in (outsider, meter_owner, processor):
        with reverts_with("DataSetBook_ConsentStands", published.data_set_id, leaf.device):
            retire_for(published, leaf, by=caller)


def test_retire_for__given_consent_to_another_purpose__ends_it(
    published, retire_for, devices, give, sale_until, now
):
    give(devices[0], purpose=b"research".ljust(32, b"\0"))
    retire_for(published, published.owners.leaf(devices[0]))
    assert sale_until(published) == now()


@pytest.mark.parametrize("why", ["never given", "withdrawn", "expired"])
def test_retire_for__given_no_standing_consent__ends_the_sale(
    data_sets, published, retire_for, devices, give, consents, meter_owner, processor, outsider,
    reverts_with, only_event, at, now, why,
):  # fmt: skip
    device, leaf = devices[1], published.owners.leaf(devices[1])
    give(devices[0])  # another one's does not help
    expires_at = now() + DAY
    if why != "never given":
        give(device)
        expires_at = consents.expiryOf(device.address, PURPOSE)
    if why == "withdrawn":
        consents.withdraw(device.address, PURPOSE, {"from": meter_owner.account})
    if why == "expired":
        at(expires_at - 1)
        with reverts_with("DataSetBook_ConsentStands", published.data_set_id, device.address):
            retire_for(published, leaf)
        at(expires_at)
    before = plain(data_sets.offerOf(published.data_set_id))
    tx = retire_for(published, leaf)
    assert plain(data_sets.offerOf(published.data_set_id)) == (*before[:4], now())
    assert plain(only_event(tx, "DataSetRetired")) == plain(
        {
            "dataSetId": published.data_set_id,
            "processor": processor.address,
            "device": device.address,
            "by": outsider.address,
        }
    )
    with reverts_with("DataSetBook_NotOnSale", published.data_set_id, now()):
        retire_for(published, leaf)


@pytest.mark.parametrize("who", ["device", "owner"])
def test_retire_for__given_revoked_device_or_owner__ends_it(
    published, retire_for, devices, give, meter_owner, revoke, sale_until, now, who
):
    give(devices[0])
    revoke(devices[0] if who == "device" else meter_owner)
    retire_for(published, published.owners.leaf(devices[0]))
    assert sale_until(published) == now()
