"""Bills, exactly: energy at an instant, tariffs, price series, lines and totals.

Pure and without floats: the same files give the same integers everywhere (docs/formats.md §17).
Reads no clock, no network and no file but the zone data of the package `tzdata`.
"""
