"""`dmsm node pins`, also for users and data-sharing nodes: is all that was put still there?"""

from __future__ import annotations

import typer

from offchain.cli.output import show, show_table
from offchain.cli.parameters import DEFAULT_PROFILE, JsonOption, ProfileOption


def pins(profile: ProfileOption = DEFAULT_PROFILE, as_json: JsonOption = False) -> None:
    """Look through the Kubo nodes for everything this member keeps there, and put again what lacks.

    Needs the profile and its stores; no keys, no chain. A node that runs does this once a day by
    itself. Reads every block once. Exit 1 when something still lacks afterwards, or a store did
    not answer.
    """
    from offchain.cli.session import open_content
    from offchain.settings import SettingsError, load_profile

    settings = load_profile(profile)
    from offchain.storage.copies import CopiedStore
    from offchain.storage.upkeep import look_after

    with open_content(settings) as store:
        if not isinstance(store, CopiedStore):
            raise SettingsError(
                f"{settings.path}: the store is a folder, which keeps one copy and nothing to "
                "compare it with; name Kubo nodes"
            )
        seen = look_after(store)
        stores = [
            {
                "store": url,
                "answers": url not in seen.silent,
                "owed": len(store.kept.owed(urls=[url])),
                "looked_through_at": store.kept.audited_at(url),
            }
            for url in store.stores
        ]
        owed = [
            {"parcel": one.name, "store": one.url, "since": one.since, "why": one.reason}
            for one in store.kept.owed(urls=list(store.stores))
        ]
    findings = [
        {"object": one.cid, "store": one.url, "was": one.what, "mended": one.is_mended}
        for one in seen.findings
    ]
    facts = {"parcels": seen.parcels, "objects": seen.objects, "let_go": seen.let_go}
    tables = {"stores": stores, "not in order": findings, "owed": owed}
    if as_json:
        show(facts | tables, as_json=True)
    else:
        show(facts)
        for title, rows in tables.items():
            show_table(rows, title=title)
    if not seen.is_whole:
        raise typer.Exit(1)


def add_command(*apps: typer.Typer) -> None:
    """Add the command to each group of commands."""
    for app in apps:
        app.command(name="pins")(pins)
