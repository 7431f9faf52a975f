"""What a household and a sharing node work with, opened from a profile and closed again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from offchain.cli.session import member_session

if TYPE_CHECKING:
    from offchain.buyer.share_inbox import ShareInbox
    from offchain.buyer.sharer import SharerAgent
    from offchain.cli.session import Session
    from offchain.household.user import UserAgent


@contextmanager
def user_agent(profile: Path, *, sends: bool = True) -> Iterator[tuple[Session, UserAgent]]:
    """Open what a user works with."""
    from offchain.household.user import UserAgent
    from offchain.types import Role

    with member_session(profile, Role.USER, sends=sends) as session:
        yield (
            session,
            UserAgent(
                gateway=session.gateway,
                store=session.store,
                keys=session.keys,
                directory=session.directory,
                notes=session.profile.data / "notes",
                confirmations=session.profile.confirmations,
            ),
        )


class Sharer(NamedTuple):
    session: Session
    agent: SharerAgent
    inbox: ShareInbox


@contextmanager
def sharer_agent(profile: Path, *, sends: bool = True) -> Iterator[Sharer]:
    """Open what a sharing node works with."""
    from offchain.buyer.share_inbox import ShareInbox
    from offchain.buyer.sharer import SharerAgent
    from offchain.types import Role

    with member_session(profile, Role.SHARER, sends=sends) as session:
        inbox = ShareInbox(
            session.profile.place_of("shares"), gateway=session.gateway, keys=session.keys
        )
        try:
            agent = SharerAgent(
                gateway=session.gateway,
                store=session.store,
                keys=session.keys,
                directory=session.directory,
                inbox=inbox,
                confirmations=session.profile.confirmations,
            )
            yield Sharer(session, agent, inbox)
        finally:
            inbox.close()
