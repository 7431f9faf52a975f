"""The report as files: one self-contained page, one JSON."""

import html
import json
from pathlib import Path

from offchain.demo.outputs import write_text
from offchain.demo.report import plots
from offchain.demo.report.content import RunReport

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; }
body { margin: 2rem auto; max-width: 62rem; padding: 0 1rem; }
h1 { margin-bottom: 0; }
h2 { margin-top: 2.2rem; border-bottom: 1px solid #ddd; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #eee; }
td { vertical-align: top; }
td { overflow-wrap: anywhere; }
code { font-size: .92em; }
.name { white-space: nowrap; }
.ok { color: #1c7c44; font-weight: 600; }
.failed { color: #b3202c; font-weight: 600; }
.note { color: #666; }
svg { max-width: 100%; height: auto; }
"""


def write_json(report: RunReport, path: Path) -> None:
    """Write the machine-readable report; a reader never sees half of it."""
    write_text(path, json.dumps(report.as_json(), indent=2) + "\n")


def write_page(report: RunReport, folder: Path) -> Path:
    """Write `index.html` and `report.json` into a folder and return the page's path."""
    page = folder / "index.html"
    write_json(report, folder / "report.json")
    write_text(page, _page(report))
    return page


def _page(report: RunReport) -> str:
    findings = report.findings
    held = sum(check.ok for check in findings.checks)
    parts = [
        f"<h1>DMSM: {held} of {len(findings.checks)} checks hold</h1>",
        f'<p class="note">{_text(report.source)}; {len(report.homes)} homes, '
        f"{sum(len(home.samples) for home in report.homes):,} readings"
        f"{'; on ' + _text(report.ground) if report.ground else ''}.</p>",
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
        [_verdict(check.ok), _name(check.name), _text(check.detail)]
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
    rows = [[_name(name), f"{gas:,}"] for name, gas in sorted(report.gas.items())]
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
    kind, word = ("ok", "ok") if ok else ("failed", "FAILED")
    return f'<span class="name {kind}">{word}</span>'


def _name(name: str) -> str:
    return f'<code class="name">{_text(name)}</code>'


def _text(value: str) -> str:
    return html.escape(value)
