"""What a network needs whose machines are others: scripts that start its nodes, and what to open
(docs/network.md).
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
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


def machine_lines(plan: NetworkPlan) -> Iterator[str]:
    """Yield for each machine its nodes, the ports that peers must reach, and those that Prometheus
    asks there.
    """
    for host in plan.hosts:
        signers = [one for one in plan.signers if one.host == host]
        ipfs = [one for one in plan.ipfs if one.host == host]
        names = [one.name for one in signers] + [one.name for one in ipfs]
        peers = [one.p2p_port for one in signers] + [one.swarm_port for one in ipfs]
        metrics = [one.metrics_port for one in signers] + [one.api_port for one in ipfs]
        yield (
            f"{host}: {', '.join(names)}; open to peers: {', '.join(map(str, peers))}; "
            f"for Prometheus on loopback: {', '.join(map(str, metrics))}"
        )


def _write(home: Path, command: list[str], environment: dict[str, str]) -> None:
    given = [f"{name}={value}" for name, value in environment.items()]
    line = shlex.join([*(["env", *given] if given else []), *command])
    write_whole(home / "start", f"#!/bin/sh\nexec {line}\n", mode=0o700)
