"""What somebody withdrew from is sold to nobody any more: the node ends its sale by itself, and
what was selected in spite of it costs an honest node nothing, whatever order a block has it in.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import pytest

from offchain.chain import codec
from offchain.chain.calls import Call, entry_of
from offchain.chain.facts import ContractRevert
from offchain.crypto.sharing import group_secret
from offchain.index.asked import data_sets as asked_data_sets
from offchain.index.asked import locks as asked_locks
from offchain.member.data_sets import earnings_of, sale_of
from offchain.member.keys import MemberKeys
from offchain.member.locks import lock_id_of
from offchain.member.roles import LockState, Reason
from offchain.node.bond import BondState, bond_of
from offchain.node.tables import grants
from offchain.node.worker import NodeWorker
from offchain.records import owners
from offchain.records.contexts import DATA_SHARING_PURPOSE
from offchain.types import SECONDS_PER_DAY
from tests.integration.buyer.test_sharing import call_for_data, select_both
from tests.integration.node.test_consent import end_consent
from tests.integration.town import House, Node, Town, go_back, make_node, poll, worker_of

FINAL = 3  # blocks that lie on what the deep node believes


def publish(node: Node, house: House, *, days: int = 2) -> bytes:
    """Publish so many days of a house's region and return the data set."""
    start, _ = house.window
    return node.publisher.publish(start, start + days * SECONDS_PER_DAY).data_set_id


def kinds(worker: NodeWorker) -> list[str]:
    return [one.kind for one in worker.run_once()]


def is_on_sale(node: Node, data_set_id: bytes) -> bool:
    sale = sale_of(node.gateway, data_set_id)
    return sale is not None and sale.sale_until > node.gateway.now()


# ---- the node's own doing


@pytest.mark.parametrize("how", ["withdrawn", "device", "owner", "expired"])
def test_worker__given_consent_that_ended__ends_the_sale_once(fresh: Town, how: str) -> None:
    node, leaves, stays = fresh.nodes[0], fresh.houses[0], fresh.houses[2]
    data_set_id = publish(node, leaves)
    other = publish(node, leaves, days=1)
    assert kinds(node.worker) == []
    end_consent(fresh, leaves, how)

    outcomes = node.worker.run_once()

    assert [(one.kind, one.id) for one in outcomes] == [
        ("retired", data_set_id),
        ("retired", other),
    ]
    assert leaves.device.address in outcomes[0].detail
    assert stays.device.address not in outcomes[0].detail
    assert not is_on_sale(node, data_set_id) and not is_on_sale(node, other)
    assert kinds(node.worker) == []
    told = asked_data_sets.data_set(fresh.index, data_set_id, fresh.index.newest())
    assert told["is_retired"] and told["retired_by"] == node.keys.address


def test_worker__given_another_regions_withdrawal__goes_on_selling(fresh: Town) -> None:
    node = fresh.nodes[0]
    data_set_id = publish(node, fresh.houses[0])
    end_consent(fresh, fresh.houses[1], "withdrawn")

    assert kinds(node.worker) == []
    assert is_on_sale(node, data_set_id)


def test_worker__told_to_republish__publishes_anew_without_that_home(
    fresh: Town, caplog: pytest.LogCaptureFixture
) -> None:
    node, leaves, stays = fresh.nodes[0], fresh.houses[0], fresh.houses[2]
    data_set_id = publish(node, leaves)
    worker = worker_of(fresh, node, republish=True)
    end_consent(fresh, leaves, "withdrawn")

    with caplog.at_level(logging.INFO):
        done = kinds(worker) + kinds(worker)

    assert done == ["retired", "republished"]
    assert "1 homes, 48 rows, 2 days" in caplog.text
    (anew,) = [one for one in node.held.data_sets() if is_on_sale(node, one.data_set_id)]
    assert anew.data_set_id != data_set_id and anew.devices == [stays.device.address]
    assert (anew.from_s, anew.to_s) == leaves.window
    assert earnings_of(node.gateway, anew.data_set_id).device_count == 1
    assert kinds(worker) == []


def test_worker__told_to_republish_what_nobody_lets_be_sold__leaves_it(fresh: Town) -> None:
    node = fresh.nodes[0]
    publish(node, fresh.houses[0])
    worker = worker_of(fresh, node, republish=True)
    for home in (fresh.houses[0], fresh.houses[2]):
        end_consent(fresh, home, "withdrawn")

    assert kinds(worker) + kinds(worker) == ["retired", "skipped"]
    assert kinds(worker) == []


def test_worker__given_sale_that_an_owner_ended__publishes_anew_if_told_to(fresh: Town) -> None:
    node, leaves = fresh.nodes[0], fresh.houses[0]
    data_set_id = publish(node, leaves)
    end_consent(fresh, leaves, "withdrawn")
    leaves.gateway.transact("DataSetBook", "retireFor", data_set_id, leaf_of(node, leaves))

    assert kinds(node.worker) == []
    assert kinds(worker_of(fresh, node, republish=True)) == ["republished"]


