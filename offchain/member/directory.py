"""Who takes part, as the chain says it, and the members' Paillier keys, checked before anyone
uses them.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any

from offchain.chain.gateway import ChainGateway
from offchain.crypto import commitment, key_file, paillier
from offchain.crypto.curve import G1, G2
from offchain.errors import CryptoError, StorageError
from offchain.member.errors import UnfitMember, UnknownMember
from offchain.member.registration import NO_ADDRESS, region_name
from offchain.member.roles import MemberRole
from offchain.storage import ContentStore
from offchain.types import Account, to_account


@dataclass(frozen=True)
class Member:
    """A member as registered. `owner` is set for devices, `delivery_key` for everybody else."""

    account: Account
    role: MemberRole
    region_id: bytes
    owner: Account | None
    id_commitment: bytes
    paillier_digest: bytes
    bls_key: G2
    delivery_key: G1 | None
    active: bool


class MemberDirectory:
    """Look members up on chain and fetch their Paillier keys from the content store.

    `paillier_bits` is the exact size a foreign key must have; None allows any of 2048..4096. What
    can change (active or not) is read anew each time; only checked Paillier keys are kept, by
    account and digest.
    """

    def __init__(
        self,
        gateway: ChainGateway,
        store: ContentStore,
        *,
        paillier_bits: int | None = paillier.DEFAULT_BITS,
    ) -> None:
        self._gateway = gateway
        self._store = store
        self._paillier_bits = paillier_bits
        self._keys: dict[tuple[str, bytes], paillier.PaillierPublicKey] = {}
        self._known: Mapping[str, Any] = {}  # answers about members, by account
        self._serves: Mapping[bytes, str] = {}  # who serves a region

    def knowing(
        self, answers: Mapping[str, Any], *, serves: Mapping[bytes, str] | None = None
    ) -> MemberDirectory:
        """Return this directory with what was asked a moment ago, by `question` of accounts and
        `region_question` of regions: for one piece of work, which needs the same again and again.
        """
        other = copy(self)
        other._known, other._serves = dict(answers), dict(serves or {})
        return other

    @staticmethod
    def question(account: str) -> tuple[str, str, str]:
        """Return the call whose result `knowing` takes."""
        return "MemberRegistry", "memberOf", account

    @staticmethod
    def region_question(region_id: bytes) -> tuple[str, str, bytes]:
        """Return the call that says who serves a region, for `knowing`."""
        return "MemberRegistry", "processorOf", region_id

    def member(self, account: str) -> Member:
        """Return the member, active or revoked. Raises UnknownMember."""
        answer = self._known.get(account)
        if answer is None:
            answer = self._gateway.call(*self.question(account))
        profile, active = answer
        role, region, owner, id_commitment, digest, bls_key, delivery_key = profile
        if role == MemberRole.NONE:
            raise UnknownMember(account)
        return Member(
            account=to_account(account),
            role=MemberRole(role),
            region_id=bytes(region),
            owner=None if owner == NO_ADDRESS else owner,
            id_commitment=bytes(id_commitment),
            paillier_digest=bytes(digest),
            bls_key=G2.from_words(bls_key),
            delivery_key=None if role == MemberRole.DEVICE else G1.from_words(delivery_key),
            active=bool(active),
        )

    def active_member(self, account: str, role: MemberRole) -> Member:
        """Return the member if it is active in the role. Raises UnknownMember or UnfitMember."""
        member = self.member(account)
        if not member.active:
            raise UnfitMember(f"{account} was revoked; it can begin nothing new")
        if member.role is not role:
            raise UnfitMember(
                f"{account} is a {member.role.name.lower()}, not a {role.name.lower()}"
            )
        return member

    def processor_of(self, region_id: bytes) -> Account:
        """Return the active processor of a region. Raises UnfitMember where there is none."""
        found = self._serves.get(region_id)
        if found is None:
            found = self._gateway.call(*self.region_question(region_id))
        processor = Account(found)
        if processor == NO_ADDRESS:
            raise UnfitMember(
                f"no processing node serves region {region_name(region_id)!r} now; the consortium "
                "can admit one"
            )
        return processor

    def paillier_key(self, account: str) -> paillier.PaillierPublicKey:
        """Return a member's Paillier key, its proofs verified, after all checks on foreign keys.

        Raises UnfitMember.
        """
        digest = self.member(account).paillier_digest
        known = (account.lower(), digest)  # not by digest alone: another may have copied it
        if known not in self._keys:
            self._keys[known] = self._fetch_key(account, digest)
        return self._keys[known]

    def recognises(self, account: str, identity: str, salt: bytes) -> bool:
        """Whether (identity, salt) opens the ID commitment that the member registered (paper
        §VI.B.2).
        """
        if account in self._known:
            registered = self.member(account).id_commitment
        else:
            registered = bytes(self._gateway.call("MemberRegistry", "idCommitmentOf", account))
        return commitment.verify_identity(registered, identity, salt)

    def _fetch_key(self, account: str, digest: bytes) -> paillier.PaillierPublicKey:
        if digest == bytes(32):
            raise UnfitMember(f"{account} registered no Paillier key")
        try:
            file = self._store.get(digest, max_bytes=key_file.MAX_BYTES)
            return key_file.read(file, self._key_context(account), bits=self._paillier_bits)
        except (StorageError, CryptoError) as error:
            raise UnfitMember(f"the Paillier key of {account} is not usable: {error}") from error

    def _key_context(self, account: str) -> key_file.KeyContext:
        registry = self._gateway.deployment.address("MemberRegistry")
        return key_file.KeyContext(self._gateway.chain_id, registry, account)
