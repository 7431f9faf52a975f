"""The root of `dmsm`, and what becomes of errors: a sentence and an exit code (docs/guide.md)."""

from __future__ import annotations

import logging
import warnings
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from offchain.cli import (
    admin,
    aggregate,
    demo,
    disputes,
    judge,
    keys,
    net,
    node,
    pins,
    share,
    tariff,
    user,
    verify,
)
from offchain.cli.given import note_line
from offchain.containment import exit_code, ours
from offchain.errors import BillingError, Unforeseen
from offchain.settings import SettingsError

_FAILED, _MISUSED = 1, 2


class _Root(TyperGroup):
    """Turn every error into a sentence and an exit code, also one that nobody foresaw."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        note_line(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, TyperException):
            raise  # the command line's own ends
        except Exception as error:  # the end of the process: nothing goes on behind it
            if ctx.params.get("debug"):
                raise
            found = _ours(error)
            typer.echo(f"dmsm: {found}", err=True)
            raise typer.Exit(_code(found)) from error


def _ours(error: Exception) -> Exception:
    """Name an error; its trace is logged by processes that keep a log, else --debug shows it."""
    of_a_file = isinstance(error, OSError)  # one that is missing or closed to us says so itself
    is_logged = bool(logging.getLogger().handlers) and not of_a_file
    found = ours("the command", error, is_logged=is_logged)
    return error if of_a_file and isinstance(found, Unforeseen) else found


def _code(error: Exception) -> int:
    """Return the exit code: an Unforeseen's, a damaged or newer store's own, else 2 or 1."""
    if isinstance(error, SettingsError | BillingError):
        return _MISUSED
    return exit_code(error) or _FAILED


app = typer.Typer(
    cls=_Root,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Metering data on a consortium chain: anchored by devices, audited by users, "
    "shared for money. Start with `dmsm demo`, or with docs/guide.md.",
)
app.command(name="demo")(demo.demo)
aggregate.add_commands(node=node.app, share=share.app, user=user.app)
pins.add_command(node.app, user.app, share.app)
disputes.add_commands(user=user.app, share=share.app)
app.add_typer(keys.app, name="keys")
app.add_typer(admin.app, name="admin")
app.add_typer(node.app, name="node")
app.add_typer(user.app, name="user")
app.add_typer(share.app, name="share")
app.add_typer(judge.app, name="judge")
app.add_typer(tariff.app, name="tariff")
app.add_typer(verify.app, name="verify")
app.add_typer(net.app, name="net")


@app.callback()
def _root(
    debug: Annotated[
        bool, typer.Option("--debug", envvar="DMSM_DEBUG", help="Show tracebacks of errors.")
    ] = False,
    show_version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=lambda on: _show_version(on))
    ] = False,
) -> None:
    # The options are read where they act: `debug` by _Root, `--version` by its callback.
    del debug, show_version


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"dmsm {version('dmsm')}")
        raise typer.Exit


def main() -> None:
    """Run the command that the command line asks for; ends the process with its exit code."""
    # ipfshttpclient passes urllib3 an argument that it ignores, and urllib3 says so each time.
    warnings.filterwarnings("ignore", message="The 'strict' parameter", category=FutureWarning)
    app(prog_name="dmsm")
