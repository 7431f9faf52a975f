"""A network whose signers meet through toxiproxy, and which can be cut in two and healed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import requests

from offchain.network.building import NetworkOptions, build
from offchain.network.errors import NodeFailed, PortTaken
from offchain.network.operation import Network
from offchain.network.plan import NetworkPlan
from offchain.network.ports import free_ports
from offchain.network.programs import TOXIPROXY, find_program
from tests.network.sending import wait_for

_PROXY = "toxiproxy"
_TIMEOUT_S = 10.0
_OTHER_PORTS = 3


class CutNetwork(Network):
    """Each signer dials each other one through a proxy of its own."""

    def __init__(self, plan: NetworkPlan) -> None:
        super().__init__(plan, tied=True)
        self._port = free_ports(1)[0]
        self._session = requests.Session()
        self._session.trust_env = False
        self._links: dict[tuple[str, str], str] = {}

    def start_proxies(self) -> None:
        """Start toxiproxy, and tell each signer to dial its peers there."""
        program = find_program(TOXIPROXY)
        self.processes.start(_PROXY, [str(program), "-port", str(self._port)], tied=True)
        wait_for(self._answers_proxy, timeout_s=20)
        for one, other in itertools.permutations(self.plan.signers, 2):
            port = free_ports(1)[0]
            name = f"{one.name}-to-{other.name}"
            there = {"listen": f"127.0.0.1:{port}", "upstream": f"{other.host}:{other.p2p_port}"}
            self._ask("POST", "/proxies", {"name": name, **there, "enabled": True})
            self._links[one.name, other.name] = name
            config = self.plan.home(one.name) / "config.toml"
            dialled = other.enode.replace(f":{other.p2p_port}?", f":{port}?")
            config.write_text(config.read_text().replace(other.enode, dialled))

    def cut(self, group: Sequence[str]) -> None:
        """Let no byte pass between a group and the rest; connections stay, as with a cut cable."""
        for name in self._links_over(group):
            for stream in ("upstream", "downstream"):
                toxic = {"name": f"cut-{stream}", "type": "timeout", "stream": stream}
                self._ask("POST", f"/proxies/{name}/toxics", toxic | {"attributes": {"timeout": 0}})

    def heal(self, group: Sequence[str]) -> None:
        """Let everything pass again."""
        for name in self._links_over(group):
            for stream in ("upstream", "downstream"):
                self._ask("DELETE", f"/proxies/{name}/toxics/cut-{stream}")

    def _links_over(self, group: Sequence[str]) -> list[str]:
        return [
            name for (one, other), name in self._links.items() if (one in group) != (other in group)
        ]

    def _answers_proxy(self) -> bool:
        try:
            self._ask("GET", "/version")
        except requests.RequestException:
            return False
        return True

    def _ask(self, method: str, path: str, body: object = None) -> None:
        url = f"http://127.0.0.1:{self._port}{path}"
        self._session.request(method, url, json=body, timeout=_TIMEOUT_S).raise_for_status()


@contextmanager
def open_cut_network(folder: Path) -> Iterator[CutNetwork]:
    """Five signers behind proxies, without IPFS and contracts; ended and deleted in any case."""
    network = _started(folder)
    try:
        yield network
    finally:
        network.delete()


def _started(folder: Path) -> CutNetwork:
    for _ in range(_OTHER_PORTS):
        network = CutNetwork(build(NetworkOptions(folder=folder, signers=5, ipfs_nodes=0)))
        try:
            network.start_proxies()
            network.start()
        except PortTaken:  # by another program, since it was found to be free
            network.delete()
        except BaseException:
            network.delete()
            raise
        else:
            return network
    raise NodeFailed(f"its ports were taken {_OTHER_PORTS} times")
