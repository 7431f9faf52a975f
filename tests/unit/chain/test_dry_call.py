"""Dry calls at the pending block, and what a node says whose pending block lags behind."""

from collections.abc import Sequence
from typing import Any

import pytest

from offchain.chain import questions
from offchain.chain.dry_call import dry_call
from offchain.chain.errors import NodeRefused

REVERT = NodeRefused("eth_call", 3, "execution reverted", "0x08c379a0")
NONCE = 41
BESIDE = questions.nonce("0x" + "11" * 20, "latest")
POOR = NodeRefused("eth_call", -32000, "insufficient funds for gas * price + value")


class Node:
    """Answers every call with `at[block]`, and has blocks of these numbers."""

    def __init__(self, at: dict[str, Any], *, pending: int | None, latest: int = 7) -> None:
        self.at, self.numbers = at, {"pending": pending, "latest": latest}
        self.alone: list[bool] = []

    def batch(self, calls: Sequence[Any], *, first_alone: bool = False) -> list[Any]:
        self.alone.append(first_alone)
        return [self._answer(one.method, one.params) for one in calls]

    def _answer(self, method: str, params: Sequence[Any]) -> Any:
        if method == "eth_getBlockByNumber":
            return self.numbers["pending"]
        if method == "eth_blockNumber":
            return self.numbers["latest"]
        if method == "eth_getTransactionCount":
            return NONCE
        return self.at[params[1]]


def answers(node: Any, block: str = "pending") -> list[Any]:
    (answer,), nonce = dry_call(
        node, lambda at: [({"to": "0x"}, at)], block, first_alone=True, beside=BESIDE
    )
    assert nonce == NONCE
    return list(answer)


@pytest.mark.parametrize("pending", [6, 7, None])
def test_dry_call__pending_block_behind__asks_at_the_latest(pending: int | None) -> None:
    node = Node({"pending": REVERT, "latest": "0x1"}, pending=pending)
    assert answers(node) == ["0x1", "0x1"]
    assert node.alone == [True] * 3  # a secret goes nowhere else on the way either


def test_dry_call__pending_block_ahead__believes_its_revert() -> None:
    assert answers(Node({"pending": REVERT, "latest": "0x1"}, pending=8)) == [REVERT, REVERT]


def test_dry_call__pending_block_renewed_just_now__asks_there_again() -> None:
    node = Node({"pending": REVERT, "latest": REVERT}, pending=8)

    def renew(at: str | int) -> list[Any]:
        if node.alone:  # asked before
            node.at["pending"] = "0x1"
        return [({"to": "0x"}, at)]

    endpoint: Any = node
    found, nonce = dry_call(endpoint, renew, "pending", first_alone=False, beside=BESIDE)
    assert (found, nonce) == ([("0x1", "0x1")], NONCE)


def test_dry_call__reverted_at_the_latest_too__says_so() -> None:
    assert answers(Node({"pending": REVERT, "latest": REVERT}, pending=7)) == [REVERT, REVERT]


def test_dry_call__refused_for_another_reason__is_not_asked_again() -> None:
    node = Node({"pending": POOR, "latest": "0x1"}, pending=7)
    assert answers(node) == [POOR, POOR] and len(node.alone) == 1


def test_dry_call__at_a_block_that_was_named__stays_there() -> None:
    node = Node({"0x5": REVERT, "latest": "0x1"}, pending=7)
    assert answers(node, "0x5") == [REVERT, REVERT] and len(node.alone) == 1


def test_dry_call__given_the_gas_of_some__estimates_the_others_alone() -> None:
    node: Any = Node({"latest": "0x1"}, pending=8)
    asked: list[str] = []
    real = node.batch

    def noting(calls: Sequence[Any], **how: bool) -> list[Any]:
        asked.extend(one.method for one in calls)
        return real(calls, **how)

    node.batch = noting
    fields = [{"to": "0x"}, {"to": "0x", "gas": "0x5208"}, {"to": "0x"}]
    found, _ = dry_call(
        node,
        lambda at: [(one, at) for one in fields],
        "latest",
        first_alone=False,
        beside=BESIDE,
    )
    assert found == [("0x1", "0x1"), ("0x1", None), ("0x1", "0x1")]
    assert asked == ["eth_call"] * 3 + ["eth_estimateGas"] * 2 + ["eth_getTransactionCount"]
