"""The money that PrepaidLock owes: each payout, and what an account may withdraw."""

from sqlalchemy import Column, Index, String

from offchain.index.changes import Changes
from offchain.index.decoding import Told
from offchain.index.projection import Projection
from offchain.index.tables import account, happened, uint, versioned, word

# subject: the lock, broadcast or data set that it comes from; none of a bond or a withdrawal.
payouts = happened(
    "payouts",
    account("account"),
    Column("cause", String(24), nullable=False),
    word("subject", nullable=True),
    uint("amount_wei"),
)
Index("payouts_account", payouts.c.account, payouts.c.block)
withdrawable = versioned("withdrawable", account("account", key=True), uint("amount_wei"))


def owe(told: Told, changes: Changes, subject: bytes | None, *owed: tuple[str, int]) -> None:
    """Note what an event makes withdrawable: (account, wei) for each part that is not nothing."""
    for part, (to, wei) in enumerate(owed):
        if wei == 0:
            continue
        changes.add(
            payouts,
            told,
            part=part,
            account=to,
            cause=told.source[1],
            subject=subject,
            amount_wei=wei,
        )
        held = changes.row(withdrawable, to)
        before = 0 if held is None else held["amount_wei"]
        changes.put(withdrawable, (to,), told, amount_wei=before + wei)


def bind(lock: Projection) -> None:
    """Bind what moves money and no lock."""

    @lock.on("BondTaken")
    def _bond_taken(told: Told, changes: Changes) -> None:
        owe(told, changes, None, (told["account"], told["amountWei"]))

    @lock.on("ApplicationReleased")
    def _released(told: Told, changes: Changes) -> None:
        owe(told, changes, told["broadcastId"], (told["to"], told["amountWei"]))

    @lock.on("Withdrawn", (withdrawable, "account"))
    def _withdrawn(told: Told, changes: Changes) -> None:
        who, wei = told["account"], told["amountWei"]
        changes.add(payouts, told, account=who, cause="Withdrawn", subject=None, amount_wei=wei)
        left_wei = (changes.row(withdrawable, who) or {"amount_wei": wei})["amount_wei"] - wei
        changes.put(withdrawable, (who,), told, amount_wei=left_wei)
