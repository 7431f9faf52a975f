"""Stage 2: agents replay the readings; one is killed in mid-run; nothing is lost, nothing twice."""

from __future__ import annotations

import json
import os
import secrets
import signal
from collections.abc import Sequence
from pathlib import Path

from offchain.crypto.secret import SecretBytes
from offchain.records import batch as batches
from offchain.services.demo.agents import AgentProcess, kill_in_mid_run, run_agents
from offchain.services.demo.households import Home, write_meter_file
from offchain.services.demo.world import HomeSite, NodeSite, World
from offchain.services.member_keys import MemberKeys
from offchain.types import MeterSample, Reading

TRIALS_FILE = "trials.json"


def write_agent_files(
    world: World, folder: Path, home: Home, node: NodeSite, device: MemberKeys
) -> Path:
    """Write what a device agent needs: its keys, its meter's file, its configuration."""
    place = folder / "device"
    place.mkdir()
    password = secrets.token_hex(16)
    _write_secret(place / "password", password)
    device.save(place / "keys", SecretBytes(password.encode()), light=True)
    write_meter_file(home, place / "meter.csv")
    config = {
        "rpc_url": world.anvil.url,
        "deployment": str(world.folder / "deployment.json"),
        "node_url": node.server.url,
        "keys": "keys",
        "password_file": "password",
        "outbox": "outbox.sqlite",
        "meter_csv": "meter.csv",
        "pace_s": 0,
        "inject": TRIALS_FILE if not world.homes else None,  # the first home brings the trials
    }
    path = place / "agent.json"
    path.write_text(json.dumps(config, indent=1), encoding="utf-8")
    return path


def replay_readings(world: World) -> None:
    """Run every home's agent to its end; the one with most readings is killed on its way."""
    victim = max(world.homes, key=lambda home: len(home.home.samples))
    rows = len(victim.home.samples)
    at_seq = 1 if rows < 4 else world.random.randrange(rows // 4, rows // 2)
    killed, code = kill_in_mid_run(victim.agent_config, at_seq=at_seq)
    world.say(f"killed the agent of {victim.home.name} after reading {killed.last_seq} of {rows}")
    held_then = victim.node.held.next_seq(victim.device) - 1
    configs = [home.agent_config for home in world.homes]
    total = sum(len(home.home.samples) for home in world.homes)

    def follow(running: Sequence[AgentProcess]) -> None:
        held = sum(home.node.held.next_seq(home.device) - 1 for home in world.homes)
        world.progress(f"{held:,} of {total:,} readings held by the nodes")

    run_agents(configs, parallel=max(2, os.cpu_count() or 2), follow=follow)
    _check_anchored(world)
    _check_killed(world, victim, killed, code, held_then)


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


def _check_killed(
    world: World, victim: HomeSite, killed: AgentProcess, code: int, held_then: int
) -> None:
    """After the kill the node holds each sample of the meter once, in order."""
    held = [_sample(reading) for reading in _held_readings(victim)]
    was_killed = code == -signal.SIGKILL and killed.last_seq < len(victim.home.samples)
    is_whole = held == list(victim.home.samples)
    rows = len(victim.home.samples)
    detail = (
        f"{victim.home.name}: exit code {code} after reading {killed.last_seq} of {rows}, when the "
        f"node held {held_then}; in the end {len(held)}, each once and in order: {is_whole}"
    )
    world.findings.record("agent_killed_nothing_lost", was_killed and is_whole, detail)


def _held_readings(home: HomeSite) -> list[Reading]:
    return home.node.held.readings(home.device, from_s=0, to_s=2**33)


def _sample(reading: Reading) -> MeterSample:
    return MeterSample(
        time_s=reading.time_s,
        energy_wh=reading.energy_wh,
        power_w=reading.power_w,
        temperature_dc=reading.temperature_dc,
    )


def _write_secret(path: Path, text: str) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
