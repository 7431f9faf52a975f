"""Invariant 8 for transactions: a crash at any step repeats no side effect and loses none."""

import pytest

from offchain.chain.attempt import Attempt
from offchain.chain.errors import (
    NodeRefused,
    NodeUnavailable,
    TransactionReplaced,
    TransactionTimeout,
)
from offchain.chain.facts import ContractRevert
from offchain.chain.gateway import Call, ChainGateway
from offchain.chain.outbox import TransactionOutbox, TransactionState
from offchain.chain.sender import Sender

PROBE = "GatewayProbe"


class Crash(BaseException):
    """Stands for the process's death: nothing below the test catches it."""


@pytest.fixture
def outbox(tmp_path):
    journal = TransactionOutbox(tmp_path / "outbox.sqlite")
    yield journal
    journal.close()


@pytest.fixture
def sending(anvil, deployment, account, outbox):
    return ChainGateway(anvil.url, deployment, account=account, outbox=outbox, timeout_s=10)


def _counted(gateway, account) -> int:
    return len(gateway.events(PROBE, "Counted", from_block=0, by=account.address))


def _nonce(anvil, account) -> int:
    return int(anvil.request("eth_getTransactionCount", account.address, "latest"), 16)


@pytest.mark.parametrize("step", ["record", "_broadcast", "_wait"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_transact__crash_around_each_step__is_done_exactly_once(
    sending, account, anvil, deployment, tmp_path, monkeypatch, step, moment
):
    owner = TransactionOutbox if step == "record" else Sender
    real = getattr(owner, step)

    def crash(*args, **kwargs):
        if moment == "after":
            real(*args, **kwargs)
        raise Crash

    monkeypatch.setattr(owner, step, crash)
    with pytest.raises(Crash):
        sending.transact(PROBE, "increment", "crashed", intent="anchor:1")
    monkeypatch.undo()

    reopened = TransactionOutbox(tmp_path / "outbox.sqlite")
    restarted = ChainGateway(anvil.url, deployment, account=account, outbox=reopened)
    first = restarted.transact(PROBE, "increment", "crashed", intent="anchor:1")
    again = restarted.transact(PROBE, "increment", "crashed", intent="anchor:1")
    assert first == again
    assert _counted(restarted, account) == _nonce(anvil, account) == 1


def test_transact__same_intent_twice__gives_the_same_receipt(sending, account):
    first = sending.transact(PROBE, "increment", "x", intent="a")
    assert sending.transact(PROBE, "increment", "x", intent="a") == first
    assert sending.transact(PROBE, "increment", "x", intent="b") != first
    assert _counted(sending, account) == 2


def test_transact_many__some_intents_are_done__sends_only_the_others(sending, account):
    done = sending.transact(PROBE, "increment", "1", intent="i1")
    calls = [Call(PROBE, "increment", (str(i),), intent=f"i{i}") for i in range(4)]
    receipts = sending.transact_many(calls)
    assert receipts[1] == done
    assert len({receipt.tx_hash for receipt in receipts}) == 4
    assert _counted(sending, account) == 4


def test_transact__mined_refusal__lets_the_intent_be_tried_again(sending, account):
    sending.transact(PROBE, "once", 501)
    with pytest.raises(ContractRevert):
        sending.transact(PROBE, "once", 501, gas=90_000, dry_call=False, intent="try")
    assert sending.transact(PROBE, "increment", "ok", intent="try").success


def test_transact__node_is_silent_after_taking_it__is_settled_next_time(
    sending, account, anvil, monkeypatch
):
    real = sending.endpoint.batch

    def deaf(calls, **options):
        if calls[0][0] != "eth_sendRawTransaction":
            return real(calls, **options)
        real(calls, **options)
        raise NodeUnavailable("the connection broke after the request was sent")

    monkeypatch.setattr(sending.endpoint, "batch", deaf)
    with pytest.raises(NodeUnavailable):
        sending.transact(PROBE, "increment", "x", intent="silent")
    monkeypatch.undo()
    sending.transact(PROBE, "increment", "x", intent="silent")
    assert _counted(sending, account) == 1


def test_transact__node_reports_an_error_after_taking_it__believes_the_chain(
    sending, account, monkeypatch
):
    real = sending.endpoint.batch

    def lying(calls, **options):
        answers = real(calls, **options)
        if calls[0][0] == "eth_sendRawTransaction":
            return [NodeRefused("eth_sendRawTransaction", -32000, "internal error")]
        return answers

    monkeypatch.setattr(sending.endpoint, "batch", lying)
    assert sending.transact(PROBE, "increment", "x", intent="lied").success
    assert _counted(sending, account) == 1


@pytest.mark.parametrize("words", ["already known", "nonce too low: next nonce 1, tx nonce 0"])
def test_transact__node_says_it_is_known__looks_at_the_receipt(sending, monkeypatch, words):
    real = sending.endpoint.batch

    def known(calls, **options):
        answers = real(calls, **options)
        if calls[0][0] == "eth_sendRawTransaction":
            return [NodeRefused("eth_sendRawTransaction", -32000, words)]
        return answers

    monkeypatch.setattr(sending.endpoint, "batch", known)
    assert sending.transact(PROBE, "increment", "x").success


def test_transact__node_refuses_it__says_why_and_the_intent_stays_open(
    sending, outbox, account, anvil
):
    anvil.set_balance(account.address, 10**10)
    with pytest.raises(NodeRefused, match=r"(?i)insufficient"):
        sending.transact(PROBE, "increment", "x", gas=90_000, dry_call=False, intent="poor")
    stored = outbox.of_intent(anvil.chain_id, account.address, "poor")
    assert [item.state for item in stored] == [TransactionState.REFUSED]
    anvil.set_balance(account.address, 10**18)
    assert sending.transact(PROBE, "increment", "x", intent="poor").success
    assert _counted(sending, account) == 1


def test_transact__another_used_the_nonce__is_signed_anew(
    sending, outbox, account, anvil, deployment, monkeypatch
):
    monkeypatch.setattr(Sender, "_broadcast", lambda *_: (_ for _ in ()).throw(Crash()))
    with pytest.raises(Crash):
        sending.transact(PROBE, "increment", "lost", intent="lost")
    monkeypatch.undo()
    stranger = ChainGateway(anvil.url, deployment, account=account)  # knows no outbox
    stranger.transact(PROBE, "increment", "took the nonce")
    monkeypatch.setattr("offchain.chain.sender._RESEND_S", 0.05)
    assert sending.transact(PROBE, "increment", "lost", intent="lost").success
    states = [i.state for i in outbox.of_intent(anvil.chain_id, account.address, "lost")]
    assert states == [TransactionState.MINED, TransactionState.REPLACED]
    assert _counted(sending, account) == 2


def test_wait__nonce_is_used_by_another__names_the_transaction(sending, account, monkeypatch):
    monkeypatch.setattr("offchain.chain.sender._RESEND_S", 0.05)
    sender = sending._signer()
    lost = sender._sign(_unsigned(sender), 0, 10**9)
    sending.transact(PROBE, "increment", "took the nonce")
    with pytest.raises(TransactionReplaced, match=lost.tx_hash):
        sender._wait([Attempt([lost])])


def _unsigned(sender):
    from offchain.chain.sender import Unsigned

    return Unsigned(to=sender.address, data=b"", value_wei=1, gas=21_000)


def test_transact__dropped_by_the_node_while_waiting__is_sent_again(
    sending, account, anvil, monkeypatch
):
    monkeypatch.setattr("offchain.chain.sender._RESEND_S", 0.05)
    real = Sender._broadcast
    monkeypatch.setattr(Sender, "_broadcast", lambda *_: {})  # the node forgets it at once
    receipt = sending.transact(PROBE, "increment", "x")
    monkeypatch.setattr(Sender, "_broadcast", real)
    assert receipt.success
    assert _counted(sending, account) == 1


@pytest.mark.parametrize(
    "words",
    [
        "txpool is full",
        "transaction underpriced",
        "future transaction tries to replace pending transaction",
    ],
)
def test_transact_many__pool_is_full_for_a_while__all_come_again_and_count_once(
    sending, account, anvil, outbox, monkeypatch, words
):
    monkeypatch.setattr("offchain.chain.sender._RESEND_S", 0.05)
    real, turned_away = sending.endpoint.batch, []

    def batch(asked, **options):
        if {one.method for one in asked} != {"eth_sendRawTransaction"} or len(turned_away) >= 2:
            return real(asked, **options)
        turned_away.append(len(asked))  # one finds room each time
        refusals = [NodeRefused(one.method, -32000, words) for one in asked[1:]]
        return [*real(asked[:1]), *refusals]

    monkeypatch.setattr(sending.endpoint, "batch", batch)
    calls = [Call(PROBE, "increment", (f"n{at}",), gas=90_000, intent=f"n{at}") for at in range(5)]

    receipts = sending.transact_many(calls, dry_call=False)

    assert turned_away and all(receipt.success for receipt in receipts)
    assert _counted(sending, account) == 5 and _nonce(anvil, account) == 5
    states = [outbox.of_intent(anvil.chain_id, account.address, f"n{at}") for at in range(5)]
    assert [[one.state for one in held] for held in states] == [[TransactionState.MINED]] * 5


def test_transact__pool_stays_full__times_out_and_the_next_run_sends_it(
    anvil, deployment, account, outbox, monkeypatch
):
    hasty = ChainGateway(anvil.url, deployment, account=account, outbox=outbox, timeout_s=0.2)
    real = hasty.endpoint.batch

    def batch(asked, **options):
        if asked[0].method != "eth_sendRawTransaction":
            return real(asked, **options)
        return [NodeRefused(one.method, -32000, "txpool is full") for one in asked]

    monkeypatch.setattr(hasty.endpoint, "batch", batch)
    with pytest.raises(TransactionTimeout):
        hasty.transact(PROBE, "increment", "x", gas=90_000, intent="x")
    assert hasty.is_begun("x") and _counted(hasty, account) == 0

    later = ChainGateway(anvil.url, deployment, account=account, outbox=outbox, timeout_s=10)
    later.settle()
    assert _counted(later, account) == 1
    assert later.transact(PROBE, "increment", "x", intent="x").success
    assert _counted(later, account) == 1


def test_transact__reorganisation_takes_it_off__comes_back_by_the_same_bytes(
    sending, account, anvil, monkeypatch
):
    first = sending.transact(PROBE, "increment", "x", intent="reorged")
    anvil.reorg(1)
    assert anvil.request("eth_getTransactionReceipt", first.tx_hash) is None
    monkeypatch.setattr("offchain.chain.sender._RESEND_S", 0.05)
    again = sending.transact(PROBE, "increment", "x", intent="reorged")
    assert again.tx_hash == first.tx_hash
    assert again.block_hash != first.block_hash
    assert _counted(sending, account) == 1


def test_transact__node_is_behind_and_gives_a_used_nonce__leaves_what_was_mined_with_it(
    sending, account, outbox, monkeypatch
):
    monkeypatch.setattr("offchain.chain.sender._RESEND_S", 0.05)
    used = sending._signer()._nonce()
    first = sending.transact(PROBE, "increment", "a", intent="a")
    monkeypatch.setattr(Sender, "_nonce", lambda _: used)
    with pytest.raises(TransactionReplaced):
        sending.transact(PROBE, "increment", "b", gas=90_000, dry_call=False, intent="b")
    monkeypatch.undo()

    def state(intent):
        (row,) = outbox.of_intent(sending.chain_id, account.address, intent)
        return row.state

    assert (state("a"), state("b")) == (TransactionState.MINED, TransactionState.REPLACED)
    assert sending.is_begun("a") and not sending.is_begun("b")
    assert sending.transact(PROBE, "increment", "a", intent="a").tx_hash == first.tx_hash


def test_transact__unsettled_one_blocks_the_account__times_out(
    sending, account, anvil, deployment, outbox
):
    hasty = ChainGateway(anvil.url, deployment, account=account, outbox=outbox, timeout_s=0.1)
    anvil.request("evm_setAutomine", False)
    try:
        for _ in range(2):
            with pytest.raises(TransactionTimeout):
                hasty.transact(PROBE, "increment", "x", gas=90_000, dry_call=False)
    finally:
        anvil.request("evm_setAutomine", True)
        anvil.mine()
    assert sending.transact(PROBE, "increment", "y").success
    assert _counted(sending, account) == 2


def test_transact__journal_holds_one_behind_a_gap__fills_the_gap_and_both_count(
    sending, account, outbox, anvil, monkeypatch
):
    """The one before was refused for good, say for want of money: nothing may wait for ever."""
    monkeypatch.setattr(Sender, "_broadcast", lambda *_: (_ for _ in ()).throw(Crash()))
    calls = [Call(PROBE, "increment", (note,), gas=90_000, intent=note) for note in ("a", "b")]
    with pytest.raises(Crash):
        sending.transact_many(calls, dry_call=False)
    monkeypatch.undo()
    (first,) = outbox.of_intent(anvil.chain_id, account.address, "a")
    outbox.mark(first.tx_hash, TransactionState.REFUSED)

    assert sending.transact(PROBE, "increment", "c", intent="c").success

    sending.settle()
    notes = [
        e.args["note"] for e in sending.events(PROBE, "Counted", from_block=0, by=account.address)
    ]
    assert notes == ["c", "b"]
    assert sending.is_settled()


def test_transfer__same_intent_twice__pays_once(sending):
    receiver = "0x" + "ab" * 20
    before = sending.balance_wei(receiver)
    assert sending.transfer(receiver, 7, intent="t") == sending.transfer(receiver, 7, intent="t")
    assert sending.balance_wei(receiver) == before + 7
