"""The transaction journal: durable, ordered, apart by chain and account."""

import sqlite3
import stat

import pytest

from offchain.chain.outbox import SignedTransaction, TransactionOutbox, TransactionState
from offchain.errors import StoreConflict, StoreVersion

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
    assert outbox._one("PRAGMA journal_mode") == ("wal",)
    assert outbox._one("PRAGMA synchronous") == (2,)  # FULL


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


def test_untold__signed_for_a_command__stays_until_it_is_told(path):
    with TransactionOutbox(path, command="dmsm user request") as journal:
        journal.record(1, METER, [_signed(2), _signed(1)])
    with TransactionOutbox(path) as journal:  # a service's, which nobody waits for
        journal.record(1, METER, [_signed(3)])
        journal.mark(_signed(1).tx_hash, TransactionState.MINED)
        line, (first, second) = "dmsm user request", (_signed(1), _signed(2))
        mined = SignedTransaction(None, 1, first.raw, first.tx_hash, TransactionState.MINED)
        assert journal.untold(1, METER) == [(line, mined), (line, second)]
        assert journal.untold(2, METER) == journal.untold(1, NODE) == []
        journal.tell(1, METER)
        assert journal.untold(1, METER) == []


def test_record__one_of_several_fails__stores_none(outbox):
    broken = SignedTransaction(None, None, b"", "0x")  # NOT NULL refuses it
    with pytest.raises(StoreConflict):
        outbox.record(1, METER, [_signed(1), broken])
    assert outbox.unsettled(1, METER) == []


def test_outbox__when_made__is_for_its_owner_alone(outbox, path):
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def _variant(nonce, number, intent="a"):
    return SignedTransaction(intent, nonce, bytes([number]), f"0x{number:064x}")


def test_settle__one_variant_mined__replaces_the_others_until_final(outbox):
    cheap, dear = _variant(4, 1), _variant(4, 2)
    outbox.record(1, METER, [cheap, dear])
    outbox.settle(1, METER, [(4, cheap.tx_hash, TransactionState.MINED)], final=False)
    states = {item.tx_hash: item.state for item in outbox.not_final(1, METER)}
    assert states == {
        cheap.tx_hash: TransactionState.MINED,
        dear.tx_hash: TransactionState.REPLACED,
    }
    outbox.settle(1, METER, [(4, dear.tx_hash, TransactionState.MINED)], final=True)
    assert outbox.not_final(1, METER) == []
    dearest, cheapest = outbox.of_intent(1, METER, "a")
    assert (dearest.state, cheapest.state) == (TransactionState.MINED, TransactionState.REPLACED)


def test_give_up__a_strangers__replaces_all_but_the_refused(outbox):
    outbox.record(1, METER, [_variant(4, 1), _variant(4, 2), _variant(5, 3)])
    outbox.mark(_variant(4, 2).tx_hash, TransactionState.REFUSED)
    outbox.give_up([_variant(4, 1).tx_hash, _variant(4, 2).tx_hash])
    assert outbox.not_final(1, METER) == [_variant(5, 3)]
    states = [item.state for item in outbox.of_intent(1, METER, "a")]
    assert states == [
        TransactionState.SIGNED,
        TransactionState.REFUSED,
        TransactionState.REPLACED,
    ]


def test_variants_of__given_hash__are_those_of_nonce_and_intent(outbox):
    outbox.record(1, METER, [_variant(4, 1), _variant(4, 2), _variant(4, 3, "b"), _variant(5, 4)])
    outbox.record(1, NODE, [_variant(4, 5)])
    found = outbox.variants_of(_variant(4, 2).tx_hash)
    assert [item.tx_hash for item in found] == [_variant(4, 1).tx_hash, _variant(4, 2).tx_hash]


def test_outbox__another_programs_file__is_refused(path):
    path.parent.mkdir()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE transactions (id INTEGER, amount INTEGER)")
    with pytest.raises(StoreVersion, match="another file"):
        TransactionOutbox(path)


def test_outbox__journal_of_a_newer_version__is_refused_and_left_alone(outbox, path):
    outbox.record(1, METER, [_signed(1)])
    with sqlite3.connect(path) as newer:
        newer.execute("PRAGMA user_version=9")
    with pytest.raises(StoreVersion, match="layout 9 and this program knows 2"):
        TransactionOutbox(path)
    assert outbox.unsettled(1, METER) == [_signed(1)]
