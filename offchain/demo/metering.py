"""Stage 2: agents replay the readings; one is killed in mid-run; nothing is lost, nothing twice."""

from __future__ import annotations

import json
import os
import secrets
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from offchain.crypto.secret import SecretBytes
from offchain.demo.agents import AgentProcess, kill_in_mid_run, run_agents
from offchain.demo.households import Home
from offchain.demo.world import HomeSite, NodeSite, World
from offchain.member.keys import MemberKeys
from offchain.records import batch as batches
from offchain.records import meter_csv
from offchain.types import MeterSample, Reading

TRIALS_FILE = "trials.json"
_FEW_ROWS = 100  # fewer may all be read before the kill comes, unless the agent takes its time


@dataclass(frozen=True)
class _Killed:
    """Where a killed agent stood: its exit code, and what it had read, sent and anchored."""

    code: int
    last_seq: int
    held: int
    anchored: int


def write_agent_files(
    world: World, folder: Path, home: Home, node: NodeSite, device: MemberKeys
) -> Path:
    """Write what a device agent needs: its keys, its meter's file, its configuration."""
    place = folder / "device"
    place.mkdir()
    password = secrets.token_hex(16)
    _write_secret(place / "password", password)
    device.save(place / "keys", SecretBytes(password.encode()), light=True)
    meter_csv.write(home.meter, place / "meter.csv")
    config = {
        "rpc_url": world.ground.rpc_urls[0],
        "confirmations": world.ground.confirmations,
        "deployment": str(world.ground.deployment_file),
        "node_url": node.server.url,
        "keys": "keys",
        "password_file": "password",
        "outbox": "outbox.sqlite",
        "meter_csv": "meter.csv",
        "days": home.days,
        "gas_price_wei": world.ground.gas_price_wei,
        "pace_s": 0,
        "inject": TRIALS_FILE if not world.homes else None,  # the first home brings the trials
    }
    path = place / "agent.json"
    path.write_text(json.dumps(config, indent=1), encoding="utf-8")
    return path


def replay_readings(world: World) -> None:
    """Run every home's agent to its end; the one with most readings is killed on its way."""
    victim = max(world.homes, key=lambda home: len(home.home.samples))
    killed = _kill_one(world, victim)
    configs = [home.agent_config for home in world.homes]
    total = sum(len(home.home.samples) for home in world.homes)

    def follow(running: Sequence[AgentProcess]) -> None:
        held = sum(home.node.held.next_seq(home.device) - 1 for home in world.homes)
        world.progress(f"{held:,} of {total:,} readings held by the nodes")

    run_agents(configs, parallel=max(2, os.cpu_count() or 2), follow=follow)
    _check_anchored(world)
    _check_killed(world, victim, killed)


def _kill_one(world: World, victim: HomeSite) -> _Killed:
    rows = len(victim.home.samples)
    at_seq = 1 if rows < 4 else world.random.randrange(rows // 4, rows // 2)
    config = _paced(victim.agent_config, 1 / at_seq if rows < _FEW_ROWS else 0)

    def follow(agent: AgentProcess) -> None:
        world.progress(f"{victim.home.name} has read {agent.last_seq:,} of {rows:,}")

    agent, code = kill_in_mid_run(config, at_seq=at_seq, follow=follow)
    held = victim.node.held.next_seq(victim.device) - 1
    anchored = victim.gateway.call("DataLedger", "nextSeqOf", victim.device) - 1
    world.say(f"killed the agent of {victim.home.name} after reading {agent.last_seq} of {rows}")
    return _Killed(code, agent.last_seq, held, anchored)


def _paced(config: Path, pace_s: float) -> Path:
    """Write an agent's configuration for a run with pauses, so that few rows last until a kill."""
    values = json.loads(config.read_text("utf-8"))
    paced = config.with_name("agent-killed.json")
    paced.write_text(json.dumps(values | {"pace_s": pace_s}, indent=1), encoding="utf-8")
    return paced


def _check_anchored(world: World) -> None:
    """Every reading that a node holds lies in a batch whose root stands on chain."""
    faults, readings, anchored = [], 0, 0
    for home in world.homes:
        held = _held_readings(home)
        cut = [batches.make(part) for part in batches.cut(held)] if held else []
        calls = [("DataLedger", "anchorOf", (home.device, batch.from_seq)) for batch in cut]
        on_chain = [bytes(anchor) for anchor in home.gateway.call_many(calls)]
        next_seq = home.gateway.call("DataLedger", "nextSeqOf", home.device)
        if on_chain != [batches.anchor_hash(batch) for batch in cut]:
            faults.append(f"{home.home.name}: a batch root on chain differs")
        if next_seq != len(home.home.samples) + 1:
            faults.append(f"{home.home.name}: {next_seq - 1} of {len(home.home.samples)} anchored")
        readings += len(held)
        anchored += len(cut)
    detail = "; ".join(faults) or f"{readings:,} readings in {anchored} batches on chain"
    world.findings.record("readings_anchored", not faults and readings > 0, detail)


def _check_killed(world: World, victim: HomeSite, killed: _Killed) -> None:
    """Killed before all was anchored; in the end the node holds each sample once, in order."""
    held = [_sample(reading) for reading in _held_readings(victim)]
    rows = len(victim.home.samples)
    was_killed = killed.code == -signal.SIGKILL and killed.anchored < rows
    is_whole = held == list(victim.home.samples)
    detail = (
        f"{victim.home.name}: exit code {killed.code} after reading {killed.last_seq} of {rows}, "
        f"when the node held {killed.held} and {killed.anchored} were anchored; in the end "
        f"{len(held)}, each once and in order: {is_whole}"
    )
    world.findings.record("agent_killed_nothing_lost", was_killed and is_whole, detail)


def _held_readings(home: HomeSite) -> list[Reading]:
    return home.node.held.readings(home.device, from_s=0, to_s=2**33)


def _sample(reading: Reading) -> MeterSample:
    return MeterSample(
        time_s=reading.time_s,
        import_wh=reading.import_wh,
        export_wh=reading.export_wh,
        power_w=reading.power_w,
        temperature_dc=reading.temperature_dc,
        flags=reading.flags,
    )


def _write_secret(path: Path, text: str) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