def test_retire_anyway__by_its_operator__is_not_published_anew(fresh: Town) -> None:
    node = fresh.nodes[0]
    data_set_id = publish(node, fresh.houses[0])
    worker = worker_of(fresh, node, republish=True)

    assert worker.retiring.retire_anyway(data_set_id).event("DataSetRetired")

    assert not is_on_sale(node, data_set_id)
    assert kinds(worker) == []
    again = publish(node, fresh.houses[0])  # the operator may sell the window anew
    assert again != data_set_id and is_on_sale(node, again)


def test_publish__given_sale_that_is_over__sells_the_window_under_a_key_of_its_own(
    fresh: Town,
) -> None:
    node, house = fresh.nodes[0], fresh.houses[0]
    made = make_node(
        node.gateway,
        index=fresh.index,
        keys=node.keys,
        held=node.held,
        store=fresh.store,
        directory=fresh.directory,
        sale_days=1,
    )
    first = made.publisher.publish(*house.window)
    assert made.publisher.look(*house.window) is None
    assert first.sale_until - node.gateway.contract_time() <= SECONDS_PER_DAY
    fresh.anvil.stand_at(first.sale_until)

    assert made.publisher.look(*house.window).rows == 96
    second = made.publisher.publish(*house.window)

    assert second.data_set_id != first.data_set_id
    assert (second.sale_until, second.row_count) != (first.sale_until, 0)
    assert made.publisher.publish(*house.window) == second


def test_offers__given_sale_that_ends_before_the_selection__offers_another_set(fresh: Town) -> None:
    """The market would not count such an offer."""
    node, house = fresh.nodes[0], fresh.houses[0]
    short = make_node(
        node.gateway,
        index=fresh.index,
        keys=node.keys,
        held=node.held,
        store=fresh.store,
        directory=fresh.directory,
        sale_days=1,
    )
    short.publisher.publish(*house.window)
    smaller = publish(node, house, days=1)
    broadcast_id = call_for_data(fresh, respond_s=SECONDS_PER_DAY)

    outcomes = node.worker.run_once()

    assert [(one.kind, one.id) for one in outcomes] == [("responded", broadcast_id)]
    assert node.held.response(broadcast_id).data_set_id == smaller


def test_select__of_a_retired_set__reverts_and_costs_nothing(fresh: Town) -> None:
    node, house, buyer = fresh.nodes[0], fresh.houses[0], fresh.buyers[0]
    data_set_id = publish(node, house)
    broadcast_id = call_for_data(fresh)
    assert kinds(node.worker) == ["responded"]
    end_consent(fresh, house, "withdrawn")
    node.worker.run_once()
    before = buyer.gateway.balance_wei(buyer.keys.address)

    with pytest.raises(ContractRevert) as refused:
        select_both(fresh, broadcast_id)

    assert refused.value.name == "DataMarket_NotOnSale"
    assert refused.value.arguments["dataSetId"] == data_set_id
    assert buyer.gateway.balance_wei(buyer.keys.address) == before


# ---- a withdrawal, an owner who ends the sale, and a selection, in every order


def leaf_of(node: Node, house: House) -> tuple[Any, ...]:
    (stored,) = [one for one in node.held.data_sets() if (one.from_s, one.to_s) == house.window]
    found = owners.prove(stored.owned, house.device.address)
    assert found is not None
    return found.words()


Sent = tuple[MemberKeys, str, str, tuple[Any, ...], int]


@dataclass
class Race:
    """Three who meet at a data set: each has a transaction ready, of which any order may come.

    select: as the buyer's own code made it.
    """

    town: Town
    node: Node
    house: House
    data_set_id: bytes
    select: Sent
    lock_id: bytes

    def sent(self, what: str) -> Sent:
        device, owner = self.house.device.address, self.house.keys
        if what == "withdraw":
            return owner, "ConsentBook", "withdraw", (device, DATA_SHARING_PURPOSE), 0
        if what == "retire":
            leaf = leaf_of(self.node, self.house)
            return owner, "DataSetBook", "retireFor", (self.data_set_id, leaf), 0
        return self.select

    def mine(self, blocks: Sequence[Sequence[str]]) -> None:
        """Mine blocks that hold these transactions in this order, whatever comes of them."""
        anvil, nonces = self.town.anvil, dict[str, int]()
        anvil.request("evm_setAutomine", False)
        try:
            for block in blocks:
                for place, what in enumerate(block):
                    self._send(what, nonces, gas_price_wei=10**9 - place)
                anvil.mine()
        finally:
            anvil.request("evm_setAutomine", True)

    def _send(self, what: str, nonces: dict[str, int], *, gas_price_wei: int) -> None:
        keys, contract, function, args, value_wei = self.sent(what)
        anvil, account = self.town.anvil, keys.address
        if account not in nonces:
            nonces[account] = int(anvil.request("eth_getTransactionCount", account, "latest"), 16)
        target, entry = entry_of(self.town.deployment, Call(contract, function, args))
        transaction = {
            "chainId": self.town.deployment.chain_id,
            "nonce": nonces[account],
            "to": target,
            "data": codec.encode_call(entry, args),
            "value": value_wei,
            "gas": 3_000_000,
            "gasPrice": gas_price_wei,
        }
        nonces[account] += 1
        raw = keys.account.sign_transaction(transaction).raw_transaction
        anvil.request("eth_sendRawTransaction", "0x" + raw.hex())


