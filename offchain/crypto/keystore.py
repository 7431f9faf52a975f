"""Key files: V3 keystores for accounts, and the same style for every other secret.

Files are 0600, written to a temporary name, synced, read back and opened again, and only then
linked to their name; an existing file is never overwritten. Passwords come from files.
"""

import json
import secrets
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from offchain.crypto.bls import BlsSecretKey
from offchain.crypto.box import gcm_decrypt, gcm_encrypt
from offchain.crypto.delivery import DeliverySecretKey
from offchain.crypto.encoding import address_bytes, exact_bytes, is_integer
from offchain.crypto.kdf import DeviceSecret
from offchain.crypto.paillier import PaillierPrivateKey
from offchain.crypto.private_file import read_password, read_private_file, write_document
from offchain.crypto.secret import SecretBytes
from offchain.errors import DecryptionError, EncodingError, KeystoreError, WrongPasswordError

__all__ = [
    "LIGHT_SCRYPT_N",
    "SCRYPT_N",
    "load_account",
    "load_bls",
    "load_delivery",
    "load_device",
    "load_paillier",
    "read_password",
    "save_account",
    "save_bls",
    "save_delivery",
    "save_device",
    "save_paillier",
]

_IV_BYTES = 16  # of AES-CTR
SCRYPT_N = 1 << 17
LIGHT_SCRYPT_N = 1 << 12  # tests and development chains only
_SCRYPT_R = 8
_SCRYPT_P = 1
_MAX_SCRYPT_N = 1 << 20  # 1 GiB: a file may not ask for more
_MAX_LANES = 64  # r·p
_MAX_PBKDF2_ROUNDS = 10_000_000
_V3_KEY_BYTES = 32
_V3_PRF = "hmac-sha256"
_V3_PARAMS = {
    "scrypt": ("n", "r", "p", "dklen", "salt"),
    "pbkdf2": ("c", "dklen", "prf", "salt"),
}
_VERSION = 1


def save_account(
    path: Path | str, private_key: bytes, password: SecretBytes, *, scrypt_n: int = SCRYPT_N
) -> str:
    """Write an Ethereum account as a V3 keystore and return its checksummed address.

    Raises KeystoreError when the file exists or cannot be written.
    """
    key = exact_bytes(private_key, 32, name="an account's private key")
    require_scrypt_n(scrypt_n)
    try:
        address = str(_accounts().from_key(key).address)
    except ValueError:
        raise KeystoreError("the account's private key is out of range") from None
    document = _accounts().encrypt(key, _text(password), kdf="scrypt", iterations=scrypt_n)
    parameters = document["crypto"]["cipherparams"]
    # eth-keyfile leaves leading zero bytes out, one time in 256: Geth panics ("bad IV length").
    parameters["iv"] = parameters["iv"].zfill(2 * _IV_BYTES)
    write_document(Path(path), document, lambda written: load_account(written, password), key)
    return address


def load_account(path: Path | str, password: SecretBytes) -> SecretBytes:
    """Read the private key of a V3 keystore that names its account, as Geth and `save_account` do.

    The MAC of version 3 leaves the initial value out, so that a damaged one opens to another key:
    the account of what was opened must be the one that the file names. Raises WrongPasswordError,
    or KeystoreError for a file that is not one.
    """
    address, document = _v3_document(Path(path))
    try:
        key = bytes(_accounts().decrypt(document, _text(password)))
    except (ValueError, TypeError, OverflowError, MemoryError):
        raise _wrong_password(path) from None
    if len(key) != _V3_KEY_BYTES:
        raise KeystoreError(f"{path} holds no account's private key")
    try:
        found = address_bytes(str(_accounts().from_key(key).address))
    except ValueError:
        found = b""  # out of range: nobody's key
    if found != address:
        raise KeystoreError(
            f"{path} is damaged: it opens to another account than the one it names; restore it"
        )
    return SecretBytes(key)


def _accounts() -> Any:
    from eth_account import Account  # slow to import, and other keys need no account

    return Account


