"""Consortia of five accounts, three of whom decide, long after their founding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from brownie import Consortium, MemberRegistry, accounts, web3

DAY = 86_400
DELAY, LIFE, LAPSE = 2 * DAY, 45 * DAY, 7 * DAY
NOTHING = b""


@dataclass(frozen=True)
class Call:
    """What a proposal carries out."""

    target: str
    value_wei: int
    data: bytes

    @property
    def parts(self) -> tuple[str, int, bytes]:
        return (self.target, self.value_wei, self.data)


@dataclass(frozen=True)
class Council:
    """A consortium, its members' accounts, and a registry that obeys it."""

    contract: Any
    members: list[Any]
    registry: Any

    def call(self, function: str, *arguments: Any, to: Any = None, value_wei: int = 0) -> Call:
        """Return a call of the consortium itself, or of ``to``."""
        target = to or self.contract
        data = getattr(target, function).encode_input(*arguments)
        return Call(target.address, value_wei, bytes.fromhex(data[2:]))

    def propose(self, call: Call, *, by: int = 0) -> int:
        """Propose; return the id."""
        self.contract.propose(*call.parts, {"from": self.members[by]})
        return self.contract.proposalCount()

    def approve(self, proposal_id: int, *by: int) -> Any:
        """Approve by each; return the last transaction."""
        call_hash = self.call_hash(proposal_id)
        return [
            self.contract.approve(proposal_id, call_hash, {"from": self.members[i]}) for i in by
        ][-1]

    def cancel(self, proposal_id: int, *by: int) -> Any:
        """Vote to cancel by each; return the last transaction."""
        call_hash = self.call_hash(proposal_id)
        return [
            self.contract.cancel(proposal_id, call_hash, {"from": self.members[i]}) for i in by
        ][-1]

    def call_hash(self, proposal_id: int) -> Any:
        return self.contract.proposalOf(proposal_id)["callHash"]

    def subject_of(self, proposal_id: int, call: Call) -> Any:
        return self.contract.subjectOf(proposal_id, *call.parts)

    def agree(self, call: Call) -> int:
        """Propose and approve by as many as decide; return the id."""
        proposal_id = self.propose(call)
        for i in range(1, self.contract.threshold()):
            self.approve(proposal_id, i)
        return proposal_id

    def agreed_at(self, proposal_id: int) -> int:
        return self.contract.proposalOf(proposal_id)["agreedAt"]

    def execute(self, proposal_id: int, call: Call, *, by: Any = None) -> Any:
        """Carry a call out, by the fourth member if not told."""
        options = {"from": by or self.members[min(3, len(self.members) - 1)]}
        return self.contract.execute(proposal_id, *call.parts, options)


@pytest.fixture
def found(deployer: Any) -> Callable[..., Council]:
    """``found(count, threshold, founding_ends_at=…)``: a new consortium with a registry."""

    def make(count: int = 5, threshold: int = 3, *, founding_ends_at: int = 0) -> Council:
        members = [accounts[i] for i in range(10, 10 + count)]
        nonce = web3.eth.get_transaction_count(deployer.address)
        registry = deployer.get_deployment_address(nonce + 1)
        arguments = ([m.address for m in members], threshold, DELAY, founding_ends_at, registry)
        contract = Consortium.deploy(*arguments, {"from": deployer})
        return Council(contract, members, MemberRegistry.deploy(contract, {"from": deployer}))

    return make


@pytest.fixture
def council(found: Any) -> Council:
    return found()


@pytest.fixture
def revoke_call(council: Council, processor: Any) -> Call:
    """Something that waits: a revocation. It will revert, for the registry is empty."""
    return council.call("revoke", processor.address, to=council.registry)


@pytest.fixture
def decide(at: Any) -> Callable[..., Any]:
    """``decide(council, call)``: agreed and, after the delay, carried out; the transaction."""

    def carry_out(council: Council, call: Call) -> Any:
        proposal_id = council.agree(call)
        at(council.agreed_at(proposal_id) + DELAY)
        return council.execute(proposal_id, call)

    return carry_out
