"""The stage and the cast of a run: the chain, the content store, and every role with its own keys.

A role's object holds its own keys, gateway, store handle and files. Roles meet on the chain, in the
content store and over HTTP; none is handed another one's secrets.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from offchain.billing.zones import LocalDay, zone
from offchain.buyer.buyer import Buyer
from offchain.buyer.inbox import ShareInbox
from offchain.chain.gateway import ChainGateway
from offchain.consortium.admin import Admin
from offchain.consortium.court.judge import JudgeAgent
from offchain.demo.checks import Findings
from offchain.demo.depth import wait_for_depth
from offchain.demo.ground import Ground
from offchain.demo.households import TIME_ZONE, Home
from offchain.demo.options import DemoOptions
from offchain.demo.report import RunReport
from offchain.household.household import Household
from offchain.index.chain_index import ChainIndex
from offchain.member.keys import MemberKeys
from offchain.node.publisher import DataSetPublisher
from offchain.node.serve import RunningServer
from offchain.node.store import NodeStore
from offchain.node.worker import NodeWorker
from offchain.storage import ContentStore
from offchain.types import SECONDS_PER_DAY, Account, Policy, day_of

BILL, ADVICE = 1, 2
BILL_PRICE_WEI = 2 * 10**15
ADVICE_PRICE_WEI = 10**15
DATA_SET_PRICE_WEI = 5 * 10**16
APPLICATION_WEI = 10**15
MEMBER_FUNDS_WEI = 10 * 10**18
CONSORTIUM_FUNDS_WEI = 10_000 * 10**18
BOND_WEI = 5 * 10**17
BOND_LIMIT_WEI = 5 * 10**18


@dataclass(kw_only=True)
class FounderSite:
    """A member of the consortium, which votes on what is governed and judges disputes."""

    keys: MemberKeys
    gateway: ChainGateway
    admin: Admin
    judge: JudgeAgent


@dataclass(kw_only=True)
class NodeSite:
    """A region's processing node. `worker_with` makes a worker with another content store."""

    region: bytes
    region_name: str
    keys: MemberKeys
    gateway: ChainGateway
    content: ContentStore
    held: NodeStore
    index: ChainIndex
    worker: NodeWorker
    worker_with: Callable[[ContentStore], NodeWorker]
    publisher: DataSetPublisher
    server: RunningServer


@dataclass(kw_only=True)
class HomeSite:
    """A household: its chain account, its device and what its meter shows."""

    home: Home
    node: NodeSite
    household: Household
    gateway: ChainGateway
    device: Account
    agent_config: Path
    policy: Policy

    @property
    def days(self) -> list[int]:
        """The UTC days on which the meter was read."""
        return sorted({day_of(sample.time_s) for sample in self.home.samples})

    @property
    def utc_window(self) -> tuple[int, int]:
        """The whole UTC days from the first reading to the last, as unix seconds, end exclusive."""
        return self.days[0] * SECONDS_PER_DAY, (self.days[-1] + 1) * SECONDS_PER_DAY

    @property
    def window(self) -> tuple[int, int]:
        """The local days from the first reading to the last, as unix seconds, end exclusive."""
        return self.window_of_days(len(self.local_days))

    @property
    def local_days(self) -> list[LocalDay]:
        """The local days from that of the first reading to that of the last."""
        samples = self.home.samples
        return zone(TIME_ZONE).days_between(samples[0].time_s, samples[-1].time_s + 1)

    def window_of_days(self, count: int) -> tuple[int, int]:
        """The window of the first `count` local days."""
        days = self.local_days[:count]
        return days[0].start, days[-1].end


@dataclass(kw_only=True)
class BuyerSite:
    """A data-sharing node with its inbox for shares."""

    keys: MemberKeys
    gateway: ChainGateway
    index: ChainIndex
    buyer: Buyer
    inbox: ShareInbox
    server: RunningServer


@dataclass(kw_only=True)
class World:
    """Everything a stage works with; `gateway` is the first founder's, who has the money."""

    options: DemoOptions
    folder: Path
    tariff: bytes
    ground: Ground
    gateway: ChainGateway
    report: RunReport
    random: random.Random
    say: Callable[[str], None]
    progress: Callable[[str], None]
    founders: list[FounderSite] = field(default_factory=list)
    nodes: list[NodeSite] = field(default_factory=list)
    homes: list[HomeSite] = field(default_factory=list)
    buyers: list[BuyerSite] = field(default_factory=list)
    outsider: ChainGateway | None = None

    @property
    def findings(self) -> Findings:
        """The checks of this run."""
        return self.report.findings

    def wait_for_depth(self) -> None:
        """Return when what is on chain now lies deep enough for the nodes to believe it."""
        if self.ground.confirmations:
            wait_for_depth(self.gateway, self.ground.confirmations)

    def fund(self, account: str, value_wei: int) -> None:
        """Send an account ether for gas, prepayments and bonds."""
        self.gateway.transfer(account, value_wei)

    def homes_of(self, node: NodeSite) -> list[HomeSite]:
        """The households of a node's region."""
        return [home for home in self.homes if home.node is node]
