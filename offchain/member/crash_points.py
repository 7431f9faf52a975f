"""Places where a test may kill the process, to show that every step can be taken up again."""

import os
import signal
from collections import Counter

_passes: Counter[str] = Counter()


def crash_point(step: str) -> None:
    """Kill the process here if the environment variable DMSM_CRASH_AT names this step.

    `DMSM_CRASH_AT=<step>[@<n>]` kills at the n-th pass (default the first), like a loss of power:
    nothing is cleaned up.
    """
    wanted = os.environ.get("DMSM_CRASH_AT")
    if wanted is None:
        return
    name, _, nth = wanted.partition("@")
    if name != step:
        return
    _passes[step] += 1
    if _passes[step] == int(nth or 1):
        os.kill(os.getpid(), signal.SIGKILL)
