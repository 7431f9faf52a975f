"""Say what energy costs, before it does: tariffs and price series into the content store and into
the chain's book (protocol §3).

The objects are in the store before the book names them. Saying the same thing twice in a row says
it once.
"""

from __future__ import annotations

from collections.abc import Sequence

from offchain.billing.components import Tariff
from offchain.billing.price_series import PriceSeries
from offchain.chain.facts import Receipt
from offchain.chain.gateway import ChainGateway
from offchain.index.asked import tariffs as asked
from offchain.index.chain_index import ChainIndex
from offchain.member.errors import TariffNotAhead, UnfitMember
from offchain.member.registration import region_name
from offchain.member.roles import MemberRole
from offchain.member.tariff_book import name_key
from offchain.member.tariff_documents import (
    SeriesOffer,
    TariffOffer,
    put_listed_series,
    require_name,
    require_own_name,
    series_offer,
    tariff_offer,
)
from offchain.storage import ContentStore


class TariffPublisher:
    """Publish for the region of the gateway's account."""

    def __init__(self, gateway: ChainGateway, index: ChainIndex, store: ContentStore) -> None:
        self._gateway, self._index, self._store = gateway, index, store

    def publish_tariff(
        self, data: bytes, product: str, series: Sequence[bytes] = ()
    ) -> tuple[Tariff, Receipt | None]:
        """Append a tariff, JSON of any layout, to a product.

        None for what the book has already, as its newest entry or as one that has begun: then its
        document is put into the store again, and no more. `series` are those that it lists by
        digest; what the store has need not be given. Raises TariffError for a document that cannot
        be published, also when nobody has a series that it lists; TariffNotAhead for one that has
        begun; UnfitMember.
        """
        require_name(product, "a product")
        offer, region = tariff_offer(data), self._region()
        held = asked.entries_of(self._index, region, name_key(product), self._block())
        said = [row["digest"] for row in held]
        is_ahead = offer.begins_at > self._gateway.now()
        is_said = offer.entry[0] in (said[-1:] if is_ahead else said)
        if not (is_ahead or is_said):
            way = f"dmsm admin tariff FILE --region {region_name(region)} --product {product!r}"
            raise _not_ahead(offer, way)
        put_listed_series(self._store, offer.document, series)
        self._store.put(offer.data, lasting=True)
        receipt = None if is_said else self._send("appendTariff", region, product, offer)
        return offer.document, receipt

    def publish_series(self, data: bytes, name: str) -> tuple[PriceSeries, Receipt | None]:
        """Publish a price series, JSON of any layout, under its name.

        None for what the book has already: then its document is put into the store again, and no
        more. Raises TariffError, TariffNotAhead, UnfitMember.
        """
        require_name(name, "a price series")
        offer, region = series_offer(data), self._region()
        require_own_name(offer.document, name)
        held = asked.series_of(self._index, region, name_key(name), self._block())
        is_said = offer.entry[0] in [row["digest"] for row in held]
        if offer.begins_at <= self._gateway.now() and not is_said:
            raise _not_ahead(offer, f"dmsm admin series FILE --region {region_name(region)}")
        self._store.put(offer.data, lasting=True)
        receipt = None if is_said else self._send("publishSeries", region, name, offer)
        return offer.document, receipt

    def _send(
        self, function: str, region: bytes, name: str, offer: TariffOffer | SeriesOffer
    ) -> Receipt:
        return self._gateway.transact("TariffBook", function, region, name, offer.entry)

    def _block(self) -> int:
        self._gateway.settle()  # what a crash left unfinished comes first
        return self._index.follower.catch_up()

    def _region(self) -> bytes:
        account = self._gateway.address
        role, region = self._gateway.call("MemberRegistry", "activeRoleOf", account)
        if role != MemberRole.PROCESSOR:
            raise UnfitMember(
                f"{account} is no active processing node: only that of a region says what energy "
                "costs there"
            )
        return bytes(region)


def _not_ahead(offer: TariffOffer | SeriesOffer, way: str) -> TariffNotAhead:
    return TariffNotAhead(
        f"{offer.begins}, which is not ahead: a node says what energy costs before it does. "
        f"Nothing was sent. What has begun the consortium corrects by vote: {way}"
    )
