"""Real signers: blocks, loss of some, loss of too many, votes."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from offchain.chain.errors import NodeRefused, TransactionTimeout
from offchain.network.building import NetworkOptions
from offchain.network.errors import NodeFailed, VoteFailed
from offchain.network.operation import Network, down, up
from offchain.network.plan import HEARTBEAT, load_plan
from offchain.network.voting import add_signer, remove_signer, signers_of
from offchain.network.watch import chain_rows
from tests.network.sending import (
    NOBODY,
    block_at,
    gateway_of,
    heads_of,
    height_of,
    wait_for,
)


def test_up__five_signers__are_peers_of_each_other_and_all_seal(network: Network) -> None:
    assert all(network.peers_of(one.name) == 4 for one in network.plan.signers)
    gateway, first = gateway_of(network), max(1, height_of(network, "signer-1") - 20)
    wanted = {one.address.lower() for one in network.plan.signers}

    def have_all_sealed() -> bool:
        last = gateway.transfer(NOBODY, 1).block_number
        numbers = range(first, last + 1)
        # One that has little of the processor is passed over now and then, but not for long.
        return {network.ask("signer-1", "clique_getSigner", hex(one)) for one in numbers} == wanted

    wait_for(have_all_sealed)


def test_up__contracts__are_deployed_and_governed_by_the_consortium(network: Network) -> None:
    gateway = gateway_of(network)
    assert len(gateway.deployment.names) == 12
    # The network is shared: other tests have taken in members by vote.
    assert gateway.address in gateway.call("Consortium", "members")


def test_transfer__period_0__is_mined_in_a_block_made_for_it(network: Network) -> None:
    gateway = gateway_of(network)
    mined_in = [gateway.transfer(NOBODY, 1).block_number for _ in range(30)]
    assert mined_in == sorted(set(mined_in))  # nothing is waited for but the one before


def test_heartbeat__after_a_transaction__makes_it_final_sooner_than_idle_beats_would(
    network: Network,
) -> None:
    """Three idle beats take three times the idle time, always: the next test shows that. A busy
    machine may hold up the beats after one transaction, so the quickest of three counts.
    """
    gateway, gaps = gateway_of(network), []
    for _ in range(3):
        mined = gateway.transfer(NOBODY, 1).block_number
        gaps.append(gaps_s(network, mined, blocks=3)[-1])
    assert min(gaps) < 3 * network.plan.heartbeat_s, gaps


def test_heartbeat__when_all_is_final__makes_one_round_of_blocks_each_idle_time(
    network: Network,
) -> None:
    mined = gateway_of(network).transfer(NOBODY, 1).block_number
    # From behind all that a reorganisation may move. A round has up to one block a signer.
    rested, most = gaps_s(network, mined + 5, blocks=16), len(network.plan.signers)
    for n, gap in enumerate(rested, 1):
        assert gap >= (n - 1) // most * network.plan.heartbeat_s, rested


def gaps_s(network: Network, first: int, *, blocks: int) -> list[int]:
    """How long after block `first` each of so many blocks was made, by their own times."""
    name = network.plan.signers[0].name
    wait_for(lambda: height_of(network, name) >= first + blocks)
    times = [
        int(block_at(network, name, hex(number))["timestamp"], 16)
        for number in range(first, first + blocks + 1)
    ]
    return [time_s - times[0] for time_s in times[1:]]


def test_rpc__from_outside__has_no_control_of_the_node(network: Network) -> None:
    endpoint = gateway_of(network).endpoint
    for method in ("admin_peers", "clique_propose", "personal_listAccounts", "debug_setHead"):
        with pytest.raises(NodeRefused, match="does not exist"):
            endpoint.request(method)


def test_up__on_loopback__listens_nowhere_else(network: Network) -> None:
    ports = set()
    for signer in network.plan.signers:
        ports |= {signer.p2p_port, signer.rpc_port, signer.auth_port, signer.metrics_port}
    for node in network.plan.ipfs:
        ports |= {node.swarm_port, node.api_port}
    listening = [
        line.split()[1].split(":")
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        if line.split()[3] == "0A"
    ]
    found = {int(port, 16): address for address, port in listening if int(port, 16) in ports}
    assert set(found) == ports
    assert set(found.values()) == {"0100007F"}


def test_two_of_five_killed__the_chain__goes_on(network: Network) -> None:
    for name in ("signer-4", "signer-5"):
        network.processes.kill(name)
    gateway = gateway_of(network)
    before = gateway.block_number()
    for _ in range(5):
        assert gateway.transfer(NOBODY, 1).success
    assert gateway.block_number() > before
    network.start(["signer-4", "signer-5"])
    wait_for(lambda: len(set(heads_of(network).values())) == 1)


def test_three_of_five_killed__the_chain__stalls_and_resumes_with_nothing_lost(
    network: Network,
) -> None:
    gateway = gateway_of(network)
    settled = gateway.transfer(NOBODY, 1)
    wait_for(lambda: gateway.block_number() >= settled.block_number + 3)
    for name in ("signer-3", "signer-4", "signer-5"):
        network.processes.kill(name)
    time.sleep(1)  # what a killed one has sealed is in
    killed_at = max(height_of(network, name) for name in ("signer-1", "signer-2"))
    with pytest.raises(TransactionTimeout):
        # One or two blocks may still come: those of the signers that have not signed recently.
        for _ in range(4):
            gateway_of(network, timeout_s=6).transfer(NOBODY, 1)
    time.sleep(3)
    stalled_at = max(height_of(network, name) for name in ("signer-1", "signer-2"))
    assert stalled_at <= killed_at + 2
    network.start()
    wait_for(lambda: height_of(network, "signer-1") > stalled_at, timeout_s=120)
    back = gateway_of(network)
    assert back.transfer(NOBODY, 1).success
    kept = block_at(network, "signer-5", hex(settled.block_number))
    assert kept["hash"] == "0x" + settled.block_hash.hex()


def test_all_killed_and_started__the_chain__goes_on_where_it_was(network: Network) -> None:
    gateway = gateway_of(network)
    settled = gateway.transfer(NOBODY, 1)
    wait_for(lambda: gateway.block_number() >= settled.block_number + 3)
    for name in network.plan.names:
        network.processes.kill(name)
    assert network.running_signers() == []
    network.start()
    assert gateway_of(network).transfer(NOBODY, 1).success
    for signer in network.plan.signers:
        kept = block_at(network, signer.name, hex(settled.block_number))
        assert kept["hash"] == "0x" + settled.block_hash.hex()


def test_add_and_remove_signer__by_vote__change_who_seals(network: Network) -> None:
    made = add_signer(network)
    assert made.address in signers_of(network)
    gateway = gateway_of(network)
    first = gateway.block_number()

    def has_sealed() -> bool:
        number = gateway.transfer(NOBODY, 1).block_number
        sealers = (
            network.ask("signer-1", "clique_getSigner", hex(one)) for one in range(first, number)
        )
        return made.address.lower() in sealers

    wait_for(has_sealed)
    assert [row["signs"] for row in chain_rows(network)] == [True] * 6
    remove_signer(network, made.name)
    assert made.address not in signers_of(network)
    assert not network.processes.is_running(made.name)
    assert len(network.plan.signers) == 5
    assert gateway_of(network).transfer(NOBODY, 1).success


def test_add_signer__after_one_was_removed__makes_another_beside_its_keys(network: Network) -> None:
    gone = add_signer(network)
    remove_signer(network, gone.name)
    keys = (network.plan.home(gone.name) / "keystore" / "signer.json").read_bytes()
    made = add_signer(network)
    try:
        assert made.name != gone.name and made.address != gone.address
        assert made.address in signers_of(network)
        assert (network.plan.home(gone.name) / "keystore" / "signer.json").read_bytes() == keys
    finally:
        remove_signer(network, made.name)


@pytest.mark.parametrize("method", ["clique_propose", "clique_discard"])
def test_remove_signer__a_voter_dies_meanwhile__is_done_and_leaves_no_proposal(
    network: Network, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    made, ask = add_signer(network), network.ask

    def kill_before(signer: str, asked: str, *params: object) -> object:
        if (signer, asked) == ("signer-1", method) and network.processes.is_running(signer):
            network.processes.kill(signer)
        return ask(signer, asked, *params)

    monkeypatch.setattr(network, "ask", kill_before)
    remove_signer(network, made.name)
    assert made.address not in signers_of(network)
    assert made not in load_plan(network.plan.folder).signers
    assert network.running_signers() == [f"signer-{n}" for n in (2, 3, 4, 5)]
    assert [network.ask(name, "clique_proposals") for name in network.running_signers()] == [{}] * 4


def test_remove_signer__without_a_majority__is_refused_before_anything(network: Network) -> None:
    for name in ("signer-3", "signer-4", "signer-5"):
        network.processes.kill(name)
    with pytest.raises(VoteFailed, match="3 signers must run to decide, 2 do"):
        remove_signer(network, "signer-5")
    assert len(network.plan.signers) == 5


def test_down__network_of_two__leaves_no_process_and_no_folder(tmp_path: Path) -> None:
    folder = tmp_path / "two"
    network = up(NetworkOptions(folder=folder, signers=2, ipfs_nodes=0, chain_id=77), tied=True)
    pids = [network.processes.pid(name) for name in network.plan.names]
    assert None not in pids
    assert down(folder, delete=True) == sorted(network.plan.names)
    assert not folder.exists()
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_start__port_taken__says_which_and_by_whom_it_is_needed(
    network: Network,
) -> None:
    network.stop(["signer-5"])
    port = network.plan.signer("signer-5").p2p_port
    with socket.socket() as taken:
        taken.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # peers' closed connections linger
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with pytest.raises(NodeFailed, match=f"signer-5 needs port {port}"):
            network.start(["signer-5"])


def test_up__of_a_network_that_runs_but_for_one_which_cannot__leaves_the_others_running(
    network: Network,
) -> None:
    network.stop(["signer-5", HEARTBEAT])
    others = [name for name in network.plan.names if name not in ("signer-5", HEARTBEAT)]
    before = {name: network.processes.pid(name) for name in others}
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", network.plan.signer("signer-5").rpc_port))
        taken.listen()
        with pytest.raises(NodeFailed, match="signer-5 needs port"):
            up(NetworkOptions(folder=network.plan.folder), tied=True)
    assert {name: network.processes.pid(name) for name in others} == before
    assert network.processes.pid("signer-5") is None


def test_up__interrupted_on_a_network_that_runs__ends_only_what_it_started(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    network.stop(["signer-5"])

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Network, "_wait_for_peers", interrupt)
    with pytest.raises(KeyboardInterrupt):
        up(NetworkOptions(folder=network.plan.folder), tied=True)
    running = [name for name in network.plan.names if network.processes.is_running(name)]
    assert running == [name for name in network.plan.names if name != "signer-5"]
