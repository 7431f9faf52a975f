"""One deployed system for all contract tests, its members with real keys, and isolation.

Deployment and the named members are made once a session; every test runs on a snapshot that is
taken back afterwards. Roles are fixtures: ``processor``, ``meter_owner``, ``device``, ``buyer``…
are ``Member`` objects (``.account``, ``.address``, ``.keys``, ``.profile``), ``outsider`` and
``relayer`` are plain accounts that were never admitted.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from brownie import accounts as brownie_accounts
from brownie import chain, web3
from web3.exceptions import TransactionNotFound

sys.path.insert(0, str(Path(__file__).parent))  # for members and reverting
sys.path.insert(0, str(Path(__file__).parents[2]))  # for scripts

import members
import money
import reverting
from members import NOWHERE, Member, Role, region_id

from scripts.deploy import Founding, deploy

NORTH, SOUTH = region_id("north"), region_id("south")
GAS_PRICE_WEI = 0  # so that balances move by what the contracts do and by nothing else


# ---- isolation ----


@contextmanager
def isolated() -> Iterator[None]:
    """Take the chain back, afterwards, to where it was. May be nested."""
    chain.snapshot()
    mine = chain._snapshot_id
    yield
    chain._snapshot_id = mine
    chain.revert()


@pytest.fixture(scope="module")
def module_isolation(request: pytest.FixtureRequest) -> Iterator[None]:
    """Keep the session's system, which Brownie's own fixture of this name would reset away."""
    with isolated():
        yield


@pytest.fixture(autouse=True)
def fn_isolation(request: pytest.FixtureRequest) -> Iterator[None]:
    """Isolate each test; the system is there before the snapshot. Pure library tests need none."""
    if "libraries" in Path(str(request.path)).parts:
        yield
        return
    request.getfixturevalue("cast")
    with isolated():
        yield


@pytest.fixture(scope="session", autouse=True)
def patient_lookup() -> Iterator[None]:
    """Look a transaction or receipt up again when the node does not know it yet.

    Brownie compares the sender's nonce and asks once. On a busy machine anvil counts the nonce a
    moment before it can show the transaction, and Brownie would call that one dropped.
    """
    asked = {
        name: getattr(web3.eth, name) for name in ("get_transaction", "get_transaction_receipt")
    }

    def patient(ask: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def look_up(txid: Any) -> Any:
            for _ in range(100):
                try:
                    return ask(txid)
                except TransactionNotFound:
                    time.sleep(0.02)
            return ask(txid)

        return look_up

    for name, ask in asked.items():
        setattr(web3.eth, name, patient(ask))
    yield
    for name, ask in asked.items():
        setattr(web3.eth, name, ask)


# ---- the system ----


@pytest.fixture(scope="session")
def founding(founders: list[Any]) -> Founding:
    """Three founders, two of whom decide; nothing waits for a month."""
    members = tuple(account.address for account in founders)
    ends_at = web3.eth.get_block("latest")["timestamp"] + 29 * 86_400
    return Founding(members, threshold=2, founding_ends_at=ends_at, rules=money.RULES)


@pytest.fixture(scope="session")
def system(deployer: Any, founding: Founding) -> dict[str, Any]:
    """All contracts by name, freshly deployed, wired, and nothing else done."""
    return deploy(deployer, founding)


@pytest.fixture(scope="session")
def consortium(system: dict[str, Any]) -> Any:
    return system["Consortium"]


@pytest.fixture(scope="session")
def registry(system: dict[str, Any]) -> Any:
    return system["MemberRegistry"]


@pytest.fixture(scope="session")
def catalogue(system: dict[str, Any]) -> Any:
    return system["RequestCatalogue"]


@pytest.fixture(scope="session")
def consents(system: dict[str, Any]) -> Any:
    return system["ConsentBook"]


@pytest.fixture(scope="session")
def tariff_book(system: dict[str, Any]) -> Any:
    return system["TariffBook"]


@pytest.fixture(scope="session")
def ledger(system: dict[str, Any]) -> Any:
    return system["DataLedger"]


@pytest.fixture(scope="session")
def data_sets(system: dict[str, Any]) -> Any:
    return system["DataSetBook"]


@pytest.fixture(scope="session")
def board(system: dict[str, Any]) -> Any:
    return system["NotificationBoard"]


@pytest.fixture(scope="session")
def credit(system: dict[str, Any]) -> Any:
    return system["CreditBook"]


@pytest.fixture(scope="session")
def court(system: dict[str, Any]) -> Any:
    return system["DisputeCourt"]


@pytest.fixture(scope="session")
def lock(system: dict[str, Any]) -> Any:
    return system["PrepaidLock"]


@pytest.fixture(scope="session")
def market(system: dict[str, Any]) -> Any:
    return system["DataMarket"]


@pytest.fixture(scope="session")
def govern(consortium: Any, founders: list[Any]) -> Callable[..., Any]:
    """``govern(contract, "function", *arguments)``: a decision of the consortium, carried out.

    Proposed by one founder, approved by another, executed: the transaction of the execution.
    """

    def decide(contract: Any, function: str, *arguments: Any) -> Any:
        data = getattr(contract, function).encode_input(*arguments)
        first, second, _ = founders
        consortium.propose(contract.address, 0, data, {"from": first})
        proposal_id = consortium.proposalCount()
        call_hash = consortium.proposalOf(proposal_id)["callHash"]
        consortium.approve(proposal_id, call_hash, {"from": second})
        return consortium.execute(proposal_id, contract.address, 0, data, {"from": first})

    return decide


# ---- accounts and members ----


@pytest.fixture(scope="session")
def deployer() -> Any:
    return brownie_accounts[0]


@pytest.fixture(scope="session")
def founders() -> list[Any]:
    """The three members of the consortium; two decide."""
    return [brownie_accounts[1], brownie_accounts[11], brownie_accounts[12]]


@pytest.fixture(scope="session")
def founder(founders: list[Any]) -> Any:
    """One of them, who alone decides nothing."""
    return founders[0]


@pytest.fixture(scope="session")
def outsider() -> Any:
    """An account that was never admitted."""
    return brownie_accounts[19]


@pytest.fixture(scope="session")
def relayer() -> Any:
    """An account that was never admitted and brings transactions for others."""
    return brownie_accounts[18]


@pytest.fixture(scope="session")
def new_account() -> Callable[[], Any]:
    """``new_account()``: a fresh account without ether (gas is free in these tests)."""
    return lambda: brownie_accounts.add()


@pytest.fixture(scope="session")
def impersonate() -> Callable[[Any], Any]:
    """``impersonate(contract)``: an account that sends from the contract's own address."""

    def act_as(contract: Any) -> Any:
        answer = web3.provider.make_request("anvil_impersonateAccount", [contract.address])
        assert "error" not in answer, answer
        return brownie_accounts.at(contract.address, force=True)

    return act_as


