"""The report as files: one self-contained page, one JSON."""

import html
import json
import os
from pathlib import Path

from offchain.services.demo.report import plots
from offchain.services.demo.report.content import RunReport

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; }
body { margin: 2rem auto; max-width: 62rem; padding: 0 1rem; }
h1 { margin-bottom: 0; }
h2 { margin-top: 2.2rem; border-bottom: 1px solid #ddd; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #eee; }
td { vertical-align: top; }
code { font-size: .92em; overflow-wrap: anywhere; }
.ok { color: #1c7c44; font-weight: 600; }
.failed { color: #b3202c; font-weight: 600; }
.note { color: #666; }
svg { max-width: 100%; height: auto; }
"""


def write_json(report: RunReport, path: Path) -> None:
    """Write the machine-readable report; a reader never sees half of it."""
    _write(path, json.dumps(report.as_json(), indent=2) + "\n")


def write_page(report: RunReport, folder: Path) -> Path:
    """Write `index.html` and `report.json` into a folder and return the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "index.html"
    _write(page, _page(report))
    write_json(report, folder / "report.json")
    return page


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


def _page(report: RunReport) -> str:
    findings = report.findings
    held = sum(check.ok for check in findings.checks)
    parts = [
        f"<h1>DMSM: {held} of {len(findings.checks)} checks hold</h1>",
        f'<p class="note">{_text(report.source)}; {len(report.homes)} homes, '
        f"{sum(len(home.samples) for home in report.homes):,} readings.</p>",
        _section("Checks", _checks_table(report)),
        _section("The homes' load", plots.load_plot(report) if report.homes else ""),
    ]
    if report.notifications:
        parts.append(_section("Notifications", plots.notification_plot(report)))
    if report.form:
        parts.append(_section("The form", _form_table(report) + plots.form_plot(report)))
    if report.results:
        parts.append(_section("What the roles received", _results_table(report)))
    if any(report.gas.values()):
        parts.append(_section("Gas", plots.gas_plot(report) + _gas_table(report)))
    parts.append(_section("Stages", _stages_table(report)))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>DMSM run</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>\n"
    )


def _section(title: str, body: str) -> str:
    return f"<h2>{_text(title)}</h2>{body}"


def _checks_table(report: RunReport) -> str:
    rows = [
        [_verdict(check.ok), f"<code>{check.name}</code>", _text(check.detail)]
        for check in report.findings.checks
    ]
    return _table(["", "check", "what was seen"], rows)


def _form_table(report: RunReport) -> str:
    rows = [
        [
            str(n),
            f"<code>{_text(row.processor)}</code>",
            _text(row.region),
            str(row.credit),
            f"{row.price_wei:,}",
        ]
        for n, row in enumerate(report.form, start=1)
    ]
    return _table(["", "processing node", "region", "credit", "price (wei)"], rows)


def _results_table(report: RunReport) -> str:
    return _table(["", ""], [[_text(k), _text(v)] for k, v in report.results.items()])


def _gas_table(report: RunReport) -> str:
    rows = [[f"<code>{name}</code>", f"{gas:,}"] for name, gas in sorted(report.gas.items())]
    return _table(["step", "gas (median; deploy: sum)"], rows)


def _stages_table(report: RunReport) -> str:
    rows = [
        [_verdict(stage.ok), _text(stage.name), f"{stage.seconds:.1f}"]
        for stage in report.findings.stages
    ]
    return _table(["", "stage", "seconds"], rows)


def _table(head: list[str], rows: list[list[str]]) -> str:
    cells = "".join(f"<th>{title}</th>" for title in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>"


def _verdict(ok: bool) -> str:
    return '<span class="ok">ok</span>' if ok else '<span class="failed">FAILED</span>'


def _text(value: str) -> str:
    return html.escape(value)
