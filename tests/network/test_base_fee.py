"""A base fee above what beats and members usually pay: the chain goes on, and it falls again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from eth_account import Account

from offchain.chain import sender as sending
from offchain.chain.endpoint import Endpoint
from offchain.chain.errors import NodeRefused
from offchain.chain.fees import FeeRaise
from offchain.chain.sender import Sender, Unsigned
from offchain.network import genesis
from offchain.network.building import CONSORTIUM, NetworkOptions, build
from offchain.network.heartbeat import GAS_PRICE_WEI, heart_of
from offchain.network.ipc import Ipc
from offchain.network.operation import Network
from offchain.network.plan import HEARTBEAT
from tests.network.sending import NOBODY, block_at, height_of, wait_for

DEAR_WEI = 4 * GAS_PRICE_WEI


@pytest.fixture
def dear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    """Two signers of a chain that begins with a high base fee, and no heartbeat yet."""
    monkeypatch.setattr(genesis, "BASE_FEE_WEI", DEAR_WEI)
    options = NetworkOptions(folder=tmp_path / "dear", signers=2, ipfs_nodes=0, heartbeat_s=10)
    plan = build(options)
    network = Network(plan, tied=True)
    try:
        network.start([one.name for one in plan.signers])
        yield network
    finally:
        network.delete()


def test_heartbeat__base_fee_above_its_price__takes_its_beats_place_and_brings_it_down(
    dear: Network,
) -> None:
    plan = dear.plan
    too_cheap = heart_of(plan).sign(0, gas_price_wei=GAS_PRICE_WEI)
    for signer in plan.signers:
        with suppress(NodeRefused):  # it has it from the other: before the first block none need
            dear.ask(signer.name, "eth_sendRawTransaction", "0x" + too_cheap.hex())
        wait_for(lambda one=signer.name: pending_at(dear, one) == 1)
    assert height_of(dear, "signer-1") == 0  # it waits: the chain stands still

    dear.start([HEARTBEAT])

    def has_fallen() -> bool:
        return int(block_at(dear, "signer-1", "latest")["baseFeePerGas"], 16) <= GAS_PRICE_WEI // 2

    wait_for(has_fallen, timeout_s=90)  # 16 blocks: with idle beats alone they would take 160 s
    first = dear.ask("signer-1", "eth_getBlockByNumber", "0x1", True)
    assert isinstance(first, dict)
    (beat,) = first["transactions"]
    assert (beat["nonce"], int(beat["gasPrice"], 16)) == ("0x0", 2 * DEAR_WEI)


def pending_at(network: Network, signer: str) -> int:
    status = network.ask(signer, "txpool_status")
    assert isinstance(status, dict)
    return int(status["pending"], 16)


def test_heartbeat__any_head__makes_the_same_bytes_at_each_signer(dear: Network) -> None:
    heart = heart_of(dear.plan)
    made = set()
    for signer in dear.plan.signers:
        with Ipc(dear.plan.ipc_path(signer.name)) as node:
            made.add(heart._next(node))
    assert len(made) == 1


def test_send__base_fee_above_a_members_price_and_no_block__is_raised_and_mined(
    dear: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "_RESEND_S", 0.2)
    key = dear.plan.key(CONSORTIUM).read_text().strip()
    sender = Sender(
        Endpoint(dear.plan.rpc_urls),
        chain_id=dear.plan.chain_id,
        account=Account.from_key(key),
        outbox=None,
        timeout_s=30,
        fees=FeeRaise(after_s=0.5),
    )
    gift = Unsigned(to=NOBODY, data=b"", value_wei=1, gas=21_000)
    (receipt,) = sender.send([gift], gas_price_wei=GAS_PRICE_WEI)
    assert receipt.block_number == 1  # nobody else had one made
    assert DEAR_WEI < receipt.gas_price_wei <= 10 * GAS_PRICE_WEI
