"""What is not final stays under watch: a reorganisation has it sent again, once and in order."""

import pytest

from offchain.chain.errors import NodeRefused
from offchain.chain.facts import ContractRevert
from offchain.chain.gateway import Call, ChainGateway
from offchain.chain.outbox import TransactionOutbox
from offchain.chain.rpc import RpcConnection

PROBE = "GatewayProbe"
DEPTH = 5


@pytest.fixture
def outbox(tmp_path):
    journal = TransactionOutbox(tmp_path / "outbox.sqlite")
    yield journal
    journal.close()


@pytest.fixture
def deep(anvil, deployment, account, outbox, monkeypatch):
    """A gateway for which five blocks must lie on what is final."""
    monkeypatch.setattr("offchain.chain.sender._RESEND_S", 0.05)
    return ChainGateway(
        anvil.url, deployment, account=account, outbox=outbox, timeout_s=10, confirmations=DEPTH
    )


def _notes(gateway, account):
    events = gateway.events(PROBE, "Counted", from_block=0, by=account.address)
    return [event.args["note"] for event in events]


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5])
def test_settle__reorganised__sends_all_again_in_order_and_once(deep, account, anvil, depth):
    for note in "abcde":
        deep.transact(PROBE, "increment", note, intent=note)
    anvil.reorg(depth)
    assert _notes(deep, account) == list("abcde")[: 5 - depth]

    deep.settle()
    assert _notes(deep, account) == list("abcde")
    deep.settle()
    assert [deep.transact(PROBE, "increment", n, intent=n).success for n in "abcde"] == [True] * 5
    assert _notes(deep, account) == list("abcde")


def test_settle__a_failed_one_before_others_is_reorganised__leaves_no_gap(deep, account, anvil):
    deep.transact(PROBE, "once", 9001)
    with pytest.raises(ContractRevert):
        deep.transact(PROBE, "once", 9001, gas=90_000, dry_call=False, intent="fails")
    deep.transact(PROBE, "increment", "behind", intent="behind")
    anvil.reorg(2)
    assert _notes(deep, account) == ["once"]

    deep.settle()

    assert _notes(deep, account) == ["once", "behind"]


def test_transact__what_was_sent_before_is_off_the_chain__comes_first_again(deep, account, anvil):
    first = [deep.transact(PROBE, "increment", note, intent=note) for note in ("a", "b")]
    anvil.reorg(2)

    third = deep.transact(PROBE, "increment", "c", intent="c")

    events = deep.events(PROBE, "Counted", from_block=0, by=account.address)
    assert [one.args["note"] for one in events] == ["a", "b", "c"]
    assert [one.tx_hash for one in events] == [one.tx_hash for one in [*first, third]]


def test_transact__what_was_sent_before_is_on_the_chain__is_not_looked_at(
    deep, account, monkeypatch
):
    deep.transact(PROBE, "increment", "a", intent="a")
    asked, post = [], RpcConnection._post

    def noting(self, body):
        asked.append([one["method"] for one in (body if isinstance(body, list) else [body])])
        return post(self, body)

    monkeypatch.setattr(RpcConnection, "_post", noting)
    deep.transact(PROBE, "increment", "b", intent="b", gas=90_000)

    assert asked == [
        ["eth_call", "eth_getTransactionCount"],
        ["eth_gasPrice"],  # none was set
        ["eth_sendRawTransaction"],
        ["eth_getTransactionReceipt", "eth_blockNumber"],
    ]


def test_settle__deep_enough__looks_no_more(deep, outbox, account, anvil):
    deep.transact(PROBE, "increment", "a", intent="a")
    assert len(outbox.not_final(deep.chain_id, account.address)) == 1
    anvil.mine(DEPTH - 1)
    deep.settle()
    assert len(outbox.not_final(deep.chain_id, account.address)) == 1
    anvil.mine()
    deep.settle()
    assert outbox.not_final(deep.chain_id, account.address) == []


