"""What a judge concludes from a look at a case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from offchain.audit.findings import Finding
from offchain.member.errors import NotJudgeable


class Side(StrEnum):
    """For whom a judge decides; the values are what is typed and shown."""

    PAYER = "payer"
    PAYEE = "payee"


@dataclass(frozen=True)
class Look:
    """What follows from the bytes at hand: `why` in a sentence, `findings` what was checked.

    `is_final` False: bytes that are not there yet could still change it, so that a judge waits as
    long as it may and decides for `side` in the end.
    """

    side: Side
    is_final: bool
    why: str
    findings: tuple[Finding, ...] = ()


def for_payer(why: str, findings: Sequence[Finding] = (), *, is_final: bool = True) -> Look:
    """Return a look that ends for the payer."""
    return Look(Side.PAYER, is_final, why, tuple(findings))


def for_payee(why: str, findings: Sequence[Finding] = (), *, is_final: bool = True) -> Look:
    """Return a look that ends for the payee."""
    return Look(Side.PAYEE, is_final, why, tuple(findings))


def first_fault(findings: Sequence[Finding]) -> Finding | None:
    """Return the first finding that does not hold, None when all hold.

    Raises NotJudgeable when nothing is known to be wrong and something could not be looked at.
    """
    false = [one for one in findings if not one.ok]
    known = [one for one in false if one.is_known]
    if false and not known:
        raise NotJudgeable(f"{false[0].name}: {false[0].detail}")
    return known[0] if known else None
