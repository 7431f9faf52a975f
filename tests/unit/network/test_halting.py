"""A chain that makes blocks, one that is idle, one that is halted, one with too few signers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from offchain.network import halting
from offchain.network.halting import ChainState, Glimpse, chain_state
from offchain.network.heartbeat import _halt_note
from offchain.network.operation import Network
from offchain.network.watch import fault_of
from tests.unit.network.test_nodes import make_plan

NAMES = ("signer-1", "signer-2", "signer-3")


def state_of(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    looks: Sequence[Glimpse],
    *,
    period_s: int = 0,
    host: str = "127.0.0.1",
) -> ChainState:
    """What is said of a chain that looks so, the last look for ever, by a clock of its own."""
    seen, clock = list(looks), [0.0]
    monkeypatch.setattr(halting, "glimpse", lambda *_: seen.pop(0) if len(seen) > 1 else seen[0])
    monkeypatch.setattr(halting.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(halting.time, "sleep", lambda s: clock.__setitem__(0, clock[0] + s))
    plan = replace(make_plan(folder, host=host), period_s=period_s)
    state = chain_state(Network(plan), NAMES)
    assert clock[0] < 10.0, "an operator waits ten seconds at most"
    return state


@pytest.mark.parametrize(
    ("looks", "state"),
    [
        ([Glimpse(3, 7, 2), Glimpse(3, 8, 0)], ChainState.RUNS),
        ([Glimpse(3, 7, 0)], ChainState.IDLE),
        ([Glimpse(2, 7, 1)], ChainState.HALTED),
        ([Glimpse(1, 7, 1)], ChainState.TOO_FEW),
        ([Glimpse(0, 0, 0)], ChainState.TOO_FEW),
        # One that sealed what waited in the meantime: there is nothing to be halted about.
        ([Glimpse(3, 7, 2), Glimpse(3, 7, 0)], ChainState.IDLE),
    ],
)
def test_chain_state__at_period_0__needs_something_that_waits_to_be_halted(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    looks: Sequence[Glimpse],
    state: ChainState,
) -> None:
    assert state_of(tmp_path, monkeypatch, looks) is state


def test_chain_state__at_period_1__is_halted_without_blocks_whatever_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = state_of(tmp_path, monkeypatch, [Glimpse(3, 7, 0)], period_s=1)
    assert found is ChainState.HALTED


def test_fault_of__halted_chain__names_the_way_out(tmp_path: Path) -> None:
    rows = [{"node": name, "runs": True} for name in NAMES]
    fault = fault_of(make_plan(tmp_path), rows, ChainState.HALTED)
    assert fault is not None and "dmsm net rescue" in fault
    assert fault_of(make_plan(tmp_path), rows, ChainState.IDLE) is None


def test_halt_note__of_a_minority__does_not_call_the_chain_halted() -> None:
    assert _halt_note(6.0, 3, 4).startswith("halted: no block for 6 s though 3 of 4")
    assert "too few" in _halt_note(6.0, 2, 4)
