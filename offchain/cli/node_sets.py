"""`dmsm node sets`, `dmsm node retire`: what a node has for sale, and the end of a sale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from offchain.cli.node_at_work import ordered
from offchain.cli.output import hex_id, show, show_table
from offchain.cli.parameters import (
    DEFAULT_PROFILE,
    DataSetArgument,
    JsonOption,
    ProfileOption,
)
from offchain.cli.reading import reading_session
from offchain.cli.session import open_index

if TYPE_CHECKING:
    from offchain.index.asked.rows import Row
    from offchain.index.chain_index import ChainIndex


def sets(profile: ProfileOption = DEFAULT_PROFILE, as_json: JsonOption = False) -> None:
    """List the data sets that the node published: until when each is for sale, how often it was
    sold, and what it earned the node and its owners.

    Of the newest block; what is final may differ. Needs the node's folder of keys, of which no
    secret is opened, and a chain node; the node may run meanwhile. Costs nothing.
    """
    from offchain.types import Role

    session = reading_session(profile, Role.PROCESSOR)
    from offchain.index.asked import data_sets as asked

    now = session.gateway.now()
    with open_index(session.profile, session.gateway) as index:
        newest = index.follower.catch_up()
        told = asked.of_processor(index, session.account, newest)
        rows = [_facts(index, one, newest, now) for one in told]
    show_table(rows, title="data sets", as_json=as_json)


def retire(
    data_set: DataSetArgument,
    profile: ProfileOption = DEFAULT_PROFILE,
    as_json: JsonOption = False,
) -> None:
    """End the sale of a data set for good. What was selected before goes on.

    The same window can be published anew, under another key. Needs what `node run` needs; a node
    that runs already does it on this order. Costs gas.
    """
    show(ordered(profile, {"do": "retire", "data_set": data_set.hex()}), as_json=as_json)


def _facts(index: ChainIndex, told: Row, newest: int, now: int) -> dict[str, Any]:
    from offchain.index.asked import data_sets as asked
    from offchain.member.locks import lock_of

    locks = asked.locks_on(index, told["data_set_id"], newest)
    sold = [lock_of(one) for one in locks if asked.is_sale(one)]
    return {
        "data_set": hex_id(told["data_set_id"]),
        "from_at": told["window_from"],
        "to_at": told["window_to"],
        "rows": told["row_count"],
        "meters": told["device_count"],
        "on_sale": told["sale_until"] > now,
        "sale_until_at": told["sale_until"],
        "retired": told["is_retired"],
        "selected_now": sum(not one["is_ended"] for one in locks),
        "sold_times": len(sold),
        "earned_wei": sum(one.earned_wei for one in sold),
        "owners_earned_wei": told["per_row_wei"] * told["row_count"],
    }
