"""Transactions a second: the node's sender beside web3.py's default way, in the same run.

.venv/bin/python -m bench.sending                                   # on a private anvil
.venv/bin/python -m bench.sending --rpc URL --key-file FILE          # on a running network
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.crypto import keccak
from hexbytes import HexBytes
from web3 import HTTPProvider, Web3
from web3.exceptions import TransactionNotFound, Web3RPCError
from web3.middleware import ExtraDataToPOAMiddleware
from web3.types import Nonce

from bench.figures import Figure
from bench.timing import Timings, in_turn
from offchain.chain.anvil import start_anvil
from offchain.chain.deployment import DeployedContract, Deployment
from offchain.chain.gateway import Call, ChainGateway
from offchain.chain.outbox import TransactionOutbox

LIMIT = 5.0  # times web3.py's default way
_SENDER, _WEB3 = "sender", "web3"
_CODE_S, _BACK_S = 5.0, 60.0
# So long the peer waits before it sends the same bytes again, and before it gives them up.
_AGAIN_S, _GIVE_UP_S = 10.0, 60.0
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
    """A transaction did what it should not: the times say nothing."""


@dataclass
class PeerTroubles:
    """What web3.py's default way does not bear by itself, and whoever uses it must see to.

    refused: sends that a node refused, and that were tried anew with a nonce asked again.
    sent_again: transactions that were not on the chain in time, and whose bytes were sent again.
    """

    refused: int = 0
    sent_again: int = 0


@dataclass(frozen=True)
class SendingRates:
    """Transactions a second, from the first call to the last one's receipt; medians of rounds.

    lost: by way, how many of all that were sent are not on the chain in the end.
    """

    sender_per_s: float
    web3_per_s: float
    ratio: float
    transactions: int
    rounds: int
    troubles: PeerTroubles
    lost: Mapping[str, int]

    def figures(self, where: str) -> list[Figure]:
        """Return them for a table; `where` names the chain."""
        note = f"{self.transactions} transactions, {self.rounds} rounds"
        troubles = f"{self.troubles.refused} refused and tried anew, {self.lost[_WEB3]} lost"
        again = self.troubles.sent_again
        return [
            Figure(f"sender-vs-web3-{where}", self.ratio, LIMIT, note=note),
            Figure(f"sender-{where}", self.sender_per_s, unit="/s", note="journal on disk"),
            Figure(f"sender-lost-{where}", self.lost[_SENDER], 0, unit="", at_most=True),
            Figure(f"web3-default-{where}", self.web3_per_s, unit="/s", note="build, sign, send"),
            Figure(f"web3-default-sent-again-{where}", again, unit="", note=troubles),
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
    is sent, in JSON-RPC batches; web3.py's default way is `build_transaction` (which asks for gas,
    fees and chain id), `sign_transaction` and `send_raw_transaction` for each. Both end with the
    last receipt. What the peer's way does not bear (a nonce that is refused, a transaction that the
    chain forgot) is done for it and counted. Raises SendingFailed when a number was logged twice,
    NodeUnavailable, TransactionTimeout.
    """
    account: LocalAccount = Account.from_key(key)
    web3 = Web3(HTTPProvider(rpc_url))
    # What web3.py's documentation says to add on a Clique chain, whose headers carry signatures.
    web3.middleware_onion.inject(ExtraDataToPOAMiddleware, layer=0)
    peer = Peer(web3, account)
    deployment = _deploy(peer)
    # An account each: a reorganisation puts one way's transactions back on nonces of the other.
    other = _funded(peer)
    peer.troubles = PeerTroubles()  # what came before was no part of the comparison
    numbers = {_SENDER: count(0, 2), _WEB3: count(1, 2)}
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
                    _WEB3: (_web3_way(peer, deployment, transactions, numbers[_WEB3]), 1),
                    _SENDER: (_sender_way(gateway, transactions, numbers[_SENDER]), 1),
                },
                rounds=rounds,
                clock=time.perf_counter,
            )
    lost = _lost(web3, deployment, transactions * (rounds + 1))
    return _rates(timings, transactions, rounds, peer.troubles, lost)


def _rates(
    timings: Timings, transactions: int, rounds: int, troubles: PeerTroubles, lost: dict[str, int]
) -> SendingRates:
    return SendingRates(
        sender_per_s=transactions / timings.median_s(_SENDER),
        web3_per_s=transactions / timings.median_s(_WEB3),
        ratio=timings.ratio(_WEB3, _SENDER),
        transactions=transactions,
        rounds=rounds,
        troubles=troubles,
        lost=lost,
    )


