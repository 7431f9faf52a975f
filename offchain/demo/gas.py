"""Gas by step, read back from the chain's own blocks."""

import re
from collections import defaultdict
from collections.abc import Iterable
from statistics import median_low

from offchain.chain import codec, questions
from offchain.chain.answers import MinedReceipt, SentTransaction
from offchain.chain.gateway import ChainGateway

# What the report calls a function; others go by their own name in snake case.
STEP_NAMES = {"report": "notify", "reportSealed": "notify_sealed", "deliver": "deliver_shares"}
REQUIRED = (
    "deploy",
    "admit",
    "anchor",
    "notify",
    "request",
    "accept",
    "claim",
    "refund",
    "respond",
    "select",
    "deliver_shares",
)


def gas_by_step(gateway: ChainGateway) -> dict[str, int]:
    """Return the median gasUsed of each function's successful transactions, and the sum of all
    deployments as `deploy`; a required step that never happened is 0.
    """
    used = defaultdict(list)
    functions = _functions(gateway)
    for transaction, receipt in _transactions(gateway):
        if receipt.success:
            step = _step(functions, transaction)
            if step is not None:
                used[step].append(receipt.gas_used)
    gas = dict.fromkeys(REQUIRED, 0)
    for step, amounts in used.items():
        gas[step] = sum(amounts) if step == "deploy" else median_low(amounts)
    return gas


def fees_wei(gateway: ChainGateway, *, senders: Iterable[str]) -> int:
    """Return what the transactions of these accounts together paid for gas."""
    wanted = {account.lower() for account in senders}
    return sum(
        receipt.gas_used * receipt.gas_price_wei
        for transaction, receipt in _transactions(gateway)
        if transaction.sender.lower() in wanted
    )


def _transactions(gateway: ChainGateway) -> list[tuple[SentTransaction, MinedReceipt]]:
    numbers = range(gateway.block_number() + 1)
    blocks = gateway.endpoint.batch([questions.transactions(n) for n in numbers])
    receipts = gateway.endpoint.batch([questions.block_receipts(n) for n in numbers])
    return [
        pair
        for block, of_block in zip(blocks, receipts, strict=True)
        for pair in zip(block, of_block, strict=True)
    ]


def _functions(gateway: ChainGateway) -> dict[str, dict[bytes, str]]:
    """Function names by contract address (lower case) and selector."""
    deployment = gateway.deployment
    return {
        deployment.address(name).lower(): {
            codec.selector(entry): entry["name"]
            for entry in deployment.abi(name)
            if entry["type"] == "function"
        }
        for name in deployment.names
    }


def _step(functions: dict[str, dict[bytes, str]], transaction: SentTransaction) -> str | None:
    if transaction.to is None:
        return "deploy"
    data = transaction.data
    name = functions.get(transaction.to.lower(), {}).get(data[:4])
    if name == "execute":  # the consortium's door: what counts is the call behind it
        target, inner = "0x" + data[48:68].hex(), data[164:168]
        name = functions.get(target, {}).get(inner, name)
    if name is None:
        return None
    return STEP_NAMES.get(name, re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower())
