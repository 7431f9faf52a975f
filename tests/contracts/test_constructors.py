"""Wiring is immutable: what is not there is refused at construction."""

import pytest
from brownie import project
from members import NOBODY

TAKES_A_PART = [
    "MemberRegistry",
    "RequestCatalogue",
    "ConsentBook",
    "DataLedger",
    "NotificationBoard",
]


@pytest.mark.parametrize("name", TAKES_A_PART)
def test_constructor__when_part_has_no_code__reverts(name, deployer, outsider, reverts_with):
    for part in (outsider.address, NOBODY):
        with reverts_with("Wiring_NoContract", part):
            project.get_loaded_projects()[0][name].deploy(part, {"from": deployer})


def test_constructor__when_credit_book_gets_zero_lock__reverts(deployer, reverts_with):
    with reverts_with("Wiring_ZeroAddress"):
        project.get_loaded_projects()[0]["CreditBook"].deploy(NOBODY, {"from": deployer})


def test_constructor__when_consortium_gets_no_owner__reverts(deployer, reverts_with):
    with reverts_with("OwnableInvalidOwner", NOBODY):
        project.get_loaded_projects()[0]["OwnerConsortium"].deploy(NOBODY, {"from": deployer})
