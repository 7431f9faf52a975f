"""What becomes of a member's keys: shown, backed up, restored, rotated, given a new password."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from offchain.cli import output
from offchain.cli.parameters import JsonOption

if TYPE_CHECKING:
    from offchain.crypto.secret import SecretBytes
    from offchain.member.keys import MemberKeys


class Scrypt(StrEnum):
    """How costly it is to try a password."""

    STANDARD = "standard"
    LIGHT = "light"


FolderOption = Annotated[Path, typer.Option("--dir", help="Folder of the keys.")]
PasswordOption = Annotated[
    Path, typer.Option(help="File of mode 0600 whose first line is the folder's password.")
]
PassphraseOption = Annotated[
    Path, typer.Option(help="File of mode 0600 whose first line is the archive's passphrase.")
]
ScryptOption = Annotated[
    Scrypt, typer.Option(help="light: FOR DEVELOPMENT ONLY, 32 times faster to guess.")
]


def show(
    directory: FolderOption, password_file: PasswordOption, as_json: JsonOption = False
) -> None:
    """Show what everybody may know of a folder's keys: account, role, public keys, retired ones.

    Needs the password and opens every key with it; talks to nobody and costs nothing.
    """
    from offchain.member import key_folder

    output.show(key_folder.public_facts(_load(directory, password_file)), as_json=as_json)


def backup(
    directory: FolderOption,
    password_file: PasswordOption,
    passphrase_file: PassphraseOption,
    out: Annotated[Path, typer.Option(help="The archive to write; must not exist.")],
    scrypt: ScryptOption = Scrypt.STANDARD,
) -> None:
    """Write all keys of a folder, retired ones too, into one encrypted file.

    Needs the folder's password and another passphrase, which is all that is needed to restore:
    keep it and the archive in different places. Talks to nobody and costs nothing.
    """
    from offchain.member import key_backup

    password, passphrase = _different(password_file, passphrase_file)
    keys = _load(directory, password_file, password)
    key_backup.back_up(keys, out, passphrase, scrypt_n=_scrypt_n(scrypt))
    output.show({"account": keys.address, "archive": str(out), "retired": len(keys.retired)})


def restore(
    archive: Annotated[Path, typer.Option(help="The archive to read.")],
    passphrase_file: PassphraseOption,
    directory: Annotated[Path, typer.Option("--dir", help="Folder to write; must not exist.")],
    password_file: PasswordOption,
    scrypt: ScryptOption = Scrypt.STANDARD,
) -> None:
    """Write the keys of an archive into a new folder, under the password given here.

    Needs the archive and its passphrase. Every key is checked, written, read back and compared;
    nothing is overwritten. Talks to nobody and costs nothing.
    """
    from offchain.member import key_backup

    password, passphrase = _different(password_file, passphrase_file)
    is_light = scrypt is Scrypt.LIGHT
    keys = key_backup.restore(archive, passphrase, directory, password, light=is_light)
    output.show({"account": keys.address, "keys": str(directory), "retired": len(keys.retired)})


def rotate(
    directory: FolderOption,
    out: Annotated[Path, typer.Option(help="Folder for the new keys; must not exist.")],
    password_file: PasswordOption,
    scrypt: ScryptOption = Scrypt.STANDARD,
) -> None:
    """Make fresh keys that keep the old ones for reading, in a folder of their own.

    Needs the folder's password; talks to nobody and costs nothing. The new account must be
    admitted (`dmsm keys registration`), a company's under another public name: the old one stays
    the old account's. The old folder stays: with it the old account ends what it began, and is then
    revoked.
    """
    from offchain.crypto import keystore
    from offchain.member import key_folder

    password = keystore.read_password(password_file)
    keys = key_folder.rotate(directory, out, password, light=scrypt is Scrypt.LIGHT)
    facts = {"account": keys.address, "keys": str(out), "retired": keys.retired[0].address}
    output.show(facts)


def change_password(
    directory: FolderOption,
    password_file: PasswordOption,
    new_password_file: Annotated[
        Path, typer.Option(help="File of mode 0600 whose first line is the new password.")
    ],
    scrypt: ScryptOption = Scrypt.STANDARD,
) -> None:
    """Encrypt every key of a folder under a new password.

    Needs both passwords, and nothing at work with the folder; talks to nobody and costs nothing.
    """
    from offchain.member import key_folder

    password, new_password = _different(password_file, new_password_file)
    is_light = scrypt is Scrypt.LIGHT
    key_folder.change_password(directory, password, new_password, light=is_light)
    output.show({"keys": str(directory), "password": "changed"})


def _load(directory: Path, password_file: Path, password: SecretBytes | None = None) -> MemberKeys:
    from offchain.crypto import keystore
    from offchain.member.keys import MemberKeys

    return MemberKeys.load(directory, password or keystore.read_password(password_file))


def _different(first: Path, second: Path) -> tuple[SecretBytes, SecretBytes]:
    from offchain.crypto import keystore

    found = keystore.read_password(first), keystore.read_password(second)
    if found[0] == found[1]:
        raise typer.BadParameter(f"{first} and {second} hold the same password; take another")
    return found


def _scrypt_n(scrypt: Scrypt) -> int:
    from offchain.crypto import keystore

    return keystore.LIGHT_SCRYPT_N if scrypt is Scrypt.LIGHT else keystore.SCRYPT_N


COMMANDS = (show, backup, restore, rotate, change_password)
