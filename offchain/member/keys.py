"""The keys of one member: made, kept in a folder, and turned into what the registry takes."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from offchain.crypto import bls, commitment, delivery, kem, key_file, keystore, messages
from offchain.crypto.bls import BlsSecretKey
from offchain.crypto.delivery import DeliverySecretKey
from offchain.crypto.kdf import DeviceSecret
from offchain.crypto.kept import Kept
from offchain.crypto.paillier import DEFAULT_BITS, PaillierPrivateKey, generate_private_key
from offchain.crypto.secret import SecretBytes
from offchain.errors import DecryptionError
from offchain.member import member_file
from offchain.member.errors import UnfitMember
from offchain.member.public_name import require_name
from offchain.member.registration import NO_ADDRESS, Registration
from offchain.member.roles import MemberRole
from offchain.storage import Cid, ContentStore
from offchain.types import Account, to_account

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

RETIRED = "retired"


@dataclass(frozen=True)
class MemberKeys(Kept):
    """All secrets of a member (protocol §1), and the earlier ones that it keeps for reading.

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
    earlier: Callable[[], tuple[MemberKeys, ...]] = field(default=tuple, repr=False, compare=False)

    @property
    def retired(self) -> tuple[MemberKeys, ...]:
        """The member's earlier keys, the latest first; their files are read when first asked for.

        Raises KeystoreError.
        """
        return self.earlier()

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

    def open_sealed(self, sealed: bytes, *, context: bytes) -> bytes:
        """Open a message sealed to this member's Paillier key, or to a retired one.

        A sealed message names no key, so each is tried. Raises one and the same DecryptionError
        for whatever is wrong, UnfitMember for a device.
        """
        try:
            return kem.open_sealed(self.decryption_key, sealed, context=context)
        except DecryptionError:
            if not self.retired:
                raise
        return self._open_with_retired(sealed, context)

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
        account = account_of(account_key or secrets.token_bytes(32))
        common: dict[str, Any] = {
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
        member_file.write(
            directory / member_file.NAME,
            role=self.role,
            account=self.account,
            identity=self.identity,
            salt=self.salt,
        )
        for number, earlier in enumerate(reversed(self.retired), start=1):
            earlier.save(directory / RETIRED / f"{number:03d}", password, light=light)

    @classmethod
    def load(cls, directory: Path, password: SecretBytes) -> MemberKeys:
        """Read what `save` wrote.

        Raises KeystoreError for a wrong password, MemberError for a folder without a member.
        """
        path = member_file.require(directory)
        account = account_of(keystore.load_account(directory / "account.json", password).reveal())
        role, identity, salt = member_file.read(path, account)
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
            earlier=cache(lambda: _load_retired(directory / RETIRED, password)),
        )

    def registration(
        self,
        *,
        chain_id: int,
        registry: str,
        region_id: bytes,
        owner: str | None = None,
        name: str = "",
    ) -> Registration:
        """Build the profile and the proofs of possession that the registry checks.

        `region_id` is zero for sharers and consortium nodes, `owner` is given for devices alone,
        `name` for consortium, processing and data-sharing nodes. Raises MemberError for a name
        that does not fit.
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
            name=require_name(self.role, name),
            profile=(
                int(self.role),
                region_id,
                owner or NO_ADDRESS,
                commitment.identity_commitment(self.identity, self.salt),
                self._paillier_digest(chain_id, registry),
                bls_key.words(),
                delivery_key,
            ),
            proofs=(possession.words(), *proof),
        )

    def paillier_file(self, *, chain_id: int, registry: str) -> bytes:
        """Make the public Paillier key with its proofs for one registry: the same each time.

        Raises UnfitMember for a device, InvalidKeyError for a key that cannot be proven.
        """
        context = key_file.KeyContext(chain_id, registry, self.address)
        return key_file.make(self.decryption_key, context)

    def publish_paillier_key(self, store: ContentStore, *, chain_id: int, registry: str) -> Cid:
        """Put the public key with its proofs into the content store.

        The CID's digest is the digest on chain. Raises as `paillier_file`, and StorageError.
        """
        return store.put(self.paillier_file(chain_id=chain_id, registry=registry), lasting=True)

    def _paillier_digest(self, chain_id: int, registry: str) -> bytes:
        if self.paillier is None:
            return bytes(32)
        return key_file.digest(self.paillier_file(chain_id=chain_id, registry=registry))

    def _open_with_retired(self, sealed: bytes, context: bytes) -> bytes:
        for key in (one.decryption_key for one in self.retired):
            try:
                return kem.open_sealed(key, sealed, context=context)
            except DecryptionError:
                continue
        raise DecryptionError

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


def account_of(key: str | bytes) -> LocalAccount:
    """Return the account of a private key. Raises ValueError for a key out of range."""
    from eth_account import Account  # a quarter of a second, and who only reads needs no account

    made: LocalAccount = Account.from_key(key)
    return made


def _load_retired(folder: Path, password: SecretBytes) -> tuple[MemberKeys, ...]:
    found = sorted(folder.iterdir(), reverse=True) if folder.is_dir() else []
    return tuple(MemberKeys.load(one, password) for one in found)
