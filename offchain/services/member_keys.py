"""The keys of one member: made, kept in a folder, and turned into what the registry takes."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from eth_account import Account as EthAccount
from eth_account.signers.local import LocalAccount

from offchain.crypto import bls, box, commitment, delivery, keystore, messages
from offchain.crypto.bls import BlsSecretKey
from offchain.crypto.delivery import DeliverySecretKey
from offchain.crypto.kdf import DeviceSecret, hkdf
from offchain.crypto.paillier import DEFAULT_BITS, PaillierPrivateKey, generate_private_key
from offchain.crypto.secret import SecretBytes
from offchain.services.errors import ServiceError, UnfitMember
from offchain.services.registration import NO_ADDRESS, Registration
from offchain.services.roles import MemberRole
from offchain.storage import Cid, ContentStore
from offchain.types import Account, to_account

_MEMBER_FILE_INFO = b"DMSM-V1-member-file"


@dataclass(frozen=True)
class MemberKeys:
    """All secrets of a member (protocol §1).

    A device has a device secret and no delivery or Paillier key.
    """

    role: MemberRole
    account: LocalAccount = field(repr=False)
    bls: BlsSecretKey
    identity: str = field(repr=False)
    salt: bytes = field(repr=False)
    delivery: DeliverySecretKey | None = None
    paillier: PaillierPrivateKey | None = None
    device_secret: DeviceSecret | None = None

    @property
    def address(self) -> Account:
        """The account's checksum address."""
        return to_account(self.account.address)

    @property
    def decryption_key(self) -> PaillierPrivateKey:
        """The Paillier key. Raises UnfitMember for a device, which has none."""
        if self.paillier is None:
            raise UnfitMember(f"{self.address} is a device and has no Paillier key")
        return self.paillier

    @property
    def share_key(self) -> DeliverySecretKey:
        """The secret of the delivery key. Raises UnfitMember for a device, which has none."""
        if self.delivery is None:
            raise UnfitMember(f"{self.address} is a device and has no delivery key")
        return self.delivery

    @classmethod
    def generate(
        cls,
        role: MemberRole,
        *,
        identity: str | None = None,
        paillier_bits: int = DEFAULT_BITS,
        paillier_key: PaillierPrivateKey | None = None,
        account_key: str | bytes | None = None,
    ) -> MemberKeys:
        """Make fresh keys for a role.

        `identity` is the member's secret ID (a random one if left out); `paillier_key` and
        `account_key` (32 bytes or hex) are taken over where they exist already.
        """
        account = EthAccount.from_key(account_key or secrets.token_bytes(32))
        common = {
            "role": role,
            "account": account,
            "bls": bls.BlsSecretKey.generate(),
            "identity": identity or f"{role.name.lower()}-{secrets.token_hex(8)}",
            "salt": commitment.generate_salt(),
        }
        if role is MemberRole.DEVICE:
            return cls(**common, device_secret=DeviceSecret.generate())
        return cls(
            **common,
            delivery=delivery.DeliverySecretKey.generate(),
            paillier=paillier_key or generate_private_key(paillier_bits),
        )

    def save(self, directory: Path, password: SecretBytes, *, light: bool = False) -> None:
        """Write the keys into `directory` as encrypted files of mode 0600; existing files are
        never overwritten.

        `light` takes cheap scrypt parameters, for tests and development chains only.
        """
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        scrypt_n = keystore.LIGHT_SCRYPT_N if light else keystore.SCRYPT_N
        keystore.save_account(
            directory / "account.json", bytes(self.account.key), password, scrypt_n=scrypt_n
        )
        keystore.save_bls(directory / "bls.json", self.bls, password, scrypt_n=scrypt_n)
        if self.delivery is not None:
            keystore.save_delivery(
                directory / "delivery.json", self.delivery, password, scrypt_n=scrypt_n
            )
        if self.paillier is not None:
            keystore.save_paillier(
                directory / "paillier.json", self.paillier, password, scrypt_n=scrypt_n
            )
        if self.device_secret is not None:
            keystore.save_device(
                directory / "device.json", self.device_secret, password, scrypt_n=scrypt_n
            )
        self._save_identity(directory / "member.json")

    @classmethod
    def load(cls, directory: Path, password: SecretBytes) -> MemberKeys:
        """Read what `save` wrote.

        Raises KeystoreError for a wrong password, ServiceError for a folder without a member.
        """
        if not (directory / "member.json").is_file():
            raise ServiceError(
                f"{directory} holds no member's keys; make them with `dmsm keys new` first"
            )
        account = EthAccount.from_key(
            keystore.load_account(directory / "account.json", password).reveal()
        )
        role, identity, salt = _read_identity(directory / "member.json", account)
        is_device = role is MemberRole.DEVICE
        return cls(
            role=role,
            account=account,
            bls=keystore.load_bls(directory / "bls.json", password),
            identity=identity,
            salt=salt,
            delivery=None
            if is_device
            else keystore.load_delivery(directory / "delivery.json", password),
            paillier=None
            if is_device
            else keystore.load_paillier(directory / "paillier.json", password),
            device_secret=keystore.load_device(directory / "device.json", password)
            if is_device
            else None,
        )

    def registration(
        self, *, chain_id: int, registry: str, region_id: bytes, owner: str | None = None
    ) -> Registration:
        """Build the profile and the proofs of possession that the registry checks.

        `region_id` is zero for sharers and consortium nodes, `owner` is given for devices alone.
        """
        bls_key = bls.public_key(self.bls)
        possession = bls.prove_possession(
            self.bls,
            messages.possession_message(
                chain_id=chain_id,
                registry=registry,
                account=self.address,
                member_role=self.role,
                bls_key=bls_key,
            ),
        )
        delivery_key, proof = self._delivery_proof(chain_id, registry)
        return Registration(
            account=self.address,
            profile=(
                int(self.role),
                region_id,
                owner or NO_ADDRESS,
                commitment.identity_commitment(self.identity, self.salt),
                bytes(32) if self.paillier is None else self.paillier.public_key.digest(),
                bls_key.words(),
                delivery_key,
            ),
            proofs=(possession.words(), *proof),
        )

    def publish_paillier_key(self, store: ContentStore) -> Cid:
        """Put the public key into the content store; its CID's digest is the digest on chain."""
        return store.put(self.decryption_key.public_key.to_bytes())

    def _delivery_proof(
        self, chain_id: int, registry: str
    ) -> tuple[tuple[int, int], tuple[tuple[int, int], int]]:
        if self.delivery is None:
            return (0, 0), ((0, 0), 0)
        proof = delivery.prove(
            self.delivery,
            chain_id=chain_id,
            registry=registry,
            account=self.address,
            member_role=self.role,
        )
        return delivery.public_key(self.delivery).words(), (
            proof.commitment.words(),
            proof.response,
        )

    def _save_identity(self, path: Path) -> None:
        secret = json.dumps({"identity": self.identity, "salt": self.salt.hex()}).encode()
        sealed = box.seal(
            _member_file_key(self.account), secret, context=int(self.role).to_bytes(1, "big")
        )
        text = json.dumps(
            {"version": 1, "role": self.role.name, "address": self.address, "sealed": sealed.hex()}
        )
        with open(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
        ) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())


def _member_file_key(account: LocalAccount) -> bytes:
    # The account's keystore asks for the password; the ID is sealed under a key derived from it.
    return hkdf(bytes(account.key), salt=bytes.fromhex(account.address[2:]), info=_MEMBER_FILE_INFO)


def _read_identity(path: Path, account: LocalAccount) -> tuple[MemberRole, str, bytes]:
    content = json.loads(path.read_text(encoding="utf-8"))
    role = MemberRole[content["role"]]
    secret = box.open_sealed(
        _member_file_key(account),
        bytes.fromhex(content["sealed"]),
        context=int(role).to_bytes(1, "big"),
    )
    values = json.loads(secret)
    return role, values["identity"], bytes.fromhex(values["salt"])
