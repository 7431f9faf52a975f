"""What a broadcast asks for, and the id that commits to it."""

from __future__ import annotations

from typing import Any, NamedTuple

from brownie import web3
from eth_abi import encode
from eth_utils import keccak

PURPOSE = b"Forecast of the evening peak in two regions"
TYPE = (
    "(uint40,uint40,uint8,uint8,uint8,uint96,uint40,uint40,uint32,bytes32,bytes32,bytes32[],bytes)"
)


class Conditions(NamedTuple):
    """What a data-sharing node asks for (IDataMarket.Conditions)."""

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
    purpose: bytes = PURPOSE


def id_of(market: Any, requester: Any, conditions: Conditions) -> bytes:
    """Compute a broadcast's id as docs and interface define it."""
    place = [web3.eth.chain_id, str(market), getattr(requester, "address", requester)]
    return keccak(encode(["uint256", "address", "address", TYPE], [*place, tuple(conditions)]))
