"""What commands print: tables for people, JSON for programs, from the same plain values.

A name tells its unit: `_wei` is shown in wei and ether, `_at` as UTC time. JSON holds wei and unix
seconds as integers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from offchain.types import utc

if TYPE_CHECKING:
    from offchain.chain.facts import Receipt
    from offchain.chain.gateway import ChainGateway

FINAL_WAIT_S = 30.0
_WEI_PER_ETHER = 10**18
_WIDE = 200  # columns where the output is no terminal

Value = Mapping[str, Any]


def money(wei: int) -> str:
    """Return an amount exactly, in wei and in ether."""
    sign, rest = ("-", -wei) if wei < 0 else ("", wei)
    whole, part = divmod(rest, _WEI_PER_ETHER)
    decimals = f".{part:018d}".rstrip("0").rstrip(".")
    return f"{wei:,} wei ({sign}{whole:,}{decimals} ether)"


def hex_id(value: bytes) -> str:
    """Return an id as it is typed on the command line."""
    return "0x" + value.hex()


def receipt_facts(receipt: Receipt) -> dict[str, Any]:
    """Return what a mined transaction cost and where it is."""
    return {
        "transaction": receipt.tx_hash,
        "block": receipt.block_number,
        "gas_used": receipt.gas_used,
        "fee_wei": receipt.fee_wei,
    }


def final_facts(gateway: ChainGateway, receipt: Receipt) -> dict[str, Any]:
    """Wait until a transaction is final, and tell what it cost, where it is, and whether it is.

    What a reorganisation takes off meanwhile is sent again. Gives up after 30 s: an idle chain
    without a heartbeat makes nothing final.
    """
    found = gateway.wait_final(receipt, timeout_s=FINAL_WAIT_S)
    return receipt_facts(found) | {"final": gateway.is_final(found)}


def show(value: Value, *, as_json: bool = False) -> None:
    """Print one thing: a line for each of its names."""
    if as_json:
        typer.echo(json.dumps(value, indent=1))
        return
    width = max((len(name) for name in value), default=0)
    for name, item in value.items():
        typer.echo(f"{_label(name):<{width}}  {_text(name, item)}")


def show_table(rows: Sequence[Value], *, title: str, as_json: bool = False) -> None:
    """Print things of one kind as a table, the names of the first as its columns."""
    if as_json:
        typer.echo(json.dumps(list(rows), indent=1))
        return
    if not rows:
        typer.echo(f"{title}: none")
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for name in rows[0]:
        table.add_column(_label(name), overflow="fold")
    for row in rows:
        table.add_row(*(_text(name, item) for name, item in row.items()))
    plain: dict[str, Any] = {"markup": False, "emoji": False, "highlight": False}
    console = Console(**plain)
    if not console.is_terminal:
        console = Console(**plain, width=_WIDE)
    console.print(table)


def _label(name: str) -> str:
    return name.removesuffix("_wei").removesuffix("_at").replace("_", " ")


def _text(name: str, item: Any) -> str:
    if item is None:
        return "-"
    if isinstance(item, bool) and name == "final":
        return "final" if item else "not final"
    if isinstance(item, bool):
        return "yes" if item else "no"
    if isinstance(item, int) and name.endswith("_wei"):
        return money(item)
    if isinstance(item, int) and name.endswith("_at"):
        return utc(item)
    if isinstance(item, (list, tuple)):
        return ", ".join(str(one) for one in item)
    if isinstance(item, dict):
        return json.dumps(item)
    return str(item)
