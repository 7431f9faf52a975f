"""What the index raises on purpose.

DmsmError
└── ChainIndexError
    ├── IndexBehind        the tables are not at the chain's head in time
    └── IndexIncomplete    an event speaks of something that no earlier event told
"""

from offchain.errors import DmsmError


class ChainIndexError(DmsmError):
    """Root of the errors of `offchain.index`."""


class IndexBehind(ChainIndexError):
    """The tables are not at the chain's head in time; what they have stays."""

    def __init__(self, newest: int, head: int | None) -> None:
        super().__init__(
            f"the index is at block {newest}, the chain at {head}; try again: it goes on from there"
        )


class IndexIncomplete(ChainIndexError):
    """An event speaks of something that no earlier event told: a chain node left logs out."""

    def __init__(self, table: str, block: int) -> None:
        super().__init__(
            f"an event of block {block} changes a row of {table} that no earlier event made: a "
            "chain node left events out. The index begins anew; name another node in rpc_url"
        )
