"""`dmsm demo`: the main job end to end."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    homes: Annotated[
        int | None, typer.Option(help="How many homes (default 5; all of --readings).")
    ] = None,
    days: Annotated[
        int | None, typer.Option(help="How many UTC days of each home (default 7; all).")
    ] = None,
    sharers: Annotated[int, typer.Option(help="How many data-sharing nodes.")] = 3,
    threshold: Annotated[int, typer.Option(help="How many of them recover the key.")] = 2,
    readings: Annotated[
        Path | None, typer.Option(help="A folder of meter files, *.csv, instead of real homes.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write checks, stages and gas to this file.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Fixes events, kill point and tampering.")] = 1,
    report_dir: Annotated[Path, typer.Option(help="Where the report goes.")] = Path("demo-report"),
) -> None:
    """Run the whole mechanism on real homes, on a chain of its own, and report every check.

    Needs `make setup`, no keys and no running service; costs nothing but some minutes. Exit code
    0: every check holds, 1: something does not, 2: bad options or input, found before anything
    starts.
    """
    from offchain.services.demo.options import DemoInputError, DemoOptions

    try:
        options = DemoOptions(
            homes=homes,
            days=days,
            sharers=sharers,
            threshold=threshold,
            readings=readings,
            json_file=json_file,
            report_dir=report_dir,
            seed=seed,
        )
    except DemoInputError as error:
        typer.echo(f"dmsm demo: {error}", err=True)
        raise typer.Exit(2) from error
    from offchain.services.demo.run import main as run

    raise typer.Exit(run(options))
