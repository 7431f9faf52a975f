"""How long to leave node and chain alone after a failure."""

import time

_FIRST_WAIT_S, _LAST_WAIT_S = 0.2, 10.0


class Backoff:
    """How long to wait still, and since when they fail."""

    def __init__(self) -> None:
        self._wait_s = _FIRST_WAIT_S
        self._until = 0.0
        self.failing_since: float | None = None

    def failed(self) -> None:
        """Note a failure."""
        now = time.monotonic()
        self.failing_since = self.failing_since or now
        self._until = now + self._wait_s
        self._wait_s = min(2 * self._wait_s, _LAST_WAIT_S)

    def worked(self) -> None:
        """Note a success."""
        self.__init__()  # type: ignore[misc]

    @property
    def rest_s(self) -> float:
        """How long to wait still."""
        return max(0.0, self._until - time.monotonic())