def prepared_select(town: Town, broadcast_id: bytes) -> Sent:
    """Let the buyer make its selection, and keep it instead of sending it."""
    buyer, made = town.buyers[0], list[Sent]()

    class Kept(Exception):
        """The selection is made."""

    def keep(contract: str, function: str, *args: Any, value_wei: int, intent: str) -> Any:
        made.append((buyer.keys, contract, function, args, value_wei))
        raise Kept

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Kept):
        patch.setattr(buyer.selection._gateway, "transact", keep)
        select_both(town, broadcast_id)
    return made[0]


@pytest.fixture(scope="module")
def started(town: Town) -> Iterator[Race]:
    snapshot = town.anvil.snapshot()
    node, house, buyer = town.nodes[0], town.houses[0], town.buyers[0]
    data_set_id = publish(node, house)
    broadcast_id = call_for_data(town)
    assert [one.kind for one in poll(node.worker)] == ["responded"]
    select = prepared_select(town, broadcast_id)
    (choice,) = select[3][2]
    lock_id = lock_id_of(buyer.gateway, buyer.keys.address, choice[5])
    yield Race(town, node, house, data_set_id, select, lock_id)
    go_back(town, snapshot)


@pytest.fixture
def race(started: Race) -> Iterator[Race]:
    town = started.town
    snapshot = town.anvil.snapshot()
    yield started
    started.node.held._run(grants.delete())
    go_back(town, snapshot)


ORDERS = list(permutations(("withdraw", "retire", "select")))
CUTS = [(3,), (1, 2), (2, 1), (1, 1, 1)]


def cut(order: Sequence[str], lengths: Sequence[int]) -> list[list[str]]:
    left = list(order)
    return [[left.pop(0) for _ in range(length)] for length in lengths]


def required_end(order: Sequence[str]) -> LockState:
    """What must become of the lock: NONE where the selection could not begin."""
    withdrawn, retired, selected = (order.index(one) for one in ("withdraw", "retire", "select"))
    if withdrawn < retired < selected:
        return LockState.NONE
    return LockState.DECLINED if withdrawn < selected else LockState.SETTLED


def require_end(race: Race, order: Sequence[str], *, credit: int, bond: BondState) -> None:
    """The honest node lost neither bond nor credit, and the buyer has its price or its data."""
    town, node, buyer = race.town, race.node, race.town.buyers[0]
    end = required_end(order)
    assert buyer.locks.lock(race.lock_id).state is end
    assert bond_of(node.gateway, node.keys.address) == bond
    after = node.gateway.call("CreditBook", "creditOf", node.keys.address)
    assert after > credit if end is LockState.SETTLED else after == credit
    if end is LockState.DECLINED:
        told = asked_locks.lock(town.index, race.lock_id, town.index.newest())
        assert told["reason"] == Reason.CONSENT_WITHDRAWN
    if end is LockState.SETTLED:
        stored = node.held.data_set(race.data_set_id)
        report = buyer.data_sets.verify(
            race.lock_id,
            opened=buyer.data_sets.open(race.lock_id, group_secret=group_secret(stored.data_key)),
        )
        assert report.ok, report.findings
    assert is_on_sale(node, race.data_set_id) is False  # the node, or the owner, has ended it


def poll_until_idle(race: Race, worker: NodeWorker, *, mined: int = 0) -> list[str]:
    done, said = [], ["at first"]
    while said:
        said = [one.kind for one in worker.run_once()]
        done += said
        race.town.anvil.mine(mined)
    return done


@pytest.mark.parametrize("lengths", CUTS, ids=str)
@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_race__in_every_order_in_and_around_a_block__costs_an_honest_node_nothing(
    race: Race, order: tuple[str, ...], lengths: tuple[int, ...]
) -> None:
    credit = race.node.gateway.call("CreditBook", "creditOf", race.node.keys.address)
    bond = bond_of(race.node.gateway, race.node.keys.address)
    race.mine(cut(order, lengths))

    done = poll_until_idle(race, race.node.worker)

    assert "failed" not in done
    require_end(race, order, credit=credit, bond=bond)


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_race__with_another_order_after_a_reorganisation__costs_an_honest_node_nothing(
    race: Race, order: tuple[str, ...]
) -> None:
    """What was said by the branch that lasts counts, however far the node had come on the other."""
    town, node = race.town, race.node
    worker = worker_of(town, node, confirmations=FINAL)
    credit = node.gateway.call("CreditBook", "creditOf", node.keys.address)
    bond = bond_of(node.gateway, node.keys.address)
    town.anvil.mine(FINAL)
    race.mine([order[::-1]])
    since = node.gateway.block_number() - 1
    poll_until_idle(race, worker)
    town.anvil.reorg(node.gateway.block_number() - since)
    race.mine([order])
    town.anvil.mine(FINAL)

    done = poll_until_idle(race, worker, mined=FINAL)

    assert "failed" not in done
    require_end(race, order, credit=credit, bond=bond)
