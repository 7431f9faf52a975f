"""A household with everything it acts with: its parts in the order in which it uses them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from offchain.chain.gateway import ChainGateway
from offchain.household.answers import Answers
from offchain.household.consents import Consents
from offchain.household.disputes import AnswerDisputes
from offchain.household.notifications import Notifications
from offchain.household.planning import DaysOf, Planner
from offchain.household.policy import Policies
from offchain.household.requests import Requests
from offchain.household.sales import Sales
from offchain.index.chain_index import ChainIndex
from offchain.member.directory import MemberDirectory
from offchain.member.keys import MemberKeys
from offchain.member.locks import LockBook
from offchain.member.money import Money
from offchain.member.request_notes import RequestNotes
from offchain.member.roles import REQUEST_TYPE_NAMES
from offchain.member.tariff_book import TariffBook
from offchain.storage import ContentStore


class Household:
    """Hold what a household acts with, and what it does by name: `household.requests.ask(...)`.

    `notes` is the household's own folder, where it keeps what it asked. `confirmations` is how deep
    a block must lie to be believed; None: as deep as the gateway says. `index` is the chain in
    tables.
    """

    def __init__(
        self,
        *,
        gateway: ChainGateway,
        index: ChainIndex,
        store: ContentStore,
        keys: MemberKeys,
        directory: MemberDirectory,
        notes: Path,
        type_names: Mapping[int, str] = REQUEST_TYPE_NAMES,
        confirmations: int | None = None,
    ) -> None:
        self.gateway = gateway
        self.store = store
        self.keys = keys
        self.directory = directory
        self.notes = RequestNotes(notes)
        self.locks = LockBook(gateway, index, confirmations=confirmations)
        own: dict[str, Any] = {
            "gateway": gateway,
            "store": store,
            "keys": keys,
            "directory": directory,
        }
        asked: dict[str, Any] = {"notes": self.notes, "type_names": type_names}
        self.policy = Policies(gateway)
        self.notifications = Notifications(gateway=gateway, index=index, store=store, keys=keys)
        self.requests = Requests(**own, index=index, notes=self.notes)
        self.tariffs = TariffBook(gateway, index, store)
        self.answers = Answers(**own, **asked, index=index, locks=self.locks, tariffs=self.tariffs)
        self.disputes = AnswerDisputes(**own, **asked, index=index, confirmations=confirmations)
        self.money = Money(gateway, confirmations=confirmations)
        self.consents = Consents(gateway)
        self.sales = Sales(gateway=gateway, index=index, store=store, keys=keys)
        self._index = index

    def planner(self, days_of: DaysOf) -> Planner:
        """Return who plans requests; `days_of` asks the region's node for what it holds."""
        return Planner(self.gateway, self._index, self.tariffs, days_of)
