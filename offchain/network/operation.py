"""Start a network's nodes, wait until they are one network, and end them again."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from offchain.chain.errors import NodeRefused, NodeUnavailable
from offchain.network import geth, kubo
from offchain.network.besu import NOT_RUN
from offchain.network.building import NetworkOptions, Say, build
from offchain.network.deployment import deploy
from offchain.network.errors import NodeFailed, PortTaken
from offchain.network.ipc import Ipc
from offchain.network.kubo_rpc import KuboRpc
from offchain.network.plan import HEARTBEAT, PLAN_FILE, NetworkPlan, load_plan
from offchain.network.ports import is_free
from offchain.network.processes import ProcessFolder
from offchain.network.programs import KUBO, PROJECT, find_program

_START_S = 60.0
_PEERS_S = 150.0  # Geth dials a peer again after 35 s, when both dialled at once and both hung up
_POLL_S = 0.05
_OTHER_PORTS = 2  # how often a new network tries others


class Network:
    """A network that runs, or may run, in its folder."""

    def __init__(self, plan: NetworkPlan, *, tied: bool = False) -> None:
        """`tied`: what this object starts dies with the thread that starts it (tests, the demo)."""
        self.plan, self._tied = plan, tied
        self.processes = ProcessFolder(plan.folder)

    def start(self, names: Iterable[str] | None = None) -> None:
        """Start the nodes `names` (all), those that do not run yet, and wait until they are ready.

        Raises NodeFailed with the end of the log of one that does not come up, ProgramMissing.
        """
        if self.plan.engine != "clique":
            raise NodeFailed(NOT_RUN)
        if self.plan.is_spread:
            raise NodeFailed("its nodes belong on several machines; docs/network.md says how")
        wanted = list(self.plan.names if names is None else names)
        started = [name for name in wanted if not self.processes.is_running(name)]
        for name in started:
            self._start(name)
        for name in started:
            self._wait_until(self._answers, name, "did not answer")
        self._connect_ipfs()
        self._wait_for_peers()
        if names is None:
            self._wait_for_receipts()

    def stop(self, names: Iterable[str] | None = None) -> None:
        """End the nodes `names` (all) in good order; their data stay."""
        self.processes.stop(self.processes.known() if names is None else names)

    def delete(self) -> None:
        """End all and remove the folder: keys, chain and all."""
        self.stop()
        sockets = self.plan.folder / "sockets"
        if sockets.exists():
            shutil.rmtree(sockets.read_text(), ignore_errors=True)
        shutil.rmtree(self.plan.folder)

    def running_signers(self) -> list[str]:
        """Return the names of the signers that run."""
        names = (signer.name for signer in self.plan.signers)
        return [name for name in names if self.processes.is_running(name)]

    def running_ipfs(self) -> list[str]:
        """Return the names of the Kubo nodes that run."""
        names = (node.name for node in self.plan.ipfs)
        return [name for name in names if self.processes.is_running(name)]

    def ask(self, signer: str, method: str, *params: object) -> object:
        """Ask a signer through its control socket. Raises NodeRefused, NodeUnavailable."""
        with Ipc(self.plan.ipc_path(signer)) as node:
            return node.request(method, *params)

    def _start(self, name: str) -> None:
        if name == HEARTBEAT:
            command = [sys.executable, "-m", "offchain.network.heartbeat", str(self.plan.folder)]
            self.processes.start(
                name, command, environment={"PYTHONPATH": str(PROJECT)}, tied=self._tied
            )
        elif any(one.name == name for one in self.plan.ipfs):
            self._start_ipfs(name)
        else:
            signer = self.plan.signer(name)
            self._require_free(name, signer.p2p_port, signer.host)
            self._require_free(name, signer.rpc_port)
            self._require_free(name, signer.auth_port)
            self._require_free(name, signer.metrics_port)
            program = geth.find_geth(ranked=self.plan.ranked)
            command = geth.command(program, self.plan, signer)
            self.processes.start(name, command, tied=self._tied)

    def _start_ipfs(self, name: str) -> None:
        node = next(one for one in self.plan.ipfs if one.name == name)
        self._require_free(name, node.swarm_port, node.host)
        self._require_free(name, node.api_port)
        home = self.plan.home(name)
        self.processes.start(
            name,
            kubo.command(find_program(KUBO)),
            environment=kubo.environment(home),
            tied=self._tied,
        )

    def _require_free(self, name: str, port: int, host: str = "127.0.0.1") -> None:
        if not is_free(port, host=host):
            raise PortTaken(
                f"{name} needs port {port} at {host}, which is no address of this machine or on "
                "which another program listens; end that program"
            )

    def _answers(self, name: str) -> bool:
        if name == HEARTBEAT:
            return True
        if any(one.name == name for one in self.plan.ipfs):
            return self.kubo(name).answers()
        try:
            self.ask(name, "eth_chainId")
        except (NodeUnavailable, NodeRefused):
            return False
        return True

    def kubo(self, name: str) -> KuboRpc:
        """Return the RPC of a Kubo node of this network."""
        node = next(one for one in self.plan.ipfs if one.name == name)
        return KuboRpc(f"http://127.0.0.1:{node.api_port}")

    def _wait_for_peers(self) -> None:
        signers, nodes = self.running_signers(), self.running_ipfs()
        for name in signers:
            self._wait_until(
                lambda one: self.peers_of(one) >= len(signers) - 1,
                name,
                "found no peers",
                timeout_s=_PEERS_S,
            )
        for name in nodes:
            self._wait_until(
                lambda one: self.kubo(one).peers() >= len(nodes) - 1, name, "found no peers"
            )

    def wait_for_sync(self, signer: str) -> None:
        """Wait until a signer has the blocks that others have now. Raises NodeFailed."""
        others = [name for name in self.running_signers() if name != signer]
        goal = max((self.height_of(name) for name in others), default=0)
        self._wait_until(lambda one: self.height_of(one) >= goal, signer, "did not catch up")

    def height_of(self, signer: str) -> int:
        """Return the number of a signer's latest block. Raises NodeUnavailable."""
        return int(str(self.ask(signer, "eth_blockNumber")), 16)

    def _connect_ipfs(self) -> None:
        """Introduce the nodes: their own peering waits for seconds before it dials."""
        running = self.running_ipfs()
        for name in running:
            for other in self.plan.ipfs:
                if other.name != name and other.name in running:
                    address = f"{other.multiaddress}/p2p/{other.peer_id}"
                    self.kubo(name).connect(address)

    def _wait_for_receipts(self) -> None:
        """Wait for the first block: before it, Geth refuses to look for a receipt."""

        def looks(name: str) -> bool:
            try:
                self.ask(name, "eth_getTransactionReceipt", "0x" + bytes(32).hex())
            except (NodeRefused, NodeUnavailable):
                return False
            return True

        for name in self.running_signers():
            self._wait_until(looks, name, "had no block")

    def peers_of(self, signer: str) -> int:
        """Return how many nodes a signer is connected to."""
        return int(str(self.ask(signer, "net_peerCount")), 16)

    def _wait_until(
        self, holds: Callable[[str], bool], name: str, what: str, *, timeout_s: float = _START_S
    ) -> None:
        give_up_at = time.monotonic() + timeout_s
        while not holds(name):
            if not self.processes.is_running(name):
                said = self.processes.last_words(name)
                failure = PortTaken if "address already in use" in said else NodeFailed
                raise failure(f"{name} ended; its log says: {said}")
            if time.monotonic() > give_up_at:
                raise NodeFailed(f"{name} {what} in {timeout_s:.0f} s; see `dmsm net logs {name}`")
            time.sleep(_POLL_S)


