"""Make a new network's folder: keys, first block, peers. Nothing is started here."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from eth_account import Account
from eth_keys import keys

from offchain.crypto import keystore
from offchain.crypto.secret import SecretBytes
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
from offchain.network.programs import GETH, KUBO, find_program

ETHER = 10**18
CONSORTIUM = "consortium"
_FUNDS_WEI = 10**9 * ETHER
_PORTS_OF_SIGNER, _PORTS_OF_IPFS = 4, 2
ENGINES = ("clique", "besu")

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkOptions:
    """What a new network shall be. Raises PlanInvalid for what makes no sense.

    host: the address of this machine at which nodes meet; 127.0.0.1 keeps all on it.
    """

    folder: Path
    signers: int = 5
    ipfs_nodes: int = 3
    period_s: int = 0
    engine: str = "clique"
    chain_id: int = 20_191
    host: str = "127.0.0.1"
    heartbeat_s: int = 2

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise PlanInvalid(f"there is no engine {self.engine!r}; choose one of {ENGINES}")
        bounds = {
            "signers": (1, 25),
            "ipfs_nodes": (0, 25),
            "period_s": (0, 60),
            "heartbeat_s": (1, 600),
            "chain_id": (1, 2**31),
        }
        for name, (low, high) in bounds.items():
            if not low <= getattr(self, name) <= high:
                raise PlanInvalid(f"{name} must be {low} to {high}, not {getattr(self, name)}")
        if self.engine == "besu" and self.signers < 4:
            raise PlanInvalid("QBFT takes at least 4 validators to bear the loss of one")


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
    return (_build_besu if options.engine == "besu" else _build_clique)(
        options, folder, funds_wei, say
    )


def _make_keys(folder: Path) -> dict[str, int]:
    (folder / "keys").mkdir(mode=0o700)
    write_whole(folder / "keys" / "password", secrets.token_urlsafe(24) + "\n", mode=0o600)
    funds_wei = {}
    for name in (CONSORTIUM, HEARTBEAT):
        account = Account.create()
        write_whole(folder / "keys" / name, bytes(account.key).hex() + "\n", mode=0o600)
        funds_wei[account.address] = _FUNDS_WEI
    return funds_wei


def _build_clique(
    options: NetworkOptions, folder: Path, funds_wei: dict[str, int], say: Say
) -> NetworkPlan:
    geth_program = find_program(GETH, say=say)
    kubo_program = find_program(KUBO, say=say) if options.ipfs_nodes else Path()
    say(f"making {options.signers} signers and {options.ipfs_nodes} IPFS nodes in {folder}")
    ports = iter(_ports(options))
    password = keystore.read_password(folder / "keys" / "password")
    signers = tuple(
        new_signer(folder, number, [next(ports) for _ in range(_PORTS_OF_SIGNER)], password)
        for number in range(1, options.signers + 1)
    )
    ipfs = tuple(
        kubo.make_node(
            kubo_program,
            folder / f"ipfs-{number}",
            name=f"ipfs-{number}",
            ports=[next(ports) for _ in range(_PORTS_OF_IPFS)],
        )
        for number in range(1, options.ipfs_nodes + 1)
    )
    plan = _plan(options, folder, signers, ipfs)
    genesis = clique_genesis(
        chain_id=plan.chain_id,
        period_s=plan.period_s,
        signers=[one.address for one in signers],
        funds_wei=funds_wei,
    )
    write_whole(folder / "genesis.json", json.dumps(genesis, indent=1) + "\n")
    for signer in signers:
        geth.initialise(geth_program, plan, signer)
        geth.write_config(plan, signer)
    for node in ipfs:
        kubo.write_config(plan, node)
    write_member_view(plan)
    plan.save()
    return plan


def new_signer(folder: Path, number: int, ports: list[int], password: SecretBytes) -> SignerPlan:
    """Make the keys of signer `number`."""
    name = f"signer-{number}"
    return geth.make_signer(folder / name, name=name, ports=ports, password=password)


def signer_ports(host: str) -> list[int]:
    """Return free ports for one more signer."""
    return free_ports(_PORTS_OF_SIGNER, host=host)


def _build_besu(
    options: NetworkOptions, folder: Path, funds_wei: dict[str, int], say: Say
) -> NetworkPlan:
    ports = iter(_ports(options))
    node_keys = {f"signer-{n}": bytes(Account.create().key) for n in range(1, options.signers + 1)}
    signers = tuple(
        SignerPlan(
            name=name,
            address=Account.from_key(key).address,
            node_id=keys.PrivateKey(key).public_key.to_bytes().hex(),
            p2p_port=next(ports),
            rpc_port=next(ports),
            auth_port=next(ports),
            metrics_port=next(ports),
        )
        for name, key in node_keys.items()
    )
    plan = _plan(options, folder, signers, ())
    besu.write_besu(plan, node_keys=node_keys, funds_wei=funds_wei)
    write_member_view(plan)
    plan.save()
    say(besu.NOT_RUN)
    return plan


def _ports(options: NetworkOptions) -> list[int]:
    count = options.signers * _PORTS_OF_SIGNER + options.ipfs_nodes * _PORTS_OF_IPFS
    return free_ports(count, host=options.host)


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
        period_s=options.period_s,
        host=options.host,
        heartbeat_s=options.heartbeat_s,
        signers=signers,
        ipfs=ipfs,
    )
