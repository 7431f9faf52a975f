"""The consortium as the chain tells it: its members, its k, and what is proposed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from eth_hash.auto import keccak

from offchain.chain.gateway import ChainGateway
from offchain.consortium.call_text import call_text
from offchain.consortium.naming import naming_of, warnings_of
from offchain.crypto.messages import abi_encode
from offchain.index.asked import members as member_names
from offchain.index.asked import proposals as asked
from offchain.index.asked.rows import Row
from offchain.index.chain_index import ChainIndex
from offchain.member.errors import MemberError
from offchain.member.names import PublicNames
from offchain.member.public_name import decoded
from offchain.types import Account, to_account, utc


class Stage(StrEnum):
    """Where a proposal stands; AGREED waits for its delay."""

    OPEN = "open"
    AGREED = "agreed"
    READY = "ready"
    EXECUTED = "executed"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    LAPSED = "lapsed"


OVER = (Stage.EXECUTED, Stage.CANCELLED, Stage.SUPERSEDED, Stage.LAPSED)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposal with its whole call. Times are unix seconds of the chain.

    text: the call as a person reads it. warnings: what to look at before one agrees to a public
    name, a sentence each. approved_by, missing: present members. cancel_votes: how
    many of them want it cancelled. floor: the latest proposal about the same subject that was
    carried out, 0 if none; below it nothing can be any more. ready_at: None while fewer than
    `threshold` agree; lapses_at moves once, when they first do. block_number: where it was made.
    """

    proposal_id: int
    by: Account
    target: Account
    value_wei: int
    data: bytes
    text: str
    warnings: tuple[str, ...]
    stage: Stage
    approved_by: tuple[Account, ...]
    missing: tuple[Account, ...]
    cancel_votes: int
    threshold: int
    floor: int
    ready_at: int | None
    lapses_at: int
    block_number: int

    @property
    def call_hash(self) -> bytes:
        """What an approval or a vote to cancel names the call by."""
        call = (self.target, self.value_wei, self.data)
        return keccak(abi_encode(["address", "uint256", "bytes"], call))

    @property
    def status(self) -> str:
        """What is still needed, in a sentence that names the command."""
        which = f"proposal {self.proposal_id}"
        if self.stage is Stage.EXECUTED:
            return f"{which} was carried out"
        if self.stage is Stage.LAPSED:
            return f"{which} lapsed; propose it again if it is still wanted"
        if self.stage is Stage.CANCELLED:
            return f"{which} was cancelled; propose it again if it is still wanted"
        if self.stage is Stage.SUPERSEDED:
            return (
                f"{which} is superseded: proposal {self.floor} about the same was carried out, and "
                "an earlier one never can be after it"
            )
        members = len(self.approved_by) + len(self.missing)
        agree = f"{which}: {len(self.approved_by)} of {members} members agree"
        if self.cancel_votes:
            agree += f", {self.cancel_votes} want it cancelled"
        if self.stage is Stage.OPEN:
            return (
                f"{agree}, {self.threshold} must; the others: dmsm admin approve {self.proposal_id}"
            )
        when = "now" if self.stage is Stage.READY else f"from {utc(self.ready_at or 0)} on"
        return (
            f"{agree}; a member carries it out {when}, until {utc(self.lapses_at or 0)}: "
            f"dmsm admin execute {self.proposal_id}"
        )


