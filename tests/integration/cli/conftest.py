"""One machine as docs/guide.md describes it: a chain, and each member with a folder and a profile.

Everything is done through the commands; keys have their full size, key files light scrypt.
"""

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner

from offchain.chain.anvil import Anvil, start_anvil
from offchain.cli.app import app
from offchain.records import meter_csv
from tests.integration.town import PRODUCT, tariff_document

PROJECT = Path(__file__).resolve().parents[3]
ETHER = 10**18
PRICE_WEI = 10**15
APPLICATION_WEI = 10**14
DATA_SET_PRICE_WEI = 5 * 10**15
FIRST_DAY_S = 19_000 * 86_400  # 2022-01-08
DAYS = 2


class Machine:
    """The folder of everything, and how to run a command as one of the members."""

    def __init__(self, folder: Path, anvil: Anvil) -> None:
        self.folder, self.anvil = folder, anvil
        self.accounts: dict[str, str] = {}
        (folder / "password").write_text("a test password\n")
        (folder / "password").chmod(0o600)

    def dmsm(self, *arguments: str, ok: bool = True) -> Any:
        result = CliRunner().invoke(app, list(arguments))
        said = f"{result.output}\n{result.stderr}\n{result.exception!r}"
        assert (result.exit_code == 0) is ok, f"dmsm {' '.join(arguments)}: {said}"
        return result

    def as_member(self, member: str, *arguments: str, ok: bool = True) -> Any:
        return self.dmsm(*arguments, "--profile", str(self.profile(member)), ok=ok)

    def json(self, member: str, *arguments: str, ok: bool = True) -> Any:
        return json.loads(self.as_member(member, *arguments, "--json", ok=ok).stdout)

    def profile(self, member: str) -> Path:
        return self.folder / member / "dmsm.toml"

    def new_member(self, member: str, role: str, extra: str = "") -> None:
        folder = self.folder / member
        folder.mkdir()
        result = self.dmsm(
            *("keys", "new", "--role", role, "--dir", str(folder / "keys"), "--scrypt", "light"),
            *("--password-file", str(self.folder / "password")),
        )
        assert "development only" in result.stderr
        self.accounts[member] = result.stdout.split()[1]
        self.profile(member).write_text(
            f'rpc_url = "{self.anvil.url}"\n'
            'deployment = "../deployment.json"\nstore = "dir:../store"\nkeys = "keys"\n'
            f'password_file = "../password"\ndata = "data"\n{extra}'
        )

    def admit(self, member: str, *arguments: str) -> None:
        file = self.folder / member / "registration.json"
        self.as_member(member, "keys", "registration", "--out", str(file), *arguments)
        self.as_member("consortium", "admin", "admit", str(file))

    @contextmanager
    def process(self, member: str, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
        """Run a service until the block ends; yields when it logs that it has started."""
        log = self.folder / f"{member}.log"
        command = [sys.executable, "-c", "from offchain.cli import main; main()"]
        with log.open("w") as file:
            process = subprocess.Popen(
                [*command, *arguments, "--profile", str(self.profile(member))],
                stderr=file,
                text=True,
            )
        try:
            wait_for(lambda: '"started"' in log.read_text() or process.poll() is not None)
            assert process.poll() is None, log.read_text()
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()

    def url_of(self, member: str) -> str:
        lines = (self.folder / f"{member}.log").read_text().splitlines()
        return next(json.loads(line)["url"] for line in lines if '"started"' in line)


def wait_for(holds: Callable[[], Any], *, timeout_s: float = 60.0) -> Any:
    give_up_at = time.monotonic() + timeout_s
    while not (found := holds()):
        assert time.monotonic() < give_up_at, "waited in vain"
        time.sleep(0.3)
    return found


def write_meter_file(path: Path) -> None:
    """Hourly readings of two days and a bit: a night, a morning, an evening peak."""
    rows, register, fed_in = [], 40_000, 900
    for hour in range(24 * DAYS + 1):
        power = 2_900 if hour % 24 in (18, 19) else 120 + 35 * (hour % 24)
        degrees = "" if hour % 24 == 3 else -35 + hour
        rows.append(f"{FIRST_DAY_S + 3_600 * hour},{register},{fed_in},{power},{degrees}")
        register, fed_in = register + power, fed_in + 7 * (hour % 24 == 12)
    path.write_text("\n".join([meter_csv.HEADER, *rows]) + "\n")


@pytest.fixture(autouse=True)
def own_logs() -> Iterator[None]:
    """Take back what a command that ran in this process did to the logs: its stderr is closed."""
    root, own = logging.getLogger(), logging.getLogger("offchain")
    handlers, level, own_level = list(root.handlers), root.level, own.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    own.setLevel(own_level)
    structlog.reset_defaults()


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """All members admitted; nothing has happened between them yet."""
    with start_anvil() as anvil:
        made = Machine(tmp_path_factory.mktemp("machine"), anvil)
        made.new_member("consortium", "consortium")
        anvil.set_balance(made.accounts["consortium"], 100 * ETHER)
        _deploy(made)
        _admit_all(made)
        yield made


def say_tariff(machine: Machine, document: bytes) -> str:
    """Let the consortium say what readings long past cost; return the tariff's digest."""
    file = machine.folder / "tariff.json"
    file.write_bytes(document)
    where = ("--region", "north", "--product", PRODUCT)
    return machine.json("consortium", "admin", "tariff", str(file), *where)["digest"]


def _deploy(machine: Machine) -> None:
    subprocess.run(
        [
            *(sys.executable, str(PROJECT / "scripts" / "run_deploy.py")),
            *("--rpc", machine.anvil.url, "--chain-id", str(machine.anvil.chain_id)),
            *("--out", str(machine.folder / "deployment.json")),
        ],
        check=True,
        capture_output=True,
        env=os.environ | {"DMSM_CONSORTIUM_MEMBERS": machine.accounts["consortium"]},
    )


def _admit_all(machine: Machine) -> None:
    node = '[node]\nlisten = "127.0.0.1:0"\npoll_s = 1\n'
    machine.new_member("north", "processor", f"{node}data_set_price_wei = {DATA_SET_PRICE_WEI}\n")
    machine.new_member("anna", "user")
    machine.new_member("meter", "device")
    for name in ("vendor", "lab"):
        machine.new_member(name, "sharer", '[inbox]\nlisten = "127.0.0.1:0"\n')
    machine.admit("north", "--region", "north", "--name", "Grid company North")
    machine.admit("anna", "--region", "north")
    machine.admit("meter", "--region", "north", "--owner", machine.accounts["anna"])
    machine.admit("vendor", "--name", "Meter vendor")
    machine.admit("lab", "--name", "Energy lab")
    for number, name in (("1", "bill"), ("2", "advice")):
        machine.as_member(
            *("consortium", "admin", "type", number, "--name", name),
            *("--price-wei", str(PRICE_WEI), "--shortest-s", "120"),
        )
    say_tariff(machine, tariff_document())
    terms = ("--application-wei", str(APPLICATION_WEI), "--shortest-s", "120")
    machine.as_member("consortium", "admin", "terms", *terms)
