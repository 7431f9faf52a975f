"""A buyer's selection: the nodes that it chooses of a form, prepaid for a group (protocol §5)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from offchain.buyer.form import FormLine, form_of
from offchain.crypto import bls, kem, messages, sharing
from offchain.crypto.curve import G1
from offchain.member.acting import Acting
from offchain.member.errors import TermsUnfit
from offchain.member.lock_terms import sharing_conditions
from offchain.member.roles import MemberRole
from offchain.records import contexts
from offchain.records import sharing as sharing_records
from offchain.records.sharing import SelectionText
from offchain.types import Account, to_account


class Selections(Acting):
    """Select nodes of a form in one's own name."""

    def select(
        self,
        broadcast_id: bytes,
        *,
        members: Sequence[str],
        processors: Sequence[str],
        expires_at: int,
    ) -> list[bytes]:
        """Select nodes, name the group (this node is put in), and prepay each; return the lock
        ids in the order of `processors`.

        Raises TermsUnfit when a chosen node is not in the form or a member has no key; nothing is
        paid then.
        """
        accounts = {self._keys.address, *(to_account(one) for one in members)}
        group = sorted(accounts, key=lambda account: int(account, 16))
        form: dict[str, FormLine] = {
            line.processor: line for line in form_of(self._gateway, broadcast_id)
        }
        missing = [one for one in processors if one not in form]
        if not processors:
            raise TermsUnfit("choose at least one node of those that responded")
        if missing:
            raise TermsUnfit(f"choose nodes that responded; these did not: {', '.join(missing)}")
        _, _, wanted = self._gateway.call("DataMarket", "broadcastOf", broadcast_id)
        group_hash = sharing.group_hash([(one, self._delivery_key(one)) for one in group])
        choices = [
            self._choice(
                broadcast_id,
                line=form[one],
                group=group,
                group_hash=group_hash,
                threshold=wanted.threshold,
                expires_at=expires_at,
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

    def _choice(
        self,
        broadcast_id: bytes,
        *,
        line: FormLine,
        group: Sequence[Account],
        group_hash: bytes,
        threshold: int,
        expires_at: int,
    ) -> tuple[object, ...]:
        """Store M_s and sign the selection of one node, with the terms that it offered under: a
        `Choice` of `DataMarket.select`.
        """
        offered = sharing_conditions(self._gateway, line.rules_version, line.sharing_version)
        terms = offered.terms(line.price_wei).words()
        nonce, signed_at = secrets.token_bytes(32), self._gateway.now()
        parties: dict[str, Any] = {
            "chain_id": self._gateway.chain_id,
            "prepaid_lock": self._gateway.deployment.address("PrepaidLock"),
            "requester": self._keys.address,
            "processor": line.processor,
            "nonce": nonce,
        }
        text = SelectionText(
            broadcast_id=broadcast_id,
            data_set_id=line.data_set_id,
            members=tuple(group),
        )
        sealed = kem.seal(
            self._directory.paillier_key(line.processor),
            sharing_records.encode_selection(text),
            context=contexts.sharing(**parties),
        )
        digest = self._store.put(sealed).digest
        message = messages.sharing_message(
            **parties,
            broadcast_id=broadcast_id,
            data_set_id=line.data_set_id,
            message_digest=digest,
            message_length=len(sealed),
            signed_at=signed_at,
            expires_at=expires_at,
            group_hash=group_hash,
            threshold=threshold,
            group_size=len(group),
            price_wei=line.price_wei,
            terms=terms,
        )
        signature = bls.sign(self._keys.bls, message, role=messages.Role.SHARING).words()
        order = (line.processor, expires_at, len(sealed), signed_at, digest, nonce)
        return (*order, terms, signature)

    def _delivery_key(self, account: str) -> G1:
        member = self._directory.active_member(account, MemberRole.SHARER)
        if member.delivery_key is None:
            raise TermsUnfit(f"{account} has no delivery key")
        return member.delivery_key
