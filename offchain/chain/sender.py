"""Sign and send for one account: one sender at a time, nonces from the chain, bytes kept first.

Nonces come from the latest block and never from memory: a counter that outlives a failed send
leaves a gap behind which everything waits.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_account.signers.local import LocalAccount
from eth_typing import HexAddress, HexStr
from eth_utils import to_checksum_address

from offchain.chain.endpoint import Endpoint
from offchain.chain.errors import (
    NodeRefused,
    NodeUnavailable,
    TransactionReplaced,
    TransactionTimeout,
)
from offchain.chain.outbox import SignedTransaction, TransactionOutbox, TransactionState

_FIRST_POLL_S, _LAST_POLL_S, _POLL_GROWTH = 0.001, 0.25, 1.5
_RESEND_S = 3.0  # a node that restarted has forgotten its pool
_TRANSFER_GAS = 21_000
# What nodes say of a transaction that they hold, or have mined: look at the receipt.
_KNOWN = ("already known", "known transaction", "already imported", "nonce too low")

_locks: dict[tuple[int, str], threading.RLock] = {}
_locks_guard = threading.Lock()

RawReceipt = Mapping[str, Any]


@dataclass(frozen=True)
class Unsigned:
    """A transaction before it has a nonce; `gas` is its limit."""

    to: str
    data: bytes
    value_wei: int
    gas: int
    intent: str | None = None


class Sender:
    """One account on one chain. Hold `lock` around whatever must see the account's own effects."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        chain_id: int,
        account: LocalAccount,
        outbox: TransactionOutbox | None,
        timeout_s: float,
    ) -> None:
        """Prepare to send; nothing is asked yet."""
        self.endpoint, self.chain_id, self.account = endpoint, chain_id, account
        self.address = to_checksum_address(account.address)
        self.outbox, self.timeout_s = outbox, timeout_s
        with _locks_guard:
            self.lock = _locks.setdefault((chain_id, self.address), threading.RLock())

    def settle(self) -> None:
        """Bring what an earlier run left unsettled to its end, by the same bytes.

        Raises TransactionTimeout when one is neither mined nor replaced in time.
        """
        left = self.outbox.unsettled(self.chain_id, self.address) if self.outbox else []
        for transaction in left:
            self._settle_one(transaction)

    def recall(self, intent: str) -> RawReceipt | None:
        """Return the receipt of the successful transaction of `intent`, or None if it has none.

        One that a reorganisation took off the chain is sent again, by the same bytes.
        """
        if self.outbox is None:
            return None
        for transaction in self.outbox.of_intent(self.chain_id, self.address, intent):
            receipt = self._receipt(transaction.tx_hash)
            if receipt is None and transaction.state == TransactionState.MINED:
                receipt = self._settle_one(transaction)
            if receipt is not None and _succeeded(receipt):
                return receipt
        return None

    def send(self, transactions: Sequence[Unsigned], *, gas_price_wei: int) -> list[RawReceipt]:
        """Sign with consecutive nonces, store, broadcast; return the receipts in order.

        Raises NodeRefused when a node takes one of them for nothing, TransactionTimeout,
        TransactionReplaced, NodeUnavailable (then the outbox settles them later).
        """
        with self.lock:
            nonce = self._nonce()
            signed = [
                self._sign(transaction, nonce + offset, gas_price_wei)
                for offset, transaction in enumerate(transactions)
            ]
            if self.outbox:
                self.outbox.record(self.chain_id, self.address, signed)
            refused = self._broadcast(signed)
            if refused:
                raise self._close_gap(signed, refused, gas_price_wei)
            return self._wait(signed)

    def _sign(self, transaction: Unsigned, nonce: int, gas_price_wei: int) -> SignedTransaction:
        signed = self.account.sign_transaction(
            {
                "chainId": self.chain_id,
                "nonce": nonce,
                "gasPrice": gas_price_wei,
                "gas": transaction.gas,
                "to": HexAddress(HexStr(transaction.to)),
                "value": transaction.value_wei,
                "data": transaction.data,
            }
        )
        tx_hash = "0x" + bytes(signed.hash).hex()
        return SignedTransaction(transaction.intent, nonce, bytes(signed.raw_transaction), tx_hash)

    def _settle_one(self, transaction: SignedTransaction) -> RawReceipt | None:
        receipt = self._receipt(transaction.tx_hash)
        if receipt is not None:
            self._mark(transaction, _end_of(receipt))
            return receipt
        if self._broadcast([transaction]):
            return None
        try:
            return self._wait([transaction])[0]
        except TransactionReplaced:
            return None

    def _broadcast(
        self, transactions: Sequence[SignedTransaction]
    ) -> dict[SignedTransaction, NodeRefused]:
        """Send raw bytes; return those that the node refused and does not hold."""
        calls = [("eth_sendRawTransaction", ["0x" + item.raw.hex()]) for item in transactions]
        refused = {}
        for transaction, answer in zip(transactions, self.endpoint.batch(calls), strict=True):
            if not isinstance(answer, NodeRefused) or _is_known(answer):
                continue
            # Some nodes report an error after taking a transaction: believe what they hold.
            held = self.endpoint.request("eth_getTransactionByHash", transaction.tx_hash)
            if held is None:
                refused[transaction] = answer
                self._mark(transaction, TransactionState.REFUSED)
        return refused

    def _close_gap(
        self,
        signed: Sequence[SignedTransaction],
        refused: Mapping[SignedTransaction, NodeRefused],
        gas_price_wei: int,
    ) -> NodeRefused:
        """Use up the refused nonces, so that later ones of the same batch get mined."""
        taken = [item for item in signed if item not in refused]
        last = max((item.nonce for item in taken), default=-1)
        nothing = Unsigned(to=self.address, data=b"", value_wei=0, gas=_TRANSFER_GAS)
        fillers = [
            self._sign(nothing, item.nonce, gas_price_wei) for item in refused if item.nonce < last
        ]
        if fillers:
            self._broadcast(fillers)
        if taken:
            self._wait(taken)
        return next(iter(refused.values()))

    def _wait(self, transactions: Sequence[SignedTransaction]) -> list[RawReceipt]:
        """Poll until all are mined: fast at first, since a local chain needs milliseconds."""
        started = last_sent = time.monotonic()
        found: dict[str, RawReceipt] = {}
        delay = _FIRST_POLL_S
        while True:
            missing = [item for item in transactions if item.tx_hash not in found]
            found.update(self._receipts(missing))
            if len(found) == len(transactions):
                return [found[item.tx_hash] for item in transactions]
            now = time.monotonic()
            missing = [item for item in missing if item.tx_hash not in found]
            if now - started > self.timeout_s:
                raise TransactionTimeout(
                    f"{missing[0].tx_hash} of {self.address} is not mined after {self.timeout_s} s",
                    missing[0].tx_hash,
                )
            if now - last_sent > _RESEND_S:
                last_sent = now
                self._resend(missing)
            time.sleep(delay)
            delay = min(delay * _POLL_GROWTH, _LAST_POLL_S)

    def _receipts(self, transactions: Sequence[SignedTransaction]) -> dict[str, RawReceipt]:
        calls = [("eth_getTransactionReceipt", [item.tx_hash]) for item in transactions]
        try:
            answers = self.endpoint.batch(calls)
        except NodeUnavailable:  # sent is sent: the time limit decides how long to hope
            return {}
        found = {}
        for transaction, receipt in zip(transactions, answers, strict=True):
            if isinstance(receipt, Mapping) and receipt.get("blockNumber"):
                found[transaction.tx_hash] = receipt
                self._mark(transaction, _end_of(receipt))
        return found

    def _resend(self, missing: Sequence[SignedTransaction]) -> None:
        """Send again what a node may have forgotten; notice what can never be mined."""
        try:
            nonce = self._nonce()
            if nonce > missing[0].nonce and self._receipt(missing[0].tx_hash) is None:
                self._mark(missing[0], TransactionState.REPLACED)
                raise TransactionReplaced(
                    f"nonce {missing[0].nonce} of {self.address} was used by another transaction;"
                    f" {missing[0].tx_hash} will never be mined",
                    missing[0].tx_hash,
                )
            if nonce == missing[0].nonce:
                self._take_out_of_pool()
            self.endpoint.batch(
                [("eth_sendRawTransaction", ["0x" + item.raw.hex()]) for item in missing]
            )
        except NodeUnavailable:  # the next round tries again
            return

    def _take_out_of_pool(self) -> None:
        """Have anvil forget this account's transactions, before it is sent them again.

        Anvil looks up the nonce before it puts a transaction into its pool. When the one before is
        mined just between, it waits for that for good, and calls the same bytes known.
        """
        self.endpoint.batch([("anvil_removePoolTransactions", [self.address])])  # others refuse

    def _receipt(self, tx_hash: str) -> RawReceipt | None:
        receipt = self.endpoint.request("eth_getTransactionReceipt", tx_hash)
        return receipt if receipt and receipt.get("blockNumber") else None

    def _nonce(self) -> int:
        return int(self.endpoint.request("eth_getTransactionCount", self.address, "latest"), 16)

    def _mark(self, transaction: SignedTransaction, state: TransactionState) -> None:
        if self.outbox:
            self.outbox.mark(transaction.tx_hash, state)


def _succeeded(receipt: RawReceipt) -> bool:
    return int(receipt["status"], 16) == 1


def _end_of(receipt: RawReceipt) -> TransactionState:
    return TransactionState.MINED if _succeeded(receipt) else TransactionState.FAILED


def _is_known(refusal: NodeRefused) -> bool:
    return any(words in refusal.message.lower() for words in _KNOWN)
