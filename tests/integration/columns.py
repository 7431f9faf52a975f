"""Packed readings cut short, as a node that leaves something out would pack them."""

from dataclasses import replace

from offchain.records.packed import Packed, Registers


def part(columns: Packed, start: int, end: int | None = None) -> Packed:
    """Return the readings [start, end) of packed ones that have their registers."""
    shown, kept = columns.registers, slice(start, end)
    assert shown is not None
    return replace(
        columns,
        first_seq=columns.first_seq + start,
        times_s=columns.times_s[kept],
        registers=Registers(imports_wh=shown.imports_wh[kept], exports_wh=shown.exports_wh[kept]),
        powers_w=columns.powers_w[kept],
        temperatures_dc=columns.temperatures_dc[kept],
        flags=columns.flags[kept],
    )
