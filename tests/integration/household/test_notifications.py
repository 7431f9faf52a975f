"""Notifications of an owner's devices: status changes on chain with signed reports sealed to it."""

import secrets
from dataclasses import replace

import pytest

from offchain.crypto import kem
from offchain.crypto.secret import SecretBytes
from offchain.member.roles import Status
from offchain.records import contexts, report
from offchain.records.judge import judge
from offchain.records.report import StatusReport, status_words
from offchain.records.temperature import to_number
from offchain.types import Policy
from tests import policies
from tests.integration.town import House, Town

POLICY = replace(policies.POLICY, heartbeat_seconds=86_400)


def send(
    town: Town, house: House, power_w: int, temperature_dc: int | None, *, forged: bool = False
) -> None:
    """Report as the device does; `forged` signs the report with another key."""
    policy = Policy.from_chain(
        house.gateway.call("NotificationBoard", "policyOf", house.device.address)
    )
    verdict = judge(policy, power_w=power_w, temperature_dc=temperature_dc)
    unsigned = StatusReport(
        device=house.device.address,
        seq=None,
        time_s=house.gateway.now(),
        power_w=power_w,
        temperature_dc=temperature_dc,
        status=verdict.status,
        injected=True,
        text=report.sentence(
            verdict, power_w=power_w, temperature_dc=temperature_dc, injected=True
        ),
        nonce=secrets.token_bytes(32) if policy.is_sealed else None,
    )
    signer = house.keys if forged else house.device
    signed = report.sign(
        unsigned,
        chain_id=house.gateway.chain_id,
        data_ledger=town.deployment.address("DataLedger"),
        owner=house.keys.address,
        private_key=SecretBytes(bytes(signer.account.key)),
    )
    context = contexts.status(
        chain_id=house.gateway.chain_id,
        notification_board=town.deployment.address("NotificationBoard"),
        device=house.device.address,
        owner=house.keys.address,
    )
    plain = report.encode(signed)
    digest = town.store.put(
        kem.seal(house.keys.decryption_key.public_key, plain, context=context)
    ).digest
    gateway = house.gateway.with_account(house.device.account)
    if policy.is_sealed:
        commitment = report.sealed_commitment(plain)
        gateway.transact("NotificationBoard", "reportSealed", commitment, digest)
        return
    judged = (power_w, to_number(temperature_dc), True, digest)
    gateway.transact("NotificationBoard", "report", *judged)


@pytest.mark.real_chain
def test_notifications__given_changes__opens_and_verifies_each_report(fresh: Town) -> None:
    house = fresh.houses[1]
    house.household.policy.set(house.device.address, POLICY)

    for power_w, temperature_dc in ((500, 200), (2_500, 200), (2_600, 350), (50, 0), (0, 0)):
        send(fresh, house, power_w, temperature_dc)
    found = house.household.notifications.received()

    assert [one.status for one in found] == [
        Status.IN_OPERATION,
        Status.TOO_HIGH,
        Status.TOO_HIGH,
        Status.TOO_LOW,
        Status.SHUT_DOWN,
    ]
    assert [one.temperature_too_high for one in found] == [False, False, True, False, False]
    assert all(one.report_valid and one.injected for one in found)
    assert "too high" in found[1].report.text
    assert found[0].at <= found[-1].at


def test_notifications__of_a_meter_that_draws_and_feeds_in__tell_feed_in_from_a_shut_down(
    fresh: Town,
) -> None:
    house = fresh.houses[1]
    both_ways = replace(POLICY, high_feed_in_w=4_000, temperature_warning_dc=-400)
    house.household.policy.set(house.device.address, both_ways)
    assert house.household.policy.of(house.device.address) == both_ways

    for power_w in (-2_500, 0, -4_000):
        send(fresh, house, power_w, None)
    found = house.household.notifications.received()

    assert [status_words(one.status, one.power_w) for one in found] == [
        "in operation, feeding in",
        "shut down",
        "too high",
    ]
    assert all(one.report_valid and one.temperature_dc is None for one in found)
    assert not any(one.temperature_too_high for one in found)
    assert "feeding in at 2500 W" in found[0].report.text


def test_notifications__given_report_signed_by_another__says_so(fresh: Town) -> None:
    house = fresh.houses[1]
    house.household.policy.set(house.device.address, POLICY)

    send(fresh, house, 500, 200, forged=True)

    (found,) = house.household.notifications.received()
    assert found.status is Status.IN_OPERATION
    assert found.report is None and found.report_valid is False


@pytest.mark.parametrize("power_w", [0, 700])
def test_notifications__given_sealed_mode__reads_the_report_alone(
    fresh: Town, power_w: int
) -> None:
    house = fresh.houses[1]
    house.household.policy.set(house.device.address, replace(POLICY, is_sealed=True))

    send(fresh, house, power_w, 200)

    (found,) = house.household.notifications.received()
    assert found.report_valid and found.power_w == power_w
    assert found.status is (Status.SHUT_DOWN if power_w == 0 else Status.IN_OPERATION)
