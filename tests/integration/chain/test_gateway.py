"""The gateway on a real chain: calls, transactions, refusals by name, receipts, batches."""

import threading

import pytest
from eth_account import Account

from offchain.chain import questions
from offchain.chain.deployment import Deployment
from offchain.chain.errors import (
    AbiMismatch,
    AccountMissing,
    ChainMismatch,
    DeploymentInvalid,
    EventMissing,
    NodeRefused,
    NodeUnavailable,
    TransactionTimeout,
)
from offchain.chain.facts import ContractRevert
from offchain.chain.gateway import Call, ChainGateway
from offchain.chain.outbox import TransactionOutbox, TransactionState

PROBE = "GatewayProbe"


def test_connect__another_chain__is_refused(anvil, deployment):
    with pytest.raises(ChainMismatch, match="31337"):
        ChainGateway(anvil.url, Deployment(1, deployment.contracts))


def test_connect__nobody_listens__is_unavailable(deployment):
    with pytest.raises(NodeUnavailable, match=r"127\.0\.0\.1:9"):
        ChainGateway("http://127.0.0.1:9", deployment)


def test_connect__first_endpoint_is_dead__uses_the_second(anvil, deployment, account):
    gateway = ChainGateway(["http://127.0.0.1:9", anvil.url], deployment, account=account)
    assert gateway.transact(PROBE, "increment", "over the second").success


def test_transact__secret_and_first_endpoint_is_dead__shows_it_to_nobody(
    anvil, deployment, account
):
    gateway = ChainGateway(["http://127.0.0.1:9", anvil.url], deployment, account=account)
    with pytest.raises(NodeUnavailable, match="shown to no other"):
        gateway.transact(PROBE, "increment", "a secret", secret=True)
    nonce = anvil.request("eth_getTransactionCount", account.address, "latest")
    assert int(nonce, 16) == 0
    own_first = ChainGateway([anvil.url, "http://127.0.0.1:9"], deployment, account=account)
    assert own_first.transact(PROBE, "increment", "a secret", secret=True).success


def test_is_begun__by_outbox__tells_what_may_still_be_mined(anvil, deployment, account, tmp_path):
    outbox = TransactionOutbox(tmp_path / "outbox.sqlite")
    gateway = ChainGateway(anvil.url, deployment, account=account, outbox=outbox)
    plain = ChainGateway(anvil.url, deployment, account=account)
    assert not gateway.is_begun("once")
    receipt = gateway.transact(PROBE, "increment", "x", intent="once")
    for state, begun in ((TransactionState.MINED, True), (TransactionState.SIGNED, True)):
        outbox.mark(receipt.tx_hash, state)
        assert gateway.is_begun("once") is begun
    for state in (TransactionState.FAILED, TransactionState.REFUSED, TransactionState.REPLACED):
        outbox.mark(receipt.tx_hash, state)
        assert not gateway.is_begun("once")
    assert not plain.is_begun("once")
    outbox.close()


def test_call__struct_with_nested_points__comes_back_named(gateway):
    points = [(1, 2), {"x": 3, "y": 4}]
    record = {"owner": gateway.address, "points": points, "digest": b"\x05" * 32}
    answer = gateway.call(PROBE, "echo", record)
    assert answer.owner == gateway.address
    assert [point.y for point in answer.points] == [2, 4]
    assert answer == (gateway.address, [(1, 2), (3, 4)], b"\x05" * 32)


def test_call__several_results__are_a_named_tuple(gateway, deployment):
    assert gateway.call(PROBE, "twoValues").self == deployment.address(PROBE)


def test_call__overloaded_name__needs_the_signature(gateway):
    assert gateway.call(PROBE, "overloaded(uint256)", 5) == 5
    with pytest.raises(AbiMismatch, match=r"overloaded\(bytes32\)"):
        gateway.call(PROBE, "overloaded", 5)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("nothing", ()),
        ("once", ()),
        ("once", (-1,)),
        ("once", (1.0,)),
        ("overloaded(bytes32)", (b"\x01" * 31,)),
        ("echo", ({"owner": "0x" + "00" * 20, "points": []},)),
    ],
)
def test_call__arguments_that_do_not_fit__name_the_function(gateway, function, arguments):
    with pytest.raises(AbiMismatch, match=function.split("(")[0]):
        gateway.call(PROBE, function, *arguments)


