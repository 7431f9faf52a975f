"""A burst of notifications: how fast they are mined, in how many blocks, and what is redone."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench.net_site import HIGH_W, LOW_W, Home, Site
from offchain.chain.gateway import Call, ChainGateway

_GAS = 200_000
_REORG = re.compile(r"(?i)chain reorg detected.*?drop=(\d+)")
_END_S = 300.0


@dataclass(frozen=True)
class BurstRun:
    """Seconds from the first call to the last receipt; blocks that hold them; reorganisations.

    reorganisations are those of all signers together, deepest the most blocks that one gave up.
    """

    notifications: int
    seconds: float
    blocks: int
    reorganisations: int
    deepest: int


class BurstFailed(Exception):
    """Not every notification is on chain once: the times say nothing."""


def measure_burst(site: Site, notifications: int) -> BurstRun:
    """Let the devices report all at once, each as fast as its account sends. Raises BurstFailed."""
    each = notifications // len(site.households)
    gateways = [home.device_gateway(site) for home in site.households]
    for gateway in gateways:  # from here on each report is a change
        gateway.transact_many([_report(0)], dry_call=False)
    first_block, sent_before = gateways[0].block_number() + 1, _sent(gateways)
    before = _dropped(site)
    blocks: set[int] = set()
    faults: list[str] = []

    def send(number: int) -> None:
        calls = [_report(turn) for turn in range(1, each + 1)]
        receipts = gateways[number].transact_many(calls, dry_call=False)
        blocks.update(receipt.block_number for receipt in receipts)
        faults.extend(str(one.revert) for one in receipts if one.revert is not None)

    threads = [threading.Thread(target=send, args=(n,)) for n in range(len(gateways))]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=_END_S)
    seconds = time.perf_counter() - started
    found = _changes(site.households[0], first_block)
    sent = _sent(gateways) - sent_before  # a report that came twice would change nothing
    if faults or not found == sent == each * len(gateways):
        raise BurstFailed(
            f"{found} of {each * len(gateways)} changes by {sent} transactions; {faults[:1]}"
        )
    pairs = zip(before, _dropped(site), strict=True)
    redone = [depth for old, new in pairs for depth in new[len(old) :]]
    return BurstRun(found, seconds, len(blocks), len(redone), max(redone, default=0))


def _report(turn: int) -> Call:
    power_w = HIGH_W if turn % 2 else LOW_W
    return Call("NotificationBoard", "report", (power_w, 200, True, bytes(32)), gas=_GAS)


def _changes(home: Home, first_block: int) -> int:
    events = home.gateway.events("NotificationBoard", "StatusChanged", from_block=first_block)
    return len({(event.block_number, event.log_index) for event in events})


def _sent(gateways: Sequence[ChainGateway]) -> int:
    """How many transactions of these accounts the chain has."""
    counts = (
        one.endpoint.request("eth_getTransactionCount", one.address, "latest") for one in gateways
    )
    return sum(int(count, 16) for count in counts)


def _dropped(site: Site) -> list[list[int]]:
    """How many blocks each reorganisation gave up, by signer."""
    logs = (site.network.processes.log(signer.name) for signer in site.network.plan.signers)
    return [
        [int(depth) for depth in _REORG.findall(log.read_text(errors="replace"))] for log in logs
    ]
