"""Sign and send for one account: one sender at a time, nonces from the chain, bytes kept first.

Nonces come from the latest block and never from memory: a counter that outlives a failed send
leaves a gap behind which everything waits. What waits too long is sent again with a higher fee,
under the same nonce, so that one of its variants alone has an effect. What was mined stays under
watch until it is final: a reorganisation that takes it off the chain has it sent again.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from offchain.chain import questions
from offchain.chain.answers import MinedReceipt
from offchain.chain.attempt import Attempt, attempts_of, end_of
from offchain.chain.endpoint import BATCH_SIZE, Endpoint
from offchain.chain.errors import (
    NodeRefused,
    NodeUnavailable,
    TransactionReplaced,
    TransactionTimeout,
)
from offchain.chain.fees import FeeRaise, next_base_fee_wei
from offchain.chain.outbox import SignedTransaction, TransactionOutbox, TransactionState
from offchain.chain.questions import Question
from offchain.chain.signing import LegacyTransaction, TransactionSigner
from offchain.chain.subscription import NewHeads
from offchain.forking import ForkLock
from offchain.types import to_account

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

_FIRST_POLL_S, _LAST_POLL_S, _POLL_GROWTH = 0.001, 0.25, 1.5
_PATIENCE = 0.05  # of what was waited so far, the next pause is at most, but for the first ones
_SHORT_PAUSE_S = 0.004
_AT_ONCE = BATCH_SIZE - 1  # and the head's number with them
_BE_TOLD_AFTER_S = 0.1  # who waits longer asks to be told of blocks
_MOST_OPEN = 32
_RESEND_S = 3.0  # a node that restarted has forgotten its pool
_TRANSFER_GAS = 21_000
# What nodes say of a transaction that they hold, or have mined, or of whose nonce they hold
# another: look at the receipt.
_KNOWN = (
    "already known",
    "known transaction",
    "already imported",
    "nonce too low",
    "replacement transaction underpriced",
    "replacement underpriced",
)
# What they say while their pool has no room: it has in a moment, and what is signed waits for it.
_NO_ROOM = ("txpool is full", "future transaction tries to replace pending")
_UNDERPRICED = "transaction underpriced"  # alone: of those in a full pool it pays the least

_locks: dict[tuple[int, str], threading.RLock] = {}
_locks_guard = ForkLock()
os.register_at_fork(after_in_child=_locks.clear)  # the threads that hold them are not there


@dataclass(frozen=True)
class Unsigned:
    """A transaction before it has a nonce; `gas` is its limit."""

    to: str
    data: bytes = field(repr=False)
    value_wei: int
    gas: int
    intent: str | None = None


@dataclass(frozen=True, slots=True)
class _Seen:
    """A receipt and the number of the latest block of the node that showed it, at that moment."""

    receipt: MinedReceipt
    head: int


def lock_of(chain_id: int, address: str) -> threading.RLock:
    """Return the one lock of this process for an account on a chain."""
    with _locks_guard:
        return _locks.setdefault((chain_id, address), threading.RLock())


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
        confirmations: int = 0,
        fees: FeeRaise | None = None,
        heads: NewHeads | None = None,
    ) -> None:
        """Prepare to send; nothing is asked yet. `confirmations`: how deep is final. `heads`: who
        tells of new blocks, if anybody does.
        """
        self.endpoint, self.chain_id = endpoint, chain_id
        self.address = to_account(account.address)
        self.outbox, self.timeout_s = outbox, timeout_s
        self._confirmations, self._fees = confirmations, fees or FeeRaise()
        self._new_heads = heads or NewHeads([])
        self._signer = TransactionSigner(bytes(account.key), chain_id=chain_id)
        self._found_no_room = False  # some of what was sent last, in the node's pool
        self.lock = lock_of(chain_id, self.address)

    def settle(self) -> None:
        """Bring what is not final to its end: what an earlier run left unsettled, and what a
        reorganisation took off the chain, is sent again by the same bytes.

        Raises TransactionTimeout when one is neither mined nor replaced in time.
        """
        if self.outbox is None:
            return
        open_ones = attempts_of(self.outbox.not_final(self.chain_id, self.address))
        if not open_ones:
            return
        found = self._look(open_ones, to_end=True)
        over = [one for one in open_ones if one.nonce not in found and one.is_replaced]
        self._note_strangers(over)
        lost = [one for one in open_ones if one.nonce not in found and one not in over]
        refused = self._broadcast([one.newest for one in lost])
        for one in lost:
            if one.newest in refused or one.nonce > self._nonce():
                return  # those from here on wait for a nonce below, which the next one takes
            self._wait_or_lose(one)

    def is_settled(self) -> bool:
        """Whether nothing in the outbox can change its end any more."""
        return not (self.outbox and self.outbox.not_final(self.chain_id, self.address))

    def has_signed(self, intent: str) -> bool:
        """Whether the outbox holds a transaction of `intent`, whatever became of it."""
        return bool(self.outbox and self.outbox.of_intent(self.chain_id, self.address, intent))

    def has_all_before(self, nonce: int) -> bool:
        """Whether all that the outbox holds as not final lies below the account's nonce in the
        latest block: then none of it is off the chain. False too when so many are open that it is
        time to look which are final.
        """
        if self.outbox is None:
            return True
        open_ones = self.outbox.not_final(self.chain_id, self.address)
        return len(open_ones) < _MOST_OPEN and all(one.nonce < nonce for one in open_ones)

    def recall(self, intent: str) -> MinedReceipt | None:
        """Return the receipt of the successful transaction of `intent`, or None if it has none.

        One that a reorganisation took off the chain is sent again, by the same bytes.
        """
        if self.outbox is None:
            return None
        held = self.outbox.of_intent(self.chain_id, self.address, intent)
        for attempt in reversed(attempts_of(held[::-1])):
            receipt = self._look([attempt]).get(attempt.nonce)
            if receipt is None and attempt.was_mined:
                self._broadcast([attempt.newest])
                receipt = self._wait_or_lose(attempt)
            if receipt is not None and receipt.success:
                return receipt
        return None

    def send(
        self, transactions: Sequence[Unsigned], *, gas_price_wei: int, nonce: int | None = None
    ) -> list[MinedReceipt]:
        """Sign with consecutive nonces, store, broadcast; return the receipts in order.

        `nonce`: the account's in the latest block, if that was just asked under `lock`.
        Raises NodeRefused when a node takes one of them for nothing, TransactionTimeout,
        TransactionReplaced, NodeUnavailable (then the outbox settles them later).
        """
        with self.lock:
            first = self._nonce() if nonce is None else nonce
            signed = [
                self._sign(transaction, first + offset, gas_price_wei)
                for offset, transaction in enumerate(transactions)
            ]
            self._record(signed)
            refused = self._broadcast(signed)
            if refused:
                raise self._close_gap(signed, refused, gas_price_wei)
            return self._wait([Attempt([item]) for item in signed])

    def follow(self, tx_hash: str) -> MinedReceipt | None:
        """Return the receipt of a sent transaction, or of the variant of it that was mined.

        None: none is on the chain now; `settle` sends again what the outbox holds of it.
        """
        held = self.outbox.variants_of(tx_hash) if self.outbox else []
        attempt = Attempt(held or [SignedTransaction(None, 0, b"", tx_hash)])
        return self._look([attempt], to_end=True).get(attempt.nonce)

    # ---- signing

    def _sign(self, transaction: Unsigned, nonce: int, gas_price_wei: int) -> SignedTransaction:
        content = LegacyTransaction(
            nonce=nonce,
            gas_price_wei=gas_price_wei,
            gas=transaction.gas,
            to=bytes.fromhex(transaction.to.removeprefix("0x")),
            value_wei=transaction.value_wei,
            data=transaction.data,
        )
        return self._sign_content(content, transaction.intent)

    def _sign_content(self, content: LegacyTransaction, intent: str | None) -> SignedTransaction:
        raw, tx_hash = self._signer.sign(content)
        return SignedTransaction(intent, content.nonce, raw, tx_hash)

    # ---- sending

    def _broadcast(
        self, transactions: Sequence[SignedTransaction]
    ) -> dict[SignedTransaction, NodeRefused]:
        """Send raw bytes; return those that the node refused and does not hold. One for which its
        pool has no room is not among them: it is sent again while it is waited for.
        """
        answers = self._send(transactions)
        refused = {}
        for transaction, answer in zip(transactions, answers, strict=True):
            if not isinstance(answer, NodeRefused) or _is_known(answer) or _has_no_room(answer):
                continue
            # Some nodes report an error after taking a transaction: believe what they hold.
            held = self.endpoint.ask(questions.transaction(transaction.tx_hash))
            if held is None:
                refused[transaction] = answer
                self._mark(transaction, TransactionState.REFUSED)
        return refused

    def _send(self, transactions: Sequence[SignedTransaction]) -> list[str | NodeRefused]:
        answers = self.endpoint.batch([questions.send(item.raw) for item in transactions])
        refusals = [one for one in answers if isinstance(one, NodeRefused)]
        self._found_no_room = any(_has_no_room(one) for one in refusals)
        return answers

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
            self._record(fillers)
            self._broadcast(fillers)
        if taken:
            self._wait([Attempt([item]) for item in taken])
        return next(iter(refused.values()))

    # ---- waiting

    def _wait_or_lose(self, attempt: Attempt) -> MinedReceipt | None:
        try:
            return self._wait([attempt])[0]
        except TransactionReplaced:
            return None

    def _wait(self, attempts: Sequence[Attempt]) -> list[MinedReceipt]:
        """Look until all are mined: at each block that is told, or, where none is, fast at first,
        since a local chain needs milliseconds.

        Of many the last is asked for first: it is mined when all before it are. Where the node had
        no room for some, each counts, and makes room for others.
        """
        started = last_sent = time.monotonic()
        for one in attempts:
            one.sent_at = started
        found: dict[int, MinedReceipt] = {}
        delay = _FIRST_POLL_S
        while True:
            told = self._new_heads.told
            missing = [one for one in attempts if one.nonce not in found]
            front = missing[:_AT_ONCE]
            is_time = time.monotonic() - last_sent > _RESEND_S
            each_counts = is_time or self._found_no_room
            fresh = self._look_patiently(front if each_counts else front[-1:])
            if fresh and len(front) > 1 and not each_counts:
                fresh = self._look_patiently(front)
            found.update(fresh)
            if len(found) == len(attempts):
                return [found[one.nonce] for one in attempts]
            if len(fresh) == _AT_ONCE:
                continue
            now = time.monotonic()
            missing = [one for one in missing if one.nonce not in found]
            if now - started > self.timeout_s:
                raise self._timeout(missing[0])
            if now - last_sent > _RESEND_S or (fresh and self._found_no_room):
                last_sent = now
                self._resend(missing)
            self._pause(told, delay, waited_s=now - started)
            longest = min(max(_SHORT_PAUSE_S, _PATIENCE * (now - started)), _LAST_POLL_S)
            delay = _FIRST_POLL_S if fresh else min(delay * _POLL_GROWTH, longest)

    def _pause(self, told: int, delay_s: float, *, waited_s: float) -> None:
        """Wait for the next block, or for as long as it is sensible not to look."""
        if self._new_heads.is_told:
            self._new_heads.wait_told(told, most_s=_LAST_POLL_S)
            return
        if waited_s > _BE_TOLD_AFTER_S:
            self._new_heads.begin()
        time.sleep(delay_s)

    def _timeout(self, attempt: Attempt) -> TransactionTimeout:
        tx_hash, dearest = attempt.newest.tx_hash, ""
        if attempt.is_at_its_dearest:
            dearest = "; its fee was raised as far as allowed: is the account's balance enough?"
        return TransactionTimeout(
            f"{tx_hash} of {self.address} is not mined after {self.timeout_s} s{dearest}", tx_hash
        )

    def _look_patiently(self, attempts: Sequence[Attempt]) -> dict[int, MinedReceipt]:
        try:
            return self._look(attempts)
        except (NodeUnavailable, NodeRefused):
            return {}  # sent is sent: the time limit decides how long to hope

    def _look(
        self, attempts: Sequence[Attempt], *, to_end: bool = False
    ) -> dict[int, MinedReceipt]:
        """Return receipts by nonce, whichever variant was mined, and note them.

        `to_end`: those that lie deep enough below the head are noted as final.
        """
        last = self._receipts(attempts[-1:]) if len(attempts) > 1 else {}
        found = self._by_block(attempts, *last.values()) if last else self._receipts(attempts)
        self._note(found, to_end=to_end)
        return {nonce: seen.receipt for nonce, seen in found.items()}

    def _receipts(self, attempts: Sequence[Attempt]) -> dict[int, _Seen]:
        """Ask for each variant's receipt. Geth shows one a moment before its block is the latest:
        it counts once whoever reads the latest block finds what it says.
        """
        nonces = {one.tx_hash: attempt.nonce for attempt in attempts for one in attempt.variants}
        hashes, found = list(nonces), dict[int, _Seen]()
        for start in range(0, len(hashes), _AT_ONCE):
            asked = hashes[start : start + _AT_ONCE]
            receipts, head = self._with_head([questions.receipt(one) for one in asked])
            for tx_hash, receipt in zip(asked, receipts, strict=True):
                if isinstance(receipt, MinedReceipt) and receipt.block_number <= head:
                    found[nonces[tx_hash]] = _Seen(receipt, head)
        return found

    def _with_head(self, asked: Sequence[Question[Any]]) -> tuple[list[Any], int]:
        """Ask up to 199 questions and for the number of the latest block, all of one node: another
        node's head, on another side of a fork, says nothing of how deep a receipt lies.
        """
        *answers, head = self.endpoint.batch([*asked, questions.block_number()])
        if isinstance(head, NodeRefused):
            raise head
        return answers, head

    def _by_block(self, attempts: Sequence[Attempt], last: _Seen) -> dict[int, _Seen]:
        """Read a block's receipts at once, from the last one's backwards: for each one alone Geth
        reads its whole block. Where that brings nothing, each is asked for.
        """
        nonces = {one.tx_hash: attempt.nonce for attempt in attempts for one in attempt.variants}
        found: dict[int, _Seen] = {}
        seen: _Seen | None = last
        while seen is not None:
            asked = questions.block_receipts(seen.receipt.block_number)
            (mined,), head = self._with_head([asked])
            said = mined if isinstance(mined, tuple) else ()
            ours = [one for one in said if one.tx_hash in nonces]
            fresh = {nonces[one.tx_hash]: _Seen(one, head) for one in ours}
            if not fresh.keys() - found.keys():  # refused, or a reorganisation came between
                return self._receipts(attempts)
            found |= fresh
            left = [attempt for attempt in attempts if attempt.nonce not in found]
            seen = self._receipts(left[-1:]).get(left[-1].nonce) if left else None
        return found if len(found) == len(attempts) else self._receipts(attempts)

    def _resend(self, missing: Sequence[Attempt]) -> None:
        """Send again what a node may have forgotten, or what is priced too low; notice what can
        never be mined.
        """
        try:
            head, base_fee_wei, nonce, final_nonce = self._heads()
            first, was_doubted = missing[0], missing[0].is_doubted
            first.is_doubted = final_nonce > first.nonce and not self._look([first])
            if first.is_doubted and was_doubted:  # twice: where the newest block is final, a
                raise self._lose(first)  # reorganisation may show the one and hide the other
            if nonce == missing[0].nonce:
                self._take_out_of_pool()
            self._raise_fees(missing, head, base_fee_wei)
            self._send([one.newest for one in missing])
        except (NodeUnavailable, NodeRefused):  # the next round tries again
            return

    def _lose(self, attempt: Attempt) -> TransactionReplaced:
        self._note_strangers([attempt])
        return TransactionReplaced(
            f"nonce {attempt.nonce} of {self.address} was used by another transaction;"
            f" {attempt.newest.tx_hash} will never be mined",
            attempt.newest.tx_hash,
        )

    def _raise_fees(self, missing: Sequence[Attempt], head: int, base_fee_wei: int) -> None:
        """Give each that is stuck a variant with a higher fee, stored before it is sent."""
        now, due = time.monotonic(), []
        for one in missing:
            if one.sent_block is None:
                one.sent_block = head
            if self._fees.is_due(
                waited_s=now - one.sent_at,
                blocks=head - one.sent_block,
                price_wei=one.content().gas_price_wei,
                base_fee_wei=base_fee_wei,
            ):
                due.append(one)
        if not due:
            return
        asked_wei = self.endpoint.ask(questions.gas_price())
        raised = [one for one in due if self._raise_fee(one, asked_wei, base_fee_wei)]
        self._record([one.newest for one in raised])
        for one in raised:
            one.sent_at, one.sent_block = now, head

    def _raise_fee(self, attempt: Attempt, asked_wei: int, base_fee_wei: int) -> bool:
        content = attempt.content()
        if content.gas_price_wei < base_fee_wei:  # room for it to rise while this is on its way
            asked_wei = max(asked_wei, 2 * base_fee_wei)
        price_wei = self._fees.next_price_wei(
            first_wei=attempt.first_price_wei(),
            last_wei=content.gas_price_wei,
            asked_wei=asked_wei,
        )
        if price_wei is None:
            attempt.is_at_its_dearest = True
            return False
        dearer = LegacyTransaction(
            nonce=content.nonce,
            gas_price_wei=price_wei,
            gas=content.gas,
            to=content.to,
            value_wei=content.value_wei,
            data=content.data,
        )
        attempt.variants.append(self._sign_content(dearer, attempt.newest.intent))
        return True

    def _take_out_of_pool(self) -> None:
        """Have anvil forget this account's transactions, before it is sent them again.

        Anvil looks up the nonce before it puts a transaction into its pool. When the one before is
        mined just between, it waits for that for good, and calls the same bytes known.
        """
        forget = questions.plain("anvil_removePoolTransactions", self.address)
        self.endpoint.batch([forget])  # others refuse

    # ---- asking and noting

    def _nonce(self) -> int:
        return self.endpoint.ask(questions.nonce(self.address, "latest"))

    def _heads(self) -> tuple[int, int, int, int]:
        """Return the head's number, the base fee behind it, the account's nonce there, and the one
        that is final.
        """
        newest = self.endpoint.ask(questions.fee_head())
        final = max(0, newest.number - self._confirmations)
        latest, deep = self.endpoint.batch(
            [questions.nonce(self.address, block) for block in ("latest", final)]
        )
        if isinstance(latest, NodeRefused):
            raise latest
        # A node that has forgotten the state of that block has no say in what is final.
        final_nonce = 0 if isinstance(deep, NodeRefused) else deep
        return newest.number, next_base_fee_wei(newest), latest, final_nonce

    def _record(self, transactions: Sequence[SignedTransaction]) -> None:
        if self.outbox and transactions:
            self.outbox.record(self.chain_id, self.address, transactions)

    def _mark(self, transaction: SignedTransaction, state: TransactionState) -> None:
        if self.outbox:
            self.outbox.mark(transaction.tx_hash, state)

    def _note(self, found: Mapping[int, _Seen], *, to_end: bool) -> None:
        """Note what was mined; without confirmations that is final at once."""
        if not self.outbox or not found:
            return
        deep: list[tuple[int, str, TransactionState]] = []
        shallow: list[tuple[int, str, TransactionState]] = []
        for nonce, seen in found.items():
            depth = seen.head - seen.receipt.block_number
            is_deep = to_end and depth >= self._confirmations
            ends = deep if is_deep or not self._confirmations else shallow
            ends.append((nonce, seen.receipt.tx_hash, end_of(seen.receipt)))
        for ends, final in ((deep, True), (shallow, False)):
            if ends:
                self.outbox.settle(self.chain_id, self.address, ends, final=final)

    def _note_strangers(self, attempts: Sequence[Attempt]) -> None:
        """Note that others' transactions took these nonces for good."""
        if self.outbox and attempts:
            self.outbox.give_up([one.tx_hash for attempt in attempts for one in attempt.variants])


def _is_known(refusal: NodeRefused) -> bool:
    return any(words in refusal.message.lower() for words in _KNOWN)


def _has_no_room(refusal: NodeRefused) -> bool:
    said = refusal.message.lower().strip()
    return said == _UNDERPRICED or any(words in said for words in _NO_ROOM)
