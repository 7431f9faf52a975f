"""`dmsm demo`: the main job end to end."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from offchain.demo.ground import GroundOpener


class DemoNetwork(StrEnum):
    """What the demo runs on; it starts it and ends it."""

    ANVIL = "anvil"
    CLIQUE = "clique"


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
    network: Annotated[
        DemoNetwork,
        typer.Option(help="clique: real Geth signers and Kubo, built once with Go, started here."),
    ] = DemoNetwork.ANVIL,
) -> None:
    """Run the whole mechanism on real homes, on a chain of its own, and report every check.

    Needs `make setup`, no keys and no running service; costs nothing but some minutes (on `clique`
    some more: time cannot be moved there). Exit code 0: every check holds, 1: something does not,
    2: bad options or input, found before anything starts.
    """
    from offchain.demo.options import DemoInputError, DemoOptions

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
    from offchain.demo.run import main as run

    raise typer.Exit(run(options, open_ground=_opener(network)))


def _opener(network: DemoNetwork) -> GroundOpener:
    if network is DemoNetwork.ANVIL:
        from offchain.demo.development import open_anvil

        return open_anvil
    from offchain.cli.demo_network import find_programs, open_clique
    from offchain.network.errors import ProgramMissing

    try:
        find_programs(lambda text: typer.echo(f"dmsm demo: {text}", err=True))
    except ProgramMissing as error:
        typer.echo(f"dmsm demo: {error}", err=True)
        raise typer.Exit(2) from error
    return open_clique
