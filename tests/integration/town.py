"""A town on a private anvil with the real contracts: two nodes, three homes, three buyers.

Readings are put into the nodes' stores and anchored as a device would; the agents have tests of
their own. Paillier keys have 2048 bits, the smallest that the system takes.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_account.signers.local import LocalAccount

from offchain.buyer.buyer import Buyer
from offchain.buyer.inbox import ShareInbox
from offchain.chain.anvil import Anvil
from offchain.chain.deployment import Deployment, load_deployment
from offchain.chain.gateway import ChainGateway
from offchain.chain.health import HealthGate
from offchain.chain.outbox import TransactionOutbox
from offchain.consortium.admin import DEFAULT_OWNERS_BPS, Admin
from offchain.crypto import bls, kdf, messages
from offchain.crypto.paillier import generate_private_key
from offchain.database import Place
from offchain.household.household import Household
from offchain.index.chain_index import ChainIndex
from offchain.member.data_sets import sale_of
from offchain.member.directory import MemberDirectory
from offchain.member.keys import MemberKeys
from offchain.member.public_name import COMPANY_ROLES
from offchain.member.registration import NO_REGION, region_id
from offchain.member.request_notes import AskedRequest
from offchain.member.roles import BroadcastState, MemberRole
from offchain.member.tariff_documents import tariff_offer
from offchain.node.node import ProcessingNode
from offchain.node.outcome import NodeTerms, Outcome
from offchain.node.publisher import DataSetPublisher
from offchain.node.store import NodeStore, StoredDayKeys, StoredReading
from offchain.node.tables import data_sets
from offchain.node.worker import NodeWorker
from offchain.records import batch as batches
from offchain.records import reading as reading_codec
from offchain.storage import ContentStore, open_store
from offchain.types import NO_FLAGS, SECONDS_PER_DAY, Reading, ReadingFlag, day_of
from tests.databases import store_place
from tests.network import real_chain
from tests.network.real_chain import RealChain

PROJECT = Path(__file__).resolve().parents[2]
BITS = 2048
ETHER = 10**18
BILL, ADVICE, UNSERVED = 1, 2, 3
ZONE, PRODUCT = "UTC", "standard"
PRICE_WEI = 10**15
SHORTEST_S = 120
APPLICATION_WEI = 10**14
DATA_SET_PRICE_WEI = 5 * 10**15
FEE_BPS = 200  # of the rules that the deployment sets; a node's bond is the price
FIRST_DAY = 17_000
DAYS = 2


def company_name(role: MemberRole, account: str) -> str:
    """Return a name that nobody else has; none for a household and a device."""
    return f"{role.name.title()} {account[2:10]}" if role in COMPANY_ROLES else ""


@dataclass(kw_only=True)
class Node:
    region: bytes
    keys: MemberKeys
    gateway: ChainGateway
    place: Place
    held: NodeStore
    worker: NodeWorker
    publisher: DataSetPublisher


@dataclass(kw_only=True)
class House:
    node: Node
    household: Household
    gateway: ChainGateway
    keys: MemberKeys
    device: MemberKeys
    readings: list[Reading] = field(default_factory=list)

    @property
    def window(self) -> tuple[int, int]:
        return FIRST_DAY * SECONDS_PER_DAY, (FIRST_DAY + DAYS) * SECONDS_PER_DAY

    def asked(self, type_id: int, device: str | None = None) -> AskedRequest:
        """Return what a request for the window asks."""
        devices = (device or self.device.address,)
        return AskedRequest(type_id, devices, *self.window, ZONE, PRODUCT)


@dataclass(kw_only=True)
class Town:
    anvil: Anvil | RealChain
    deployment: Deployment
    deployment_file: Path
    store: ContentStore
    store_url: str
    admin: Admin
    directory: MemberDirectory
    index: ChainIndex
    nodes: list[Node]
    houses: list[House]
    buyers: list[Buyer]
    folder: Path
    admit: Callable[..., tuple[MemberKeys, ChainGateway]]


def go_back(town: Town, snapshot: str) -> None:
    """Take the chain back. The nodes' journals are kept, but for what is now unknown to the chain:
    data sets, which a node would publish again, and answers to broadcasts, which a node
    would go on looking at, a few at each poll, before the next test's.
    """
    town.anvil.revert(snapshot)
    town.anvil.mine()  # another branch: else the index takes the chain for a node that is behind
    for node in town.nodes:
        for stored in node.held.data_sets():
            if sale_of(node.gateway, stored.data_set_id) is None:
                with node.held._database.write() as connection:
                    is_it = data_sets.c.data_set_id == stored.data_set_id
                    connection.execute(data_sets.delete().where(is_it))
        for broadcast_id in node.held.unended_responses():
            found = node.gateway.call("DataMarket", "broadcastOf", broadcast_id)
            if found.state == BroadcastState.NONE:
                node.held.end_broadcast(broadcast_id)


class Builder:
    def __init__(self, anvil: Anvil | RealChain, folder: Path) -> None:
        self.anvil, self.folder = anvil, folder
        self.file = folder / "deployment.json"
        subprocess.run(
            [
                *(sys.executable, str(PROJECT / "scripts" / "run_deploy.py"), "--rpc", anvil.url),
                *("--chain-id", str(anvil.chain_id), "--out", str(self.file)),
            ],
            check=True,
            capture_output=True,
            env=os.environ | {"DMSM_DEPLOYER_KEY": anvil.keys[0]},
        )
        self.deployment = load_deployment(self.file)
        is_real = isinstance(anvil, RealChain)
        self.store_url = anvil.store_url if is_real else f"dir:{folder / 'content'}"
        self.store = open_store(self.store_url)
        price = anvil.gas_price_wei if is_real else 0
        self.gateway = ChainGateway(anvil.url, self.deployment, gas_price_wei=price)
        self.directory = MemberDirectory(self.gateway, self.store, paillier_bits=BITS)
        self.index = ChainIndex(folder / "index.sqlite", self.gateway)
        owner = MemberKeys.generate(
            MemberRole.DEVICE, account_key=anvil.keys[0]
        ).account  # anvil's first account deployed, so it owns the consortium
        self.admin = Admin(self._gateway_of(owner), self.index)

    def _gateway_of(self, account: LocalAccount) -> ChainGateway:
        """A gateway that sends for an account. On real signers it watches what it sent until that
        is final: else a reorganisation would give one of its nonces out again.
        """
        if not isinstance(self.anvil, RealChain):
            return self.gateway.with_account(account)
        gateway = ChainGateway(
            self.anvil.url,
            self.deployment,
            account=account,
            outbox=TransactionOutbox(self.folder / f"sent-by-{account.address}.sqlite"),
            gas_price_wei=self.anvil.gas_price_wei,
            confirmations=real_chain.DEPTH,
        )
        gateway.confirmations = 0  # whatever reads believes the newest block, as on anvil
        return gateway

    def build(self) -> Town:
        self.admin.set_type(BILL, name="bill", price_wei=PRICE_WEI, shortest_s=SHORTEST_S)
        self.admin.set_type(ADVICE, name="advice", price_wei=PRICE_WEI, shortest_s=SHORTEST_S)
        self.admin.set_type(UNSERVED, name="forecast", price_wei=PRICE_WEI, shortest_s=SHORTEST_S)
        self.admin.set_sharing_terms(application_wei=APPLICATION_WEI, shortest_s=SHORTEST_S)
        nodes = [self._node(name) for name in ("north", "south")]
        for name in ("north", "south"):
            say_tariff(self.admin, self.store, tariff_document(), region=name)
        houses = [self._house(node, number) for number, node in enumerate([*nodes, nodes[0]])]
        return Town(
            anvil=self.anvil,
            deployment=self.deployment,
            deployment_file=self.file,
            store=self.store,
            store_url=self.store_url,
            admin=self.admin,
            directory=self.directory,
            index=self.index,
            nodes=nodes,
            houses=houses,
            buyers=[self._buyer() for _ in range(3)],
            folder=self.folder,
            admit=self.admit,
        )

    def admit(
        self, role: MemberRole, region: bytes, *, owner: str | None = None
    ) -> tuple[MemberKeys, ChainGateway]:
        paillier_key = None if role is MemberRole.DEVICE else generate_private_key(BITS)
        keys = MemberKeys.generate(role, paillier_key=paillier_key)
        registry = self.deployment.address("MemberRegistry")
        chain_id = self.deployment.chain_id
        if paillier_key is not None:
            keys.publish_paillier_key(self.store, chain_id=chain_id, registry=registry)
        self.admin.admit(
            keys.registration(
                chain_id=chain_id,
                registry=registry,
                region_id=region,
                owner=owner,
                name=company_name(role, keys.address),
            )
        )
        self.admin.fund(keys.address, ETHER)
        return keys, self._gateway_of(keys.account)

    def _node(self, name: str) -> Node:
        keys, gateway = self.admit(MemberRole.PROCESSOR, region_id(name))
        place = store_place(self.folder, name)
        held = NodeStore(place)
        made = make_node(
            gateway,
            index=self.index,
            keys=keys,
            held=held,
            store=self.store,
            directory=self.directory,
        )
        made.worker.bond.top_up()  # as at its first poll
        return Node(
            region=region_id(name),
            keys=keys,
            gateway=gateway,
            place=place,
            held=held,
            worker=made.worker,
            publisher=made.publisher,
        )

    def _house(self, node: Node, number: int) -> House:
        keys, gateway = self.admit(MemberRole.USER, node.region)
        device, device_gateway = self.admit(MemberRole.DEVICE, node.region, owner=keys.address)
        household = Household(
            gateway=gateway,
            index=self.index,
            store=self.store,
            keys=keys,
            directory=self.directory,
            notes=self.folder / f"notes-{number}",
        )
        house = House(node=node, household=household, gateway=gateway, keys=keys, device=device)
        # One day more than the window, so that a bill may begin with an opening reading.
        house.readings = make_readings(device, self.deployment, number=number)
        fill(node.held, device, house.readings, device_gateway)
        household.consents.give(device.address, expires_at=gateway.now() + 30 * SECONDS_PER_DAY)
        return house

    def _buyer(self) -> Buyer:
        keys, gateway = self.admit(MemberRole.SHARER, NO_REGION)
        place = store_place(self.folder, f"inbox-{keys.address}")
        inbox = ShareInbox(place, gateway=gateway, index=self.index, keys=keys)
        return Buyer(
            gateway=gateway,
            index=self.index,
            store=self.store,
            keys=keys,
            directory=self.directory,
            inbox=inbox,
            paillier_bits=BITS,
        )


def make_node(
    gateway: ChainGateway,
    *,
    index: ChainIndex,
    keys: MemberKeys,
    held: NodeStore,
    store: ContentStore,
    directory: MemberDirectory,
    health: HealthGate | None = None,
    **terms: int,
) -> ProcessingNode:
    """Make a node: the one place where tests do. `terms` are NodeTerms' that differ."""
    return ProcessingNode(
        gateway=gateway,
        index=index,
        store=store,
        keys=keys,
        readings=held,
        directory=directory,
        terms=NodeTerms(**{"data_set_price_wei": DATA_SET_PRICE_WEI, **terms}),
        health=health,
        paillier_bits=BITS,
    )


