"""Transactions a second: the node's sender beside web3.py's default way, in the same run.

.venv/bin/python -m bench.sending                                   # on a private anvil
.venv/bin/python -m bench.sending --rpc URL --key-file FILE          # on a running network
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import HTTPProvider, Web3
from web3.middleware import ExtraDataToPOAMiddleware

from bench.figures import Figure
from bench.timing import Timings, in_turn
from offchain.chain.anvil import start_anvil
from offchain.chain.deployment import DeployedContract, Deployment
from offchain.chain.gateway import Call, ChainGateway
from offchain.chain.outbox import TransactionOutbox

LIMIT = 5.0  # times web3.py's default way
_CODE_S, _BACK_S = 5.0, 60.0
_GAS = 60_000
_ABI: tuple[dict[str, Any], ...] = (
    {
        "type": "function",
        "name": "note",
        "stateMutability": "nonpayable",
        "inputs": [{"name": "number", "type": "uint256"}],
        "outputs": [],
    },
)
# Logs its argument: calldataload(4); mstore(0); log0(0, 32); stop.
_RUNTIME = bytes.fromhex("60043560005260206000a000")
_CREATION = bytes.fromhex(f"60{len(_RUNTIME):02x}80600b6000396000f3") + _RUNTIME


class SendingFailed(Exception):
    """Not every transaction did what it should: the times say nothing."""


@dataclass(frozen=True)
class SendingRates:
    """Transactions a second, from the first call to the last one's receipt; medians of rounds."""

    sender_per_s: float
    web3_per_s: float
    ratio: float
    transactions: int
    rounds: int

    def figures(self, where: str) -> list[Figure]:
        """Return them for a table; `where` names the chain."""
        note = f"{self.transactions} transactions, {self.rounds} rounds"
        return [
            Figure(f"sender-vs-web3-{where}", self.ratio, LIMIT, note=note),
            Figure(f"sender-{where}", self.sender_per_s, unit="/s", note="journal on disk"),
            Figure(f"web3-default-{where}", self.web3_per_s, unit="/s", note="build, sign, send"),
        ]


def measure_sending(
    rpc_url: str,
    key: str,
    *,
    transactions: int = 200,
    rounds: int = 5,
    gas_price_wei: int | None = None,
    confirmations: int = 0,
) -> SendingRates:
    """Send `transactions` contract calls each way, in turn, `rounds` times (and once before).

    rpc_url: a chain node that takes legacy and EIP-1559 transactions. key: a funded account's
    private key, 0x and 64 hexadecimal digits; nobody else may send for it meanwhile. gas_price_wei
    None asks the node once a burst; confirmations: how deep a final block lies there. The node's
    sender is `ChainGateway.transact_many` with fixed gas, signed here, journaled on disk before it
    is sent, in JSON-RPC batches; web3.py's default
    way is `build_transaction` (which asks for gas, fees and chain id), `sign_transaction` and
    `send_raw_transaction` for each. Both end with the last receipt. Raises SendingFailed when the
    contract has not logged each number once, NodeUnavailable, TransactionTimeout.
    """
    account: LocalAccount = Account.from_key(key)
    web3 = Web3(HTTPProvider(rpc_url))
    # What web3.py's documentation says to add on a Clique chain, whose headers carry signatures.
    web3.middleware_onion.inject(ExtraDataToPOAMiddleware, layer=0)
    deployment = _deploy(web3, account)
    # An account each: a reorganisation puts one way's transactions back on nonces of the other.
    other = _funded(web3, account)
    numbers = iter(range(10**9))
    with tempfile.TemporaryDirectory() as folder:
        with closing(TransactionOutbox(Path(folder) / "outbox.sqlite")) as outbox:
            gateway = ChainGateway(
                rpc_url,
                deployment,
                account=other,
                outbox=outbox,
                gas_price_wei=gas_price_wei,
                confirmations=confirmations,
            )
            timings = in_turn(
                {
                    "web3": (_web3_way(web3, account, deployment, transactions, numbers), 1),
                    "sender": (_sender_way(gateway, transactions, numbers), 1),
                },
                rounds=rounds,
                clock=time.perf_counter,
            )
    _require_each_once(web3, deployment, 2 * transactions * (rounds + 1))
    return _rates(timings, transactions, rounds)


def _rates(timings: Timings, transactions: int, rounds: int) -> SendingRates:
    return SendingRates(
        sender_per_s=transactions / timings.median_s("sender"),
        web3_per_s=transactions / timings.median_s("web3"),
        ratio=timings.ratio("web3", "sender"),
        transactions=transactions,
        rounds=rounds,
    )


