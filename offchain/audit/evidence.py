"""Seal evidence to the judges of a dispute, and open it as one of them (docs/formats.md §16)."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from typing import Any

from offchain.chain.gateway import Call, ChainGateway
from offchain.crypto import box, kem
from offchain.errors import CryptoError, RecordError
from offchain.index.asked.proposals import ever_voters
from offchain.index.chain_index import ChainIndex
from offchain.member.directory import MemberDirectory
from offchain.member.errors import EvidenceUnreadable, NoJudges, UnfitMember, UnknownMember
from offchain.member.keys import MemberKeys
from offchain.records import contexts
from offchain.records import evidence as records
from offchain.records.evidence import Evidence
from offchain.storage.errors import StoreUnavailable
from offchain.types import Account, to_account

_OPENING_ROOM = records.MAX_DOCUMENT_BYTES + box.OVERHEAD


def judges_of(
    gateway: ChainGateway, index: ChainIndex, *, before: int | None = None
) -> list[Account]:
    """Return who may judge a case that was opened at `before` (unix seconds; None: one that is
    opened now), by ascending account: whoever was a member of the consortium then, whatever was
    decided about it since. The tables name all who ever were, the contract says when.
    """
    if before is None:
        found = [to_account(one) for one in gateway.call("Consortium", "members")]
    else:
        ever = ever_voters(index, index.follower.catch_up())
        were = gateway.call_many(
            [Call("Consortium", "wasMember", (one, before - 1)) for one in ever]
        )
        found = [one for one, was in zip(ever, were, strict=True) if was]
    return sorted(found, key=lambda account: int(account, 16))


def seal_evidence(
    document: Evidence,
    *,
    lock_id: bytes,
    by: Account,
    judges: Sequence[Account],
    gateway: ChainGateway,
    directory: MemberDirectory,
    needed: int | None = None,
) -> bytes:
    """Seal a document to the judges in the name of `by`. Random.

    A judge without a usable key is left out. `needed`: how many must agree; None: as a case that is
    opened now needs. Raises NoJudges when too few are left to decide, and
    StoreUnavailable as it is: a judge whose key is only out of reach now is not left out.
    """
    where = _where(gateway, lock_id, by)
    key, keys, refused = secrets.token_bytes(records.KEY_BYTES), dict[Account, bytes](), []
    room = records.MAX_BYTES - _OPENING_ROOM
    for judge in judges:
        try:
            public_key = directory.paillier_key(judge)
        except (UnfitMember, UnknownMember) as error:
            if isinstance(error.__cause__, StoreUnavailable):
                raise error.__cause__ from error
            refused.append(str(error))
            continue
        sealed = kem.seal(public_key, key, context=contexts.evidence_key(**where, judge=judge))
        room -= len(sealed) + 22
        if room < 0 or len(keys) == records.MAX_JUDGES:
            refused.append(f"there is no room for {judge}")
            break
        keys[judge] = sealed
    if needed is None:
        needed = int(gateway.call("Consortium", "threshold"))
    _require_enough(keys, refused, needed)
    head = records.encode_keys(keys)
    digest = hashlib.sha256(head).digest()
    context = contexts.evidence(**where, keys_digest=digest)
    data = head + box.seal(key, records.encode(document), context=context)
    records.decode_sealed(data)
    return data


def open_evidence(
    data: bytes, *, lock_id: bytes, by: Account, keys: MemberKeys, gateway: ChainGateway
) -> Evidence:
    """Open what `by` brought, as the judge with these keys. Raises EvidenceUnreadable."""
    where = _where(gateway, lock_id, by)
    try:
        sealed = records.decode_sealed(data)
        mine = sealed.keys.get(keys.address)
        if mine is None:
            raise EvidenceUnreadable(f"the evidence of {by} has nothing for {keys.address}")
        key = keys.open_sealed(mine, context=contexts.evidence_key(**where, judge=keys.address))
        context = contexts.evidence(**where, keys_digest=sealed.keys_digest)
        return records.decode(box.open_sealed(key, sealed.box, context=context))
    except (CryptoError, RecordError) as error:
        raise EvidenceUnreadable(f"the evidence of {by} does not open: {error}") from error


def _where(gateway: ChainGateway, lock_id: bytes, by: Account) -> dict[str, Any]:
    return {
        "chain_id": gateway.chain_id,
        "prepaid_lock": gateway.deployment.address("PrepaidLock"),
        "lock_id": lock_id,
        "by": by,
    }


def _require_enough(keys: dict[Account, bytes], refused: Sequence[str], needed: int) -> None:
    if len(keys) < needed:
        why = f" ({'; '.join(refused)})" if refused else ""
        raise NoJudges(
            f"{len(keys)} judges can read evidence and {needed} must agree{why}; a judge is a "
            "member of the consortium that registered its keys, with its key in the content "
            "store: ask the consortium"
        )
