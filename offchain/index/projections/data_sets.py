"""DataSetBook: published data sets, until when each is for sale, and what their owners earned."""

from typing import Any

from sqlalchemy import Boolean, Column, Index

from offchain.index.changes import Changes
from offchain.index.decoding import Told
from offchain.index.projection import Projection
from offchain.index.projections.purse import owe
from offchain.index.tables import account, happened, number, uint, versioned, word

# published_until: what the proof of possession signs; sale_until: what holds, sooner if retired.
# retired_for: whose consent did not stand; nobody when its processor retired it, or nobody did.
data_sets = versioned(
    "data_sets",
    word("data_set_id", key=True),
    account("processor"),
    word("region_id"),
    word("id_commitment"),
    number("window_from"),
    number("window_to"),
    number("published_until"),
    number("kind"),
    number("row_count"),
    number("device_count"),
    number("manifest_length"),
    word("readings_root"),
    word("manifest_digest"),
    word("owners_root"),
    word("owners_digest"),
    word("key_commitment"),
    word("key_possession"),
    number("sale_until"),
    Column("is_retired", Boolean, nullable=False),
    account("retired_for"),
    account("retired_by"),
    uint("per_row_wei"),
    uint("pot_wei"),
    number("began_block"),
    number("began_log"),
)
Index("data_sets_processor", data_sets.c.processor, data_sets.c.to_block)
Index("data_sets_on_sale", data_sets.c.to_block, data_sets.c.sale_until)

# per_row_wei: what a row had earned by then; the device's next draw gives what came since.
draws = happened(
    "draws",
    word("data_set_id"),
    account("device"),
    account("owner"),
    uint("per_row_wei"),
    uint("amount_wei"),
)
Index("draws_data_set", draws.c.data_set_id, draws.c.device)
Index("draws_owner", draws.c.owner)

BOOK = Projection("DataSetBook")
_NOBODY = "0x" + "00" * 20
_DATA_SET = (data_sets, "dataSetId")
_G2 = ("xIm", "xRe", "yIm", "yRe")


@BOOK.on("DataSetPublished", _DATA_SET)
def _published(told: Told, changes: Changes) -> None:
    changes.put(
        data_sets,
        (told["dataSetId"],),
        told,
        processor=told["processor"],
        region_id=told["regionId"],
        id_commitment=told["idCommitment"],
        window_from=told["publication.windowFrom"],
        window_to=told["publication.windowTo"],
        published_until=told["publication.saleUntil"],
        kind=told["publication.kind"],
        row_count=told["publication.rowCount"],
        device_count=told["publication.deviceCount"],
        manifest_length=told["publication.manifestLength"],
        readings_root=told["publication.readingsRoot"],
        manifest_digest=told["publication.manifestDigest"],
        owners_root=told["publication.ownersRoot"],
        owners_digest=told["publication.ownersDigest"],
        key_commitment=_point(told, "publication.keyCommitment", _G2),
        key_possession=_point(told, "keyPossession", ("x", "y")),
        sale_until=told["publication.saleUntil"],
        is_retired=False,
        retired_for=_NOBODY,
        retired_by=_NOBODY,
        per_row_wei=0,
        pot_wei=0,
        began_block=told.block,
        began_log=told.log_index,
    )


@BOOK.on("DataSetRetired", _DATA_SET, timed=True)
def _retired(told: Told, changes: Changes) -> None:
    changes.change(
        data_sets,
        (told["dataSetId"],),
        told,
        sale_until=told.time_s,
        is_retired=True,
        retired_for=told["device"],
        retired_by=told["by"],
    )


@BOOK.on("Drawn", _DATA_SET)
def _drawn(told: Told, changes: Changes) -> None:
    amount_wei, owner = told["amountWei"], told["owner"]
    key = (told["dataSetId"],)
    left_wei = (changes.row(data_sets, *key) or {"pot_wei": amount_wei})["pot_wei"] - amount_wei
    before = changes.change(data_sets, key, told, pot_wei=left_wei)
    changes.add(
        draws,
        told,
        data_set_id=told["dataSetId"],
        device=told["device"],
        owner=owner,
        per_row_wei=before["per_row_wei"],
        amount_wei=amount_wei,
    )
    owe(told, changes, told["dataSetId"], (owner, amount_wei))


def record_sale(told: Told, changes: Changes, data_set_id: bytes, owners_wei: int) -> None:
    """Note what a settled lock brought a data set's owners: whole wei a row, as the contract says
    it. Raises IndexIncomplete.
    """
    if owners_wei == 0:
        return
    before = changes.row(data_sets, data_set_id) or {"per_row_wei": 0, "pot_wei": 0, "row_count": 1}
    changes.change(
        data_sets,
        (data_set_id,),
        told,
        per_row_wei=before["per_row_wei"] + owners_wei // before["row_count"],
        pot_wei=before["pot_wei"] + owners_wei,
    )


def _point(told: Told, name: str, fields: tuple[str, ...]) -> bytes:
    words: list[Any] = [told[f"{name}.{field}"] for field in fields]
    return b"".join(word.to_bytes(32, "big") for word in words)
