"""Energy at an instant, register events, and readings that make no sense."""

from __future__ import annotations

import pytest

from offchain.billing.household import Household
from offchain.billing.registers import Meter, RegisterReading
from offchain.errors import BillingError, RegisterError

R = RegisterReading


def test_at__between_two_readings__is_floored_and_pieces_add_up() -> None:
    meter = Meter([R(0, 1_000, 0), R(3_600, 1_010, 7)])
    assert meter.at("import", [0, 359, 360, 719, 720, 3_600]) == [
        1000,
        1000,
        1001,
        1001,
        1002,
        1010,
    ]
    pieces = [meter.wh("export", (t, t + 100)) for t in range(0, 3_600, 100)]
    assert sum(pieces) == meter.wh("export", (0, 3_600)) == 7


@pytest.mark.parametrize(
    ("event", "wh"),
    [(1, 0), (1_000, 300), (1_000_000, 999_300)],
    ids=["unknown", "modulus", "larger-modulus"],
)
def test_meter__register_falls_with_an_event__bills_what_is_known(event: int, wh: int) -> None:
    meter = Meter([R(0, 900, 0), R(60, 200, 0, event), R(120, 250, 0)])
    assert meter.wh("import", (0, 60)) == wh
    assert meter.wh("import", (60, 120)) == 50


def test_meter__modulus_and_no_fall__adds_nothing() -> None:
    meter = Meter([R(0, 900, 40), R(60, 100, 50, 1_000)])
    assert meter.wh("import", (0, 60)) == 200
    assert meter.wh("export", (0, 60)) == 10


def test_meter__restarted_with_a_higher_register__is_unknown_on_both() -> None:
    meter = Meter([R(0, 900, 5), R(60, 5_000, 6, 1), R(120, 5_001, 8)])
    assert meter.wh("import", (0, 120)) == 1
    assert meter.wh("export", (0, 120)) == 2
    assert meter.unknown == [(0, 60)]


def test_meter__two_events_in_a_row__takes_both_out() -> None:
    meter = Meter([R(0, 990, 0), R(60, 10, 0, 1_000), R(120, 3, 0, 1), R(180, 2, 0, 100)])
    assert meter.at("import", [0, 60, 120, 180]) == [990, 1010, 1010, 1109]


def test_meter__event_on_the_first_reading__says_nothing() -> None:
    meter = Meter([R(0, 5, 5, 1), R(60, 6, 6)])
    assert meter.unknown == []
    assert meter.wh("import", (0, 60)) == 1


@pytest.mark.parametrize(
    ("readings", "named"),
    [
        ([R(0, 5, 0), R(60, 4, 0)], ["import_wh", "5", "4", "60", "register_restarted"]),
        ([R(0, 5, 9), R(60, 5, 1)], ["export_wh", "9", "1", "60"]),
        ([R(0, 900, 0), R(60, 100, 0, 500)], ["import_wh", "900", "100"]),  # modulus too small
        ([R(0, 5, 0), R(0, 6, 0)], ["0 does not rise above 0"]),
        ([R(60, 5, 0), R(59, 6, 0)], ["59 does not rise above 60"]),
    ],
)
def test_meter__readings_that_make_no_sense__are_refused(
    readings: list[RegisterReading], named: list[str]
) -> None:
    with pytest.raises(RegisterError) as refused:
        Meter(readings)
    assert all(text in str(refused.value) for text in named)


@pytest.mark.parametrize(("length", "wh"), [(7_199, 0), (7_200, 0), (7_201, 10)])
def test_estimated_wh__interval_of_about_two_hours__counts_above_it(length: int, wh: int) -> None:
    meter = Meter([R(0, 0, 0), R(length, 10, 0)])
    assert meter.estimated_wh("import", (0, length), [0, length]) == wh


def test_estimated_wh__cuts__count_an_interval_once_and_on_their_register() -> None:
    meter = Meter([R(0, 0, 0), R(3_600, 10, 4), R(7_200, 30, 8)])
    assert meter.estimated_wh("import", (0, 7_200), [0, 900, 1_800, 3_600, 7_200]) == 10
    assert meter.estimated_wh("export", (0, 7_200), [0, 3_600, 7_200]) == 0
    assert meter.estimated_wh("import", (1_800, 7_200), [1_800, 7_200]) == 5  # Wh in the window


def test_household__several_meters__covers_what_all_cover() -> None:
    one = Meter([R(0, 0, 0), R(3_600, 36, 0)])
    two = Meter([R(600, 0, 0), R(4_200, 72, 0)])
    home = Household({"0xAb": one, "0xAa": two})
    assert home.covered((0, 5_000)) == (600, 3_600)
    assert home.wh("import", (600, 3_600)) == 30 + 60
    assert home.at("import", [600, 3_600]) == [6, 96]
    assert list(home.devices((600, 3_600))) == ["0xaa", "0xab"]


@pytest.mark.parametrize("readings", [[], [R(50, 1, 1)]])
def test_household__no_interval__covers_nothing(readings: list[RegisterReading]) -> None:
    assert Household.of_readings(readings).covered((10, 90)) == (10, 10)


def test_household__no_meter__is_refused() -> None:
    with pytest.raises(BillingError, match="at least one device"):
        Household({})
