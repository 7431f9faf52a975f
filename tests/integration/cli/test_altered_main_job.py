"""The main job by the commands, over a chain node that alters 5 % of its answers in every way that
JSON allows: beside an honest node nobody notices; without one, what fails is begun again by hand.
In the end everything is there, and once.
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from offchain.chain.deployment import load_deployment
from offchain.chain.gateway import ChainGateway
from offchain.cli.app import app
from offchain.member.roles import LockState
from offchain.node.store import NodeStore
from tests.altered_answers import AlteringNode, altering_node
from tests.integration.cli.conftest import (
    DATA_SET_PRICE_WEI,
    DAYS,
    ETHER,
    FIRST_DAY_S,
    PRICE_WEI,
    Machine,
    wait_for,
    write_meter_file,
)

MEMBERS = ("north", "anna", "vendor", "lab")
ENDED = (LockState.CLAIMED, LockState.SETTLED)
TRIES = 40


@dataclass
class Street:
    """The machine with its members' chain nodes set, and what its services said."""

    machine: Machine
    rpc_urls: list[str]
    is_alone: bool
    honest: ChainGateway
    services: ExitStack
    failures: list[str] = field(default_factory=list)

    def command(self, member: str, *arguments: str) -> Any:
        """Return what a command tells as JSON; one that fails is begun again, as a person does. One
        that says that it was done when it failed is not: its ids stand in what it says.
        """
        for _ in range(TRIES):
            whole = [*arguments, "--profile", str(self.machine.profile(member)), "--json"]
            result = CliRunner().invoke(app, whole)
            if result.exit_code == 0:
                return json.loads(result.stdout)
            said = f"dmsm {' '.join(arguments)}: {result.exit_code}: {result.stderr}"
            self.failures.append(said)
            assert self.is_alone and result.exit_code == 1, said
            if result.stdout:
                _require_only_unknown(json.loads(result.stdout), said)
                continue
            assert result.stderr.startswith("dmsm: "), said
            assert "Traceback" not in result.stderr and "unforeseen" not in result.stderr, said
            if "was given before and cut off, and did: " in result.stderr:
                made = re.findall("(lock|broadcast) (0x[0-9a-f]{64})", result.stderr)
                return _as_answered(made, arguments)
        raise AssertionError("\n".join(self.failures))

    def service(self, member: str, *arguments: str) -> "subprocess.Popen[str]":
        """Start a service; one whose only chain node does not answer at its start is started again,
        as an init system does.
        """
        for _ in range(TRIES):
            try:
                return self.services.enter_context(self.machine.process(member, *arguments))
            except AssertionError:
                log = (self.machine.folder / f"{member}.log").read_text()
                self.failures.append(log)
                assert self.is_alone, log
                assert "dmsm: no chain node answers" in log and "Traceback" not in log, log
        raise AssertionError("\n".join(self.failures))

    def events(self, contract: str, name: str, since: int, **filters: str) -> list[Any]:
        """Return what the chain says, as an honest node tells it."""
        found = self.honest.events(contract, name, from_block=since + 1, **filters)
        return [event.args for event in found]


@pytest.fixture(params=["beside an honest node", "the only node"])
def street(machine: Machine, request: pytest.FixtureRequest) -> Iterator[Street]:
    is_alone = request.param == "the only node"
    honest = ChainGateway(machine.anvil.url, load_deployment(machine.folder / "deployment.json"))
    with altering_node(machine.anvil.url, seed=23) as node, ExitStack() as services:
        urls = [node.url] if is_alone else [node.url, machine.anvil.url]
        for member in MEMBERS:
            _set(machine.profile(member), "rpc_url", json.dumps(urls))
        made = Street(machine, urls, is_alone, honest, services)
        running = made.service("north", "node", "run")
        for member in MEMBERS[1:]:
            _set(machine.profile(member), "node_url", json.dumps(machine.url_of("north")))
        yield made
        assert running.poll() is None, (machine.folder / "north.log").read_text()
        running.terminate()
        assert running.wait(timeout=60) == 0
        _look_at(node, made)


def _set(profile: Path, name: str, value: str) -> None:
    others = re.sub(rf"^{name} = .*\n", "", profile.read_text(), flags=re.MULTILINE)
    profile.write_text(f"{name} = {value}\n{others}")


def _require_only_unknown(report: Any, said: str) -> None:
    """An audit that could not ask the chain says so, and of nothing that it is wrong; a share that
    was handed over while the other's inbox could not ask it was not taken.
    """
    if isinstance(report, list):
        assert [one["took_it"] for one in report] == [False], said
        return
    answers = report.get("answers", [report])
    wrong = [one for each in answers for one in each["findings"] if not one["holds"]]
    details = [one["detail"] for one in wrong]
    assert all(one.startswith("the chain could not be asked") for one in details), (said, wrong)
    assert "dispute" not in said, said


def _as_answered(made: list[tuple[str, str]], arguments: tuple[str, ...]) -> Any:
    """Return what was made before, in the shape in which the command tells of it."""
    if "select" in arguments:
        return [{what: made_id} for what, made_id in made if what == "lock"]
    if "request" in arguments:
        return {"locks": [made_id for _, made_id in made]}
    return dict(made)


def _look_at(node: AlteringNode, street: Street) -> None:
    """The node did alter, and nothing of it came as a surprise to any of the services."""
    kinds = len(node.altered)
    print(f"{sum(node.altered.values())} answers altered in {kinds} ways; failed and begun again:")
    print("\n".join(street.failures))
    assert kinds >= (6 if street.is_alone else 1), node.altered
    for file in street.machine.folder.glob("*.log"):
        log = file.read_text()
        assert "Traceback" not in log and "unforeseen" not in log, log


