"""Key files: published keystore, round trips, permissions, damage, and no overwriting."""

import json
import os
import stat

import pytest
from eth_account import Account
from eth_keyfile import keyfile

from offchain.crypto import keystore
from offchain.crypto.bls import BlsSecretKey
from offchain.crypto.delivery import DeliverySecretKey
from offchain.crypto.kdf import DeviceSecret
from offchain.crypto.secret import SecretBytes
from offchain.errors import EncodingError, KeystoreError, WrongPasswordError

from .vectors import load_vectors

PASSWORD = SecretBytes(b"correct horse")
LIGHT = {"scrypt_n": keystore.LIGHT_SCRYPT_N}


def _write(path, text, mode=0o600):
    path.write_text(text)
    path.chmod(mode)
    return path


def test_load_account__published_keystore__gives_its_private_key(tmp_path):
    vector = load_vectors("web3_secret_storage")
    password, private_key = SecretBytes(vector["password"].encode()), vector["private_key"]
    account = Account.from_key(private_key).address
    document = vector["keystore"] | {"address": account[2:].lower()}  # as Geth and we write it
    path = _write(tmp_path / "v3.json", json.dumps(document))
    assert keystore.load_account(path, password).reveal().hex() == private_key
    # Version 3 lets the address be left out. Without it a damaged file opens to another key.
    _write(path, json.dumps(vector["keystore"]))
    with pytest.raises(KeystoreError, match="names no account"):
        keystore.load_account(path, password)


def test_load_account__any_digit_of_the_initial_value_damaged__is_refused(tmp_path):
    """The MAC of version 3 covers the ciphertext alone: each of these opened to another key."""
    path, key = tmp_path / "account.json", bytes([7]) * 32
    keystore.save_account(path, key, PASSWORD, **LIGHT)
    document = json.loads(path.read_text())
    parameters = document["crypto"]["cipherparams"]
    whole = parameters["iv"]
    for at in range(len(whole)):
        parameters["iv"] = whole[:at] + f"{int(whole[at], 16) ^ 1:x}" + whole[at + 1 :]
        _write(path, json.dumps(document))
        with pytest.raises(KeystoreError, match="another account"):
            keystore.load_account(path, PASSWORD)
    parameters["iv"] = whole
    document["address"] = "00" * 20
    _write(path, json.dumps(document))
    with pytest.raises(KeystoreError, match="another account"):
        keystore.load_account(path, PASSWORD)


@pytest.mark.parametrize("kind", ["account", "bls", "delivery", "device", "paillier"])
def test_load__any_character_changed__gives_the_key_or_is_refused(tmp_path, private_key, kind):
    """Whatever a file says of itself is bound to what it holds: no damage opens another key."""
    path = tmp_path / "key.json"
    if kind == "account":
        keystore.save_account(path, bytes([7]) * 32, PASSWORD, **LIGHT)
        load, key = keystore.load_account, SecretBytes(bytes([7]) * 32)
    else:
        save, load, key = _kinds(private_key)[kind]
        save(path, key, PASSWORD, **LIGHT)
    text = path.read_text()
    refused = 0
    for at in range(0, len(text), 1 + len(text) // 150):
        _write(path, text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :])
        try:
            assert load(path, PASSWORD) == key, text[at - 20 : at + 20]
        except KeystoreError:
            refused += 1
    assert refused > 50


def test_save_account__then_load__is_a_private_v3_file(tmp_path):
    path, key = tmp_path / "account.json", bytes(31) + b"\x01"
    address = keystore.save_account(path, key, PASSWORD, **LIGHT)
    assert address == "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"  # the account of key 1
    assert keystore.load_account(path, PASSWORD).reveal() == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text())["version"] == 3
    assert os.listdir(tmp_path) == ["account.json"]  # no temporary file is left
    with pytest.raises(WrongPasswordError):
        keystore.load_account(path, SecretBytes(b"wrong"))


def _kinds(private_key):
    return {
        "bls": (keystore.save_bls, keystore.load_bls, BlsSecretKey.generate()),
        "delivery": (keystore.save_delivery, keystore.load_delivery, DeliverySecretKey.generate()),
        "device": (keystore.save_device, keystore.load_device, DeviceSecret.generate()),
        "paillier": (keystore.save_paillier, keystore.load_paillier, private_key),
    }


