"""A member's whole key folder in one encrypted file, and back (docs/formats.md §15).

The archive holds the secrets themselves under a passphrase of its own, so that it needs no other
password to be of use; a restored folder gets a new one.
"""

from __future__ import annotations

import json
from pathlib import Path

from offchain.crypto import archive, keystore
from offchain.crypto.bls import BlsSecretKey
from offchain.crypto.delivery import DeliverySecretKey
from offchain.crypto.kdf import DeviceSecret
from offchain.crypto.paillier import PaillierPrivateKey
from offchain.crypto.secret import SecretBytes
from offchain.errors import KeystoreError
from offchain.member import key_folder, member_file
from offchain.member.keys import RETIRED, MemberKeys, account_of
from offchain.member.roles import MemberRole

_OF_DEVICE = {"account", "bls", "device", "identity", "role"}
_OF_OTHERS = {"account", "bls", "delivery", "identity", "paillier", "role"}
_ROLES = {role.name: role for role in MemberRole if role is not MemberRole.NONE}


def back_up(
    keys: MemberKeys, path: Path, passphrase: SecretBytes, *, scrypt_n: int = keystore.SCRYPT_N
) -> None:
    """Write all keys of a member, retired ones included, into one encrypted file of mode 0600.

    The file is opened again and compared. Raises KeystoreError, also when the file exists.
    """
    files = _named(keys, "")
    for number, earlier in enumerate(reversed(keys.retired), start=1):
        files |= _named(earlier, f"{RETIRED}/{number:03d}/")
    archive.write_archive(path, files, passphrase, scrypt_n=scrypt_n)
    if not key_folder.are_same(read_back_up(path, passphrase), keys):
        raise KeystoreError(f"{path} does not hold the keys that were backed up; keep the folder")


def read_back_up(path: Path, passphrase: SecretBytes) -> MemberKeys:
    """Read the keys of an archive, each checked. Raises KeystoreError, WrongPasswordError."""
    sets: dict[str, dict[str, SecretBytes]] = {}
    for name, secret in archive.read_archive(path, passphrase).items():
        folder, _, last = name.rpartition("/")
        sets.setdefault(folder, {})[last] = secret
    if "" not in sets:
        raise KeystoreError(f"{path} holds no current keys")
    retired = tuple(_keys(sets[folder]) for folder in sorted(sets, reverse=True) if folder)
    return key_folder.with_retired(_keys(sets[""]), retired)


def restore(
    path: Path,
    passphrase: SecretBytes,
    directory: Path,
    password: SecretBytes,
    *,
    light: bool = False,
) -> MemberKeys:
    """Write the keys of an archive into a new folder under a new password; return them.

    Raises KeystoreError when the folder exists: nothing is overwritten.
    """
    keys = read_back_up(path, passphrase)
    key_folder.write_folder(keys, directory, password, light=light)
    return keys


def _named(keys: MemberKeys, prefix: str) -> dict[str, bytes]:
    identity = json.dumps({"identity": keys.identity, "salt": keys.salt.hex()}).encode()
    named = {
        "role": keys.role.name.encode(),
        "account": bytes(keys.account.key),
        "identity": identity,
        "bls": keys.bls.to_bytes(),
    }
    for name, key in (
        ("delivery", keys.delivery),
        ("paillier", keys.paillier),
        ("device", keys.device_secret),
    ):
        if key is not None:
            named[name] = key.to_bytes()
    return {prefix + name: data for name, data in named.items()}


def _keys(found: dict[str, SecretBytes]) -> MemberKeys:
    data = {name: secret.reveal() for name, secret in found.items()}
    role = _ROLES.get(data.get("role", b"").decode("ascii", "replace"))
    is_device = role is MemberRole.DEVICE
    if role is None or data.keys() != (_OF_DEVICE if is_device else _OF_OTHERS):
        raise KeystoreError("the archive does not hold the keys of a role that is known here")
    try:
        account = account_of(data["account"])
    except ValueError:
        raise KeystoreError("the account's private key in the archive is out of range") from None
    identity, salt = member_file.decode_identity(data["identity"])
    return MemberKeys(
        role=role,
        account=account,
        bls=BlsSecretKey.from_bytes(data["bls"]),
        identity=identity,
        salt=salt,
        delivery=None if is_device else DeliverySecretKey.from_bytes(data["delivery"]),
        paillier=None if is_device else PaillierPrivateKey.from_bytes(data["paillier"], bits=None),
        device_secret=DeviceSecret(data["device"]) if is_device else None,
    )