class Peer:
    """An account that sends by web3.py as its documentation shows it.

    What goes wrong with that is set right as a user would, and counted in `troubles`.
    """

    def __init__(self, web3: Web3, account: LocalAccount) -> None:
        self.web3, self.account = web3, account
        self.troubles = PeerTroubles()

    def send(self, build: Callable[[int], Any]) -> bytes | None:
        """Send what `build` makes of a nonce; return its bytes. One that is refused (its nonce was
        used meanwhile, as a reorganisation has it) is made anew. None: it was refused for good.
        """
        give_up_at, pause_s = time.monotonic() + _GIVE_UP_S, 0.01
        while time.monotonic() < give_up_at:
            try:
                nonce = self.web3.eth.get_transaction_count(self.account.address, "pending")
                raw = bytes(self.account.sign_transaction(build(nonce)).raw_transaction)
                self.web3.eth.send_raw_transaction(HexBytes(raw))
            except Web3RPCError:
                self.troubles.refused += 1
                time.sleep(pause_s)
                pause_s *= 2
                continue
            return raw
        return None

    def wait(self, tried: Sequence[bytes | None]) -> Any | None:
        """Return the receipt of the last that was sent, None if the chain never has it. What is not
        there in time is sent again, by the same bytes.
        """
        sent = [raw for raw in tried if raw is not None]
        if not sent:
            return None
        give_up_at, again_at = time.monotonic() + _GIVE_UP_S, time.monotonic() + _AGAIN_S
        while (now := time.monotonic()) < give_up_at:
            if (receipt := self._receipt(sent[-1])) is not None:
                return receipt
            if now > again_at:
                again_at = now + _AGAIN_S
                self._send_again([raw for raw in sent if self._receipt(raw) is None])
            time.sleep(0.005)
        return None

    def _receipt(self, raw: bytes) -> Any | None:
        try:
            return self.web3.eth.get_transaction_receipt(HexBytes(keccak(raw)))
        except TransactionNotFound:
            return None

    def _send_again(self, missing: Sequence[bytes]) -> None:
        for raw in missing:
            self.troubles.sent_again += 1
            with suppress(Web3RPCError):  # a node that knows it still says so
                self.web3.eth.send_raw_transaction(HexBytes(raw))


def _sender_way(
    gateway: ChainGateway, transactions: int, numbers: Iterator[int]
) -> Callable[[], None]:
    def run() -> None:
        calls = [Call("Notes", "note", (next(numbers),), gas=_GAS) for _ in range(transactions)]
        receipts = gateway.transact_many(calls, dry_call=False)
        if not all(receipt.success for receipt in receipts):
            raise SendingFailed("a transaction of the node's sender failed")

    return run


def _web3_way(
    peer: Peer, deployment: Deployment, transactions: int, numbers: Iterator[int]
) -> Callable[[], None]:
    contract = peer.web3.eth.contract(
        address=peer.web3.to_checksum_address(deployment.address("Notes")), abi=list(_ABI)
    )

    def build(number: int, nonce: int) -> Any:
        return contract.functions.note(number).build_transaction(
            {"from": peer.account.address, "nonce": Nonce(nonce)}
        )

    def run() -> None:
        sent = [peer.send(partial(build, next(numbers))) for _ in range(transactions)]
        # The last one is mined last.
        receipt = peer.wait(sent)
        if receipt is not None and receipt["status"] != 1:
            raise SendingFailed("a transaction of web3.py's default way failed")

    return run


def _deploy(peer: Peer) -> Deployment:
    web3 = peer.web3
    chain_id, price_wei = web3.eth.chain_id, web3.eth.gas_price

    def creation(nonce: int) -> dict[str, Any]:
        fixed: dict[str, Any] = {
            "chainId": chain_id,
            "gasPrice": price_wei,
            "gas": 200_000,
            "value": 0,
        }
        return {**fixed, "nonce": nonce, "data": _CREATION}

    receipt = peer.wait([peer.send(creation)])
    if receipt is None:
        raise SendingFailed("the contract to call is not on the chain")
    address, block = receipt["contractAddress"], receipt["blockNumber"]
    # On a chain of several signers a receipt may come a moment before its block is the newest.
    give_up_at = time.monotonic() + _CODE_S
    while address is None or web3.eth.get_code(address) != _RUNTIME:
        if address is None or time.monotonic() > give_up_at:
            raise SendingFailed("the contract to call was not made")
        time.sleep(0.01)
    notes = DeployedContract("Notes", address, block, _ABI)
    return Deployment(chain_id, {"Notes": notes})


def _funded(peer: Peer) -> LocalAccount:
    other: LocalAccount = Account.create()
    web3 = peer.web3
    chain_id, price_wei = web3.eth.chain_id, web3.eth.gas_price
    half_wei = web3.eth.get_balance(peer.account.address) // 2

    def transfer(nonce: int) -> dict[str, Any]:
        fixed = {"chainId": chain_id, "gasPrice": price_wei, "gas": 21_000}
        return {**fixed, "nonce": nonce, "to": other.address, "value": half_wei}

    if peer.wait([peer.send(transfer)]) is None:
        raise SendingFailed("the account of the node's sender was not funded")
    return other


def _lost(web3: Web3, deployment: Deployment, each: int) -> dict[str, int]:
    """Return how many numbers of each way were never logged, of `each` that were sent. Waits for
    what a reorganisation has just taken off the chain: the nodes mine it again.
    """
    give_up_at = time.monotonic() + _BACK_S
    while True:
        seen = _logged(web3, deployment)
        if len(seen) != len(set(seen)):
            raise SendingFailed(f"{len(seen) - len(set(seen))} numbers were logged twice")
        lost = {_SENDER: each - _even(seen), _WEB3: each - (len(seen) - _even(seen))}
        if not any(lost.values()) or time.monotonic() > give_up_at:
            return lost
        time.sleep(0.2)


def _even(numbers: Sequence[int]) -> int:
    """Count the numbers of the node's sender."""
    return sum(number % 2 == 0 for number in numbers)


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
