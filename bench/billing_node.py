"""How many month bills a node answers in a minute of one core, for `bench.billing`.

A whole node on a private anvil, with contracts, store and index. What is timed is the processor's
time of its polls, from paid requests to claims: the window out of its store, the bill, answer,
seals, σ_p, journal, content store, and its questions and transactions. Households and the chain's
own work are not in it.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from eth_account import Account as EthAccount

from bench.billing_held import hold, recorded
from bench.billing_inputs import QUARTER_S, SPOT, ZONE, home, months, richest, spot_prices
from offchain.billing.answering import BILL
from offchain.chain.anvil import Anvil, start_anvil
from offchain.chain.deployment import load_deployment
from offchain.chain.gateway import ChainGateway
from offchain.consortium.admin import Admin
from offchain.household.household import Household
from offchain.household.planning import Wanted
from offchain.index.chain_index import ChainIndex
from offchain.member.directory import MemberDirectory
from offchain.member.keys import MemberKeys
from offchain.member.registration import region_id
from offchain.member.roles import MemberRole
from offchain.member.tariff_documents import series_offer, tariff_offer
from offchain.node.held_days import held_days
from offchain.node.node import ProcessingNode
from offchain.node.outcome import NodeTerms
from offchain.node.store import NodeStore
from offchain.storage.directory import DirectoryStore
from offchain.types import SECONDS_PER_DAY, Account

PROJECT = Path(__file__).resolve().parents[1]
_REGION, _PRODUCT, _TYPE = "north", "richest", 1
_ETHER, _PRICE_WEI, _SHORTEST_S = 10**18, 10**15, 3_600
_HOURS, _QUARTERS = 20, 3  # months that are asked: of hours, of quarter hours


@dataclass(frozen=True)
class MonthBills:
    """How many a minute of the node's processor: of hourly readings, each one answer; of quarter
    hours, each in `parts` answers.
    """

    of_hours: float
    of_quarters: float
    parts: int


def month_bills(folder: Path) -> MonthBills:
    """Let a node answer month bills under the richest tariff. Raises AssertionError for an answer
    that does not hold.
    """
    with start_anvil() as anvil, ExitStack() as stack:
        town = _Town(anvil, folder, stack)
        hours, quarters = (town.meter(every_s) for every_s in (3_600, QUARTER_S))
        parts = len(town.ask(hours, 1))  # the first request of a user: its key is checked, once
        assert parts == 1
        town.answer(parts)
        asked = town.ask(hours, _HOURS)
        hours_s = town.answer(len(asked))
        town.audit(asked[-1:])
        asked = town.ask(quarters, _QUARTERS)
        quarters_s = town.answer(len(asked))
        parts = len(asked) // _QUARTERS
        town.audit(asked[-parts:])
    return MonthBills(60 * _HOURS / hours_s, 60 * _QUARTERS / quarters_s, parts)


class _Town:
    """A node and one household with keys of full size, on a chain of their own."""

    def __init__(self, anvil: Anvil, folder: Path, stack: ExitStack) -> None:
        file = folder / "deployment.json"
        _deploy(anvil, file)
        self._deployment = load_deployment(file)
        self._gateway = ChainGateway([anvil.url], self._deployment, gas_price_wei=0)
        self._store = DirectoryStore(folder / "content")
        self._index = stack.enter_context(ChainIndex(folder / "index.sqlite", self._gateway))
        self._admin = Admin(
            self._gateway.with_account(EthAccount.from_key(anvil.keys[0])), self._index
        )
        self._admin.set_type(_TYPE, name=BILL, price_wei=_PRICE_WEI, shortest_s=_SHORTEST_S)
        directory = MemberDirectory(self._gateway, self._store)
        keys, gateway = self._admit(MemberRole.PROCESSOR)
        self._held = stack.enter_context(NodeStore(folder / "node.sqlite"))
        self._worker = ProcessingNode(
            gateway=gateway,
            index=self._index,
            store=self._store,
            keys=keys,
            readings=self._held,
            directory=directory,
            terms=NodeTerms(data_set_price_wei=1),
        ).worker
        keys, gateway = self._admit(MemberRole.USER)
        self._user = keys.address
        self._household = Household(
            gateway=gateway,
            index=self._index,
            store=self._store,
            keys=keys,
            directory=directory,
            notes=folder / "notes",
        )
        self._say_prices()
        self._worker.run_once()  # puts the bond up

    def meter(self, every_s: int) -> Account:
        """Admit a device of the household whose readings the node holds and the chain anchors:
        those of the month, and of a day before and after it.
        """
        keys, gateway = self._admit(MemberRole.DEVICE, owner=self._user)
        start, end = months()[0]
        registers = home((start - SECONDS_PER_DAY, end + SECONDS_PER_DAY), every_s)
        device, chain_id = keys.address, self._gateway.chain_id
        for one in hold(self._held, recorded(registers, device=device, chain_id=chain_id)):
            gateway.transact("DataLedger", "anchor", one.from_seq, one.count, one.root)
        return device

    def ask(self, device: Account, count: int) -> list[bytes]:
        """Pay for the month so many times; return the locks, one a part."""
        planner = self._household.planner(lambda *of: held_days(self._held, *of))
        wanted = Wanted(
            type_id=_TYPE,
            kind=BILL,
            devices=(device,),
            window=months()[0],
            time_zone=ZONE.name,
            product=_PRODUCT,
        )
        plan = planner.plan(wanted, region_id=region_id(_REGION))
        paid = [self._household.requests.ask_parts(plan) for _ in range(count)]
        return [one.lock_id for parts in paid for one in parts]

    def answer(self, count: int) -> float:
        """Poll until so many requests are claimed; return the processor's time of it in seconds."""
        done: Counter[str] = Counter()
        began = time.process_time()
        while done["claimed"] < count:
            outcomes = self._worker.run_once()
            assert outcomes, f"{done} of {count}"
            done.update(one.kind for one in outcomes)
        took_s = time.process_time() - began
        assert done == {"accepted": count, "claimed": count}, done
        return took_s

    def audit(self, asked: Sequence[bytes]) -> None:
        """See that the answers hold."""
        parts = self._household.answers.audit_parts(asked)
        assert all(part.report.ok for part in parts)
        whole = self._household.answers.whole(parts)
        assert whole.window == months()[0]

    def _admit(
        self, role: MemberRole, *, owner: str | None = None
    ) -> tuple[MemberKeys, ChainGateway]:
        keys = MemberKeys.generate(role)
        where = {
            "chain_id": self._deployment.chain_id,
            "registry": self._deployment.address("MemberRegistry"),
        }
        if role is not MemberRole.DEVICE:
            keys.publish_paillier_key(self._store, **where)
        self._admin.admit(keys.registration(**where, region_id=region_id(_REGION), owner=owner))
        self._admin.fund(keys.address, _ETHER)
        return keys, self._gateway.with_account(keys.account)

    def _say_prices(self) -> None:
        """Enter the tariff and the month's prices by vote: the month is past."""
        tariff, series = (
            tariff_offer(richest({"name": SPOT})),
            series_offer(spot_prices(months()[0])),
        )
        for data in (tariff.data, series.data):
            self._store.put(data, lasting=True)
        self._admin.append_tariff(_REGION, _PRODUCT, tariff.entry)
        self._admin.publish_series(_REGION, SPOT, series.entry)


def _deploy(anvil: Anvil, file: Path) -> None:
    script = [sys.executable, str(PROJECT / "scripts" / "run_deploy.py"), "--rpc", anvil.url]
    script += ["--chain-id", str(anvil.chain_id), "--out", str(file)]
    environment = {"DMSM_DEPLOYER_KEY": anvil.keys[0], "PATH": "/usr/bin:/bin"}
    subprocess.run(script, check=True, capture_output=True, env=environment)
