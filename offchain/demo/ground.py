"""What a run stands on: a chain with the contracts, content stores, and how time passes there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from eth_account.signers.local import LocalAccount


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A chain on which the contracts are deployed, and the stores beside it.

    title: what the report calls it. rpc_urls, content_urls: where its nodes answer; roles take the
    stores in turn. owner: the consortium's account, which had `funds_wei` before the deployment.
    confirmations: blocks that must lie on what is believed. gas_price_wei None asks the chain.
    shortest_s: the shortest T of a request; margin_s: what nodes keep before it; dispute_s:
    how long an answer may be disputed, and a dispute be decided. wait_until: return
    once a block of that time (unix seconds) or a later one is there.
    """

    title: str
    rpc_urls: tuple[str, ...]
    content_urls: tuple[str, ...]
    deployment_file: Path
    owner: LocalAccount
    funds_wei: int
    confirmations: int
    gas_price_wei: int | None
    shortest_s: int
    margin_s: int
    dispute_s: int
    wait_until: Callable[[int], None]


Say = Callable[[str], None]
# Opens the ground in the run's own folder, and closes it again whatever happens.
GroundOpener = Callable[[Path, Say], AbstractContextManager[Ground]]
