"""The outbox: one transaction a reading, sealed once, marked after, and never two holders."""

import sqlite3
from dataclasses import replace

import pytest

from device_agent.errors import BadSetup, SafeMode
from device_agent.outbox import Origin, Outbox, Shown
from device_agent.report_table import DROPPED, REPORTED, ReportEntry
from offchain.crypto.curve import G1_GENERATOR
from offchain.errors import StoreConflict, StoreVersion
from offchain.records import batch as batch_codec
from offchain.records import reading as record_codec
from offchain.records.envelope import DayKeys, Envelope
from offchain.types import MeterSample, Reading, ReadingFlag, Status, Verdict, to_account

DEVICE = to_account("0x" + "d1" * 20)
FIRST_NODE, SECOND_NODE = to_account("0x" + "a1" * 20), to_account("0x" + "a2" * 20)
LEDGER = to_account("0x" + "1e" * 20)
MIDNIGHT = 17_000 * 86_400
ENTRY = ReportEntry(
    origin="reading:1",
    seq=1,
    time_s=MIDNIGHT,
    power_w=-5,
    temperature_dc=7,
    verdict=Verdict(Status.TOO_LOW, True),
    changed=True,
    policy="[]",
)


def record(seq: int) -> bytes:
    return record_codec.encode(
        Reading(
            chain_id=1,
            device=DEVICE,
            seq=seq,
            time_s=MIDNIGHT + 3_600 * (seq - 1),
            import_wh=seq,
            export_wh=2 * seq,
            power_w=1,
            temperature_dc=1,
            nonce=b"n" * 32,
        )
    )


