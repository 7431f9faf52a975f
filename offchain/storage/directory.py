"""The embedded content store: a folder of content-addressed files, shared by any processes."""

import os
import secrets
from collections.abc import Container, Sequence
from pathlib import Path

from offchain.storage.cid import Cid
from offchain.storage.errors import ObjectNotFound, StoreUnavailable
from offchain.storage.objects import BlockBackedStore


class DirectoryStore(BlockBackedStore):
    """Keep each block in one file named by its CID.

    A write is: temporary file, fsync, rename, fsync of the folder. No lock is needed: two writers
    of one name write equal bytes, and a rename is atomic. Presence is the pin.
    """

    def __init__(self, folder: Path | str, *, may_be_away: bool = False) -> None:
        """Open the store in `folder`, made when missing. Raises StoreUnavailable when it cannot be,
        or only at its first use where it `may_be_away` for a time.
        """
        self.folder = Path(folder)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            if may_be_away:
                return
            raise StoreUnavailable(f"cannot make the store {self.folder}: {error}") from error

    def is_up(self) -> bool:
        """Tell whether the folder is there."""
        return self.folder.is_dir()

    def close(self) -> None:
        """Do nothing: no file stays open between calls."""

    def remove_older(self, than: float, *, keep: Container[str]) -> int:
        """Remove the files last written before a time (unix time) whose names are not in `keep`.

        Return how many. What a crash left unfinished goes too. Raises StoreUnavailable.
        """
        removed = 0
        try:
            for path in self.folder.glob("*/*"):
                if path.name not in keep and path.stat().st_mtime < than:
                    path.unlink(missing_ok=True)
                    removed += 1
        except OSError as error:
            raise StoreUnavailable(f"cannot tidy {self.folder}: {error}") from error
        return removed

    def renew(self, objects: Sequence[bytes]) -> list[Cid]:
        """Put objects again over what is damaged: each file gives way to the new one at once.

        Nothing is taken out first: these may be the only copies of what is sound among them.
        """
        return self.put_all(objects)

    def _path(self, cid: Cid) -> Path:
        return (
            self.folder / cid[-3:-1] / cid
        )  # the last character carries few bits, the two before it ten

    def _write_block(self, cid: Cid, data: bytes) -> None:
        path = self._path(cid)
        try:
            if path.exists() and path.read_bytes() == data:  # a damaged file is written anew
                path.touch()  # it is used again: `remove_older` spares it
                _sync_folder(path.parent)  # another process may have renamed it a moment ago
                return
            _make_durable_folder(path.parent)
            _write_atomically(path, data)
        except OSError as error:
            raise StoreUnavailable(f"cannot write {path}: {error}") from error

    def _read_block(self, cid: Cid, max_bytes: int) -> bytes:
        try:
            with self._path(cid).open("rb") as file:
                return file.read(max_bytes + 1)
        except FileNotFoundError as error:
            raise ObjectNotFound(f"{cid} is not in the content store {self.folder}") from error
        except OSError as error:
            raise StoreUnavailable(f"cannot read {self._path(cid)}: {error}") from error

    def _has_block(self, cid: Cid) -> bool:
        if self._path(cid).is_file():
            return True
        if not self.folder.is_dir():  # a disk that is not mounted has lost nothing
            raise StoreUnavailable(f"the store {self.folder} is not there")
        return False

    _is_block_pinned = _has_block

    def _unpin_block(self, cid: Cid) -> None:
        try:
            self._path(cid).unlink(missing_ok=True)
        except OSError as error:
            raise StoreUnavailable(f"cannot remove {self._path(cid)}: {error}") from error

    _remove_block = _unpin_block


def _write_atomically(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _make_durable_folder(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
