"""The aggregate set: `dmsm node aggregate-key`, `node aggregate`, `share aggregates`,
`share open-aggregate`, `user neighbourhood`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from offchain.cli.output import hex_id, show, show_table
from offchain.cli.parameters import (
    DEFAULT_PROFILE,
    FromOption,
    JsonOption,
    LockArgument,
    ProfileOption,
    ToOption,
    parse_account,
    parse_id,
    require_window,
)
from offchain.cli.roles import open_household

if TYPE_CHECKING:
    from offchain.audit.aggregate_board import AggregateBoard
    from offchain.audit.aggregates import AggregateBook
    from offchain.audit.opened_answer import OpenedAnswer
    from offchain.cli.session import Session
    from offchain.node.aggregate_store import AggregateStore
    from offchain.records.slots import SlotEnergy
    from offchain.types import Account, Reading

SetArgument = Annotated[bytes, typer.Argument(parser=parse_id, metavar="SET", show_default=False)]
NodeOption = Annotated[
    str | None, typer.Option("--node-url", help="The node's address; instead of the profile's.")
]
_HOUR_S = 3_600


def add_commands(*, node: typer.Typer, share: typer.Typer, user: typer.Typer) -> None:
    """Add the commands to their groups."""
    node.command(name="aggregate-key")(aggregate_key)
    node.command(name="aggregate")(aggregate)
    share.command(name="aggregates")(aggregates)
    share.command(name="open-aggregate")(open_aggregate)
    user.command(name="neighbourhood")(neighbourhood)


def aggregate_key(
    member: Annotated[
        list[str],
        typer.Option(parser=parse_account, metavar="ACCOUNT", help="A sharing node; repeat it."),
    ],
    threshold: Annotated[
        int | None, typer.Option(min=2, max=100, help="How many open a total (default half + 1).")
    ] = None,
    min_homes: Annotated[int, typer.Option(min=3, help="No total of fewer homes.")] = 10,
    slot_s: Annotated[int, typer.Option(min=1, max=86_400, help="Seconds a slot.")] = _HOUR_S,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Deal a threshold key to sharing nodes; the region's next aggregate sets are under it.

    Needs the node's keys, a chain node and the content store; a running node may run meanwhile.
    Costs no gas, and some seconds for the primes, which are forgotten.
    """
    with _node(profile) as (session, held, book):
        from offchain.node.aggregate_key import AggregateDealer

        dealer = AggregateDealer(
            gateway=session.gateway,
            store=session.store,
            directory=session.directory,
            held=held,
            processor=session.keys.address,
        )
        digest = dealer.deal(member, threshold=threshold, min_homes=min_homes, slot_s=slot_s)
        key, _ = book.key(digest)
    facts = {"threshold": key.threshold, "members": len(key.members), "min_homes": min_homes}
    show({"key": hex_id(digest)} | facts | {"slot_s": slot_s}, as_json=as_json)


