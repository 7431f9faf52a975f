"""What a running agent tells of its failures: their beginnings, new reasons and ends."""

from device_agent.errors import SafeMode
from device_agent.progress import Progress
from offchain.chain.errors import NodeUnavailable
from offchain.containment import FULL_AGAIN_S
from offchain.errors import DmsmError, StoreBusy, StoreFull
from offchain.states import States

_EVENTS: tuple[tuple[type[DmsmError], str], ...] = (
    (SafeMode, "safe_mode"),
    (StoreFull, "no_room"),
    (StoreBusy, "store_busy"),
    (NodeUnavailable, "delayed"),
)


class Telling:
    """The failures of one kind of work. One thread uses it at a time."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._states = States()

    def failed(self, error: DmsmError, otherwise: str) -> None:
        """Tell a failure by its event, `otherwise` if it has none of its own; a full disk at every
        minute, any other once while it lasts.
        """
        event = next((name for kind, name in _EVENTS if isinstance(error, kind)), otherwise)
        again_s = FULL_AGAIN_S if isinstance(error, StoreFull) else None
        if self._states.hold(event, str(error), again_s=again_s):
            self._progress.tell(event, reason=str(error))

    def worked(self) -> None:
        """Tell what has ended, how long it lasted and how often it was met."""
        for event, ended in self._states.end_others(()):
            self._progress.tell(
                "works_again", after=event, lasted_s=ended.lasted_s, times=ended.times
            )
