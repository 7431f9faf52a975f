"""TariffBook: what energy costs, as it was said. What it says never changes."""

from sqlalchemy import Boolean, Column, Index

from offchain.index.changes import Changes
from offchain.index.decoding import Told
from offchain.index.projection import Projection
from offchain.index.tables import account, happened, number, word

# Names are kept as bytes: the contract takes any.
tariffs = happened(
    "tariffs",
    word("region_id"),
    word("product"),
    word("product_name"),
    word("digest"),
    account("by"),
    number("valid_from"),
    number("valid_to"),
    number("appended_at"),
    Column("is_correction", Boolean, nullable=False),
)
Index("tariffs_product", tariffs.c.region_id, tariffs.c.product)

price_series = happened(
    "price_series",
    word("region_id"),
    word("name"),
    word("series_name"),
    word("digest"),
    account("by"),
    number("starts_at"),
    number("ends_at"),
    number("resolution_s"),
    number("published_at"),
    Column("is_correction", Boolean, nullable=False),
)
Index("price_series_name", price_series.c.region_id, price_series.c.name)

TARIFFS = Projection("TariffBook")


@TARIFFS.on("TariffAppended")
def _appended(told: Told, changes: Changes) -> None:
    changes.add(
        tariffs,
        told,
        region_id=told["regionId"],
        product=told["product"],
        product_name=told["productName"],
        digest=told["digest"],
        by=told["by"],
        valid_from=told["validFrom"],
        valid_to=told["validTo"],
        appended_at=told["appendedAt"],
        is_correction=told["isCorrection"],
    )


@TARIFFS.on("SeriesPublished")
def _published(told: Told, changes: Changes) -> None:
    changes.add(
        price_series,
        told,
        region_id=told["regionId"],
        name=told["name"],
        series_name=told["seriesName"],
        digest=told["digest"],
        by=told["by"],
        starts_at=told["startsAt"],
        ends_at=told["endsAt"],
        resolution_s=told["resolutionSeconds"],
        published_at=told["publishedAt"],
        is_correction=told["isCorrection"],
    )
