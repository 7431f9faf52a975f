"""Stuck transactions go out with a higher fee: the same nonce, one effect, all journaled."""

from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise

import pytest
from eth_account import Account

from offchain.chain.anvil import start_anvil
from offchain.chain.errors import NodeRefused, TransactionTimeout
from offchain.chain.fees import FeeRaise
from offchain.chain.gateway import Call, ChainGateway
from offchain.chain.outbox import TransactionOutbox, TransactionState
from offchain.chain.sender import Sender
from offchain.chain.signing import read_legacy

PROBE = "GatewayProbe"
GWEI = 10**9
AT_ONCE = FeeRaise(after_s=0.05, after_blocks=1)


@pytest.fixture(scope="module")
def own_anvil():
    """Its mining is changed by these tests."""
    with start_anvil() as running:
        yield running


@pytest.fixture
def outbox(tmp_path):
    journal = TransactionOutbox(tmp_path / "outbox.sqlite")
    yield journal
    journal.close()


@pytest.fixture
def chain(own_anvil, deploy_probe, outbox, monkeypatch):
    """A gateway whose price is below the chain's base fee: what it sends waits in the pool."""
    monkeypatch.setattr("offchain.chain.sender._RESEND_S", 0.05)
    deployment = deploy_probe(own_anvil)
    account = Account.create()
    own_anvil.set_balance(account.address, 10 * 10**18)
    return ChainGateway(
        own_anvil.url,
        deployment,
        account=account,
        outbox=outbox,
        gas_price_wei=GWEI,
        timeout_s=20,
        fees=AT_ONCE,
    )


@contextmanager
def base_fee_rises_to(wei, anvil, monkeypatch):
    """Once a transaction is in the pool the chain goes on with a higher base fee, a block a
    second: what was priced before has to wait.
    """
    real = Sender._broadcast

    def then_rises(self, transactions):
        refused = real(self, transactions)
        monkeypatch.setattr(Sender, "_broadcast", real)
        anvil.request("anvil_setNextBlockBaseFeePerGas", hex(wei))
        anvil.request("evm_setIntervalMining", 1)
        return refused

    anvil.request("evm_setAutomine", False)
    monkeypatch.setattr(Sender, "_broadcast", then_rises)
    try:
        yield
    finally:
        anvil.request("evm_setIntervalMining", 0)
        anvil.request("evm_setAutomine", True)
        anvil.request("anvil_setNextBlockBaseFeePerGas", "0x0")


def _variants(outbox, chain, intent):
    held = outbox.of_intent(chain.chain_id, chain.address, intent)[::-1]
    return [(read_legacy(one.raw), one.state) for one in held]


def _counted(chain):
    return len(chain.events(PROBE, "Counted", from_block=0, by=chain.address))


def test_transact__priced_below_the_base_fee__is_raised_until_it_is_mined(
    chain, own_anvil, outbox, monkeypatch
):
    with base_fee_rises_to(2 * GWEI, own_anvil, monkeypatch):
        receipt = chain.transact(PROBE, "increment", "x", gas=90_000, dry_call=False, intent="i")
    variants = _variants(outbox, chain, "i")
    prices = [content.gas_price_wei for content, _ in variants]
    assert len(variants) >= 2 and prices[0] == GWEI
    assert all(b * 100 >= a * 110 for a, b in pairwise(prices))
    assert len({(c.nonce, c.to, c.data, c.value_wei, c.gas) for c, _ in variants}) == 1
    assert receipt.gas_price_wei in prices and receipt.gas_price_wei > GWEI
    states = [state for _, state in variants]
    assert states.count(TransactionState.MINED) == 1
    assert set(states) <= {TransactionState.MINED, TransactionState.REPLACED}
    assert _counted(chain) == 1
    assert chain.transact(PROBE, "increment", "x", intent="i").tx_hash == receipt.tx_hash


def test_transact_many__all_stuck__each_is_raised_and_done_once(
    chain, own_anvil, outbox, monkeypatch
):
    calls = [Call(PROBE, "increment", (str(n),), gas=90_000, intent=f"m{n}") for n in range(5)]
    with base_fee_rises_to(2 * GWEI, own_anvil, monkeypatch):
        receipts = chain.transact_many(calls, dry_call=False)
    assert all(receipt.success for receipt in receipts)
    notes = [e.args["note"] for e in chain.events(PROBE, "Counted", from_block=0, by=chain.address)]
    assert notes == list("01234")


def test_transact__an_earlier_variant_is_mined__settles_the_intent(chain, own_anvil, outbox):
    own_anvil.request("evm_setAutomine", False)
    try:
        chain._signer().timeout_s = 0.3
        with pytest.raises(TransactionTimeout):
            chain.transact(PROBE, "increment", "x", gas=90_000, dry_call=False, intent="two")
        (first,) = outbox.of_intent(chain.chain_id, chain.address, "two")
        dearer = _dearer(chain, first)
        outbox.record(chain.chain_id, chain.address, [dearer])  # and the crash: never sent
    finally:
        own_anvil.request("evm_setAutomine", True)
    own_anvil.mine()
    chain._signer().timeout_s = 20
    receipt = chain.transact(PROBE, "increment", "x", intent="two")
    assert receipt.tx_hash == first.tx_hash
    assert [state for _, state in _variants(outbox, chain, "two")] == [
        TransactionState.MINED,
        TransactionState.REPLACED,
    ]
    assert _counted(chain) == 1


def _dearer(chain, first):
    content = read_legacy(first.raw)
    raised = replace(content, gas_price_wei=2 * content.gas_price_wei)
    return chain._signer()._sign_content(raised, first.intent)


def test_transact__chain_stands_still__raises_no_fee(chain, own_anvil, outbox):
    chain._signer().timeout_s = 0.6
    own_anvil.request("evm_setAutomine", False)
    try:
        with pytest.raises(TransactionTimeout):
            chain.transact(PROBE, "increment", "x", gas=90_000, dry_call=False, intent="still")
        assert len(_variants(outbox, chain, "still")) == 1
    finally:
        own_anvil.request("evm_setAutomine", True)
        own_anvil.mine()


def test_transact__fee_at_its_bound__says_so_and_goes_no_further(
    chain, own_anvil, outbox, monkeypatch
):
    chain._signer().timeout_s = 4
    chain._signer()._fees = FeeRaise(after_s=0.05, after_blocks=0, percent=100, most_times=4)
    with base_fee_rises_to(1000 * GWEI, own_anvil, monkeypatch):
        with pytest.raises(TransactionTimeout, match="raised as far as allowed"):
            chain.transact(PROBE, "increment", "x", gas=90_000, dry_call=False, intent="dear")
    prices = [content.gas_price_wei for content, _ in _variants(outbox, chain, "dear")]
    assert len(prices) > 1 and prices[-1] == 4 * GWEI  # the chain asked for a thousand
    own_anvil.mine()
    chain.settle()
    assert _counted(chain) == 1


def test_transact__replacement_underpriced__looks_at_the_receipt(chain, monkeypatch):
    real = chain.endpoint.batch

    def refusing(calls, **options):
        answers = real(calls, **options)
        if calls and calls[0][0] == "eth_sendRawTransaction":
            words = "replacement transaction underpriced"
            return [NodeRefused("eth_sendRawTransaction", -32000, words)]
        return answers

    monkeypatch.setattr(chain.endpoint, "batch", refusing)
    assert chain.transact(PROBE, "increment", "x").success
    assert _counted(chain) == 1