def _sender_way(gateway: ChainGateway, count: int, numbers: Any) -> Callable[[], None]:
    def run() -> None:
        calls = [Call("Notes", "note", (next(numbers),), gas=_GAS) for _ in range(count)]
        receipts = gateway.transact_many(calls, dry_call=False)
        if not all(receipt.success for receipt in receipts):
            raise SendingFailed("a transaction of the node's sender failed")

    return run


def _web3_way(
    web3: Web3, account: LocalAccount, deployment: Deployment, count: int, numbers: Any
) -> Callable[[], None]:
    contract = web3.eth.contract(
        address=web3.to_checksum_address(deployment.address("Notes")), abi=list(_ABI)
    )

    def run() -> None:
        hashes = []
        for _ in range(count):
            nonce = web3.eth.get_transaction_count(account.address, "pending")
            plain = contract.functions.note(next(numbers)).build_transaction(
                {"from": account.address, "nonce": nonce}
            )
            signed = account.sign_transaction(plain)  # type: ignore[arg-type]
            hashes.append(web3.eth.send_raw_transaction(signed.raw_transaction))
        # The last one is mined last.
        receipt = web3.eth.wait_for_transaction_receipt(hashes[-1], poll_latency=0.005)
        if receipt["status"] != 1:
            raise SendingFailed("a transaction of web3.py's default way failed")

    return run


def _deploy(web3: Web3, account: LocalAccount) -> Deployment:
    plain: dict[str, Any] = {
        "chainId": web3.eth.chain_id,
        "nonce": web3.eth.get_transaction_count(account.address),
        "gasPrice": web3.eth.gas_price,
        "gas": 200_000,
        "data": _CREATION,
        "value": 0,
    }
    raw = account.sign_transaction(plain).raw_transaction
    receipt = web3.eth.wait_for_transaction_receipt(
        web3.eth.send_raw_transaction(raw), poll_latency=0.01
    )
    address, block = receipt["contractAddress"], receipt["blockNumber"]
    # On a chain of several signers a receipt may come a moment before its block is the newest.
    give_up_at = time.monotonic() + _CODE_S
    while address is None or web3.eth.get_code(address) != _RUNTIME:
        if address is None or time.monotonic() > give_up_at:
            raise SendingFailed("the contract to call was not made")
        time.sleep(0.01)
    notes = DeployedContract("Notes", address, block, _ABI)
    return Deployment(web3.eth.chain_id, {"Notes": notes})


def _funded(web3: Web3, account: LocalAccount) -> LocalAccount:
    other: LocalAccount = Account.create()
    plain: dict[str, Any] = {
        "chainId": web3.eth.chain_id,
        "nonce": web3.eth.get_transaction_count(account.address, "pending"),
        "gasPrice": web3.eth.gas_price,
        "gas": 21_000,
        "to": other.address,
        "value": web3.eth.get_balance(account.address) // 2,
    }
    raw = account.sign_transaction(plain).raw_transaction
    web3.eth.wait_for_transaction_receipt(web3.eth.send_raw_transaction(raw), poll_latency=0.01)
    return other


def _require_each_once(web3: Web3, deployment: Deployment, wanted: int) -> None:
    """Wait for what a reorganisation has just taken off the chain: the nodes mine it again."""
    give_up_at = time.monotonic() + _BACK_S
    while (seen := _logged(web3, deployment)) != list(range(wanted)):
        if time.monotonic() > give_up_at:
            raise SendingFailed(f"{len(seen)} numbers were logged, {wanted} were sent once each")
        time.sleep(0.2)


def _logged(web3: Web3, deployment: Deployment) -> list[int]:
    notes = deployment.contract("Notes")
    address = web3.to_checksum_address(notes.address)
    logs = web3.eth.get_logs({"address": address, "fromBlock": notes.block})
    return sorted(int.from_bytes(one["data"], "big") for one in logs)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print `name value limit ok|MISSED`, return 1 on a MISSED."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rpc", help="a running node; left out: a private anvil")
    parser.add_argument("--key-file", type=Path, help="with --rpc: a funded account's key")
    parser.add_argument("--transactions", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    counts = {"transactions": options.transactions, "rounds": options.rounds}
    if options.rpc:
        key = options.key_file.read_text().strip()
        rates, where = measure_sending(options.rpc, key, **counts), "chain"
    else:
        with start_anvil() as anvil:
            rates, where = measure_sending(anvil.url, anvil.keys[0], **counts), "anvil"
    figures = rates.figures(where)
    for figure in figures:
        print(figure.line(), flush=True)
    return 0 if all(figure.is_met for figure in figures) else 1


if __name__ == "__main__":
    raise SystemExit(main())
