"""Slots, and the documents of an aggregate set: round trips, and every bend refused."""

import dataclasses
import json
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.errors import FormatError
from offchain.records import aggregate_key, aggregate_opening, aggregate_set, slots
from offchain.records.aggregate_key import AggregateKey, AggregateMember
from offchain.records.aggregate_opening import MemberOpening
from offchain.records.aggregate_set import AggregateSet, Announcement, HomeRow
from offchain.types import SECONDS_PER_DAY, Reading, ReadingFlag, to_account
from tests.unit.crypto.threshold_keys import dealt

DAY_S, HOUR_S = SECONDS_PER_DAY, 3_600
START = 20_000 * DAY_S
ACCOUNTS = [to_account(bytes([number]) * 20) for number in range(1, 8)]
PUBLIC, _ = dealt(512, 3, 5)
KEY = AggregateKey(
    chain_id=31_337,
    data_ledger=ACCOUNTS[5],
    processor=ACCOUNTS[6],
    n=PUBLIC.n,
    threshold=3,
    opening=PUBLIC.opening,
    min_homes=3,
    slot_s=HOUR_S,
    members=tuple(
        AggregateMember(account=account, verification=value, sealed_share=b"sealed")
        for account, value in zip(ACCOUNTS[:5], PUBLIC.verification, strict=True)
    ),
)
SET = AggregateSet(
    key_digest=bytes([1]) * 32,
    from_s=START,
    to_s=START + DAY_S,
    block=7,
    homes=3,
    rows_digest=bytes([2]) * 32,
    rows_length=99,
    rows_sha256=bytes([3]) * 32,
)
ANNOUNCEMENT = Announcement(
    chain_id=31_337,
    data_ledger=ACCOUNTS[5],
    processor=ACCOUNTS[6],
    set_digest=bytes([4]) * 32,
    signature=bytes([5]) * 65,
)
OPENING = MemberOpening(
    set_digest=bytes([4]) * 32, member=ACCOUNTS[0], partials=(b"one", b"two"), signature=bytes(65)
)
ROWS = [
    HomeRow(owner=ACCOUNTS[0], devices=(ACCOUNTS[3],), ciphertexts=(b"a" * 128, b"b" * 128)),
    HomeRow(owner=ACCOUNTS[1], devices=ACCOUNTS[4:6], ciphertexts=(b"c" * 128, b"d" * 128)),
]
ROWS = [dataclasses.replace(row, devices=tuple(row.devices)) for row in ROWS]
DOCUMENTS: list[tuple[object, Callable[..., bytes], Callable[..., object]]] = [
    (KEY, aggregate_key.encode_aggregate_key, aggregate_key.decode_aggregate_key),
    (SET, aggregate_set.encode_aggregate_set, aggregate_set.decode_aggregate_set),
    (ANNOUNCEMENT, aggregate_set.encode_announcement, aggregate_set.decode_announcement),
    (OPENING, aggregate_opening.encode_member_opening, aggregate_opening.decode_member_opening),
]


def readings(times_s: list[int], energies_wh: list[int] | None = None) -> list[Reading]:
    steps = energies_wh or [100 * (n + 1) for n in range(len(times_s))]
    return [
        Reading(
            chain_id=1,
            device=ACCOUNTS[0],
            seq=number,
            time_s=time_s,
            import_wh=energy,
            export_wh=3 * energy,
            power_w=0,
            temperature_dc=0,
            nonce=bytes(32),
        )
        for number, (time_s, energy) in enumerate(zip(times_s, steps, strict=True), start=1)
    ]


def in_slots(rows: list[Reading], slot_s: int = 6 * HOUR_S) -> list[int | None]:
    """What is drawn a slot; three times as much is fed in."""
    found = slots.slot_energies(rows, from_s=START, to_s=START + DAY_S, slot_s=slot_s)
    assert all(one is None or one.export_wh == 3 * one.import_wh for one in found)
    return [None if one is None else one.import_wh for one in found]


# ---- slots


def test_slot_energies__given_aligned_readings__belong_to_the_slot_of_their_start() -> None:
    rows = readings([START + n * 6 * HOUR_S for n in range(5)], [0, 1, 3, 7, 15])
    assert in_slots(rows) == [1, 2, 4, 8]


