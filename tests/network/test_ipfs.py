"""The private swarm: content passes between its nodes, and nobody without the key is in it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from offchain.network import kubo
from offchain.network.operation import Network
from offchain.network.programs import KUBO, find_program
from offchain.network.watch import ipfs_rows
from offchain.storage import open_store


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
    program, home = find_program(KUBO), tmp_path / "stranger"
    kubo.make_node(program, home, host="127.0.0.1", ports=[0, 0])
    (home / "swarm.key").write_text(kubo.swarm_key())
    node = network.plan.ipfs[0]
    address = f"{node.multiaddress}/p2p/{node.peer_id}"
    done = subprocess.run(
        # Not the daemon: a node for this one command.
        [str(program), "swarm", "connect", address],
        env={**os.environ, **kubo.environment(home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert network.kubo(node.name).peers() == 2
