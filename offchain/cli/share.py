"""`dmsm share`: a data-sharing node, from the broadcast to the verified data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from offchain.cli.output import FINAL_WAIT_S, final_facts, hex_id, show, show_table
from offchain.cli.parameters import (
    DEFAULT_PROFILE,
    BroadcastArgument,
    FromOption,
    JsonOption,
    LockArgument,
    Moment,
    OptionalFrom,
    OptionalTo,
    ProfileOption,
    ToOption,
    parse_account,
    parse_moment,
    require_window,
)
from offchain.cli.reading import reading_session
from offchain.cli.roles import open_buyer
from offchain.cli.session import open_index

if TYPE_CHECKING:
    from offchain.buyer.history import SellingHistory
    from offchain.buyer.kept_shares import KeptShares
    from offchain.cli.session import Session
    from offchain.member.grants import ReceivedGrant
    from offchain.member.names import PublicNames

app = typer.Typer(
    no_args_is_help=True,
    help="Act for a data-sharing node: buy data with a group, recover the key, verify and export.",
)
_LOOK_S = 1.0  # between two looks at whether the inbox answers still
_Time = {"parser": parse_moment, "metavar": "TIME"}


@app.command()
def broadcast(
    region: Annotated[list[str], typer.Option(help="A wanted region; repeat it.")],
    window_from: FromOption,
    window_to: ToOption,
    max_price_wei: Annotated[int, typer.Option(min=1, help="Most that is paid a data set.")],
    group_size: Annotated[int, typer.Option(min=2, max=100, help="Members, oneself included.")],
    purpose: Annotated[
        str, typer.Option(help="What the data is for, in public words; its owners read it.")
    ],
    threshold: Annotated[
        int | None, typer.Option(min=2, max=100, help="Members that recover (default half + 1).")
    ] = None,
    respond_by: Annotated[
        Moment, typer.Option(**_Time, help="Until when nodes respond; +10m or a UTC time.")
    ] = "+10m",  # type: ignore[assignment]  # read by the parser
    select_by: Annotated[
        Moment, typer.Option(**_Time, help="Until when one selects; later than that.")
    ] = "+1d",  # type: ignore[assignment]
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Ask the nodes of some regions for the data of a window.

    Needs the sharer's keys, a chain node and the content store. Costs gas and the application
    deposit, which comes back unless one selects nobody although somebody responded.
    """
    from offchain.member.registration import region_id

    require_window(window_from, window_to)
    if threshold is not None and threshold > group_size:
        raise typer.BadParameter("--threshold must not be above --group-size")
    with open_buyer(profile, begins=True) as (session, buyer):
        now = session.gateway.now()
        times = {"respond_by": respond_by.on(now), "select_by": select_by.on(now)}
        made = buyer.broadcasts.make(
            regions=[region_id(name) for name in region],
            window_from=window_from,
            window_to=window_to,
            max_price_wei=max_price_wei,
            group_size=group_size,
            threshold=threshold,
            purpose=purpose,
            **times,
        )
        final = _wait_final(session)
    facts = {"respond_by_at": times["respond_by"], "select_by_at": times["select_by"]}
    show({"broadcast": hex_id(made), "final": final} | facts, as_json=as_json)


