"""The fourteen bills of tests/vectors/billing, by the first implementation and the second."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from offchain.billing import price_series, readings_csv, tariff_document
from offchain.errors import BillingError

from . import reference
from .world import VECTORS, bill

FOLDERS = sorted(path for path in VECTORS.iterdir() if path.is_dir())
READ_BY_REFERENCE = [path for path in FOLDERS if "hole" not in path.name]  # it checks no tariff


def load(path: Path) -> dict:
    return json.loads(path.read_text())


def made_of(folder: Path, *, reverse: bool = False) -> dict:
    args = load(folder / "args.json")
    tariffs = [tariff_document.parse(p.read_bytes()) for p in sorted(folder.glob("tariff*.json"))]
    series = [price_series.parse(p.read_bytes()) for p in sorted(folder.glob("series*.json"))]
    if reverse:
        tariffs, series = tariffs[::-1], series[::-1]
    readings = readings_csv.parse((folder / "readings.csv").read_bytes())
    return bill(readings, tariffs, args["from"], args["to"], series).to_json()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_make_bill__of_a_vector__gives_its_bill_or_refusal(folder: Path) -> None:
    expected = load(folder / "bill.json")
    if "error" not in expected:
        assert made_of(folder) == expected
        return
    with pytest.raises(BillingError) as refused:
        made_of(folder)
    assert all(name in str(refused.value) for name in expected["names"])


def test_make_bill__tariffs_in_another_order__gives_the_same() -> None:
    folder = VECTORS / "11-two-tariffs"
    assert made_of(folder, reverse=True) == made_of(folder)


@pytest.mark.parametrize("folder", READ_BY_REFERENCE, ids=lambda folder: folder.name)
def test_reference__of_a_vector__gives_its_bill_or_refusal(folder: Path) -> None:
    args, expected = load(folder / "args.json"), load(folder / "bill.json")
    readings = [tuple(row) for row in readings_csv.parse((folder / "readings.csv").read_bytes())]
    tariffs = [load(path) for path in sorted(folder.glob("tariff*.json"))]
    series = [load(path) for path in sorted(folder.glob("series*.json"))]
    try:
        found = reference.bill({None: readings}, tariffs, series, args["from"], args["to"])
    except reference.Refused as refused:
        assert all(name in str(refused) for name in expected["names"])
    else:
        assert found == expected
