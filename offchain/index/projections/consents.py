"""ConsentBook: what owners said about a device and a purpose, each word with its place."""

from sqlalchemy import Index

from offchain.index.changes import Changes
from offchain.index.decoding import Told
from offchain.index.projection import Projection
from offchain.index.tables import account, happened, uint, word

# The last word holds. expires_at is 0 of a withdrawal.
consents = happened(
    "consents", account("device"), word("purpose"), account("owner"), uint("expires_at")
)
Index("consents_device", consents.c.purpose, consents.c.device)

CONSENTS = Projection("ConsentBook")


@CONSENTS.on("ConsentGiven")
def _given(told: Told, changes: Changes) -> None:
    _say(told, changes, told["expiresAt"])


@CONSENTS.on("ConsentWithdrawn")
def _withdrawn(told: Told, changes: Changes) -> None:
    _say(told, changes, 0)


def _say(told: Told, changes: Changes, expires_at: int) -> None:
    changes.add(
        consents,
        told,
        device=told["device"],
        purpose=told["purpose"],
        owner=told["owner"],
        expires_at=expires_at,
    )
