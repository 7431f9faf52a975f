"""One nonce of an account: a transaction in all its variants, of which at most one is mined."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from offchain.chain.answers import MinedReceipt
from offchain.chain.outbox import SignedTransaction, TransactionState
from offchain.chain.signing import LegacyTransaction, read_legacy

_ONCE_MINED = (TransactionState.MINED, TransactionState.FAILED)


@dataclass
class Attempt:
    """`variants` differ in their fee alone, the last one offers most. `sent_at` is monotonic time
    of the last pricing, `sent_block` the head then; None: not known yet. `is_doubted`: another
    transaction seemed to have its nonce when that was last looked at.
    """

    variants: list[SignedTransaction]
    sent_at: float = 0.0
    sent_block: int | None = None
    is_at_its_dearest: bool = field(default=False)
    is_doubted: bool = field(default=False)

    @property
    def nonce(self) -> int:
        """The nonce that all variants share."""
        return self.variants[0].nonce

    @property
    def newest(self) -> SignedTransaction:
        """The variant that is sent."""
        return self.variants[-1]

    @property
    def was_mined(self) -> bool:
        """Whether one was on the chain once."""
        return any(one.state in _ONCE_MINED for one in self.variants)

    @property
    def is_replaced(self) -> bool:
        """Whether a stranger's transaction took the nonce."""
        return all(one.state is TransactionState.REPLACED for one in self.variants)

    def content(self) -> LegacyTransaction:
        """Return what the newest variant says."""
        return read_legacy(self.newest.raw)

    def first_price_wei(self) -> int:
        """Return what the first variant offered."""
        return read_legacy(self.variants[0].raw).gas_price_wei


def attempts_of(transactions: Sequence[SignedTransaction]) -> list[Attempt]:
    """Group variants, given oldest first, by nonce; in the order of the nonces."""
    by_nonce: dict[int, list[SignedTransaction]] = {}
    for one in transactions:
        by_nonce.setdefault(one.nonce, []).append(one)
    return [Attempt(by_nonce[nonce]) for nonce in sorted(by_nonce)]


def end_of(receipt: MinedReceipt) -> TransactionState:
    """Return the state that a receipt gives a transaction."""
    return TransactionState.MINED if receipt.success else TransactionState.FAILED
