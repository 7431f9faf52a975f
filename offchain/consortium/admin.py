"""The consortium's decisions, by vote: who takes part and under which terms.

Everything goes through one door, `decide`: proposed and so approved by this member, and carried out
at once where that is enough; else what is still needed comes back.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from offchain.chain import codec
from offchain.chain.facts import ContractRevert, Receipt
from offchain.chain.gateway import ChainGateway
from offchain.consortium.proposals import ConsortiumBook, Proposal, Stage
from offchain.index.chain_index import ChainIndex
from offchain.index.errors import IndexBehind
from offchain.member.errors import DecisionRefused, MemberError
from offchain.member.public_name import checked as checked_name
from offchain.member.registration import Registration, region_id
from offchain.types import Account

DEFAULT_OWNERS_BPS = 5_000  # half of each price
LONGEST_ANSWER_BYTES = 32 * 1024  # what RequestCatalogue allows at most
_BACK_S, _POLL_S = 30.0, 0.05  # how long what a reorganisation took off is waited for


@dataclass(frozen=True)
class Decision:
    """Where a proposal stands after a step, and that step's last transaction."""

    proposal: Proposal
    receipt: Receipt
    is_final: bool

    @property
    def is_carried_out(self) -> bool:
        """Whether what was decided has been done."""
        return self.proposal.stage is Stage.EXECUTED


