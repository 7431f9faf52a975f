"""Keep a Clique chain of period 0 moving: such a chain makes no block while nobody sends.

A block is final when others lie on it, and contracts see time pass only in blocks. So whenever a
block holds somebody's transaction, beats follow until it is final; and an idle chain gets one beat
each `idle_s`. A beat is an empty transfer of an account to itself: beats never answer beats, but
while the base fee is above what members pay: each nearly empty block lowers it by an eighth.

It also says when the chain is halted. Where blocks come by themselves that is all it does.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from eth_account.signers.local import LocalAccount

from offchain.chain import questions
from offchain.chain.answers import FeeHead, SentTransaction
from offchain.chain.errors import NodeRefused, NodeUnavailable
from offchain.network.founders import founder
from offchain.network.genesis import confirmations
from offchain.network.ipc import Ipc
from offchain.network.plan import HEARTBEAT, NetworkPlan, load_plan

GAS_PRICE_WEI = 10**9  # what members pay, and a beat while the base fee leaves room for it
_GAS = 21_000
_FEW = 8  # a block with more transactions than this holds more than beats
_RECONNECT_S = 0.5
_STUCK_S = 3.0  # a beat that is not mined by then is sent again, to every signer
_HALTED_S = 5.0  # without a block for so long, though beats wait, the chain is halted


class Heartbeat:
    """The beats of one account."""

    def __init__(
        self,
        account: LocalAccount,
        *,
        chain_id: int,
        depth: int,
        idle_s: float,
        period_s: float = 0,
    ) -> None:
        """`depth`: how many blocks must follow one that is somebody's. `period_s`: the chain makes
        a block so often by itself.
        """
        self._account, self._chain_id = account, chain_id
        self._depth, self._idle_s = depth, max(idle_s, 3 * period_s)
        self._makes_blocks = period_s == 0
        self._stuck_s, self._halted_s = _STUCK_S + period_s, _HALTED_S + period_s
        self._wanted = 0  # the chain must reach this block

    def follow(self, node: Ipc, others: Sequence[Path]) -> None:
        """Beat at `node` until it is gone, and say when the chain is halted and when it goes on.
        Raises NodeUnavailable.
        """
        node.subscribe_heads()
        last, told = time.monotonic(), False
        while True:
            head = node.next_head(min(self._idle_s, self._stuck_s))
            silent_s = time.monotonic() - last
            if head is not None:
                if told:
                    print(f"block {head.number} after {silent_s:.0f} s", flush=True)
                self._see(node, head)
                last, told = time.monotonic(), False
                if self._makes_blocks and head.number < self._wanted:
                    self.beat(node)
            elif self._wanted or silent_s >= self._idle_s or _waiting(node):
                answered = self._beat_everywhere(others)
                if silent_s >= self._halted_s and not told:
                    print(_halt_note(silent_s, answered, len(others)), flush=True)
                    told = True

    def _see(self, node: Ipc, head: FeeHead) -> None:
        number = head.number
        hashes = node.ask(questions.hashes_in(head.hash))
        if hashes is not None and self._is_somebodys(node, hashes):
            self._wanted = number + self._depth
        elif price_wei(head) > GAS_PRICE_WEI:  # what members sent may be waiting
            self._wanted = max(self._wanted, number + 1)
        elif number >= self._wanted:
            self._wanted = 0

    def _is_somebodys(self, node: Ipc, hashes: Sequence[str]) -> bool:
        if len(hashes) > _FEW:
            return True
        found = (node.ask(questions.transaction(one)) for one in hashes)
        return any(one is not None and not is_beat(one) for one in found)

    def beat(self, node: Ipc) -> None:
        """Send the next beat. Raises NodeUnavailable."""
        _send(node, self._next(node))

    def _next(self, node: Ipc) -> bytes:
        """Return the beat that this node has room for: its head gives the nonce and the price."""
        head = node.ask(questions.fee_head())
        nonce = node.ask(questions.nonce(self._account.address, {"blockHash": head.hash}))
        return self.sign(nonce, gas_price_wei=price_wei(head))

    def _beat_everywhere(self, paths: Sequence[Path]) -> int:
        """Beat at every signer in turn, each with the nonce that it sees; return how many answer.

        On one side of a fork the next beat may be mined already, so that nothing is left to seal
        there, while the other side's signers have signed too recently: only a beat for each side
        lets the longer one grow. In turn: where all got the same beat at once, all would seal the
        same height at once, and forks of equal weight, whose signers all have signed too recently,
        can halt such a chain. So a round makes up to one block for each signer.
        """
        answered = 0
        for path in paths:
            # One that is down is passed over: one of them is enough.
            with suppress(NodeUnavailable, NodeRefused), Ipc(path, timeout_s=1.0) as node:
                self.beat(node)
                answered += 1
        return answered

    def sign(self, nonce: int, *, gas_price_wei: int) -> bytes:
        """Return the beat with this nonce and price, signed; the same give the same bytes."""
        signed = self._account.sign_transaction(
            {
                "chainId": self._chain_id,
                "nonce": nonce,
                "gasPrice": gas_price_wei,
                "gas": _GAS,
                "to": self._account.address,
                "value": 0,
                "data": b"",
            }
        )
        return bytes(signed.raw_transaction)


def price_wei(head: FeeHead) -> int:
    """Return what a beat on `head` offers: the usual price, doubled until it is at least twice the
    base fee.

    It depends on the head alone, and on few heads it differs from that of the one before, so that
    heartbeats on several machines send the same bytes. A beat that is priced too low for the next
    block, whose base fee is at most 9/8 of the head's, is offered at least twice as much here: more
    than the tenth by which pools let one replace another.
    """
    price = GAS_PRICE_WEI
    while price < 2 * head.base_fee_wei:
        price *= 2
    return price


def is_beat(transaction: SentTransaction) -> bool:
    """Whether a transaction is anybody's beat: nothing, from an account to itself."""
    is_empty = transaction.value_wei == 0 and not transaction.data
    return is_empty and transaction.sender == transaction.to