def aggregate(
    window_from: FromOption,
    window_to: ToOption,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Encrypt the energies of all consenting homes a slot, announce them, and add them.

    Needs a dealt key, the node's keys and readings, a chain node and the content store; a running
    node may run meanwhile, and serves the announcement. Adding uses no private key. There is one
    set a slot: repeating it changes nothing. Costs no gas.
    """
    require_window(window_from, window_to)
    with _node(profile) as (session, held, book):
        from offchain.node.aggregate_set import AggregatePublisher
        from offchain.node.store import NodeStore

        with NodeStore(session.profile.place_of("node")) as readings:
            publisher = AggregatePublisher(
                gateway=session.gateway,
                index=session.index,
                store=session.store,
                keys=session.keys,
                readings=readings,
                directory=session.directory,
                held=held,
                book=book,
            )
            found = book.open(publisher.publish(window_from, window_to))
    facts: dict[str, Any] = {"set": hex_id(found.set_digest), "homes": len(found.rows)}
    facts |= {"from_at": found.entry.from_s, "to_at": found.entry.to_s, "slots": found.slots}
    facts |= {"ciphertexts": len(found.rows) * len(found.sums), "sums": len(found.sums)}
    show(facts | {"threshold": found.key.threshold}, as_json=as_json)


def aggregates(
    node_url: NodeOption = None,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """List the aggregate sets that a node announces, and how many members opened each.

    Needs the sharer's keys, a chain node, the content store and the running node. Costs nothing.
    """
    from offchain.types import Role

    with _reader(profile, Role.SHARER, node_url) as (session, board, book):
        rows = []
        for announcement in board.announcements():
            found = book.open(announcement)
            rows.append(
                {
                    "set": hex_id(found.set_digest),
                    "from_at": found.entry.from_s,
                    "to_at": found.entry.to_s,
                    "homes": len(found.rows),
                    "threshold": found.key.threshold,
                    "opened_by": len(board.openings(found.set_digest, session.store)),
                    "i_hold_a_share": found.key.index_of(session.keys.address) is not None,
                }
            )
    show_table(rows, title="aggregate sets", as_json=as_json)


def open_aggregate(
    set_digest: SetArgument,
    min_homes: Annotated[int, typer.Option(min=3, help="Refuse totals of fewer homes.")] = 3,
    node_url: NodeOption = None,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Check a set, add it oneself, and hand in the own part of its totals with proofs.

    Needs the sharer's keys with a share of the set's key, a chain node, the content store, the
    running node, and the record of what was opened in the data folder: one set a slot, ever.
    Costs no gas.
    """
    from offchain.types import Role

    with _reader(profile, Role.SHARER, node_url) as (session, board, book):
        from offchain.buyer.aggregates import AggregateOpener
        from offchain.buyer.opening_record import OpeningRecord

        with OpeningRecord(session.profile.place_of("opened")) as record:
            opener = AggregateOpener(
                store=session.store,
                keys=session.keys,
                book=book,
                record=record,
                min_homes=min_homes,
            )
            opening, _ = opener.open(board.announcement(set_digest))
        digest = board.hand_in(opening)
    facts = {"set": hex_id(set_digest), "opening": hex_id(digest)}
    show(facts | {"sums_opened": len(opening.partials)}, as_json=as_json)


def neighbourhood(
    lock: LockArgument,
    set_digest: Annotated[
        bytes | None,
        typer.Option("--set", parser=parse_id, metavar="SET", help="Default: the latest."),
    ] = None,
    node_url: NodeOption = None,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """Compare the own energies of an answer with the mean of the neighbourhood, slot by slot.

    Needs the user's keys, an answered request that covers the set's days, a chain node, the
    content store and the running node. Everything is checked here. Costs nothing.
    """
    from offchain.types import Role

    with open_household(profile, sends=False) as (_, household):
        opened = household.answers.open(lock)
    from offchain.audit.aggregate_opening import combine_openings
    from offchain.household.neighbourhood import compare, own_slots

    with _reader(profile, Role.USER, node_url) as (session, board, book):
        readings = _readings(opened, session.gateway.chain_id)
        announced = board.announcements()
        if set_digest is not None:
            announced = [board.announcement(set_digest)]
        found = book.open(_latest(announced))
        totals = combine_openings(found, board.openings(found.set_digest, session.store))
        mine = [row for row in found.rows if row.owner == session.keys.address]
    if mine:
        readings = {one: readings.get(one, []) for one in mine[0].devices}
    result = compare(totals, own_slots(readings, totals), is_in_set=bool(mine))
    facts: dict[str, Any] = {
        "set": hex_id(found.set_digest),
        "homes": totals.homes,
        **_energies(result.own, result.mean),
        "percent_of_mean": result.percent_of_mean,
        "i_am_in_the_set": result.is_in_set,
    }
    rows = [{"slot_at": one.start_s, **_energies(one.own, one.mean)} for one in result.slots]
    if as_json:
        show(facts | {"slots": rows}, as_json=True)
    else:
        show_table(rows, title="you against your neighbourhood")
        show(facts)


def _energies(own: SlotEnergy, mean: SlotEnergy) -> dict[str, int]:
    return {
        "own_import_wh": own.import_wh,
        "mean_import_of_others_wh": mean.import_wh,
        "own_export_wh": own.export_wh,
        "mean_export_of_others_wh": mean.export_wh,
    }


@contextmanager
def _node(profile: Path) -> Iterator[tuple[Session, AggregateStore, AggregateBook]]:
    from offchain.cli.session import member_session
    from offchain.types import Role

    with member_session(profile, Role.PROCESSOR, sends=False) as session:
        from offchain.audit.aggregates import AggregateBook
        from offchain.node.aggregate_store import AggregateStore

        with AggregateStore(session.profile.place_of("aggregates")) as held:
            book = AggregateBook(session.gateway, session.index, session.store, session.directory)
            yield session, held, book


@contextmanager
def _reader(
    profile: Path, role: Any, node_url: str | None
) -> Iterator[tuple[Session, AggregateBoard, AggregateBook]]:
    from offchain.cli.session import member_session

    with member_session(profile, role, sends=False) as session:
        from offchain.audit.aggregate_board import AggregateBoard
        from offchain.audit.aggregates import AggregateBook

        board = AggregateBoard(node_url or session.profile.require_node_url())
        yield (
            session,
            board,
            AggregateBook(session.gateway, session.index, session.store, session.directory),
        )


def _readings(opened: OpenedAnswer, chain_id: int) -> dict[Account, list[Reading]]:
    from offchain.audit.coverage import rebuild_device

    found = {}
    for device in opened.answer.devices:
        one = rebuild_device(device, chain_id)
        around = [[] if end is None else [end] for end in (one.opening, one.closing)]
        found[one.device] = [*around[0], *one.readings, *around[1]]
    return found


def _latest(announced: list[Any]) -> Any:
    from offchain.member.errors import AggregateInvalid

    if not announced:
        raise AggregateInvalid("the node announces no aggregate set")
    return announced[-1]
