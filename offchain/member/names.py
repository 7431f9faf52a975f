"""Whose name is shown beside an account: companies have one, households and devices none."""

from __future__ import annotations

from offchain.index.asked import members as asked
from offchain.index.chain_index import ChainIndex
from offchain.member.public_name import decoded, shown


class PublicNames:
    """The companies' present names, as the chain in tables has them at its newest block; the first
    question brings the tables up to the chain's head.

    A name informs and never decides: what is paid, sealed or checked names the account.
    """

    def __init__(self, index: ChainIndex) -> None:
        self._index, self._was_asked = index, False

    def of(self, account: str) -> str | None:
        """Return an account's name, None for a household, a device and a stranger."""
        if not self._was_asked:
            self._index.follower.catch_up()
            self._was_asked = True
        row = asked.member(self._index, account, self._index.newest())
        return shown(decoded(row["name"])) or None if row is not None else None

    def beside(self, account: str) -> str:
        """Return the account with its name before it, as in ``Grid North (0x…)``."""
        name = self.of(account)
        return account if name is None else f"{name} ({account})"
