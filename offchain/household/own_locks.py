"""What became of a household's requests, as the chain tells it."""

from __future__ import annotations

from offchain.index.asked import locks as asked_locks
from offchain.index.chain_index import ChainIndex
from offchain.member.locks import Lock, lock_of
from offchain.types import Account


def newest_locks(
    index: ChainIndex, payer: Account, *, confirmations: int
) -> list[tuple[Lock, bool]]:
    """Return a payer's requests as the newest block has them, oldest first, each with whether that
    lies `confirmations` deep. To inform: nothing may be released for it.
    """
    newest = index.follower.catch_up()
    deep = index.final(confirmations)
    final = {one["lock_id"]: lock_of(one) for one in asked_locks.of_payer(index, payer, deep)}
    found = [lock_of(one) for one in asked_locks.of_payer(index, payer, newest)]
    return [(one, final.get(one.lock_id) == one) for one in found if not one.group_size]
