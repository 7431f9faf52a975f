"""What a transaction called, by the node's own account of it (``callTracer``).

The escrow's own part of a call, for the comparison with plain escrows, is what remains without the
calls to other contracts (the registry with the check of the signature, the catalogue) and without
the signature's calldata. What is left counts against us: the calls' cold addresses, the encoding of
what they are asked, the signature in the event; so do the calls of precompiles.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from brownie import web3

# Of ``request(order, signature)``: behind the selector and the order's seven words.
REQUEST_SIGNATURE = slice(4 + 7 * 32, 4 + 9 * 32)
ZERO_BYTE_GAS, BYTE_GAS = 4, 16  # EIP-2028
LAST_PRECOMPILE = 0x11  # of Prague


def own_part(tx: Any, *, signature: slice | None = None) -> int:
    """Return the gas of a transaction without other contracts and the signature's calldata."""
    trace = trace_of(tx.txid)
    assert int(trace["gasUsed"], 16) == tx.gas_used, "the trace is of another transaction"
    calls = [call for call in trace.get("calls", []) if int(call["to"], 16) > LAST_PRECOMPILE]
    data = bytes.fromhex(trace["input"][2:])[signature] if signature else b""
    elsewhere = sum(int(call["gasUsed"], 16) for call in calls)
    return tx.gas_used - elsewhere - sum(BYTE_GAS if byte else ZERO_BYTE_GAS for byte in data)


def called(txid: str) -> set[tuple[str, str]]:
    """Return address and selector of every call within a transaction."""
    return set(calls(txid))


def calls(txid: str) -> list[tuple[str, str]]:
    """Return address and selector of each call of a transaction, the outermost first."""

    def below(call: dict) -> Iterator[tuple[str, str]]:
        yield call["to"].lower(), call["input"][:10]
        for inner in call.get("calls", []):
            yield from below(inner)

    return list(below(trace_of(txid)))


def trace_of(txid: str) -> dict:
    """Return the outermost call of a transaction, the others within it."""
    request = ("debug_traceTransaction", [txid, {"tracer": "callTracer"}])
    return web3.provider.make_request(*request)["result"]
