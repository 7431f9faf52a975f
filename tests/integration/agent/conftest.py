"""A street on a private anvil: a processing node with its real intake, an owner, devices."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from device_agent.cli import app
from offchain.chain.anvil import Anvil, start_anvil
from offchain.chain.deployment import Deployment, load_deployment
from offchain.chain.gateway import ChainGateway
from offchain.consortium.admin import Admin
from offchain.crypto.paillier import generate_private_key
from offchain.crypto.secret import SecretBytes
from offchain.index.chain_index import ChainIndex
from offchain.member.keys import MemberKeys
from offchain.member.registration import region_id
from offchain.member.roles import MemberRole
from offchain.node.intake import NodeIdentity, create_intake
from offchain.node.serve import RunningServer, serve
from offchain.node.store import NodeStore
from offchain.records import meter_csv
from offchain.storage import ContentStore, open_store
from offchain.types import MeterSample, Policy, Role, to_account

PROJECT = Path(__file__).resolve().parents[3]
BITS = 2048
REGION = region_id("north")
PASSWORD = SecretBytes(b"a device's password")
FIRST_S = 17_014 * 86_400
POLICY = Policy(
    low_power_w=300,
    high_power_w=2_000,
    high_feed_in_w=0,
    temperature_warning_dc=300,
    heartbeat_seconds=2 * 86_400,
    feeds_in=False,
    is_sealed=False,
)


def samples(days: int, *, step_s: int = 3_600) -> list[MeterSample]:
    """Days in which every verdict of Algorithm 1 but the temperature's occurs."""
    made, register, fed_in = [], 5_000, 2_000
    for row in range(days * 86_400 // step_s):
        power_w = [900, 900, 150, 900, 2_500, 0, 900, 900][row % 8]
        register += power_w * step_s // 3_600
        fed_in += row % 5
        made.append(
            MeterSample(
                time_s=FIRST_S + row * step_s,
                import_wh=register,
                export_wh=fed_in,
                power_w=power_w,
                temperature_dc=None if row % 8 == 6 else 150 + row % 24,
            )
        )
    return made


def write_csv(path: Path, rows: list[MeterSample]) -> None:
    meter_csv.write(rows, path)


@dataclass(kw_only=True)
class Street:
    """A region with its node; `admit_processor` gives the same region another one."""

    anvil: Anvil
    deployment: Deployment
    deployment_file: Path
    admin: Admin
    gateway: ChainGateway
    processor: MemberKeys
    owner: MemberKeys
    content: ContentStore
    store: NodeStore
    server: RunningServer
    folder: Path
    region: bytes = REGION

    def admit(self, keys: MemberKeys, *, owner: str | None = None) -> None:
        _admit(self.admin, self.deployment, keys, region=self.region, owner=owner)

    def publish_key(self, keys: MemberKeys) -> None:
        registry = self.deployment.address("MemberRegistry")
        chain_id = self.deployment.chain_id
        keys.publish_paillier_key(self.content, chain_id=chain_id, registry=registry)

    def admit_processor(self) -> None:
        """Let a newly made processing node serve the region, which has none now."""
        keys = MemberKeys.generate(Role.PROCESSOR, paillier_key=generate_private_key(BITS))
        self.publish_key(keys)
        self.admit(keys)
        self.processor = keys

    def serve_node(self, store: NodeStore, *, port: int = 0) -> RunningServer:
        identity = NodeIdentity(
            account=to_account(self.processor.address), paillier=self.processor.paillier
        )
        app = create_intake(
            store=store,
            gateway=self.gateway,
            identity=identity,
            content=self.content,
        )
        return serve(app, port=port)


@dataclass(kw_only=True)
class Home:
    """A device with its own folder; `run` starts its agent as the process that it really is."""

    street: Street
    keys: MemberKeys
    folder: Path

    @property
    def device(self) -> str:
        return to_account(self.keys.address)

    def configure(self, **changes: Any) -> Path:
        config = {
            "rpc_url": self.street.anvil.url,
            "deployment": str(self.street.deployment_file),
            "node_url": self.street.server.url,
            "keys": "keys",
            "password_file": "password",
            "outbox": "outbox.sqlite",
            "meter_csv": "meter.csv",
            "status_file": "status.json",
            "give_up_after_s": 5,
            "gas_price_wei": 0,
            "paillier_bits": BITS,
        }
        path = self.folder / "agent.json"
        path.write_text(json.dumps(config | changes))
        return path

    def start(self, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "device_agent", "run"]
        command += ["--config", str(self.folder / "agent.json"), *arguments]
        return subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | environment,
        )

    def run(self, *arguments: str, **environment: str) -> tuple[int, list[dict[str, Any]], str]:
        """Return exit code, progress events and what stood on stderr.

        In this process, unless the environment matters, as it does for those that are killed.
        """
        if not environment:
            command = ["run", "--config", str(self.folder / "agent.json"), *arguments]
            result = CliRunner().invoke(app, command)
            events = [json.loads(line) for line in result.stdout.splitlines()]
            return result.exit_code, events, result.stderr
        process = self.start(*arguments, **environment)
        out, err = process.communicate(timeout=120)
        return process.returncode, [json.loads(line) for line in out.splitlines()], err

    def set_policy(self, policy: Policy = POLICY) -> None:
        owner = self.street.gateway.with_account(self.street.owner.account)
        owner.transact("NotificationBoard", "setPolicy", self.device, policy.as_tuple())

    def anchored(self) -> list[tuple[int, int]]:
        events = self.street.gateway.events(
            "DataLedger", "BatchAnchored", from_block=0, device=self.device
        )
        return [(event.args["fromSeq"], event.args["count"]) for event in events]

    def reports_on_chain(self) -> int:
        return self.street.gateway.call("NotificationBoard", "standingOf", self.device).reports

    def transactions(self) -> int:
        return int(self.street.anvil.request("eth_getTransactionCount", self.device, "latest"), 16)


