"""What chain nodes are asked, each question with the decoder of its answer."""

from collections.abc import Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from offchain.chain import answers
from offchain.chain.answers import (
    Decoder,
    FeeHead,
    Log,
    MinedReceipt,
    SentTransaction,
)
from offchain.chain.errors import NodeRefused
from offchain.chain.facts import Block

T = TypeVar("T")
BlockId = int | str  # a number, or "latest", "pending", "earliest", "safe", "finalized"


class Question(NamedTuple, Generic[T]):
    """A JSON-RPC request. `read` decodes its result; it raises AnswerUnreadable, or a ChainError
    where the answer would be a fault of the caller's, if all nodes gave it.
    """

    method: str
    params: Sequence[Any]
    read: Decoder[T]


def block_id(block: BlockId) -> str:
    """Return a block number or tag as JSON-RPC writes it."""
    return hex(block) if isinstance(block, int) else block


def plain(method: str, *params: Any) -> Question[Any]:
    """Ask anything; the answer stays as it is in JSON."""
    return Question(method, params, answers.anything)


def chain_id() -> Question[int]:
    """Ask which chain a node serves."""
    return Question("eth_chainId", [], answers.quantity)


def block_number() -> Question[int]:
    """Ask for the number of the latest block."""
    return Question("eth_blockNumber", [], answers.count)


def header(block: BlockId) -> Question[Block]:
    """Ask for the header of a block that every node has, as the latest."""
    return Question("eth_getBlockByNumber", [block_id(block), False], _header_of(block))


def header_or_none(block: BlockId) -> Question[Block | None]:
    """Ask for the header of a block that there may not be."""
    read = answers.optional(_header_of(block))
    return Question("eth_getBlockByNumber", [block_id(block), False], read)


def existing_header(block: BlockId) -> Question[Block]:
    """Ask for the header of a block; one that no node has is refused by NodeRefused."""

    def read(answer: object) -> Block:
        if answer is None:
            raise NodeRefused("eth_getBlockByNumber", 0, f"there is no block {block}")
        return _header_of(block)(answer)

    return Question("eth_getBlockByNumber", [block_id(block), False], read)


def _header_of(block: BlockId) -> Decoder[Block]:
    return answers.pending_header if block == "pending" else answers.header


def pending_number() -> Question[int | None]:
    """Ask for the number of the block in the making; some nodes have none, or do not number it."""
    read = answers.optional(answers.field("number", answers.optional(answers.count)))
    return Question("eth_getBlockByNumber", ["pending", False], read)


def fee_head() -> Question[FeeHead]:
    """Ask for what the latest block says of fees."""
    return Question("eth_getBlockByNumber", ["latest", False], answers.fee_head)


def transactions(block: int) -> Question[tuple[SentTransaction, ...] | None]:
    """Ask for a block's transactions."""
    read = answers.optional(answers.transactions)
    return Question("eth_getBlockByNumber", [block_id(block), True], read)


def transaction(tx_hash: str) -> Question[SentTransaction | None]:
    """Ask for a transaction that a node may hold."""
    read = answers.optional(answers.transaction)
    return Question("eth_getTransactionByHash", [tx_hash], read)


def receipt(tx_hash: str) -> Question[MinedReceipt | None]:
    """Ask for the receipt of a transaction that may be mined."""
    return Question("eth_getTransactionReceipt", [tx_hash], answers.receipt_if_mined)


def block_receipts(block: int) -> Question[tuple[MinedReceipt, ...] | None]:
    """Ask for all receipts of a block that there may not be."""
    read = answers.optional(answers.list_of(answers.receipt))
    return Question("eth_getBlockReceipts", [block_id(block)], read)


def logs(wanted: Mapping[str, Any]) -> Question[tuple[Log, ...]]:
    """Ask for logs by a filter."""
    return Question("eth_getLogs", [wanted], answers.list_of(answers.log))


def call(fields: Mapping[str, Any], block: BlockId) -> Question[bytes]:
    """Ask what a call returns."""
    return Question("eth_call", [fields, block_id(block)], answers.data)


def estimate_gas(fields: Mapping[str, Any], block: BlockId) -> Question[int]:
    """Ask how much gas a call needs."""
    return Question("eth_estimateGas", [fields, block_id(block)], answers.count)


def gas_price() -> Question[int]:
    """Ask what a node wants for a unit of gas, in wei."""
    return Question("eth_gasPrice", [], answers.quantity)


def balance(address: str, block: BlockId) -> Question[int]:
    """Ask for an account's wei."""
    return Question("eth_getBalance", [address, block_id(block)], answers.quantity)


def nonce(address: str, block: BlockId | Mapping[str, str]) -> Question[int]:
    """Ask how many transactions of an account a block and those before it hold."""
    at = block if isinstance(block, Mapping) else block_id(block)
    return Question("eth_getTransactionCount", [address, at], answers.count)


def code(address: str, block: BlockId = "latest") -> Question[bytes]:
    """Ask for the code at an address."""
    return Question("eth_getCode", [address, block_id(block)], answers.data)


def send(raw: bytes) -> Question[str]:
    """Ask a node to take a signed transaction; the answer is its hash."""
    return Question("eth_sendRawTransaction", ["0x" + raw.hex()], answers.hash_text)


def hashes_in(block_hash: str) -> Question[tuple[str, ...] | None]:
    """Ask for the hashes of the transactions in a block that a reorganisation may take."""
    read = answers.optional(answers.field("transactions", answers.list_of(answers.hash_text)))
    return Question("eth_getBlockByHash", [block_hash, False], read)


def peer_count() -> Question[int]:
    """Ask how many other nodes a node is connected to."""
    return Question("net_peerCount", [], answers.count)


def waiting_count() -> Question[int]:
    """Ask Geth how many transactions wait for a block."""
    return Question("txpool_status", [], answers.field("pending", answers.count))


def clique_signers() -> Question[tuple[str, ...]]:
    """Ask Geth whom a Clique chain takes blocks from."""
    return Question("clique_getSigners", [], answers.list_of(answers.account))