def test_call__no_contract_at_the_address__says_so(anvil, deployment):
    contract = deployment.contract(PROBE)
    moved = type(contract)(PROBE, Account.create().address, 0, contract.abi)
    gateway = ChainGateway(anvil.url, Deployment(anvil.chain_id, {PROBE: moved}))
    with pytest.raises(DeploymentInvalid, match=moved.address):
        gateway.call(PROBE, "count")
    with pytest.raises(DeploymentInvalid, match="Missing"):
        gateway.call("Missing", "count")


def test_call__an_earlier_block__gives_the_value_of_then(gateway):
    first = gateway.transact(PROBE, "increment", "a")
    gateway.transact(PROBE, "increment", "b")
    before = gateway.call(PROBE, "count", block=first.block_number)
    assert gateway.call(PROBE, "count") == before + 1


def test_call_many__mixed_reads__come_in_order(gateway, deployment):
    reads = [(PROBE, "overloaded(uint256)", (number,)) for number in range(450)]
    results = gateway.call_many([*reads, Call(PROBE, "inner")])
    assert results[:450] == list(range(450))
    assert results[450] == deployment.address("GatewayProbeInner")


def test_transact__success__gives_receipt_events_and_exact_fee(gateway, account):
    before = gateway.balance_wei(account.address)
    receipt = gateway.transact(PROBE, "increment", "hello", value_wei=5)
    assert receipt.success
    assert receipt.sender == account.address
    assert gateway.balance_wei(account.address) == before - 5 - receipt.fee_wei
    assert receipt.gas_price_wei >= 10**9
    event = receipt.event("Counted")
    count = gateway.call(PROBE, "count")
    assert dict(event.args) == {
        "id": count,
        "by": account.address,
        "note": "hello",
        "pair": [count, count * 2],
    }
    assert event.contract == PROBE
    assert event.block_hash == gateway.block(receipt.block_number).hash
    with pytest.raises(EventMissing, match="Counted"):
        receipt.event("Marked")


def test_transact__indexed_string__is_its_hash_in_the_event(gateway):
    event = gateway.transact(PROBE, "mark", "label", b"data").event("Marked")
    assert len(event.args["label"]) == 32
    assert event.args["data"] == b"data"


REFUSALS = [
    ("onlyBefore", (1,), 0, "GatewayProbe_Expired", PROBE, "1970-01-01 00:00:01 UTC"),
    ("bubble", (), 3, "GatewayProbeInner_TooLittle", "GatewayProbeInner", "given 3 wei"),
    ("wrap", (), 3, "GatewayProbe_InnerFailed", PROBE, "GatewayProbeInner refused: too little"),
    ("failWithReason", (), 0, "Error", PROBE, "the count is not zero"),
    ("failWithoutReason", (), 0, "Unknown", PROBE, "without a reason"),
    ("panic", (0,), 0, "Panic", PROBE, "division by zero"),
]


@pytest.mark.parametrize(("function", "args", "value", "name", "contract", "words"), REFUSALS)
def test_transact__dry_call_is_refused__raises_the_named_error_and_sends_nothing(
    gateway, account, function, args, value, name, contract, words
):
    before = gateway.balance_wei(account.address)
    with pytest.raises(ContractRevert, match=words) as caught:
        gateway.transact(PROBE, function, *args, value_wei=value)
    assert (caught.value.name, caught.value.contract) == (name, contract)
    assert caught.value.receipt is None
    assert gateway.balance_wei(account.address) == before


