"""When a transaction that waits is priced too low, and what it is offered then."""

from dataclasses import dataclass

from offchain.chain.answers import FeeHead

_LEAST_PERCENT = 10  # below it nodes call a replacement underpriced (Geth's txpool.pricebump)


@dataclass(frozen=True, slots=True)
class FeeRaise:
    """When and by how much a waiting transaction's fee is raised.

    It is stuck when `after_s` seconds have passed since it was last priced and the chain has made
    `after_blocks` blocks without it. On a chain that stands still no fee helps, unless its base fee
    is above the price: one that makes no empty block may stand still for that alone. Each time the
    price rises by `percent` or to what the node asks for by now (twice the base fee where the price
    is below it), never above `most_times` the first price (of a first price of 0: what the node
    asks for): a node that lies about prices costs no more than that.
    """

    after_s: float = 20.0
    after_blocks: int = 2
    percent: int = _LEAST_PERCENT
    most_times: int = 10

    def __post_init__(self) -> None:
        if self.percent < _LEAST_PERCENT or self.most_times < 1:
            raise ValueError(f"a fee is raised by at least {_LEAST_PERCENT} %, to at least itself")

    def is_due(self, *, waited_s: float, blocks: int, price_wei: int, base_fee_wei: int) -> bool:
        """Whether a transaction that waited so long, over so many blocks, is stuck.

        `base_fee_wei`: what the next block will ask for; 0 where there is none.
        """
        is_passed_over = blocks >= self.after_blocks or price_wei < base_fee_wei
        return waited_s >= self.after_s and is_passed_over

    def next_price_wei(self, *, first_wei: int, last_wei: int, asked_wei: int) -> int | None:
        """Return the next price, or None when the bound is reached.

        `first_wei`, `last_wei`: the lowest and highest price so far; `asked_wei`: the node's.
        """
        raised = last_wei + max(1, -(-last_wei * self.percent // 100))
        most = self.most_times * (first_wei or max(1, asked_wei))
        return None if raised > most else min(max(raised, asked_wei), most)


def next_base_fee_wei(head: FeeHead) -> int:
    """Return what the block after `head` asks for of each unit of gas; 0 where it asks for nothing.

    Source: EIP-1559: an eighth more after a full block, an eighth less after an empty one.
    """
    fee, target = head.base_fee_wei, head.gas_limit // 2
    over = head.gas_used - target
    if target == 0:  # no block that a chain makes
        return fee
    if over > 0:
        return fee + max(1, fee * over // target // 8)
    return fee - fee * -over // target // 8
