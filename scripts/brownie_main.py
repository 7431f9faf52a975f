"""Become ``brownie`` with this process's arguments, with three of its faults worked around.

Brownie 1.22.2 looks once a second whether a transaction is mined, and takes one for dropped that
the node has counted but cannot show yet; so sending waits here, for a moment, until the receipt is
there. It collects garbage in full at each snapshot and revert, which takes longer than the test
between them; here it collects the young generations. And on a live network it fails, in a thread
of its own, to note a deployment in its private database: the deployment stands, and the project
keeps its addresses itself, so that is not shown.
"""

from __future__ import annotations

import functools
import gc
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

WAIT_SECONDS = 1.0
FIRST_PAUSE_SECONDS = 0.002
LONGEST_PAUSE_SECONDS = 0.05


def main() -> None:
    """Run Brownie's own command line."""
    from brownie._cli.__main__ import main as brownie_main
    from web3.eth import Eth

    sys.path[0] = ""
    for name in ("send_transaction", "send_raw_transaction"):
        setattr(Eth, name, _waiting_for_receipt(getattr(Eth, name)))
    gc.collect = functools.partial(gc.collect, 1)
    threading.excepthook = _without_known_fault
    brownie_main()


def _waiting_for_receipt(send: Callable[..., Any]) -> Callable[..., Any]:
    from web3.exceptions import TransactionNotFound

    @functools.wraps(send)
    def send_and_wait(eth: Any, *arguments: Any) -> Any:
        transaction_hash = send(eth, *arguments)
        deadline, pause = time.monotonic() + WAIT_SECONDS, FIRST_PAUSE_SECONDS
        while time.monotonic() < deadline:
            try:
                eth.get_transaction_receipt(transaction_hash)
                break
            except TransactionNotFound:
                time.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        return transaction_hash

    return send_and_wait


def _without_known_fault(error: threading.ExceptHookArgs) -> None:
    known = error.exc_type is TypeError and "project.sources.Sources" in str(error.exc_value)
    if not known:
        threading.__excepthook__(error)


if __name__ == "__main__":
    main()