def test_save_account__initial_value_with_leading_zeros__has_its_full_length(tmp_path, monkeypatch):
    """Geth panics at a shorter one."""
    draw = lambda count: bytes(2) + os.urandom(count - 2)  # noqa: E731
    monkeypatch.setattr(keyfile.Random, "get_random_bytes", draw)
    path, key = tmp_path / "account.json", bytes([7]) * 32
    keystore.save_account(path, key, PASSWORD, scrypt_n=keystore.LIGHT_SCRYPT_N)
    assert len(json.loads(path.read_text())["crypto"]["cipherparams"]["iv"]) == 32
    assert keystore.load_account(path, PASSWORD).reveal() == key


@pytest.mark.parametrize("kind", ["bls", "delivery", "device", "paillier"])
def test_save__then_load__gives_the_key_back_and_only_to_its_kind(tmp_path, private_key, kind):
    path = tmp_path / "key.json"
    kinds = _kinds(private_key)
    save, load, key = kinds[kind]
    save(path, key, PASSWORD, **LIGHT)
    assert load(path, PASSWORD) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert key.to_bytes().hex() not in path.read_text()
    with pytest.raises(WrongPasswordError) as caught:
        load(path, SecretBytes(b"wrong"))
    assert "wrong password" in str(caught.value) and "horse" not in str(caught.value)
    for name, (_, other_load, _) in kinds.items():
        if name != kind:
            with pytest.raises(KeystoreError):
                other_load(path, PASSWORD)


def test_save__existing_file__is_never_overwritten(tmp_path):
    path = tmp_path / "key.json"
    key = BlsSecretKey.generate()
    keystore.save_bls(path, key, PASSWORD, **LIGHT)
    for save in (
        lambda: keystore.save_bls(path, BlsSecretKey.generate(), PASSWORD, **LIGHT),
        lambda: keystore.save_account(path, b"\x01" * 32, PASSWORD, **LIGHT),
    ):
        with pytest.raises(KeystoreError, match="never overwritten"):
            save()
    assert keystore.load_bls(path, PASSWORD) == key
    assert os.listdir(tmp_path) == ["key.json"]


def test_save__disk_gives_other_bytes_back__names_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr(keystore, "_load", lambda *args: b"\x01" * 32)
    with pytest.raises(KeystoreError, match="read back"):
        keystore.save_bls(tmp_path / "key.json", BlsSecretKey(5), PASSWORD, **LIGHT)
    assert os.listdir(tmp_path) == []


def test_load__any_field_damaged__is_refused(tmp_path):
    path = tmp_path / "key.json"
    keystore.save_bls(path, BlsSecretKey.generate(), PASSWORD, **LIGHT)
    document = json.loads(path.read_text())
    flipped = "0" if document["sealed"][-1] != "0" else "1"
    for change in [
        {"sealed": document["sealed"][:-1] + flipped},
        {"sealed": ""},
        {"sealed": "zz"},
        {"sealed": 5},
        {"salt": "00" * 32},
        {"salt": None},
        {"kdf": {"n": 2**13}},
        {"kdf": {"n": 2**40}},
        {"kdf": {"n": 4097}},
        {"kdf": {"n": "4096"}},
        {"kdf": None},
        {"kdf": document["kdf"] | {"r": 1}},
        {"kdf": document["kdf"] | {"name": "argon2id"}},
        {"cipher": "aes-128-ctr"},
        {"address": "00" * 20},
        {"kind": "dmsm-delivery"},
        {"version": 2},
    ]:
        damaged = _write(tmp_path / "damaged.json", json.dumps({**document, **change}))
        with pytest.raises(KeystoreError):
            keystore.load_bls(damaged, PASSWORD)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "5", "{}", "[" * 5000, '{"version": 3}', "x" * 70_000]
)
def test_load__not_a_keystore__is_refused(tmp_path, text):
    path = _write(tmp_path / "key.json", text)
    for load in (keystore.load_account, keystore.load_bls):
        with pytest.raises(KeystoreError):
            load(path, PASSWORD)


