"""The node's store: durable, written once, safe between threads."""

import os
import stat
import threading
from dataclasses import replace

import pytest
from sqlalchemy import text

from offchain.crypto import bls, kdf, sharing
from offchain.crypto.curve import G1_GENERATOR
from offchain.crypto.messages import Role as Tag
from offchain.crypto.paillier import generate_private_key
from offchain.crypto.secret import SecretBytes
from offchain.errors import StoreDamaged
from offchain.node.held_days import held_days
from offchain.node.store import (
    GrantState,
    JobState,
    NodeStore,
    StoreConflict,
    StoredDayKeys,
    StoredReading,
)
from offchain.node.tables import notes
from offchain.records import batch as batch_codec
from offchain.records import reading as record_codec
from offchain.records.owners import OwnedRows
from offchain.types import Reading, to_account
from tests.databases import place as place

DEVICE = to_account("0x" + "d1" * 20)
DAY_S = 86_400
MIDNIGHT = 17_000 * DAY_S
LOCK, OTHER_LOCK = b"l" * 32, b"m" * 32
SIGNATURE = bls.sign(bls.BlsSecretKey(7), b"root", role=Tag.ROOT)


def make_readings(count, *, first_seq=1):
    return [
        Reading(
            chain_id=1,
            device=DEVICE,
            seq=seq,
            time_s=MIDNIGHT + 3_600 * (seq - 1),
            import_wh=seq,
            export_wh=0,
            power_w=-seq,
            temperature_dc=seq,
            nonce=kdf.reading_nonce(b"k" * 32, seq),
        )
        for seq in range(first_seq, first_seq + count)
    ]


def rows_of(readings):
    return [
        StoredReading(record=record_codec.encode(one), box_digest=b"b" * 32) for one in readings
    ]


@pytest.fixture
def store(place):
    with NodeStore(place) as opened:
        yield opened


def test_open__given_new_file__is_private_and_durable(tmp_path):
    path = tmp_path / "node.sqlite"
    with NodeStore(path) as store:
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        assert store._value(text("PRAGMA synchronous")) == 2
        assert store._value(text("PRAGMA journal_mode")) == "wal"


def test_open__given_damaged_file__refuses(tmp_path):
    path = tmp_path / "node.sqlite"
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 8_000)
    with pytest.raises(StoreDamaged, match="restore"):
        NodeStore(path)


def test_put_readings__given_48__finds_them_by_time_and_seq(store):
    readings = make_readings(48)
    store.put_readings(DEVICE, rows_of(readings))
    assert store.next_seq(DEVICE) == 49 and store.devices() == [DEVICE]
    assert store.readings(DEVICE, from_s=MIDNIGHT, to_s=MIDNIGHT + DAY_S) == readings[:24]
    assert store.readings_by_seq(DEVICE, from_seq=47, count=5) == readings[46:]
    assert store.last_reading_before(DEVICE, MIDNIGHT + DAY_S) == readings[23]
    assert store.last_reading_before(DEVICE, MIDNIGHT) is None
    assert store.box_digest(DEVICE, 48) == b"b" * 32 and store.box_digest(DEVICE, 49) is None


@pytest.mark.parametrize("first_seq", [1, 3])
def test_put_readings__given_other_than_the_next_seq__stores_none(store, first_seq):
    store.put_readings(DEVICE, rows_of(make_readings(1)))
    with pytest.raises(StoreConflict, match="reading 2"):
        store.put_readings(DEVICE, rows_of(make_readings(2, first_seq=first_seq)))
    assert store.next_seq(DEVICE) == 2


def test_put_readings__given_gap_within__stores_none(store):
    rows = rows_of(make_readings(3))
    with pytest.raises(StoreConflict):
        store.put_readings(DEVICE, [rows[0], rows[2]])
    assert store.next_seq(DEVICE) == 1


def test_reopen__given_everything_written__holds_it(place):
    with NodeStore(place) as store:
        store.put_readings(DEVICE, rows_of(make_readings(24)))
        store.put_request(LOCK, requester=DEVICE, type_id=1, nonce=b"n" * 32, expires_at=9)
    with NodeStore(place) as store:
        assert store.next_seq(DEVICE) == 25 and store.request(LOCK).state is JobState.NEW