def envelope(seq: int) -> Envelope:
    return Envelope(seq=seq, day=17_000 + (seq - 1) // 24, box=b"box", signature=b"s" * 65)


def fill(outbox: Outbox, count: int) -> None:
    for seq in range(outbox.next_seq, outbox.next_seq + count):
        outbox.add_reading(record(seq))


def seal(outbox: Outbox, count: int) -> None:
    outbox.add_envelopes([envelope(seq) for seq, _, _ in outbox.unsealed(count)])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "outbox.sqlite"


@pytest.fixture
def outbox(path):
    with Outbox(path) as opened:
        opened.turn_to(FIRST_NODE)
        yield opened


def test_open__given_new_file__is_durable_and_empty(outbox):
    assert outbox._one("PRAGMA synchronous")[0] == 2
    assert outbox._one("PRAGMA journal_mode")[0] == "wal"
    assert outbox.last is None and outbox.next_seq == outbox.next_batch_seq == 1
    assert outbox.is_drained() and outbox.put_aside is None


def test_open__given_another_holder__refuses(path, outbox):
    with pytest.raises(BadSetup, match="another process"):
        Outbox(path)


def test_open__given_damaged_file__puts_it_aside_and_keeps_it(path):
    path.write_bytes(b"no database at all" * 1_000)
    for number in (1, 2):
        with Outbox(path) as outbox:
            assert outbox.put_aside == path.with_name(f"outbox.sqlite.damaged-{number}")
            assert outbox.next_seq == 1
        path.write_bytes(b"no database at all" * 1_000)
    assert path.with_name("outbox.sqlite.damaged-1").read_bytes() == b"no database at all" * 1_000


def test_claim__given_other_device_or_chain__refuses(path):
    with Outbox(path) as outbox:
        outbox.claim(chain_id=1, device=DEVICE, data_ledger=LEDGER)
        outbox.claim(chain_id=1, device=DEVICE, data_ledger=LEDGER)
        for change in ({"chain_id": 2}, {"device": LEDGER}, {"data_ledger": DEVICE}):
            with pytest.raises(SafeMode):
                outbox.claim(**({"chain_id": 1, "device": DEVICE, "data_ledger": LEDGER} | change))


def test_open__given_other_layout__refuses(path):
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE readings (seq INTEGER)")
    with pytest.raises(StoreVersion, match="layout 0 and this program knows 3"):
        Outbox(path)


def test_atomic__given_failure_inside__stores_nothing(outbox):
    with pytest.raises(StoreConflict):
        with outbox.atomic():
            outbox.add_reading(record(1))
            outbox.add_reports([ENTRY])
            outbox.add_reading(record(1))
    assert outbox.open_reports() == [] and outbox.next_seq == 1
    with outbox.atomic():
        outbox.add_reading(record(1))
        outbox.add_reports([ENTRY])
    assert [one.origin for one in outbox.open_reports()] == ["reading:1"]
    assert outbox.last == record_codec.decode(record(1)) and outbox.next_seq == 2


def test_add_sample__given_samples__keeps_them_in_order_until_they_are_readings(path):
    taken = [
        MeterSample(
            time_s=MIDNIGHT + n,
            import_wh=n,
            export_wh=2 * n,
            power_w=-n,
            temperature_dc=n or None,
            flags=ReadingFlag(n),
        )
        for n in range(3)
    ]
    with Outbox(path) as outbox:
        for sample in taken:
            outbox.add_sample(sample)
    with Outbox(path) as outbox:
        assert outbox.samples() == taken and outbox.last_shown() == Shown(MIDNIGHT + 2, 2, 4)
        assert outbox.counts()["waiting"] == 3 and not outbox.is_drained()
        outbox.clear_samples()
        assert outbox.samples() == [] and outbox.last_shown() == Shown(0, 0, 0)


def test_set_origin__given_later_seq__begins_there(outbox):
    origin = Origin(first_seq=25, shown=Shown(MIDNIGHT, 7, 3))
    outbox.set_origin(origin)
    assert outbox.origin == origin
    assert outbox.next_seq == outbox.next_batch_seq == 25
    assert outbox.last_read() == outbox.last_shown() == Shown(MIDNIGHT, 7, 3)


def test_unsent_envelopes__given_marks__returns_the_same_bytes_until_confirmed(path):
    with Outbox(path) as outbox:
        outbox.turn_to(FIRST_NODE)
        fill(outbox, 5)
        assert outbox.unsent_envelopes(3) == []
        seal(outbox, 3)
        before = outbox.unsent_envelopes(3)
        assert [one.seq for one in before] == [1, 2, 3]
        assert [seq for seq, _, _ in outbox.unsealed(9)] == [4, 5]
        seal(outbox, 9)
    with Outbox(path) as outbox:
        assert outbox.unsent_envelopes(3) == before
        outbox.mark_readings_sent(before_seq=4)
        assert [one.seq for one in outbox.unsent_envelopes(9)] == [4, 5]
        outbox.mark_readings_sent(before_seq=2)  # the node lost some
        assert [one.seq for one in outbox.unsent_envelopes(9)] == [2, 3, 4, 5]
        assert outbox.unsealed(9) == []


def test_add_envelopes__given_second_sealing__keeps_the_first(outbox):
    fill(outbox, 1)
    seal(outbox, 1)
    outbox.add_envelopes([replace(envelope(1), box=b"second")])
    assert outbox.unsent_envelopes(9) == [envelope(1)]


def test_turn_to__given_another_processor__has_nothing_sealed_for_it(outbox):
    fill(outbox, 3)
    seal(outbox, 3)
    keys = DayKeys(device=DEVICE, day=17_000, sealed=b"first", signature=b"s" * 65)
    outbox.add_day(keys)
    outbox.mark_day_sent(17_000)
    outbox.mark_readings_sent(before_seq=4)
    outbox.add_reports([ENTRY])
    outbox.mark_report_kept(1)
    assert outbox.turn_to(SECOND_NODE) and not outbox.turn_to(SECOND_NODE)
    assert [seq for seq, _, _ in outbox.unsealed(9)] == [1, 2, 3]
    assert outbox.unsent_envelopes(9) == [] and not outbox.has_day(17_000)
    assert not outbox.open_reports()[0].kept and outbox.counts()["sent"] == 0
    assert outbox.turn_to(FIRST_NODE) and outbox.processor == FIRST_NODE
    assert outbox.unsealed(9) == [] and outbox.has_day(17_000)
    assert outbox.counts()["sent"] == 3


def anchored_days(outbox: Outbox, days: int) -> None:
    fill(outbox, 24 * days)
    seal(outbox, 24 * days)
    for run in batch_codec.cut(outbox.unbatched()):
        outbox.add_batch(batch_codec.make(run), G1_GENERATOR)


def test_forget__given_old_batches__deletes_what_all_know(outbox):
    anchored_days(outbox, 4)
    outbox.mark_anchored(before_seq=97)
    outbox.mark_readings_sent(before_seq=97)
    outbox.mark_batches_sent(before_seq=97)
    assert outbox.forget(keep_days=4) == 0
    assert outbox.forget(keep_days=2) == 1
    assert outbox.origin.first_seq == 25 and outbox.counts()["readings"] == 72
    assert outbox.next_seq == outbox.next_batch_seq == 97
    assert outbox.forget(keep_days=2) == 0 and outbox.is_drained()
    outbox.turn_to(SECOND_NODE)
    assert [seq for seq, _, _ in outbox.unsealed(1)] == [25]


@pytest.mark.parametrize(
    "missing", ["mark_anchored", "mark_readings_sent", "mark_batches_sent", "another"]
)
def test_forget__given_something_still_due__keeps_it(outbox, missing):
    anchored_days(outbox, 4)
    for mark in ("mark_anchored", "mark_readings_sent", "mark_batches_sent"):
        getattr(outbox, mark)(before_seq=1 if mark == missing else 97)
    if missing == "another":
        outbox.turn_to(SECOND_NODE)
    assert outbox.forget(keep_days=1) == 0
    assert outbox.counts()["readings"] == 96


def test_add_day__given_second_sealing__keeps_the_first(outbox):
    keys = DayKeys(device=DEVICE, day=17_000, sealed=b"first", signature=b"s" * 65)
    outbox.add_day(keys)
    outbox.add_day(replace(keys, sealed=b"second"))
    assert outbox.unsent_days(DEVICE) == [keys] and outbox.has_day(17_000)
    outbox.mark_day_sent(17_000)
    assert outbox.unsent_days(DEVICE) == []
    outbox.mark_days(held=set())
    assert outbox.unsent_days(DEVICE) == [keys]
    outbox.mark_days(held={17_000, 17_001})  # one was sealed by an outbox that is lost
    assert outbox.unsent_days(DEVICE) == [] and outbox.has_day(17_001)
    outbox.mark_days(held={17_000})
    assert outbox.unsent_days(DEVICE) == [] and not outbox.has_day(17_001)


def test_batches__given_states__returns_what_is_due(outbox):
    fill(outbox, 48)
    runs = batch_codec.cut(outbox.unbatched())
    for run in runs:
        outbox.add_batch(batch_codec.make(run), G1_GENERATOR)
    assert outbox.unbatched() == [] and outbox.next_batch_seq == 49
    assert [one.batch.from_seq for one in outbox.unanchored_batches(DEVICE)] == [1, 25]
    outbox.mark_anchored(before_seq=25)
    assert [one.batch.from_seq for one in outbox.unanchored_batches(DEVICE)] == [25]
    due = outbox.unsent_batches(DEVICE)
    assert [(one.batch, one.signature) for one in due] == [
        (batch_codec.make(runs[0]), G1_GENERATOR)
    ]
    assert [one.batch.from_seq for one in outbox.batches(DEVICE, last=1)] == [25]
    outbox.mark_batches_sent(before_seq=25)
    assert outbox.unsent_batches(DEVICE) == []
    outbox.mark_anchored(before_seq=1)  # a reorganisation
    assert len(outbox.unanchored_batches(DEVICE)) == 2


def test_reports__given_their_way__are_sealed_once_and_ended(outbox):
    entries = [ENTRY, replace(ENTRY, origin="trial:0", seq=None, changed=False)]
    outbox.add_reports([*entries, ENTRY])
    first, second = outbox.open_reports()
    assert replace(first, id=0) == ENTRY and second.injected and not first.injected
    outbox.seal_report(first.id, sealed=b"sealed", commitment=None)
    outbox.mark_report_kept(first.id)
    first = outbox.open_reports()[0]
    assert (first.sealed, first.kept, first.commitment) == (b"sealed", True, None)
    assert outbox.last_report().origin == "trial:0"
    outbox.end_reports([second.id], DROPPED)
    assert outbox.last_report().origin == "reading:1"
    outbox.end_reports([first.id], REPORTED)
    assert outbox.open_reports() == [] and outbox.last_report().origin == "reading:1"
    assert outbox.counts()["reports"] == 2 and outbox.counts()["reported"] == 1


def test_is_drained__given_each_thing_left__is_false(outbox):
    outbox.add_reading(record(1))
    assert not outbox.is_drained()
    outbox.add_reports([ENTRY])
    outbox.mark_readings_sent(before_seq=2)
    assert not outbox.is_drained()
    outbox.end_reports([1], REPORTED)
    assert outbox.is_drained()
    outbox.add_batch(batch_codec.make(outbox.unbatched()), G1_GENERATOR)
    assert not outbox.is_drained()
    outbox.mark_anchored(before_seq=2)
    assert not outbox.is_drained()
    outbox.mark_batches_sent(before_seq=2)
    assert outbox.is_drained()


def test_reopen__given_wal_cut_anywhere__keeps_whole_transactions(path, tmp_path):
    """A loss of power may tear the log's tail: what is left are the first n readings, whole."""
    with Outbox(path) as outbox:
        fill(outbox, 6)
        main, log = path.read_bytes(), path.with_name("outbox.sqlite-wal").read_bytes()
    seen = set()
    for length in range(0, len(log) + 1, 1_499):
        torn = tmp_path / f"torn-{length}.sqlite"
        torn.write_bytes(main)
        torn.with_name(f"{torn.name}-wal").write_bytes(log[:length])
        with Outbox(torn) as outbox:
            assert outbox.put_aside is None
            seqs = [one.seq for one in outbox.unbatched()]
            assert seqs == list(range(1, outbox.next_seq))
            seen.add(len(seqs))
    assert seen >= {0, 5}
