"""A node's desk for broadcasts that it answered and nobody selected: close them (protocol §5.1).

The parts of the application prepayment are decided at the call of `close`, which anyone may make: a
buyer that is left alone with it would choose the moment. So each responder calls it from `selectBy`
on. What was answered is journaled before it is sent, and how a broadcast ended is read off the
chain: a broadcast is let go by what lies deep enough alone, so that a close which a reorganisation
takes off is sent again.
"""

from __future__ import annotations

from dataclasses import dataclass

from offchain.chain.facts import ContractRevert
from offchain.index.asked import market as asked_market
from offchain.member.crash_points import crash_point
from offchain.member.roles import BroadcastState
from offchain.node.desk import Desk, NodeParts
from offchain.node.outcome import Outcome

MOST_LOOKED_AT = 20  # broadcasts a poll, however many were answered
_UNKNOWN_S = 600  # how long one rests that the chain does not have (any more, or yet)
_ENDED = (BroadcastState.SELECTED, BroadcastState.CLOSED)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A broadcast in some block; stands: whether this node's line is in its form."""

    state: BroadcastState
    select_by: int
    stands: bool


class ClosingDesk(Desk):
    """End what this node answered and nobody selected. Each method is idempotent."""

    def __init__(self, parts: NodeParts) -> None:
        super().__init__(parts)
        # From when on a broadcast is to be looked at again, those looked at longest ago first.
        self._look_at: dict[bytes, int] = {}

    def closable(self) -> list[bytes]:
        """Return the broadcasts that may be closed now and in which this node's line stands.

        Looks at no more than MOST_LOOKED_AT, those first that were not looked at for longest.
        """
        unended = self._held.unended_responses()
        if not unended:
            return []
        now = self._gateway.now()
        fresh = [one for one in unended if one not in self._look_at]
        again = [one for one, look_at in self._look_at.items() if look_at <= now]
        open_ones = self._let_go([*fresh, *again][:MOST_LOOKED_AT])
        newest = self._seen(open_ones, self._index.newest())
        for one, seen in newest.items():
            self._look_at.pop(one, None)  # to the end, behind those that have waited longer
            self._look_at[one] = _next_look(seen, now)
        return [one for one, seen in newest.items() if _is_due(seen, now) and seen.stands]

    def close(self, broadcast_id: bytes) -> Outcome:
        """Have the application prepayment given out. That another was faster is no failure."""
        try:
            receipt = self._gateway.transact(
                "DataMarket", "close", broadcast_id, intent=f"close:{broadcast_id.hex()}"
            )
        except ContractRevert as revert:
            if revert.name != "DataMarket_WrongState":
                raise
            return Outcome("skipped", broadcast_id, "somebody else has ended the broadcast")
        crash_point("close:sent")
        parts_wei = [
            event.args["amountWei"]
            for event in receipt.events
            if event.name == "ApplicationReleased" and event.args["to"] == self._keys.address
        ]
        detail = f"{sum(parts_wei)} wei of the application prepayment are this node's"
        return Outcome("closed", broadcast_id, detail, receipt)

    # ---- inside

    def _let_go(self, asked: list[bytes]) -> list[bytes]:
        """Note those that have ended for this node in what is final; return the others."""
        block = self._final()
        final_at = self._gateway.block(block).timestamp
        kept = []
        for one, seen in self._seen(asked, block).items():
            if seen.state in _ENDED or (_is_due(seen, final_at) and not seen.stands):
                self._held.end_broadcast(one)  # nobody responds so late: no line comes any more
                self._look_at.pop(one, None)
            else:
                kept.append(one)
        return kept

    def _seen(self, broadcast_ids: list[bytes], block: int) -> dict[bytes, _Seen]:
        found = {}
        for one in broadcast_ids:
            told = asked_market.broadcast(self._index, one, block)
            form = asked_market.form(self._index, one, block)
            found[one] = _Seen(
                state=BroadcastState.NONE if told is None else BroadcastState(told["state"]),
                select_by=0 if told is None else told["select_by"],
                stands=self._keys.address in [line["processor"] for line in form],
            )
        return found


def _is_due(seen: _Seen, now: int) -> bool:
    return seen.state is BroadcastState.OPEN and seen.select_by <= now


def _next_look(seen: _Seen, now: int) -> int:
    if seen.state is BroadcastState.NONE:
        return now + _UNKNOWN_S
    if seen.state is BroadcastState.OPEN:
        return max(now, seen.select_by)
    return now  # ended, and not yet deep enough
