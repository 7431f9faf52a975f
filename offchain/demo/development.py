"""The ground of a run by itself: anvil, on which time is moved, and a shared folder as store."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from offchain.chain import clock
from offchain.chain.anvil import start_anvil
from offchain.demo import setting_up
from offchain.demo.ground import Ground, Say
from offchain.demo.world import CONSORTIUM_FUNDS_WEI

_SHORTEST_S, _MARGIN_S, _DISPUTE_S = 120, 30, 3_600


@contextmanager
def open_anvil(folder: Path, say: Say) -> Iterator[Ground]:
    """Start anvil, deploy by `brownie run deploy`, and end anvil whatever happens."""
    say("starting anvil and deploying the contracts (brownie run deploy)")
    # Who moves the time of a chain knows that it is not the machine's.
    logging.getLogger(clock.__name__).setLevel(logging.ERROR)
    with start_anvil() as anvil:
        _, owner = setting_up.deploy_contracts(anvil, folder)
        yield Ground(
            title="anvil, a development chain, and a shared folder",
            rpc_urls=(anvil.url,),
            content_urls=(f"dir:{folder / 'content'}",),
            deployment_file=folder / "deployment.json",
            owner=owner,
            funds_wei=CONSORTIUM_FUNDS_WEI,
            confirmations=0,
            gas_price_wei=None,
            shortest_s=_SHORTEST_S,
            margin_s=_MARGIN_S,
            dispute_s=_DISPUTE_S,
            wait_until=anvil.warp_to,
        )
