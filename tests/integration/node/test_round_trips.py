"""How many questions to the chain lie one after another from the ask to the opened answer.

They are counted, not timed: the count is the same on every machine (docs/benchmarks/network.md).
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from offchain.chain.gateway import ChainGateway
from offchain.chain.outbox import TransactionOutbox
from offchain.chain.rpc import RpcConnection
from offchain.household.household import Household
from offchain.index.chain_index import ChainIndex
from offchain.member.directory import MemberDirectory
from offchain.member.keys import MemberKeys
from offchain.node.worker import NodeWorker
from tests.integration.town import BILL, BITS, PRODUCT, ZONE, House, Town, make_node

pytestmark = pytest.mark.usefixtures("told_polls")
DEPTH = 3
# A transaction takes three of them: dry call and nonce, the bytes, its receipt.
ASK, ACCEPT_AND_CLAIM, OPEN = 4, 11, 3
ACCEPT, CLAIM = 10, 7


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What each HTTP request asked, in order."""
    asked, post = list[str](), RpcConnection._post

    def noting(self: RpcConnection, body: object) -> object:
        bodies = body if isinstance(body, list) else [body]
        what = "+".join(one["method"] for one in bodies)
        if not asked or asked[-1] != what or "eth_getTransactionReceipt" not in what:
            asked.append(what)  # who waits for a receipt asks until there is one
        return post(self, body)

    monkeypatch.setattr(RpcConnection, "_post", noting)
    return asked


class Street:
    """A household and its node as they run: journals on disk, and tables of their own."""

    def __init__(self, town: Town, folder: Path, *, depth: int) -> None:
        self.house: House = town.houses[0]
        self._town, self._folder = town, folder
        self._open: list[Callable[[], None]] = []
        gateway, index = self._member(self.house.keys, "household", DEPTH)
        self.household = Household(
            gateway=gateway,
            index=index,
            store=town.store,
            keys=self.house.keys,
            directory=MemberDirectory(gateway, town.store, paillier_bits=BITS),
            notes=folder / "notes",
            confirmations=depth,
        )
        node = self.house.node
        gateway, index = self._member(node.keys, "node", depth)
        self.worker: NodeWorker = make_node(
            gateway,
            index=index,
            keys=node.keys,
            held=node.held,
            store=town.store,
            directory=MemberDirectory(gateway, town.store, paillier_bits=BITS),
        ).worker
        self.indexes = [self.household.locks._index, index]

    def _member(self, keys: MemberKeys, name: str, depth: int) -> tuple[ChainGateway, ChainIndex]:
        outbox = TransactionOutbox(self._folder / f"{name}.sqlite")
        gateway = ChainGateway(
            self._town.anvil.url,
            self._town.deployment,
            account=keys.account,
            outbox=outbox,
            gas_price_wei=0,
            confirmations=depth,
        )
        index = ChainIndex(self._folder / f"{name}-index.sqlite", gateway)
        self._open += [outbox.close, index.close]
        return gateway, index

    def ask(self) -> bytes:
        start, end = self.house.window
        paid = self.household.requests.ask(
            BILL,
            devices=[self.house.device.address],
            window_from=start,
            window_to=end,
            time_zone=ZONE,
            product=PRODUCT,
        )
        return paid.lock_id

    def catch_up(self) -> None:
        for index in self.indexes:
            index.follower.catch_up()

    def close(self) -> None:
        for close in self._open:
            close()


@pytest.fixture
def street(fresh: Town, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Street]:
    with closing(Street(fresh, tmp_path, depth=request.param)) as made:
        made.catch_up()
        made.worker.run_once()
        yield made


def answered(street: Street, town: Town, *, mined: int) -> bytes:
    """Bring a request to its claim, and both tables up to date."""
    lock_id = street.ask()
    for _ in range(3):
        town.anvil.mine(mined) if mined else None
        if "claimed" in [one.kind for one in street.worker.run_once()]:
            break
    town.anvil.mine(mined) if mined else None
    street.catch_up()
    return lock_id


@pytest.mark.parametrize("street", [0], indirect=True)
def test_answer__newest_block_believed__takes_so_many_questions(
    fresh: Town, street: Street, trips: list[str]
) -> None:
    answered(street, fresh, mined=0)  # what the first one alone needs is kept
    trips.clear()

    lock_id = street.ask()
    assert len(trips) <= ASK, "\n".join(trips)
    street.catch_up()
    trips.clear()
    kinds = [one.kind for one in street.worker.run_once()]
    assert kinds == ["accepted", "claimed"]
    assert len(trips) <= ACCEPT_AND_CLAIM, "\n".join(trips)
    street.catch_up()
    trips.clear()
    assert street.household.answers.open(lock_id).signature_valid
    assert len(trips) <= OPEN, "\n".join(trips)


@pytest.mark.parametrize("street", [DEPTH], indirect=True)
def test_answer__deep_blocks_believed__takes_so_many_questions(
    fresh: Town, street: Street, trips: list[str]
) -> None:
    answered(street, fresh, mined=DEPTH)
    street.worker.run_once()

    lock_id = street.ask()
    fresh.anvil.mine(DEPTH)
    street.catch_up()
    trips.clear()
    assert street.worker.run_once()[0].kind == "accepted"
    assert len(trips) <= ACCEPT, "\n".join(trips)
    fresh.anvil.mine(DEPTH)
    street.catch_up()
    trips.clear()
    assert street.worker.run_once()[0].kind == "claimed"
    assert len(trips) <= CLAIM, "\n".join(trips)
    fresh.anvil.mine(DEPTH)
    street.catch_up()
    trips.clear()
    assert street.household.answers.open(lock_id).signature_valid
    assert len(trips) <= OPEN, "\n".join(trips)
    street.worker.run_once()  # the claim is final: nothing is left for the next test


@pytest.mark.parametrize("street", [DEPTH], indirect=True)
def test_wait_answer__deep_blocks_believed__opens_once_the_claim_lies_deep_enough(
    fresh: Town, street: Street
) -> None:
    lock_id, kinds = street.ask(), list[str]()
    while "claimed" not in kinds:
        fresh.anvil.mine(DEPTH)
        kinds += [one.kind for one in street.worker.run_once()]
    opened = list[bool]()

    def wait() -> None:
        opened.append(street.household.answers.wait(lock_id, timeout_s=60).signature_valid)

    waiting = threading.Thread(target=wait)
    waiting.start()
    waiting.join(1.0)
    assert opened == []
    fresh.anvil.mine(DEPTH - 1)
    waiting.join(1.0)
    assert opened == []
    fresh.anvil.mine(1)
    waiting.join(60)
    assert opened == [True]
    street.worker.run_once()
