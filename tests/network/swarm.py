"""A private swarm of Kubo nodes for the tests of storage: no chain, so no Geth is needed."""

from __future__ import annotations

import base64
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import requests

from offchain.network import kubo
from offchain.network.kubo_rpc import KuboRpc
from offchain.network.plan import IpfsPlan, NetworkPlan, write_whole
from offchain.network.ports import free_ports
from offchain.network.processes import ProcessFolder
from offchain.network.programs import KUBO, find_program

HOST = "127.0.0.1"


def ipfs_alone(folder: Path, nodes: Sequence[IpfsPlan]) -> NetworkPlan:
    """The plan of a swarm without a chain."""
    return NetworkPlan(
        folder=folder,
        engine="clique",
        chain_id=1,
        period_s=0,
        heartbeat_s=1,
        signers=(),
        ipfs=tuple(nodes),
    )


class Swarm:
    """Nodes ``ipfs-1``, ``ipfs-2`` … in a folder, started, killed, and robbed of their content."""

    def __init__(self, folder: Path, *, nodes: int) -> None:
        folder.mkdir()
        self.folder, self.processes = folder, ProcessFolder(folder)
        self._program = find_program(KUBO)
        write_whole(folder / "swarm.key", kubo.swarm_key(), mode=0o600)
        ports = free_ports(2 * nodes)
        made = [
            kubo.make_node(
                self._program,
                folder / f"ipfs-{number + 1}",
                host=HOST,
                ports=ports[2 * number : 2 * number + 2],
            )
            for number in range(nodes)
        ]
        self.plan = ipfs_alone(folder, made)
        for node in made:
            kubo.write_config(self.plan, node)
        self.start()

    @property
    def names(self) -> list[str]:
        return [node.name for node in self.plan.ipfs]

    @property
    def urls(self) -> list[str]:
        return list(self.plan.ipfs_urls)

    def rpc(self, name: str) -> KuboRpc:
        return KuboRpc(self.urls[self.names.index(name)])

    def start(self) -> None:
        """Start what does not run; return when all are up and know each other."""
        for node in self.plan.ipfs:
            if not self.processes.is_running(node.name):
                self.processes.start(
                    node.name,
                    kubo.command(self._program),
                    environment=kubo.environment(self.plan.home(node.name)),
                    tied=True,
                )
        for name in self.names:
            self._wait(self.rpc(name).answers, name)
        for node in self.plan.ipfs:
            for other in self.names:
                if other != node.name:
                    self.rpc(other).connect(f"{node.multiaddress}/p2p/{node.peer_id}")
        for name in self.names:
            self._wait(lambda at=name: self.rpc(at).peers() == len(self.names) - 1, name)

    def kill(self, name: str) -> None:
        """End a node as a loss of power would."""
        self.processes.kill(name)

    def stop(self) -> None:
        self.processes.stop(self.names)

    def collect_garbage(self, name: str) -> None:
        self.post(name, "repo/gc")

    def post(self, name: str, command: str, *, file: bytes | None = None, **options: str) -> str:
        """Give a command whose answer is not one JSON; return its text."""
        session = requests.Session()
        session.trust_env = False
        answer = session.post(
            f"{self.urls[self.names.index(name)]}/api/v0/{command}",
            params=options,
            files=None if file is None else {"file": file},
            timeout=60,
        )
        answer.raise_for_status()
        return answer.text

    def unpin_everything(self, name: str) -> None:
        rpc = self.rpc(name)
        for cid in rpc.ask("pin/ls", type="recursive").get("Keys") or {}:
            rpc.ask("pin/rm", arg=cid)

    def lose_repository(self, name: str) -> None:
        """Kill a node and take its disk away: it starts again as another, empty node would."""
        self.kill(name)
        home, fresh = self.plan.home(name), self.folder / "fresh"
        kubo.make_node(self._program, fresh, host=HOST, ports=[0, 0])
        for part in ("blocks", "datastore"):
            shutil.rmtree(home / part)
            shutil.move(fresh / part, home / part)
        shutil.rmtree(fresh)

    def damage(self, name: str, digest: bytes) -> None:
        """Change one byte of a block where it lies on a node's disk."""
        key = base64.b32encode(bytes((0x12, 32)) + digest).decode().rstrip("=")
        (path,) = (self.plan.home(name) / "blocks").rglob(f"{key}.data")
        data = bytearray(path.read_bytes())
        data[0] ^= 1
        path.chmod(0o644)
        path.write_bytes(data)

    def _wait(self, holds: Callable[[], bool], name: str) -> None:
        give_up_at = time.monotonic() + 60
        while not holds():
            assert time.monotonic() < give_up_at, f"{name}: {self.processes.tail(name)}"
            time.sleep(0.1)