class Admin:
    """Act for the consortium with the account of one member; `index` is the chain in tables.

    `confirmations` is how deep a proposal must lie before it is approved (None: as deep as the
    gateway says): ids are counted, and a reorganisation may give one to another call.
    """

    def __init__(
        self, gateway: ChainGateway, index: ChainIndex, *, confirmations: int | None = None
    ) -> None:
        self._gateway = gateway
        self._confirmations = gateway.confirmations if confirmations is None else confirmations
        self.book = ConsortiumBook(gateway, index)

    @property
    def address(self) -> Account:
        """The member's account."""
        return Account(self._gateway.address)

    # ---- what is decided

    def admit(self, registration: Registration, *, checked: bool = True) -> Decision:
        """Admit a member; the registry checks its proofs.

        A refusal is the registry's named error; `checked` is as for `decide`.
        """
        return self.decide(
            "MemberRegistry",
            "admit",
            registration.account,
            registration.name,
            registration.profile,
            registration.proofs,
            checked=checked,
        )

    def rename(self, account: str, name: str) -> Decision:
        """Give a company another public name. Raises MemberError for a name that does not fit."""
        return self.decide("MemberRegistry", "rename", account, checked_name(name))

    def revoke(self, account: str) -> Decision:
        """Revoke a member for ever."""
        return self.decide("MemberRegistry", "revoke", account)

    def set_type(
        self,
        type_id: int,
        *,
        name: str,
        price_wei: int,
        shortest_s: int,
        dispute_window_s: int = 0,
        longest_answer_bytes: int = LONGEST_ANSWER_BYTES,
        active: bool = True,
    ) -> Decision:
        """Set or change a request type: exact price, least T − now, the time between claim and
        settlement, and the longest sealed answer.
        """
        name_word = ascii_word(name)
        terms = (active, shortest_s, dispute_window_s, longest_answer_bytes, price_wei, name_word)
        return self.decide("RequestCatalogue", "setType", type_id, terms)

    def set_sharing_terms(
        self,
        *,
        application_wei: int,
        shortest_s: int,
        dispute_window_s: int = 0,
        owners_bps: int = DEFAULT_OWNERS_BPS,
    ) -> Decision:
        """Set the terms under which data sharing begins; `owners_bps` of each price, in 1/10,000,
        goes to the owners of the devices whose readings are sold.
        """
        terms = (shortest_s, dispute_window_s, application_wei, owners_bps)
        return self.decide("RequestCatalogue", "setSharingTerms", terms)

    def set_rules(self, **changes: int) -> Decision:
        """Set new rules of bonds, demands, disputes and fees: the present ones with `changes`, by
        the field's name in IRequestCatalogue.Rules.
        """
        version, _ = self._gateway.call("RequestCatalogue", "versions")
        present = self._gateway.call("RequestCatalogue", "rulesAt", version)
        return self.decide("RequestCatalogue", "setRules", present._replace(**changes))

    def append_tariff(self, region: str, product: str, entry: tuple[bytes, int, int]) -> Decision:
        """Append a tariff to a region's product, `entry` as in ITariffBook.TariffEntry; where it
        has begun, it is a correction. Its document must lie in the content store.
        """
        return self.decide("TariffBook", "appendTariff", region_id(region), product, entry)

    def publish_series(
        self, region: str, name: str, entry: tuple[bytes, int, int, int]
    ) -> Decision:
        """Publish a price series, `entry` as in ITariffBook.SeriesEntry. It gives prices where none
        was published before.
        """
        return self.decide("TariffBook", "publishSeries", region_id(region), name, entry)

    def add_member(self, account: str, *, threshold: int) -> Decision:
        """Take an account into the consortium and set k."""
        return self.decide("Consortium", "addMember", account, threshold)

    def remove_member(self, account: str, *, threshold: int) -> Decision:
        """Take an account out of the consortium and set k."""
        return self.decide("Consortium", "removeMember", account, threshold)

    def set_threshold(self, threshold: int) -> Decision:
        """Set k."""
        return self.decide("Consortium", "setThreshold", threshold)

    def stop_beginnings(self) -> Decision:
        """Use the emergency stop: nothing begins for a while; whatever has begun ends as always.

        It lasts the consortium's delay and a week.
        """
        return self.decide("MemberRegistry", "stopBeginnings")

    def rearm_stop(self) -> Decision:
        """Arm the emergency stop once more."""
        return self.decide("MemberRegistry", "rearmStop")

    def spend(self, account: str, value_wei: int) -> Decision:
        """Pay an account from the consortium's money; fees that wait for it are fetched first.

        Raises MemberError when the consortium has less.
        """
        has_wei = self.treasury_wei()
        if has_wei < value_wei:
            raise MemberError(
                f"the consortium has {has_wei} wei and cannot pay {value_wei}; nothing was proposed"
            )
        return self._propose(Account(account), value_wei, b"")

    # ---- the vote

    def decide(self, contract: str, function: str, *args: Any, checked: bool = True) -> Decision:
        """Propose a call of a governed contract in the consortium's name, approve it, and carry it
        out if nothing more is needed.

        `checked`: what would be refused now is not proposed; the refusal is the target's named
        error. Left out for what another proposal must precede.
        """
        target = self._gateway.deployment.contract(contract)
        if checked:
            consortium = self._gateway.deployment.address("Consortium")
            self._gateway.call(contract, function, *args, sender=consortium, block="pending")
        calldata = codec.encode_call(codec.find_function(target.abi, function, len(args)), args)
        return self._propose(Account(target.address), 0, calldata)

    def approve(self, proposal_id: int, *, read: Proposal | None = None) -> Decision:
        """Approve a proposal, and carry it out if nothing more is needed.

        `read`: the proposal as whoever approves has read it. Raises MemberError while the proposal
        does not lie deep enough or when its id has come to mean another call, DecisionRefused when
        it is agreed and its target refuses it.
        """
        found = self._as_read(proposal_id, read, "approved")
        lies = self._gateway.block_number() - found.block_number
        if lies < self._confirmations:
            raise MemberError(
                f"proposal {proposal_id} lies under {lies} blocks, {self._confirmations} are "
                "needed before its id surely means this call; approve it a little later"
            )
        # The contract compares it as well: the id may yet come to mean another call.
        receipt = self._gateway.transact("Consortium", "approve", proposal_id, found.call_hash)
        return self._carry_out_if_ready(self.book.proposal(proposal_id), receipt)

    def withdraw(self, proposal_id: int) -> Decision:
        """Take this member's approval back."""
        receipt = self._gateway.transact("Consortium", "withdrawApproval", proposal_id)
        return self._decision(self.book.proposal(proposal_id), receipt)

    def cancel(self, proposal_id: int, *, read: Proposal | None = None) -> Decision:
        """Vote to cancel a proposal; it is cancelled for ever once as many want that as decide.

        `read` and MemberError as for `approve`, except that no depth is asked: the vote names the
        call, and with another one under this id it counts for nothing.
        """
        found = self._as_read(proposal_id, read, "cancelled")
        receipt = self._gateway.transact("Consortium", "cancel", proposal_id, found.call_hash)
        return self._decision(self.book.proposal(proposal_id), receipt)

    def execute(self, proposal_id: int) -> Decision:
        """Carry out what was decided, as a member; the target's refusal is its named error."""
        proposal = self.book.proposal(proposal_id)
        consortium = self._gateway.deployment.address("Consortium")
        if self._gateway.balance_wei(consortium) < proposal.value_wei:
            self.fetch_fees()
        call = (proposal.target, proposal.value_wei, proposal.data)
        receipt = self._gateway.transact("Consortium", "execute", proposal_id, *call)
        return self._decision(self.book.proposal(proposal_id), receipt)

    # ---- money

    def fund(self, account: str, value_wei: int) -> Receipt:
        """Send an account ether for gas and prepayments, from this member's own."""
        return self._gateway.transfer(account, value_wei)

    def treasury_wei(self) -> int:
        """Return what the consortium has: its balance, and the fees that wait for it."""
        consortium = self._gateway.deployment.address("Consortium")
        waiting = int(self._gateway.call("PrepaidLock", "withdrawableOf", consortium))
        return self._gateway.balance_wei(consortium) + waiting

    def fetch_fees(self) -> Receipt | None:
        """Bring the fees that wait for the consortium to it; None if there are none."""
        consortium = self._gateway.deployment.address("Consortium")
        if not self._gateway.call("PrepaidLock", "withdrawableOf", consortium):
            return None
        return self._gateway.transact("PrepaidLock", "withdrawFor", consortium)

    def _as_read(self, proposal_id: int, read: Proposal | None, done: str) -> Proposal:
        found = self.book.proposal(proposal_id)
        if read is not None and found.call_hash != read.call_hash:
            raise MemberError(
                f"proposal {proposal_id} is another call now, {found.text}: a reorganisation gave "
                f"it that id; nothing was {done}, read it again"
            )
        return found

    def _propose(self, target: Account, value_wei: int, data: bytes) -> Decision:
        receipt = self._gateway.transact("Consortium", "propose", target, value_wei, data)
        return self._carry_out_if_ready(*self._proposed(receipt))

    def _proposed(self, receipt: Receipt) -> tuple[Proposal, Receipt]:
        """Read what was proposed; a reorganisation may have it off the chain for a moment, and
        give it another number.
        """
        give_up_at = time.monotonic() + _BACK_S
        while True:
            try:
                said = receipt.event("Proposed").args
                found = self.book.proposal(said["proposalId"])
                meant = (said["target"], said["valueWei"], bytes(said["data"]))
                if (found.by, *_call_of(found)) == (said["by"], *meant):
                    return found, receipt
            except (MemberError, IndexBehind):
                found = None
            if time.monotonic() >= give_up_at:
                raise MemberError(
                    f"a reorganisation took what was proposed off the chain, and it is not back "
                    f"after {_BACK_S:.0f} s (transaction {receipt.tx_hash}); look for it: dmsm "
                    "admin proposals"
                )
            time.sleep(_POLL_S)
            self._gateway.settle()
            receipt = self._gateway.follow(receipt) or receipt

    def _carry_out_if_ready(self, proposal: Proposal, receipt: Receipt) -> Decision:
        proposal_id = proposal.proposal_id
        if proposal.stage is not Stage.READY:
            return self._decision(proposal, receipt)
        try:
            return self.execute(proposal_id)
        except ContractRevert as revert:
            raise DecisionRefused(
                f"proposal {proposal_id} is agreed, and carrying it out was refused: "
                f"{revert.sentence}; once that has changed: dmsm admin execute {proposal_id}"
            ) from revert

    def _decision(self, proposal: Proposal, receipt: Receipt) -> Decision:
        return Decision(proposal, receipt, self._gateway.is_final(receipt))


def _call_of(proposal: Proposal) -> tuple[str, int, bytes]:
    return proposal.target, proposal.value_wei, proposal.data


def ascii_word(text: str) -> bytes:
    """Return ASCII text of 1..32 characters as a bytes32."""
    if not text.isascii() or not 1 <= len(text) <= 32:
        raise MemberError(f"a name is 1 to 32 ASCII characters, not {text!r}")
    return text.encode("ascii").ljust(32, b"\0")
