"""Fig. 6: 100 notifications of five device agents, each a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from bench.net_site import Home, Site
from bench.process_use import Use, watched
from offchain.chain.anvil import die_with_parent
from offchain.network.heartbeat import GAS_PRICE_WEI

_END_S = 600.0


@dataclass(frozen=True)
class Notification:
    """Milliseconds of one: in all, from the reading to its receipt, and the agent's own steps."""

    total_ms: float
    seal_ms: float
    store_ms: float
    chain_ms: float


@dataclass
class NotificationRun:
    """Notifications in the order of their readings; what agents and signers used meanwhile."""

    notifications: list[Notification] = field(default_factory=list)
    agents: list[Use] = field(default_factory=list)
    signers: list[Use] = field(default_factory=list)


class NotificationsFailed(Exception):
    """An agent did not report each of its readings by itself: the times say nothing."""


def measure_notifications(
    site: Site, node_url: str, *, rows: int, pace_s: float
) -> NotificationRun:
    """Let every household's agent replay its meter, a reading each `pace_s`, and time each report.

    A reading is one notification: its status differs from the one before. Raises
    NotificationsFailed.
    """
    agents = [_Agent(home, site, node_url, pace_s) for home in site.households]
    pids = {f"agent-{number}": agent.process.pid for number, agent in enumerate(agents)}
    for name in site.network.running_signers():
        pids[name] = site.network.processes.pid(name) or 0
    try:
        with watched(pids) as uses:
            for agent in agents:
                agent.finish()
    finally:
        for agent in agents:
            agent.kill()
    rounds = zip(*(agent.timed(rows) for agent in agents), strict=True)
    return NotificationRun(
        notifications=[one for each in rounds for one in each],
        agents=[use for name, use in uses.items() if name.startswith("agent")],
        signers=[use for name, use in uses.items() if name.startswith("signer")],
    )


class _Agent:
    def __init__(self, home: Home, site: Site, node_url: str, pace_s: float) -> None:
        config = home.folder / "agent.json"
        config.write_text(json.dumps(_config(site, node_url, pace_s), indent=1))
        self._errors = (home.folder / "agent.stderr").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "device_agent", "run", "--config", str(config)],
            cwd=home.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            preexec_fn=die_with_parent(os.getpid()),
        )
        self._events: list[tuple[float, dict[str, Any]]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def finish(self) -> None:
        code = self.process.wait(timeout=_END_S)
        self._reader.join()
        if code != 0:
            raise NotificationsFailed(f"an agent ended with {code}: {self._events[-3:]}")

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._errors.close()

    def timed(self, rows: int) -> list[Notification]:
        sampled = [at for at, event in self._events if event["event"] == "sampled"]
        reported = [(at, e["took_ms"]) for at, e in self._events if e["event"] == "reported"]
        if not len(sampled) == len(reported) == rows:
            raise NotificationsFailed(f"{len(sampled)} readings, {len(reported)} reports")
        return [
            Notification(1000 * (end - start), took["seal"], took["store"], took["chain"])
            for start, (end, took) in zip(sampled, reported, strict=True)
        ]

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._events.append((time.monotonic(), json.loads(line)))


def _config(site: Site, node_url: str, pace_s: float) -> dict[str, Any]:
    plan = site.network.plan
    return {
        "rpc_url": plan.rpc_urls[0],
        "deployment": str(plan.folder / "deployment.json"),
        "node_url": node_url,
        "keys": "keys",
        "password_file": "password",
        "outbox": "outbox.sqlite",
        "meter_csv": "meter.csv",
        "pace_s": pace_s,
        "gas_price_wei": GAS_PRICE_WEI,
    }
