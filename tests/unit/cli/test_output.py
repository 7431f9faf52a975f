"""What commands print: exact money, UTC, tables and JSON of the same values."""

import json

import pytest

from offchain.cli.output import money, show, show_table
from offchain.types import utc

ROW = {"lock": "0x12", "price_wei": 15 * 10**14, "T_at": 1_640_995_200, "ok": True, "why": None}


@pytest.mark.parametrize(
    ("wei", "text"),
    [
        (0, "0 wei (0 ether)"),
        (1, "1 wei (0.000000000000000001 ether)"),
        (15 * 10**17, "1,500,000,000,000,000,000 wei (1.5 ether)"),
        (2_000 * 10**18, f"{2_000 * 10**18:,} wei (2,000 ether)"),
        (-(10**18), f"-{10**18:,} wei (-1 ether)"),
    ],
)
def test_money__any_amount__is_exact_in_both_units(wei: int, text: str) -> None:
    assert money(wei) == text


def test_utc__unix_seconds__is_iso() -> None:
    assert utc(1_640_995_200) == "2022-01-01T00:00:00Z"


def test_utc__beyond_the_calendar__stays_a_number() -> None:
    assert utc(2**64) == f"unix {2**64}"


def test_show__for_people__has_units_and_no_suffixes(capsys: pytest.CaptureFixture[str]) -> None:
    show(ROW)
    said = capsys.readouterr().out
    assert "(0.0015 ether)" in said
    assert "2022-01-01T00:00:00Z" in said
    assert "_wei" not in said
    assert "yes" in said


def test_show_table__for_people__has_the_values(capsys: pytest.CaptureFixture[str]) -> None:
    show_table([ROW, ROW], title="locks")
    said = capsys.readouterr().out
    assert said.count("0x12") == 2
    assert said.startswith("locks")


def test_show_table__given_a_name_with_colons__shows_it_as_it_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_table([{"node_name": "Grid :white_check_mark:"}], title="nodes")
    assert "Grid :white_check_mark:" in capsys.readouterr().out


def test_show_table__without_rows__says_none(capsys: pytest.CaptureFixture[str]) -> None:
    show_table([], title="locks")
    assert capsys.readouterr().out == "locks: none\n"


def test_show__final_or_not__is_said_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    show({"final": False})
    show({"final": True, "ok": True})
    shown = capsys.readouterr().out.splitlines()
    assert [line.split(maxsplit=1)[1] for line in shown] == ["not final", "final", "yes"]


def test_show__as_json__keeps_integers(capsys: pytest.CaptureFixture[str]) -> None:
    show(ROW, as_json=True)
    assert json.loads(capsys.readouterr().out) == ROW
    show_table([ROW], title="locks", as_json=True)
    assert json.loads(capsys.readouterr().out) == [ROW]
