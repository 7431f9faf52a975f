"""What members raise on purpose, in whatever role.

DmsmError
└── MemberError
    ├── UnknownMember      the chain has never heard of the account
    ├── UnfitMember        known, but not active, not in the role, or with a bad key
    ├── RequestRefused     a node refuses a request, with the reason that goes on chain
    ├── DecisionRefused    agreed by the consortium, and refused by what it was to change
    ├── TermsUnfit         what is asked does not fit the chain's terms; nothing was paid
    ├── AnswerNotReady     the lock is not claimed yet
    ├── AnswerInvalid      the answer does not open or is malformed
    │   └── AnswerNotServed    its bytes cannot be had
    ├── NothingToPublish   no consenting device has complete readings in the window
    ├── DataSetInvalid     a bought data set does not open or is malformed
    │   └── DataSetNotServed   its manifest or files cannot be had
    ├── GrantNotReady      shares were not delivered, or not to this member
    ├── ShareRefused       a share handed over is not what it claims to be
    ├── NoJudges           too few judges could read a dispute's evidence
    ├── EvidenceUnreadable evidence does not open for this judge
    ├── NothingToDispute   a dispute would be lost; nothing was paid
    ├── NotJudgeable       a judge's own chain or store does not show what it needs
    ├── PartlyAsked        some parts of a window were paid, and the next not, as far as is known
    ├── BookUnlike         the tables' list of tariffs is not the contract's
    ├── TariffNotAhead     a tariff or price series has begun; the consortium can vote for it
    ├── AggregateInvalid   an aggregate set, its key or an opening is not what it claims to be
    └── AggregateRefused   a sharing node does not help to open a set, for the sake of the homes
"""

from offchain.errors import DmsmError
from offchain.member.roles import LockState, Reason

_NOT_READY = {
    LockState.NONE: "this chain knows no such lock; is the id right, and the chain?",
    LockState.REQUESTED: "the node has not answered yet; from T on the price can be refunded",
    LockState.ACCEPTED: "the node has answered and not claimed yet; its claim opens the answer",
    LockState.REJECTED: "the node will not answer; the price can be withdrawn",
    LockState.REFUNDED: "T passed without an answer; the price can be withdrawn",
}


class MemberError(DmsmError):
    """Root of the errors of `offchain.member`."""


class UnknownMember(MemberError):
    """The chain has never heard of the account."""

    def __init__(self, account: str) -> None:
        super().__init__(f"{account} is not a member; ask the consortium to admit it first")
        self.account = account


class UnfitMember(MemberError):
    """A member is not active, not in the role, or its published key is not usable."""


class RequestRefused(MemberError):
    """A node refuses a request; `reason` is what it tells the chain."""

    def __init__(self, reason: Reason, why: str) -> None:
        super().__init__(f"{reason.name}: {why}")
        self.reason = reason
        self.why = why


class DecisionRefused(MemberError):
    """A proposal is agreed, and its target refuses it now; it may be carried out later."""


class TermsUnfit(MemberError):
    """What is asked does not fit the chain's terms. Nothing was paid."""


class NotOnChain(MemberError):
    """The chain has no such event (yet), or a reorganisation took it off."""


class AnswerNotReady(MemberError):
    """The answer cannot be opened in the lock's present state; `reason` of a rejected one."""

    def __init__(self, state: LockState, reason: Reason | None = None) -> None:
        why = _NOT_READY.get(state, "an answer opens once the node has claimed the price")
        told = f" ({reason.name})" if reason is not None else ""
        super().__init__(f"the lock is {state.name}{told}: {why}")
        self.state = state


class AnswerInvalid(MemberError):
    """A claimed answer does not open, or is malformed: the node was paid for nothing."""


class AnswerNotServed(AnswerInvalid):
    """The bytes of a claimed answer cannot be had from anybody: they can be demanded on chain."""


class NothingToPublish(MemberError):
    """No consenting device has anchored readings in the window."""


class DataSetInvalid(MemberError):
    """A data set does not open under the recovered key, or is malformed."""


class DataSetNotServed(DataSetInvalid):
    """The manifest or a file of a bought data set cannot be had from anybody."""


class NoJudges(MemberError):
    """Too few judges could read evidence: a dispute could not be decided. Nothing was paid."""


class EvidenceUnreadable(MemberError):
    """Evidence does not open for this judge, or is malformed."""


class NothingToDispute(MemberError):
    """By what is at hand the judges would decide for the other party. Nothing was paid."""


class NotJudgeable(MemberError):
    """This judge's own chain node or content store does not answer: nothing follows from that."""


class GrantNotReady(MemberError):
    """Shares of this lock were not delivered, or not to this member."""


class PartlyAsked(MemberError):
    """Some parts of a window were asked and paid; the next was not, or it is not known whether."""

    def __init__(self, lock_ids: list[bytes], why: Exception) -> None:
        locks = ", ".join("0x" + one.hex() for one in lock_ids)
        count = "one part was" if len(lock_ids) == 1 else f"{len(lock_ids)} parts were"
        super().__init__(
            f"{count} asked and paid (locks {locks}), then: {why}. Their answers come as usual. "
            "Given again in the same words, the command tells all that it paid, and pays nothing; "
            "then ask for the days that are left"
        )
        self.lock_ids = lock_ids


class ShareRefused(MemberError):
    """A share that was handed over is not what it claims to be."""


class BookUnlike(MemberError):
    """The tables' list of tariffs or price series is not the one that the contract has."""

    def __init__(self, what: str, block: int) -> None:
        super().__init__(
            f"the entries of {what} in the tables are not those that the contract has at block "
            f"{block}; try again: a reorganisation may be under way. If it stays so, delete the "
            "index: what is read from the chain is read anew"
        )


class TariffNotAhead(MemberError):
    """A tariff or price series has begun. Nothing was sent: the consortium can vote for it."""


class AggregateInvalid(MemberError):
    """An aggregate set, its key, or an opening of its totals is not what it claims to be."""


class AggregateRefused(MemberError):
    """A sharing node does not help to open a set: too few homes, or another set of these slots."""
