"""Key folders as a whole: written in one step, rotated with overlap, given another password."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

from offchain.crypto import bls, delivery
from offchain.crypto.private_file import sync_directory
from offchain.crypto.secret import SecretBytes
from offchain.errors import KeystoreError
from offchain.member.errors import MemberError
from offchain.member.keys import MemberKeys
from offchain.member.roles import MemberRole


def write_folder(
    keys: MemberKeys, directory: Path, password: SecretBytes, *, light: bool = False
) -> None:
    """Write keys, retired ones included, into a folder that appears whole or not at all.

    Every file is read back and compared first. Raises KeystoreError when the name exists.
    """
    if directory.exists():
        raise KeystoreError(f"{directory} exists; keys are never overwritten")
    unfinished = _write_beside(keys, directory, password, light)
    os.rename(unfinished, directory)
    sync_directory(directory.parent)


def rotate(
    directory: Path,
    new_directory: Path,
    password: SecretBytes,
    *,
    light: bool = False,
    generate: Callable[..., MemberKeys] = MemberKeys.generate,
) -> MemberKeys:
    """Write fresh keys for the member of `directory` into `new_directory`; return them.

    The old folder stays as it is and its account can end what it began; the new folder holds the
    old keys in `retired/`, so that what was sealed to them stays readable. The new account keeps
    the secret ID under a new salt, and must be admitted like any other. Raises KeystoreError,
    MemberError for a device: its outbox and anchors belong to its account.
    """
    old = MemberKeys.load(directory, password)
    if old.role is MemberRole.DEVICE:
        raise MemberError(
            "a device's keys are not rotated: revoke it, and admit it anew with keys of its own"
        )
    fresh = generate(old.role, identity=old.identity)
    keys = with_retired(fresh, (old, *old.retired))
    write_folder(keys, new_directory, password, light=light)
    return keys


def change_password(
    directory: Path, password: SecretBytes, new_password: SecretBytes, *, light: bool = False
) -> None:
    """Encrypt every key of a folder under a new password and remove the old files.

    Raises KeystoreError, WrongPasswordError. A crash between the two renames leaves the keys under
    `DIRECTORY.before`; move it back.
    """
    keys = MemberKeys.load(directory, password)
    before = directory.with_name(f"{directory.name}.before")
    if before.exists():
        raise KeystoreError(f"{before} is in the way; it holds keys of a change that was cut off")
    unfinished = _write_beside(keys, directory, new_password, light)
    os.rename(directory, before)
    os.rename(unfinished, directory)
    sync_directory(directory.parent)
    shutil.rmtree(before)


def with_retired(keys: MemberKeys, retired: tuple[MemberKeys, ...]) -> MemberKeys:
    """Return the keys with these earlier ones, the latest first, in place of their own."""
    from dataclasses import replace

    alone = tuple(replace(one, earlier=tuple) for one in retired)
    return replace(keys, earlier=lambda: alone)


def public_facts(keys: MemberKeys) -> dict[str, object]:
    """Return what everybody may know of a member's keys: account, role, public keys, digests."""
    facts: dict[str, object] = {
        "account": keys.address,
        "role": keys.role.name.lower(),
        "bls_key": bls.public_key(keys.bls).to_bytes().hex(),
    }
    if keys.delivery is not None:
        facts["delivery_key"] = delivery.public_key(keys.delivery).to_bytes().hex()
    if keys.paillier is not None:
        facts["paillier_key_digest"] = keys.paillier.public_key.digest().hex()
        facts["paillier_bits"] = keys.paillier.public_key.bits
    return facts | {"retired": [one.address for one in keys.retired]}


def are_same(left: MemberKeys, right: MemberKeys) -> bool:
    """Tell whether two sets of keys, retired ones included, hold the same secrets."""
    return (
        left == right
        and SecretBytes(bytes(left.account.key)) == SecretBytes(bytes(right.account.key))
        and len(left.retired) == len(right.retired)
        and all(are_same(*pair) for pair in zip(left.retired, right.retired, strict=True))
    )


def _write_beside(keys: MemberKeys, directory: Path, password: SecretBytes, light: bool) -> Path:
    directory.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = directory.with_name(f".{directory.name}.{secrets.token_hex(4)}")
    try:
        keys.save(unfinished, password, light=light)
        if not are_same(MemberKeys.load(unfinished, password), keys):
            raise KeystoreError(f"{directory} does not read back as written; check the disk")
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return unfinished
