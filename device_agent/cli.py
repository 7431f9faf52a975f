"""`dmsm-agent run|recover --config FILE`: the device agent's command line."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)

ConfigFile = Annotated[Path, typer.Option(help="JSON or TOML; paths in it are relative to it.")]
InjectFile = Annotated[
    Path | None,
    typer.Option(help='Trial reports: [{"after_seq", "power_w", "temperature_dc"}, …].'),
]
Days = Annotated[int | None, typer.Option(min=1, help="Only the first N UTC days of the input.")]


@app.callback()
def agent() -> None:
    """Read a meter, seal and send its readings, anchor their batches, report its status."""


@app.command()
def run(config: ConfigFile, inject: InjectFile = None, days: Days = None) -> None:
    """Run one device until its meter's input ends; running it again goes on where it stopped.

    Needs a chain with the contracts, a processing node, the device's key folder (account.json,
    bls.json, device.json) with a password file, and a meter file. Progress comes as JSON lines.
    Ends with 0 when all is sent and anchored, 2 for bad settings or input, 3 when node or chain
    cannot be reached or another program holds the outbox, 4 when they know more than the outbox, 5
    when it is damaged, 6 when another version made it, 7 for an error that nobody foresaw, 8 when
    there is no room to write, 1 for any other refusal. It can be started again at once.
    """
    # Imported here, so that --help does not wait for the chain's libraries.
    from device_agent.assembly import run_agent
    from device_agent.config import load_config

    inject = None if inject is None else inject.absolute()
    _end_by_its_code(lambda: run_agent(load_config(config, inject=inject, days=days)))


@app.command()
def recover(
    config: ConfigFile,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it; without, only say what would be.")
    ] = False,
) -> None:
    """Begin a fresh outbox behind what chain and node know, when `run` ends with 4 (safe mode).

    Needs what `run` needs, and chain and node within reach; the agent must be stopped. No seq is
    used twice: the readings that the node holds in no batch come back from it, and the next one
    goes on behind them. Says which readings are lost. The old outbox is put aside, not deleted.
    Better than this is the newest copy of the outbox, if there is one. Exit codes as of `run`.
    """
    from device_agent.config import load_config
    from device_agent.recover import recover_outbox

    _end_by_its_code(lambda: recover_outbox(load_config(config), is_confirmed=yes))


def _end_by_its_code(step: Callable[[], None]) -> None:
    """Do it; an error ends the process with one line on stdout and stderr, and its own code."""
    from offchain.containment import contained
    from offchain.errors import DmsmError

    try:
        with contained("the agent"):
            step()
    except DmsmError as error:
        print(json.dumps({"event": "error", "detail": str(error)}), flush=True)
        print(error, file=sys.stderr)
        raise typer.Exit(_exit_code(error)) from error


def _exit_code(error: Exception) -> int:
    from device_agent.agent import PASSING
    from device_agent.errors import AgentError
    from offchain.chain.errors import ChainMismatch, DeploymentInvalid
    from offchain.containment import exit_code
    from offchain.errors import KeystoreError, MeterCsvError

    if (own := exit_code(error)) is not None:
        return own
    if isinstance(error, AgentError):
        return error.exit_code
    if isinstance(error, PASSING):
        return 3
    bad_setup = (MeterCsvError, KeystoreError, ChainMismatch, DeploymentInvalid)
    return 2 if isinstance(error, bad_setup) else 1


def main() -> None:
    """Run the command line."""
    app()