def test_settle__another_nodes_head_is_higher__does_not_call_its_own_receipt_final(
    deep, outbox, account, anvil, monkeypatch
):
    """Two nodes on two sides of a fork: the one has the receipt, the other the longer chain."""
    deep.transact(PROBE, "increment", "a", intent="a")
    ask = deep.endpoint.ask

    def of_the_longer_side(question):
        answer = ask(question)
        return answer + DEPTH if question.method == "eth_blockNumber" else answer

    monkeypatch.setattr(deep.endpoint, "ask", of_the_longer_side)
    deep.settle()
    assert len(outbox.not_final(deep.chain_id, account.address)) == 1
    anvil.reorg(1)
    deep.settle()
    assert _notes(deep, account) == ["a"]


def test_settle__more_than_a_batch_holds__asks_each_part_for_its_own_head(
    deep, outbox, account, anvil, monkeypatch
):
    calls = [Call(PROBE, "increment", (str(n),), gas=90_000) for n in range(210)]
    deep.transact_many(calls, dry_call=False)
    anvil.mine(DEPTH)
    batch, asked = deep.endpoint.batch, []

    def no_blocks_at_once(calls, **how):
        methods = [one.method for one in calls]
        if "eth_getBlockReceipts" in methods:
            return [NodeRefused("eth_getBlockReceipts", -32601, "no such method"), 0]
        if "eth_getTransactionReceipt" in methods:
            asked.append(methods)
        return batch(calls, **how)

    monkeypatch.setattr(deep.endpoint, "batch", no_blocks_at_once)
    deep.settle()
    assert deep.is_settled()
    assert [len(methods) for methods in asked] == [2, 200, 12]
    assert all(methods[-1] == "eth_blockNumber" for methods in asked)


def test_is_final__at_the_depth__holds_and_not_before(deep, anvil):
    receipt = deep.transact(PROBE, "increment", "a")
    anvil.mine(DEPTH - 1)
    assert not deep.is_final(receipt)
    anvil.mine()
    assert deep.is_final(receipt)


def test_is_final__its_block_was_taken_off__does_not_hold(deep, anvil):
    receipt = deep.transact(PROBE, "increment", "a")
    anvil.reorg(1)
    anvil.mine(2 * DEPTH)
    assert not deep.is_final(receipt)


def test_is_final__no_depth_wanted__holds_at_once(gateway):
    assert gateway.is_final(gateway.transact(PROBE, "increment", "a"))


def test_wait_final__reorganised_meanwhile__returns_the_new_receipt(deep, account, anvil):
    receipt = deep.transact(PROBE, "increment", "a", intent="a")
    anvil.reorg(1)
    anvil.request("evm_setIntervalMining", 1)
    try:
        found = deep.wait_final(receipt, timeout_s=30, poll_s=0.05)
    finally:
        anvil.request("evm_setIntervalMining", 0)
        anvil.request("evm_setAutomine", True)
    assert deep.is_final(found)
    assert found.tx_hash == receipt.tx_hash and found.block_hash != receipt.block_hash
    assert _notes(deep, account) == ["a"]


def test_wait_final__time_is_up__returns_what_is_not_final(deep):
    receipt = deep.transact(PROBE, "increment", "a")
    assert not deep.is_final(deep.wait_final(receipt, timeout_s=0.1, poll_s=0.05))


def test_transact_many__whole_burst_reorganised__is_there_once(deep, account, anvil):
    calls = [Call(PROBE, "increment", (str(n),), gas=90_000, intent=f"b{n}") for n in range(30)]
    deep.transact_many(calls, dry_call=False)
    head = deep.block_number()
    first = min(
        e.block_number for e in deep.events(PROBE, "Counted", from_block=0, by=account.address)
    )
    anvil.reorg(head - first + 1)
    assert _notes(deep, account) == []
    deep.settle()
    assert _notes(deep, account) == [str(n) for n in range(30)]