@pytest.fixture(scope="session")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    folder = tmp_path_factory.mktemp("street")
    with start_anvil(states_in_memory=20_000) as anvil:  # tests go back and forth in it
        built = _build(anvil, folder)
        with built.server, built.store:
            yield built


@pytest.fixture
def home(street: Street, tmp_path: Path) -> Home:
    """A freshly admitted device without a policy; its meter file has three days."""
    return _admit_home(street, tmp_path)


@pytest.fixture
def make_home(street: Street, tmp_path: Path) -> Callable[[str], Home]:
    def make(name: str) -> Home:
        (tmp_path / name).mkdir()
        return _admit_home(street, tmp_path / name)

    return make


@pytest.fixture
def village(street: Street) -> Street:
    """Another region on the same chain, whose processing node a test may replace."""
    made = replace(street, region=os.urandom(32))
    made.owner = MemberKeys.generate(Role.USER, paillier_key=generate_private_key(BITS))
    made.publish_key(made.owner)
    made.admit(made.owner)
    made.admit_processor()
    return made


@pytest.fixture
def cottage(village: Street, tmp_path: Path) -> Home:
    """A device in the village."""
    return _admit_home(village, tmp_path)


class Gate:
    """A TCP forwarder that can be shut: connections break, new ones are refused at once."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._open: set[socket.socket] = set()
        self._is_shut = False
        threading.Thread(target=self._accept, daemon=True).start()

    def shut(self) -> None:
        self._is_shut = True
        for one in list(self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def open(self) -> None:
        self._is_shut = False

    def close(self) -> None:
        self.shut()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._is_shut:
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self._target))
            self._open |= {near, far}
            for pair in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=pair, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)
        self._open.discard(source)
        source.close()


@pytest.fixture
def gates(street: Street) -> Iterator[dict[str, Gate]]:
    """Gates before the chain and before the street's node."""
    made = {"chain": Gate(street.anvil.port), "node": Gate(street.server.port)}
    yield made
    for gate in made.values():
        gate.close()


def _admit_home(street: Street, folder: Path) -> Home:
    keys = MemberKeys.generate(Role.DEVICE)
    street.admit(keys, owner=street.owner.address)
    keys.save(folder / "keys", PASSWORD, light=True)
    password = folder / "password"
    password.touch(mode=0o600)
    password.write_bytes(PASSWORD.reveal() + b"\n")
    made = Home(street=street, keys=keys, folder=folder)
    write_csv(folder / "meter.csv", samples(3))
    made.configure()
    return made


def _admit(
    admin: Admin,
    deployment: Deployment,
    keys: MemberKeys,
    *,
    region: bytes = REGION,
    owner: str | None = None,
) -> None:
    registration = keys.registration(
        chain_id=deployment.chain_id,
        registry=deployment.address("MemberRegistry"),
        region_id=region,
        owner=owner,
        name=f"Grid company {keys.address[2:10]}" if keys.role is MemberRole.PROCESSOR else "",
    )
    admin.admit(registration)


def _build(anvil: Anvil, folder: Path) -> Street:
    file = folder / "deployment.json"
    script = str(PROJECT / "scripts" / "run_deploy.py")
    options = ["--rpc", anvil.url, "--chain-id", str(anvil.chain_id), "--out", str(file)]
    subprocess.run([sys.executable, script, *options], check=True, capture_output=True)
    deployment = load_deployment(file)
    gateway = ChainGateway(anvil.url, deployment, gas_price_wei=0)
    consortium = MemberKeys.generate(Role.DEVICE, account_key=anvil.keys[0]).account
    index = ChainIndex(folder / "index.sqlite", gateway)
    admin = Admin(gateway.with_account(consortium), index)
    content = open_store(f"dir:{folder / 'content'}")
    members = []
    for role in (Role.PROCESSOR, Role.USER):
        keys = MemberKeys.generate(role, paillier_key=generate_private_key(BITS))
        keys.publish_paillier_key(
            content,
            chain_id=deployment.chain_id,
            registry=deployment.address("MemberRegistry"),
        )
        _admit(admin, deployment, keys)
        members.append(keys)
    street = Street(
        anvil=anvil,
        deployment=deployment,
        deployment_file=file,
        admin=admin,
        gateway=gateway,
        processor=members[0],
        owner=members[1],
        content=content,
        store=NodeStore(folder / "node.sqlite"),
        server=None,  # type: ignore[arg-type]
        folder=folder,
    )
    street.server = street.serve_node(street.store)
    return street
