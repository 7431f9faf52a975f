"""`make soak`: traffic on real signers while some are killed, frozen, starved, cut off or voted on.

    .venv/bin/python -m tests.network.soak [--minutes 30] [--only NAME] [--stock] [--geth PROGRAM]

Ends with 1 when the chain stood still for more than HALT_S while a majority ran, the signers had no
common head AGREE_S after the last transfer, a transfer was lost, what counted as final was undone,
or a reorganisation was deeper than that. `--stock` and `--geth` try the rules and a build of
before: the soak must find them wanting.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from eth_account import Account

from offchain.chain.errors import NodeRefused, NodeUnavailable
from offchain.network import geth
from offchain.network.building import NetworkOptions, build
from offchain.network.genesis import confirmations
from offchain.network.ipc import Ipc
from offchain.network.operation import Network
from offchain.network.voting import add_signer, remove_signer
from tests.network.conftest import reorganisations
from tests.network.cut import CutNetwork
from tests.network.sending import NOBODY, wait_for

HALT_S = 5.0
AGREE_S = 5.0
_LOST_S = 60.0
_FROZEN_S = 30.0
_POLL_S = 0.05
_AGAIN_S = 2.0  # what is not mined by then is sent again, as the project's sender does
_GAS_PRICE_WEI = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """One stretch of traffic: who seals, how much is sent to whom, and what goes wrong."""

    name: str
    trouble: str
    signers: int = 4
    period_s: int = 0
    to_all: bool = False
    bursts: tuple[int, ...] = (20,)


@dataclass(slots=True)
class Report:
    """What came of a play."""

    play: Play
    transfers: int = 0
    bursts: int = 0
    blocks: int = 0
    longest_halt_s: float = 0.0
    agreed_s: float = float("inf")
    lost: int = 0
    undone: int = 0
    deepest: int = 0
    final: int = 0
    faults: list[str] = field(default_factory=list)

    def judge(self) -> None:
        """Name what must not be."""
        self.faults = [
            what
            for is_so, what in (
                (self.longest_halt_s > HALT_S, f"halted for {self.longest_halt_s:.1f} s"),
                (self.agreed_s > AGREE_S, f"no common head in {AGREE_S:.0f} s"),
                (self.lost > 0, f"{self.lost} transfers lost"),
                (self.undone > 0, f"{self.undone} final blocks undone"),
                (self.deepest > self.final, f"{self.deepest} blocks taken off"),
            )
            if is_so
        ]

    def line(self) -> str:
        """Say it in one line."""
        return (
            f"{self.play.name:24} {self.bursts:5} bursts {self.transfers:6} transfers "
            f"{self.blocks:5} blocks, halt {self.longest_halt_s:4.1f} s, agreed in "
            f"{self.agreed_s:4.1f} s, lost {self.lost}, undone {self.undone}, deepest "
            f"{self.deepest} of {self.final}: {'; '.join(self.faults) or 'ok'}"
        )


PLAYS = (
    Play(name="bursts of 20, 4 signers", trouble="none"),
    Play(name="bursts of 20, 5 signers", trouble="none", signers=5),
    Play(name="killed, 4 signers", trouble="kill"),
    Play(name="starved, 4 signers", trouble="starve"),
    Play(name="killed, 5, to all", trouble="kill", signers=5, to_all=True, bursts=(1, 20, 200)),
    Play(name="frozen, 4 signers", trouble="freeze"),
    Play(name="cut, 5 signers", trouble="cut", signers=5, bursts=(1, 20, 60)),
    Play(name="votes, 4 signers", trouble="vote", bursts=(1, 20)),
    Play(name="killed, 3 signers", trouble="kill", signers=3, bursts=(1, 20, 100)),
    Play(name="starved, 7, to all", trouble="starve", signers=7, to_all=True, bursts=(1, 50)),
    Play(name="frozen, 5, to all", trouble="freeze", signers=5, to_all=True, bursts=(1, 200)),
    Play(name="period 1, killed", trouble="kill", period_s=1, bursts=(20, 200)),
    Play(name="period 1, 7, to all", trouble="none", signers=7, period_s=1, to_all=True),
)
SHORT = PLAYS[:4]


class Watch:
    """Looks at every signer all the time: how high the chain is, and what counted as final."""

    def __init__(self, network: Network, depth: int) -> None:
        self._network, self._depth = network, depth
        self.height, self.grown_at = 0, time.monotonic()
        self.final: dict[int, str] = {}
        self.undone: set[int] = set()
        self._lock, self._ended = threading.Lock(), threading.Event()
        self._threads: dict[str, threading.Thread] = {}

    def follow(self, names: Sequence[str]) -> None:
        """Look at these signers, too."""
        for name in names:
            if name not in self._threads:
                self._threads[name] = threading.Thread(target=self._look, args=(name,), daemon=True)
                self._threads[name].start()

    def end(self) -> None:
        """Look no more."""
        self._ended.set()
        for thread in self._threads.values():
            thread.join(timeout=10)

    def _look(self, name: str) -> None:
        while not self._ended.wait(_POLL_S):
            with suppress(NodeUnavailable, NodeRefused):
                with Ipc(self._network.plan.ipc_path(name), timeout_s=2.0) as node:
                    while not self._ended.wait(_POLL_S):
                        self._see(node)

    def _see(self, node: Ipc) -> None:
        height = int(node.request("eth_blockNumber"), 16)
        # A chain only grows, so what is read now has at least as many blocks on it.
        block = node.request("eth_getBlockByNumber", hex(max(0, height - self._depth)), False)
        if block is None:
            return
        number = int(block["number"], 16)
        with self._lock:
            if height > self.height:
                self.height, self.grown_at = height, time.monotonic()
            if self.final.setdefault(number, block["hash"]) != block["hash"]:
                self.undone.add(number)


class Traffic:
    """Bursts of transfers, each when the last one has its receipts."""

    def __init__(self, network: Network, play: Play, watch: Watch, rng: random.Random) -> None:
        self._network, self._play, self._watch, self._rng = network, play, watch, rng
        key = network.plan.key("consortium").read_text().strip()
        self._account = Account.from_key(key)
        self._nonce = 0
        self._ended = threading.Event()
        self.report = Report(play)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """Let the last burst come to its end, and stop."""
        self._ended.set()
        self._thread.join(timeout=_LOST_S + 30)

    def _run(self) -> None:
        while not self._ended.is_set():
            self._burst(self._rng.choice(self._play.bursts))

    def _burst(self, size: int) -> None:
        waiting = [self._transfer(self._nonce + number) for number in range(size)]
        self._nonce += size
        sent_at = time.monotonic()
        self._send(waiting)
        again_at, give_up_at = sent_at + _AGAIN_S, sent_at + _LOST_S
        while waiting and time.monotonic() < give_up_at:
            time.sleep(0.01)
            waiting = self._unmined(waiting)
            now = time.monotonic()
            halt_s = now - max(sent_at, self._watch.grown_at)
            self.report.longest_halt_s = max(self.report.longest_halt_s, halt_s)
            if waiting and now > again_at:
                self._send(waiting)
                again_at = now + _AGAIN_S
        self.report.lost += len(waiting)
        self.report.bursts += 1
        self.report.transfers += size

    def _transfer(self, nonce: int) -> tuple[str, str]:
        signed = self._account.sign_transaction(
            {
                "chainId": self._network.plan.chain_id,
                "nonce": nonce,
                "gasPrice": _GAS_PRICE_WEI,
                "gas": 21_000,
                "to": NOBODY,
                "value": 1,
            }
        )
        return "0x" + bytes(signed.hash).hex(), "0x" + bytes(signed.raw_transaction).hex()

    def _targets(self) -> list[str]:
        names = [one.name for one in self._network.plan.signers]
        return names if self._play.to_all else names[:1]

    def _send(self, transfers: Sequence[tuple[str, str]]) -> None:
        for name in self._targets():
            with suppress(NodeUnavailable):
                with Ipc(self._network.plan.ipc_path(name), timeout_s=2.0) as node:
                    for _, raw in transfers:
                        with suppress(NodeRefused):  # it has it already
                            node.request("eth_sendRawTransaction", raw)

    def _unmined(self, transfers: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """Those that have no receipt at the first signer that answers; nonces make them ordered."""
        for name in self._targets():
            with suppress(NodeUnavailable, NodeRefused):
                with Ipc(self._network.plan.ipc_path(name), timeout_s=2.0) as node:
                    if node.request("eth_getTransactionReceipt", transfers[-1][0]):
                        return []
                    return list(transfers)
        return list(transfers)


class Trouble:
    """What goes wrong while there is traffic. Never more signers than a majority can spare."""

    def __init__(self, network: Network, watch: Watch, rng: random.Random) -> None:
        self._network, self._watch, self._rng = network, watch, rng

    def make(self, kind: str, until: float) -> None:
        """Make trouble of a kind until that time, and heal it."""
        trouble: Callable[[float], None] = getattr(self, f"_{kind}")
        trouble(until)

    def _none(self, until: float) -> None:
        time.sleep(max(0.0, until - time.monotonic()))

    def _victims(self) -> list[str]:
        """The first signer is who is sent to, and is spared."""
        names = [one.name for one in self._network.plan.signers]
        return self._rng.sample(names[1:], self._rng.randint(1, (len(names) - 1) // 2))

    def _kill(self, until: float) -> None:
        while time.monotonic() < until:
            victims = self._victims()
            for name in victims:
                self._network.processes.kill(name)
            self._none(min(until, time.monotonic() + 8))
            self._network.start(victims)
            self._none(min(until, time.monotonic() + 4))

    def _freeze(self, until: float) -> None:
        while True:
            victims = self._victims()
            for name in victims:
                self._network.processes.signal(name, signal.SIGSTOP)
            time.sleep(_FROZEN_S)
            for name in victims:
                self._network.processes.signal(name, signal.SIGCONT)
            if time.monotonic() + _FROZEN_S > until:
                return
            time.sleep(5)

    def _starve(self, until: float) -> None:
        loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
        try:
            self._none(until)
        finally:
            for loop in loops:
                loop.kill()
                loop.wait()

    def _cut(self, until: float) -> None:
        assert isinstance(self._network, CutNetwork)
        while time.monotonic() < until:
            victims = self._victims()
            self._network.cut(victims)
            self._none(min(until, time.monotonic() + 15))
            self._network.heal(victims)
            self._none(min(until, time.monotonic() + 10))

    def _vote(self, until: float) -> None:
        while time.monotonic() < until:
            made = add_signer(self._network)
            self._watch.follow([made.name])
            self._none(min(until, time.monotonic() + 5))
            remove_signer(self._network, made.name)


def perform(play: Play, folder: Path, *, seconds: float, ranked: bool | None = None) -> Report:
    """Make a network, play on it, and say what came of it."""
    rng = random.Random(1)
    options = NetworkOptions(
        folder=folder,
        signers=play.signers,
        ipfs_nodes=0,
        period_s=play.period_s,
        ranked=ranked,
    )
    with _network(options, is_cut=play.trouble == "cut") as network:
        final = confirmations("clique", play.signers)
        watch = Watch(network, final)
        watch.follow([one.name for one in network.plan.signers])
        wait_for(lambda: watch.height > 0)
        traffic = Traffic(network, play, watch, rng)
        traffic.start()
        try:
            Trouble(network, watch, rng).make(play.trouble, time.monotonic() + seconds)
        finally:
            traffic.end()
        report = traffic.report
        report.agreed_s = _agreed_s(network)
        watch.end()
        report.undone, report.blocks, report.final = len(watch.undone), watch.height, final
        report.deepest = max(reorganisations(network), default=0)
    report.judge()
    return report


def _agreed_s(network: Network) -> float:
    """How long from now on it takes until all running signers have one head."""
    begun = time.monotonic()
    while time.monotonic() - begun < 4 * AGREE_S:
        with suppress(NodeUnavailable, NodeRefused):
            heads = {
                str(network.ask(name, "eth_getBlockByNumber", "latest", False)["hash"])  # type: ignore[index]
                for name in network.running_signers()
            }
            if len(heads) == 1:
                return time.monotonic() - begun
        time.sleep(_POLL_S)
    return float("inf")


@contextmanager
def _network(options: NetworkOptions, *, is_cut: bool) -> Iterator[Network]:
    """Signers and a heartbeat, without contracts; ended in any case, and deleted."""
    plan = build(options)
    network = CutNetwork(plan) if is_cut else Network(plan, tied=True)
    try:
        if isinstance(network, CutNetwork):
            network.start_proxies()
        network.start()
        yield network
    finally:
        network.delete()


def main() -> int:
    """Play all, say what came of each; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--only", help="plays whose name holds this")
    parser.add_argument("--stock", action="store_true", help="the rules of stock Geth")
    parser.add_argument("--geth", type=Path, help="another build of Geth")
    chosen = parser.parse_args()
    plays = [play for play in PLAYS if (chosen.only or "") in play.name]
    seconds = 60 * chosen.minutes / len(plays)
    ranked = False if chosen.stock else None
    with ExitStack() as stack:
        if chosen.geth:
            _use(chosen.geth)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dmsm-soak-")))
        reports = []
        for number, play in enumerate(plays):
            report = perform(play, folder / str(number), seconds=seconds, ranked=ranked)
            print(report.line(), flush=True)
            reports.append(report)
    return 1 if any(report.faults for report in reports) else 0


def _use(program: Path) -> None:
    def find(**_: object) -> Path:
        return program

    geth.find_geth = find  # type: ignore[assignment]


if __name__ == "__main__":
    raise SystemExit(main())
