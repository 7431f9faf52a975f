"""docs/gas.md from what was measured: limits, peers, Prague, every function, what is missed."""

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from bench.figures import REASONS, Figure

PREFACE = """# Gas

Written by `make gas` from receipts of real transactions: anvil, London rules, settled storage, keys
and times from a fixed seed. All figures lie in `tests/snapshots/gas.json`, those by Prague's rules
in `gas-prague.json`, so that a change of a contract shows there as a difference. Limits and goals
are those of the project's plan. Peers were measured once, as they are published, or as the plain
way of doing the same."""

OWN_PART = """The escrow's own part of a call is its gas without that of the calls to other
contracts (in a request the registry, with the roles and the check of the signature, and the
catalogue; each by the node's own account of the transaction, `callTracer`) and without the
signature's calldata. Money leaves our lock by a call of its own, `withdrawFor`, so that nobody can
block another's ending; the rows with it are what an ending costs in all."""

WITHIN = "These the system's own contracts alone may call; their gas is within that of another."

Limit = tuple[str, float, float, Figure]
Beside = tuple[Mapping[str, Any], float, Figure | None]


def page(
    *,
    limits: Sequence[Limit],
    beside: Sequence[Beside],
    london: Mapping[str, float],
    prague: Mapping[str, float],
    within: Mapping[str, str],
    figures: Sequence[Figure],
) -> str:
    """Return the page."""
    parts = [
        PREFACE,
        "## Limits",
        table(["what", "gas", "limit", ""], [limit_row(*limit) for limit in limits]),
        "## Beside others",
        OWN_PART,
        table(
            ["what", "gas", "peer", "gas", "ratio", "goal", "what theirs is"],
            [peer_row(*it) for it in beside],
        ),
        "## Missed",
        *reasons(figures),
        "## With Prague's rules",
        table(
            ["what", "London", "Prague"],
            [
                [name, shown(gas), shown(prague[name])]
                for name, gas in sorted(london.items())
                if prague[name] != gas
            ],
        ),
        "All other figures are the same.",
        "## Every function",
        table(["what", "gas"], [[name, shown(gas)] for name, gas in sorted(london.items())]),
        WITHIN,
        table(["what", "within"], [[name, other] for name, other in sorted(within.items())]),
    ]
    return "\n\n".join(parts) + "\n"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = ["| " + " | ".join(row) + " |" for row in (heads, *rows)]
    return "\n".join([lines[0], "|---" * len(heads) + "|", *lines[1:]]).replace("|  |", "| |")


def shown(gas: float) -> str:
    """Return gas as text; only a share of a call has a fraction."""
    return f"{gas:,.1f}" if isinstance(gas, float) else f"{gas:,}"


def verdict(figure: Figure) -> str:
    """Return `ok` or `MISSED`."""
    return "ok" if figure.is_met else "**MISSED**"


def limit_row(name: str, gas: float, limit: float, figure: Figure) -> list[str]:
    """Return the cells of a limit."""
    return [name, shown(gas), shown(limit), verdict(figure)]


def peer_row(peer: Mapping[str, Any], ours: float, goal: Figure | None) -> list[str]:
    """Return the cells of a peer."""
    ratio = ours / peer["gas"]
    share = f"{ratio:.2f}" if ratio >= 0.1 else f"{ratio:.2g}"
    aim = f"≤ {peer['goal']} {verdict(goal)}" if goal else ""
    return [peer["ours"], shown(ours), peer["peer"], shown(peer["gas"]), share, aim, peer["note"]]


def reasons(figures: Sequence[Figure]) -> list[str]:
    """Return each miss with its reason."""
    excuses = tomllib.loads(REASONS.read_text())
    missed = [figure for figure in figures if not figure.is_met]
    return [
        f"`{figure.line()}`: " + excuses.get(figure.name, {}).get("reason", "no reason").strip()
        for figure in missed
    ] or ["Nothing."]
