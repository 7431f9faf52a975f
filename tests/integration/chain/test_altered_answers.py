"""A node that alters its answers: whoever has an honest one beside it notices nothing, and whoever
has no other is told so by an error of ours.
"""

from collections import Counter

import pytest
from eth_account import Account

from offchain.chain.calls import Call
from offchain.chain.errors import NodeUnavailable
from offchain.chain.gateway import ChainGateway
from offchain.chain.health import HealthLimits
from offchain.chain.outbox import TransactionOutbox
from offchain.errors import ChainError
from tests.altered_answers import IN_ANSWER, IN_BODY, altering_node

PROBE = "GatewayProbe"
ROUNDS = 8


@pytest.fixture
def members(anvil, deployment, account, tmp_path):
    """Open gateways of one account; those with several addresses ask each again at once."""
    outboxes = []

    def open_one(*urls):
        outboxes.append(TransactionOutbox(tmp_path / f"outbox-{len(outboxes)}.sqlite"))
        gateway = ChainGateway(urls, deployment, account=account, outbox=outboxes[-1], timeout_s=30)
        gateway.endpoint._retry_after_s = 0.0  # the altering one is preferred again and again
        gateway.endpoint._rests_until = [0.0] * len(urls)
        return gateway

    yield open_one
    for outbox in outboxes:
        outbox.close()


def reading(gateway):
    """What is read of a chain, by name: each a function without arguments."""
    known = gateway.address
    return {
        "call": lambda: gateway.call(PROBE, "inner"),
        "call_many": lambda: gateway.call_many([(PROBE, "inner", ())] * 3),
        "block": lambda: gateway.block(1),
        "latest": lambda: gateway.block().number,
        "block_number": gateway.block_number,
        "balance": lambda: gateway.balance_wei(known, 1),
        "events": lambda: gateway.events(PROBE, "Counted", from_block=0),
        "final": gateway.final_number,
        "gas_price": gateway.gas_price_wei,
        "cost": lambda: gateway.cost_wei(PROBE, "increment", "x"),
    }


def test_gateway__an_honest_node_beside_one_that_alters__works(anvil, members, account, tmp_path):
    honest = members(anvil.url)
    began = honest.block_number()
    with altering_node(anvil.url, share=0.3, seed=7) as node:
        gateway = members(node.url, anvil.url)
        notes = []
        for number in range(ROUNDS):
            note = f"one-{number}"
            receipt = gateway.transact(PROBE, "increment", note, intent=note)
            assert receipt.event("Counted").args["note"] == note
            two = [Call(PROBE, "increment", (f"{note}-{n}",), intent=f"{note}-{n}") for n in "ab"]
            assert all(one.success for one in gateway.transact_many(two))
            gateway.transfer(account.address, 1)
            assert gateway.is_final(receipt)
            followed = [
                gateway.follow(receipt) for _ in range(3)
            ]  # `null` for a receipt is believed
            assert any(one is not None and one.success for one in followed)
            assert gateway.health_gate(HealthLimits()).check() == []
            gateway.endpoint.avoid({})  # it goes on to be asked
            notes += [note, f"{note}-a", f"{note}-b"]
            wanted = {name: read() for name, read in reading(honest).items()}
            for name, read in reading(gateway).items():
                assert read() == wanted[name], name
        kinds = dict(node.altered)
    assert len(kinds) == len([*IN_ANSWER, *IN_BODY]), kinds
    counted = honest.events(PROBE, "Counted", from_block=began + 1, by=account.address)
    assert [event.args["note"] for event in counted] == notes


def test_gateway__only_a_node_that_alters__succeeds_or_says_why(anvil, members, account, tmp_path):
    honest = members(anvil.url)
    began, outcomes = honest.block_number(), Counter()
    with altering_node(anvil.url, share=0.0, seed=11) as node:
        gateway = members(node.url)
        truth = {name: read() for name, read in reading(gateway).items()}
        node.share = 0.2
        for _ in range(40):
            for name, read in reading(gateway).items():
                try:
                    found = read()
                except ChainError as error:
                    outcomes[type(error).__name__] += 1
                else:
                    outcomes["read"] += 1
                    assert found == truth[name], name
        for number in range(15):
            try:
                gateway.transact(PROBE, "increment", f"n{number}", intent=f"n{number}")
                outcomes["sent"] += 1
            except ChainError as error:
                outcomes[type(error).__name__] += 1
        node.share = 0.0
        for number in range(15):  # what became of it is known, or it is done now: once
            gateway.transact(PROBE, "increment", f"n{number}", intent=f"n{number}")
    notes = Counter(
        one.args["note"]
        for one in honest.events(PROBE, "Counted", from_block=began + 1, by=account.address)
    )
    assert notes == {f"n{number}": 1 for number in range(15)}
    assert outcomes["read"] > 100 and outcomes["NodeUnavailable"] > 10, outcomes


@pytest.mark.parametrize("kind", [*IN_ANSWER, *IN_BODY])
def test_gateway__every_answer_altered_in_one_way__is_an_error_of_ours(
    anvil, members, tmp_path, kind
):
    with altering_node(anvil.url, share=0.0, seed=3, kind=kind) as node:
        gateway = members(node.url)
        node.share = 1.0
        asked = reading(gateway) | {
            "transact": lambda: gateway.transact(PROBE, "increment", "x"),
            "transfer": lambda: gateway.transfer(gateway.address, 1),
            "health": lambda: gateway.health_gate(HealthLimits()).check(),
        }
        for name, do in asked.items():
            for _ in range(3):
                try:
                    do()
                except ChainError as error:
                    assert str(error).encode(), name


def test_open__every_answer_altered__is_unavailable_and_names_what_came(anvil, deployment):
    with altering_node(anvil.url, share=1.0, kind="null") as node:
        with pytest.raises(NodeUnavailable, match=r"eth_chainId.*None is no quantity"):
            ChainGateway(node.url, deployment, account=Account.create())