def worker_of(
    town: Town,
    node: Node,
    *,
    gateway: ChainGateway | None = None,
    health: HealthGate | None = None,
    **terms: int,
) -> NodeWorker:
    """Make another worker of a node, with another gateway, gate or terms than its own."""
    made = make_node(
        gateway or node.gateway,
        index=town.index,
        keys=node.keys,
        held=node.held,
        store=town.store,
        directory=town.directory,
        health=health,
        **terms,
    )
    return made.worker


def found(find: Callable[[], list[bytes]]) -> list[bytes]:
    """Return what a desk finds to do, once the tables are up to date, as they are at each poll."""
    find.__self__._index.follower.catch_up()  # type: ignore[attr-defined]
    return find()


def poll(worker: NodeWorker, *, steps: int = 1) -> list[Outcome]:
    """Poll as in service until so many steps were taken: on real signers a reorganisation may take
    what was asked off the chain for a moment.
    """
    done, give_up_at = [], time.monotonic() + 60
    while len(done) < steps:
        assert time.monotonic() < give_up_at, f"{done} of {steps} steps"
        done += worker.run_once()
    return done


def earned_wei(price_wei: int) -> int:
    """What a node gets of a price: the consortium has its fee first."""
    return price_wei - price_wei * FEE_BPS // 10_000


