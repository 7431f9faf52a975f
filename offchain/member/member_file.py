"""`member.json` of a key folder: role and account in the clear, the secret ID sealed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from offchain.crypto import box, commitment
from offchain.crypto.private_file import read_private_file
from offchain.errors import FormatError, KeystoreError
from offchain.member.errors import MemberError
from offchain.member.roles import MemberRole
from offchain.records import canonical_json, fields, request
from offchain.types import Account, to_account

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

NAME = "member.json"
_INFO = b"DMSM-V1-member-file"
_MAX_BYTES = 4_096


def write(
    path: Path, *, role: MemberRole, account: LocalAccount, identity: str, salt: bytes
) -> None:
    """Write a member's file of mode 0600. Raises FileExistsError: it is never overwritten."""
    secret = json.dumps({"identity": identity, "salt": salt.hex()}).encode()
    sealed = box.seal(_file_key(account), secret, context=_context(role))
    address = to_account(account.address)
    content = {"version": 1, "role": role.name, "address": address, "sealed": sealed.hex()}
    with open(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(json.dumps(content))
        file.flush()
        os.fsync(file.fileno())


def require(directory: Path) -> Path:
    """Return the file of a key folder. Raises MemberError for a folder without a member."""
    path = directory / NAME
    if path.is_file():
        return path
    before = directory.with_name(f"{directory.name}.before")
    what_to_do = (
        f"a change of the password was cut off: move {before} there"
        if before.is_dir()
        else "make them with `dmsm keys new` first"
    )
    raise MemberError(f"{directory} holds no member's keys; {what_to_do}")


def read_public(directory: Path) -> tuple[MemberRole, Account]:
    """Return what a key folder says in the clear: role, account. No secret is opened.

    Raises MemberError for a folder without a member, KeystoreError for a file that is none.
    """
    role, account, _ = _read(require(directory))
    return role, account


def read(path: Path, account: LocalAccount) -> tuple[MemberRole, str, bytes]:
    """Open a member's file: role, secret ID, salt.

    Raises KeystoreError for a file that is none, DecryptionError for another account or role.
    """
    role, _, sealed = _read(path)
    secret = box.open_sealed(_file_key(account), sealed, context=_context(role))
    return role, *decode_identity(secret)


def decode_identity(secret: bytes) -> tuple[str, bytes]:
    """Decode what a member's file seals: secret ID and salt. Raises KeystoreError."""
    try:
        value = canonical_json.parse(secret, max_bytes=_MAX_BYTES)
        obj = fields.members(value, "identity salt", what="an identity")
        salt = fields.from_hex(obj["salt"], "salt", length=commitment.SALT_BYTES)
        return request.identity(obj["identity"]), salt
    except FormatError as error:
        raise KeystoreError(f"this is no member's identity: {error}") from None


def _read(path: Path) -> tuple[MemberRole, Account, bytes]:
    data = read_private_file(path)
    try:
        value = canonical_json.parse(data, max_bytes=_MAX_BYTES)
        obj = fields.members(value, "version role address sealed", what="a member's file")
        roles = {role.name: role for role in MemberRole if role is not MemberRole.NONE}
        if obj["version"] != 1 or not isinstance(obj["role"], str) or obj["role"] not in roles:
            raise FormatError("its version or role is not known here")
        account = fields.normal_account(obj["address"], "address")
        return roles[obj["role"]], account, fields.from_hex(obj["sealed"], "sealed")
    except FormatError as error:
        raise KeystoreError(f"{path} is no member's file: {error}") from None


def _file_key(account: LocalAccount) -> bytes:
    from offchain.crypto.kdf import hkdf  # brings the curve, which the part in the clear needs not

    # The account's keystore asks for the password; the ID is sealed under a key derived from it.
    return hkdf(bytes(account.key), salt=bytes.fromhex(account.address[2:]), info=_INFO)


def _context(role: MemberRole) -> bytes:
    return int(role).to_bytes(1, "big")
