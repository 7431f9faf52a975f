"""The index of one member: its database, and up to which block it tells."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from offchain.chain.reader import ChainReader
from offchain.database import Database, Place, Schema
from offchain.index import position, tables
from offchain.index.follower import Follower
from offchain.index.projections.all_rules import RULES

_REMEDY = "delete it, and what is read from the chain is read anew: nothing else is in it"
SCHEMA = Schema("index", tables.METADATA, Path(__file__).parent / "migrations", _REMEDY)


class ChainIndex:
    """The chain in tables, as far as it was followed. Threads may share it.

    `database` is what the modules of `offchain.index.asked` read; `follower` brings it up to date.
    Also a context manager.
    """

    def __init__(self, place: Place, gateway: ChainReader) -> None:
        """Open the index at a file or URL, made when missing; begun anew when it is of other
        contracts. Raises StoreError.
        """
        self._confirmations = gateway.confirmations
        self.database = Database(place, SCHEMA)
        try:
            self.follower = Follower(gateway, self.database, RULES)
        except BaseException:
            self.close()
            raise
        self._deployed = gateway.deployment.last_block

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def newest(self) -> int:
        """Return the last block that the tables have; the one before the contracts when none."""
        with self.database.read() as connection:
            known = position.newest(connection)
        return self.follower.first - 1 if known is None else known.number

    def final(self, confirmations: int | None = None) -> int:
        """Return the last block of the tables that is final; never one before the contracts.

        `confirmations` None is the gateway's own.
        """
        depth = self._confirmations if confirmations is None else confirmations
        newest = self.newest()
        return max(newest - depth, min(self._deployed, newest))

    def unreadable(self, block: int) -> list[str]:
        """Return why logs of the contracts up to a block do not decode, the first few; nothing new
        may begin then: who cannot read them may be blind to more.
        """
        with self.database.read() as connection:
            return position.unreadable(connection, block)

    def time_s(self, block: int) -> int | None:
        """Return a block's time, unix seconds; None of one too old to be remembered."""
        with self.database.read() as connection:
            return position.time_of(connection, block)
