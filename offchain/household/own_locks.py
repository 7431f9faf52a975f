"""What became of a household's requests, as the chain tells it."""

from __future__ import annotations

from offchain.chain.gateway import ChainGateway
from offchain.member.locks import Lock, LockBook
from offchain.types import Account


def newest_locks(
    gateway: ChainGateway, payer: Account, *, confirmations: int | None = None
) -> list[tuple[Lock, bool]]:
    """Return a payer's locks as the newest block has them, oldest first, each with whether that is
    final (None: as deep as the gateway says). To inform: nothing may be released for it.
    """
    newest = LockBook(gateway, confirmations=0)
    final = LockBook(gateway, confirmations=confirmations)
    found = newest.locks("Requested", payer=payer)
    return [(one, final.lock(one.lock_id) == one) for one in found]