def test_main_job__a_chain_node_alters_answers__all_ends_well_and_once(street: Street) -> None:
    machine, accounts = street.machine, street.machine.accounts
    began = street.honest.block_number()
    day = DAYS - 1 if street.is_alone else 0  # each its own, of one device
    start_s = FIRST_DAY_S + day * 86_400
    window = ("--from", _date(start_s), "--to", _date(start_s + 86_400))
    device = accounts["meter"]
    street.command("anna", "user", "consent", device, "--until", "+90d")
    _run_agent(street, days=day + 1)

    # The household asks, opens and audits a bill.
    asked = street.command(
        *("anna", "user", "request", "bill", "--device", device, *window),
        *("--until", "+1h", "--yes"),
    )
    (lock,) = asked["locks"]
    street.command("anna", "user", "answer", lock, "--wait", "60")
    audit = street.command("anna", "user", "audit", lock)
    assert audit["ok"], audit
    assert audit["answers"][0]["result"]["devices"], audit

    # The buyer broadcasts, selects, gets shares and opens the data.
    data_set = street.command("north", "node", "publish", *window)["data_set"]
    call = street.command(
        *("vendor", "share", "broadcast", "--region", "north", *window),
        *("--max-price-wei", str(ETHER), "--group-size", "2", "--threshold", "2"),
        *("--purpose", "a forecast"),
    )["broadcast"]
    (offer,) = wait_for(lambda: street.command("vendor", "share", "form", call))
    assert (offer["node"], offer["data_set"]) == (accounts["north"], data_set)
    selected = street.command(
        *("vendor", "share", "select", call, "--node", accounts["north"]),
        *("--member", accounts["lab"]),
    )
    (bought,) = (one["lock"] for one in selected)
    wait_for(lambda: _is_granted(street, bought))
    street.service("vendor", "share", "serve")
    street.command("anna", "user", "draw")
    inbox = f"{accounts['vendor']}={machine.url_of('vendor')}"
    (took,) = street.command("lab", "share", "hand-over", bought, "--to", inbox)
    assert took["took_it"]
    file = machine.folder / f"data-{day}.csv"
    report = street.command("vendor", "share", "export", bought, "--csv", str(file))
    assert report["ok"] and report["readings_written"] == 24, report
    assert machine.json("consortium", "verify", "data", str(file))["ok"]  # at an honest node

    _assert_once(street, began, asked=lock, bought=bought, days=day + 1)


def _run_agent(street: Street, *, days: int) -> None:
    """Let the device's agent send and anchor its first days, as the process that it really is."""
    folder = street.machine.folder / "meter"
    write_meter_file(folder / "meter.csv")
    config = {
        "rpc_url": street.rpc_urls,
        "deployment": "../deployment.json",
        "node_url": street.machine.url_of("north"),
        "keys": "keys",
        "password_file": "../password",
        "outbox": "outbox.sqlite",
        "meter_csv": "meter.csv",
        "days": days,
        "give_up_after_s": 120,
    }
    (folder / "agent.json").write_text(json.dumps(config))
    command = [sys.executable, "-m", "device_agent", "run", "--config", str(folder / "agent.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr and "unforeseen" not in done.stdout + done.stderr


def _date(time_s: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(time_s))


def _is_granted(street: Street, lock: str) -> bool:
    return lock in {one["lock"] for one in street.command("vendor", "share", "grants")}


def _assert_once(street: Street, since: int, *, asked: str, bought: str, days: int) -> None:
    """One answer, one payment, one delivery; every reading stored and anchored, once."""
    machine = street.machine
    counts = {
        name: [bytes(one["lockId"]).hex() for one in street.events("PrepaidLock", name, since)]
        for name in ("Requested", "Accepted", "Claimed", "Selected", "Delivered")
    }
    bill, sale = asked.removeprefix("0x"), bought.removeprefix("0x")
    assert counts == {
        "Requested": [bill],
        "Accepted": [bill],
        "Claimed": [bill],
        "Selected": [sale],
        "Delivered": [sale],
    }
    assert len(street.events("DataMarket", "Broadcast", since)) == 1
    assert len(street.events("DataMarket", "Responded", since)) == 1
    assert len(street.events("DataSetBook", "DataSetPublished", since)) == 1
    (drawn,) = street.events("DataSetBook", "Drawn", since)
    assert drawn["owner"] == machine.accounts["anna"]
    for lock, price_wei in ((bill, PRICE_WEI), (sale, DATA_SET_PRICE_WEI)):
        held = street.honest.call("PrepaidLock", "lockOf", bytes.fromhex(lock))
        assert (held.priceWei, LockState(held.state) in ENDED) == (price_wei, True), held

    device = machine.accounts["meter"]
    anchored = street.events("DataLedger", "BatchAnchored", -1, device=device)
    seqs = [seq for one in anchored for seq in range(one["fromSeq"], one["fromSeq"] + one["count"])]
    assert seqs == list(range(1, 24 * days + 1))
    with NodeStore(machine.folder / "north/data/node.sqlite") as store:
        rows = store.readings(device, from_s=0, to_s=2**32)
    assert [one.seq for one in rows] == seqs
    assert [one.time_s for one in rows] == [FIRST_DAY_S + 3_600 * n for n in range(24 * days)]
