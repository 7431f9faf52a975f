"""The private swarm: content passes between its nodes, and nobody without the key is in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from offchain.network import kubo
from offchain.network.kubo_rpc import KuboRpc
from offchain.network.operation import Network
from offchain.network.plan import IpfsPlan
from offchain.network.ports import free_ports
from offchain.network.processes import ProcessFolder
from offchain.network.programs import KUBO, find_program
from offchain.network.watch import ipfs_rows
from offchain.storage import open_store
from tests.network.sending import wait_for
from tests.network.swarm import ipfs_alone


def test_swarm__object_added_at_one_node__is_read_at_another(network: Network) -> None:
    first, second, _ = network.plan.ipfs_urls
    data = os.urandom(100_000)
    with open_store(first) as there, open_store(second) as here:
        cid = there.put(data)
        assert here.get(cid, max_bytes=200_000) == data


def test_swarm__each_node__knows_the_others_and_no_bootstrap(network: Network) -> None:
    for node in network.plan.ipfs:
        rpc = network.kubo(node.name)
        others = {one.peer_id for one in network.plan.ipfs} - {node.peer_id}
        assert {peer["Peer"] for peer in rpc.ask("swarm/peers")["Peers"]} == others
        assert not rpc.ask("bootstrap/list")["Peers"]
    assert all(row["peers"] == 2 for row in ipfs_rows(network))


def test_swarm__node_with_another_key__is_not_let_in(network: Network, tmp_path: Path) -> None:
    member = network.plan.ipfs[0]
    with stranger(tmp_path, kubo.swarm_key()) as (node, plan):
        assert not connects(node, f"{member.multiaddress}/p2p/{member.peer_id}")
        assert not connects(network.kubo(member.name), f"{plan.multiaddress}/p2p/{plan.peer_id}")
        assert node.peers() == 0
        assert network.kubo(member.name).peers() == 2


def test_swarm__the_same_node_with_the_key__is_let_in(network: Network, tmp_path: Path) -> None:
    """So that it is the key that keeps a stranger out, and nothing else."""
    member = network.plan.ipfs[0]
    key = (network.plan.folder / "swarm.key").read_text()
    with stranger(tmp_path, key) as (node, _):
        assert connects(node, f"{member.multiaddress}/p2p/{member.peer_id}")
        assert node.peers() == 1
        assert network.kubo(member.name).peers() == 3
    wait_for(lambda: network.kubo(member.name).peers() == 2)


@contextmanager
def stranger(folder: Path, swarm_key: str) -> Iterator[tuple[KuboRpc, IpfsPlan]]:
    """A running node that no member knows, with this swarm key."""
    program, ports = find_program(KUBO), free_ports(2)
    made = kubo.make_node(program, folder / "stranger", host="127.0.0.1", ports=ports)
    (folder / "swarm.key").write_text(swarm_key)
    alone = ipfs_alone(folder, [made])
    kubo.write_config(alone, made)
    processes, rpc = ProcessFolder(folder), KuboRpc(alone.ipfs_urls[0])
    environment = kubo.environment(folder / made.name)
    processes.start(made.name, kubo.command(program), environment=environment, tied=True)
    try:
        wait_for(rpc.answers)
        yield rpc, made
    finally:
        processes.stop([made.name])


def connects(node: KuboRpc, address: str) -> bool:
    """Whether a running node reaches the peer at the address, and is let in there."""
    try:
        node.ask("swarm/connect", arg=address)
    except requests.HTTPError as error:
        # Another reason would be a stranger that does not run, or a wrong question.
        assert "failed to negotiate security protocol" in error.response.text
        return False
    return True
