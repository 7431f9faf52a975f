"""A node's desk for broadcasts: recognise who asks, offer a data set once (protocol §5.1)."""

from __future__ import annotations

from offchain.chain.facts import ContractRevert
from offchain.crypto import kem
from offchain.errors import CryptoError, RecordError
from offchain.index.asked import market as asked_market
from offchain.index.asked import members as asked_members
from offchain.member.broadcast import Conditions, conditions_of
from offchain.member.consent import lacking_consent
from offchain.member.crash_points import crash_point
from offchain.member.data_sets import sale_of
from offchain.member.lock_terms import present_sharing_conditions
from offchain.member.roles import BroadcastState
from offchain.node.bond import BondKeeper
from offchain.node.desk import Desk, NodeParts
from offchain.node.offer_check import OfferCheck
from offchain.node.outcome import MAX_OBJECT_BYTES, STOPPED, Outcome
from offchain.node.store import StoredDataSet
from offchain.records import contexts
from offchain.records import sharing as sharing_records
from offchain.storage.errors import ObjectMalformed, ObjectNotFound, ObjectTooLarge
from offchain.types import Account

_UNREADABLE = (ObjectMalformed, ObjectTooLarge, CryptoError, RecordError)
_OTHER_TERMS = "DataMarket_OtherTerms"


