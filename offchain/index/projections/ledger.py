"""DataLedger: anchored batches. What it says never changes."""

from sqlalchemy import Index

from offchain.index.changes import Changes
from offchain.index.decoding import Told
from offchain.index.projection import Projection
from offchain.index.tables import account, happened, number, word

batches = happened(
    "batches", account("device"), number("from_seq"), number("next_seq"), word("root")
)
Index("batches_device", batches.c.device, batches.c.from_seq)

LEDGER = Projection("DataLedger")


@LEDGER.on("BatchAnchored")
def _anchored(told: Told, changes: Changes) -> None:
    changes.add(
        batches,
        told,
        device=told["device"],
        from_seq=told["fromSeq"],
        next_seq=told["fromSeq"] + told["count"],
        root=told["root"],
    )