def _v3_document(path: Path) -> tuple[bytes, dict[str, Any]]:
    """Read a V3 file: the address it names, and only what is known, so that no twin of a name in
    capitals counts.
    """
    document = _read_document(path)
    try:
        address = address_bytes("0x" + document.get("address", "").removeprefix("0x"))
    except (EncodingError, TypeError, AttributeError):
        raise KeystoreError(
            f"{path} names no account: without `address` damage to it could not be seen"
        ) from None
    try:
        crypto = document["crypto"]
        if document["version"] != 3 or not _is_bounded(crypto["kdf"], crypto["kdfparams"]):
            raise KeystoreError(f"{path} is not a V3 keystore with reasonable parameters")
        params = {name: crypto["kdfparams"][name] for name in _V3_PARAMS[crypto["kdf"]]}
        kept = {name: crypto[name] for name in ("cipher", "ciphertext", "kdf", "mac")}
        texts = [*kept.values(), params["salt"], crypto["cipherparams"]["iv"]]
        known = kept["cipher"] == "aes-128-ctr" and params.get("prf", _V3_PRF) == _V3_PRF
        if not known or not all(isinstance(text, str) for text in texts):
            raise TypeError
        cipher_params = {"iv": crypto["cipherparams"]["iv"]}
    except (KeyError, TypeError, AttributeError):
        raise KeystoreError(f"{path} is not a complete V3 keystore") from None
    crypto = kept | {"kdfparams": params, "cipherparams": cipher_params}
    return address, {"version": 3, "crypto": crypto}


def _is_bounded(kdf: Any, params: Any) -> bool:
    """Tell whether the work that a V3 file asks for is within what this program does."""
    numbers = [params[name] for name in _V3_PARAMS[kdf] if name not in ("salt", "prf")]
    if not all(is_integer(value) and value > 0 for value in numbers):
        return False
    if params["dklen"] != _V3_KEY_BYTES:
        return False
    if kdf == "pbkdf2":
        return bool(params["c"] <= _MAX_PBKDF2_ROUNDS)
    n, r, p = params["n"], params["r"], params["p"]
    return bool(n & (n - 1) == 0 and n * r <= _MAX_SCRYPT_N * _SCRYPT_R and r * p <= _MAX_LANES)


def _text(password: SecretBytes) -> str:
    try:
        return password.reveal().decode("utf-8")
    except UnicodeDecodeError:
        raise KeystoreError("a password for an account must be UTF-8") from None


def save_bls(
    path: Path | str, key: BlsSecretKey, password: SecretBytes, *, scrypt_n: int = SCRYPT_N
) -> None:
    """Write a BLS key. Raises KeystoreError when the file exists or cannot be written."""
    _save(Path(path), "bls", key.to_bytes(), password, scrypt_n)


def load_bls(path: Path | str, password: SecretBytes) -> BlsSecretKey:
    """Read a BLS key. Raises KeystoreError or WrongPasswordError."""
    return BlsSecretKey.from_bytes(_load(Path(path), "bls", password))


def save_delivery(
    path: Path | str, key: DeliverySecretKey, password: SecretBytes, *, scrypt_n: int = SCRYPT_N
) -> None:
    """Write a delivery key. Raises KeystoreError when the file exists or cannot be written."""
    _save(Path(path), "delivery", key.to_bytes(), password, scrypt_n)


def load_delivery(path: Path | str, password: SecretBytes) -> DeliverySecretKey:
    """Read a delivery key. Raises KeystoreError or WrongPasswordError."""
    return DeliverySecretKey.from_bytes(_load(Path(path), "delivery", password))


def save_paillier(
    path: Path | str, key: PaillierPrivateKey, password: SecretBytes, *, scrypt_n: int = SCRYPT_N
) -> None:
    """Write a Paillier key. Raises KeystoreError when the file exists or cannot be written."""
    _save(Path(path), "paillier", key.to_bytes(), password, scrypt_n)


def load_paillier(
    path: Path | str, password: SecretBytes, *, allow_small: bool = False
) -> PaillierPrivateKey:
    """Read a Paillier key of any allowed size. Raises KeystoreError or WrongPasswordError."""
    data = _load(Path(path), "paillier", password)
    return PaillierPrivateKey.from_bytes(data, bits=None, allow_small=allow_small)


