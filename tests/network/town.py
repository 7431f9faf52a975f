"""The main job on a network that runs: the demo's cast, and its steps as often as a test likes."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from offchain.chain.deployment import load_deployment
from offchain.chain.errors import NodeUnavailable
from offchain.chain.gateway import ChainGateway
from offchain.chain.outbox import TransactionOutbox
from offchain.cli.demo_network import ground_of
from offchain.network.operation import Network
from offchain.services.demo import asking, metering, policies, setting_up, sharing
from offchain.services.demo.checks import Findings
from offchain.services.demo.households import load_homes, load_tariff
from offchain.services.demo.options import DemoOptions
from offchain.services.demo.report import RunReport
from offchain.services.demo.run import DATA_DIR
from offchain.services.demo.world import BILL, World
from offchain.services.roles import LockState

_JOB_S, _POLL_S = 300.0, 0.05
_ANSWERED = (LockState.CLAIMED, LockState.SETTLED)
# NONE: a reorganisation took the request off the chain; it comes back.
_ON_ITS_WAY = (LockState.NONE, LockState.REQUESTED, LockState.ACCEPTED)


@contextmanager
def open_town(network: Network, folder: Path) -> Iterator[World]:
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
        town = World(
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
        trials = town.homes[0].agent_config.parent / metering.TRIALS_FILE
        policies.write_trials(homes, by_home, trials, town.random)
        metering.replay_readings(town)
        sharing.publish_data_sets(town)
        yield town


def ask_for_bill(town: World, *, number: int = 0) -> None:
    """Have a home's bill prepaid, accepted, claimed, opened and audited; all must hold.

    The node polls as in service: what a stall or a reorganisation takes away, it does again.
    """
    home = town.homes[number]
    paid = asking.ask(home, BILL, home.window)
    give_up_at = time.monotonic() + _JOB_S
    while (state := home.user.lock(paid.lock_id).state) not in _ANSWERED:
        assert time.monotonic() < give_up_at and state in _ON_ITS_WAY, f"the lock is {state}"
        with suppress(NodeUnavailable):
            home.node.worker.run_once()
        time.sleep(_POLL_S)
    audit = home.user.audit(paid.lock_id, town.tariff)
    assert audit.findings and [found for found in audit.findings if not found.ok] == []


def sell_data(town: World) -> None:
    """Have both data sets bought, delivered, recovered and audited; all must hold."""
    town.report.findings = Findings()
    sharing.recover_and_audit(town, sharing.buy_data(town))
    checks = [one for one in town.findings.checks if "ended before" not in one.detail]
    assert len(checks) >= 7 and [one for one in checks if not one.ok] == []


@dataclass
class Job:
    """The main job in a thread of its own, over and over until it is told to end."""

    town: World
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

    def finish(self) -> None:
        """Let the job at hand end; raise what went wrong."""
        self._ended.set()
        self._thread.join(timeout=_JOB_S)
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
