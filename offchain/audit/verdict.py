"""One sentence on an audited bill or advice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from offchain.audit.findings import Finding
from offchain.billing.advice import Advice
from offchain.billing.bill import Bill
from offchain.billing.money import amount_text


def verdict(findings: Sequence[Finding], said: dict[str, Any], own: Bill | Advice | None) -> str:
    """Say what the findings mean."""
    wrong = next((one for one in findings if not one.ok and one.is_known), None)
    unknown = next((one for one in findings if not one.ok), None)
    if wrong is not None:
        return f"The answer is wrong: {_because(wrong, said, own)}."
    if unknown is not None:
        return (
            f"The answer could not be checked whole ({_words(unknown.name)}: {unknown.detail}); "
            "try again later."
        )
    if isinstance(own, Bill):
        return f"The bill is right: {_bill(own)}."
    if own is not None:
        return "The advice is right: it follows from the readings that were anchored."
    return "What could be checked holds; what was asked is not known here."


def _because(wrong: Finding, said: dict[str, Any], own: Bill | Advice | None) -> str:
    if wrong.name == "result_recomputed" and isinstance(own, Bill):
        total = said.get("total")
        if isinstance(total, int) and total != own.total:
            return (
                f"it says {_money(total, own)}, by the anchored readings and the chain's tariffs "
                f"it is {_money(own.total, own)}"
            )
    return f"{_words(wrong.name)} does not hold ({wrong.detail})"


def _bill(own: Bill) -> str:
    parts = [f"{_money(own.total, own)} follows line by line from anchored readings"]
    if not own.is_complete:
        parts.append("the readings do not reach both ends of the window")
    if own.estimated_wh:
        parts.append(f"{own.estimated_wh} Wh of it are estimated")
    if own.unknown_intervals:
        parts.append(f"the energy of {own.unknown_intervals} intervals is unknown and not billed")
    return "; ".join(parts)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _money(micro: int, own: Bill) -> str:
    return f"{amount_text(micro, least_digits=own.minor_digits)} {own.currency}"
