"""A household and a buyer at work: opened from a profile and closed again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from offchain.cli.session import member_session

if TYPE_CHECKING:
    from offchain.buyer.buyer import Buyer
    from offchain.cli.session import Session
    from offchain.household.household import Household


@contextmanager
def open_household(
    profile: Path, *, sends: bool = True, begins: bool = False
) -> Iterator[tuple[Session, Household]]:
    """Open what a household works with; `begins` as in `member_session`."""
    from offchain.types import Role

    with member_session(profile, Role.USER, sends=sends, begins=begins) as session:
        from offchain.household.household import Household

        household = Household(
            gateway=session.gateway,
            index=session.index,
            store=session.store,
            keys=session.keys,
            directory=session.directory,
            notes=session.profile.data / "notes",
            confirmations=session.profile.confirmations,
        )
        yield session, household


@contextmanager
def open_buyer(
    profile: Path, *, sends: bool = True, begins: bool = False
) -> Iterator[tuple[Session, Buyer]]:
    """Open what a buyer works with; `begins` as in `member_session`."""
    from offchain.types import Role

    with member_session(profile, Role.SHARER, sends=sends, begins=begins) as session:
        from offchain.buyer.buyer import Buyer
        from offchain.buyer.inbox import ShareInbox

        inbox = ShareInbox(
            session.profile.place_of("shares"),
            gateway=session.gateway,
            index=session.index,
            keys=session.keys,
        )
        try:
            buyer = Buyer(
                gateway=session.gateway,
                index=session.index,
                store=session.store,
                keys=session.keys,
                directory=session.directory,
                inbox=inbox,
                confirmations=session.profile.confirmations,
            )
            yield session, buyer
        finally:
            inbox.close()
