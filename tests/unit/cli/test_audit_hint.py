"""`dmsm user audit` hints at a dispute for what is wrong, not for what the chain did not answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from offchain.audit.answers import AuditReport
from offchain.audit.findings import Finding, not_asked
from offchain.chain.errors import NodeUnavailable
from offchain.cli import auditing
from offchain.cli.app import app
from offchain.household.whole_window import AuditedPart
from offchain.member.request_notes import AskedRequest

HOLDS = Finding("signature_of_node", True, "")
WRONG = Finding("result_recomputed", False, "computed 1, answered 2")
UNKNOWN = not_asked("batches_anchored", NodeUnavailable("no chain node answers"))


@pytest.mark.parametrize(
    ("findings", "code", "hints"),
    [((HOLDS,), 0, 0), ((HOLDS, UNKNOWN), 1, 0), ((WRONG,), 1, 1), ((UNKNOWN, WRONG), 1, 1)],
    ids=["all holds", "not asked", "wrong", "both"],
)
def test_user_audit__hints_at_a_dispute_for_what_is_wrong_alone(
    monkeypatch: pytest.MonkeyPatch, findings: tuple[Finding, ...], code: int, hints: int
) -> None:
    report = AuditReport(findings, {}, 0, 1)
    asked = AskedRequest(1, (), 0, 86_400, "UTC", "standard")
    part = AuditedPart(b"\x11" * 32, "0x", asked, report)
    household = SimpleNamespace(
        locks=SimpleNamespace(lock=lambda lock: lock),
        answers=SimpleNamespace(audit_parts=lambda locks: [part]),
    )
    session = SimpleNamespace(gateway=SimpleNamespace(now=lambda: 0))
    told: list[Any] = []

    @contextmanager
    def opened(profile: Path, *, sends: bool) -> Iterator[Any]:
        yield session, household

    monkeypatch.setattr(auditing, "open_household", opened)
    monkeypatch.setattr(auditing, "tell_hint", lambda *lock, **how: told.append(lock))
    typed = ["user", "audit", "0x" + "11" * 32, "--json"]
    result = CliRunner().invoke(app, typed)
    assert (result.exit_code, len(told)) == (code, hints), result.stderr
