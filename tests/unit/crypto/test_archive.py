"""Archives of keys: round trip, damage anywhere, sizes, names, and no overwriting."""

import os
import stat

import pytest

from offchain.crypto import archive, keystore
from offchain.crypto.secret import SecretBytes
from offchain.errors import KeystoreError, WrongPasswordError

PASSPHRASE = SecretBytes(b"battery staple")
FILES = {"account": b"a" * 32, "bls": b"b" * 32, "retired/001/paillier": b"p" * 700}
LIGHT = keystore.LIGHT_SCRYPT_N


@pytest.fixture
def path(tmp_path):
    archive.write_archive(tmp_path / "keys.dmsm", FILES, PASSPHRASE, scrypt_n=LIGHT)
    return tmp_path / "keys.dmsm"


def test_read_archive__written_files__gives_them_back(path):
    held = archive.read_archive(path, PASSPHRASE)
    assert {name: secret.reveal() for name, secret in held.items()} == FILES
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(path.parent) == ["keys.dmsm"]  # no temporary file is left
    assert "redacted" in repr(held)


def test_read_archive__any_byte_changed_or_cut__is_refused(path):
    data = path.read_bytes()
    regions = {0: "magic", 8: "cost", 9: "salt", 41: "nonce", 53: "body", len(data) - 1: "tag"}
    for at in regions:
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        with pytest.raises(KeystoreError):
            archive.read_archive(path, PASSPHRASE)
    for changed in (data[:-1], data + b"\0", data[:40], b""):
        path.write_bytes(changed)
        with pytest.raises(KeystoreError):
            archive.read_archive(path, PASSPHRASE)


def test_read_archive__wrong_passphrase__says_so_and_repeats_nothing(path):
    with pytest.raises(WrongPasswordError) as caught:
        archive.read_archive(path, SecretBytes(b"wrong"))
    assert "staple" not in str(caught.value)


def test_read_archive__hostile_cost_or_size__is_refused_before_any_work(path):
    data = bytearray(path.read_bytes())
    for cost in (0, 11, 21, 255):
        data[8] = cost
        path.write_bytes(data)
        with pytest.raises(KeystoreError, match="scrypt"):
            archive.read_archive(path, PASSPHRASE)
    path.write_bytes(bytes(archive.MAX_ARCHIVE_BYTES + 1))
    with pytest.raises(KeystoreError, match="too large"):
        archive.read_archive(path, PASSPHRASE)


def test_write_archive__existing_file__is_never_overwritten(path):
    before = path.read_bytes()
    with pytest.raises(KeystoreError, match="exists"):
        archive.write_archive(path, {"bls": b"x"}, PASSPHRASE, scrypt_n=LIGHT)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "files",
    [
        {"../escape": b"x"},
        {"/etc": b"x"},
        {"retired/1/bls": b"x"},
        {"retired/001/../bls": b"x"},
        {"Bls": b"x"},
        {"bls": b""},
        {"bls": bytes(archive.MAX_FILE_BYTES + 1)},
        {"": b"x"},
    ],
)
def test_encode_files__unfit_name_or_size__is_refused(files):
    with pytest.raises(KeystoreError):
        archive.encode_files(files)


@pytest.mark.parametrize(
    "plain",
    [b"\x03bls", b"\x03bls\0\0\0\x02x", b"\0", b"\xff", b"\x03bls\xff\xff\xff\xffx"],
)
def test_decode_files__cut_off_or_out_of_range__is_refused(plain):
    with pytest.raises(KeystoreError):
        archive.decode_files(plain)


def test_decode_files__names_out_of_order_or_twice__are_refused():
    one, two = archive.encode_files({"bls": b"x"}), archive.encode_files({"account": b"x"})
    for plain in (one + two, one + one):
        with pytest.raises(KeystoreError, match="order"):
            archive.decode_files(plain)


def test_write_archive__unreasonable_scrypt_cost__is_refused(tmp_path):
    for cost in (1 << 11, 1 << 21, 5000):
        with pytest.raises(KeystoreError):
            archive.write_archive(tmp_path / "a", FILES, PASSPHRASE, scrypt_n=cost)
