"""Scripts that start the nodes of a network whose machines are others (docs/network.md)."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

from offchain.network import geth, kubo
from offchain.network.plan import TARGET, NetworkPlan, write_whole

# Where the programs lie on each machine: as the systemd units say.
PROGRAMS = Path("/usr/local/bin")


def write_start_scripts(plan: NetworkPlan) -> None:
    """Write `start` into each node's folder, with paths as they will be on its machine."""
    there = replace(plan, folder=TARGET)
    for signer in plan.signers:
        _write(plan.home(signer.name), geth.command(PROGRAMS / "geth", there, signer), {})
    for node in plan.ipfs:
        environment = kubo.environment(there.home(node.name))
        _write(plan.home(node.name), kubo.command(PROGRAMS / "ipfs"), environment)


def _write(home: Path, command: list[str], environment: dict[str, str]) -> None:
    given = [f"{name}={value}" for name, value in environment.items()]
    line = shlex.join([*(["env", *given] if given else []), *command])
    write_whole(home / "start", f"#!/bin/sh\nexec {line}\n", mode=0o700)
