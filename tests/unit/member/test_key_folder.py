"""Backup, restore, rotation and a new password: no key is lost, none stands in the clear."""

import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from offchain.crypto import archive, kem, keystore
from offchain.crypto.paillier import PaillierPrivateKey, generate_private_key
from offchain.crypto.secret import SecretBytes
from offchain.errors import DecryptionError, KeystoreError, WrongPasswordError
from offchain.member import key_backup, key_folder
from offchain.member.errors import MemberError
from offchain.member.keys import MemberKeys
from offchain.member.roles import MemberRole

PASSWORD, PASSPHRASE = SecretBytes(b"correct horse"), SecretBytes(b"battery staple")
LIGHT = keystore.LIGHT_SCRYPT_N


@pytest.fixture(scope="module")
def paillier_keys() -> list[PaillierPrivateKey]:
    return [generate_private_key(2048) for _ in range(3)]


@pytest.fixture
def generate(paillier_keys: list[PaillierPrivateKey]) -> Callable[..., MemberKeys]:
    """Make keys with a Paillier key of each its own, taken from three that are made once."""
    left = iter(paillier_keys)

    def one(role: MemberRole, **more: object) -> MemberKeys:
        return MemberKeys.generate(role, paillier_key=next(left), **more)  # type: ignore[arg-type]

    return one


@pytest.fixture
def folder(tmp_path: Path, generate: Callable[..., MemberKeys]) -> Path:
    generate(MemberRole.USER, identity="häuser").save(tmp_path / "keys", PASSWORD, light=True)
    return tmp_path / "keys"


def load(folder: Path, password: SecretBytes = PASSWORD) -> MemberKeys:
    return MemberKeys.load(folder, password)


def rotated(folder: Path, name: str, generate: Callable[..., MemberKeys]) -> Path:
    out = folder.parent / name
    key_folder.rotate(folder, out, PASSWORD, light=True, generate=generate)
    return out


def sealed_to(keys: MemberKeys, text: bytes) -> bytes:
    return kem.seal(keys.decryption_key.public_key, text, context=b"answer")


def test_open_sealed__after_two_rotations__still_reads_old_answers(
    folder: Path, generate: Callable[..., MemberKeys]
) -> None:
    first = load(folder)
    second_folder = rotated(folder, "second", generate)
    third = load(rotated(second_folder, "third", generate))
    second = load(second_folder)

    assert len({first.address, second.address, third.address}) == 3
    assert [one.address for one in third.retired] == [second.address, first.address]
    assert third.identity == first.identity and third.salt != first.salt
    for keys, text in ((first, b"oldest"), (second, b"older"), (third, b"now")):
        assert third.open_sealed(sealed_to(keys, text), context=b"answer") == text
    with pytest.raises(DecryptionError):
        first.open_sealed(sealed_to(third, b"later"), context=b"answer")


def test_open_sealed__for_no_key_or_changed__is_one_uniform_error(
    folder: Path, generate: Callable[..., MemberKeys], paillier_keys: list[PaillierPrivateKey]
) -> None:
    keys = load(rotated(folder, "second", generate))
    sealed = sealed_to(keys.retired[0], b"old")
    for hostile in (
        sealed[:-1] + b"\0",
        b"",
        kem.seal(paillier_keys[2].public_key, b"", context=b"answer"),
    ):
        with pytest.raises(DecryptionError) as caught:
            keys.open_sealed(hostile, context=b"answer")
        assert str(caught.value) == "the ciphertext was refused"
    with pytest.raises(DecryptionError):
        keys.open_sealed(sealed, context=b"other")


def test_rotate__old_folder__stays_for_what_the_old_account_began(
    folder: Path, generate: Callable[..., MemberKeys]
) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    new = rotated(folder, "second", generate)

    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    kept = load(new / "retired" / "001")  # a key folder like any other
    assert key_folder.are_same(kept, load(folder))
    with pytest.raises(KeystoreError, match="exists"):
        key_folder.rotate(folder, new, PASSWORD, light=True, generate=generate)


def test_rotate__device__is_refused(tmp_path: Path) -> None:
    MemberKeys.generate(MemberRole.DEVICE).save(tmp_path / "keys", PASSWORD, light=True)
    with pytest.raises(MemberError, match="device"):
        key_folder.rotate(tmp_path / "keys", tmp_path / "new", PASSWORD, light=True)


