"""The durable outbox: signed transactions, stored before they are sent (invariant 8).

A crash between signing and the receipt then repeats nothing: the same bytes are sent again, and an
account's nonce admits them once. A transaction whose fee was raised is several rows of one nonce
and one intent; at most one of them is ever mined. Rows stay open until what took their nonce is
final, so that what a reorganisation takes off the chain is sent again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from offchain.sqlite_file import SqliteFile

_SCHEMA = """
CREATE TABLE transactions (
    id       INTEGER PRIMARY KEY,
    chain_id INTEGER NOT NULL,
    account  TEXT NOT NULL,
    intent   TEXT,
    nonce    INTEGER NOT NULL,
    raw      BLOB NOT NULL,
    tx_hash  TEXT NOT NULL UNIQUE,
    state    TEXT NOT NULL,
    final    INTEGER NOT NULL DEFAULT 0,
    command  TEXT
);
"""
_INDEXES = """
CREATE INDEX by_intent ON transactions (chain_id, account, intent);
CREATE INDEX by_state ON transactions (chain_id, account, state);
CREATE INDEX by_nonce ON transactions (chain_id, account, nonce);
CREATE INDEX open_ones ON transactions (chain_id, account) WHERE final = 0;
CREATE INDEX untold ON transactions (chain_id, account) WHERE command IS NOT NULL;
"""


class TransactionState(StrEnum):
    """Where a signed transaction stands; all but SIGNED are settled."""

    SIGNED = "signed"  # perhaps sent, perhaps mined
    MINED = "mined"
    FAILED = "failed"  # mined and reverted: no effect but the fee
    REFUSED = "refused"  # no node took it
    REPLACED = "replaced"  # its nonce was used by another, perhaps by itself with a higher fee


@dataclass(frozen=True)
class SignedTransaction:
    """A transaction as it goes over the wire; `intent` names what it is for, once and for all."""

    intent: str | None
    nonce: int
    raw: bytes = field(repr=False)
    tx_hash: str
    state: TransactionState = TransactionState.SIGNED


class TransactionOutbox(SqliteFile):
    """A SQLite journal of the transactions of any accounts; threads may share it.

    `command` is the line that a person gave and that would do another thing when given again: its
    transactions stay `untold` until `tell`. A claim holds the secret factor from the moment it is
    signed: the file is for its owner alone.
    """

    _schema = _SCHEMA + _INDEXES
    _layout = 2

    def __init__(self, path: Path | str, *, command: str | None = None) -> None:
        """Open the journal, made when missing. Raises StoreError."""
        super().__init__(path)
        self.command = command

    def record(
        self, chain_id: int, account: str, transactions: Sequence[SignedTransaction]
    ) -> None:
        """Store signed transactions durably, all or none; to be called before they are sent."""
        rows = [
            (
                chain_id,
                account,
                item.intent,
                item.nonce,
                item.raw,
                item.tx_hash,
                item.state,
                self.command,
            )
            for item in transactions
        ]
        with self._write() as connection:
            connection.executemany(
                "INSERT INTO transactions (chain_id, account, intent, nonce, raw, tx_hash, state,"
                " command) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tx_hash)"
                # The same bytes again (a refused one whose nonce is still free): no second row.
                " DO UPDATE SET state = excluded.state, final = 0",
                rows,
            )

    def mark(self, tx_hash: str, state: TransactionState) -> None:
        """Note where a stored transaction stands."""
        with self._write() as connection:
            connection.execute(
                "UPDATE transactions SET state = ? WHERE tx_hash = ?", (state, tx_hash)
            )

    def settle(
        self,
        chain_id: int,
        account: str,
        ends: Sequence[tuple[int, str, TransactionState]],
        *,
        final: bool,
    ) -> None:
        """Note what became of nonces: (nonce, hash of what was mined, its state), all or none.

        All others of that nonce are replaced. `final`: no reorganisation can change it any more.
        """
        where = "chain_id = ? AND account = ? AND nonce = ?"
        others = f"UPDATE transactions SET state = ? WHERE {where} AND state <> ? AND tx_hash <> ?"
        replaced, refused = TransactionState.REPLACED, TransactionState.REFUSED
        rows = [(chain_id, account, nonce, tx_hash, state) for nonce, tx_hash, state in ends]
        with self._write() as connection:
            connection.executemany(others, [(replaced, *row[:3], refused, row[3]) for row in rows])
            connection.executemany(
                "UPDATE transactions SET state = ? WHERE tx_hash = ?",
                [(row[4], row[3]) for row in rows],
            )
            if final:
                connection.executemany(
                    f"UPDATE transactions SET final = 1 WHERE {where}", [row[:3] for row in rows]
                )

    def give_up(self, tx_hashes: Sequence[str]) -> None:
        """Note that a transaction which is not among these took their nonces for good.

        It may be one of this journal's own, of another intent: its row stays as it is.
        """
        replaced, refused = TransactionState.REPLACED, TransactionState.REFUSED
        with self._write() as connection:
            connection.executemany(
                "UPDATE transactions SET state = CASE state WHEN ? THEN state ELSE ? END, final = 1"
                " WHERE tx_hash = ?",
                [(refused, replaced, tx_hash) for tx_hash in tx_hashes],
            )

    def untold(self, chain_id: int, account: str) -> list[tuple[str, SignedTransaction]]:
        """Return what commands signed that never told their end, each with the command's line."""
        where = "chain_id = ? AND account = ? AND command IS NOT NULL ORDER BY nonce, id"
        query = (
            f"SELECT command, intent, nonce, raw, tx_hash, state FROM transactions WHERE {where}"
        )
        return [
            (command, SignedTransaction(intent, nonce, raw, tx_hash, TransactionState(state)))
            for command, intent, nonce, raw, tx_hash, state in self._all(query, chain_id, account)
        ]

    def tell(self, chain_id: int, account: str) -> None:
        """Note that a person was told of everything up to here."""
        with self._write() as connection:
            connection.execute(
                "UPDATE transactions SET command = NULL"
                " WHERE chain_id = ? AND account = ? AND command IS NOT NULL",
                (chain_id, account),
            )

    def of_intent(self, chain_id: int, account: str, intent: str) -> list[SignedTransaction]:
        """Return every transaction signed for `intent`, the newest first."""
        return self._select("intent = ? ORDER BY id DESC", chain_id, account, intent)

    def variants_of(self, tx_hash: str) -> list[SignedTransaction]:
        """Return a transaction and the variants of its nonce and intent, the oldest first."""
        return self._rows(
            "id IN (SELECT one.id FROM transactions AS one JOIN transactions AS other"
            " ON one.chain_id = other.chain_id AND one.account = other.account"
            " AND one.nonce = other.nonce AND one.intent IS other.intent"
            " WHERE other.tx_hash = ?) ORDER BY id",
            tx_hash,
        )

    def unsettled(self, chain_id: int, account: str) -> list[SignedTransaction]:
        """Return the account's transactions without a known end, by nonce."""
        return self._select(
            "state = ? ORDER BY nonce, id", chain_id, account, TransactionState.SIGNED
        )

    def not_final(self, chain_id: int, account: str) -> list[SignedTransaction]:
        """Return what may still be mined or taken off the chain, by nonce, oldest variant first."""
        return self._select(
            "final = 0 AND state <> ? ORDER BY nonce, id",
            chain_id,
            account,
            TransactionState.REFUSED,
        )

    def _select(self, where: str, *values: object) -> list[SignedTransaction]:
        return self._rows(f"chain_id = ? AND account = ? AND {where}", *values)

    def _rows(self, where: str, *values: object) -> list[SignedTransaction]:
        query = f"SELECT intent, nonce, raw, tx_hash, state FROM transactions WHERE {where}"
        return [
            SignedTransaction(intent, nonce, raw, tx_hash, TransactionState(state))
            for intent, nonce, raw, tx_hash, state in self._all(query, *values)
        ]