def sold_wei(price_wei: int) -> int:
    """What a node gets of a data set's price: the owners have their part, too."""
    return earned_wei(price_wei) - price_wei * DEFAULT_OWNERS_BPS // 10_000


def make_readings(
    device: MemberKeys, deployment: Deployment, *, number: int, days: int = DAYS + 1
) -> list[Reading]:
    """Hourly readings of so many days from the day before the window on."""
    start = (FIRST_DAY - 1) * SECONDS_PER_DAY
    readings, register, fed_in = [], 1_000_000 * (number + 1), 500_000
    ledger = deployment.address("DataLedger")
    for hour in range(days * 24):
        used = 150 + 37 * ((hour * 7 + number) % 24)
        register += used
        fed_in += 90 + hour % 24 if number == 0 and 9 <= hour % 24 < 16 else 0
        time_s = start + hour * 3600 + 17
        key = kdf.nonce_day_key(
            device.device_secret,
            chain_id=deployment.chain_id,
            data_ledger=ledger,
            device=device.address,
            day=day_of(time_s),
        )
        readings.append(
            Reading(
                chain_id=deployment.chain_id,
                device=device.address,
                seq=hour + 1,
                time_s=time_s,
                import_wh=register,
                export_wh=fed_in,
                power_w=used,
                temperature_dc=None if hour % 12 == 5 else -50 + hour % 24,
                flags=ReadingFlag.ESTIMATED if hour % 24 == 7 else NO_FLAGS,
                nonce=kdf.reading_nonce(key, hour + 1),
            )
        )
    return readings


