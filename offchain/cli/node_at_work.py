"""The node of a profile, opened here, or asked by an order where a process works with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from offchain.cli.node_loop import RunningNode

_ORDER_TIMEOUT_S = 600.0


@contextmanager
def opened_node(profile: Path, *, wait_s: float, begins: bool = False) -> Iterator[RunningNode]:
    """Open a node with everything it acts with. Raises AccountBusy after `wait_s`."""
    from offchain.cli.session import member_session
    from offchain.types import Role

    with member_session(profile, Role.PROCESSOR, begins=begins, wait_s=wait_s) as session:
        from offchain.cli.node_loop import RunningNode
        from offchain.node.aggregate_store import AggregateStore
        from offchain.node.store import NodeStore

        with NodeStore(session.profile.place_of("node")) as readings:
            with AggregateStore(session.profile.place_of("aggregates")) as aggregates:
                node = RunningNode(session, readings)
                node.serve_aggregates(aggregates)
                yield node


def ordered(profile: Path, order: dict[str, Any], *, begins: bool = False) -> dict[str, Any]:
    """Do it here, or let the process do it that works with the node's account already. `begins` as
    in `member_session`.
    """
    from offchain.cli.session import AccountBusy
    from offchain.settings import load_profile

    data = load_profile(profile).data
    from offchain.cli.node_orders import give_order

    try:
        with opened_node(profile, wait_s=0, begins=begins) as node:
            return node.carry_out(order)
    except AccountBusy:
        return give_order(data, order, timeout_s=_ORDER_TIMEOUT_S)
