"""A small random model of signers that seal in turn, of their messages, and of forks.

One run is a burst of transactions at period 0 on a network of n signers: who may seal does, after
the waits of network/geth/added/consensus/clique/turns.go; a message takes from a millisecond to a
second, some signers die, and after some blocks the burst ends. Then all of it arrives everywhere.
A run halts for good if nobody may seal then: no clock and no message is left that could change it.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

_GRACE_MS, _STEP_MS = 200.0, 100.0
_END_MS = 10_000.0
_BLOCKS = 10  # a run ends when a chain has grown by so many
_AGAIN = 0.3  # how often a transaction comes while a signer writes its block (nine were seen)
# By machine: the least that a message takes, and what it may take more.
LOADS = {"quiet": (1.0, 8.0), "busy": (3.0, 120.0), "starved": (10.0, 900.0)}
_BLOCK_WEIGHT = 1 << 48
_RANK_WEIGHT = 1 << 32


@dataclass(frozen=True, slots=True)
class Rules:
    """How blocks are weighed and chosen.

    weight: "clique" (2 in turn, 1 out of it), "scale" (1 to n by how long ago the signer sealed),
        "ranked" (the longer fork, then the signers' order, then a lot).
    ties: between equal weights "coin" (Geth: the shorter, one's own, a coin) or "eip3436".
    seals_once: a signer seals one block of a height at most.
    least_ms: the least distance between two blocks.
    """

    weight: str
    ties: str = "coin"
    seals_once: bool = False
    least_ms: float = 0.0


OLD = Rules("clique")
NEW = Rules("ranked", seals_once=True)
CANDIDATES = {
    "clique as it is": OLD,
    "EIP-3436's choice": Rules("clique", "eip3436"),
    "EIP-3436, one seal a height": Rules("clique", "eip3436", seals_once=True),
    "one seal a height alone": Rules("clique", seals_once=True),
    "20 ms between blocks alone": Rules("clique", least_ms=20.0),
    "scale 1 to n": Rules("scale"),
    "scale 1 to n, one seal a height": Rules("scale", seals_once=True),
    "scale 1 to n, EIP-3436's ties, one seal": Rules("scale", "eip3436", seals_once=True),
    "ranked, longest first, alone": Rules("ranked"),
    "ranked, 20 ms, one seal a height": Rules("ranked", seals_once=True, least_ms=20.0),
    "ranked, one seal a height (chosen)": NEW,
}


@dataclass(slots=True)
class Outcome:
    """What came of a run: nobody may seal; heads differ in the end; the deepest reorganisation."""

    halted: bool
    split: bool
    deepest: int


class Burst:
    """One run."""

    def __init__(self, random: Random, signers: int, rules: Rules, load: str) -> None:
        self._random, self._signers, self._rules = random, signers, rules
        self._kept = signers // 2  # how many blocks a signer must leave to others
        self._low_ms, self._more_ms = LOADS[load]
        # Blocks by number: 0 is where all begin.
        order = list(range(signers))
        random.shuffle(order)
        self._order = [tuple(order)]  # who sealed longest ago comes first
        self._height = [random.randrange(signers)]
        self._parent, self._weight, self._by = [-1], [0], [-1]
        self._made_ms = [0.0]
        self._hash = [0.0]
        self._sealed = [-1] * signers  # the greatest height that each has sealed
        self._head = [0] * signers
        self._known: list[set[int]] = [{0} for _ in range(signers)]
        self._orphans: list[dict[int, list[int]]] = [{} for _ in range(signers)]
        self._dead: set[int] = set()
        self._events: list[tuple[float, int, int, int, int]] = []  # at, count, kind, who, block
        self._count = 0
        self.deepest = 0

    def run(self) -> Outcome:
        """Return what came of it."""
        dies_ms = self._deaths()
        for who in range(self._signers):
            self._ask(0.0, who)
        last = self._height[0] + self._random.randint(1, _BLOCKS)
        while self._events and len(self._height) < 200:
            at, _, kind, who, block = heapq.heappop(self._events)
            if at > _END_MS or self._height[-1] >= last:
                heapq.heappush(self._events, (at, 0, kind, who, block))
                break
            while dies_ms and dies_ms[-1][0] <= at:
                self._dead.add(dies_ms.pop()[1])
            if who in self._dead:
                continue
            if kind:
                self._arrive(at, who, block)
            elif self._head[who] == block:
                self._seal(at, who, block)
        self._dead |= {who for _, who in dies_ms}
        return self._settled()

    def _deaths(self) -> list[tuple[float, int]]:
        """Who dies and when, the last first: as many as a majority bears, at most."""
        count = self._random.randint(0, (self._signers - 1) // 2)
        gone = self._random.sample(range(self._signers), count)
        return sorted(
            ((self._random.choice((0.0, 300.0, 900.0)), who) for who in gone), reverse=True
        )

    def _settled(self) -> Outcome:
        """Let all that anybody alive knows arrive at everybody alive."""
        alive = [who for who in range(self._signers) if who not in self._dead]
        known = set().union(*(self._known[who] for who in alive))
        for _, _, kind, _, block in self._events:  # what travels arrives, or its sender has it
            if kind and (self._by[block] not in self._dead or self._random.random() < 0.5):
                known.add(block)
        whole = {block for block in known if self._parent[block] in known or block == 0}
        for who in alive:
            missed = sorted(whole - self._known[who])
            for block in missed:
                if self._parent[block] in self._known[who]:
                    self._take(who, block)
        may = any(self._may_seal(who, self._head[who]) for who in alive)
        return Outcome(not may, len({self._head[who] for who in alive}) > 1, self.deepest)

    def _may_seal(self, who: int, parent: int) -> bool:
        if self._kept and who in self._order[parent][-self._kept :]:
            return False
        return not (self._rules.seals_once and self._height[parent] < self._sealed[who])

    def _ask(self, at: float, who: int) -> None:
        """Let a signer wait for its time on its head, if it may seal there."""
        head = self._head[who]
        if not self._may_seal(who, head):
            return
        wait = self._random.uniform(0.5, 2.0)
        line = self._line(head)
        if line[0] != who:
            wait += self._random.random() * _STEP_MS / 4
            resting = self._order[head][-self._kept :] if self._kept else ()
            if line[0] not in resting:
                wait += _GRACE_MS
            for other in line[1 : line.index(who)]:
                if other not in resting:
                    wait += _STEP_MS
        due = max(at + wait, self._made_ms[head] + self._rules.least_ms)
        self._push(due, 0, who, head)

    def _line(self, parent: int) -> Sequence[int]:
        """Who should rather seal on a block: the one in turn first."""
        if self._rules.weight == "scale":
            return self._order[parent]
        n = self._signers
        turn = (self._height[parent] + 1) % n
        return [turn, *((turn + distance) % n for distance in range(n - 1, 0, -1))]

    def _seal(self, at: float, who: int, parent: int) -> None:
        height = self._height[parent] + 1
        if self._rules.seals_once and height <= self._sealed[who]:
            return
        line = self._line(parent)
        place = self._signers - line.index(who)  # n for the one in turn
        if self._rules.weight == "clique":
            weight = 2 if line[0] == who else 1
        elif self._rules.weight == "scale":
            weight = place
        else:
            # The lot follows from parent and signer: two blocks of the two weigh the same.
            lot = hash((self._hash[parent], who)) % _RANK_WEIGHT
            weight = _BLOCK_WEIGHT + place * _RANK_WEIGHT + lot
        order = self._order[parent]
        block = len(self._height)
        self._height.append(height)
        self._parent.append(parent)
        self._by.append(who)
        self._weight.append(self._weight[parent] + weight)
        self._order.append((*(one for one in order if one != who), who))
        self._made_ms.append(at)
        self._hash.append(self._random.random())
        self._sealed[who] = max(self._sealed[who], height)
        written = at + self._delay() / 4
        self._push(written, 1, who, block)
        if line[0] == who and self._random.random() < _AGAIN:
            self._push(self._random.uniform(at, written), 0, who, parent)
        for other in range(self._signers):
            if other != who:
                self._push(written + self._delay(), 1, other, block)

    def _arrive(self, at: float, who: int, block: int) -> None:
        parent = self._parent[block]
        if parent not in self._known[who]:
            self._orphans[who].setdefault(parent, []).append(block)
            return
        if self._take(who, block):
            self._ask(at, who)
        for child in self._orphans[who].pop(block, ()):
            self._arrive(at, who, child)

    def _take(self, who: int, block: int) -> bool:
        """Let a signer know a block; return whether it is its head now."""
        self._known[who].add(block)
        head = self._head[who]
        if not self._is_better(who, block, head):
            return False
        self._head[who] = block
        one, other = block, head
        while one != other:
            if self._height[one] >= self._height[other]:
                one = self._parent[one]
            else:
                other = self._parent[other]
        self.deepest = max(self.deepest, self._height[head] - self._height[one])
        return True

    def _is_better(self, who: int, block: int, head: int) -> bool:
        if self._weight[block] != self._weight[head]:
            return self._weight[block] > self._weight[head]
        if self._height[block] != self._height[head]:
            return self._height[block] < self._height[head]
        if self._rules.ties == "eip3436":
            return self._by_eip3436(block) < self._by_eip3436(head)
        if self._by[head] == who:
            return False
        return self._by[block] == who or self._random.random() < 0.5

    def _by_eip3436(self, block: int) -> tuple[int, float]:
        """Who was in turn longest ago comes first, then the lower hash."""
        return -((self._height[block] - self._by[block]) % self._signers), self._hash[block]

    def _delay(self) -> float:
        return self._low_ms + self._random.random() ** 3 * self._more_ms

    def _push(self, at: float, kind: int, who: int, block: int) -> None:
        self._count += 1
        heapq.heappush(self._events, (at, self._count, kind, who, block))
