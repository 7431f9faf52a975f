"""What is said of a network's nodes: by what answers here, not by who started it."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from offchain.network.operation import Network
from offchain.network.plan import IpfsPlan, NetworkPlan, SignerPlan
from offchain.network.watch import chain_rows, fault_of, ipfs_rows

ACCOUNTS = tuple("0x" + f"{n:02X}" * 20 for n in (0xA1, 0xA2, 0xA3))
ANSWERS: dict[str, Any] = {
    "eth_getBlockByNumber": {
        "number": "0x10",
        "hash": "0x" + "11" * 32,
        "parentHash": "0x" + "22" * 32,
        "timestamp": "0x64",
    },
    "net_peerCount": "0x2",
    "txpool_status": {"pending": "0x1", "queued": "0x0"},
    "clique_getSigners": [one.lower() for one in ACCOUNTS[:2]],
}


@pytest.fixture
def plan(tmp_path: Path) -> NetworkPlan:
    """A network of three machines, of which this one is the first."""
    signers = tuple(
        SignerPlan(
            name=f"signer-{n}",
            host=f"10.0.0.{n}",
            address=ACCOUNTS[n - 1],
            node_id="00" * 64,
            p2p_port=30_303,
            rpc_port=8_545,
            auth_port=8_560,
            metrics_port=6_060,
        )
        for n in (1, 2, 3)
    )
    (tmp_path / "signer-1").mkdir()
    return NetworkPlan(
        folder=tmp_path,
        engine="clique",
        chain_id=7,
        period_s=0,
        heartbeat_s=2,
        signers=signers,
        ipfs=(),
    )


def on_one_machine(plan: NetworkPlan) -> NetworkPlan:
    return plan.with_signers(tuple(replace(one, host="127.0.0.1") for one in plan.signers))


@contextmanager
def control_socket(path: Path) -> Iterator[None]:
    """Answer at `path` as a signer's control socket does, a line of JSON each."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return  # closed: the test is over
            with connection, connection.makefile("rwb") as lines:
                for line in lines:
                    asked = json.loads(line)
                    answer = {
                        "jsonrpc": "2.0",
                        "id": asked["id"],
                        "result": ANSWERS[asked["method"]],
                    }
                    lines.write(json.dumps(answer).encode() + b"\n")
                    lines.flush()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(10)
        path.unlink()


def test_chain_rows__signer_that_systemd_started__runs_and_says_who_signs(
    plan: NetworkPlan,
) -> None:
    with control_socket(plan.ipc_path("signer-1")):
        rows = chain_rows(Network(plan))
    assert [row["runs"] for row in rows] == [True, None, None]
    assert (rows[0]["head"], rows[0]["peers"], rows[0]["waiting"]) == (16, 2, 1)
    assert [row["signs"] for row in rows] == [True, True, False]
    assert fault_of(plan, rows) is None


def test_fault_of__signer_of_this_machine_is_down__names_it_and_no_other(
    plan: NetworkPlan,
) -> None:
    rows = chain_rows(Network(plan))
    assert [row["runs"] for row in rows] == [False, None, None]
    assert fault_of(plan, rows) == "signer-1 of this machine does not run"


@pytest.mark.parametrize(("alive", "says"), [(0, "0 of 3"), (1, "1 of 3"), (2, None), (3, None)])
def test_fault_of__network_on_one_machine__wants_a_majority(
    plan: NetworkPlan, alive: int, says: str | None
) -> None:
    rows = [{"node": f"signer-{n + 1}", "runs": n < alive} for n in range(3)]
    fault = fault_of(on_one_machine(plan), rows)
    assert (fault is None) if says is None else (fault or "").startswith(says)


def test_ipfs_rows__nodes_of_other_machines__are_not_asked_for_at_this_ones_address(
    plan: NetworkPlan,
) -> None:
    away = IpfsPlan(
        name="ipfs-2", host="10.0.0.2", peer_id="Peer2", swarm_port=4_001, api_port=5_001
    )
    (row,) = ipfs_rows(Network(replace(plan, ipfs=(away,))))
    assert row["runs"] is None
