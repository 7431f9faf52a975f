"""Device agents as separate processes: started, followed, killed on purpose, never left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from offchain.chain.anvil import die_with_parent
from offchain.errors import DmsmError

_POLL_S = 0.05
_DEADLINE_S = 1_800.0


class AgentFailed(DmsmError):
    """A device agent ended with an error or did not end in time."""


class AgentProcess:
    """One run of `dmsm-agent run`, followed by the events that it prints.

    last_seq: the highest seq that it said it had sampled.
    """

    def __init__(self, config: Path) -> None:
        """Start it. It is killed with the thread that starts it, however that ends."""
        self.config = config
        self.last_seq = 0
        self._last_error: dict[str, Any] | None = None
        self._errors = config.with_suffix(".stderr").open("ab")
        command = [sys.executable, "-m", "device_agent", "run", "--config", str(config)]
        self.process = subprocess.Popen(
            command,
            cwd=config.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,  # Ctrl-C is for the demo, which then ends it
            preexec_fn=die_with_parent(os.getpid()),
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return self.process.poll() is not None

    def kill(self) -> int:
        """End it with SIGKILL and return its exit code (negative: the signal)."""
        if not self.has_ended:
            self.process.send_signal(signal.SIGKILL)
        return self.finish()

    def finish(self) -> int:
        """Wait for its end and return its exit code."""
        code = self.process.wait()
        self._reader.join()
        self._errors.close()
        return code

    def complaint(self) -> str:
        """The last it said of an error."""
        if self._last_error is not None:
            return str(self._last_error.get("detail"))
        return self.config.with_suffix(".stderr").read_text(errors="replace").strip()[-500:]

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.endswith(b"\n"):  # the last one of a killed agent may be half a line
                self._note(json.loads(line))

    def _note(self, event: dict[str, Any]) -> None:
        if event.get("event") == "sampled":
            self.last_seq = event["seq"]
        elif event.get("event") == "error":
            self._last_error = event


def run_agents(
    configs: Sequence[Path], *, parallel: int, follow: Callable[[Sequence[AgentProcess]], None]
) -> list[AgentProcess]:
    """Run an agent for each configuration, at most `parallel` at once, until all are done.

    `follow` is called over and over with the running ones. Raises AgentFailed; none is left behind.
    """
    waiting, running, done = list(configs), list[AgentProcess](), list[AgentProcess]()
    deadline = time.monotonic() + _DEADLINE_S
    try:
        while waiting or running:
            while waiting and len(running) < parallel:
                running.append(AgentProcess(waiting.pop(0)))
            time.sleep(_POLL_S)
            follow(running)
            for agent in [one for one in running if one.has_ended]:
                running.remove(agent)
                _require_success(agent)
                done.append(agent)
            if time.monotonic() > deadline:
                raise AgentFailed(f"device agents did not end within {_DEADLINE_S:.0f} s")
    finally:
        for agent in running:
            agent.kill()
    return done


def kill_in_mid_run(
    config: Path, *, at_seq: int, follow: Callable[[AgentProcess], None]
) -> tuple[AgentProcess, int]:
    """Start an agent, kill it (SIGKILL) once it has sampled `at_seq`, and return its exit code.

    `follow` is called over and over while it runs.
    """
    agent = AgentProcess(config)
    try:
        while agent.last_seq < at_seq and not agent.has_ended:
            time.sleep(_POLL_S / 10)
            follow(agent)
    finally:
        code = agent.kill()
    return agent, code


def _require_success(agent: AgentProcess) -> None:
    code = agent.finish()
    if code != 0:
        raise AgentFailed(f"{agent.config.stem} ended with {code}: {agent.complaint()}")
