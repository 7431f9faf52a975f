"""Small disks of their own, to be filled and to be made read-only."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class TinyDisk:
    """A disk mounted at `folder`; `leave` fills it but for so many bytes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def leave(self, room: int) -> None:
        """Fill the disk; whole pages of 4 KiB are left."""
        self._filler.unlink(missing_ok=True)
        stats = os.statvfs(self.folder)
        free = stats.f_bavail * stats.f_frsize
        self._filler.write_bytes(b"\0" * max(0, free - room))

    def free(self) -> None:
        """Give the room back."""
        self._filler.unlink(missing_ok=True)

    def read_only(self, is_so: bool) -> None:
        """Let nothing be written, or everything again."""
        how = "remount,ro" if is_so else "remount,rw"
        subprocess.run(["mount", "-o", how, str(self.folder)], check=True)


@contextmanager
def tiny_disk(folder: Path, *, size_kib: int) -> Iterator[TinyDisk]:
    """Mount a disk in memory; skips where that may not be done."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size_kib}k", "dmsm-test", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True, text=True, check=False)
        why = mounted.stderr.strip() if mounted.returncode else ""
    except FileNotFoundError:
        why = "there is no mount program"
    if why:
        pytest.skip(f"no tmpfs: {why}")
    try:
        yield TinyDisk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
