"""The command line `dmsm`: one file a group of commands. Only this package reads settings."""

from offchain.cli.app import main

__all__ = ["main"]
