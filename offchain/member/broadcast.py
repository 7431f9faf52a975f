"""What a broadcast asks for. Its id commits to all of it: what is told of it is checked by that."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from offchain.chain.gateway import ChainGateway
from offchain.crypto import messages
from offchain.index.asked import market
from offchain.index.asked.rows import Row
from offchain.index.chain_index import ChainIndex
from offchain.member.errors import MemberError, NotOnChain


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Conditions as `IDataMarket.Conditions` has them, in its order.

    The window is [window_from, window_to) in unix seconds; `purpose` is what the data is for, in
    public words, which may be any bytes.
    """

    window_from: int
    window_to: int
    kind: int
    group_size: int
    threshold: int
    max_price_wei: int
    respond_by: int
    select_by: int
    openings_length: int
    openings_digest: bytes
    nonce: bytes
    regions: tuple[bytes, ...]
    purpose: bytes

    def words(self) -> tuple[Any, ...]:
        """Return them as their id hashes them."""
        return tuple(getattr(self, one.name) for one in fields(self))

    def id(self, gateway: ChainGateway, requester: str) -> bytes:
        """Return the id of the broadcast in which an account asks for this."""
        return messages.broadcast_id(
            chain_id=gateway.chain_id,
            data_market=gateway.deployment.address("DataMarket"),
            requester=requester,
            conditions=self.words(),
        )

    def purpose_text(self) -> str:
        """Return for a person what the data is for."""
        return purpose_text(self.purpose)


def purpose_text(purpose: bytes) -> str:
    """Return a purpose for a person: nothing that moves a terminal's cursor, whatever it is."""
    told = purpose.decode(errors="replace")
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in told)


def conditions_in(index: ChainIndex, row: Row, block: int) -> Conditions:
    """Return a broadcast's conditions as the tables tell them, not checked yet."""
    regions = market.regions_of(index, row["broadcast_id"], block)
    named = (one.name for one in fields(Conditions) if one.name != "regions")
    return Conditions(regions=tuple(regions), **{name: row[name] for name in named})


def conditions_of(
    gateway: ChainGateway, index: ChainIndex, broadcast_id: bytes
) -> tuple[str, Conditions]:
    """Return who asks, and for what, as the tables tell it, checked by the id.

    Raises NotOnChain if the tables have no such broadcast (yet), MemberError for conditions that
    are not those of the id: then who told them lied.
    """
    newest = index.follower.catch_up()
    row = market.broadcast(index, broadcast_id, newest)
    if row is None:
        raise NotOnChain(
            f"this chain has no broadcast {broadcast_id.hex()} (yet); is the id right?"
        )
    conditions = conditions_in(index, row, newest)
    if conditions.id(gateway, row["requester"]) != broadcast_id:
        raise MemberError(
            f"what the chain node told of broadcast {broadcast_id.hex()} is not what was asked in "
            "it; ask another node, with an index of its own"
        )
    return row["requester"], conditions
