"""Whether an offer may be made: a selection obliges the node with no yes of its own behind it
(protocol §5).

So what a request is refused for is looked at before the response: that T leaves room for the
delivery, and that the price pays for it.
"""

from __future__ import annotations

from offchain.member.broadcast import Conditions
from offchain.member.lock_terms import SharingConditions
from offchain.member.locks import deliver_gas
from offchain.node.desk import Desk


class OfferCheck(Desk):
    """Look at the terms under which a selection would begin: those of the offer's versions."""

    def why_not(
        self, conditions: Conditions, price_wei: int, offered: SharingConditions
    ) -> str | None:
        """Return why a broadcast is not to be answered at this price, None if it may be."""
        return self._why_no_time(offered.shortest_s) or self._why_no_gain(
            conditions, price_wei, offered
        )

    def _why_no_time(self, shortest_s: int) -> str | None:
        """Compare the shortest T of a selection with what a delivery needs once it is final."""
        needed_s = 2 * self._terms.margin_s + self._depth_s()
        if shortest_s >= needed_s:
            return None
        return (
            f"a selection may leave {shortest_s} s until T, this node needs {needed_s} s; ask the "
            "consortium for a longer shortest T, or shorten margin_s"
        )

    def _why_no_gain(
        self, conditions: Conditions, price_wei: int, offered: SharingConditions
    ) -> str | None:
        """Compare what the price leaves with the gas of the delivery at the present gas price."""
        t, n = conditions.threshold, conditions.group_size
        cost_wei = deliver_gas(t, n) * self._gateway.gas_price_wei()
        earned_wei = offered.earned_wei(price_wei)
        if earned_wei >= cost_wei:
            return None
        return (
            f"delivering to a group of {n} with threshold {t} costs up to {cost_wei} wei of gas, "
            f"{earned_wei} wei would be earned; raise data_set_price_wei"
        )