def test_put_day_keys__given_other_keys__refuses_and_keeps_the_first(store):
    keys = StoredDayKeys(sealed_digest=b"a" * 32, seal_key=b"s" * 32, nonce_key=b"n" * 32)
    store.put_day_keys(DEVICE, 17_000, keys)
    store.put_day_keys(DEVICE, 17_000, keys)
    other = StoredDayKeys(sealed_digest=b"b" * 32, seal_key=b"t" * 32, nonce_key=b"o" * 32)
    with pytest.raises(StoreConflict):
        store.put_day_keys(DEVICE, 17_000, other)
    assert store.day_keys(DEVICE, 17_000) == keys and store.days(DEVICE) == [17_000]
    assert store.nonce_keys(DEVICE, [17_000, 17_001]) == {17_000: b"n" * 32}
    assert "s" * 8 not in repr(keys)


def test_put_batch__given_held_readings__finds_it_by_day_and_seq(store):
    readings = make_readings(48)
    store.put_readings(DEVICE, rows_of(readings))
    first, second = (batch_codec.make(run) for run in batch_codec.cut(readings))
    store.put_batch(first, SIGNATURE)
    store.put_batch(first, SIGNATURE)
    store.put_batch(second, SIGNATURE)
    assert store.next_batch_seq(DEVICE) == 49
    found = store.batches(DEVICE, from_s=MIDNIGHT + DAY_S, to_s=MIDNIGHT + 2 * DAY_S)
    assert [one.batch for one in found] == [second] and found[0].signature == SIGNATURE
    assert store.batches(DEVICE, from_s=MIDNIGHT + 1, to_s=MIDNIGHT + 2 * DAY_S - 1) == []
    assert store.batch_of(DEVICE, 24).batch == first and store.batch_of(DEVICE, 49) is None


