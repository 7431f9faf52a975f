"""Who may vote on a case."""

from __future__ import annotations

from offchain.audit.evidence import judges_of
from offchain.chain.gateway import ChainGateway
from offchain.index.chain_index import ChainIndex
from offchain.member.cases import Case
from offchain.types import Account


def may_vote(gateway: ChainGateway, index: ChainIndex, case: Case, account: Account) -> bool:
    """Whether an account is a judge of the case and has not voted."""
    is_judge = account in judges_of(gateway, index, before=case.opened_at)
    return is_judge and not gateway.call("DisputeCourt", "hasVoted", case.lock_id, account)
