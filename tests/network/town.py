"""The main job on a network that runs: the demo's cast, and its steps as often as a test likes."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from offchain.chain import questions
from offchain.chain.deployment import load_deployment
from offchain.chain.errors import NodeUnavailable
from offchain.chain.gateway import ChainGateway
from offchain.chain.outbox import TransactionOutbox
from offchain.chain.signing import read_legacy
from offchain.cli.demo_network import ground_of
from offchain.demo import asking, metering, policies, pricing, setting_up, sharing
from offchain.demo.checks import Findings
from offchain.demo.households import load_homes, load_tariff
from offchain.demo.options import DemoOptions
from offchain.demo.report import RunReport
from offchain.demo.run import DATA_DIR
from offchain.demo.world import BILL, HomeSite, World
from offchain.household.requests import PaidRequest
from offchain.member.roles import LockState
from offchain.network.operation import Network

_JOB_S, _POLL_S = 300.0, 0.05
_T_S = 3_600  # far behind the longest stall, so that no request expires while a test halts a chain
_ANSWERED = (LockState.CLAIMED, LockState.SETTLED)
# NONE: a reorganisation took the request off the chain; it comes back.
_ON_ITS_WAY = (LockState.NONE, LockState.REQUESTED, LockState.ACCEPTED)


@dataclass(kw_only=True)
class Town(World):
    """The demo's cast, and the locks that the tests wanted of it: one each time they asked."""

    asked: list[bytes] = field(default_factory=list)
    sold: list[bytes] = field(default_factory=list)

    @property
    def members(self) -> list[ChainGateway]:
        """Those who send through one journal each, and have an account for themselves."""
        sites = [*self.nodes, *self.homes, *self.buyers]
        return [one.gateway for one in sites]


@contextmanager
def open_town(network: Network, folder: Path) -> Iterator[Town]:
    """Admit two regions of one home each and two sharing nodes; anchor and publish their readings.

    Everybody sends through every signer; nodes believe what is as deep as the network's file says.
    """
    options = DemoOptions(homes=2, days=1, sharers=2, threshold=2)
    homes = load_homes(options, DATA_DIR)
    ground = ground_of(network, say=print)
    gateway = ChainGateway(
        ground.rpc_urls,
        load_deployment(ground.deployment_file),
        account=ground.owner,
        outbox=TransactionOutbox(folder / "consortium.sqlite"),
        gas_price_wei=ground.gas_price_wei,
    )
    with ExitStack() as stack:
        town = Town(
            options=options,
            folder=folder,
            tariff=load_tariff(DATA_DIR),
            ground=ground,
            gateway=gateway,
            report=RunReport(findings=Findings(), source="a test", homes=homes),
            random=random.Random(1),
            say=print,
            progress=lambda text: None,
        )
        setting_up.found_consortium(town, stack)
        setting_up.set_terms(town)
        by_home = [policies.policy_of(home) for home in homes]
        setting_up.admit_members(town, homes, by_home, stack)
        pricing.say_prices(town)
        trials = town.homes[0].agent_config.parent / metering.TRIALS_FILE
        policies.write_trials(homes, by_home, trials, town.random)
        for member in town.members:  # a chain that is stalled on purpose is waited for
            member._sender.timeout_s = _JOB_S
        metering.replay_readings(town)
        sharing.publish_data_sets(town)
        yield town


def ask(town: Town, home: HomeSite) -> PaidRequest:
    """Prepay a bill of all that the home's meter has shown."""
    paid = asking.ask(home, BILL, home.window, expires_at=home.gateway.now() + _T_S)
    town.asked.append(paid.lock_id)
    return paid


