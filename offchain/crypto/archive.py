"""One encrypted file that holds a whole folder of secrets (docs/formats.md §15).

    "DMSMKA01" ‖ uint8 log2 of scrypt's n ‖ salt (32) ‖ GCM nonce (12) ‖ ciphertext and tag

Associated data are all bytes before the nonce. The plaintext lists named secrets by rising name:
uint8 length ‖ name ‖ uint32 length ‖ bytes, each. Its passphrase is its own.
"""

import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path

from offchain.crypto.box import gcm_decrypt, gcm_encrypt
from offchain.crypto.keystore import SCRYPT_N, require_scrypt_n, stretch
from offchain.crypto.private_file import read_private_file, sync_directory
from offchain.crypto.secret import SecretBytes
from offchain.errors import DecryptionError, KeystoreError, WrongPasswordError

MAGIC = b"DMSMKA01"
MAX_ARCHIVE_BYTES = 1 << 20
MAX_FILES = 1_000
MAX_FILE_BYTES = 1 << 16
_SALT_BYTES = 32
_HEADER_BYTES = len(MAGIC) + 1 + _SALT_BYTES
_MAX_LOG_N = 30
_NAME = re.compile(r"[a-z]{1,16}|retired/[0-9]{3}/[a-z]{1,16}")


def write_archive(
    path: Path, files: Mapping[str, bytes], passphrase: SecretBytes, *, scrypt_n: int = SCRYPT_N
) -> None:
    """Write secrets into one encrypted file of mode 0600, read it back, then give it its name.

    Raises KeystoreError when the file exists, does not read back, or a name or size is unfit.
    """
    require_scrypt_n(scrypt_n)
    salt = secrets.token_bytes(_SALT_BYTES)
    header = MAGIC + bytes([scrypt_n.bit_length() - 1]) + salt
    key = stretch(passphrase, salt, scrypt_n)
    data = header + gcm_encrypt(key, encode_files(files), associated_data=header)
    if len(data) > MAX_ARCHIVE_BYTES:
        raise KeystoreError(f"an archive has at most {MAX_ARCHIVE_BYTES} bytes")
    _write_new(path, data, files, passphrase)


def read_archive(path: Path, passphrase: SecretBytes) -> dict[str, SecretBytes]:
    """Read the secrets of an archive by name.

    Raises WrongPasswordError, or KeystoreError for a file that is no archive.
    """
    data = read_private_file(path, max_bytes=MAX_ARCHIVE_BYTES)
    if len(data) < _HEADER_BYTES or data[: len(MAGIC)] != MAGIC:
        raise KeystoreError(f"{path} is no archive of keys of version 1")
    header, body = data[:_HEADER_BYTES], data[_HEADER_BYTES:]
    scrypt_n = 1 << min(header[len(MAGIC)], _MAX_LOG_N)
    require_scrypt_n(scrypt_n)
    key = stretch(passphrase, header[-_SALT_BYTES:], scrypt_n)
    try:
        plain = gcm_decrypt(key, body, associated_data=header)
    except DecryptionError:
        raise WrongPasswordError(f"{path} does not open: wrong passphrase or damaged") from None
    return decode_files(plain)


def encode_files(files: Mapping[str, bytes]) -> bytes:
    """Encode named secrets. Raises KeystoreError for what `decode_files` would refuse."""
    parts = []
    for name, data in sorted(files.items()):
        if not 0 < len(data) <= MAX_FILE_BYTES:
            raise KeystoreError(f"{name} must have 1 to {MAX_FILE_BYTES} bytes")
        encoded = name.encode()
        parts += [bytes([len(encoded)]), encoded, len(data).to_bytes(4, "big"), bytes(data)]
    plain = b"".join(parts)
    decode_files(plain)
    return plain


def decode_files(plain: bytes) -> dict[str, SecretBytes]:
    """Decode named secrets, every byte of them. Raises KeystoreError."""
    found: dict[str, SecretBytes] = {}
    at, before = 0, ""
    while at < len(plain):
        raw, at = _field(plain, at, width=1, longest=255)
        name = raw.decode("ascii", "replace")
        if not _NAME.fullmatch(name) or name <= before or len(found) == MAX_FILES:
            raise KeystoreError("the names in this archive are unfit or out of order")
        data, at = _field(plain, at, width=4, longest=MAX_FILE_BYTES)
        found[name], before = SecretBytes(data), name
    return found


def _field(plain: bytes, at: int, *, width: int, longest: int) -> tuple[bytes, int]:
    start = at + width
    length = int.from_bytes(plain[at:start], "big")
    if not 0 < length <= longest or start + length > len(plain):
        raise KeystoreError("the archive is cut off or a length in it is out of range")
    return plain[start : start + length], start + length


def _write_new(
    path: Path, data: bytes, files: Mapping[str, bytes], passphrase: SecretBytes
) -> None:
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # 0600
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            held = read_archive(temporary, passphrase)
            if held != {name: SecretBytes(value) for name, value in files.items()}:
                raise KeystoreError(f"{path} does not read back as written; check the disk")
            os.link(temporary, path)  # unlike a rename, refuses an existing name
        finally:
            temporary.unlink()
        sync_directory(path.parent)
    except FileExistsError:
        raise KeystoreError(f"{path} exists; archives are never overwritten") from None
    except OSError as error:
        raise KeystoreError(f"cannot write {path}: {error.strerror}") from error
