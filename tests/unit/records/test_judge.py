"""Algorithm 1's twin."""

from dataclasses import replace

import pytest

from offchain.records.judge import judge
from offchain.types import Policy, Status, Verdict
from tests.policies import POLICY


@pytest.mark.parametrize(
    ("power_w", "status"),
    [
        (-1, Status.SHUT_DOWN),
        (0, Status.SHUT_DOWN),
        (1, Status.TOO_LOW),
        (100, Status.TOO_LOW),
        (101, Status.IN_OPERATION),
        (1_999, Status.IN_OPERATION),
        (2_000, Status.TOO_HIGH),
    ],
)
def test_judge__given_power_at_each_edge__follows_algorithm_1(power_w, status):
    assert judge(POLICY, power_w=power_w, temperature_dc=299) == Verdict(status, False)
    assert judge(POLICY, power_w=power_w, temperature_dc=300) == Verdict(status, True)
    feeding = replace(POLICY, feeds_in=True)
    assert judge(feeding, power_w=-power_w, temperature_dc=0).status == status


@pytest.mark.parametrize(
    ("power_w", "status"),
    [
        (-(2**31) + 1, Status.TOO_HIGH),
        (-2_500, Status.TOO_HIGH),
        (-2_499, Status.IN_OPERATION),
        (-1, Status.IN_OPERATION),
        (0, Status.SHUT_DOWN),
        (1, Status.TOO_LOW),
        (101, Status.IN_OPERATION),
        (2_000, Status.TOO_HIGH),
    ],
)
def test_judge__given_a_meter_of_both_ways__has_a_threshold_for_each(power_w, status):
    both_ways = replace(POLICY, high_feed_in_w=2_500)
    assert judge(both_ways, power_w=power_w, temperature_dc=0) == Verdict(status, False)


def test_judge__given_no_temperature__never_finds_it_too_high():
    any_heat = replace(POLICY, temperature_warning_dc=-(2**31))
    assert judge(any_heat, power_w=500, temperature_dc=-2_732).temperature_too_high
    assert not judge(any_heat, power_w=500, temperature_dc=None).temperature_too_high


def test_policy__given_contract_tuple__reads_and_writes_it():
    assert Policy.from_chain(POLICY.as_tuple()) == POLICY
