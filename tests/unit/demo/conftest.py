"""What the demo's tests build: meter files and homes."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from offchain.demo.households import Home
from offchain.records import meter_csv
from offchain.types import MeterSample

MIDNIGHT_S = 1_700_006_400
MeterFile = Callable[..., Path]
MakeHome = Callable[..., Home]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an empty directory for meter files."""
    made = tmp_path / "readings"
    made.mkdir()
    return made


@pytest.fixture
def meter_file(folder: Path) -> MeterFile:
    """Return a writer of meter files: a name, rows as texts, the end of a line, the header."""

    def write(
        name: str,
        rows: Sequence[str] = ("86400,1,0,5,10", "86460,2,3,5,10"),
        *,
        eol: str = "\n",
        header: str = meter_csv.HEADER,
    ) -> Path:
        path = folder / name
        path.write_bytes((eol.join([header, *rows]) + eol).encode())
        return path

    return write


@pytest.fixture
def make_home() -> MakeHome:
    """Return a builder of homes from powers, one an hour, and temperatures."""

    def build(
        powers: Sequence[int], temperatures: Sequence[int | None] | None = None, name: str = "home"
    ) -> Home:
        degrees = temperatures or [200] * len(powers)
        return Home(
            name=name,
            meter=tuple(
                MeterSample(
                    time_s=MIDNIGHT_S + 3_600 * at,
                    import_wh=at,
                    export_wh=0,
                    power_w=power,
                    temperature_dc=degree,
                )
                for at, (power, degree) in enumerate(zip(powers, degrees, strict=True))
            ),
        )

    return build
