"""The contracts' enumerations and the request types that every consortium sets, by name."""

from offchain.chain.enumerations import BroadcastState, LockState, Reason
from offchain.types import Role as MemberRole
from offchain.types import Status

__all__ = ["REQUEST_TYPE_NAMES", "BroadcastState", "LockState", "MemberRole", "Reason", "Status"]

REQUEST_TYPE_NAMES = {1: "bill", 2: "advice"}
