"""What a Geth node is given: its keys, its peers, its command line.

Checked against Geth 1.13.15, the last version that seals Clique.
"""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from eth_account import Account
from eth_keys import keys

from offchain.crypto import keystore
from offchain.crypto.secret import SecretBytes
from offchain.network.errors import NodeFailed, ProgramMissing
from offchain.network.genesis import GAS_LIMIT
from offchain.network.plan import NetworkPlan, SignerPlan, write_whole
from offchain.network.programs import GETH, find_program, is_built

# No `personal`, no `admin`, no `clique`, no `debug`: those are for the control socket alone.
HTTP_API = "eth,net,web3,txpool"
WS_API = "eth"
_POOL = {"accountslots": 2048, "globalslots": 16384, "accountqueue": 2048, "globalqueue": 8192}


def find_geth(*, ranked: bool, say: Callable[[str], None] = lambda _: None) -> Path:
    """Return the Geth of a network: of one that ranks its signers never a stock one.

    Raises ProgramMissing.
    """
    program = find_program(GETH, say=say)
    if ranked and not is_built(GETH):
        raise ProgramMissing(
            f"this network ranks its signers (rankedBlock in its genesis file), which {program} "
            "cannot: install Go, so that the project builds its own, or make a network with "
            "`dmsm net up --period 1`"
        )
    return program


def make_signer(home: Path, *, host: str, ports: Sequence[int]) -> SignerPlan:
    """Make a signer's account and node key in `home`; `ports`: p2p, RPC, engine, metrics.

    The keystore is light: its password lies beside it, so that the node can unlock by itself.
    """
    (home / "keystore").mkdir(parents=True, mode=0o700)
    home.chmod(0o700)
    password = secrets.token_urlsafe(24)
    write_whole(home / "password", password + "\n", mode=0o600)
    address = keystore.save_account(
        home / "keystore" / "signer.json",
        secrets.token_bytes(32),
        SecretBytes(password.encode()),
        scrypt_n=keystore.LIGHT_SCRYPT_N,
    )
    (home / "geth").mkdir(mode=0o700)
    node_key = Account.create().key
    write_whole(home / "geth" / "nodekey", bytes(node_key).hex(), mode=0o600)
    return SignerPlan(
        name=home.name,
        host=host,
        address=address,
        node_id=keys.PrivateKey(bytes(node_key)).public_key.to_bytes().hex(),
        p2p_port=ports[0],
        rpc_port=ports[1],
        auth_port=ports[2],
        metrics_port=ports[3],
    )


def write_config(plan: NetworkPlan, signer: SignerPlan) -> None:
    """Write the signer's config.toml: where it listens, and every other signer as static peer."""
    others = [one.enode for one in plan.signers if one.name != signer.name]
    listed = ",\n".join(f'  "{enode}"' for enode in others)
    nodes = f"[\n{listed}\n]" if others else "[]"
    write_whole(
        plan.home(signer.name) / "config.toml",
        f'[Node.P2P]\nListenAddr = "{signer.host}:{signer.p2p_port}"\n'
        f"StaticNodes = {nodes}\nTrustedNodes = {nodes}\n",
    )


def initialise(program: Path, plan: NetworkPlan, signer: SignerPlan) -> None:
    """Give the node its first block. Raises NodeFailed."""
    command = [str(program), "init", "--datadir", str(plan.home(signer.name))]
    command += ["--state.scheme", "hash", str(plan.folder / "genesis.json")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        raise NodeFailed(f"{signer.name} refused its genesis: {done.stderr.strip()[-300:]}")


def command(program: Path, plan: NetworkPlan, signer: SignerPlan) -> list[str]:
    """Return the command line that runs a signer.

    RPC is at 127.0.0.1 only, whatever the peers' network is; nothing is discovered; each block's
    state is written with it, so that a kill loses no block. (Its port for peers stands in
    config.toml: the option would open it at every address.)
    """
    home = plan.home(signer.name)
    options = {
        "config": home / "config.toml",
        "datadir": home,
        "networkid": plan.chain_id,
        "nat": "none" if _is_loopback(signer.host) else f"extip:{signer.host}",
        "maxpeers": 50,
        "syncmode": "full",
        "gcmode": "archive",
        "state.scheme": "hash",
        "snapshot": "false",
        "cache": 128,
        "ipcpath": plan.ipc_path(signer.name),
        "http.addr": "127.0.0.1",
        "http.port": signer.rpc_port,
        "http.api": HTTP_API,
        "http.vhosts": "localhost,127.0.0.1",
        # At the same port, for members to be told of new blocks. No page of a browser comes from
        # that origin: else any that this machine serves could ask, and a browser would let it.
        "ws.addr": "127.0.0.1",
        "ws.port": signer.rpc_port,
        "ws.api": WS_API,
        "ws.origins": "none",
        "authrpc.addr": "127.0.0.1",
        "authrpc.port": signer.auth_port,
        "metrics.addr": "127.0.0.1",
        "metrics.port": signer.metrics_port,
        "miner.etherbase": signer.address,
        "miner.gaslimit": GAS_LIMIT,
        "miner.gasprice": 1,
        "unlock": signer.address,
        "password": home / "password",
        **{f"txpool.{name}": value for name, value in _POOL.items()},
    }
    if _is_loopback(signer.host):
        options["netrestrict"] = "127.0.0.0/8"
    # The unlocked account seals blocks. Geth calls it insecure while there is any RPC at all; this
    # RPC is for this machine's own programs (docs/network.md).
    switches = ["http", "ws", "nodiscover", "mine", "metrics", "allow-insecure-unlock"]
    given = [f"--{name}={value}" for name, value in options.items()]
    return [os.fspath(program), *given, *(f"--{name}" for name in switches)]


def _is_loopback(host: str) -> bool:
    """Whether peers meet on this machine alone."""
    return host.startswith("127.") or host == "localhost"
