"""Gas of the consortium's decisions, and of what only they may call."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import disputes
import money
from brownie import web3
from members import Role, new_member
from money import DAY


def measure_decisions(w: Any, meter: Any) -> None:
    """A decision of two of three: proposed, approved, executed; admission is the dearest."""
    first, second, _ = w.founders
    for _ in range(2):
        chain_id, account = web3.eth.chain_id, meter.account()
        member = new_member(w.registry, chain_id, account, Role.SHARER, bytes(32))
        data = w.registry.admit.encode_input(*member.admission)
        tx = w.consortium.propose(w.registry.address, 0, data, {"from": first})
        meter.take("Consortium.propose, an admission", tx)
        proposal_id = w.consortium.proposalCount()
        call_hash = w.consortium.proposalOf(proposal_id)["callHash"]
        tx = w.consortium.approve(proposal_id, call_hash, {"from": second})
        meter.take("Consortium.approve, agreed", tx)
        tx = w.consortium.execute(proposal_id, w.registry.address, 0, data, {"from": first})
        meter.take("Consortium.execute, MemberRegistry.admit", tx)
        decided(w, meter, w.registry, "rename", member.address, f"Renamed {member.address}")
        meter.take("Consortium.execute, MemberRegistry.revoke", w.revoke(member))


def measure_members(w: Any, meter: Any) -> None:
    """A fourth member comes and goes, k is raised and lowered, an approval taken back, ether in."""
    first, newcomer = w.founders[0], meter.account()
    for _ in range(2):
        decided(w, meter, w.consortium, "addMember", newcomer, 3)
        decided(w, meter, w.consortium, "removeMember", newcomer, 3)
        decided(w, meter, w.consortium, "setThreshold", 2)
        data = w.consortium.setThreshold.encode_input(3)
        w.consortium.propose(w.consortium.address, 0, data, {"from": first})
        proposal_id = w.consortium.proposalCount()
        tx = w.consortium.withdrawApproval(proposal_id, {"from": first})
        meter.take("Consortium.withdrawApproval", tx)
        call_hash = w.consortium.proposalOf(proposal_id)["callHash"]
        for founder in w.founders[:2]:
            tx = w.consortium.cancel(proposal_id, call_hash, {"from": founder})
        meter.take("Consortium.cancel, cancelled", tx)
        meter.take("Consortium.receive", w.relayer.transfer(w.consortium, 1))


def measure_catalogue(w: Any, meter: Any) -> None:
    """Each field of a type and of the terms becomes another; rules get a new version each time."""
    for i in (1, 2):
        times = (money.SHORTEST_S + i, money.WINDOW_S + i)
        kind = (True, *times, 9_000 + i, money.ADVICE_PRICE_WEI + i)
        kind += (f"advice {i}".encode().ljust(32, b"\0"),)
        decided(w, meter, w.catalogue, "setType", money.ADVICE, kind)
        terms = (money.SHARING_SHORTEST_S + i, disputes.SHARING_WINDOW_S + i, 10**15 + i)
        terms += (money.OWNERS_BPS + i,)
        decided(w, meter, w.catalogue, "setSharingTerms", terms)
        rules = replace(money.RULES, serve_gas_wei=money.RULES.serve_gas_wei + i)
        decided(w, meter, w.catalogue, "setRules", disputes.rules_words(rules))


def measure_stop(w: Any, meter: Any) -> None:
    """The emergency stop, used and armed again."""
    for _ in range(2):
        decided(w, meter, w.registry, "stopBeginnings")
        rest_s = w.registry.stopSeconds() + w.registry.REST_SECONDS()
        meter.tick(rest_s + DAY)
        decided(w, meter, w.registry, "rearmStop")


def decided(w: Any, meter: Any, contract: Any, function: str, *arguments: Any) -> None:
    """Let k members decide, wait as long as the consortium must, and keep what execution costs."""
    call = getattr(contract, function)
    data = call.encode_input(*arguments)
    w.consortium.propose(contract.address, 0, data, {"from": w.founders[0]})
    proposal_id = w.consortium.proposalCount()
    for founder in w.founders[1 : w.consortium.threshold()]:
        call_hash = w.consortium.proposalOf(proposal_id)["callHash"]
        w.consortium.approve(proposal_id, call_hash, {"from": founder})
    if delay_s := w.consortium.delayFor(contract.address, 0, data):
        meter.tick(delay_s + 60)
    options = {"from": w.founders[0]}
    tx = w.consortium.execute(proposal_id, contract.address, 0, data, options)
    meter.take(f"Consortium.execute, {contract._name}.{function}", tx)