class OfferDesk(Desk):
    """Answer broadcasts that want this node's region. Each method is one idempotent step."""

    def __init__(self, parts: NodeParts, bond: BondKeeper) -> None:
        super().__init__(parts)
        self._bond, self._check = bond, OfferCheck(parts)

    def open_broadcasts(self) -> list[bytes]:
        """Return the broadcasts that want this node's region, are open, and were not dealt with
        yet.
        """
        final = self._final()
        me = asked_members.member(self._index, self._keys.address, final)
        if me is None:
            return []
        where = (self._index, me["region_id"], final)
        if not asked_market.open_broadcasts(*where, now=0):  # the time need not be asked
            return []
        found = asked_market.open_broadcasts(*where, now=self._gateway.now())
        return [one["broadcast_id"] for one in found if self._is_new(one["broadcast_id"])]

    def respond(self, broadcast_id: bytes) -> Outcome:
        """Offer the data set that covers most of the window, if the requester's ID opening is
        recognised.
        """
        _, state, _ = self._gateway.call("DataMarket", "broadcastOf", broadcast_id)
        if BroadcastState(state) is BroadcastState.NONE:
            return Outcome("skipped", broadcast_id, "the chain has no such broadcast (any more)")
        if BroadcastState(state) is not BroadcastState.OPEN:
            return self._leave(broadcast_id, f"the broadcast is {BroadcastState(state).name}")
        requester, conditions = conditions_of(self._gateway, self._index, broadcast_id)
        try:
            why = self._why_unrecognised(requester, conditions)
        except ObjectNotFound as error:
            if conditions.respond_by - self._gateway.now() > self._terms.margin_s:
                return Outcome("skipped", broadcast_id, f"waits: nobody has the opening: {error}")
            why = f"nobody had the ID opening in time: {error}"
        if why is not None:
            return self._leave(broadcast_id, why)
        offer = self._held.response(broadcast_id) or self._best_offer(conditions)
        if offer is None:
            return Outcome("skipped", broadcast_id, "no data set of this node fits the conditions")
        data_set_id, price_wei = offer.data_set_id, offer.price_wei
        if price_wei > conditions.max_price_wei:
            return self._leave(broadcast_id, f"{price_wei} wei is above the maximum")
        # A lock begins under the versions that the offer names, whatever is decided until then.
        offered = present_sharing_conditions(self._gateway)
        why = self._check.why_not(conditions, price_wei, offered)
        if why is not None:
            return self._leave(broadcast_id, why)
        why = self._bond.why_not_covered(offered.bond_wei(price_wei))
        if why is not None:  # an offer that is not covered could only collect the deposit
            return Outcome("skipped", broadcast_id, f"waits: {why}")
        # Before it is sent: whoever answered closes the broadcast, also after a crash here.
        self._held.put_response(broadcast_id, data_set_id=data_set_id, price_wei=price_wei)
        crash_point("respond:journaled")
        try:
            receipt = self._gateway.transact(
                "DataMarket",
                "respond",
                broadcast_id,
                data_set_id,
                price_wei,
                offered.rules_version,
                offered.sharing_version,
                intent=f"respond:{broadcast_id.hex()}",
            )
        except ContractRevert as revert:
            if revert.name in (STOPPED, _OTHER_TERMS):  # what holds now is judged anew
                return Outcome("skipped", broadcast_id, f"waits: {revert.sentence}")
            return self._leave(broadcast_id, revert.sentence)
        crash_point("respond:sent")
        return Outcome("responded", broadcast_id, f"offered {data_set_id.hex()}", receipt)

    # ---- inside

    def _is_new(self, broadcast_id: bytes) -> bool:
        """Whether nothing was said to a broadcast yet: an answer that a reorganisation took off is
        given again.
        """
        if self._held.recall(_left(broadcast_id)) is not None:
            return False
        if self._held.response(broadcast_id) is None:
            return True
        blocks = {self._final(), self._index.newest()}
        return not any(self._stands(broadcast_id, block) for block in blocks)

    def _stands(self, broadcast_id: bytes, block: int) -> bool:
        form = asked_market.form(self._index, broadcast_id, block)
        return self._keys.address in [line["processor"] for line in form]

    def _leave(self, broadcast_id: bytes, why: str) -> Outcome:
        self._held.remember(_left(broadcast_id), why.encode())
        return Outcome("skipped", broadcast_id, why)

    def _why_unrecognised(self, requester: str, conditions: Conditions) -> str | None:
        """Return why the requester is not recognised. Raises ObjectNotFound while nobody has the
        openings.
        """
        me = self._keys.address
        context = contexts.opening(
            chain_id=self._gateway.chain_id,
            data_market=self._gateway.deployment.address("DataMarket"),
            requester=Account(requester),
            processor=me,
            nonce=conditions.nonce,
        )
        length = min(conditions.openings_length, MAX_OBJECT_BYTES)
        try:
            openings = self._search.get(conditions.openings_digest, max_bytes=length)
            sealed = sharing_records.decode_openings(openings).get(me)
            if sealed is None:
                return "the requester sealed no ID opening to this node"
            plain = kem.open_sealed(self._keys.decryption_key, sealed, context=context)
            opening = sharing_records.decode_opening(plain)
        except _UNREADABLE as error:
            return f"the ID opening is unreadable: {error}"
        if not self._directory.recognises(requester, opening.identity, opening.salt):
            return "the ID does not open the registered commitment"
        return None

    def _best_offer(self, conditions: Conditions) -> StoredDataSet | None:
        """Return what covers most of the window of all that may be sold until it is selected."""
        fitting = [
            (covered_s, one)
            for one in self._held.data_sets()
            if one.published and (covered_s := self._covered_s(one, conditions))
        ]
        for _, one in sorted(fitting, key=lambda pair: pair[0], reverse=True):
            if not lacking_consent(self._gateway, one.devices):
                return one
        return None

    def _covered_s(self, stored: StoredDataSet, conditions: Conditions) -> int:
        """Return how much of the window a data set covers; 0 if it cannot be selected, or not
        until the last moment: then the market would not count the offer.
        """
        final = self._gateway.final(self._depth)
        sale = sale_of(self._gateway, stored.data_set_id, block=final)
        if sale is None or sale.kind != conditions.kind:
            return 0
        newest = sale_of(self._gateway, stored.data_set_id)  # an end counts at once
        if newest is None or newest.sale_until < conditions.select_by:
            return 0
        return sale.overlaps(conditions.window_from, conditions.window_to)


def _left(broadcast_id: bytes) -> str:
    return f"broadcast:left:{broadcast_id.hex()}"
