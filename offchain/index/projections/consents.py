"""ConsentBook: which owner lets a device's readings in, for which purpose."""

from sqlalchemy import Index

from offchain.index.changes import Changes
from offchain.index.decoding import Told
from offchain.index.projection import Projection
from offchain.index.tables import account, number, uint, versioned, word

# A consent that was withdrawn stays, with expires_at 0: when that was is asked for, too.
consents = versioned(
    "consents",
    account("device", key=True),
    word("purpose", key=True),
    account("owner"),
    uint("expires_at"),
    number("said_block"),
)
Index("consents_purpose", consents.c.purpose, consents.c.to_block)

CONSENTS = Projection("ConsentBook")


@CONSENTS.on("ConsentGiven", (consents, "device"))
def _given(told: Told, changes: Changes) -> None:
    _say(told, changes, told["expiresAt"])


@CONSENTS.on("ConsentWithdrawn", (consents, "device"))
def _withdrawn(told: Told, changes: Changes) -> None:
    _say(told, changes, 0)


def _say(told: Told, changes: Changes, expires_at: int) -> None:
    changes.put(
        consents,
        (told["device"], told["purpose"]),
        told,
        owner=told["owner"],
        expires_at=expires_at,
        said_block=told.block,
    )
