"""`dmsm net`: a permissioned network of one's own, started and looked after."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from offchain.cli.output import show, show_table
from offchain.cli.parameters import JsonOption

if TYPE_CHECKING:
    from offchain.network.plan import NetworkPlan

app = typer.Typer(
    no_args_is_help=True,
    help="Run a permissioned network: Geth signers (Clique) and a private IPFS swarm on this "
    "machine. Real hosts: docs/network.md.",
)
DEFAULT_FOLDER = Path("dmsm-network")
_FolderOption = Annotated[
    Path, typer.Option("--dir", envvar="DMSM_NETWORK", help="The network's folder.")
]
_SignerArgument = Annotated[str, typer.Argument(metavar="SIGNER", help="Its name or account.")]


class Engine(StrEnum):
    """Who makes blocks, and how they agree."""

    CLIQUE = "clique"
    BESU = "besu"


@app.command()
def up(
    folder: _FolderOption = DEFAULT_FOLDER,
    signers: Annotated[int, typer.Option(help="How many nodes seal blocks.")] = 5,
    ipfs_nodes: Annotated[int, typer.Option(help="How many nodes of the IPFS swarm.")] = 3,
    period: Annotated[
        int | None,
        typer.Option(
            help="Seconds between blocks; 0: as soon as there is a transaction. Default 0, with "
            "--listen 1."
        ),
    ] = None,
    ranked: Annotated[
        bool | None,
        typer.Option(
            "--ranked/--stock",
            help="Rank the signers, which takes the project's own build of Geth everywhere, or "
            "keep stock Geth's rules. Default: ranked at period 0, where stock Geth may halt.",
        ),
    ] = None,
    engine: Annotated[
        Engine, typer.Option(help="besu: write genesis and configuration only (not run).")
    ] = Engine.CLIQUE,
    listen: Annotated[
        list[str] | None,
        typer.Option(
            help="Address at which nodes meet (default 127.0.0.1); RPC stays on loopback. "
            "Several: deal the nodes to these machines, write all, start nothing."
        ),
    ] = None,
    chain_id: Annotated[int, typer.Option(help="The chain's id.")] = 20_191,
    heartbeat: Annotated[
        int, typer.Option(help="Period 0: an idle chain makes a block every so many seconds.")
    ] = 2,
) -> None:
    """Make a network and start it, or start again what does not run of the one in the folder.

    Needs Geth and Kubo, built once with Go on the first use, and `make setup` for the contracts,
    which it deploys. Costs nothing: the accounts that it makes have all the money there is.
    """
    from offchain.network.building import NetworkOptions
    from offchain.network.operation import up as start
    from offchain.network.plan import PLAN_FILE

    existed = (folder / PLAN_FILE).exists()
    options = NetworkOptions(
        folder=folder,
        signers=signers,
        ipfs_nodes=ipfs_nodes,
        period_s=period,
        ranked=ranked,
        engine=engine.value,
        chain_id=chain_id,
        hosts=tuple(listen or ["127.0.0.1"]),
        heartbeat_s=heartbeat,
    )
    network = start(options, say=lambda text: typer.echo(f"net: {text}", err=True))
    plan = network.plan
    if existed:
        typer.echo("net: the network is the one that was there; options change none", err=True)
    show(
        {
            "network": str(plan.folder / "network.toml"),
            "engine": plan.engine,
            "chain": plan.chain_id,
            "rpc": list(plan.shared_rpc_urls),
            "ipfs": list(dict.fromkeys(plan.ipfs_urls)),
            "runs": len(network.processes.known()),
        }
    )


@app.command()
def status(folder: _FolderOption = DEFAULT_FOLDER, as_json: JsonOption = False) -> None:
    """Show heads, signers, peers, pins, lag and disk, and whether the chain makes blocks, is idle
    or halted; exit 1 when it is halted, too few signers run, or, of a network on several machines,
    one of this machine's does not.

    Needs the network's folder; costs nothing. Takes up to ten seconds where no block comes.
    """
    from offchain.network.operation import Network
    from offchain.network.plan import load_plan
    from offchain.network.watch import chain_rows, fault_of, ipfs_rows, state_of

    network = Network(load_plan(folder))
    chain, ipfs, state = chain_rows(network), ipfs_rows(network), state_of(network)
    if as_json:
        show({"chain": state and state.name.lower(), "signers": chain, "ipfs": ipfs}, as_json=True)
    else:
        show_table(chain, title="signers")
        show_table(ipfs, title="ipfs")
        typer.echo(f"the chain: {state or 'not known on this machine'}")
    if fault := fault_of(network.plan, chain, state):
        typer.echo(f"net: {fault}", err=True)
        raise typer.Exit(1)


@app.command()
def add_signer(folder: _FolderOption = DEFAULT_FOLDER) -> None:
    """Make one more signer on this machine and have a majority of the signers vote it in.

    Needs a majority of the signers running here; costs nothing.
    """
    from offchain.network.operation import Network
    from offchain.network.plan import load_plan
    from offchain.network.voting import add_signer as add

    network = Network(load_plan(folder))
    before = network.plan
    made = add(network)
    show({"added": made.name, "account": made.address})
    _say_depth(before, network.plan)


@app.command()
def remove_signer(name: _SignerArgument, folder: _FolderOption = DEFAULT_FOLDER) -> None:
    """Have a majority of the signers vote one out, then end its node; its folder stays.

    Needs a majority of the signers running here; costs nothing.
    """
    from offchain.network.operation import Network
    from offchain.network.plan import load_plan
    from offchain.network.voting import remove_signer as remove

    network = Network(load_plan(folder))
    before = network.plan
    gone = remove(network, name)
    show({"removed": gone.name, "account": gone.address})
    _say_depth(before, network.plan)


def _say_depth(before: NetworkPlan, after: NetworkPlan) -> None:
    from offchain.network.member_view import depth_note

    if note := depth_note(before, after):
        typer.echo(f"net: {note}", err=True)


@app.command()
def rescue(folder: _FolderOption = DEFAULT_FOLDER) -> None:
    """Set the signers of a halted chain on one head, so that it goes on; refuses where it is not
    halted, no majority answers, or what counts as final would be undone.

    Needs the network's folder and its signers running here; costs nothing.
    """
    from offchain.network.operation import Network
    from offchain.network.plan import load_plan
    from offchain.network.rescue import rescue as run

    done = run(Network(load_plan(folder)))
    show({"head": done.number, "hash": done.hash, "set back": done.set_back or "nobody"})


@app.command()
def down(
    folder: _FolderOption = DEFAULT_FOLDER,
    delete: Annotated[
        bool, typer.Option("--delete", help="Remove the folder too: keys, chain and content.")
    ] = False,
) -> None:
    """End all processes of the network; `net up` starts it again where it was.

    Needs the network's folder; costs nothing.
    """
    from offchain.network.operation import down as end

    ended = end(folder, delete=delete)
    show({"ended": ended or "nothing ran", "deleted": delete})


@app.command()
def logs(
    name: Annotated[str, typer.Argument(metavar="NODE", help="signer-1, ipfs-1, heartbeat …")],
    folder: _FolderOption = DEFAULT_FOLDER,
    lines: Annotated[int, typer.Option(min=1, help="How many of the last lines.")] = 40,
    follow: Annotated[bool, typer.Option("--follow", help="Go on until Ctrl-C.")] = False,
) -> None:
    """Show the end of a node's log.

    Needs the network's folder; costs nothing.
    """
    from offchain.network.operation import Network
    from offchain.network.plan import load_plan

    processes = Network(load_plan(folder)).processes
    log = processes.log(name)
    if not log.exists():
        known = ", ".join(sorted(path.stem for path in log.parent.glob("*.log")))
        raise typer.BadParameter(f"there is no log of {name!r}; there are {known or 'none'}")
    if follow:
        sys.stdout.flush()
        os.execvp("tail", ["tail", "-n", str(lines), "-f", str(log)])
    typer.echo(processes.tail(name, lines))
