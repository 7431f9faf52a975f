"""Make a new network's folder: keys, first block, peers. Nothing is started here."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from eth_account import Account

from offchain.network import besu, geth, kubo
from offchain.network.errors import PlanInvalid
from offchain.network.genesis import clique_genesis
from offchain.network.member_view import write_member_view
from offchain.network.plan import (
    HEARTBEAT,
    PLAN_FILE,
    IpfsPlan,
    NetworkPlan,
    SignerPlan,
    write_whole,
)
from offchain.network.ports import free_ports
from offchain.network.programs import KUBO, find_program
from offchain.network.start_script import machine_lines, write_start_scripts

ETHER = 10**18
CONSORTIUM = "consortium"
_FUNDS_WEI = 10**9 * ETHER
# p2p, RPC, engine, metrics; swarm, RPC. Further nodes of one machine take the numbers after these.
SIGNER_PORTS = (30_303, 8_545, 8_560, 6_060)
IPFS_PORTS = (4_001, 5_001)
ENGINES = ("clique", "besu")

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkOptions:
    """What a new network shall be. Raises PlanInvalid for what makes no sense.

    hosts: the addresses at which nodes meet; 127.0.0.1 keeps all on this machine. With several, the
    nodes are dealt to them in turn, written with fixed ports, and not started.
    period_s: 0 on loopback and 1 elsewhere, unless said otherwise. ranked: at period 0, where
    stock Geth comes to a halt (docs/network.md says which to choose when).
    """

    folder: Path
    signers: int = 5
    ipfs_nodes: int = 3
    period_s: int | None = None
    ranked: bool | None = None
    engine: str = "clique"
    chain_id: int = 20_191
    hosts: tuple[str, ...] = ("127.0.0.1",)
    heartbeat_s: int = 2

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise PlanInvalid(f"there is no engine {self.engine!r}; choose one of {ENGINES}")
        bounds = {
            "signers": (1, 25),
            "ipfs_nodes": (0, 25),
            "block_time_s": (0, 60),
            "heartbeat_s": (1, 600),
            "chain_id": (1, 2**31),
        }
        for name, (low, high) in bounds.items():
            if not low <= getattr(self, name) <= high:
                raise PlanInvalid(f"{name} must be {low} to {high}, not {getattr(self, name)}")
        for host in self.hosts:
            if not _is_address(host):
                raise PlanInvalid(f"{host!r} is no IPv4 address of one machine")
            if self.hosts.count(host) > 1:
                raise PlanInvalid(
                    f"{host} is named twice: a machine is named once, and further nodes of it get "
                    "ports of their own"
                )
        if self.engine == "besu" and self.ranked:
            raise PlanInvalid("QBFT knows no ranks of signers; leave that option out")
        if self.engine == "besu" and self.signers < 4:
            raise PlanInvalid("QBFT takes at least 4 validators to bear the loss of one")

    @property
    def block_time_s(self) -> int:
        """Return the least seconds between two blocks."""
        if self.period_s is not None:
            return self.period_s
        return 0 if all(host.startswith("127.") for host in self.hosts) else 1

    @property
    def ranks_signers(self) -> bool:
        """Whether the chain has the rule that only the Geth built here knows."""
        if self.ranked is None:
            return self.engine == "clique" and self.block_time_s == 0
        return self.ranked


def build(options: NetworkOptions, *, say: Say = lambda _: None) -> NetworkPlan:
    """Make everything that a network needs before it starts; return its plan.

    Raises PlanInvalid when the folder is in use, ProgramMissing, NodeFailed.
    """
    folder = options.folder.absolute()
    if (folder / PLAN_FILE).exists():
        raise PlanInvalid(f"{folder} holds a network already; `dmsm net up` there starts it again")
    if folder.exists() and any(folder.iterdir()):
        raise PlanInvalid(f"{folder} is not empty; name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    folder = folder.resolve()
    write_whole(folder / ".gitignore", "*\n")
    write_whole(folder / "swarm.key", kubo.swarm_key(), mode=0o600)
    (folder / "logs").mkdir()
    funds_wei = _make_keys(folder)
    plan = (_build_besu if options.engine == "besu" else _build_clique)(
        options, folder, funds_wei, say
    )
    for line in machine_lines(plan) if plan.is_spread else ():
        say(line)
    return plan


def _make_keys(folder: Path) -> dict[str, int]:
    (folder / "keys").mkdir(mode=0o700)
    funds_wei = {}
    for name in (CONSORTIUM, HEARTBEAT):
        account = Account.create()
        write_whole(folder / "keys" / name, bytes(account.key).hex() + "\n", mode=0o600)
        funds_wei[account.address] = _FUNDS_WEI
    return funds_wei


def _build_clique(
    options: NetworkOptions, folder: Path, funds_wei: dict[str, int], say: Say
) -> NetworkPlan:
    geth_program = geth.find_geth(ranked=options.ranks_signers, say=say)
    kubo_program = find_program(KUBO, say=say) if options.ipfs_nodes else Path()
    say(f"making {options.signers} signers and {options.ipfs_nodes} IPFS nodes in {folder}")
    signers = tuple(
        geth.make_signer(folder / f"signer-{number}", host=host, ports=ports)
        for number, host, ports in _places(options, options.signers, SIGNER_PORTS)
    )
    ipfs = tuple(
        kubo.make_node(kubo_program, folder / f"ipfs-{number}", host=host, ports=ports)
        for number, host, ports in _places(options, options.ipfs_nodes, IPFS_PORTS)
    )
    plan = _plan(options, folder, signers, ipfs)
    genesis = clique_genesis(
        chain_id=plan.chain_id,
        period_s=plan.period_s,
        signers=[one.address for one in signers],
        funds_wei=funds_wei,
        ranked=plan.ranked,
    )
    write_whole(folder / "genesis.json", json.dumps(genesis, indent=1) + "\n")
    for signer in signers:
        geth.initialise(geth_program, plan, signer)
        geth.write_config(plan, signer)
    for node in ipfs:
        kubo.write_config(plan, node)
    if plan.is_spread:
        write_start_scripts(plan)
        say(f"written for {', '.join(plan.hosts)}, nothing started; docs/network.md says what next")
    write_member_view(plan)
    plan.save()
    return plan


def _build_besu(
    options: NetworkOptions, folder: Path, funds_wei: dict[str, int], say: Say
) -> NetworkPlan:
    node_keys, signers = {}, []
    for number, host, ports in _places(options, options.signers, SIGNER_PORTS):
        key = bytes(Account.create().key)
        node_keys[f"signer-{number}"] = key
        signers.append(besu.validator(f"signer-{number}", key, host=host, ports=ports))
    plan = _plan(options, folder, tuple(signers), ())
    besu.write_besu(plan, node_keys=node_keys, funds_wei=funds_wei)
    write_member_view(plan)
    plan.save()
    say(besu.NOT_RUN)
    return plan


def signer_ports(plan: NetworkPlan, host: str) -> list[int]:
    """Return free ports for one more signer on this machine: no other node's, be that one down."""
    return free_ports(len(SIGNER_PORTS), host=host, avoid=plan.ports)


def _places(
    options: NetworkOptions, count: int, usual: tuple[int, ...]
) -> Iterator[tuple[int, str, list[int]]]:
    """Yield number, host and ports of each node: free ports here, the usual ones elsewhere."""
    for index in range(count):
        turn, position = divmod(index, len(options.hosts))
        host = options.hosts[position]
        is_here = len(options.hosts) == 1
        ports = free_ports(len(usual), host=host) if is_here else [one + turn for one in usual]
        yield index + 1, host, ports


def _plan(
    options: NetworkOptions,
    folder: Path,
    signers: tuple[SignerPlan, ...],
    ipfs: tuple[IpfsPlan, ...],
) -> NetworkPlan:
    return NetworkPlan(
        folder=folder,
        engine=options.engine,
        chain_id=options.chain_id,
        period_s=options.block_time_s,
        ranked=options.ranks_signers,
        heartbeat_s=options.heartbeat_s,
        signers=signers,
        ipfs=ipfs,
    )


def _is_address(host: str) -> bool:
    try:
        return not ipaddress.IPv4Address(host).is_unspecified
    except ValueError:
        return False