class ConsortiumBook:
    """Read the consortium. A proposal's call comes from the tables, where it stands from the
    contract, which holds every vote and every execution against the call.
    """

    def __init__(self, gateway: ChainGateway, index: ChainIndex) -> None:
        self._gateway, self._index = gateway, index
        self.names = PublicNames(index)

    def members(self) -> list[tuple[Account, int]]:
        """Return the members and since when each is one, the oldest first."""
        accounts = self._gateway.call("Consortium", "members")
        calls = [("Consortium", "memberSince", (one,)) for one in accounts]
        since = self._gateway.call_many(calls)
        return sorted(zip(accounts, since, strict=True), key=lambda one: (one[1], one[0]))

    def threshold(self) -> int:
        """Return k: how many members must agree."""
        return int(self._gateway.call("Consortium", "threshold"))

    def is_member(self, account: str) -> bool:
        """Whether the account is a member now."""
        return bool(self._gateway.call("Consortium", "memberSince", account))

    def proposals(self, *, pending: bool = False) -> list[Proposal]:
        """Return all proposals, oldest first; `pending`: without those carried out or cancelled."""
        newest = self._index.follower.catch_up()
        members = [account for account, _ in self.members()]
        found = asked.proposals_at(self._index, newest, pending=pending)
        return [self._read(one, members, newest) for one in found]

    def proposal(self, proposal_id: int) -> Proposal:
        """Return one proposal. Raises MemberError when the chain knows none of this id."""
        newest = self._index.follower.catch_up()
        found = asked.proposal(self._index, proposal_id, newest)
        if found is None:
            raise MemberError(
                f"the consortium knows no proposal {proposal_id}; list them: dmsm admin proposals"
            )
        return self._read(found, [account for account, _ in self.members()], newest)

    def _read(self, told: Row, members: list[Account], newest: int) -> Proposal:
        proposal_id, data = told["proposal_id"], told["data"]
        value_wei, target = told["value_wei"], to_account(told["target"])
        call = (target, value_wei, data)
        stored, threshold, wait_s, cancel_votes, floor, *approves = self._gateway.call_many(
            [
                ("Consortium", "proposalOf", (proposal_id,)),
                ("Consortium", "threshold", ()),
                ("Consortium", "delayFor", call),
                ("Consortium", "cancelVotesOf", (proposal_id,)),
                ("Consortium", "floorFor", (proposal_id, *call)),
                *(("Consortium", "hasApproved", (proposal_id, one)) for one in members),
            ]
        )
        approved = tuple(one for one, yes in zip(members, approves, strict=True) if yes)
        is_agreed = stored.agreedAt != 0 and len(approved) >= threshold
        ready_at = stored.agreedAt + wait_s if is_agreed else None
        lapses_at = self._lapses_at(stored, wait_s, is_payment=bool(value_wei) or not data)
        return Proposal(
            proposal_id=proposal_id,
            by=to_account(told["by"]),
            target=target,
            value_wei=value_wei,
            data=data,
            text=call_text(
                self._gateway.deployment, target, value_wei, data, beside=self.names.beside
            ),
            warnings=self._warnings(target, data, newest),
            stage=self._stage(stored, ready_at, lapses_at, is_superseded=proposal_id < floor),
            approved_by=approved,
            missing=tuple(one for one in members if one not in approved),
            cancel_votes=cancel_votes,
            threshold=threshold,
            floor=floor,
            ready_at=ready_at,
            lapses_at=lapses_at,
            block_number=told["proposed_block"],
        )

    def _warnings(self, target: Account, data: bytes, newest: int) -> tuple[str, ...]:
        naming = naming_of(self._gateway.deployment, target, data)
        if naming is None:
            return ()
        given = member_names.names_given(self._index, newest)
        held = [(to_account(one["account"]), decoded(one["name"])) for one in given]
        return warnings_of(*naming, held)

    def _lapses_at(self, stored: Any, wait_s: int, *, is_payment: bool) -> int:
        """Return when a proposal can be carried out no more, by time alone."""
        life_s, week_s, founding_ends_at = self._spans
        if stored.firstAgreedAt == 0:
            return int(stored.proposedAt + life_s)
        # What was agreed in the founding needed no delay then; payments always wait.
        was_at_once = stored.firstAgreedAt < founding_ends_at and not is_payment
        return int(stored.firstAgreedAt + (0 if was_at_once else wait_s) + week_s)

    @cached_property
    def _spans(self) -> tuple[int, int, int]:
        """Return how long a proposal lives, not agreed and agreed, and when the founding ends; all
        are fixed for ever.
        """
        life_s, week_s, founding_ends_at = self._gateway.call_many(
            [
                ("Consortium", "LIFE_SECONDS", ()),
                ("Consortium", "LAPSE_SECONDS", ()),
                ("Consortium", "foundingEndsAt", ()),
            ]
        )
        return life_s, week_s, founding_ends_at

    def _stage(
        self, stored: Any, ready_at: int | None, lapses_at: int, *, is_superseded: bool
    ) -> Stage:
        now = self._gateway.now()  # what is sent next goes by it, or by a later time
        if stored.isExecuted:
            return Stage.EXECUTED
        if stored.isCancelled:
            return Stage.CANCELLED
        if is_superseded:
            return Stage.SUPERSEDED
        if now >= lapses_at:
            return Stage.LAPSED
        if ready_at is None:
            return Stage.OPEN
        return Stage.READY if now >= ready_at else Stage.AGREED
