"""A group's shares: one's own checked, handed over, and enough of them put together (protocol
§5, docs/formats.md §13).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from offchain.buyer.kept_shares import KeptShares
from offchain.chain.gateway import ChainGateway
from offchain.chain.pairing import configured_pairing
from offchain.chain.rpc import is_loopback
from offchain.crypto import kem, sharing
from offchain.crypto.curve import G1
from offchain.crypto.secret import SecretBytes
from offchain.crypto.sharing import Recovery
from offchain.index.chain_index import ChainIndex
from offchain.member.directory import MemberDirectory
from offchain.member.errors import GrantNotReady, MemberError
from offchain.member.grants import GrantBook, ReceivedGrant
from offchain.member.keys import MemberKeys
from offchain.records import contexts, signing
from offchain.records import sharing as sharing_records
from offchain.records.sharing import ShareDelivery, ShareMessage
from offchain.types import Account, to_account

_HTTP_TIMEOUT_S = 10.0


class Shares:
    """Act as a member of a group, of one's own broadcast or of somebody else's."""

    def __init__(
        self,
        *,
        gateway: ChainGateway,
        index: ChainIndex,
        keys: MemberKeys,
        directory: MemberDirectory,
        inbox: KeptShares,
        confirmations: int | None = None,
    ) -> None:
        self._gateway = gateway
        self._keys = keys
        self._directory = directory
        self._inbox = inbox
        self._grants = GrantBook(gateway, index, confirmations=confirmations)

    def grant(self, lock_id: bytes) -> ReceivedGrant:
        """Return what was delivered. Raises GrantNotReady."""
        return self._grants.grant(lock_id, self._keys.address)

    def own(self, lock_id: bytes) -> G1:
        """Decrypt the own share S_i, verify it against the commitments, and keep it (§II.D)."""
        grant = self.grant(lock_id)
        encrypted = grant.transcript.shares[grant.my_index - 1]
        share = sharing.decrypt_share(self._keys.share_key, encrypted)
        is_valid = sharing.verify_share(
            share,
            index=grant.my_index,
            commitments=grant.transcript.commitments,
            members=len(grant.members),
            pairing_check=configured_pairing(self._gateway),
        )
        if not is_valid:
            raise GrantNotReady(f"the share delivered for lock {lock_id.hex()} does not verify")
        self._inbox.keep(lock_id, grant.my_index, share)
        return share

    def hand_over(self, lock_id: bytes, inbox_urls: Mapping[str, str]) -> list[str]:
        """Send the own share, sealed, to members' inboxes (account → base URL); return the
        accounts that took it.

        An inbox that does not answer is left out of the result: call again.
        """
        share, grant = self.own(lock_id), self.grant(lock_id)
        took = []
        for member, url in inbox_urls.items():
            if member == self._keys.address or member not in grant.members:
                continue
            body = self._delivery(grant, share, to_account(member)).to_json()
            if _is_taken(f"{url.rstrip('/')}/v1/shares", body):
                took.append(member)
        return took

    def recover(self, lock_id: bytes) -> Recovery:
        """Recover [k]H from the shares at hand, naming false ones.

        Raises NotEnoughSharesError below the threshold.
        """
        grant = self.grant(lock_id)
        return sharing.recover(
            self._inbox.shares(lock_id),
            commitments=grant.transcript.commitments,
            threshold=grant.threshold,
            members=len(grant.members),
            pairing_check=configured_pairing(self._gateway),
        )

    def _delivery(self, grant: ReceivedGrant, share: G1, recipient: Account) -> ShareDelivery:
        """Seal and sign the own share S_i for another member."""
        parties: dict[str, Any] = {
            "chain_id": self._gateway.chain_id,
            "prepaid_lock": self._gateway.deployment.address("PrepaidLock"),
            "sender": self._keys.address,
            "recipient": recipient,
            "lock_id": grant.lock_id,
        }
        message = ShareMessage(lock_id=grant.lock_id, index=grant.my_index, share=share)
        sealed = kem.seal(
            self._directory.paillier_key(recipient),
            sharing_records.encode_share(message),
            context=contexts.share(**parties),
        )
        digest = signing.share_digest(**parties, sealed=sealed)
        signature = signing.sign(digest, SecretBytes(bytes(self._keys.account.key)))
        return ShareDelivery(
            lock_id=grant.lock_id, sender=self._keys.address, sealed=sealed, signature=signature
        )


def _is_taken(url: str, body: dict[str, object]) -> bool:
    trust_env = not is_loopback(url)
    try:
        answer = httpx.post(url, json=body, timeout=_HTTP_TIMEOUT_S, trust_env=trust_env)
    except httpx.TransportError:
        return False
    if answer.status_code == httpx.codes.BAD_REQUEST:
        raise MemberError(f"{url} refused the share: {answer.text[:200]}")
    return answer.is_success
