"""A chain in memory that answers as a node does, and goes back when it is told to."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from offchain.chain import codec
from offchain.chain.deployment import DeployedContract, Deployment, load_abi
from offchain.chain.errors import NodeRefused
from offchain.chain.questions import Question
from offchain.chain.subscription import NewHeads
from offchain.types import to_account

CHAIN_ID = 31337
CONTRACTS = (
    "MemberRegistry",
    "ConsentBook",
    "DataLedger",
    "RequestCatalogue",
    "CreditBook",
    "PrepaidLock",
    "DataMarket",
    "DataSetBook",
    "DisputeCourt",
    "Consortium",
    "NotificationBoard",
    "TariffBook",
)
FIRST = 3  # the block that the contracts are in
START_S = 1_700_000_000


def address(number: int) -> str:
    """Return the checksummed account of a number."""
    return to_account(number.to_bytes(20, "big"))


def deployment() -> Deployment:
    """Return the contracts as this project has them, at addresses of their own."""
    contracts = {
        name: DeployedContract(name, address(0xC000 + place), FIRST, load_abi(name))
        for place, name in enumerate(CONTRACTS)
    }
    return Deployment(chain_id=CHAIN_ID, contracts=contracts)


@dataclass(frozen=True)
class Event:
    """What a contract says, by Solidity name."""

    contract: str
    name: str
    args: dict[str, Any]


@dataclass
class SimulatedBlock:
    number: int
    hash: str
    parent: str
    time_s: int
    events: tuple[Event, ...] = ()
    logs: list[dict[str, Any]] | None = None  # once they were asked for


@dataclass
class SimulatedChain:
    """Blocks from 0 on; `times_told`: whether logs carry their block's time, as some nodes do."""

    deployment: Deployment = field(default_factory=deployment)
    times_told: bool = True
    blocks: list[SimulatedBlock] = field(default_factory=list)
    salt: int = 0

    def __post_init__(self) -> None:
        while len(self.blocks) < FIRST:
            self.mine(())

    @property
    def head(self) -> int:
        return len(self.blocks) - 1

    def mine(self, events: Sequence[Event]) -> SimulatedBlock:
        """Append a block with these events."""
        number = len(self.blocks)
        parent = self.blocks[-1].hash if self.blocks else "0x" + "00" * 32
        digest = hashlib.sha256(f"{parent}{number}{self.salt}".encode()).hexdigest()
        block = SimulatedBlock(number, "0x" + digest, parent, START_S + 10 * number, tuple(events))
        self.blocks.append(block)
        return block

    def go_back(self, depth: int) -> None:
        """Take the last `depth` blocks off; what is mined next is another branch."""
        keep = max(FIRST, len(self.blocks) - depth)
        del self.blocks[keep:]
        self.salt += 1

    def told(self) -> list[tuple[SimulatedBlock, int, Event]]:
        """Return (block, log index, event) of all that the chain says."""
        return [(block, i, one) for block in self.blocks for i, one in enumerate(block.events)]

    # ---- as a node

    def answer(self, method: str, params: Sequence[Any], *, head: int | None = None) -> Any:
        """Return the result of a request to a node that knows blocks up to `head`."""
        head = self.head if head is None else min(head, self.head)
        if method == "eth_blockNumber":
            return hex(head)
        if method == "eth_getBlockByNumber":
            number = int(params[0], 16)
            return _header(self.blocks[number]) if number <= head else None
        if method == "eth_getLogs":
            wanted = params[0]
            start, end = int(wanted["fromBlock"], 16), int(wanted["toBlock"], 16)
            return [
                log
                for block in self.blocks[start : min(end, head) + 1]
                for log in self.logs(block)
                if log["address"].lower() in wanted["address"]
                and log["topics"][0] in wanted["topics"][0]
            ]
        raise NodeRefused(method, -32601, "the simulated chain does not know it")

    def logs(self, block: SimulatedBlock) -> list[dict[str, Any]]:
        """Return a block's logs in JSON-RPC form."""
        if block.logs is None:
            block.logs = self._encoded(block)
        return block.logs

    def _encoded(self, block: SimulatedBlock) -> list[dict[str, Any]]:
        logs = []
        for index, one in enumerate(block.events):
            topics, data = encode(self.deployment.contract(one.contract), one)
            log = {
                "address": self.deployment.address(one.contract).lower(),
                "topics": topics,
                "data": data,
                "blockNumber": hex(block.number),
                "blockHash": block.hash,
                "logIndex": hex(index),
                "transactionHash": "0x" + hashlib.sha256(block.hash.encode()).hexdigest(),
            }
            if self.times_told:
                log["blockTimestamp"] = hex(block.time_s)
            logs.append(log)
        return logs


def encode(contract: DeployedContract, one: Event) -> tuple[list[str], str]:
    """Return an event's topics and data."""
    entry = contract.event(one.name)
    topics, plain, values = ["0x" + codec.topic(entry).hex()], [], []
    for part in entry["inputs"]:
        if part["indexed"]:
            topics.append(codec.encode_topic(entry, part["name"], one.args[part["name"]]))
        else:
            plain.append(part)
            values.append(one.args[part["name"]])
    return topics, "0x" + codec.encode(plain, values, what=one.name).hex()


class SimulatedGateway:
    """As much of a gateway as the index asks. `head`: the last block that its node knows."""

    def __init__(self, chain: SimulatedChain, *, confirmations: int = 0) -> None:
        self.chain, self.confirmations = chain, confirmations
        self.deployment, self.endpoint = chain.deployment, self
        self.new_heads = NewHeads([])
        self.head: int | None = None
        self.asked: list[str] = []
        self.rounds = 0  # how many times something was asked
        self.most_logs: int | None = None
        self.before_logs: Any = None  # what happens on the chain while it is asked

    def ask_all(self, asked: Sequence[Question[Any]]) -> list[Any]:
        found = self.batch(asked)
        for it in found:
            if isinstance(it, NodeRefused):
                raise it
        return found

    def batch(self, asked: Sequence[Question[Any]]) -> list[Any]:
        self.rounds += 1
        found = [(one, self._answer(one.method, one.params)) for one in asked]
        return [it if isinstance(it, NodeRefused) else one.read(it) for one, it in found]

    def block_number(self) -> int:
        return int(self._answer("eth_blockNumber", []), 16)

    def _answer(self, method: str, params: Sequence[Any]) -> Any:
        self.asked.append(method)
        if method == "eth_getLogs" and self.before_logs is not None:
            happens, self.before_logs = self.before_logs, None
            happens()
        found = self.chain.answer(method, params, head=self.head)
        if method == "eth_getLogs" and self.most_logs is not None and len(found) > self.most_logs:
            return NodeRefused(method, -32005, "query returned more than so many results")
        return found


def _header(block: SimulatedBlock) -> dict[str, Any]:
    return {
        "number": hex(block.number),
        "hash": block.hash,
        "parentHash": block.parent,
        "timestamp": hex(block.time_s),
    }
