"""The contracts' enumerations, in their order (interfaces/*.sol)."""

from enum import IntEnum, auto


class _FromZero(IntEnum):
    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last_values: list[int]) -> int:
        return count


class LockState(_FromZero):
    """Where a lock stands (IPrepaidLock.LockState)."""

    NONE = auto()
    REQUESTED = auto()
    REJECTED = auto()
    ACCEPTED = auto()
    CLAIMED = auto()
    SELECTED = auto()
    DECLINED = auto()
    DELIVERED = auto()
    SETTLED = auto()
    REFUNDED = auto()
    DEMANDED = auto()
    DISPUTED = auto()
    SLASHED = auto()


class Reason(_FromZero):
    """Why a node rejects or declines (IPrepaidLock.Reason)."""

    NONE = auto()
    ID_NOT_RECOGNISED = auto()
    MESSAGE_UNREADABLE = auto()
    WINDOW_UNAVAILABLE = auto()
    ANSWER_TOO_LARGE = auto()
    TOO_LITTLE_TIME = auto()
    MEMBER_NOT_ACCEPTABLE = auto()
    NOT_SERVED = auto()
    CONSENT_WITHDRAWN = auto()


class BroadcastState(_FromZero):
    """Where a broadcast stands (IDataMarket.BroadcastState)."""

    NONE = auto()
    OPEN = auto()
    SELECTED = auto()
    CLOSED = auto()
