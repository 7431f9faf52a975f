"""The gateway: everything that members ask of a chain, by contract and function name.

A transaction is built, called dry, signed here, stored, sent and awaited; a refusal is the
contract's named error. Reads go out in batches where there are many.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from offchain.chain import questions
from offchain.chain.answers import MinedReceipt
from offchain.chain.calls import Call
from offchain.chain.deployment import Deployment
from offchain.chain.errors import AccountMissing, NodeRefused
from offchain.chain.facts import Block, ContractRevert, Receipt
from offchain.chain.fees import FeeRaise
from offchain.chain.outbox import TransactionOutbox, TransactionState
from offchain.chain.preparing import Preparer
from offchain.chain.questions import BlockId
from offchain.chain.reader import ChainReader
from offchain.chain.receipt import read_receipt
from offchain.chain.sender import Sender, Unsigned
from offchain.chain.signing import read_legacy
from offchain.chain.untold import Untold, call_text
from offchain.types import to_account

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

__all__ = ["BlockId", "Call", "ChainGateway"]


@dataclass(frozen=True, slots=True)
class _Settings:
    gas_price_wei: int | None
    timeout_s: float
    gas_margin_percent: int
    dry_block: BlockId
    fees: FeeRaise | None


class ChainGateway(ChainReader):
    """A chain as one account (or none) sees it. Threads may share it."""

    def __init__(
        self,
        rpc_url: str | Sequence[str],
        deployment: Deployment,
        *,
        account: LocalAccount | None = None,
        outbox: TransactionOutbox | None = None,
        gas_price_wei: int | None = None,
        timeout_s: float = 60.0,
        gas_margin_percent: int = 20,
        dry_block: BlockId = "pending",
        local_pairings: bool = False,
        confirmations: int = 0,
        fees: FeeRaise | None = None,
        heartbeat_s: float | None = None,
    ) -> None:
        """Connect to the first of `rpc_url` that answers and check its chain id.

        The first is one's own chain node: secrets are called dry there and nowhere else.
        `gas_price_wei` None asks the node at each transaction; `timeout_s` bounds the wait for a
        receipt; dry calls see `dry_block`: "pending" has the time of the next block.
        `local_pairings` has pairings checked here and not by the chain node
        (`offchain.chain.pairing.configured_pairing`). `confirmations`: how many blocks must lie on
        one that is final. `fees`: when and how far the fee of a stuck transaction is raised.
        `heartbeat_s`: so often at least the chain makes a block, if that is known (see `now`).
        Raises ChainMismatch, NodeUnavailable.
        """
        urls = [rpc_url] if isinstance(rpc_url, str) else rpc_url
        super().__init__(urls, deployment, confirmations=confirmations, heartbeat_s=heartbeat_s)
        self._settings = _Settings(gas_price_wei, timeout_s, gas_margin_percent, dry_block, fees)
        self.local_pairings = local_pairings
        self._use(account, outbox)

    def with_account(
        self, account: LocalAccount, outbox: TransactionOutbox | None = None
    ) -> ChainGateway:
        """Return a gateway on the same connection that signs for another account."""
        other = object.__new__(ChainGateway)
        other.__dict__.update(self.__dict__)
        other._use(account, outbox)
        return other

    def _use(self, account: LocalAccount | None, outbox: TransactionOutbox | None) -> None:
        self._sender: Sender | None = None
        if account is not None:
            self._sender = Sender(
                self._endpoint,
                chain_id=self.chain_id,
                account=account,
                outbox=outbox,
                timeout_s=self._settings.timeout_s,
                confirmations=self.confirmations,
                fees=self._settings.fees,
                heads=self.new_heads,
            )

    @property
    def address(self) -> str:
        """Return the account's checksummed address. Raises AccountMissing."""
        return self._signer().address

    # ---- what is final

    def is_final(self, receipt: Receipt) -> bool:
        """Whether no reorganisation can take a mined transaction off the chain any more."""
        if not self.confirmations:
            return True
        head, block = self._endpoint.batch(
            [questions.block_number(), questions.header_or_none(receipt.block_number)]
        )
        if isinstance(head, NodeRefused) or not isinstance(block, Block):
            return False
        is_deep = bool(receipt.block_number + self.confirmations <= head)
        return is_deep and block.hash == receipt.block_hash

    def wait_final(self, receipt: Receipt, *, timeout_s: float, poll_s: float = 0.2) -> Receipt:
        """Return the transaction's receipt once it is final, or as it stands after `timeout_s`.

        What a reorganisation takes off meanwhile is sent again; ask `is_final` of what is returned.
        """
        give_up_at = time.monotonic() + timeout_s
        while not self.is_final(receipt):
            if time.monotonic() >= give_up_at:
                break
            time.sleep(poll_s)
            self.settle()
            receipt = self.follow(receipt) or receipt
        return receipt

    def wait_all_final(self, *, timeout_s: float, poll_s: float = 0.2) -> bool:
        """Wait until all that the outbox holds of this account is final; False when time is up."""
        give_up_at = time.monotonic() + timeout_s
        while True:
            self.settle()
            if self.is_settled():
                return True
            if time.monotonic() >= give_up_at:
                return False
            time.sleep(poll_s)

    def is_settled(self) -> bool:
        """Whether all that the outbox holds of this account was final when last looked at."""
        return self._signer().is_settled()

    def follow(self, receipt: Receipt) -> Receipt | None:
        """Return the receipt of a sent transaction as the chain has it now, or None while a
        reorganisation has it off the chain; `settle` sends it again.
        """
        mined = self._signer().follow(receipt.tx_hash)
        return None if mined is None else read_receipt(self.deployment, mined)

    def settle(self) -> None:
        """Send again what a crash left unsent or a reorganisation took off, as the outbox has it.

        Raises TransactionTimeout when one is not mined in time, NodeUnavailable.
        """
        sender = self._signer()
        with sender.lock:
            sender.settle()

    # ---- writing

    def transact(
        self,
        contract: str,
        function: str,
        *args: Any,
        value_wei: int = 0,
        gas: int | None = None,
        dry_call: bool = True,
        intent: str | None = None,
        secret: bool = False,
    ) -> Receipt:
        """Call a function by a signed transaction and return the receipt of its success.

        `dry_call` False, with `gas` given, sends whatever comes of it. An `intent` that already has
        its transaction in the outbox gives that one's receipt: nothing is done twice. `secret`: the
        arguments are nobody's business before they are mined, so that only the first chain node
        is asked by a dry call.
        Raises ContractRevert (with `receipt` when it was mined and paid for), AbiMismatch,
        NodeRefused, NodeUnavailable, TransactionTimeout, TransactionReplaced, AccountMissing.
        """
        call = Call(contract, function, args, value_wei, gas, intent, secret)
        receipt = self._transact([call], dry_call=dry_call)[0]
        if receipt.revert is not None:
            raise receipt.revert
        return receipt

    def transact_many(self, calls: Sequence[Call], *, dry_call: bool = True) -> list[Receipt]:
        """Send several with consecutive nonces in one batch; return all receipts in order.

        Each is called dry first, against the same block: they may not build on one another unless
        `dry_call` is False. Unlike `transact` a mined revert is not raised: see `Receipt.revert`.
        """
        return self._transact(calls, dry_call=dry_call)

    def cost_wei(self, contract: str, function: str, *args: Any, value_wei: int = 0) -> int:
        """Return what calling a function would cost now: its gas at the present gas price.

        Sends nothing. Raises ContractRevert, AbiMismatch, NodeRefused, NodeUnavailable.
        """
        call = Call(contract, function, args, value_wei)
        (ready,), _ = self._preparer().prepare([call], dry_call=True)
        return ready.gas * self.gas_price_wei()

    def gas_price_wei(self) -> int:
        """Return what a transaction sent now pays a unit of gas: the set price, or the node's."""
        fixed = self._settings.gas_price_wei
        return self._endpoint.ask(questions.gas_price()) if fixed is None else fixed

    def is_begun(self, intent: str) -> bool:
        """Whether the outbox holds a transaction of `intent` that was mined or may yet be."""
        sender = self._signer()
        held = sender.outbox and sender.outbox.of_intent(self.chain_id, sender.address, intent)
        settled = (TransactionState.FAILED, TransactionState.REFUSED, TransactionState.REPLACED)
        return any(one.state not in settled for one in held or [])

    def untold(self) -> list[Untold]:
        """Return what commands that were cut off before they told it have done, as far as it had an
        effect; settles it first. Raises like `settle`.
        """
        sender = self._signer()
        if sender.outbox is None:
            return []
        held = sender.outbox.untold(self.chain_id, sender.address)
        if held:
            self.settle()
        found = dict[str, Untold]()  # by the hash of what was mined: a variant may have been
        for command, signed in held:
            mined = sender.follow(signed.tx_hash)
            if mined is not None and mined.success:
                call = call_text(self.deployment, read_legacy(signed.raw))
                receipt = read_receipt(self.deployment, mined)
                found[mined.tx_hash] = Untold(command, call, receipt)
        return list(found.values())

    def tell(self) -> None:
        """Note that the person who gave commands with this account was told of their ends."""
        sender = self._signer()
        if sender.outbox is not None:
            sender.outbox.tell(self.chain_id, sender.address)

    def transfer(self, to: str, value_wei: int, *, intent: str | None = None) -> Receipt:
        """Send ether to an account. Raises like `transact`."""
        sender = self._signer()
        with sender.lock:
            sender.settle()
            mined = sender.recall(intent) if intent else None
            if mined is None:
                plain = Unsigned(to_account(to), b"", value_wei, 0, intent)
                ready = self._preparer().estimated(plain)
                mined = sender.send([ready], gas_price_wei=self.gas_price_wei())[0]
        return read_receipt(self.deployment, mined)

    def _transact(self, calls: Sequence[Call], *, dry_call: bool) -> list[Receipt]:
        sender, preparer = self._signer(), self._preparer()
        with sender.lock:
            prepared = self._prepared_at_once(calls) if dry_call else None
            mined: dict[int, MinedReceipt] = {}
            if prepared is None:
                sender.settle()
                mined = {
                    position: found
                    for position, call in enumerate(calls)
                    if call.intent and (found := sender.recall(call.intent)) is not None
                }
            left = [position for position in range(len(calls)) if position not in mined]
            if prepared is None:
                prepared = preparer.prepare([calls[one] for one in left], dry_call=dry_call)
            ready, nonce = prepared
            if ready:
                sent = sender.send(ready, gas_price_wei=self.gas_price_wei(), nonce=nonce)
                mined.update(zip(left, sent, strict=True))
        unsigned = dict(zip(left, ready, strict=True))
        return [
            preparer.read_receipt(call.contract, mined[position], unsigned.get(position))
            for position, call in enumerate(calls)
        ]

    def _prepared_at_once(self, calls: Sequence[Call]) -> tuple[list[Unsigned], int | None] | None:
        """Return the calls ready to be signed, by one question; None where what was sent before
        must be looked at first: none of them was sent before, and the nonce shows that nothing that
        was is off the chain.
        """
        sender = self._signer()
        if any(call.intent and sender.has_signed(call.intent) for call in calls):
            return None
        try:
            ready, nonce = self._preparer().prepare(calls, dry_call=True)
        except (ContractRevert, NodeRefused):
            if sender.is_settled():
                raise
            return None  # what is off the chain may be what it was refused for
        return (ready, nonce) if nonce is not None and sender.has_all_before(nonce) else None

    # ---- the account

    def _signer(self) -> Sender:
        if self._sender is None:
            raise AccountMissing("this gateway has no account; open it with account=…")
        return self._sender

    def _preparer(self) -> Preparer:
        return Preparer(
            self._endpoint,
            self.deployment,
            self.address,
            gas_margin_percent=self._settings.gas_margin_percent,
            dry_block=self._settings.dry_block,
        )

    def _reads_as(self) -> str | None:
        return None if self._sender is None else self._sender.address
