"""Findings together: when all hold, and which fault is said first."""

import pytest

from offchain.audit.findings import Finding, all_hold, not_asked
from offchain.audit.look import first_fault
from offchain.member.errors import NotJudgeable


def test_all_hold__given_none_or_a_false_one__is_false() -> None:
    true, false = Finding("a", True, ""), Finding("b", False, "")

    assert all_hold([true])
    assert not all_hold([]) and not all_hold([true, false])


def test_first_fault__given_what_is_false_and_what_is_unknown__names_what_is_false() -> None:
    true, false = Finding("a", True, ""), Finding("b", False, "")
    unknown = not_asked("c", OSError("no chain"))

    assert first_fault([true]) is None
    assert first_fault([unknown, true, false]) is false
    with pytest.raises(NotJudgeable, match="no chain"):
        first_fault([true, unknown])