@pytest.mark.parametrize(
    "crypto",
    [
        {"kdfparams": {"n": 2**40}},
        {"kdfparams": {"n": "many"}},
        {"kdfparams": {}, "kdf": "none"},
        {"kdfparams": []},
        {"kdf": "scrypt", "kdfparams": {"n": 4096, "r": 1 << 24, "p": 1, "dklen": 32, "salt": ""}},
        {"kdf": "scrypt", "kdfparams": {"n": 4096, "r": 8, "p": 1 << 20, "dklen": 32, "salt": ""}},
        {"kdf": "pbkdf2", "kdfparams": {"c": 10**12, "dklen": 32, "prf": "", "salt": ""}},
        {"kdf": "pbkdf2", "kdfparams": {"c": 1, "dklen": 1 << 40, "prf": "", "salt": ""}},
        [],
    ],
)
def test_load_account__hostile_parameters__are_refused(tmp_path, crypto):
    document = {"address": "11" * 20, "version": 3, "crypto": crypto}
    path = _write(tmp_path / "key.json", json.dumps(document))
    with pytest.raises(KeystoreError, match=r"parameters|complete"):
        keystore.load_account(path, PASSWORD)


def test_load_account__twin_of_a_name_in_capitals__does_not_count(tmp_path):
    path = tmp_path / "account.json"
    keystore.save_account(path, bytes(31) + b"\x01", PASSWORD, **LIGHT)
    document = json.loads(path.read_text())
    document["crypto"]["KDFPARAMS"] = document["crypto"]["kdfparams"] | {"n": 2**40}
    path.write_text(json.dumps(document))
    assert keystore.load_account(path, PASSWORD).reveal() == bytes(31) + b"\x01"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_load__file_open_to_others__is_refused(tmp_path, mode):
    path = tmp_path / "key.json"
    keystore.save_bls(path, BlsSecretKey.generate(), PASSWORD, **LIGHT)
    path.chmod(mode)
    with pytest.raises(KeystoreError, match="chmod 600"):
        keystore.load_bls(path, PASSWORD)


@pytest.mark.parametrize("scrypt_n", [0, 1, 2**11, 2**21, 5000, 4096.0, None])
def test_save__unreasonable_scrypt_cost__is_refused(tmp_path, scrypt_n):
    for save, key in [
        (keystore.save_bls, BlsSecretKey(1)),
        (keystore.save_account, b"\x01" * 32),
    ]:
        with pytest.raises(KeystoreError):
            save(tmp_path / "key.json", key, PASSWORD, scrypt_n=scrypt_n)


def test_save_account__not_a_private_key__is_refused_without_repeating_it(tmp_path):
    with pytest.raises(EncodingError):
        keystore.save_account(tmp_path / "a.json", b"short", PASSWORD, **LIGHT)
    with pytest.raises(KeystoreError) as caught:
        keystore.save_account(tmp_path / "a.json", b"\xff" * 32, PASSWORD, **LIGHT)
    assert "ff" * 8 not in str(caught.value) and caught.value.__cause__ is None
    with pytest.raises(KeystoreError, match="UTF-8"):
        keystore.save_account(tmp_path / "a.json", b"\x01" * 32, SecretBytes(b"\xff"), **LIGHT)


def test_save__no_such_folder__is_a_clear_error(tmp_path):
    with pytest.raises(KeystoreError, match="cannot write"):
        keystore.save_bls(tmp_path / "none" / "key.json", BlsSecretKey(1), PASSWORD, **LIGHT)


def test_read_password__first_line__without_its_end(tmp_path):
    path = _write(tmp_path / "password", "correct horse\r\nsecond\n")
    assert keystore.read_password(path) == PASSWORD


def test_read_password__missing_empty_or_open__is_refused(tmp_path):
    with pytest.raises(KeystoreError, match="cannot read"):
        keystore.read_password(tmp_path / "missing")
    for text in ("", "\n", "\nsecond"):
        with pytest.raises(KeystoreError, match="empty"):
            keystore.read_password(_write(tmp_path / "empty", text))
    with pytest.raises(KeystoreError, match="chmod 600"):
        keystore.read_password(_write(tmp_path / "open", "secret", 0o644))
