"""The contracts' enumerations, as the services name them."""

from offchain.chain.enumerations import BroadcastState, LockState, Reason
from offchain.types import Role as MemberRole
from offchain.types import Status

__all__ = ["BroadcastState", "LockState", "MemberRole", "Reason", "Status"]
