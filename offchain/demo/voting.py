"""The consortium of a run: what one member proposes, another must agree to."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from offchain.chain.facts import ContractRevert
from offchain.consortium.admin import Admin, Decision
from offchain.consortium.proposals import Stage
from offchain.demo.world import ADVICE, ADVICE_PRICE_WEI, World
from offchain.member.errors import MemberError
from offchain.member.registration import Registration

EXECUTE_GAS = 1_500_000
STALE_PRICE_WEI = 10 * ADVICE_PRICE_WEI


def decide(world: World, propose: Callable[[Admin], Decision]) -> Decision:
    """Let the first founder propose and the others approve until it is carried out.

    Raises MemberError when all of them are not enough.
    """
    first, *others = world.founders
    decision = propose(first.admin)
    for founder in others:
        if decision.is_carried_out:
            break
        world.wait_for_depth()  # whoever approves wants the proposal to stay what it is
        decision = founder.admin.approve(decision.proposal.proposal_id)
    if not decision.is_carried_out:
        raise MemberError(f"not carried out: {decision.proposal.status}")
    return decision


def admit(world: World, registration: Registration, funds_wei: int) -> None:
    """Admit a member by vote and fund it."""
    decide(world, lambda admin: admin.admit(registration))
    if funds_wei:
        world.fund(registration.account, funds_wei)


def admit_with_a_check(world: World, registration: Registration, funds_wei: int) -> None:
    """Admit a member by vote, and try on the way what one founder alone must not reach."""
    first, second, *_ = world.founders
    account = registration.account
    alone = _refusal(
        lambda: first.gateway.transact(
            *("MemberRegistry", "admit", account, registration.name),
            *(registration.profile, registration.proofs),
            gas=EXECUTE_GAS,
            dry_call=False,
        )
    )
    decision = first.admin.admit(registration)
    proposal = decision.proposal
    early = _refusal(
        lambda: first.gateway.transact(
            *("Consortium", "execute", proposal.proposal_id, proposal.target),
            *(proposal.value_wei, proposal.data),
            gas=EXECUTE_GAS,
            dry_call=False,
        )
    )
    is_member_before = _is_active(world, account)
    world.wait_for_depth()
    decision = second.admin.approve(proposal.proposal_id)
    world.fund(account, funds_wei)
    ok = (
        alone == "Governed_NotConsortium"
        and early == "Consortium_NotAgreed"
        and not is_member_before
        and decision.is_carried_out
        and _is_active(world, account)
    )
    detail = (
        f"one founder alone: {alone}; with its own approval alone: {early}; with "
        f"{len(decision.proposal.approved_by)} of {len(world.founders)}: {proposal.text[:60]}…"
    )
    world.findings.record("member_admitted_by_vote", ok, detail)


def refuse_a_stale_decision(world: World) -> None:
    """Agree on a price of advice and leave it; carry a later decision about it out, then try the
    first, which everybody could have kept for such a moment.
    """
    first, second, *_ = world.founders
    terms: dict[str, Any] = {"name": "advice", "shortest_s": world.ground.shortest_s}
    stale = first.admin.set_type(ADVICE, price_wei=STALE_PRICE_WEI, **terms).proposal
    world.wait_for_depth()
    # Not by `admin.approve`, which would carry it out.
    second.gateway.transact("Consortium", "approve", stale.proposal_id, stale.call_hash)
    was = first.admin.book.proposal(stale.proposal_id).stage
    set_type = partial(Admin.set_type, type_id=ADVICE, price_wei=ADVICE_PRICE_WEI)
    later = decide(world, partial(set_type, **terms)).proposal
    error = _refusal(
        lambda: first.gateway.transact(
            *("Consortium", "execute", stale.proposal_id, stale.target),
            *(stale.value_wei, stale.data),
            gas=EXECUTE_GAS,
            dry_call=False,
        )
    )
    left = first.admin.book.proposal(stale.proposal_id)
    price_wei = world.gateway.call("RequestCatalogue", "typeOf", ADVICE).priceWei
    ok = (
        (was, left.stage) == (Stage.READY, Stage.SUPERSEDED)
        and error == "Consortium_Superseded"
        and price_wei == ADVICE_PRICE_WEI
    )
    detail = (
        f"proposal {stale.proposal_id} was agreed and {was}; after proposal {later.proposal_id} "
        f"about the same type: {error}, {left.stage}; advice costs {price_wei} wei"
    )
    world.findings.record("stale_decision_refused", ok, detail)


def _refusal(act: Callable[[], object]) -> str:
    try:
        act()
    except ContractRevert as revert:
        return revert.name
    return "none"


def _is_active(world: World, account: str) -> bool:
    _, is_active = world.gateway.call("MemberRegistry", "memberOf", account)
    return bool(is_active)
