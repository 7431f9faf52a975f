"""What `make bench-net` measures on: signers, Kubo, one region and its node (`dmsm node run`).

One processing node and five households; every member has keys of full size and an account of its
own. The chain's id is a development chain's, so that a node may be told to wait for no depth.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_account import Account as EthAccount

from offchain.chain.anvil import die_with_parent
from offchain.chain.deployment import load_deployment
from offchain.chain.gateway import ChainGateway
from offchain.chain.outbox import TransactionOutbox
from offchain.consortium.admin import Admin
from offchain.crypto.secret import SecretBytes
from offchain.household.household import Household
from offchain.index.chain_index import ChainIndex
from offchain.member.directory import MemberDirectory
from offchain.member.keys import MemberKeys
from offchain.member.registration import region_id
from offchain.member.roles import MemberRole
from offchain.member.tariff_documents import tariff_offer
from offchain.network.building import CONSORTIUM, NetworkOptions
from offchain.network.genesis import confirmations
from offchain.network.heartbeat import GAS_PRICE_WEI
from offchain.network.member_view import NETWORK_FILE
from offchain.network.operation import Network, up
from offchain.records import canonical_json
from offchain.records.meter_csv import HEADER
from offchain.storage import ContentStore, open_store
from offchain.types import SECONDS_PER_DAY, Policy

CHAIN_ID = 1337
SIGNERS, IPFS_NODES, HOUSEHOLDS = 4, 3, 5
DEPTH = confirmations("clique", SIGNERS)  # at which members take a transaction for final
BILL, PRICE_WEI, SHORTEST_S = 1, 10**15, 60
PRODUCT = "standard"
_TARIFF: dict[str, Any] = {
    "v": 2,
    "name": "bench",
    "currency": "USD",
    "minor_digits": 2,
    "time_zone": "UTC",
    "valid_from": "2010-01-01",
    "valid_to": None,
    "holidays": [],
    "import": [{"kind": "flat", "name": "energy", "price": 220_000}],
    "export": [],
    "fixed": [],
    "taxes": [],
}
FUNDS_WEI = 10 * 10**18
FIRST_DAY_S = 19_000 * SECONDS_PER_DAY
HIGH_W, LOW_W = 3_000, 500  # one above the policy's threshold, one in operation
_REGION = "north"
_START_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Home:
    """A household with a device; `folder` holds the device agent's files.

    hasty: the same household, which believes the newest block.
    """

    household: Household
    hasty: Household
    index: ChainIndex
    gateway: ChainGateway
    device: MemberKeys
    folder: Path

    def device_gateway(self, site: Site) -> ChainGateway:
        """Return a gateway that sends as the device; its agent must have ended."""
        return site.gateway(self.device, self.folder / "burst.sqlite")


@dataclass(kw_only=True)
class Site:
    """The network, and who is on it."""

    folder: Path
    network: Network
    admin: Admin
    households: list[Home]

    def gateway(self, keys: MemberKeys, journal: Path) -> ChainGateway:
        """Return a gateway that sends for a member through every signer."""
        plan = self.network.plan
        return ChainGateway(
            plan.rpc_urls,
            load_deployment(plan.folder / "deployment.json"),
            account=keys.account,
            outbox=TransactionOutbox(journal),
            gas_price_wei=GAS_PRICE_WEI,
            confirmations=DEPTH,
        )

    @contextmanager
    def node(self, *, confirmations: int) -> Iterator[str]:
        """Run the region's node until the block ends; yields its address."""
        profile, log = self.folder / "node" / "dmsm.toml", self.folder / "node" / "log"
        profile.write_text(_profile(self.network, confirmations))
        command = [sys.executable, "-c", "from offchain.cli import main; main()"]
        with log.open("w") as stream:
            process = subprocess.Popen(
                [*command, "node", "run", "--profile", str(profile)],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                preexec_fn=die_with_parent(os.getpid()),
            )
        try:
            yield _url_of(process, log)
        finally:
            process.terminate()
            process.wait(timeout=60)


@contextmanager
def open_site(folder: Path, *, period_s: int, rows: int) -> Iterator[Site]:
    """Start the network, deploy, admit everybody; end and delete it whatever happens.

    rows: how many readings each meter shows, an hour apart, every one of another status.
    """
    options = NetworkOptions(
        folder=folder / "network",
        signers=SIGNERS,
        ipfs_nodes=IPFS_NODES,
        period_s=period_s,
        chain_id=CHAIN_ID,
    )
    network = up(options, tied=True)
    with ExitStack() as stack:
        stack.callback(network.delete)
        site = Site(
            folder=folder, network=network, admin=_admin(network, folder, stack), households=[]
        )
        site.admin.set_type(BILL, name="bill", price_wei=PRICE_WEI, shortest_s=SHORTEST_S)
        _make_node(site, stack)
        for number in range(HOUSEHOLDS):
            site.households.append(_make_home(site, number, rows, stack))
        yield site


