"""The chain in tables against its limits (offchain/index/).

`python -m bench.index` prints the figures and exits 1 on one that is missed without a reason in
missed.toml. The chain of the catch-up is a stand-in that serves prepared answers from a process
of its own, to the index and to plain web3.py alike; events are waited for on a private anvil.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from eth_account import Account
from sqlalchemy import text
from web3 import HTTPProvider, Web3

from bench import index_polls
from bench.chain_stand_in import EVENTS, StandIn
from bench.figures import Figure, unexplained
from offchain.chain.anvil import start_anvil
from offchain.chain.deployment import load_deployment
from offchain.chain.gateway import ChainGateway
from offchain.chain.reader import ChainReader
from offchain.index.asked import locks as asked_locks
from offchain.index.chain_index import ChainIndex
from offchain.index.follower import News
from offchain.index.tables import OPEN

PROJECT = Path(__file__).resolve().parents[1]
WEB3_EVENTS = 10_000  # of the same logs: all of them would take some minutes
LISTED, LOCKS, ENDED = 100, 100_000, 20_000
IDLE_S, LATENCIES = 6.0, 40


def main() -> int:
    """Print all figures."""
    with tempfile.TemporaryDirectory() as folder:
        figures = [*catch_up_figures(Path(folder)), *event_figures(Path(folder))]
    for figure in figures:
        print(figure.line())
    missed = unexplained(figures)
    return 1 if missed else 0


def catch_up_figures(folder: Path) -> list[Figure]:
    """Measure reading 100,000 events, and asking what was read."""
    file = folder / "deployment.json"
    with _stand_in(file) as url:
        deployment = load_deployment(file)
        reader = ChainReader([url], deployment)
        with ChainIndex(folder / "index.sqlite", reader) as index:
            began = time.monotonic()
            index.follower.catch_up()
            took_s = time.monotonic() - began
            web3_s = _web3_s(url, deployment, index.newest()) * EVENTS / WEB3_EVENTS
            figures = [
                Figure("index.catch_up", took_s, 45, "s", at_most=True),
                Figure("index.catch_up_beside_web3", web3_s / took_s, 3),
                _list(index),
            ]
        figures.append(_command(folder, url))
    return figures


def _web3_s(url: str, deployment: Any, newest: int) -> float:
    """Return how long plain web3.py takes for get_logs and decoding of some of the events."""
    web3 = Web3(HTTPProvider(url))
    contracts = {
        name: web3.eth.contract(deployment.address(name), abi=list(deployment.abi(name)))
        for name in ("PrepaidLock", "DataLedger")
    }
    events = {
        Web3.keccak(text=event.signature): event
        for contract in contracts.values()
        for event in (one() for one in contract.events)
        if not hasattr(event, "error")
    }
    addresses = [contract.address for contract in contracts.values()]
    began, read, start = time.monotonic(), 0, 1
    while read < WEB3_EVENTS:
        wanted = {"fromBlock": start, "toBlock": start + 499, "address": addresses}
        for log in web3.eth.get_logs(wanted):  # type: ignore[arg-type]
            events[log["topics"][0]].process_log(log)
            read += 1
        start += 500
    return (time.monotonic() - began) * WEB3_EVENTS / read


def _list(index: ChainIndex) -> Figure:
    """Time the list of one member's 100 locks among 100,000."""
    with index.database.write() as connection:
        columns = [column.name for column in asked_locks.locks.columns]
        for payer, count in (("'0x' || hex(randomblob(20))", LOCKS - LISTED), ("'0xmine'", LISTED)):
            chosen = {"lock_id": "randomblob(32)", "payer": payer, "to_block": str(OPEN)}
            values = ", ".join(chosen.get(name, name) for name in columns)
            # Each of the 20,000 that the catch-up made, five times.
            source = "(SELECT a.* FROM locks a, (SELECT 1 FROM locks LIMIT 5) LIMIT :count)"
            copy = f"INSERT INTO locks ({', '.join(columns)}) SELECT {values} FROM {source}"
            connection.execute(text(copy), {"count": count})
    found = asked_locks.of_payer(index, "0xmine", index.newest())
    assert len(found) == LISTED
    took_s = _median_s(lambda: asked_locks.of_payer(index, "0xmine", index.newest()))
    return Figure("index.list_of_100_among_100000", took_s * 1000, 30, "ms", at_most=True)