def fill(
    held: NodeStore,
    device: MemberKeys,
    readings: list[Reading],
    gateway: ChainGateway,
    *,
    max_count: int = batches.MAX_COUNT,
) -> None:
    """Do what device and intake do: day keys, records and signed batches held, roots anchored."""
    hold(held, device, readings, gateway, max_count=max_count)
    anchor(readings, gateway, max_count=max_count)


def anchor(readings: list[Reading], gateway: ChainGateway, *, max_count: int) -> None:
    """Anchor the batches of the readings, as a device does before it sends them on."""
    for run in batches.cut(readings, max_count=max_count):
        batch = batches.make(run)
        gateway.transact("DataLedger", "anchor", batch.from_seq, batch.count, batch.root)


def hold(
    held: NodeStore,
    device: MemberKeys,
    readings: list[Reading],
    gateway: ChainGateway,
    *,
    max_count: int,
) -> None:
    """Put day keys, records and signed batches into the node's store, as the intake does."""
    where = {
        "chain_id": gateway.chain_id,
        "data_ledger": gateway.deployment.address("DataLedger"),
        "device": device.address,
    }
    for day in sorted({day_of(reading.time_s) for reading in readings}):
        held.put_day_keys(
            device.address,
            day,
            StoredDayKeys(
                sealed_digest=bytes(32),
                seal_key=kdf.seal_day_key(device.device_secret, **where, day=day),
                nonce_key=kdf.nonce_day_key(device.device_secret, **where, day=day),
            ),
        )
    rows = [
        StoredReading(record=reading_codec.encode(one), box_digest=bytes(32)) for one in readings
    ]
    held.put_readings(device.address, rows)
    for run in batches.cut(readings, max_count=max_count):
        batch = batches.make(run)
        message = messages.root_message(
            **where,
            from_seq=batch.from_seq,
            count=batch.count,
            root=batch.root,
        )
        held.put_batch(batch, bls.sign(device.bls, message, role=messages.Role.ROOT))


def say_tariff(admin: Admin, store: ContentStore, document: bytes, *, region: str = "north") -> str:
    """Let the consortium say what readings long past cost; return the tariff's digest."""
    offer = tariff_offer(document)
    store.put(offer.data, lasting=True)
    admin.append_tariff(region, PRODUCT, offer.entry)
    return offer.document.digest


def tariff_document(name: str = "town", **members: Any) -> bytes:
    """Return a tariff of the town: dollars, days of UTC, day and night, feed-in, a charge a day."""
    periods = [
        {"name": "night", "price": 40_000, "from": "00:00", "to": "07:00"},
        {"name": "day", "price": 210_000},
    ]
    document: dict[str, Any] = {
        "v": 2,
        "name": name,
        "currency": "USD",
        "minor_digits": 2,
        "time_zone": "UTC",
        "valid_from": "2010-01-01",
        "valid_to": None,
        "holidays": [],
        "import": [{"kind": "schedule", "name": "energy", "periods": periods}],
        "export": [{"kind": "flat", "name": "feed-in", "price": 50_000}],
        "fixed": [{"name": "supply", "per": "day", "amount": 300_000}],
        "taxes": [{"name": "tax", "rate_ppm": 80_000, "on": ["import", "fixed"]}],
    }
    return json.dumps(document | members).encode()
