"""DataLedger: anchored batches and published data sets. What it says never changes."""

from sqlalchemy import Index

from offchain.index.changes import Changes
from offchain.index.decoding import Told
from offchain.index.projection import Projection
from offchain.index.tables import account, happened, number, word

batches = happened(
    "batches", account("device"), number("from_seq"), number("next_seq"), word("root")
)
Index("batches_device", batches.c.device, batches.c.from_seq)

data_sets = happened(
    "data_sets",
    word("data_set_id"),
    account("processor"),
    word("region_id"),
    word("id_commitment"),
    number("window_from"),
    number("window_to"),
    number("kind"),
    number("row_count"),
    number("manifest_length"),
    word("readings_root"),
    word("manifest_digest"),
)
Index("data_sets_id", data_sets.c.data_set_id)
Index("data_sets_processor", data_sets.c.processor)

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


@LEDGER.on("DataSetPublished")
def _published(told: Told, changes: Changes) -> None:
    changes.add(
        data_sets,
        told,
        data_set_id=told["dataSetId"],
        processor=told["processor"],
        region_id=told["regionId"],
        id_commitment=told["idCommitment"],
        window_from=told["publication.windowFrom"],
        window_to=told["publication.windowTo"],
        kind=told["publication.kind"],
        row_count=told["publication.rowCount"],
        manifest_length=told["publication.manifestLength"],
        readings_root=told["publication.readingsRoot"],
        manifest_digest=told["publication.manifestDigest"],
    )
