"""`dmsm node tariff` and `dmsm admin tariff`: what energy costs, said by the commands alone."""

from __future__ import annotations

import json
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from offchain.billing import price_series
from tests.integration.cli.conftest import Machine
from tests.unit.billing.world import document, flat

DAY, HOUR = 86_400, 3_600


@pytest.fixture(scope="module")
def town(machine: Machine) -> Machine:
    return machine


def day(number: int) -> str:
    return (datetime.now(UTC) + timedelta(days=number)).date().isoformat()


def of_household(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what is told of this test's product; the machine has one of its own."""
    return [one for one in found["tariffs"] if one["product"] == "household"]


def tariff_file(folder: Path, name: str, first_day: int, **more: Any) -> str:
    value = document(name=name, valid_from=day(first_day), time_zone="UTC", **more)
    file = folder / f"{name}.json"
    file.write_text(json.dumps(value, indent=1))
    return str(file)


def test_tariffs__published_and_corrected__are_a_calendar(town: Machine, tmp_path: Path) -> None:
    ahead = tariff_file(tmp_path, "ahead", 2, **{"import": [flat(200_000)]})
    begun = tariff_file(tmp_path, "begun", -3, **{"import": [flat(210_000)]})
    start = int(datetime.fromisoformat(day(2) + "T00:00:00+00:00").timestamp())
    spot = tmp_path / "spot.json"
    spot.write_bytes(
        price_series.encode(
            name="spot", currency="EUR", resolution_s=HOUR, start=start, prices=[1_000] * 24
        )
    )
    # The node runs: it does what the commands hand over.
    with town.process("north", "node", "run") as process:
        said = town.json("north", "node", "tariff", "publish", ahead, "--product", "household")
        refused = town.as_member(
            *("north", "node", "tariff", "publish", begun, "--product", "household"), ok=False
        )
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    assert (said["tariff"], said["valid_from_at"], said["valid_to_at"]) == ("ahead", start, None)
    told = " ".join(refused.stderr.split())
    assert "which is not ahead: a node says what energy costs before it does" in told
    assert "dmsm admin tariff FILE --region north --product 'household'" in told
    # It does not run: the command does it itself.
    series = town.json("north", "node", "tariff", "series", str(spot), "--name", "spot")
    assert (series["from_at"], series["to_at"]) == (start, start + DAY)
    again = town.json("north", "node", "tariff", "series", str(spot), "--name", "spot")
    assert again["note"].startswith("the book has it already")

    before = town.json("north", "node", "tariff", "list")["block"]
    decided = town.json(
        *("consortium", "admin", "tariff", begun, "--region", "north"),
        *("--product", "household"),
    )

    assert decided["carried_out"] is True
    assert "TariffBook.appendTariff(regionId 'north', productName 'household'" in decided["call"]
    shown = town.as_member("consortium", "admin", "document", decided["digest"]).stdout
    assert shown.startswith("begun  (EUR, UTC)")
    shown = town.as_member("consortium", "admin", "document", series["digest"]).stdout
    assert "24, " in shown and "a kWh" in shown
    for member, more in (("north", ()), ("anna", ()), ("vendor", ("--region", "north"))):
        found = town.json(member, "node", "tariff", "list", *more)
        mine = of_household(found)
        lines = [(one["tariff"], one["correction"]) for one in mine]
        assert lines == [("ahead", False), ("begun", True)]
        # The correction came later and has no end: it holds on the days of the other as well.
        assert [len(one["holds"]) for one in mine] == [0, 1]
        assert mine[1]["holds"][0].endswith("to open end")
        assert [one["series"] for one in found["series"]] == ["spot"]
    earlier = town.json("north", "node", "tariff", "list", "--block", str(before))
    assert [one["tariff"] for one in of_household(earlier)] == ["ahead"]
    assert len(of_household(earlier)[0]["holds"]) == 1
    text = town.as_member("north", "node", "tariff", "list").stdout
    assert "tariffs as of block" in text and "price series" in text


def test_tariff_list__of_no_region__says_how_to_name_one(town: Machine) -> None:
    refused = town.as_member("vendor", "node", "tariff", "list", ok=False)
    assert "name one with --region" in " ".join(refused.stderr.split())


def test_admin_tariff__given_no_tariff__says_what_is_wrong(town: Machine, tmp_path: Path) -> None:
    file = tmp_path / "odd.json"
    file.write_text(json.dumps(document(time_zone="Mars")))
    options = ("--region", "north", "--product", "household")
    refused = town.as_member("consortium", "admin", "tariff", str(file), *options, ok=False)
    assert "time_zone: is no time zone" in refused.stderr
    file.write_bytes(b"\xff")
    refused = town.as_member(
        "north", "node", "tariff", "publish", str(file), *options[2:], ok=False
    )
    assert "is no text in UTF-8" in refused.stderr
    missing = town.as_member("consortium", "admin", "document", "ab" * 32, ok=False)
    assert f"{'ab' * 32} of the chain's book cannot be had" in " ".join(missing.stderr.split())
