"""A node's desk for what somebody withdrew from: end the sale of such data sets, and, if told to,
publish their windows anew without those homes (protocol §2.5).

Anyone may end such a sale; who sells ends it by itself, so that no buyer selects in vain. What is
retired is never for sale again: the window gets another data set, with a key of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from offchain.chain.facts import ContractRevert, Receipt
from offchain.index.asked import data_sets as asked
from offchain.index.asked.rows import Row, end_of
from offchain.member.consent import lacking_consent, lacking_consent_as_of
from offchain.member.crash_points import crash_point
from offchain.member.data_sets import sale_of
from offchain.member.errors import NothingToPublish, NotOnChain
from offchain.member.registration import NO_ADDRESS
from offchain.node.desk import Desk, NodeParts
from offchain.node.outcome import STOPPED, Outcome
from offchain.node.outlook import said
from offchain.node.publisher import DataSetPublisher
from offchain.types import Account

_log = logging.getLogger(__name__)
_NOT_ON_SALE = "DataSetBook_NotOnSale"


class RetiringDesk(Desk):
    """End sales of one's own data sets. Each method is one idempotent step."""

    def __init__(self, parts: NodeParts, publisher: DataSetPublisher) -> None:
        super().__init__(parts)
        self._publisher = publisher
        self._devices: dict[bytes, list[Account]] = {}  # of own data sets, which never change

    def due(self) -> list[bytes]:
        """Return one's own data sets on sale that hold a device whose consent does not stand, as
        the tables tell it by the newest block and its time: a withdrawal counts at once. Nothing
        is asked of the chain.
        """
        newest = self._index.newest()
        now = self._index.time_s(newest)
        if now is None:  # nothing was followed yet
            return []
        on_sale = [one["data_set_id"] for one in self._mine(newest) if one["sale_until"] > now]
        devices = {one: self._devices_of(one) for one in on_sale}
        all_devices = sorted({device for some in devices.values() for device in some})
        lacking = lacking_consent_as_of(self._index, all_devices, end_of(newest), at_s=now)
        return [one for one in on_sale if not lacking.keys().isdisjoint(devices[one])]

    def retire(self, data_set_id: bytes) -> Outcome:
        """End the sale of a data set if a device's consent does not stand, as the contracts say."""
        stored = self._held.data_set(data_set_id)
        lacking = {} if stored is None else lacking_consent(self._gateway, stored.devices)
        if not lacking:
            return Outcome("skipped", data_set_id, "every consent stands, as the contracts say")
        if self._is_on_sale(data_set_id):  # else it was ended for another reason
            self._held.remember(_for_consent(data_set_id), b"")  # before it is sent
        receipt = self._end(data_set_id)
        if receipt is None:
            return Outcome("skipped", data_set_id, "its sale has ended already")
        return Outcome("retired", data_set_id, _named(lacking), receipt)

    def retire_anyway(self, data_set_id: bytes) -> Receipt:
        """End the sale of a data set because the operator wishes it; it is not published anew.

        Raises NotOnChain when it is not for sale.
        """
        if self._is_on_sale(data_set_id):  # before it is sent, whatever was begun for a consent
            self._held.remember(_anew(data_set_id), b"")
        receipt = self._end(data_set_id)
        if receipt is None:
            raise NotOnChain(f"data set {data_set_id.hex()} is not for sale (any more)")
        return receipt

    def to_republish(self) -> list[bytes]:
        """Return what was retired for want of a consent, finally, and is to be published anew."""
        if not self._terms.republish:
            return []
        retired = [one for one in self._mine(self._final()) if one["is_retired"]]
        return [one["data_set_id"] for one in retired if self._is_to_republish(one)]

    def republish(self, data_set_id: bytes) -> Outcome:
        """Publish the window of a retired data set anew: with the homes whose consent stands."""
        stored = self._held.data_set(data_set_id)
        if stored is None:
            return self._let_go(data_set_id, "this store has no such data set")
        try:
            if (seen := self._publisher.look(stored.from_s, stored.to_s)) is not None:
                _log.info("published anew without who withdrew: %s", said(seen))
            published = self._publisher.publish(stored.from_s, stored.to_s)
        except NothingToPublish as nothing:
            return self._let_go(data_set_id, str(nothing))
        except ContractRevert as revert:
            if revert.name != STOPPED:
                raise
            return Outcome("skipped", data_set_id, f"waits: {revert.sentence}")
        crash_point("republish:sent")
        self._held.remember(_anew(data_set_id), published.data_set_id)
        return Outcome("republished", data_set_id, f"as {published.data_set_id.hex()}")

    # ---- inside

    def _mine(self, block: int) -> Sequence[Row]:
        return asked.of_processor(self._index, self._keys.address, block)

    def _devices_of(self, data_set_id: bytes) -> list[Account]:
        """Return whose readings a data set holds; nobody's if another store published it."""
        if data_set_id not in self._devices:
            stored = self._held.data_set(data_set_id)
            if stored is None:
                return []
            self._devices[data_set_id] = stored.devices
        return self._devices[data_set_id]

    def _is_to_republish(self, told: Row) -> bool:
        if self._held.recall(_anew(told["data_set_id"])) is not None:
            return False
        is_own_doing = told["retired_for"] == NO_ADDRESS
        return not is_own_doing or self._held.recall(_for_consent(told["data_set_id"])) is not None

    def _is_on_sale(self, data_set_id: bytes) -> bool:
        sale = sale_of(self._gateway, data_set_id)
        return sale is not None and sale.sale_until > self._gateway.contract_time()

    def _end(self, data_set_id: bytes) -> Receipt | None:
        if not self._is_on_sale(data_set_id):
            return None
        try:
            receipt = self._gateway.transact(
                "DataSetBook", "retire", data_set_id, intent=f"retire:{data_set_id.hex()}"
            )
        except ContractRevert as revert:
            if revert.name != _NOT_ON_SALE:  # somebody was faster
                raise
            return None
        crash_point("retire:sent")
        return receipt

    def _let_go(self, data_set_id: bytes, why: str) -> Outcome:
        self._held.remember(_anew(data_set_id), b"")
        return Outcome("skipped", data_set_id, why)


def _named(lacking: dict[Account, str]) -> str:
    return "; ".join(f"{device}: {why}" for device, why in lacking.items())


def _for_consent(data_set_id: bytes) -> str:
    return f"retire:consent:{data_set_id.hex()}"


def _anew(data_set_id: bytes) -> str:
    return f"republished:{data_set_id.hex()}"
