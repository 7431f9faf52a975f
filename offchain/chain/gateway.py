"""The gateway: everything that members ask of a chain, by contract and function name.

A transaction is built, called dry, signed here, stored, sent and awaited; a refusal is the
contract's named error. Reads go out in batches where there are many.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import requests
from eth_account.signers.local import LocalAccount
from eth_utils import to_checksum_address
from web3 import HTTPProvider, Web3

from offchain.chain import codec
from offchain.chain.attempt import RawReceipt
from offchain.chain.codec import Abi
from offchain.chain.deployment import Deployment
from offchain.chain.dry_call import dry_call as dry_call_all
from offchain.chain.endpoint import Endpoint
from offchain.chain.errors import (
    AbiMismatch,
    AccountMissing,
    DeploymentInvalid,
    NodeRefused,
)
from offchain.chain.facts import Block, ChainEvent, Receipt
from offchain.chain.fees import FeeRaise
from offchain.chain.health import HealthGate, HealthLimits
from offchain.chain.outbox import TransactionOutbox, TransactionState
from offchain.chain.receipt import read_block, read_events, read_receipt
from offchain.chain.reverts import decode_revert, is_revert, revert_of
from offchain.chain.rpc import is_loopback
from offchain.chain.sender import Sender, Unsigned

BlockId = int | str  # a number, or "latest", "pending", "earliest", "safe", "finalized"


@dataclass(frozen=True)
class Call:
    """A call of a function; `gas` None is estimated, `intent` names it for the outbox.

    One with `secret` arguments is called dry by the first chain node alone.
    """

    contract: str
    function: str
    args: Sequence[Any] = ()
    value_wei: int = 0
    gas: int | None = None
    intent: str | None = None
    secret: bool = False


class ChainGateway:
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
    ) -> None:
        """Connect to the first of `rpc_url` that answers and check its chain id.

        The first is one's own chain node: secrets are called dry there and nowhere else.
        `gas_price_wei` None asks the node at each transaction; `timeout_s` bounds the wait for a
        receipt; dry calls see `dry_block`: "pending" has the time of the next block.
        `local_pairings` has pairings checked here and not by the chain node
        (`offchain.chain.pairing.configured_pairing`). `confirmations`: how many blocks must lie on
        one that is final. `fees`: when and how far the fee of a stuck transaction is raised.
        Raises ChainMismatch, NodeUnavailable.
        """
        urls = [rpc_url] if isinstance(rpc_url, str) else rpc_url
        self._endpoint = Endpoint(urls, chain_id=deployment.chain_id)
        self._settings = (gas_price_wei, timeout_s, gas_margin_percent, dry_block)
        self.confirmations, self._fees = confirmations, fees
        self.deployment = deployment
        self.local_pairings = local_pairings
        self.chain_id = int(self._endpoint.request("eth_chainId"), 16)
        self._use(account, outbox)

    def with_account(
        self, account: LocalAccount, outbox: TransactionOutbox | None = None
    ) -> "ChainGateway":
        """Return a gateway on the same connection that signs for another account."""
        other = object.__new__(ChainGateway)
        other.__dict__.update(self.__dict__)
        other._use(account, outbox)
        return other

    def _use(self, account: LocalAccount | None, outbox: TransactionOutbox | None) -> None:
        self._sender = None
        if account is not None:
            self._sender = Sender(
                self._endpoint,
                chain_id=self.chain_id,
                account=account,
                outbox=outbox,
                timeout_s=self._settings[1],
                confirmations=self.confirmations,
                fees=self._fees,
            )

    @property
    def address(self) -> str:
        """Return the account's checksummed address. Raises AccountMissing."""
        return self._signer().address

    @property
    def endpoint(self) -> Endpoint:
        """Return the JSON-RPC connection, for what has no method here."""
        return self._endpoint

    def health_gate(self, limits: HealthLimits) -> HealthGate:
        """Return a judge of whether this chain is to be believed, node by node."""
        return HealthGate(self._endpoint, limits, chain_id=self.chain_id)

    @property
    def web3(self) -> Web3:
        """Return a web3.py object on the first node, for what has no method here."""
        url, session = self._endpoint.urls[0], requests.Session()
        session.trust_env = not is_loopback(url)
        return Web3(HTTPProvider(url, session=session))

    # ---- reading

    def call(
        self,
        contract: str,
        function: str,
        *args: Any,
        block: BlockId = "latest",
        sender: str | None = None,
    ) -> Any:
        """Return a function's result: the value, or a named tuple of several; structs are named.

        `function` is a name, or a full signature where names are overloaded. Raises ContractRevert,
        AbiMismatch, DeploymentInvalid (no contract there), NodeRefused, NodeUnavailable.
        """
        entry, request = self._read_request(Call(contract, function, args), block, sender)
        try:
            answer = self._endpoint.request(*request)
        except NodeRefused as error:
            answer = error
        return self._result(contract, entry, answer)

    def call_many(self, calls: Sequence[Call | tuple], block: BlockId = "latest") -> list[Any]:
        """Return the result of each (contract, function, args), read in one JSON-RPC batch.

        Raises like `call`, for the first that fails.
        """
        asked = [call if isinstance(call, Call) else Call(*call) for call in calls]
        requests = [self._read_request(call, block, None) for call in asked]
        answers = self._endpoint.batch([(method, params) for _, (method, *params) in requests])
        return [
            self._result(call.contract, entry, answer)
            for call, (entry, _), answer in zip(asked, requests, answers, strict=True)
        ]

    def block(self, block: BlockId = "latest") -> Block:
        """Return a block's header. Raises NodeRefused when there is none."""
        raw = self._endpoint.request("eth_getBlockByNumber", block_id(block), False)
        if raw is None:
            raise NodeRefused("eth_getBlockByNumber", 0, f"there is no block {block}")
        return read_block(raw)

    def block_number(self) -> int:
        """Return the number of the latest block."""
        return int(self._endpoint.request("eth_blockNumber"), 16)

    def now(self) -> int:
        """Return the time of the latest block, unix seconds: what contracts went by last."""
        return self.block().timestamp

    def balance_wei(self, address: str, block: BlockId = "latest") -> int:
        """Return an account's balance in wei."""
        return int(self._endpoint.request("eth_getBalance", address, block_id(block)), 16)

    def events(
        self,
        contract: str,
        event: str,
        *,
        from_block: BlockId,
        to_block: BlockId = "latest",
        **indexed: Any,
    ) -> tuple[ChainEvent, ...]:
        """Return a contract's events of one name, in order; `indexed` arguments filter.

        Raises AbiMismatch, NodeRefused, NodeUnavailable.
        """
        target = self.deployment.contract(contract)
        entry = target.event(event)
        topics = ["0x" + codec.topic(entry).hex(), *codec.topic_filters(entry, indexed)]
        wanted = {
            "address": target.address,
            "topics": topics,
            "fromBlock": block_id(from_block),
            "toBlock": block_id(to_block),
        }
        return read_events(self.deployment, self._endpoint.request("eth_getLogs", wanted))

    # ---- what is final

    def final(self, confirmations: int | None = None) -> BlockId:
        """Return the newest final block, to be read at: "latest" where every block is final.

        Never one before the contracts were there. `confirmations` None is the gateway's own.
        """
        return self.final_number(confirmations) if self._depth(confirmations) else "latest"

    def final_number(self, confirmations: int | None = None) -> int:
        """Return the number of the block that `final` means."""
        deployed_in = max((one.block for one in self.deployment.contracts.values()), default=0)
        return max(deployed_in, self.block_number() - self._depth(confirmations))

    def _depth(self, confirmations: int | None) -> int:
        return self.confirmations if confirmations is None else confirmations

    def is_final(self, receipt: Receipt) -> bool:
        """Whether no reorganisation can take a mined transaction off the chain any more."""
        if not self.confirmations:
            return True
        number = hex(receipt.block_number)
        head, block = self._endpoint.batch(
            [("eth_blockNumber", []), ("eth_getBlockByNumber", [number, False])]
        )
        if isinstance(head, NodeRefused) or isinstance(block, NodeRefused) or block is None:
            return False
        is_deep = receipt.block_number + self.confirmations <= int(head, 16)
        return is_deep and read_block(block).hash == receipt.block_hash

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
        raw = self._signer().follow(receipt.tx_hash)
        return None if raw is None else read_receipt(self.deployment, raw)

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
        ready = self._prepare([Call(contract, function, args, value_wei)], dry_call=True)[0]
        return ready.gas * self.gas_price_wei()

    def gas_price_wei(self) -> int:
        """Return what a transaction sent now pays a unit of gas: the set price, or the node's."""
        fixed = self._settings[0]
        return int(self._endpoint.request("eth_gasPrice"), 16) if fixed is None else fixed

    def is_begun(self, intent: str) -> bool:
        """Whether the outbox holds a transaction of `intent` that was mined or may yet be."""
        sender = self._signer()
        held = sender.outbox and sender.outbox.of_intent(self.chain_id, sender.address, intent)
        settled = (TransactionState.FAILED, TransactionState.REFUSED, TransactionState.REPLACED)
        return any(one.state not in settled for one in held or [])

    def transfer(self, to: str, value_wei: int, *, intent: str | None = None) -> Receipt:
        """Send ether to an account. Raises like `transact`."""
        sender = self._signer()
        with sender.lock:
            sender.settle()
            raw = sender.recall(intent) if intent else None
            if raw is None:
                plain = Unsigned(to_checksum_address(to), b"", value_wei, 0, intent)
                request = self._request(plain, "latest")
                gas = int(self._endpoint.request("eth_estimateGas", *request), 16)
                ready = replace(plain, gas=gas)
                raw = sender.send([ready], gas_price_wei=self.gas_price_wei())[0]
        return read_receipt(self.deployment, raw)

    def _transact(self, calls: Sequence[Call], *, dry_call: bool) -> list[Receipt]:
        sender = self._signer()
        with sender.lock:
            sender.settle()
            raws = {
                position: raw
                for position, call in enumerate(calls)
                if call.intent and (raw := sender.recall(call.intent)) is not None
            }
            todo = [position for position in range(len(calls)) if position not in raws]
            ready = self._prepare([calls[position] for position in todo], dry_call)
            if ready:
                sent = sender.send(ready, gas_price_wei=self.gas_price_wei())
                raws.update(zip(todo, sent, strict=True))
        unsigned = dict(zip(todo, ready, strict=True))
        return [
            self._read_receipt(call.contract, raws[position], unsigned.get(position))
            for position, call in enumerate(calls)
        ]

    def _prepare(self, calls: Sequence[Call], dry_call: bool) -> list[Unsigned]:
        """Encode, call dry and estimate the gas that is not given, in one batch.

        Raises ContractRevert, NodeRefused.
        """
        plain = []
        for call in calls:
            if not dry_call and call.gas is None:
                raise ValueError(f"{call.function} without a dry call needs its gas limit: gas=…")
            target, entry = self._entry(call)
            data = codec.encode_call(entry, call.args)
            plain.append(Unsigned(target, data, call.value_wei, call.gas or 0, call.intent))
        if not dry_call:
            return plain
        dry = dry_call_all(
            self._endpoint,
            lambda block: [self._request(item, block) for item in plain],
            self._settings[3],
            first_alone=any(call.secret for call in calls),
        )
        for call, answer in zip(calls, dry, strict=True):
            for one in answer:
                if isinstance(one, NodeRefused):
                    if is_revert(one):
                        raise revert_of(self.deployment, call.contract, one) from one
                    raise one
        return [
            item if estimate is None else replace(item, gas=self._with_margin(estimate))
            for item, (_, estimate) in zip(plain, dry, strict=True)
        ]

    def _with_margin(self, estimate: str) -> int:
        return int(estimate, 16) * (100 + self._settings[2]) // 100

    def _read_receipt(self, called: str, raw: RawReceipt, unsigned: Unsigned | None) -> Receipt:
        receipt = read_receipt(self.deployment, raw)
        if receipt.success or unsigned is None:
            return receipt
        # The block's own state and time first; then its parent's, before what the block changed.
        for number in (receipt.block_number, receipt.block_number - 1):
            try:
                self._endpoint.request("eth_call", *self._request(unsigned, number))
            except NodeRefused as error:
                revert = revert_of(self.deployment, called, error, receipt)
                break
        else:
            revert = decode_revert(self.deployment, called, b"", receipt)
        return replace(receipt, revert=revert)

    # ---- requests

    def _signer(self) -> Sender:
        if self._sender is None:
            raise AccountMissing("this gateway has no account; open it with account=…")
        return self._sender

    def _entry(self, call: Call) -> tuple[str, Abi]:
        target = self.deployment.contract(call.contract)
        try:
            return target.address, codec.find_function(target.abi, call.function, len(call.args))
        except AbiMismatch as error:
            raise AbiMismatch(f"{call.contract}: {error}") from error

    def _request(self, transaction: Unsigned, block: BlockId) -> list[Any]:
        """Return the parameters of eth_call and eth_estimateGas for a transaction."""
        fields = {
            "from": self.address,
            "to": transaction.to,
            "data": "0x" + transaction.data.hex(),
            "value": hex(transaction.value_wei),
        }
        if transaction.gas:
            fields["gas"] = hex(transaction.gas)
        return [fields, block_id(block)]

    def _read_request(
        self, call: Call, block: BlockId, sender: str | None
    ) -> tuple[Abi, tuple[str, Any, str]]:
        target, entry = self._entry(call)
        fields = {"to": target, "data": "0x" + codec.encode_call(entry, call.args).hex()}
        if sender or self._sender:
            fields["from"] = sender or self.address
        return entry, ("eth_call", fields, block_id(block))

    def _result(self, contract: str, entry: Abi, answer: Any) -> Any:
        if isinstance(answer, NodeRefused):
            if is_revert(answer):
                raise revert_of(self.deployment, contract, answer) from answer
            raise answer
        if answer == "0x" and entry["outputs"]:
            raise DeploymentInvalid(
                f"nothing answers at {contract}'s address {self.deployment.address(contract)}; "
                "is it deployed on this chain?"
            )
        return codec.decode_result(entry, bytes.fromhex(answer[2:]))


def block_id(block: BlockId) -> str:
    """Return a block number or tag as JSON-RPC writes it."""
    return hex(block) if isinstance(block, int) else block
