"""The summary on the terminal."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from offchain.demo.report.content import RunReport


def print_summary(report: RunReport, console: Console) -> None:
    """Print every check with its verdict, the gas a step, and what the run came to."""
    table = Table(title="checks", title_justify="left")
    table.add_column("")
    table.add_column("check", no_wrap=True)
    table.add_column("what was seen", overflow="fold")
    for check in report.findings.checks:
        mark = "[green]ok[/]" if check.ok else "[red]FAILED[/]"
        table.add_row(mark, check.name, escape(check.detail))
    console.print(table)
    gas = ", ".join(f"{name} {amount:,}" for name, amount in sorted(report.gas.items()) if amount)
    console.print(f"median gas a step (deploy: the sum): {gas}", highlight=False)
    held = sum(check.ok for check in report.findings.checks)
    total = len(report.findings.checks)
    seconds = sum(stage.seconds for stage in report.findings.stages)
    colour = "green" if report.findings.is_ok else "red"
    console.print(
        f"[{colour}]{held} of {total} checks hold[/], in {seconds:.0f} s", highlight=False
    )