def _command(folder: Path, url: str) -> Figure:
    """Measure all CPU of a process that opens the index, catches up, and lists a payer's locks."""
    code = f"""
from pathlib import Path
from offchain.chain.deployment import load_deployment
from offchain.chain.reader import ChainReader
from offchain.index.chain_index import ChainIndex
from offchain.index.asked import locks
reader = ChainReader(["{url}"], load_deployment(Path("{folder}/deployment.json")))
with ChainIndex(Path("{folder}/index.sqlite"), reader) as index:
    assert len(locks.of_payer(index, "0xmine", index.follower.catch_up())) == {LISTED}
"""
    times = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], check=True, cwd=PROJECT)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return Figure("index.command_cpu", statistics.median(times), 0.6, "s", at_most=True)


def event_figures(folder: Path) -> list[Figure]:
    """Measure how soon an event of a real chain is told, and what waiting costs."""
    file = folder / "anvil.json"
    with start_anvil() as anvil:
        script = [sys.executable, str(PROJECT / "scripts" / "run_deploy.py"), "--rpc", anvil.url]
        script += ["--chain-id", str(anvil.chain_id), "--out", str(file)]
        environment = {"DMSM_DEPLOYER_KEY": anvil.keys[0], "PATH": "/usr/bin:/bin"}
        subprocess.run(script, check=True, capture_output=True, env=environment)
        account = Account.from_key(anvil.keys[0])
        urls = [anvil.url, anvil.url.replace("http://", "ws://")]  # told of heads by the second
        gateway = ChainGateway(urls, load_deployment(file), account=account)
        with ChainIndex(folder / "events.sqlite", gateway) as index, _following(index):
            began, cpu = time.monotonic(), time.process_time()
            time.sleep(IDLE_S)
            idle = 100 * (time.process_time() - cpu) / (time.monotonic() - began)
            latency_s = _latency_s(index, gateway)
        polls = _idle_polls(folder, file, anvil.url, gateway, anvil.keys[0])
    return [
        *polls,
        Figure("index.idle_cpu", idle, 1, "%", at_most=True),
        Figure("index.event_told", latency_s * 1000, 50, "ms", at_most=True),
    ]


def _idle_polls(
    folder: Path, file: Path, url: str, gateway: ChainGateway, key: str
) -> list[Figure]:
    """Compare a whole node's idle poll, and its memory, beside ended locks and beside none."""
    environment = {"DMSM_NODE_KEY": key, "PATH": "/usr/bin:/bin"}

    def poll(ended: int) -> tuple[float, int]:
        place = folder / f"node-{ended}"
        index_polls.prepare(place, gateway, key, ended=ended)
        command = [sys.executable, "-m", "bench.index_polls", str(place), str(file)]
        command += [url, str(ended)]
        said = subprocess.check_output(command, cwd=PROJECT, env=environment)
        median_s, peak_kb = said.split()
        return float(median_s), int(peak_kb)

    (none_s, none_kb), (full_s, full_kb) = poll(0), poll(ENDED)
    more_mb = (full_kb - none_kb) / 1024
    return [
        Figure("index.idle_poll_20000_ended", full_s / none_s, 1.5, at_most=True),
        Figure("index.memory_20000_ended", more_mb, 20, "MB", at_most=True),
    ]


def _latency_s(index: ChainIndex, gateway: ChainGateway) -> float:
    """Return the median time from a transaction's receipt to the listener's call."""
    told: dict[int, float] = {}

    def listen(news: News) -> None:
        told.setdefault(news.newest, time.monotonic())

    index.follower.listen(listen)
    times = []
    target = gateway.deployment.address("MemberRegistry")
    for _ in range(LATENCIES):
        receipt = gateway.transact("Consortium", "propose", target, 0, b"\x01\x02\x03\x04")
        mined_at = time.monotonic()
        while receipt.block_number not in told:
            time.sleep(0.001)
        times.append(max(0.0, told[receipt.block_number] - mined_at))
    return statistics.median(times)


@contextmanager
def _following(index: ChainIndex) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=index.follower.follow, args=(stop,))
    index.follower.catch_up()
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _median_s(step: Any, rounds: int = 40) -> float:
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        step()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


# ---- the stand-in's process


@contextmanager
def _stand_in(file: Path) -> Iterator[str]:
    """Start the stand-in; yield its address once its answers are prepared."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(theirs, str(file)), daemon=True
    )
    process.start()
    theirs.close()  # so that a stand-in that dies is noticed here
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join()


def _serve(pipe: Any, file: str) -> None:
    chain = StandIn()
    Path(file).write_text(json.dumps(chain.deployment))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = chain.answer(body)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    pipe.send(server.server_address[1])
    server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
