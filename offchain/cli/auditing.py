"""`dmsm user answer` and `dmsm user audit`: what a node says, and what comes out here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from offchain.cli.disputes import hinting, tell_hint
from offchain.cli.output import hex_id, show, show_table
from offchain.cli.parameters import (
    DEFAULT_PROFILE,
    READABLE,
    JsonOption,
    LockArgument,
    ProfileOption,
    parse_id,
)
from offchain.cli.roles import open_household

if TYPE_CHECKING:
    from offchain.audit.answers import AuditReport
    from offchain.billing.advice import Advice
    from offchain.billing.answering import Prices
    from offchain.billing.bill import Bill
    from offchain.household.whole_window import AuditedPart


def answer(
    lock: LockArgument,
    wait_s: Annotated[float, typer.Option("--wait", min=0, help="Seconds to wait for it.")] = 0,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Open the answer to a request, check the node's signature, and print what the node says.

    Needs the user's keys, a chain node and the content store. Costs nothing. Exit 1 while there is
    none, or when its signature is not the node's; then it says what can be done. Believe it after
    `audit`.
    """
    with open_household(profile, sends=False) as (session, household):
        from offchain.member.names import PublicNames

        with hinting(household.locks, session.gateway, lock):
            opened = household.answers.wait(lock, timeout_s=wait_s)
        node_name = PublicNames(session.index).of(opened.lock.payee)
        if not opened.signature_valid:
            tell_hint(household.locks.lock(lock), session.gateway.now(), is_served=True)
    facts = {
        "lock": hex_id(opened.lock_id),
        "kind": opened.answer.kind,
        "node_name": node_name,
        "node": opened.lock.payee,
        "signed_at": opened.answer.signed_at,
        "signature_valid": opened.signature_valid,
    }
    if as_json:
        show(facts | {"result": opened.result}, as_json=True)
    else:
        show(facts)
        for line in _said(opened.answer.kind, opened.result):
            typer.echo(line)
    raise typer.Exit(0 if opened.signature_valid else 1)


def audit(
    locks: Annotated[
        list[bytes],
        typer.Argument(parser=parse_id, metavar="LOCK...", help="All parts of one window."),
    ],
    tariff: Annotated[
        list[Path] | None,
        typer.Option(help="A tariff of your own contract: a bill by it beside.", **READABLE),
    ] = None,
    series: Annotated[
        list[Path] | None, typer.Option(help="A price series of your own contract.", **READABLE)
    ] = None,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Rebuild every reading of an answer, compare with the chain, and hold the bill line by line.

    Prices are the chain's, as of the answer's block. Of several parts it makes the one bill, or
    advice, of the whole window. Needs the user's keys, a chain node, the content store and the
    notes of the requests in the data folder. Costs nothing. Exit 1 when a finding does not hold;
    then it says what can be done.
    """
    own_prices = _own_prices(tariff, series)
    with open_household(profile, sends=False) as (session, household):
        parts = []
        for lock in locks:
            with hinting(household.locks, session.gateway, lock):
                parts += household.answers.audit_parts([lock])
        for part in parts:
            if part.report.is_wrong:
                state = household.locks.lock(part.lock_id)
                tell_hint(state, session.gateway.now(), is_served=True)
        is_ok = all(part.report.ok for part in parts)
        together = own = None
        if is_ok and (len(parts) > 1 or own_prices is not None):
            whole = household.answers.whole(parts)
            if len(parts) > 1:
                together = whole.by_the_chain(session.gateway, household.tariffs)
            if own_prices is not None:
                own = whole.by_own(own_prices, session.gateway)
    if as_json:
        show(_json(parts, together, own), as_json=True)
    else:
        _show(parts, together, own)
    raise typer.Exit(0 if is_ok else 1)


def _own_prices(tariffs: list[Path] | None, series: list[Path] | None) -> Prices | None:
    if not tariffs:
        if series:
            raise typer.BadParameter("--series goes with a --tariff of your own contract")
        return None
    from offchain.billing.answering import Prices
    from offchain.billing.series_at_hand import SeriesAtHand
    from offchain.billing.tariff_days import TariffFiles
    from offchain.cli.tariff import priced_by

    documents, at_hand = priced_by(tariffs, series)
    return Prices(TariffFiles(documents), SeriesAtHand.of_files(at_hand))


def _json(
    parts: Sequence[AuditedPart], together: Bill | Advice | None, own: Bill | Advice | None
) -> dict[str, Any]:
    from offchain.audit.gaps import gaps_of

    facts: dict[str, Any] = {
        "ok": all(part.report.ok for part in parts),
        "answers": [
            {
                "lock": hex_id(part.lock_id),
                "verdict": part.report.verdict,
                "findings": _findings(part.report),
                "result": part.report.result,
                "lines": [
                    {"name": one.name, "unit": one.unit, "said": one.said, "own": one.own}
                    for one in part.report.lines
                ],
                "gaps": [
                    {"device": one.device, "from": one.start, "to": one.end}
                    | {"is_unknown": one.is_unknown}
                    for one in gaps_of(part.report.readings, _window(part))
                ],
            }
            for part in parts
        ],
    }
    if together is not None:
        facts["whole"] = together.to_json()
    if own is not None:
        facts["own_contract"] = own.to_json()
    return facts


def _show(
    parts: Sequence[AuditedPart], together: Bill | Advice | None, own: Bill | Advice | None
) -> None:
    from offchain.audit.gaps import gaps_of
    from offchain.billing.bill import Bill
    from offchain.billing.zones import zone
    from offchain.cli.bill_text import compared_text, gaps_text

    for part in parts:
        report = part.report
        typer.echo(report.verdict)
        show_table(_findings(report), title=f"audit of {hex_id(part.lock_id)}")
        if isinstance(report.own, Bill):
            for line in compared_text(report.lines, report.own.currency):
                typer.echo(line)
            gaps = gaps_of(report.readings, _window(part))
            for line in gaps_text(gaps, zone(part.asked.time_zone)):
                typer.echo(line)
        elif report.own is not None:
            _echo(report.own, part.asked.time_zone)
    zone_name = parts[0].asked.time_zone
    if together is not None:
        typer.echo(f"\nall {len(parts)} parts together:")
        _echo(together, zone_name)
    if own is not None:
        typer.echo("\nby your own contract, which is not the chain's:")
        _echo(own, zone_name)


def _window(part: AuditedPart) -> tuple[int, int]:
    return part.asked.window_from, part.asked.window_to


def _echo(found: Bill | Advice, zone_name: str) -> None:
    from offchain.billing.zones import zone
    from offchain.cli.bill_text import result_text

    for line in result_text(found, zone(zone_name)):
        typer.echo(line)


def _said(kind: str, result: dict[str, Any]) -> list[str]:
    """Show what the node says, which nobody has checked."""
    from offchain.audit.bill_lines import said_numbers
    from offchain.billing.money import amount_text

    if kind != "bill":
        return json.dumps(result, indent=1).splitlines()
    currency = ascii(result.get("currency"))[1:-1][:8]
    rows = []
    for name, unit, value in said_numbers(result):
        text = amount_text(value, least_digits=2) if unit == "micro" else str(value)
        shown = {"micro": currency, "Wh": "Wh"}.get(unit, "")
        rows.append(f"{name[:60]:<60} {text:>20} {shown}".rstrip())
    return rows


def _findings(report: AuditReport) -> list[dict[str, Any]]:
    return [{"finding": one.name, "holds": one.ok, "detail": one.detail} for one in report.findings]
