"""Gas by step: which transaction counts as which step."""

from typing import Any

import pytest

from offchain.chain import codec
from offchain.chain.answers import MinedReceipt, SentTransaction
from offchain.chain.gateway import ChainGateway
from offchain.chain.questions import Question
from offchain.demo.gas import REQUIRED, fees_wei, gas_by_step

BOARD, LEDGER, DOOR = ("0x" + digit * 40 for digit in "abc")
PRICE_WEI = 3


def function(name: str, *types: str) -> dict[str, Any]:
    inputs = [{"name": f"a{n}", "type": kind} for n, kind in enumerate(types)]
    return {"type": "function", "name": name, "inputs": inputs, "outputs": []}


ABIS = {
    "Board": (BOARD, [function("report", "int32"), {"type": "event", "name": "Seen"}]),
    "Ledger": (LEDGER, [function("anchor", "uint64"), function("setSharingTerms", "uint96")]),
    "Door": (DOOR, [function("execute", "uint256", "address", "uint256", "bytes")]),
}


class Deployment:
    """The addresses and ABIs of three contracts."""

    names = tuple(ABIS)

    def address(self, name: str) -> str:
        return ABIS[name][0].upper().replace("0X", "0x")

    def abi(self, name: str) -> list[dict[str, Any]]:
        return ABIS[name][1]


class Chain:
    """A chain of one block with the given transactions, behind the gateway's reading side."""

    def __init__(self, *transactions: tuple[str | None, str, int, bool, str]) -> None:
        self.deployment, self.endpoint = Deployment(), self
        self._transactions = transactions

    def block_number(self) -> int:
        return 0

    def batch(self, asked: list[Question[Any]]) -> list[Any]:
        (question,) = asked
        if question.method == "eth_getBlockByNumber":
            sent = [
                SentTransaction("0x", sender, to, 0, bytes.fromhex(data[2:]))
                for to, data, _, _, sender in self._transactions
            ]
            return [tuple(sent)]
        return [
            tuple(
                MinedReceipt("0x", sender, 0, b"", gas, PRICE_WEI, ok, ())
                for _, _, gas, ok, sender in self._transactions
            )
        ]


def data_of(contract: str, name: str, *args: Any) -> str:
    entry = next(one for one in ABIS[contract][1] if one.get("name") == name)
    return "0x" + codec.encode_call(entry, args).hex()


def steps_of(*transactions: tuple[str | None, str, int, bool, str]) -> dict[str, int]:
    chain: Any = Chain(*transactions)
    return {step: gas for step, gas in gas_by_step(chain).items() if gas}


def test_gas_by_step__nothing_happened__has_every_required_step_as_zero() -> None:
    chain: Any = Chain()
    assert gas_by_step(chain) == dict.fromkeys(REQUIRED, 0)


def test_gas_by_step__deployments__are_summed() -> None:
    assert steps_of((None, "0x60", 100, True, "0xa"), (None, "0x60", 7, True, "0xa")) == {
        "deploy": 107
    }


@pytest.mark.parametrize(("amounts", "median"), [([5], 5), ([1, 9, 4], 4), ([1, 9, 4, 6], 4)])
def test_gas_by_step__several_of_a_step__is_their_median_as_integer(
    amounts: list[int], median: int
) -> None:
    sent = data_of("Ledger", "anchor", 1)
    assert steps_of(*((LEDGER, sent, gas, True, "0xa") for gas in amounts)) == {"anchor": median}


def test_gas_by_step__a_reverted_transaction__does_not_count() -> None:
    sent = data_of("Ledger", "anchor", 1)
    assert steps_of((LEDGER, sent, 9, False, "0xa")) == {}


def test_gas_by_step__a_report__is_called_notify() -> None:
    assert steps_of((BOARD, data_of("Board", "report", -5), 40, True, "0xa")) == {"notify": 40}


def test_gas_by_step__through_the_consortiums_door__counts_the_call_behind_it() -> None:
    inner = bytes.fromhex(data_of("Ledger", "setSharingTerms", 5)[2:])
    sent = data_of("Door", "execute", 7, LEDGER, 0, inner)
    assert steps_of((DOOR, sent, 60, True, "0xa")) == {"set_sharing_terms": 60}


@pytest.mark.parametrize("transaction", [("0x" + "d" * 40, "0x12345678"), (LEDGER, "0x")])
def test_gas_by_step__of_no_known_function__is_left_out(transaction: tuple[str, str]) -> None:
    assert steps_of((*transaction, 21_000, True, "0xa")) == {}


def test_fees_wei__of_some_senders__count_reverted_ones_too_and_nobody_elses() -> None:
    of_a, of_b = (LEDGER, "0x", 10, True, "0xaa"), (LEDGER, "0x", 5, False, "0xbb")
    chain: Any = Chain(of_a, of_b, (LEDGER, "0x", 70, True, "0xcc"))
    gateway: ChainGateway = chain
    assert fees_wei(gateway, senders=["0xAA", "0xbb"]) == 15 * PRICE_WEI
    assert fees_wei(gateway, senders=["0xBB"]) == 5 * PRICE_WEI