def _admin(network: Network, folder: Path, stack: ExitStack) -> Admin:
    key = network.plan.key(CONSORTIUM).read_text().strip()
    deployment = load_deployment(network.plan.folder / "deployment.json")
    owner = EthAccount.from_key(key)
    urls = network.plan.rpc_urls
    gateway = ChainGateway(
        urls,
        deployment,
        account=owner,
        outbox=TransactionOutbox(folder / "consortium.sqlite"),
        gas_price_wei=GAS_PRICE_WEI,
        confirmations=DEPTH,
    )
    index = stack.enter_context(ChainIndex(folder / "consortium-index.sqlite", gateway))
    return Admin(gateway, index)


def _make_node(site: Site, stack: ExitStack) -> None:
    home = site.folder / "node"
    home.mkdir()
    keys = MemberKeys.generate(MemberRole.PROCESSOR)
    _save(keys, home)
    _admit(site, keys, _store(site, 0, stack))
    document = canonical_json.dumps(_TARIFF)
    offer = tariff_offer(document)
    _store(site, 0, stack).put(offer.data, lasting=True)
    site.admin.append_tariff(_REGION, PRODUCT, offer.entry)


def _make_home(site: Site, number: int, rows: int, stack: ExitStack) -> Home:
    home = site.folder / f"home-{number}"
    home.mkdir()
    keys, device = MemberKeys.generate(MemberRole.USER), MemberKeys.generate(MemberRole.DEVICE)
    store = _store(site, 1 + number % (IPFS_NODES - 1), stack)  # never the node's own
    _admit(site, keys, store)
    _admit(site, device, store, owner=keys.address)
    gateway = site.gateway(keys, home / "transactions.sqlite")
    index = stack.enter_context(ChainIndex(home / "index.sqlite", gateway))
    household, hasty = (
        Household(
            gateway=gateway,
            index=index,
            store=store,
            keys=keys,
            directory=MemberDirectory(gateway, store),
            notes=home / "notes",
            confirmations=depth,
        )
        for depth in (DEPTH, 0)
    )
    household.policy.set(device.address, _policy())
    _save(device, home)
    _write_meter(home / "meter.csv", rows)
    return Home(
        household=household,
        hasty=hasty,
        index=index,
        gateway=gateway,
        device=device,
        folder=home,
    )


def _policy() -> Policy:
    return Policy(
        low_power_w=1,
        high_power_w=(HIGH_W + LOW_W) // 2,
        temperature_warning_dc=600,
        heartbeat_seconds=2 * SECONDS_PER_DAY,
        high_feed_in_w=0,
        feeds_in=False,
        is_sealed=False,
    )


def _write_meter(path: Path, rows: int) -> None:
    lines, register = [HEADER], 0
    for row in range(rows):
        power = HIGH_W if row % 2 == 0 else LOW_W
        register += power
        lines.append(f"{FIRST_DAY_S + 3_600 * row},{register},0,{power},200")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _admit(site: Site, keys: MemberKeys, store: ContentStore, owner: str | None = None) -> None:
    deployment = load_deployment(site.network.plan.folder / "deployment.json")
    registry = deployment.address("MemberRegistry")
    if keys.role is not MemberRole.DEVICE:
        keys.publish_paillier_key(store, chain_id=CHAIN_ID, registry=registry)
    registration = keys.registration(
        chain_id=CHAIN_ID,
        registry=registry,
        region_id=region_id(_REGION),
        owner=owner,
        name="Grid company" if keys.role is MemberRole.PROCESSOR else "",
    )
    site.admin.admit(registration)
    site.admin.fund(keys.address, FUNDS_WEI)


def _save(keys: MemberKeys, home: Path) -> None:
    password = secrets.token_hex(16)
    with open(os.open(home / "password", os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        file.write(password)
    keys.save(home / "keys", SecretBytes(password.encode()), light=True)


def _store(site: Site, number: int, stack: ExitStack) -> ContentStore:
    return stack.enter_context(open_store(site.network.plan.ipfs_urls[number]))


def _profile(network: Network, confirmations: int) -> str:
    lines = {
        "network": str(network.plan.folder / NETWORK_FILE),
        "store": network.plan.ipfs_urls[0],
        "confirmations": confirmations,
        "keys": "keys",
        "password_file": "password",
        "data": "data",
    }
    node = {
        "listen": "127.0.0.1:0",
        "data_set_price_wei": PRICE_WEI,
        "margin_s": 10,
    }
    written = [f"{name} = {json.dumps(value)}" for name, value in lines.items()]
    written += ["[node]", *(f"{name} = {json.dumps(value)}" for name, value in node.items())]
    return "\n".join(written) + "\n"


def _url_of(process: subprocess.Popen[bytes], log: Path) -> str:
    give_up_at = time.monotonic() + _START_S
    while time.monotonic() < give_up_at and process.poll() is None:
        for line in log.read_text().splitlines():
            if '"started"' in line and line.startswith("{"):
                return str(json.loads(line)["url"])
        time.sleep(0.05)
    raise RuntimeError(f"the node did not start: {log.read_text()[-500:]}")
