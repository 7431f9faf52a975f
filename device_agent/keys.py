"""The device's three secrets, from their encrypted files."""

from dataclasses import dataclass
from pathlib import Path

from offchain.crypto import keystore
from offchain.crypto.bls import BlsSecretKey
from offchain.crypto.kdf import DeviceSecret
from offchain.crypto.secret import SecretBytes


@dataclass(frozen=True, slots=True)
class DeviceKeys:
    """account: secp256k1, signs transactions and envelopes. bls: signs batch roots.

    secret: what all day keys are derived from.
    """

    account: SecretBytes
    bls: BlsSecretKey
    secret: DeviceSecret


def load_keys(folder: Path, password_file: Path) -> DeviceKeys:
    """Read account.json, bls.json and device.json of a folder. Raises KeystoreError."""
    password = keystore.read_password(password_file)
    return DeviceKeys(
        account=keystore.load_account(folder / "account.json", password),
        bls=keystore.load_bls(folder / "bls.json", password),
        secret=keystore.load_device(folder / "device.json", password),
    )