@pytest.fixture(scope="session")
def prepare(registry: Any) -> Callable[..., Member]:
    """``prepare(account, role, region, owner=…, keys=…)``: a member that is not admitted yet."""
    chain_id = web3.eth.chain_id

    def make(account: Any, role: Role, region: bytes, **options: Any) -> Member:
        return members.new_member(registry, chain_id, account, role, region, **options)

    return make


@pytest.fixture(scope="session")
def admit(prepare: Callable[..., Member], registry: Any, govern: Any) -> Callable[..., Member]:
    """``admit(role, region, owner=…, account=…, keys=…)``: a new member, admitted."""

    def make(role: Role, region: bytes = NOWHERE, *, account: Any = None, **options: Any) -> Member:
        member = prepare(account or brownie_accounts.add(), role, region, **options)
        govern(registry, "admit", *member.admission)
        return member

    return make


@pytest.fixture(scope="session")
def revoke(registry: Any, govern: Any) -> Callable[[Member], Any]:
    """``revoke(member)``: the consortium revokes a member."""
    return lambda member: govern(registry, "revoke", member.address)


@pytest.fixture(scope="session")
def cast(admit: Callable[..., Member]) -> dict[str, Member]:
    """Everybody of the play, admitted once a session."""
    at = brownie_accounts
    owner = admit(Role.USER, NORTH, account=at[4])
    return {
        "processor": admit(Role.PROCESSOR, NORTH, account=at[2]),
        "processor_two": admit(Role.PROCESSOR, SOUTH, account=at[3]),
        "meter_owner": owner,
        "device": admit(Role.DEVICE, NORTH, account=at[5], owner=owner),
        "neighbour": admit(Role.USER, SOUTH, account=at[6]),
        "buyer": admit(Role.SHARER, account=at[7]),
        "buyer_two": admit(Role.SHARER, account=at[8]),
        "buyer_three": admit(Role.SHARER, account=at[9]),
        "regulator": admit(Role.CONSORTIUM, account=at[10]),
    }


def _role(name: str) -> Any:
    @pytest.fixture(scope="session", name=name)
    def member(cast: dict[str, Member]) -> Member:
        return cast[name]

    return member


processor = _role("processor")  # serves the north
processor_two = _role("processor_two")  # serves the south
meter_owner = _role("meter_owner")  # user of the north
device = _role("device")  # meter_owner's
neighbour = _role("neighbour")  # user of the south
buyer = _role("buyer")  # three data-sharing nodes
buyer_two = _role("buyer_two")
buyer_three = _role("buyer_three")
regulator = _role("regulator")  # consortium node


# ---- asserting ----


@pytest.fixture(scope="session")
def reverts_with() -> type[reverting.reverts_with]:
    """``with reverts_with("Contract_Error", *arguments):`` name and arguments must be exact."""
    return reverting.reverts_with


@pytest.fixture(scope="session")
def at() -> Callable[[int], None]:
    """``at(timestamp)``: the next block has exactly this time."""

    def set_next(timestamp: int) -> None:
        answer = web3.provider.make_request("evm_setNextBlockTimestamp", [int(timestamp)])
        assert "error" not in answer, answer

    return set_next


@pytest.fixture(scope="session")
def mine_at() -> Callable[[int], None]:
    """``mine_at(timestamp)``: an empty block of exactly this time, for views that read the time."""

    def mine(timestamp: int) -> None:
        chain.mine(timestamp=int(timestamp))
        assert web3.eth.get_block("latest")["timestamp"] == timestamp

    return mine


@pytest.fixture(scope="session")
def now() -> Callable[[], int]:
    """``now()``: the time of the latest block."""
    return lambda: web3.eth.get_block("latest")["timestamp"]


@pytest.fixture(scope="session")
def only_event() -> Callable[[Any, str], Any]:
    """``only_event(tx, name)``: the one event of this name, which must be the only one of it."""

    def read(tx: Any, name: str) -> Any:
        assert tx.events.count(name) == 1, f"{tx.events.count(name)} events {name}"
        return tx.events[name]

    return read
