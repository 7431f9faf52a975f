"""Files for one user's eyes: password files, and key files that are never overwritten."""

import json
import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from offchain.crypto.secret import SecretBytes
from offchain.errors import KeystoreError

_MAX_FILE_BYTES = 1 << 16


def read_password(path: Path | str) -> SecretBytes:
    """Read a password: the file's first line without its line end.

    Raises KeystoreError when the file is missing, empty, or open to other users.
    """
    lines = read_private_file(Path(path)).splitlines()
    if not lines or not lines[0]:
        raise KeystoreError(f"the password file {path} is empty; write the password into it")
    return SecretBytes(lines[0])


def read_private_file(path: Path, *, max_bytes: int = _MAX_FILE_BYTES) -> bytes:
    """Read a small file that only its owner can read. Raises KeystoreError."""
    try:
        with path.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            data = stream.read(max_bytes + 1)
    except OSError as error:
        raise KeystoreError(f"cannot read {path}: {error.strerror}") from error
    if stat.S_IMODE(mode) & 0o077:
        raise KeystoreError(f"{path} is open to other users; run chmod 600 on it")
    if len(data) > max_bytes:
        raise KeystoreError(f"{path} is too large to be a key or password file")
    return data


def write_document(
    path: Path, document: dict[str, Any], load: Callable[[Path], SecretBytes], payload: bytes
) -> None:
    """Write a 0600 file, sync it, open it again with `load`, and only then give it its name.

    Raises KeystoreError when the name exists, `load` does not return `payload`, or the disk fails.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # 0600
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(json.dumps(document, indent=2).encode() + b"\n")
                stream.flush()
                os.fsync(stream.fileno())
            if load(temporary) != SecretBytes(payload):
                raise KeystoreError(f"{path} does not read back as written; check the disk")
            os.link(temporary, path)  # unlike a rename, refuses an existing name
        finally:
            temporary.unlink()
        sync_directory(path.parent)
    except FileExistsError:
        raise KeystoreError(f"{path} exists; keys are never overwritten") from None
    except OSError as error:
        raise KeystoreError(f"cannot write {path}: {error.strerror}") from error


def sync_directory(path: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
