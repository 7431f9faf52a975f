"""Processes that outlive the command that starts them, found again by their id and start time.

``run/NAME.pid`` holds both, written by the process itself before it becomes its program, so that
none runs unknown, whenever its starter ends. An id that the system has given to somebody else is
never signalled. Linux only (``/proc``).
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from offchain.chain.anvil import die_with_parent
from offchain.network.errors import NodeFailed

_POLL_S = 0.02
_WHY = ("panic:", "fatal", "error:")  # how such a line begins, in any case of letters
_TAIL_BYTES = 1 << 16
_children: list[subprocess.Popen[bytes]] = []  # ours: to be reaped when they end


class ProcessFolder:
    """The processes of one network."""

    def __init__(self, folder: Path) -> None:
        """Use ``folder/run`` and ``folder/logs``."""
        self._run, self._logs = folder / "run", folder / "logs"
        self._begins: dict[str, int] = {}  # where in its log the last start began

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        tied: bool = False,
    ) -> int:
        """Start `command` with its output appended to its log; return the process id.

        `tied`: it dies with the thread that starts it. Raises NodeFailed when `name` runs.
        """
        if self.is_running(name):
            raise NodeFailed(f"{name} runs already")
        self._run.mkdir(parents=True, exist_ok=True)
        self._logs.mkdir(parents=True, exist_ok=True)
        with self.log(name).open("ab") as log:
            self._begins[name] = log.tell()
            tie = die_with_parent(os.getpid()) if tied else None
            try:
                process = subprocess.Popen(
                    command,
                    env={**os.environ, **(environment or {})},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    preexec_fn=_note_itself(self._file(name), tie),
                )
            except (OSError, subprocess.SubprocessError):  # it never became its program
                self._file(name).unlink(missing_ok=True)
                raise
        _children.append(process)
        return process.pid

    def log(self, name: str) -> Path:
        """Return the file of its output."""
        return self._logs / f"{name}.log"

    def pid(self, name: str) -> int | None:
        """Return the id of the running process, or None."""
        try:
            pid, started = self._file(name).read_text().split()
        except (FileNotFoundError, ValueError):
            return None
        _reap()
        if any(child.pid == int(pid) for child in _children):
            return int(pid)  # ours, and not ended: /proc tells too early, while threads still run
        return int(pid) if _started_at(int(pid)) == started else None

    def is_running(self, name: str) -> bool:
        """Whether the process started under `name` runs still."""
        return self.pid(name) is not None

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to the process, if it runs."""
        pid = self.pid(name)
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self, name: str) -> None:
        """End it as a power failure would, and wait until it is gone."""
        self.signal(name, signal.SIGKILL)
        self._wait([name], 10.0)

    def stop(self, names: Iterable[str], *, timeout_s: float = 30.0) -> None:
        """End processes in good order, all at once; those that do not end in time, hard."""
        listed = list(names)
        for name in listed:
            self.signal(name, signal.SIGTERM)
            self.signal(name, signal.SIGCONT)  # a halted one would never hear of it
        for name in self._wait(listed, timeout_s):
            self.kill(name)
        for name in listed:
            self._file(name).unlink(missing_ok=True)

    def known(self) -> list[str]:
        """Return the names of all that were started and not stopped."""
        return sorted(path.stem for path in self._run.glob("*.pid"))

    def tail(self, name: str, lines: int = 20, *, since: int = 0) -> str:
        """Return the last lines of its log; `since`: bytes at its beginning that are left out."""
        try:
            with self.log(name).open("rb") as stream:
                size = stream.seek(0, os.SEEK_END)
                stream.seek(min(size, max(since, size - _TAIL_BYTES)))
                text = stream.read().decode(errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def last_words(self, name: str) -> str:
        """Return the line of its log that says why it ended, if one does, and the last three: of
        the last start, if it was here.

        A Go program that panics writes its stack behind that line.
        """
        lines = self.tail(name, _TAIL_BYTES, since=self._begins.get(name, 0)).splitlines()
        told = [line for line in lines if line.lower().startswith(_WHY)]
        return "\n".join([*told[-1:], *(line for line in lines[-3:] if line not in told[-1:])])

    def _wait(self, names: Iterable[str], timeout_s: float) -> list[str]:
        give_up_at = time.monotonic() + timeout_s
        left = [name for name in names if self.is_running(name)]
        while left and time.monotonic() < give_up_at:
            time.sleep(_POLL_S)
            left = [name for name in left if self.is_running(name)]
        _reap()
        return left

    def _file(self, name: str) -> Path:
        return self._run / f"{name}.pid"


def _note_itself(file: Path, tie: Callable[[], None] | None) -> Callable[[], None]:
    """Return what a new process does first: tie itself to its parent, write its id to `file`."""

    def note() -> None:
        if tie is not None:
            tie()
        file.write_text(f"{os.getpid()} {_started_at(os.getpid())}\n")

    return note


def _started_at(pid: int) -> str | None:
    """Return the clock tick at which a process started, or None when there is none alive."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else fields[19]


def _reap() -> None:
    for process in list(_children):
        if process.poll() is not None:
            _children.remove(process)