@pytest.mark.parametrize(("function", "args", "value", "name", "contract", "words"), REFUSALS)
def test_transact__without_a_dry_call__is_mined_refused_and_costs_gas_alone(
    gateway, account, function, args, value, name, contract, words
):
    before = gateway.balance_wei(account.address)
    with pytest.raises(ContractRevert, match=words) as caught:
        gateway.transact(PROBE, function, *args, value_wei=value, gas=200_000, dry_call=False)
    assert (caught.value.name, caught.value.contract) == (name, contract)
    receipt = caught.value.receipt
    assert not receipt.success
    assert receipt.fee_wei > 0
    assert gateway.balance_wei(account.address) == before - receipt.fee_wei


def test_transact__refused__has_the_arguments_by_name(gateway, account):
    with pytest.raises(ContractRevert) as caught:
        gateway.transact(PROBE, "bubble", value_wei=9)
    inner = gateway.call(PROBE, "inner")
    assert inner == gateway.deployment.address("GatewayProbeInner")
    assert caught.value.arguments == {
        "sender": gateway.deployment.address(PROBE),
        "givenWei": 9,
        "neededWei": 10**18,
    }


def test_transact__out_of_gas__is_named(gateway):
    with pytest.raises(ContractRevert) as caught:
        gateway.transact(PROBE, "burn", 100, gas=100_000, dry_call=False)
    assert caught.value.name == "OutOfGas"
    assert caught.value.receipt.gas_used == 100_000


def test_transact__refused_for_its_time__is_decoded_at_the_time_of_its_block(gateway, anvil):
    deadline = anvil.now() + 1000
    anvil.next_timestamp(deadline)
    with pytest.raises(ContractRevert) as caught:
        gateway.transact(PROBE, "onlyBefore", deadline, gas=100_000, dry_call=False)
    assert caught.value.arguments["nowAt"] == caught.value.arguments["expiresAt"] == deadline


def test_transact__more_than_the_account_has__is_the_nodes_refusal(gateway):
    with pytest.raises(NodeRefused, match=r"(?i)insufficient"):
        gateway.transact(PROBE, "increment", "", value_wei=10**24)


def test_transact__without_an_account__says_so(anvil, deployment):
    with pytest.raises(AccountMissing):
        ChainGateway(anvil.url, deployment).transact(PROBE, "increment", "")


def test_transact__no_dry_call_and_no_gas__is_a_mistake(gateway):
    with pytest.raises(ValueError, match="gas"):
        gateway.transact(PROBE, "increment", "", dry_call=False)


def test_transact__gas_price_given__is_paid(anvil, deployment, account):
    gateway = ChainGateway(anvil.url, deployment, account=account, gas_price_wei=7 * 10**9)
    assert gateway.transact(PROBE, "increment", "").gas_price_wei == 7 * 10**9


def test_transact__eight_threads_of_one_account__use_each_nonce_once(gateway, anvil, account):
    receipts = []

    def work():
        gateway_of_thread = gateway.with_account(account)
        receipts.extend(gateway_of_thread.transact(PROBE, "increment", "t") for _ in range(5))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({receipt.event("Counted").args["id"] for receipt in receipts}) == 40
    assert int(anvil.request("eth_getTransactionCount", account.address, "latest"), 16) == 40


def test_transact__nothing_is_mined__times_out_with_the_hash(anvil, deployment, account):
    gateway = ChainGateway(anvil.url, deployment, account=account, timeout_s=0.2)
    anvil.request("evm_setAutomine", False)
    try:
        with pytest.raises(TransactionTimeout) as caught:
            gateway.transact(PROBE, "increment", "", gas=100_000, dry_call=False)
    finally:
        anvil.request("evm_setAutomine", True)
        anvil.mine()
    assert anvil.request("eth_getTransactionReceipt", caught.value.tx_hash)["status"] == "0x1"


def test_transact_many__one_is_refused_when_mined__the_others_stand(gateway):
    calls = [Call(PROBE, "once", (77,), gas=200_000) for _ in range(2)]
    calls.append(Call(PROBE, "increment", ("after",), gas=200_000))
    first, second, third = gateway.transact_many(calls, dry_call=False)
    assert first.success
    assert third.success
    assert not second.success
    assert second.revert.name == "GatewayProbe_Once"


