"""The transaction journal: durable, ordered, apart by chain and account."""

import sqlite3
import stat

import pytest

from offchain.chain.outbox import SignedTransaction, TransactionOutbox, TransactionState

METER, NODE = "0x" + "11" * 20, "0x" + "22" * 20


@pytest.fixture
def path(tmp_path):
    return tmp_path / "folder" / "outbox.sqlite"


@pytest.fixture
def outbox(path):
    journal = TransactionOutbox(path)
    yield journal
    journal.close()


def _signed(nonce, intent=None):
    return SignedTransaction(intent, nonce, bytes([nonce]), f"0x{nonce:064x}")


def test_record__reopened_without_closing__is_still_there(outbox, path):
    outbox.record(1, METER, [_signed(3, "c"), _signed(1, "a")])
    assert TransactionOutbox(path).unsettled(1, METER) == [_signed(1, "a"), _signed(3, "c")]


def test_record__journal_settings__survive_a_power_failure(outbox):
    query = outbox._database.execute
    assert query("PRAGMA journal_mode").fetchone() == ("wal",)
    assert query("PRAGMA synchronous").fetchone() == (2,)  # FULL


def test_unsettled__other_chain_or_account__is_apart(outbox):
    outbox.record(1, METER, [_signed(1)])
    assert outbox.unsettled(2, METER) == outbox.unsettled(1, NODE) == []


def test_mark__settled__leaves_the_unsettled(outbox):
    outbox.record(1, METER, [_signed(1, "a"), _signed(2, "a")])
    outbox.mark(_signed(1).tx_hash, TransactionState.MINED)
    assert [item.nonce for item in outbox.unsettled(1, METER)] == [2]
    newest, oldest = outbox.of_intent(1, METER, "a")
    assert (newest.nonce, oldest.state) == (2, TransactionState.MINED)


def test_record__same_bytes_again__is_one_row_and_open_again(outbox):
    outbox.record(1, METER, [_signed(1, "a")])
    outbox.mark(_signed(1).tx_hash, TransactionState.REFUSED)
    outbox.record(1, METER, [_signed(1, "a")])
    assert outbox.of_intent(1, METER, "a") == [_signed(1, "a")]


def test_record__one_of_several_fails__stores_none(outbox):
    broken = SignedTransaction(None, None, b"", "0x")  # NOT NULL refuses it
    with pytest.raises(sqlite3.IntegrityError):
        outbox.record(1, METER, [_signed(1), broken])
    assert outbox.unsettled(1, METER) == []


def test_outbox__when_made__is_for_its_owner_alone(outbox, path):
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
