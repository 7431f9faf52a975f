"""What the journals of requests and grants share: a row a lock, and what is stored once in it."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import Table, select

from offchain.database import Store
from offchain.errors import StoreConflict


class LockTables(Store):
    """Tables with one row a lock: where the node stands with it, and what it prepared for it."""

    def _prepare(
        self, table: Table, lock_id: bytes, prepared: dict[str, bytes], state: StrEnum, *, what: str
    ) -> None:
        """Store what was prepared for a lock, and its state, before anything of it leaves the node.

        The same again changes nothing. Raises StoreConflict, with `what`, for anything else and for
        an unknown lock: it is never overwritten.
        """
        of_lock = table.c.lock_id == lock_id
        columns = [table.c[name] for name in prepared]
        with self._database.write() as connection:
            held = connection.execute(select(*columns).where(of_lock)).first()
            if held is not None and held == tuple(prepared.values()):
                return
            if held is None or any(one is not None for one in held):
                raise StoreConflict(what)
            connection.execute(table.update().where(of_lock).values(**prepared, state=state))

    def _drop_new(self, table: Table, lock_id: bytes, prepared: str, new: StrEnum) -> None:
        """Forget a lock that nothing was done for; one with something prepared stays."""
        is_new = (table.c.state == new) & table.c[prepared].is_(None)
        self._run(table.delete().where(table.c.lock_id == lock_id, is_new))

    def _set_state(
        self, table: Table, lock_id: bytes, state: StrEnum, reason: str | None, *, missing: str
    ) -> None:
        """Note where a lock stands, and why. Raises StoreConflict, with `missing`, if unknown."""
        change = table.update().where(table.c.lock_id == lock_id).values(state=state)
        if reason is not None:
            change = change.values(reason=reason)
        self._change_one(change, missing=missing)
