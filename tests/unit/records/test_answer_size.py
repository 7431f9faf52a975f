"""What an answer takes at most: never less than what it takes."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from offchain.errors import FormatError
from offchain.records import answer, batch, canonical_json, held_days, packed
from offchain.records import reading as record_codec
from offchain.records.answer_size import day_bytes, room_bytes
from offchain.records.held_days import HeldDay
from offchain.types import Reading, ReadingFlag

from .samples import MIDNIGHT, readings
from .test_documents import ANSWER

DAY_S = 86_400


def worst(rows: list[Reading], chance: Random) -> list[Reading]:
    """Change readings to the largest differences that ordinary ones have."""
    found, taken, given = [], 2**52, 2**51
    for i, one in enumerate(rows):
        taken += chance.randrange(2**20)
        given += chance.randrange(2**20)
        found.append(
            replace(
                one,
                import_wh=taken,
                export_wh=given,
                power_w=chance.choice([-1, 1]) * chance.randrange(2**20),
                temperature_dc=chance.choice([None, -2_732, 2**15 - 1, chance.randrange(500)]),
                flags=ReadingFlag(chance.randrange(16)),
                seq=i + 2**40,
            )
        )
    return found


@pytest.mark.parametrize(
    ("days", "a_day", "batch_rows"),
    [(1, 1, 1), (1, 96, 96), (5, 96, 96), (3, 96, 4), (30, 24, 24), (2, 300, 1), (9, 7, 3)],
)
def test_day_bytes__of_the_widest_readings__are_never_less_than_the_answer(
    days: int, a_day: int, batch_rows: int
) -> None:
    chance = Random(days * a_day)
    step_s = DAY_S // a_day
    rows = worst(readings(days * a_day, step_s=step_s), chance)
    rows = [replace(one, time_s=MIDNIGHT + i * step_s) for i, one in enumerate(rows)]
    starts = [i for d in range(days) for i in range(d * a_day, (d + 1) * a_day, batch_rows)]
    runs = [rows[i : min(i + batch_rows, (i // a_day + 1) * a_day)] for i in starts]
    edge = answer.AnchoredReading(
        record=record_codec.encode(rows[0]),
        batch=replace(batch.make(rows[:1]), from_seq=2**63, count=65_536),
        proof=(bytes(32),) * answer.MAX_PROOF,
    )
    one = answer.DeviceAnswer(
        packed=packed.of(rows),
        batches=tuple((run[0].seq, len(run)) for run in runs),
        nonce_keys={MIDNIGHT // DAY_S + d: bytes([255]) * 32 for d in range(days)},
        opening=edge,
        closing=edge,
    )
    result = {"v": 2, "lines": [{"amount": -(10**18)}] * 10}
    whole = replace(
        ANSWER, devices=(one,), result=result, signed_at=2**63, as_of_block=2**63, kind="advice"
    )
    taken = len(canonical_json.dumps(answer.to_json(whole)))
    batches_a_day = -(-a_day // batch_rows)
    room = room_bytes(1, len(canonical_json.dumps(result)))
    beside = answer.MAX_ANSWER_BYTES - room
    assert taken <= beside + days * day_bytes(a_day, batches_a_day)
    assert day_bytes(0, 0) == 0


def test_room_bytes__of_an_hourly_month__has_a_whole_month() -> None:
    assert 31 * day_bytes(24, 1) < room_bytes(1, 4_000)


def test_held_days__given_json__are_read_back_and_must_follow_each_other() -> None:
    days = [HeldDay(17_000, 1, 24, 1), HeldDay(17_002, 25, 96, 4)]
    assert held_days.from_json(held_days.to_json(days)) == days
    for bad in ([[17_000, 1, 0, 1]], [[17_000, 1, 2, 3]], [[2, 1, 5, 1], [1, 6, 5, 1]]):
        with pytest.raises(FormatError):
            held_days.from_json({"days": bad})
    with pytest.raises(FormatError, match="17002 does not follow"):
        held_days.from_json({"days": [[17_000, 1, 24, 1], [17_002, 26, 96, 4]]})