def test_slot_energies__given_irregular_readings__are_never_cut() -> None:
    times = [START - 60, START + 7 * HOUR_S, START + 7 * HOUR_S + 1, START + DAY_S + 5]
    assert in_slots(readings(times, [0, 10, 30, 70])) == [0, 60, 0, 0]


@pytest.mark.parametrize(("shift_s", "shown"), [(-1, True), (0, True), (1, False)])
def test_slot_energies__at_the_first_slots_start__are_shown_from_there(
    shift_s: int, shown: bool
) -> None:
    found = in_slots(readings([START + shift_s, START + 2 * DAY_S]))
    assert (found[0] is not None) is shown
    assert None not in found[1:]


@pytest.mark.parametrize(("shift_s", "shown"), [(-1, False), (0, True), (1, True)])
def test_slot_energies__at_the_last_slots_end__are_shown_from_there(
    shift_s: int, shown: bool
) -> None:
    found = in_slots(readings([START - 9, START + DAY_S + shift_s]))
    assert (found[-1] is not None) is shown


@given(st.lists(st.integers(-DAY_S, 2 * DAY_S), unique=True, min_size=2, max_size=40), st.data())
def test_slot_energies__of_any_readings__lose_and_invent_nothing(
    offsets: list[int], data: st.DataObject
) -> None:
    steps = data.draw(st.lists(st.integers(0, 9), min_size=len(offsets), max_size=len(offsets)))
    register = [sum(steps[: n + 1]) for n in range(len(steps))]
    rows = readings([START + one for one in sorted(offsets)], register)
    coarse = in_slots(rows, DAY_S)[0]
    fine = in_slots(rows, HOUR_S)
    started = [
        b.import_wh - a.import_wh for a, b in pairwise(rows) if START <= a.time_s < START + DAY_S
    ]
    if coarse is not None:
        assert coarse == sum(started)
        assert None not in fine
        assert sum(one for one in fine if one is not None) == coarse


def test_slot_energies__of_nothing__are_not_shown() -> None:
    assert in_slots([]) == [None] * 4


def test_slot_energies__given_a_restarted_register__do_not_show_the_slot_before_it() -> None:
    rows = readings([START + n * 6 * HOUR_S for n in range(5)], [0, 1, 3, 7, 15])
    rows[2] = dataclasses.replace(rows[2], flags=ReadingFlag.REGISTER_RESTARTED)
    rows[4] = dataclasses.replace(rows[4], flags=ReadingFlag.ESTIMATED)
    assert in_slots(rows) == [1, None, 4, 8]


def test_slot_energies__given_a_gap_or_a_falling_register__are_refused() -> None:
    rows = readings([START, START + 1, START + 2])
    less_fed_in = [rows[0], dataclasses.replace(rows[1], export_wh=rows[0].export_wh - 1)]
    falling = readings([START, START + 1], [5, 4])
    for wrong in ([rows[0], rows[2]], falling, less_fed_in, [rows[1], rows[0]]):
        with pytest.raises(FormatError):
            in_slots(wrong)


@pytest.mark.parametrize(
    ("from_s", "to_s", "slot_s"),
    [
        *((START, START, 3600), (START + 1, START + DAY_S, 3600), (START, START + DAY_S, 7000)),
        *((START, START + DAY_S, 0), (START, START + 367 * DAY_S, 3600)),
    ],
)
def test_slot_count__given_no_grid__is_refused(from_s: int, to_s: int, slot_s: int) -> None:
    with pytest.raises(FormatError):
        slots.slot_count(from_s=from_s, to_s=to_s, slot_s=slot_s)


# ---- documents


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: type(one[0]).__name__)
def test_decode__of_what_was_encoded__is_the_same(document: tuple) -> None:  # type: ignore[type-arg]
    value, encode, decode = document
    assert decode(encode(value)) == value


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: type(one[0]).__name__)
def test_decode__given_other_bytes__is_refused(document: tuple) -> None:  # type: ignore[type-arg]
    value, encode, decode = document
    data = encode(value)
    obj = json.loads(data)
    bent = [data[:-1], b" " + data, b"[]", b""]
    for name in obj:
        bent.append(canonical({key: one for key, one in obj.items() if key != name}))
        bent.append(canonical(obj | {name: None}))
        bent.append(canonical(obj | {name: -1}))
    bent += [canonical(obj | {"more": 1}), canonical(obj | {"v": 2})]
    for wrong in bent:
        with pytest.raises(FormatError):
            decode(wrong)


def canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    "changes",
    [
        *({"threshold": 2}, {"threshold": 6}, {"min_homes": 2}, {"slot_s": 7_000}),
        {"members": KEY.members[::-1]},
        {"members": (KEY.members[0],) * 5},
        {"members": KEY.members[:1], "threshold": 1},
    ],
    ids=[
        "threshold of half the group",
        "threshold above the group",
        "two homes",
        "slots that do not tile a day",
        "members out of order",
        "one member five times",
        "a group of one",
    ],
)
def test_encode_aggregate_key__given_rules_that_protect_nobody__is_refused(
    changes: dict[str, object],
) -> None:
    with pytest.raises(FormatError):
        aggregate_key.encode_aggregate_key(dataclasses.replace(KEY, **changes))  # type: ignore[arg-type]


def test_public_key__of_a_description__is_the_dealt_one() -> None:
    assert KEY.public_key(allow_small=True).fingerprint() == PUBLIC.fingerprint()
    assert (KEY.index_of(ACCOUNTS[4]), KEY.index_of(ACCOUNTS[6])) == (5, None)


def test_encode_aggregate_set__given_fewer_than_three_homes__is_refused() -> None:
    with pytest.raises(FormatError):
        aggregate_set.encode_aggregate_set(dataclasses.replace(SET, homes=2))


def test_digests__of_announcement_and_opening__bind_every_field() -> None:
    changes = {
        "chain_id": 1,
        "data_ledger": ACCOUNTS[0],
        "processor": ACCOUNTS[0],
        "set_digest": bytes(32),
    }
    others = [dataclasses.replace(ANNOUNCEMENT, **{k: v}) for k, v in changes.items()]  # type: ignore[arg-type]
    assert len({ANNOUNCEMENT.digest(), *(one.digest() for one in others)}) == 5
    openings = [
        OPENING.digest(ANNOUNCEMENT),
        OPENING.digest(others[0]),
        dataclasses.replace(OPENING, member=ACCOUNTS[1]).digest(ANNOUNCEMENT),
        dataclasses.replace(OPENING, set_digest=bytes(32)).digest(ANNOUNCEMENT),
        dataclasses.replace(OPENING, partials=(b"one", b"twO")).digest(ANNOUNCEMENT),
    ]
    assert len(set(openings)) == 5


# ---- rows


def test_decode_rows__of_what_was_encoded__is_the_same() -> None:
    data = aggregate_set.encode_rows(ROWS, modulus_bytes=64)
    assert aggregate_set.decode_rows(data, modulus_bytes=64) == tuple(ROWS)


def test_decode_rows__cut_or_followed_by_bytes__is_refused() -> None:
    data = aggregate_set.encode_rows(ROWS, modulus_bytes=64)
    for wrong in (*(data[:cut] for cut in range(0, len(data), 31)), data + b"\0", b"X" + data[1:]):
        with pytest.raises(FormatError):
            aggregate_set.decode_rows(wrong, modulus_bytes=64)
    with pytest.raises(FormatError):
        aggregate_set.decode_rows(data, modulus_bytes=128)


@pytest.mark.parametrize(
    "rows",
    [
        [],
        ROWS[::-1],
        [ROWS[0], ROWS[0]],
        [ROWS[0], dataclasses.replace(ROWS[1], devices=ROWS[0].devices)],
        [dataclasses.replace(ROWS[0], devices=())],
        [ROWS[0], dataclasses.replace(ROWS[1], ciphertexts=(b"c" * 128,))],
        [dataclasses.replace(ROWS[0], ciphertexts=(b"c" * 127, b"d" * 128))],
    ],
    ids=range(7),
)
def test_encode_rows__given_homes_twice_or_malformed__is_refused(rows: list[HomeRow]) -> None:
    with pytest.raises(FormatError):
        aggregate_set.encode_rows(rows, modulus_bytes=64)
