"""Where batches end."""

import pytest

from device_agent import batching
from offchain.types import Reading, to_account

MIDNIGHT = 17_000 * 86_400


def readings(times_s: list[int]) -> list[Reading]:
    return [
        Reading(
            chain_id=1,
            device=to_account("0x" + "d1" * 20),
            seq=seq,
            time_s=time_s,
            import_wh=seq,
            export_wh=0,
            power_w=0,
            temperature_dc=0,
            nonce=bytes(32),
        )
        for seq, time_s in enumerate(times_s, start=1)
    ]


def cut(times_s: list[int], *, window_s: int = 86_400, max_count: int = 65_536) -> list[list[int]]:
    runs = batching.cut(readings(times_s), window_s=window_s, max_count=max_count)
    return [[one.time_s for one in run] for run in runs]


def test_cut__given_window_edges__begins_a_run_at_each(window_s=900):
    edge = MIDNIGHT + window_s
    assert cut([MIDNIGHT, edge - 1, edge, edge + 1], window_s=window_s) == [
        [MIDNIGHT, edge - 1],
        [edge, edge + 1],
    ]


def test_cut__given_window_that_does_not_divide_the_day__ends_at_midnight():
    last = MIDNIGHT + 86_400
    assert cut([last - 2, last - 1, last, last + 1], window_s=50_000) == [
        [last - 2, last - 1],
        [last, last + 1],
    ]


def test_cut__given_gaps__makes_no_empty_run():
    times = [MIDNIGHT, MIDNIGHT + 3_600, MIDNIGHT + 5 * 86_400]
    assert cut(times, window_s=900) == [[one] for one in times]


def test_cut__given_more_than_the_greatest_count__cuts_within_a_window():
    times = [MIDNIGHT + n for n in range(5)]
    assert cut(times, max_count=2) == [times[:2], times[2:4], times[4:]]


@pytest.mark.parametrize("window_s", [900, 3_600, 86_400])
def test_cut__given_any_window__keeps_every_reading_once_in_order(window_s):
    times = [MIDNIGHT + 617 * n for n in range(400)]
    runs = cut(times, window_s=window_s)
    assert [one for run in runs for one in run] == times
    for run in runs:
        assert len({one // 86_400 for one in run}) == 1
        assert run[-1] - run[0] < window_s
    assert cut([]) == []
