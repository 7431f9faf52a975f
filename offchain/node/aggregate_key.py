"""Deal a region's threshold key to a group of sharing nodes."""

from __future__ import annotations

from collections.abc import Sequence

from offchain.chain.gateway import ChainGateway
from offchain.crypto import kem, paillier
from offchain.crypto.safe_prime import generate_safe_prime
from offchain.crypto.threshold_key import KeyShare, ThresholdPublicKey, deal_key
from offchain.member.directory import MemberDirectory
from offchain.member.roles import MemberRole
from offchain.node.aggregate_store import AggregateStore
from offchain.records import aggregate_key
from offchain.records.aggregate_key import AggregateKey, AggregateMember
from offchain.storage import ContentStore
from offchain.types import Account, to_account


class AggregateDealer:
    """Make threshold keys, seal the shares, and forget the primes."""

    def __init__(
        self,
        *,
        gateway: ChainGateway,
        store: ContentStore,
        directory: MemberDirectory,
        held: AggregateStore,
        processor: Account,
    ) -> None:
        self._gateway = gateway
        self._store = store
        self._directory = directory
        self._held = held
        self._processor = processor

    def deal(
        self,
        members: Sequence[str],
        *,
        min_homes: int,
        threshold: int | None = None,
        slot_s: int = 3_600,
        paillier_bits: int = paillier.DEFAULT_BITS,
        primes: tuple[int, int] | None = None,
    ) -> bytes:
        """Deal a fresh key and return its description's digest; later sets are under it.

        `members` are active sharing nodes, `threshold` more than half of them (the least by
        default). The primes are drawn here (some 10 s at 3072 bits) unless safe ones are given.
        Raises UnfitMember, FormatError or CryptoError.
        """
        accounts = sorted({to_account(one) for one in members}, key=lambda one: one.lower())
        keys = {one: self._sealing_key(one) for one in accounts}
        p, q = primes or _distinct_primes(paillier_bits // 2)
        public_key, shares = deal_key(
            p,
            q,
            threshold=len(accounts) // 2 + 1 if threshold is None else threshold,
            members=len(accounts),
        )
        key = AggregateKey(
            chain_id=self._gateway.chain_id,
            data_ledger=to_account(self._gateway.deployment.address("DataLedger")),
            processor=self._processor,
            n=public_key.n,
            threshold=public_key.threshold,
            opening=public_key.opening,
            min_homes=min_homes,
            slot_s=slot_s,
            members=tuple(
                self._sealed(account, keys[account], share, public_key)
                for account, share in zip(accounts, shares, strict=True)
            ),
        )
        digest = self._store.put(aggregate_key.encode_aggregate_key(key), lasting=True).digest
        self._held.put_key(digest)
        return digest

    def _sealing_key(self, account: Account) -> paillier.PaillierPublicKey:
        self._directory.active_member(account, MemberRole.SHARER)
        return self._directory.paillier_key(account)

    def _sealed(
        self,
        account: Account,
        sealing_key: paillier.PaillierPublicKey,
        share: KeyShare,
        public_key: ThresholdPublicKey,
    ) -> AggregateMember:
        context = aggregate_key.share_context(
            chain_id=self._gateway.chain_id,
            data_ledger=to_account(self._gateway.deployment.address("DataLedger")),
            processor=self._processor,
            member=account,
            n_digest=public_key.encryption.digest(),
        )
        return AggregateMember(
            account=account,
            verification=public_key.verification[share.index - 1],
            sealed_share=kem.seal(sealing_key, share.to_bytes(), context=context),
        )


def _distinct_primes(bits: int) -> tuple[int, int]:
    p = generate_safe_prime(bits)
    while (q := generate_safe_prime(bits)) == p:
        continue
    return p, q