@app.command()
def form(
    broadcast: BroadcastArgument,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Show who responded, highest credit first, as the contract keeps it, with what each offers and
    how it has sold before; final or not.

    Needs the sharer's folder of keys, of which no secret is opened, and a chain node. Costs
    nothing.
    """
    from offchain.types import Role

    session = reading_session(profile, Role.SHARER)
    from offchain.buyer.form import form_of, seen_offers
    from offchain.member.names import PublicNames

    lines = form_of(session.gateway, broadcast)
    final = form_of(session.gateway, broadcast, block=session.gateway.final())
    with open_index(session.profile, session.gateway) as index:
        offers = seen_offers(session.gateway, index, broadcast, lines)
        names = PublicNames(index)
        named = [names.of(line.processor) for line in lines]
    rows = [
        {
            "node_name": name,
            "node": one.line.processor,
            "credit": one.line.credit,
            **_history_facts(one.history),
            "price_wei": one.line.price_wei,
            "rows": one.rows,
            "meters": one.meters,
            "wanted_days": one.wanted_days,
            "from_at": one.window_from,
            "to_at": one.window_to,
            "sale_until_at": one.sale_until,
            "data_set": hex_id(one.line.data_set_id),
            "responded_at": one.line.responded_at,
            "rules": one.line.rules_version,
            "sharing_terms": one.line.sharing_version,
            "final": one.line in final,
        }
        for one, name in zip(offers, named, strict=True)
    ]
    show_table(rows, title="form", as_json=as_json)


@app.command()
def catalogue(
    region: Annotated[list[str], typer.Option(help="Of this region alone; repeat it.")] = [],  # noqa: B006  # typer copies it
    window_from: OptionalFrom = None,
    window_to: OptionalTo = None,
    kind: Annotated[int | None, typer.Option(help="Of this kind alone; 1: full readings.")] = None,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Show what is for sale now: by whom, of which days, for how long, and how the node has sold
    before. Ask for it by `share broadcast`.

    Of the newest block; what is final may differ. Needs the sharer's folder of keys, of which no
    secret is opened, and a chain node. Costs nothing.
    """
    from offchain.types import Role

    session = reading_session(profile, Role.SHARER)
    from offchain.buyer import catalogue as shown
    from offchain.member.names import PublicNames
    from offchain.member.registration import region_id, region_name

    wanted: dict[str, Any] = {"regions": [region_id(name) for name in region], "kind": kind}
    wanted |= {} if window_from is None else {"window_from": window_from}
    wanted |= {} if window_to is None else {"window_to": window_to}
    with open_index(session.profile, session.gateway) as index:
        found = shown.catalogue(session.gateway, index, **wanted)
        names = PublicNames(index)
        named = [names.of(one.processor) for one in found]
    rows = [
        {
            "node_name": name,
            "node": one.processor,
            "region": region_name(one.region_id),
            "credit": one.credit,
            **_history_facts(one.history),
            "from_at": one.window_from,
            "to_at": one.window_to,
            "days": one.days,
            "rows": one.rows,
            "meters": one.meters,
            "kind": one.kind,
            "sale_until_at": one.sale_until,
            "asked_before_wei": one.asked_wei,
            "sold_times": one.sold_times,
            "data_set": hex_id(one.data_set_id),
        }
        for one, name in zip(found, named, strict=True)
    ]
    show_table(rows, title="for sale", as_json=as_json)


def _history_facts(history: SellingHistory) -> dict[str, int]:
    return {
        "node_sold": history.sold,
        "node_declined": history.declined,
        "node_failed": history.failed,
    }


@app.command()
def select(
    broadcast: BroadcastArgument,
    node: Annotated[
        list[str], typer.Option(parser=parse_account, metavar="ACCOUNT", help="A node; repeat it.")
    ],
    member: Annotated[
        list[str],
        typer.Option(parser=parse_account, metavar="ACCOUNT", help="Another member; repeat it."),
    ],
    until: Annotated[
        Moment, typer.Option(**_Time, help="T: delivered before, or refunded.")
    ] = "+1h",  # type: ignore[assignment]
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Select nodes of the form, name the group, and prepay each node's price.

    Needs the sharer's keys, a chain node and the content store. Costs the prices and gas; what is
    not delivered before T comes back by `refund`.
    """
    with open_buyer(profile, begins=True) as (session, buyer):
        from offchain.member.names import PublicNames

        names = PublicNames(session.index)
        named = [names.of(account) for account in node]  # asked before anything is paid
        expires_at = until.on(session.gateway.now())
        made = buyer.selection.select(
            broadcast, members=member, processors=node, expires_at=expires_at
        )
        final = _wait_final(session)
    facts = {"T_at": expires_at, "final": final}
    rows = [
        {"lock": hex_id(lock), "node_name": name, "node": account} | facts
        for lock, name, account in zip(made, named, node, strict=True)
    ]
    show_table(rows, title="locks", as_json=as_json)


@app.command()
def close(
    broadcast: BroadcastArgument,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """End a broadcast in which nobody was selected in time.

    Needs the sharer's keys and a chain node. Costs gas, and the deposit if somebody had responded.
    """
    with open_buyer(profile) as (session, buyer):
        sent = final_facts(session.gateway, buyer.broadcasts.close(broadcast))
    show({"closed": hex_id(broadcast)} | sent, as_json=as_json)


@app.command()
def grants(profile: ProfileOption = DEFAULT_PROFILE, as_json: JsonOption = False) -> None:
    """List the locks whose shares were delivered to groups one is in, and the shares at hand.

    Needs the sharer's folder of keys, of which no secret is opened, a chain node and the data
    folder. Costs nothing.
    """
    from offchain.types import Role

    session = reading_session(profile, Role.SHARER)
    from offchain.buyer.kept_shares import KeptShares
    from offchain.member.grants import GrantBook
    from offchain.member.names import PublicNames

    depth, me = session.profile.confirmations, session.account
    kept = KeptShares(session.profile.place_of("shares"))
    try:
        with open_index(session.profile, session.gateway) as index:
            book = GrantBook(session.gateway, index, confirmations=depth)
            found = [book.grant(lock_id, me) for lock_id in book.delivered_to(me)]
            names = PublicNames(index)
            rows = [_grant_facts(grant, kept, names) for grant in found]
    finally:
        kept.close()
    show_table(rows, title="grants", as_json=as_json)


@app.command()
def serve(profile: ProfileOption = DEFAULT_PROFILE) -> None:
    """Take in the shares that other members hand over, until stopped by SIGTERM or Ctrl-C.

    Needs the sharer's keys, `[inbox]` in the profile and a chain node. Sends no transaction and
    costs nothing. Other commands of the same profile may run meanwhile.
    """
    from offchain.cli.opening import at_service

    opened = at_service(profile, lambda: open_buyer(profile, sends=False))
    with opened as (stop, (session, buyer)):
        import structlog

        from offchain.buyer.inbox_http import create_share_app
        from offchain.node.serve import serve as serve_http

        log = structlog.get_logger("offchain.cli.share")
        host, port = session.profile.require_inbox()
        with serve_http(create_share_app(buyer.inbox), host=host, port=port) as server:
            log.info("started", account=session.keys.address, url=server.url)
            while not stop.wait(_LOOK_S):
                server.require_running()
        log.info("stopped")


@app.command(name="hand-over")
def hand_over(
    lock: LockArgument,
    to: Annotated[
        list[str], typer.Option(metavar="ACCOUNT=URL", help="An inbox; instead of `[peers]`.")
    ] = [],  # noqa: B006  # typer copies it
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Send one's own share, sealed, to the other members' inboxes.

    Needs the sharer's keys, a chain node, the content store and the inboxes running: `[peers]` of
    the profile, or --to. Sends no transaction and costs nothing. Exit 1 when one did not take it.
    """
    given = dict(_inbox(text) for text in to)
    with open_buyer(profile, sends=False) as (session, buyer):
        from offchain.member.names import PublicNames

        peers: dict[str, str] = given or {
            str(one): url for one, url in session.profile.peers.items()
        }
        others = [one for one in buyer.shares.grant(lock).members if one != session.keys.address]
        took = buyer.shares.hand_over(lock, {one: peers[one] for one in others if one in peers})
        names = PublicNames(session.index)
        rows = [
            {
                "member_name": names.of(one),
                "member": one,
                "inbox": peers.get(one),
                "took_it": one in took,
            }
            for one in others
        ]
    show_table(rows, title=f"share of {hex_id(lock)}", as_json=as_json)
    raise typer.Exit(0 if rows and all(row["took_it"] for row in rows) else 1)


@app.command()
def recover(
    lock: LockArgument, profile: ProfileOption = DEFAULT_PROFILE, as_json: JsonOption = False
) -> None:
    """Recover the data set's key from the shares at hand, and name false ones. Prints no secret.

    Needs the sharer's keys, a chain node and the shares in the data folder. Costs nothing. Exit 1
    below the threshold.
    """
    with open_buyer(profile, sends=False) as (session, buyer):
        from offchain.member.names import PublicNames

        buyer.shares.own(lock)
        recovery = buyer.shares.recover(lock)
        names = PublicNames(session.index)
        facts = _grant_facts(buyer.shares.grant(lock), buyer.inbox, names)
    false = list(recovery.false_indices)
    show(facts | {"recovered": True, "false_shares_of": false}, as_json=as_json)


@app.command()
def export(
    lock: LockArgument,
    csv: Annotated[Path | None, typer.Option(help="Write the verified readings as CSV.")] = None,
    parquet: Annotated[Path | None, typer.Option(help="Write them as Parquet.")] = None,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Open the bought data set, decrypt and verify every row against the chain, and write it.

    Needs what `recover` needs, and the content store. Costs nothing but some seconds. Only rows
    that hold are written; exit 1 when a finding does not hold.
    """
    if csv is None and parquet is None:
        raise typer.BadParameter("give --csv FILE, --parquet FILE, or both")
    with open_buyer(profile, sends=False) as (_, buyer):
        buyer.shares.own(lock)
        report = buyer.data_sets.verify(lock)
    from offchain.buyer.export import export_csv, export_parquet

    if csv is not None:
        export_csv(report.readings, csv)
    if parquet is not None:
        export_parquet(report.readings, parquet)
    findings = [
        {"finding": one.name, "holds": one.ok, "detail": one.detail} for one in report.findings
    ]
    devices = [
        {"device": one.device, "rows": one.rows, "ok": one.ok, "detail": one.detail}
        for one in report.devices
    ]
    facts: dict[str, Any] = {"readings_written": len(report.readings), "ok": report.ok}
    if as_json:
        show(facts | {"findings": findings, "devices": devices}, as_json=True)
    else:
        show_table(findings, title=f"data of {hex_id(lock)}")
        show_table(devices, title="devices")
        show(facts)
    raise typer.Exit(0 if report.ok else 1)


@app.command()
def refund(
    lock: LockArgument, profile: ProfileOption = DEFAULT_PROFILE, as_json: JsonOption = False
) -> None:
    """Take a prepayment back after T; `withdraw` then brings it to the account.

    Needs the sharer's keys and a chain node. Costs gas.
    """
    with open_buyer(profile) as (session, buyer):
        sent = final_facts(session.gateway, buyer.money.refund(lock))
    show({"refunded": hex_id(lock)} | sent, as_json=as_json)


@app.command()
def withdraw(profile: ProfileOption = DEFAULT_PROFILE, as_json: JsonOption = False) -> None:
    """Withdraw refunds and returned deposits that are final to the account.

    Needs the sharer's keys and a chain node. Costs gas, unless there is nothing.
    """
    with open_buyer(profile) as (session, buyer):
        waiting = buyer.money.withdrawable_wei()
        receipt = buyer.money.withdraw()
        sent = final_facts(session.gateway, receipt) if receipt else {}
    show({"withdrawn_wei": waiting} | sent, as_json=as_json)


def _wait_final(session: Session) -> bool:
    return session.gateway.wait_all_final(timeout_s=FINAL_WAIT_S)


def _grant_facts(grant: ReceivedGrant, kept: KeptShares, names: PublicNames) -> dict[str, Any]:
    return {
        "lock": hex_id(grant.lock_id),
        "node_name": names.of(grant.processor),
        "node": grant.processor,
        "data_set": hex_id(grant.data_set_id),
        "my_index": grant.my_index,
        "members": len(grant.members),
        "threshold": grant.threshold,
        "shares_at_hand": len(kept.shares(grant.lock_id)),
    }


def _inbox(text: str) -> tuple[str, str]:
    account, _, url = text.partition("=")
    if not url.startswith(("http://", "https://")):
        raise typer.BadParameter(f"--to {text!r} is not ACCOUNT=URL")
    return parse_account(account), url