def save_device(
    path: Path | str, key: DeviceSecret, password: SecretBytes, *, scrypt_n: int = SCRYPT_N
) -> None:
    """Write a device secret. Raises KeystoreError when the file exists or cannot be written."""
    _save(Path(path), "device", key.to_bytes(), password, scrypt_n)


def load_device(path: Path | str, password: SecretBytes) -> DeviceSecret:
    """Read a device secret. Raises KeystoreError or WrongPasswordError."""
    return DeviceSecret(_load(Path(path), "device", password))


def _save(path: Path, kind: str, payload: bytes, password: SecretBytes, scrypt_n: int) -> None:
    require_scrypt_n(scrypt_n)
    salt = secrets.token_bytes(32)
    key = stretch(password, salt, scrypt_n)
    sealed = gcm_encrypt(key, payload, associated_data=_header(kind, scrypt_n, salt))
    document = _document(kind, scrypt_n, salt, sealed)
    write_document(path, document, lambda written: _load_secret(written, kind, password), payload)


def _document(kind: str, scrypt_n: int, salt: bytes, sealed: bytes) -> dict[str, Any]:
    return {
        "version": _VERSION,
        "kind": f"dmsm-{kind}",
        "kdf": {"name": "scrypt", "n": scrypt_n, "r": _SCRYPT_R, "p": _SCRYPT_P},
        "salt": salt.hex(),
        "cipher": "aes-256-gcm",
        "sealed": sealed.hex(),
    }


def _load_secret(path: Path, kind: str, password: SecretBytes) -> SecretBytes:
    return SecretBytes(_load(path, kind, password))


def _load(path: Path, kind: str, password: SecretBytes) -> bytes:
    document = _read_document(path)
    try:
        scrypt_n, salt = document["kdf"]["n"], bytes.fromhex(document["salt"])
        sealed = bytes.fromhex(document["sealed"])
        is_of_kind = document["kind"] == f"dmsm-{kind}"
        require_scrypt_n(scrypt_n)
    except (KeyError, TypeError, ValueError):
        raise KeystoreError(f"{path} is not a complete {kind} keystore") from None
    if not is_of_kind:
        raise KeystoreError(f"{path} is a keystore of another kind; a {kind} key is needed")
    if document != _document(kind, scrypt_n, salt, sealed):
        raise KeystoreError(f"{path} says of itself what no file of version {_VERSION} does")
    key = stretch(password, salt, scrypt_n)
    try:
        return gcm_decrypt(key, sealed, associated_data=_header(kind, scrypt_n, salt))
    except DecryptionError:
        raise _wrong_password(path) from None


def _header(kind: str, scrypt_n: int, salt: bytes) -> bytes:
    return f"dmsm-{kind}/{_VERSION}/scrypt/{scrypt_n}/{_SCRYPT_R}/{_SCRYPT_P}/".encode() + salt


def stretch(password: SecretBytes, salt: bytes, scrypt_n: int) -> bytes:
    """Derive a 32-byte key from a password by scrypt (RFC 7914), r = 8, p = 1."""
    try:
        kdf = Scrypt(salt=salt, length=32, n=scrypt_n, r=_SCRYPT_R, p=_SCRYPT_P)
        return kdf.derive(password.reveal())
    except (UnsupportedAlgorithm, MemoryError) as error:
        raise KeystoreError("scrypt is not available here or lacks memory") from error


def require_scrypt_n(scrypt_n: Any) -> None:
    """Raise KeystoreError unless scrypt's n is a power of two in [2^12, 2^20]."""
    allowed = isinstance(scrypt_n, int) and LIGHT_SCRYPT_N <= scrypt_n <= _MAX_SCRYPT_N
    if not allowed or scrypt_n & (scrypt_n - 1):
        raise KeystoreError("scrypt's n must be a power of two in [2^12, 2^20]")


def _wrong_password(path: Path | str) -> WrongPasswordError:
    return WrongPasswordError(f"{path} does not open: wrong password or damaged file")


def _read_document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(read_private_file(path))
    except (ValueError, RecursionError):
        raise KeystoreError(f"{path} is not JSON") from None
    if not isinstance(document, dict):
        raise KeystoreError(f"{path} is not a keystore")
    return document
