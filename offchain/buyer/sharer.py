"""A data-sharing node: broadcast, form, selection, shares, the key, and the audited data
(protocol §5).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence

import httpx

from offchain.audit.data_set_audit import VerificationReport, verify_data_set
from offchain.audit.disputes import DataSetDisputes, PreparedDispute
from offchain.audit.opened_data_set import OpenedDataSet, open_data_set
from offchain.buyer.share_inbox import ShareInbox
from offchain.buyer.sharing_messages import FormLine, SharingMessages
from offchain.chain.facts import Receipt
from offchain.chain.gateway import BlockId, ChainGateway
from offchain.chain.pairing import configured_pairing
from offchain.chain.rpc import is_loopback
from offchain.crypto import paillier, sharing
from offchain.crypto.curve import G1
from offchain.crypto.sharing import Recovery
from offchain.member.data_sets import data_set_of
from offchain.member.errors import GrantNotReady, MemberError, TermsUnfit
from offchain.member.grants import GrantBook, ReceivedGrant
from offchain.member.locks import Lock, LockBook
from offchain.member.member_keys import MemberKeys
from offchain.member.members import MemberDirectory
from offchain.member.roles import MemberRole
from offchain.records.dataset import KIND_FULL_READINGS
from offchain.storage import ContentStore
from offchain.types import to_account

_HTTP_TIMEOUT_S = 10.0


class SharerAgent:
    """Act for a data-sharing node, as the requester of a broadcast or as a member of somebody's
    group.
    """

    def __init__(
        self,
        *,
        gateway: ChainGateway,
        store: ContentStore,
        keys: MemberKeys,
        directory: MemberDirectory,
        inbox: ShareInbox,
        paillier_bits: int | None = paillier.DEFAULT_BITS,
        confirmations: int | None = None,
    ) -> None:
        self._gateway = gateway
        self._store = store
        self._keys = keys
        self._directory = directory
        self._inbox = inbox
        self._paillier_bits = paillier_bits
        self._messages = SharingMessages(gateway, store, keys, directory)
        self._book = LockBook(gateway, confirmations=confirmations)
        self._grants = GrantBook(gateway, confirmations=confirmations)
        self._disputes = DataSetDisputes(
            gateway=gateway,
            store=store,
            keys=keys,
            directory=directory,
            paillier_bits=paillier_bits,
            confirmations=confirmations,
        )

    @property
    def inbox(self) -> ShareInbox:
        """The inbox that keeps the shares."""
        return self._inbox

    # ---- asking

    def broadcast(
        self,
        *,
        regions: Sequence[bytes],
        window_from: int,
        window_to: int,
        max_price_wei: int,
        group_size: int,
        threshold: int | None = None,
        respond_by: int,
        select_by: int,
        kind: int = KIND_FULL_READINGS,
    ) -> bytes:
        """Ask for data and pay the application deposit; return the broadcast's id.

        `threshold` is ⌊n/2⌋+1 if left out. Seals the own ID to the active node of each region.
        """
        nonce, me = secrets.token_bytes(32), self._keys.address
        broadcast_id = bytes(self._gateway.call("DataMarket", "broadcastIdOf", me, nonce))
        openings = self._messages.openings(regions, broadcast_id)
        conditions = (
            window_from,
            window_to,
            kind,
            group_size,
            group_size // 2 + 1 if threshold is None else threshold,
            max_price_wei,
            respond_by,
            select_by,
            len(openings),
            self._store.put(openings).digest,
            nonce,
            sorted(set(regions)),
        )
        terms = self._gateway.call("RequestCatalogue", "sharingTerms")
        self._gateway.transact(
            "DataMarket",
            "broadcast",
            conditions,
            value_wei=terms.applicationWei,
            intent=f"broadcast:{broadcast_id.hex()}",
        )
        return broadcast_id

    def form(self, broadcast_id: bytes, *, block: BlockId = "latest") -> list[FormLine]:
        """Return the responders, highest credit first, as the contract sorted them by a block."""
        lines = self._gateway.call("DataMarket", "formOf", broadcast_id, block=block)
        return [
            FormLine(
                processor=line.processor,
                price_wei=line.priceWei,
                data_set_id=bytes(line.dataSetId),
                credit=line.credit,
                responded_at=line.respondedAt,
            )
            for line in lines
        ]

    def select(
        self,
        broadcast_id: bytes,
        *,
        members: Sequence[str],
        processors: Sequence[str],
        expires_at: int,
        purpose: str,
    ) -> list[bytes]:
        """Select nodes, name the group (this node is put in), and prepay each; return the lock
        ids in the order of `processors`.

        Raises TermsUnfit when a chosen node is not in the form or a member has no key; nothing is
        paid then.
        """
        accounts = {self._keys.address, *(to_account(one) for one in members)}
        group = sorted(accounts, key=lambda account: int(account, 16))
        form: dict[str, FormLine] = {line.processor: line for line in self.form(broadcast_id)}
        missing = [one for one in processors if one not in form]
        if not processors:
            raise TermsUnfit("choose at least one node of those that responded")
        if missing:
            raise TermsUnfit(f"choose nodes that responded; these did not: {', '.join(missing)}")
        group_hash = sharing.group_hash([(one, self._delivery_key(one)) for one in group])
        choices = [
            self._messages.choice(
                broadcast_id,
                line=form[one],
                group=group,
                group_hash=group_hash,
                expires_at=expires_at,
                purpose=purpose,
            )
            for one in processors
        ]
        receipt = self._gateway.transact(
            "DataMarket",
            "select",
            broadcast_id,
            group,
            choices,
            value_wei=sum(form[one].price_wei for one in processors),
            intent=f"select:{broadcast_id.hex()}",
        )
        return [bytes(one) for one in receipt.event("GroupSelected").args["lockIds"]]

    def close(self, broadcast_id: bytes) -> Receipt:
        """End a broadcast that was not selected in time."""
        return self._gateway.transact("DataMarket", "close", broadcast_id)

    # ---- shares

    def grants(self) -> list[bytes]:
        """Return the locks whose shares were delivered to groups that this node is in."""
        return self._grants.delivered_to(self._keys.address)

    def grant(self, lock_id: bytes) -> ReceivedGrant:
        """Return what was delivered. Raises GrantNotReady."""
        return self._grants.grant(lock_id, self._keys.address)

    def own_share(self, lock_id: bytes) -> G1:
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
        share, grant = self.own_share(lock_id), self.grant(lock_id)
        took = []
        for member, url in inbox_urls.items():
            if member == self._keys.address or member not in grant.members:
                continue
            body = self._messages.delivery(grant, share, to_account(member)).to_json()
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

    # ---- data

    def open_data_set(self, lock_id: bytes, *, group_secret: G1 | None = None) -> OpenedDataSet:
        """Open the bought data set; recovers the key if `group_secret` is not given.

        Raises DataSetInvalid.
        """
        secret = self.recover(lock_id).group_secret if group_secret is None else group_secret
        published = data_set_of(
            self._gateway, self.grant(lock_id).data_set_id, block=self._gateway.final()
        )
        return open_data_set(
            published,
            secret,
            gateway=self._gateway,
            store=self._store,
            paillier_bits=self._paillier_bits,
        )

    def verify(self, lock_id: bytes, *, opened: OpenedDataSet | None = None) -> VerificationReport:
        """Decrypt and audit every row of the bought data set against the chain."""
        return verify_data_set(
            opened or self.open_data_set(lock_id), gateway=self._gateway, directory=self._directory
        )

    # ---- when the data are withheld or wrong

    def prepare_dispute(self, lock_id: bytes, *, group_secret: G1 | None = None) -> PreparedDispute:
        """Make the evidence of a dispute and look at the data as a judge does. Sends nothing.

        Recovers the key if `group_secret` is not given: without it nothing can be shown.
        """
        secret = self.recover(lock_id).group_secret if group_secret is None else group_secret
        return self._disputes.prepare(lock_id, secret)

    def dispute(self, prepared: PreparedDispute) -> Receipt:
        """Dispute a bought data set, as the payer or as a member of the group."""
        return self._disputes.dispute(prepared)

    def add_evidence(self, lock_id: bytes, *, group_secret: G1 | None = None) -> Receipt:
        """Show the judges of somebody else's dispute the group secret."""
        secret = self.recover(lock_id).group_secret if group_secret is None else group_secret
        return self._disputes.add_evidence(lock_id, secret)

    # ---- money

    def lock(self, lock_id: bytes) -> Lock:
        """Return a lock as the chain has it."""
        return self._book.lock(lock_id)

    def refund(self, lock_id: bytes) -> Receipt:
        """Take the prepayment back because T passed."""
        return self._book.refund(lock_id)

    def withdrawable_wei(self) -> int:
        """Return what may be withdrawn."""
        return self._book.withdrawable_wei()

    def withdraw(self) -> Receipt | None:
        """Withdraw what is this node's own; None if there is nothing."""
        return self._book.withdraw()

    # ---- inside

    def _delivery_key(self, account: str) -> G1:
        member = self._directory.active_member(account, MemberRole.SHARER)
        if member.delivery_key is None:
            raise TermsUnfit(f"{account} has no delivery key")
        return member.delivery_key


def _is_taken(url: str, body: dict[str, object]) -> bool:
    trust_env = not is_loopback(url)
    try:
        answer = httpx.post(url, json=body, timeout=_HTTP_TIMEOUT_S, trust_env=trust_env)
    except httpx.TransportError:
        return False
    if answer.status_code == httpx.codes.BAD_REQUEST:
        raise MemberError(f"{url} refused the share: {answer.text[:200]}")
    return answer.is_success