def _waiting(node: Ipc) -> bool:
    """Whether transactions wait: somebody's, since beats of this account are noticed otherwise."""
    return node.ask(questions.waiting_count()) > 0


def _halt_note(silent_s: float, answered: int, signers: int) -> str:
    """Return the line that tells a halted chain from an idle one, which gets its beats mined."""
    if answered <= signers // 2:
        return f"no block for {silent_s:.0f} s: {answered} of {signers} signers answer, too few"
    return (
        f"halted: no block for {silent_s:.0f} s though {answered} of {signers} signers answer and "
        "beats wait; see `dmsm net status`, `dmsm net rescue`"
    )


def _send(node: Ipc, raw: bytes) -> None:
    try:
        node.ask(questions.send(raw))
    except NodeRefused:
        return  # it has this beat already, or a later one: a block is on its way


def run(folder: Path) -> None:
    """Beat for the network in `folder`, at the first signer that answers, until it is ended."""
    while True:
        plan = load_plan(folder)  # the signers may have changed
        heart = heart_of(plan)
        paths = [plan.ipc_path(signer.name) for signer in plan.signers]
        for path in paths:
            try:
                with Ipc(path, timeout_s=5.0) as node:
                    print(f"beating at {path}", flush=True)
                    heart.follow(node, paths)
            except (NodeUnavailable, NodeRefused) as error:
                print(error, flush=True)
        time.sleep(_RECONNECT_S)


def heart_of(plan: NetworkPlan) -> Heartbeat:
    """Return the heartbeat of a network, with its key. Raises KeystoreError, PlanInvalid."""
    return Heartbeat(
        founder(plan, HEARTBEAT),
        chain_id=plan.chain_id,
        depth=confirmations(plan.engine, len(plan.signers)),
        idle_s=plan.heartbeat_s,
        period_s=plan.period_s,
    )


if __name__ == "__main__":
    run(Path(sys.argv[1]))