@pytest.mark.parametrize("role", [MemberRole.USER, MemberRole.DEVICE])
def test_restore__backed_up_folder__gives_every_key_back_under_another_password(
    tmp_path: Path, generate: Callable[..., MemberKeys], role: MemberRole
) -> None:
    make = MemberKeys.generate if role is MemberRole.DEVICE else generate
    make(role).save(tmp_path / "keys", PASSWORD, light=True)
    keys = load(tmp_path / "keys")
    key_backup.back_up(keys, tmp_path / "archive", PASSPHRASE, scrypt_n=LIGHT)

    other = SecretBytes(b"another")
    key_backup.restore(tmp_path / "archive", PASSPHRASE, tmp_path / "new", other, light=True)

    assert key_folder.are_same(load(tmp_path / "new", other), keys)
    assert stat.S_IMODE((tmp_path / "archive").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    for path in (tmp_path / "new").rglob("*.json"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_restore__retired_keys__come_back_too(
    folder: Path, generate: Callable[..., MemberKeys]
) -> None:
    keys = load(rotated(rotated(folder, "second", generate), "third", generate))
    path, new = folder.parent / "archive", folder.parent / "new"
    key_backup.back_up(keys, path, PASSPHRASE, scrypt_n=LIGHT)
    key_backup.restore(path, PASSPHRASE, new, PASSWORD, light=True)

    assert load(new).open_sealed(sealed_to(load(folder), b"old"), context=b"answer") == b"old"
    assert key_folder.are_same(load(new), keys)


def test_restore__existing_folder__is_never_overwritten(folder: Path) -> None:
    path = folder.parent / "archive"
    key_backup.back_up(load(folder), path, PASSPHRASE, scrypt_n=LIGHT)
    before = (folder / "bls.json").read_bytes()
    with pytest.raises(KeystoreError, match="exists"):
        key_backup.restore(path, PASSPHRASE, folder, PASSWORD, light=True)
    with pytest.raises(KeystoreError, match="exists"):
        key_backup.back_up(load(folder), path, PASSPHRASE, scrypt_n=LIGHT)
    assert (folder / "bls.json").read_bytes() == before


def test_back_up__archive__holds_no_secret_in_the_clear(folder: Path) -> None:
    keys, path = load(folder), folder.parent / "archive"
    key_backup.back_up(keys, path, PASSPHRASE, scrypt_n=LIGHT)
    data = path.read_bytes()
    for secret in (keys.bls.to_bytes(), bytes(keys.account.key), keys.salt, b"h\xc3\xa4user"):
        assert secret not in data
    with pytest.raises(WrongPasswordError):
        key_backup.read_back_up(path, PASSWORD)


@pytest.mark.parametrize(
    "change",
    [
        {"role": b"KING"},
        {"role": b"DEVICE"},
        {"role": None},
        {"delivery": None},
        {"account": bytes(32)},
        {"bls": bytes(32)},
        {"identity": b"{}"},
        {"paillier": b"DMQ1"},
        {"surplus": b"x"},
    ],
)
def test_read_back_up__archive_of_other_things__is_refused(
    folder: Path, change: dict[str, bytes | None]
) -> None:
    named = key_backup._named(load(folder), "") | change
    path = folder.parent / "archive"
    files = {name: data for name, data in named.items() if data is not None}
    archive.write_archive(path, files, PASSPHRASE, scrypt_n=LIGHT)
    with pytest.raises(Exception, match=r".") as caught:
        key_backup.read_back_up(path, PASSPHRASE)
    assert caught.type.__module__ == "offchain.errors"


def test_change_password__folder__opens_with_the_new_one_alone(
    folder: Path, generate: Callable[..., MemberKeys]
) -> None:
    folder = rotated(folder, "second", generate)
    keys, new = load(folder), SecretBytes(b"new")
    assert keys.retired  # read before the files are written anew
    key_folder.change_password(folder, PASSWORD, new, light=True)

    assert key_folder.are_same(load(folder, new), keys)
    with pytest.raises(WrongPasswordError):
        load(folder)
    left = {path.name for path in folder.parent.iterdir()}
    assert left == {"keys", "second"}


def test_change_password__cut_off_between_the_renames__loses_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    renames, real = [], key_folder.os.rename

    def rename(source: Path, target: Path) -> None:
        renames.append(target)
        if len(renames) == 2:
            raise KeyboardInterrupt
        real(source, target)

    monkeypatch.setattr(key_folder.os, "rename", rename)
    with pytest.raises(KeyboardInterrupt):
        key_folder.change_password(folder, PASSWORD, SecretBytes(b"new"), light=True)
    with pytest.raises(MemberError, match=r"move .*keys\.before"):
        load(folder)
    assert load(folder.with_name("keys.before")).identity == "häuser"


def test_write_folder__disk_gives_other_keys_back__leaves_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = load(folder)
    other = replace(keys, salt=bytes(32))
    monkeypatch.setattr(key_folder.MemberKeys, "load", lambda *args: other)
    with pytest.raises(KeystoreError, match="read back"):
        key_folder.write_folder(keys, folder.parent / "new", PASSWORD, light=True)
    assert [path.name for path in folder.parent.iterdir()] == ["keys"]


def test_public_facts__of_a_member__hold_no_secret(folder: Path) -> None:
    keys = load(folder)
    text = str(key_folder.public_facts(keys))
    assert keys.address in text and keys.decryption_key.public_key.digest().hex() in text
    for secret in (keys.identity, keys.salt.hex(), keys.bls.to_bytes().hex()):
        assert secret not in text
