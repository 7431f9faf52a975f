"""Steps at which a test may kill the agent, to show that every one can be taken up again."""

import os
import signal
from collections import Counter

STEPS = (
    "sample-stored",
    "reading-stored",
    "readings-sealed",
    "day-sealed",
    "day-sent",
    "day-marked",
    "readings-sent",
    "readings-marked",
    "report-sealed",
    "report-kept",
    "report-kept-marked",
    "reports-mined",
    "reports-marked",
    "batch-cut",
    "batch-anchored",
    "batch-marked",
    "batch-sent",
    "batch-sent-marked",
)
_passes: Counter[str] = Counter()


def crash_point(step: str) -> None:
    """Kill the process here if the environment variable DMSM_CRASH_AT names this step.

    `DMSM_CRASH_AT=<step>[@<n>]` kills at the n-th pass (the first if left out), like a loss of
    power: nothing is cleaned up.
    """
    name, _, nth = os.environ.get("DMSM_CRASH_AT", "").partition("@")
    if name != step:
        return
    _passes[step] += 1
    if _passes[step] == int(nth or 1):
        os.kill(os.getpid(), signal.SIGKILL)