@pytest.mark.parametrize(
    ("first", "last", "found"),
    [(0, 0, [0, 1]), (1, 1, [0, 1, 3]), (2, 2, [1, 3]), (3, 9, [1, 3]), (-5, -1, [0])],
)
def test_held_days__of_a_window__are_its_days_and_the_nearest_beside(store, first, last, found):
    rows = [one for one in make_readings(96) if (one.time_s - MIDNIGHT) // DAY_S != 2]
    rows = [replace(one, seq=seq) for seq, one in enumerate(rows, start=1)]
    store.put_readings(DEVICE, rows_of(rows))
    for run in batch_codec.cut(rows):
        store.put_batch(batch_codec.make(run), SIGNATURE)
    window = (MIDNIGHT + first * DAY_S, MIDNIGHT + (last + 1) * DAY_S)
    told = held_days(store, DEVICE, window)
    assert [one.day - MIDNIGHT // DAY_S for one in told] == found
    assert [one.from_seq for one in told] == [{0: 1, 1: 25, 3: 49}[day] for day in found]
    assert {one.readings for one in told} == {24}


def test_put_batch__given_missing_readings_or_another_batch__refuses(store):
    readings = make_readings(24)
    store.put_readings(DEVICE, rows_of(readings[:23]))
    with pytest.raises(StoreConflict, match="not all held"):
        store.put_batch(batch_codec.make(readings), SIGNATURE)
    store.put_batch(batch_codec.make(readings[:10]), SIGNATURE)
    with pytest.raises(StoreConflict, match="another"):
        store.put_batch(batch_codec.make(readings[:9]), SIGNATURE)


def test_prepare_answer__given_second_factor__keeps_the_first(store):
    store.put_request(LOCK, requester=DEVICE, type_id=1, nonce=b"n" * 32, expires_at=9)
    store.prepare_answer(LOCK, factor=SecretBytes(b"x" * 32), answer=b"sealed")
    store.prepare_answer(LOCK, factor=SecretBytes(b"x" * 32), answer=b"sealed")
    for factor, answer in ((b"y" * 32, b"sealed"), (b"x" * 32, b"other")):
        with pytest.raises(StoreConflict):
            store.prepare_answer(LOCK, factor=SecretBytes(factor), answer=answer)
    with pytest.raises(StoreConflict):
        store.prepare_answer(OTHER_LOCK, factor=SecretBytes(b"x" * 32), answer=b"sealed")
    job = store.request(LOCK)
    assert (job.state, job.factor.reveal(), job.answer) == (
        JobState.ACCEPTING,
        b"x" * 32,
        b"sealed",
    )
    assert "xxxx" not in repr(job)


def test_set_request_state__given_reason__keeps_it_through_later_states(store):
    store.put_request(LOCK, requester=DEVICE, type_id=1, nonce=b"n" * 32, expires_at=9)
    store.put_request(LOCK, requester=DEVICE, type_id=2, nonce=b"o" * 32, expires_at=8)
    store.set_request_state(LOCK, JobState.REJECTED, reason="no such window")
    store.set_request_state(LOCK, JobState.FAILED)
    job = store.request(LOCK)
    assert (job.state, job.reason, job.type_id) == (JobState.FAILED, "no such window", 1)
    assert store.requests(JobState.FAILED) == store.requests() == [job]
    assert store.requests(JobState.NEW) == [] and store.request(OTHER_LOCK) is None
    with pytest.raises(StoreConflict):
        store.set_request_state(OTHER_LOCK, JobState.FAILED)


def test_put_data_set__given_keys__gives_them_back_once(store):
    data_key, paillier = sharing.DataKey.generate(), generate_private_key(2048)
    row = {
        "data_set_id": b"i" * 32,
        "paillier": paillier,
        "from_s": 0,
        "to_s": DAY_S,
        "rows": 3,
        "readings_root": b"r" * 32,
        "manifest": b"sealed",
        "owned": (OwnedRows(DEVICE, 3),),
        "sale_until": 2**40 - 1,
        "price_wei": 2**200,
    }
    store.put_data_set(data_key=data_key, **row)
    held = store.data_set(b"i" * 32)
    assert held.data_key == data_key and held.paillier == paillier and held.price_wei == 2**200
    assert held.owned == row["owned"] and held.devices == [DEVICE]
    assert held.sale_until == 2**40 - 1
    assert not held.published
    store.set_published(b"i" * 32)
    assert [one.published for one in store.data_sets()] == [True]
    with pytest.raises(StoreConflict):
        store.put_data_set(data_key=sharing.DataKey.generate(), **row)
    with pytest.raises(StoreConflict):
        store.set_published(b"j" * 32)
    assert store.data_set(b"j" * 32) is None


def test_put_response__given_another_offer__refuses(store):
    store.put_response(LOCK, data_set_id=b"i" * 32, price_wei=5)
    store.put_response(LOCK, data_set_id=b"i" * 32, price_wei=5)
    with pytest.raises(StoreConflict):
        store.put_response(LOCK, data_set_id=b"i" * 32, price_wei=6)
    assert store.response(LOCK).price_wei == 5 and store.response(OTHER_LOCK) is None


def test_prepare_transcript__given_second_dealing__keeps_the_first(store):
    keys = [sharing.multiply(G1_GENERATOR, factor) for factor in (2, 3, 5)]
    first, second = (
        sharing.deal(sharing.DataKey(9), threshold=2, delivery_keys=keys) for _ in range(2)
    )
    store.put_grant(LOCK, data_set_id=b"i" * 32, expires_at=9)
    assert store.grant(LOCK).transcript is None
    store.prepare_transcript(LOCK, first)
    store.prepare_transcript(LOCK, first)
    with pytest.raises(StoreConflict):
        store.prepare_transcript(LOCK, second)
    with pytest.raises(StoreConflict):
        store.prepare_transcript(OTHER_LOCK, first)
    store.set_grant_state(LOCK, GrantState.DELIVERED, reason="mined")
    job = store.grant(LOCK)
    assert (job.transcript, job.state, job.reason) == (first, GrantState.DELIVERED, "mined")
    assert store.grants(GrantState.DELIVERED) == [job] and store.grants(GrantState.NEW) == []
    assert store.grant(OTHER_LOCK) is None


def test_remember__given_new_value__replaces(store):
    assert store.recall("name") is None
    store.remember("name", b"1")
    store.remember("name", b"2")
    assert store.recall("name") == b"2"


def test_put_readings__given_threads__takes_each_seq_once(store):
    rows = rows_of(make_readings(20))
    conflicts = []

    def put_all():
        for row in rows:
            try:
                store.put_readings(DEVICE, [row])
            except StoreConflict:
                conflicts.append(row)

    threads = [threading.Thread(target=put_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    held = store.readings_by_seq(DEVICE, from_seq=1, count=99)
    assert [one.seq for one in held] == list(range(1, len(held) + 1)) and len(held) == 20
    assert len(conflicts) == 60


def test_write__given_error_inside__undoes_all(store):
    with pytest.raises(StoreConflict), store._database.write() as database:
        database.execute(notes.insert().values(name="a", value=b"0"))
        database.execute(notes.insert().values(name="a", value=b"0"))
    assert store.recall("a") is None


def test_unended_responses__given_one_ended__returns_the_others(store):
    other = b"o" * 32
    for one in (LOCK, other):
        store.put_response(one, data_set_id=b"i" * 32, price_wei=5)

    store.end_broadcast(LOCK)
    store.end_broadcast(LOCK)

    assert store.unended_responses() == [other]
