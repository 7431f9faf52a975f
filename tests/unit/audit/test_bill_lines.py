"""A bill held line by line against another; and one sentence on what was found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from offchain.audit.bill_lines import checked_lines, said_numbers
from offchain.audit.differences import differences
from offchain.audit.findings import Finding
from offchain.audit.gaps import gaps_of
from offchain.audit.verdict import verdict
from offchain.billing.bill import Bill
from offchain.billing.lines import Line, TaxLine
from offchain.billing.zones import zone
from offchain.cli.bill_text import gaps_text
from offchain.types import Reading, ReadingFlag, to_account

DEVICE = to_account("0x" + "d1" * 20)
READING = Reading(
    chain_id=1,
    device=DEVICE,
    seq=1,
    time_s=1,
    import_wh=0,
    export_wh=0,
    power_w=0,
    temperature_dc=None,
    nonce=bytes(32),
)
HOLDS = Finding("signature_of_node", True, "")


def bill(**changed: Any) -> Bill:
    def line(section: str, component: str, period: str | None, wh: int, amount: int) -> Line:
        return Line(
            tariff="ab" * 32,
            section=section,
            component=component,
            period=period,
            wh=wh,
            amount=amount,
        )

    members: dict[str, Any] = {
        "currency": "EUR",
        "minor_digits": 2,
        "window_from": 0,
        "window_to": 86_400,
        "covers_from": 0,
        "covers_to": 86_400,
        "import_wh": 3_000,
        "export_wh": 500,
        "estimated_wh": 0,
        "unknown_intervals": 0,
        "lines": (
            line("import", "energy", "night", 1_000, 200_000),
            line("import", "energy", "day", 2_000, 600_000),
            line("export", "feed-in", None, 500, -40_000),
        ),
        "taxes": (TaxLine("VAT", 168_000),),
        "tariffs": ("ab" * 32,),
        "series": (),
        "devices": {},
    }
    return Bill(**members | changed)


def test_checked_lines__of_the_same_bill__all_hold_and_name_everything() -> None:
    own = bill()
    lines = checked_lines(own.to_json(), own)
    assert all(line.ok for line in lines) and all(line.difference == 0 for line in lines)
    assert [line.name for line in lines] == [
        *("taken", "given", "estimated", "intervals of unknown energy"),
        *("import energy: night",) * 2,
        *("import energy: day",) * 2,
        *("export feed-in",) * 2,
        *("subtotal", "tax VAT", "rounding", "total"),
    ]


def test_checked_lines__of_another_amount__tell_both_and_the_difference() -> None:
    own, said = bill(), bill().to_json()
    said["lines"][1]["amount"] += 5
    said["total"] += 10_000
    wrong = [line for line in checked_lines(said, own) if not line.ok]
    found = [(line.name, line.unit, line.difference) for line in wrong]
    assert found == [("import energy: day", "micro", 5), ("total", "micro", 10_000)]
    assert (wrong[0].said, wrong[0].own) == (600_005, 600_000)


def test_checked_lines__of_lines_left_out_or_made_up__show_them_as_nothing() -> None:
    own, said = bill(), bill().to_json()
    del said["lines"][0]
    said["lines"].append({"section": "fixed", "component": "surprise", "wh": 0, "amount": 7})
    by_name = {(line.name, line.unit): line for line in checked_lines(said, own)}
    assert by_name["import energy: night", "micro"].said is None
    assert by_name["fixed surprise", "micro"].own is None
    assert by_name["fixed surprise", "micro"].difference is None


def test_checked_lines__of_anything__never_raise_and_write_nothing_to_a_terminal() -> None:
    own = bill()
    for said in (
        {},
        {"lines": 5, "taxes": None},
        {"lines": [3, {"component": ["x"]}], "total": "1"},
    ):
        assert not any(line.ok for line in checked_lines(said, own))
    nasty = {"lines": [{"section": "import", "component": "\x1b[2J\n", "amount": 1}]}
    assert all(line.name.isprintable() for line in checked_lines(nasty, own))
    assert all(name.isprintable() for name, _, _ in said_numbers(nasty))


def test_differences__of_nested_values__name_their_places() -> None:
    said = {"a": [1, {"b": "x"}], "more": True}
    own = {"a": [1, {"b": "y"}, 2], "less": None}
    assert differences(said, own) == [
        "a[1].b: the node says 'x', it comes out as 'y'",
        "a[2]: the node says nothing, it comes out as 2",
        "less: the node says nothing, it comes out as None",
        "more: the node says True, it comes out as nothing",
    ]
    assert differences({"n": 1}, {"n": True}) != []  # no two of a kind are mistaken


def test_gaps_of__readings_with_long_and_unknown_intervals__names_those_of_the_window() -> None:
    hour, day = 3_600, 86_400
    times = [0, hour, 4 * hour, 5 * hour, day, day + hour]
    rows = [replace(READING, seq=i, time_s=one) for i, one in enumerate(times, start=1)]
    rows[3] = replace(rows[3], flags=ReadingFlag.REGISTER_RESTARTED)
    found = gaps_of({DEVICE: rows}, (2 * hour, 5 * hour))
    long, unknown = found
    assert (long.start, long.end, long.is_unknown) == (hour, 4 * hour, False)
    assert (unknown.start, unknown.end, unknown.is_unknown) == (4 * hour, 5 * hour, True)
    assert gaps_of({DEVICE: rows}, (0, hour)) == []
    assert list(gaps_text(found, zone("Europe/Amsterdam"))) == [
        f"{DEVICE}: no reading between 1970-01-01 02:00 and 1970-01-01 05:00, estimated",
        f"{DEVICE}: no reading between 1970-01-01 05:00 and 1970-01-01 06:00, unknown, not billed",
    ]
    assert list(gaps_text([long] * 13, zone("UTC")))[-1] == "and 3 more such gaps"


def test_verdict__of_a_right_bill__says_what_it_is_and_what_is_not_certain() -> None:
    assert verdict([HOLDS], {}, bill()) == (
        "The bill is right: 0.93 EUR follows line by line from anchored readings."
    )
    partly = bill(covers_to=80_000, estimated_wh=9, unknown_intervals=2)
    told = verdict([HOLDS], {}, partly)
    assert "do not reach both ends" in told and "9 Wh of it are estimated" in told
    assert "2 intervals is unknown" in told


def test_verdict__of_a_wrong_total__says_both_sums() -> None:
    wrong = Finding("result_recomputed", False, "total: …")
    told = verdict([HOLDS, wrong], {"total": 1_930_000}, bill())
    assert told == (
        "The answer is wrong: it says 1.93 EUR, by the anchored readings and the chain's tariffs "
        "it is 0.93 EUR."
    )


def test_verdict__of_what_could_not_be_asked__blames_nobody() -> None:
    unknown = Finding("batches_anchored", False, "no chain node answers", is_known=False)
    told = verdict([HOLDS, unknown], {}, None)
    assert told.startswith("The answer could not be checked whole") and "wrong" not in told
