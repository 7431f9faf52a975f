"""What a network consists of, and where in its folder everything lies.

::

    FOLDER/.gitignore          keeps all of it, keys above all, out of git
          plan.json            this module's
          network.toml         what members' profiles name: `network = "FOLDER/network.toml"`
          genesis.json deployment.json
          keys/                the consortium's and the heartbeat's private keys
          swarm.key            who has it may join the IPFS swarm
          signer-1/ …          a signer's data, keystore, password and config.toml
          ipfs-1/ …            a Kubo repository
          run/                 process ids · logs/
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from offchain.network.errors import PlanInvalid

PLAN_FILE = "plan.json"
HEARTBEAT = "heartbeat"
# Where the network's folder lies on each of several machines: as the systemd units say.
TARGET = Path("/var/lib/dmsm/network")
_LONGEST_SOCKET = 100  # the system takes 107 bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerPlan:
    """A signer: `address` signs blocks; its peers find `node_id` (128 hex digits) at `host`."""

    name: str
    host: str
    address: str
    node_id: str
    p2p_port: int
    rpc_port: int
    auth_port: int
    metrics_port: int

    @property
    def enode(self) -> str:
        """Return its address as peers dial it."""
        return f"enode://{self.node_id}@{self.host}:{self.p2p_port}?discport=0"


@dataclass(frozen=True, slots=True, kw_only=True)
class IpfsPlan:
    """A Kubo node; `peer_id` names it in the swarm, whose nodes find it at `host`."""

    name: str
    host: str
    peer_id: str
    swarm_port: int
    api_port: int

    @property
    def multiaddress(self) -> str:
        """Return its address as peers dial it."""
        return f"/ip4/{self.host}/tcp/{self.swarm_port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPlan:
    """A network. Nodes listen for each other at their hosts; their RPC is always at 127.0.0.1.

    heartbeat_s: an idle chain gets a block so often (its time moves only with blocks).
    ranked: its genesis ranks the signers, which only the Geth built here knows.
    """

    folder: Path
    engine: str
    chain_id: int
    period_s: int
    heartbeat_s: int
    signers: tuple[SignerPlan, ...]
    ipfs: tuple[IpfsPlan, ...]
    ranked: bool = False  # plans of before have no such line

    @property
    def rpc_urls(self) -> tuple[str, ...]:
        """Return the signers' JSON-RPC addresses."""
        return tuple(f"http://127.0.0.1:{signer.rpc_port}" for signer in self.signers)

    @property
    def ipfs_urls(self) -> tuple[str, ...]:
        """Return the Kubo nodes' RPC addresses."""
        return tuple(f"http://127.0.0.1:{node.api_port}" for node in self.ipfs)

    @property
    def ports(self) -> frozenset[int]:
        """Return every port that a node of it listens on when it runs."""
        signers = [
            (one.p2p_port, one.rpc_port, one.auth_port, one.metrics_port) for one in self.signers
        ]
        ipfs = [(one.swarm_port, one.api_port) for one in self.ipfs]
        return frozenset(port for ports in (*signers, *ipfs) for port in ports)

    @property
    def hosts(self) -> tuple[str, ...]:
        """Return the addresses of the machines, each once."""
        hosts = [signer.host for signer in self.signers] + [node.host for node in self.ipfs]
        return tuple(dict.fromkeys(hosts))

    @property
    def is_spread(self) -> bool:
        """Whether the nodes belong on several machines: then none is started from here."""
        return len(self.hosts) > 1

    @property
    def shared_rpc_urls(self) -> tuple[str, ...]:
        """Return the signers' JSON-RPC addresses that mean a node wherever one reads them: of
        several machines, those that each machine with a signer has, of its own signer.
        """
        ports: dict[str, dict[int, None]] = {}
        for one in self.signers:
            ports.setdefault(one.host, {})[one.rpc_port] = None
        everywhere = set.intersection(*map(set, ports.values())) if self.is_spread else None
        found = (one.rpc_port for one in self.signers)
        kept = dict.fromkeys(port for port in found if everywhere is None or port in everywhere)
        return tuple(f"http://127.0.0.1:{port}" for port in kept)

    @property
    def is_idle_without_beat(self) -> bool:
        """Whether the chain makes no block while nobody sends: Clique at period 0."""
        return self.engine == "clique" and self.period_s == 0

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all processes, in the order of their start."""
        nodes = [*(one.name for one in self.signers), *(one.name for one in self.ipfs)]
        return (*nodes, *((HEARTBEAT,) if self.is_idle_without_beat else ()))

    def signer(self, name: str) -> SignerPlan:
        """Return the signer called `name`, by name or account. Raises PlanInvalid."""
        for one in self.signers:
            if name in (one.name, one.address):
                return one
        known = ", ".join(one.name for one in self.signers)
        raise PlanInvalid(f"the network has no signer {name!r}; it has {known}")

    def home(self, name: str) -> Path:
        """Return the folder of a node."""
        return self.folder / name

    def key(self, name: str) -> Path:
        """Return the file of a private key (hex, 0600): "consortium" or "heartbeat"."""
        return self.folder / "keys" / name

    def ipc_path(self, name: str) -> Path:
        """Return a signer's control socket. Deep folders get theirs in the system's short one."""
        path = self.home(name) / "geth.ipc"
        if len(os.fsencode(path)) <= _LONGEST_SOCKET:
            return path
        return self._socket_folder() / f"{name}.ipc"

    def _socket_folder(self) -> Path:
        note = self.folder / "sockets"
        if not note.exists():
            note.write_text(tempfile.mkdtemp(prefix="dmsm-net-"))  # 0700
        return Path(note.read_text())

    def with_signers(self, signers: tuple[SignerPlan, ...]) -> NetworkPlan:
        """Return the plan with other signers."""
        return replace(self, signers=signers)

    def save(self) -> None:
        """Write the plan into its folder, whole or not at all."""
        content = {key: value for key, value in asdict(self).items() if key != "folder"}
        write_whole(self.folder / PLAN_FILE, json.dumps(content, indent=1) + "\n")


def load_plan(folder: Path) -> NetworkPlan:
    """Read the plan of the network in `folder`. Raises PlanInvalid."""
    path = folder / PLAN_FILE
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        content["signers"] = tuple(SignerPlan(**one) for one in content["signers"])
        content["ipfs"] = tuple(IpfsPlan(**one) for one in content["ipfs"])
        return NetworkPlan(folder=folder.resolve(), **content)
    except FileNotFoundError:
        raise PlanInvalid(
            f"there is no network in {folder}; start one with `dmsm net up`"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PlanInvalid(f"{path} is not a network's plan: {error!r}") from error


def write_whole(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Write a file under a temporary name and then give it its own."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)
