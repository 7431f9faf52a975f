"""What a command works with that only looks at the chain: no secret is opened for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from offchain.cli.session import reading_gateway, require_role
from offchain.settings import Profile, load_profile

if TYPE_CHECKING:
    from offchain.chain.gateway import ChainGateway
    from offchain.types import Account, Role


@dataclass(frozen=True, slots=True)
class ReadingSession:
    """A member who looks: its account, and a gateway that cannot sign."""

    profile: Profile
    account: Account
    gateway: ChainGateway


def reading_session(path: Path, role: Role) -> ReadingSession:
    """Open what is needed to read the chain as a member of `role`.

    Raises SettingsError for keys of another role, MemberError for a folder without any.
    """
    profile = load_profile(path)
    from offchain.member import member_file

    has, account = member_file.read_public(profile.keys)
    require_role(profile, has, role)
    return ReadingSession(profile, account, reading_gateway(profile))