def test_transact_many__hundred__have_consecutive_nonces(gateway, anvil):
    receipts = gateway.transact_many([Call(PROBE, "increment", ("m",)) for _ in range(100)])
    counts = [receipt.event("Counted").args["id"] for receipt in receipts]
    assert counts == list(range(counts[0], counts[0] + 100))


def test_transact_many__a_middle_one_is_refused_by_the_node__the_rest_is_mined(
    gateway, anvil, account
):
    start = gateway.call(PROBE, "count")
    calls = [Call(PROBE, "increment", ("g",), gas=100_000) for _ in range(3)]
    calls[1] = Call(PROBE, "increment", ("too dear",), value_wei=10**24, gas=100_000)
    with pytest.raises(NodeRefused, match=r"(?i)insufficient"):
        gateway.transact_many(calls, dry_call=False)
    assert gateway.call(PROBE, "count") == start + 2
    assert gateway.transact(PROBE, "increment", "goes on").success


def test_transfer__to_a_new_account__arrives(gateway):
    receiver = Account.create().address
    receipt = gateway.transfer(receiver, 12345)
    assert gateway.balance_wei(receiver) == 12345
    assert receipt.gas_used == 21_000


def test_events__filtered_by_an_indexed_argument__are_only_those(gateway, account):
    receipt = gateway.transact(PROBE, "increment", "mine")
    found = gateway.events(PROBE, "Counted", from_block=0, by=account.address)
    assert [event.tx_hash for event in found] == [receipt.tx_hash]
    with pytest.raises(AbiMismatch, match="note"):
        gateway.events(PROBE, "Counted", from_block=0, note="x")
    with pytest.raises(AbiMismatch, match="Nothing"):
        gateway.events(PROBE, "Nothing", from_block=0)


def test_transact__receipt_shown_before_its_block_is_the_latest__waits_for_that(
    gateway, monkeypatch
):
    behind, real = [3], gateway.endpoint.batch

    def show_the_receipt_early(calls, **how):
        answers = real(calls, **how)
        if calls[0][0] == "eth_getTransactionReceipt" and answers[0] and behind[0]:
            behind[0] -= 1
            assert calls[-1] == questions.block_number()
            answers[-1] = answers[0].block_number - 1
        return answers

    monkeypatch.setattr(gateway.endpoint, "batch", show_the_receipt_early)
    assert gateway.transact(PROBE, "increment", "late").success
    assert behind == [0]


@pytest.mark.parametrize("knows_block_receipts", [True, False])
def test_transact_many__more_than_a_batch_of_receipts__gives_each_its_own(
    anvil, deployment, account, tmp_path, monkeypatch, knows_block_receipts
):
    outbox = TransactionOutbox(tmp_path / "outbox.sqlite")
    gateway = ChainGateway(anvil.url, deployment, account=account, outbox=outbox)
    asked, real = [], gateway.endpoint.batch

    def noting(calls, **how):
        asked.extend(one.method for one in calls)
        if calls[0][0] == "eth_getBlockReceipts" and not knows_block_receipts:
            unknown = NodeRefused("eth_getBlockReceipts", -32601, "the method does not exist")
            return [unknown, *real(calls[1:], **how)]
        return real(calls, **how)

    monkeypatch.setattr(gateway.endpoint, "batch", noting)
    calls = [Call(PROBE, "increment", (f"n{n}",), gas=100_000) for n in range(230)]
    receipts = gateway.transact_many(calls, dry_call=False)
    notes = [receipt.event("Counted").args["note"] for receipt in receipts]
    assert notes == [f"n{n}" for n in range(230)]
    assert "eth_getBlockReceipts" in asked
    assert gateway.is_settled()


def test_block__beyond_the_head__is_refused(gateway):
    with pytest.raises(NodeRefused, match="no block"):
        gateway.block(10**9)
    assert gateway.now() == gateway.block().timestamp