def ask_for_bill(town: Town, *, number: int = 0) -> None:
    """Have a home's bill prepaid, accepted, claimed, opened and audited; all must hold.

    The node polls as in service: what a stall or a reorganisation takes away, it does again.
    """
    home = town.homes[number]
    paid = ask(town, home)
    give_up_at = time.monotonic() + _JOB_S
    while not _is_answered(town, home, paid.lock_id):
        assert time.monotonic() < give_up_at, "the lock was not claimed in time"
        with suppress(NodeUnavailable):
            home.node.worker.run_once()
        time.sleep(_POLL_S)
    audit = home.household.answers.audit(paid.lock_id)
    wrong = [found for found in audit.findings if not found.ok]
    assert audit.findings and not wrong, f"the audit found {wrong}"


def _is_answered(town: Town, home: HomeSite, lock_id: bytes) -> bool:
    """Whether the claim is final: an audit may not be of what a reorganisation takes off again."""
    state = home.household.locks.lock(lock_id).state
    assert state in _ANSWERED + _ON_ITS_WAY, f"the lock is {state}"
    if state not in _ANSWERED:
        return False
    with suppress(NodeUnavailable):
        town.wait_for_depth()
        return home.household.locks.lock(lock_id).state in _ANSWERED
    return False


def sell_data(town: Town) -> None:
    """Have both data sets bought, delivered, recovered and audited; all must hold."""
    town.report.findings = Findings()
    grants = sharing.buy_data(town)
    town.sold += [one.lock_id for one in grants]
    sharing.recover_and_audit(town, grants)
    checks = [one for one in town.findings.checks if "ended before" not in one.detail]
    wrong = [one for one in checks if not one.ok]
    assert len(checks) >= 7 and not wrong, f"of {len(checks)} checks {wrong}"


@dataclass
class Job:
    """The main job in a thread of its own, over and over until it is told to end."""

    town: Town
    done: int = 0
    fault: BaseException | None = None
    _ended: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def wait_for_one_more(self) -> None:
        """Wait until a job that began from here on is done."""
        wanted, give_up_at = self.done + 2, time.monotonic() + _JOB_S
        while self.done < wanted and self.fault is None:
            assert time.monotonic() < give_up_at, "the main job does not go on"
            time.sleep(0.1)

    def end(self) -> None:
        """Let the job at hand end; what went wrong is in `fault`."""
        self._ended.set()
        self._thread.join(timeout=_JOB_S)

    def finish(self) -> None:
        """Let the job at hand end; raise what went wrong."""
        self.end()
        if self.fault is not None:
            raise self.fault
        assert not self._thread.is_alive(), "the main job hangs"

    def _run(self) -> None:
        try:
            while not self._ended.is_set():
                ask_for_bill(self.town, number=self.done % 2)
                self.done += 1
        except BaseException as error:  # noqa: BLE001 - `finish` raises it in the test's thread
            self.fault = error


@contextmanager
def running_job(town: Town) -> Iterator[Job]:
    """The main job beside what a test does; it ends with that, and its faults are the test's."""
    job = Job(town)
    try:
        yield job
    except BaseException:
        job.end()  # or it would go on beside the next test
        raise
    job.finish()


def assert_each_sent_once(gateway: ChainGateway, *, refused: int) -> None:
    """By the chain: an account sent what its journal says and nothing else, each intent once, and
    nothing that a contract refused but so many that were sent to be refused.
    """
    outbox, own = gateway._sender.outbox, bytes.fromhex(gateway.address[2:])
    rows = outbox._select("1 ORDER BY id", gateway.chain_id, gateway.address)
    receipts = gateway.endpoint.batch([questions.receipt(r.tx_hash) for r in rows])
    mined = [(row, one) for row, one in zip(rows, receipts, strict=True) if one is not None]
    count = gateway.endpoint.ask(questions.nonce(gateway.address, "latest"))
    assert len(mined) == count, "a transaction that the journal does not know"
    intents = [row.intent for row, _ in mined if row.intent is not None]
    assert len(intents) == len(set(intents)), "an intent was carried out twice"
    reverted = [row.intent for row, one in mined if not one.success]
    assert reverted == [None] * refused, f"refused by a contract: {reverted}"
    fillers = [row.nonce for row, _ in mined if read_legacy(row.raw).to == own]
    assert fillers == [], "a nonce was used up by an empty transaction"