def up(options: NetworkOptions, *, tied: bool = False, say: Say = lambda _: None) -> Network:
    """Make the network in the folder if there is none, start what does not run, deploy once.

    The options of an existing network stay as they are. Raises NetworkError; what this call
    started is ended then, and nothing else.
    """
    if (options.folder / PLAN_FILE).exists():
        return _started(Network(load_plan(options.folder), tied=tied), say)
    for _ in range(_OTHER_PORTS):
        network = Network(build(options, say=say), tied=tied)
        try:
            return _started(network, say)
        except PortTaken as error:  # by another program, since it was found to be free
            say(f"{str(error).splitlines()[0]}; trying other ports")
            network.delete()
    return _started(Network(build(options, say=say), tied=tied), say)


def _started(network: Network, say: Say) -> Network:
    if network.plan.engine != "clique" or network.plan.is_spread:
        return network
    say(f"starting {len(network.plan.names)} processes")
    if network.plan.is_idle_without_beat and not network.plan.ranked:
        say("its signers are not ranked: at period 0 it may halt (docs/network.md)")
    ran = {name for name in network.plan.names if network.processes.is_running(name)}
    try:
        network.start()
        if not (network.plan.folder / "deployment.json").exists():
            say("deploying the contracts")
            deploy(network.plan)
    except BaseException:
        network.stop(name for name in network.plan.names if name not in ran)
        raise
    return network


def down(folder: Path, *, delete: bool = False) -> list[str]:
    """End the network in `folder`; return the names of what ran. Raises PlanInvalid."""
    network = Network(load_plan(folder))
    ran = [name for name in network.processes.known() if network.processes.is_running(name)]
    if delete:
        network.delete()
    else:
        network.stop()
    return ran
