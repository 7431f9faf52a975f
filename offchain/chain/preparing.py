"""Transactions before they are signed, and what became of those that a contract refused."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from offchain.chain import codec, questions
from offchain.chain.answers import MinedReceipt
from offchain.chain.calls import Call, entry_of, unless_refused
from offchain.chain.deployment import Deployment
from offchain.chain.dry_call import dry_call as dry_call_all
from offchain.chain.endpoint import Endpoint
from offchain.chain.errors import LogUnreadable, NodeRefused
from offchain.chain.facts import Receipt
from offchain.chain.questions import BlockId
from offchain.chain.receipt import read_receipt, receipt_question
from offchain.chain.reverts import decode_revert, revert_of
from offchain.chain.sender import Unsigned


class Preparer:
    """Encode calls of one account, call them dry, estimate their gas, explain their reverts."""

    def __init__(
        self,
        endpoint: Endpoint,
        deployment: Deployment,
        address: str,
        *,
        gas_margin_percent: int,
        dry_block: BlockId,
    ) -> None:
        self._endpoint, self._deployment, self._address = endpoint, deployment, address
        self._margin_percent, self._dry_block = gas_margin_percent, dry_block

    def prepare(
        self, calls: Sequence[Call], *, dry_call: bool
    ) -> tuple[list[Unsigned], int | None]:
        """Encode, call dry and estimate the gas that is not given, in one batch; return them and
        the account's nonce in the latest block. Nothing is asked without a dry call: None then.

        Raises ContractRevert, NodeRefused, NodeUnavailable, AbiMismatch.
        """
        encoded = [self._encoded(call, dry_call) for call in calls]
        if not dry_call or not encoded:
            return encoded, None
        dry, nonce = dry_call_all(
            self._endpoint,
            lambda block: [self._fields_at(item, block) for item in encoded],
            self._dry_block,
            first_alone=any(call.secret for call in calls),
            beside=questions.nonce(self._address, "latest"),
        )
        ready = []
        for call, item, (answer, estimate) in zip(calls, encoded, dry, strict=True):
            unless_refused(self._deployment, call.contract, answer)
            gas = unless_refused(self._deployment, call.contract, estimate)
            ready.append(item if gas is None else replace(item, gas=self._with_margin(gas)))
        if isinstance(nonce, NodeRefused):
            raise nonce
        return ready, nonce

    def estimated(self, plain: Unsigned) -> Unsigned:
        """Return a transfer with just the gas that it needs. Raises NodeRefused."""
        fields, block = self._fields_at(plain, "latest")
        return replace(plain, gas=self._endpoint.ask(questions.estimate_gas(fields, block)))

    def read_receipt(self, called: str, mined: MinedReceipt, unsigned: Unsigned | None) -> Receipt:
        """Return a receipt; of one that was refused with why, found by calling it again."""
        receipt = self._with_events(mined)
        if receipt.success or unsigned is None:
            return receipt
        # The block's own state and time first; then its parent's, before what the block changed.
        for number in (receipt.block_number, receipt.block_number - 1):
            try:
                self._endpoint.ask(questions.call(*self._fields_at(unsigned, number)))
            except NodeRefused as error:
                revert = revert_of(self._deployment, called, error, receipt)
                break
        else:
            revert = decode_revert(self._deployment, called, b"", receipt)
        return replace(receipt, revert=revert)

    def _with_events(self, mined: MinedReceipt) -> Receipt:
        try:
            return read_receipt(self._deployment, mined)
        except LogUnreadable:
            again = self._endpoint.ask(receipt_question(self._deployment, mined.tx_hash))
            if again is None:
                raise
            return again  # another node, or the same, shows other logs of it

    def _encoded(self, call: Call, dry_call: bool) -> Unsigned:
        if not dry_call and call.gas is None:
            raise ValueError(f"{call.function} without a dry call needs its gas limit: gas=…")
        target, entry = entry_of(self._deployment, call)
        data = codec.encode_call(entry, call.args)
        return Unsigned(target, data, call.value_wei, call.gas or 0, call.intent)

    def _fields_at(self, transaction: Unsigned, block: BlockId) -> tuple[dict[str, Any], BlockId]:
        """Return the parameters of eth_call and eth_estimateGas for a transaction."""
        fields = {
            "from": self._address,
            "to": transaction.to,
            "data": "0x" + transaction.data.hex(),
            "value": hex(transaction.value_wei),
        }
        if transaction.gas:
            fields["gas"] = hex(transaction.gas)
        return fields, block

    def _with_margin(self, estimate: int) -> int:
        return estimate * (100 + self._margin_percent) // 100
