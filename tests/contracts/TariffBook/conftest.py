"""Entries of the book, and the heads that they must make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from brownie import web3
from eth_abi import encode
from eth_hash.auto import keccak
from members import region_id

NORTH, SOUTH = region_id("north"), region_id("south")
PRODUCT, NAME = "Haushalt Süd", "day-ahead NL"
DIGEST, OTHER = b"\x0d" * 32, b"\x0e" * 32
NONE = "0x" + "00" * 32
HOUR = 3_600
_TYPES = {3: ["bytes32", "uint40", "uint40"], 4: ["bytes32", "uint40", "uint40", "uint32"]}


@pytest.fixture(scope="session")
def book(tariff_book: Any) -> Any:
    return tariff_book


def key_of(name: str) -> bytes:
    """Return what a product or series is found by."""
    return keccak(name.encode())


def head_after(head: bytes, entry: Sequence[Any], tx: Any, *, is_correction: bool) -> str:
    """Return the head that an entry, mined by a transaction, makes of the one before."""
    types = ["bytes32", *_TYPES[len(entry)], "uint256", "uint256", "bool"]
    place = (tx.timestamp, tx.block_number, is_correction)
    return web3.to_hex(keccak(encode(types, [head, *entry, *place])))
