"""Set the signers of a halted chain on one head again, as operators do by hand.

Forks of equal weight whose signers all signed recently stop a chain of stock Geth for good: each
signer keeps its own fork. So one head is chosen, the others are set back to where they part from it
and given its blocks. Clique's recent signers are always fewer than a majority: one that runs may
seal on that head.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass

from offchain.chain import answers, questions
from offchain.chain.errors import NodeRefused, NodeUnavailable
from offchain.chain.questions import Question
from offchain.network.errors import RescueRefused
from offchain.network.genesis import confirmations
from offchain.network.halting import ChainState, chain_state
from offchain.network.heartbeat import heart_of
from offchain.network.ipc import Ipc
from offchain.network.operation import Network
from offchain.network.watch import is_here

_SEARCH = 256  # how many blocks below a head the point where two part is looked for
_GOES_ON_S = 20.0
_POLL_S = 0.25


@dataclass(frozen=True, slots=True)
class Rescued:
    """What was done: the head that all have, who was set back and by how many blocks."""

    number: int
    hash: str
    set_back: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Block:
    number: int
    hash: str
    weight: int  # total difficulty


def rescue(network: Network) -> Rescued:
    """Set a halted chain on one head. Raises RescueRefused where it is not halted, no majority
    answers, or what counts as final would be undone; NodeRefused, NodeUnavailable.
    """
    plan = network.plan
    if plan.engine != "clique" or plan.is_spread:
        raise RescueRefused(
            "only Clique signers on one machine are rescued so; docs/network.md says how by hand"
        )
    state = chain_state(network, [one.name for one in plan.signers])
    if state in (ChainState.RUNS, ChainState.IDLE):
        raise RescueRefused(f"there is nothing to rescue; the chain {_told(state)}")
    heads = _heads(network)
    if len(heads) <= len(plan.signers) // 2:
        raise RescueRefused(
            f"{len(heads)} of {len(plan.signers)} signers answer, which is no majority: start the "
            "others with `dmsm net up`, and the chain may go on by itself"
        )
    # As Geth chooses: the heavier one, of equal ones the shorter; then the lower hash.
    chosen = min(heads, key=lambda name: _order(heads[name]))
    head = heads[chosen]
    number = head.number
    parted = {
        name: _common(network, chosen, name, own)
        for name, own in heads.items()
        if own.hash != head.hash
    }
    back = {name: heads[name].number - common for name, common in parted.items()}
    final = confirmations(plan.engine, len(plan.signers))
    if deep := [name for name, blocks in back.items() if blocks > final]:
        raise RescueRefused(
            f"{', '.join(deep)} would lose more than {final} blocks, what counts as final among "
            "them; look at both forks first (docs/network.md)"
        )
    for name, common in parted.items():
        _set_on(network, chosen, name, common, number)
    _go_on(network, number)
    return Rescued(number, head.hash, back)


def _told(state: ChainState) -> str:
    return "is idle" if state is ChainState.IDLE else str(state)


def _heads(network: Network) -> dict[str, _Block]:
    heads = {}
    for signer in network.plan.signers:
        if is_here(network.plan, signer.name):
            with suppress(NodeUnavailable, NodeRefused):
                heads[signer.name] = _block(network, signer.name, "latest")
    return heads


def _order(head: _Block) -> tuple[int, int, str]:
    return -head.weight, head.number, head.hash


def _block(network: Network, name: str, number: str) -> _Block:
    ask = Question("eth_getBlockByNumber", [number, False], answers.optional(_read_block))
    with Ipc(network.plan.ipc_path(name)) as node:
        block = node.ask(ask)
    if block is None:
        raise RescueRefused(f"{name} has no block {number}")
    return block


def _read_block(answer: object) -> _Block:
    return _Block(
        number=answers.field("number", answers.count)(answer),
        hash=answers.field("hash", answers.hash_text)(answer),
        weight=answers.field("totalDifficulty", answers.quantity)(answer),
    )


def _common(network: Network, chosen: str, name: str, own: _Block) -> int:
    """Return the highest block that both have."""
    top = min(own.number, _block(network, chosen, "latest").number)
    for number in range(top, max(-1, top - _SEARCH), -1):
        at = hex(number)
        if _block(network, chosen, at).hash == _block(network, name, at).hash:
            return number
    raise RescueRefused(f"{name} and {chosen} have no block in common among the last {_SEARCH}")


def _set_on(network: Network, chosen: str, name: str, common: int, number: int) -> None:
    """Set a signer back and give it the chosen one's blocks: its peers would tell it of none."""
    network.ask(name, "debug_setHead", hex(common))
    if number == common:
        return
    blocks = network.plan.folder / f"rescue-{name}.rlp"
    blocks.unlink(missing_ok=True)
    try:
        network.ask(chosen, "admin_exportChain", str(blocks), common + 1, number)
        network.ask(name, "admin_importChain", str(blocks))
    finally:
        blocks.unlink(missing_ok=True)


def _go_on(network: Network, number: int) -> None:
    """Let a block be made on the head that all have now, and wait for it."""
    heart = heart_of(network.plan)
    give_up_at = time.monotonic() + _GOES_ON_S
    while time.monotonic() < give_up_at:
        for signer in network.plan.signers:
            with suppress(NodeUnavailable, NodeRefused):
                with Ipc(network.plan.ipc_path(signer.name), timeout_s=1.0) as node:
                    heart.beat(node)
                    if node.ask(questions.block_number()) > number:
                        return
        time.sleep(_POLL_S)
    raise RescueRefused(
        f"all signers that answer have block {number} as their head, and none seals on it; see "
        "`dmsm net logs`"
    )
