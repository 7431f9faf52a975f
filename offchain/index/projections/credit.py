"""CreditBook: each change of a node's credit. What decays between two is the contract's to say."""

from sqlalchemy import Index

from offchain.index.changes import Changes
from offchain.index.decoding import Told
from offchain.index.projection import Projection
from offchain.index.tables import account, happened, number, word

credit_changes = happened(
    "credit_changes", account("account"), word("lock_id"), number("previous"), number("current")
)
Index("credit_changes_account", credit_changes.c.account, credit_changes.c.block)

CREDIT = Projection("CreditBook")


@CREDIT.on("CreditChanged")
def _changed(told: Told, changes: Changes) -> None:
    changes.add(
        credit_changes,
        told,
        account=told["account"],
        lock_id=told["lockId"],
        previous=told["previous"],
        current=told["current"],
    )
