"""Pools of real signers with room for a handful: what they turn away or drop comes again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from eth_account import Account

from offchain.chain.endpoint import Endpoint
from offchain.chain.outbox import TransactionOutbox, TransactionState
from offchain.chain.sender import Sender, Unsigned
from offchain.network import geth
from offchain.network.building import CONSORTIUM, NetworkOptions, build
from offchain.network.genesis import confirmations
from offchain.network.heartbeat import GAS_PRICE_WEI
from offchain.network.operation import Network
from tests.network.sending import NOBODY

SENT = 120
# "nolocals": what comes by RPC has no better right to a place than what comes from peers.
_TINY = {
    "accountslots": 1,
    "globalslots": 4,
    "accountqueue": 2,
    "globalqueue": 2,
    "nolocals": "true",
}


@pytest.fixture
def cramped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    """Three signers whose pools have room for six transactions."""
    monkeypatch.setattr(geth, "_POOL", _TINY)
    plan = build(NetworkOptions(folder=tmp_path / "cramped", signers=3, ipfs_nodes=0))
    network = Network(plan, tied=True)
    try:
        network.start()
        yield network
    finally:
        network.delete()


def test_send__pools_are_full__turned_away_ones_come_again_and_all_count_once(
    cramped: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = cramped.plan
    account = Account.from_key(plan.key(CONSORTIUM).read_text().strip())
    endpoint, said = Endpoint(plan.rpc_urls, chain_id=plan.chain_id), []
    batch = endpoint.batch

    def heard(asked, **options):  # type: ignore[no-untyped-def]
        answers = batch(asked, **options)
        said.extend(
            str(answer)
            for question, answer in zip(asked, answers, strict=True)
            if question.method == "eth_sendRawTransaction" and isinstance(answer, Exception)
        )
        return answers

    monkeypatch.setattr(endpoint, "batch", heard)
    with closing(TransactionOutbox(tmp_path / "sent.sqlite")) as outbox:
        sender = Sender(
            endpoint,
            chain_id=plan.chain_id,
            account=account,
            outbox=outbox,
            timeout_s=60.0,
            confirmations=confirmations(plan.engine, len(plan.signers)),
        )
        before = sender._nonce()
        transfers = [Unsigned(NOBODY, b"", 1, 21_000, f"pay:{at}") for at in range(SENT)]

        receipts = sender.send(transfers, gas_price_wei=GAS_PRICE_WEI)

        assert len(said) > SENT // 2, "nothing was turned away: the pools had room"
        assert len(receipts) == SENT and all(one.success for one in receipts)
        assert sender._nonce() == before + SENT
        for at in range(SENT):
            held = outbox.of_intent(plan.chain_id, sender.address, f"pay:{at}")
            mined = [one for one in held if one.state is TransactionState.MINED]
            assert len(mined) == 1, f"pay:{at} is {[one.state for one in held]}"
