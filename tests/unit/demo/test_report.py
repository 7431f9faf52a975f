"""What a run leaves behind: a page that needs nothing else, a file whole or not there."""

import os
import re
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from offchain.demo.checks import CHECKS, Findings
from offchain.demo.options import DemoInputError, DemoOptions
from offchain.demo.outputs import check_outputs, write_text
from offchain.demo.report import (
    FormRow,
    NotificationRow,
    RunReport,
    print_summary,
    write_json,
    write_page,
)
from tests.unit.demo.conftest import MIDNIGHT_S, MakeHome

HOSTILE = [
    "<script>alert(1)</script>",
    "$\\frac{1$ _{x}",
    "_hidden",
    "a & b \"c\" 'd'",
    "家 🏠",
    "[red]x[/red] [/nope]",
    ' xmlns="http://example.org" ',
]
ADDRESS = "0x" + "Ab" * 20


class Page(HTMLParser):
    """The tags, attributes and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture
def report(make_home: MakeHome) -> RunReport:
    """Return a report of homes with names that mean harm."""
    findings = Findings()
    with findings.stage("deploy <and> admit"):
        findings.record("credit_up", True, f"{HOSTILE[0]} [/nope] \\[bold]")
    made = RunReport(
        findings=findings,
        source=HOSTILE[0],
        homes=[make_home([5, -5, 7], name=name) for name in HOSTILE],
        gas={"deploy": 17, "notify": 5},
        results={HOSTILE[0]: HOSTILE[5]},
        form=[FormRow(processor=ADDRESS, region=HOSTILE[0], credit=3, price_wei=10)],
    )
    made.notifications += [
        NotificationRow(
            home=name,
            time_s=MIDNIGHT_S,
            status="too high",
            temperature_too_high=True,
            power_w=5,
            injected=True,
        )
        for name in HOSTILE
    ]
    return made


def page_of(report: RunReport, folder: Path) -> str:
    return write_page(report, folder).read_text("utf-8")


def test_write_page__names_that_mean_harm__are_shown_as_text(
    report: RunReport, tmp_path: Path
) -> None:
    page = Page(page_of(report, tmp_path))
    assert "script" not in page.tags
    shown = " ".join(page.texts)
    assert all(name.strip() in shown for name in HOSTILE)


def test_write_page__all_there_is__refers_to_nothing_outside(
    report: RunReport, tmp_path: Path
) -> None:
    report.homes, report.notifications = report.homes[:-1], report.notifications[:-1]
    text = page_of(report, tmp_path)
    assert not re.search(r"https?:|//|@import", text)
    page = Page(text)
    assert not page.tags & {"script", "link", "iframe", "img", "object", "embed", "base"}
    links = [value or "" for name, value in page.attributes if name in {"src", "href"}]
    links += [value or "" for name, value in page.attributes if name == "xlink:href"]
    assert all(link.startswith("#") for link in links)
    assert set(re.findall(r"url\((.)", text)) <= {"#"}


def test_write_page__a_whole_run__has_the_four_plots_and_every_check(
    report: RunReport, tmp_path: Path
) -> None:
    text = page_of(report, tmp_path)
    assert text.count("<svg") == 4  # load, notifications, the form, gas
    assert all(f'<code class="name">{name}</code>' in text for name in CHECKS)
    assert ".name { white-space: nowrap; }" in text
    assert "<metadata" not in text


def test_write_page__nothing_was_reached__is_still_a_page(tmp_path: Path) -> None:
    text = page_of(RunReport(findings=Findings(), source="x"), tmp_path / "a" / "b")
    assert f"0 of {len(CHECKS)} checks hold" in text
    assert (tmp_path / "a" / "b" / "report.json").is_file()


def test_write_page__a_year_ends_time__is_drawn(make_home: MakeHome, tmp_path: Path) -> None:
    home = make_home([1, 2])
    early, late = (
        type(home)(
            name=str(time_s),
            meter=tuple(
                type(one)(
                    time_s=time_s + n, import_wh=0, export_wh=0, power_w=2**31 - 1, temperature_dc=0
                )
                for n, one in enumerate(home.samples)
            ),
        )
        for time_s in (1, 2**32 - 2)
    )
    report = RunReport(findings=Findings(), source="x", homes=[early, late])
    assert "<svg" in page_of(report, tmp_path)


def test_print_summary__brackets_in_details__are_printed_as_they_are(report: RunReport) -> None:
    out = StringIO()
    print_summary(report, Console(file=out, width=400, emoji=False))
    assert f"{HOSTILE[0]} [/nope] \\[bold]" in out.getvalue()
    assert all(name in out.getvalue() for name in CHECKS)
    assert f"1 of {len(CHECKS)} checks hold" in out.getvalue()


def test_write_json__a_file_is_there__is_replaced_and_no_part_stays(
    report: RunReport, tmp_path: Path
) -> None:
    path = tmp_path / "deep" / "r.json"
    write_json(report, path)
    write_json(report, path)
    assert os.listdir(path.parent) == ["r.json"]


def test_write_text__what_no_utf8_has__is_written_out(tmp_path: Path) -> None:
    write_text(tmp_path / "x", "a\udcff")
    assert (tmp_path / "x").read_bytes() == b"a\\udcff"


def test_write_text__a_link__stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_text(tmp_path / "link", "x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "x"


def test_write_text__a_pipe__is_written_to(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_text(tmp_path / "pipe", "x")
    assert os.read(reader, 10) == b"x"
    os.close(reader)


def test_check_outputs__fine__leaves_no_file_behind(tmp_path: Path) -> None:
    options = DemoOptions(json_file=tmp_path / "a" / "r.json", report_dir=tmp_path / "b")
    check_outputs(options)
    assert not list((tmp_path / "a").iterdir())
    assert not list((tmp_path / "b").iterdir())


def test_check_outputs__an_old_report_is_there__is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text("old")
    check_outputs(DemoOptions(json_file=tmp_path / "r.json", report_dir=tmp_path))
    assert (tmp_path / "r.json").read_text() == "old"


@pytest.mark.parametrize("name", ["folder", "file/r.json", "x" * 300, "/proc/no/r.json"])
def test_check_outputs__json_cannot_be_written__is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(DemoInputError, match=r"^--json "):
        check_outputs(DemoOptions(json_file=tmp_path / name, report_dir=tmp_path))


@pytest.mark.parametrize("name", ["file", "file/below", "/proc/no", "taken"])
def test_check_outputs__report_cannot_be_written__is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "taken" / "index.html").mkdir(parents=True)
    with pytest.raises(DemoInputError, match=r"^--report-dir "):
        check_outputs(DemoOptions(report_dir=tmp_path / name))
