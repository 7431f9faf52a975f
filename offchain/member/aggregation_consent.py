"""Whose energies may be added: consent to aggregation as it stood at a block, as the tables tell
it, so that no archive of states is needed.

As for data sets, consent counts while the device and its owner are both active members.
"""

from __future__ import annotations

from offchain.chain.gateway import ChainGateway
from offchain.index.asked import consents, members
from offchain.index.asked.rows import end_of
from offchain.index.chain_index import ChainIndex
from offchain.index.errors import IndexBehind
from offchain.records.aggregate_set import AGGREGATION_PURPOSE
from offchain.types import Account, to_account


def consenting_devices(
    gateway: ChainGateway, index: ChainIndex, *, block: int
) -> frozenset[Account]:
    """Return the devices whose owner's consent to aggregation stood at the end of a block.

    To inform: who publishes asks the contracts as well. Raises IndexBehind.
    """
    newest = index.follower.catch_up()
    if newest < block:
        raise IndexBehind(newest, block)
    at = gateway.block(block).timestamp
    place = end_of(block)
    revoked = members.revoked(index, place)
    return frozenset(
        to_account(device)
        for device, said in consents.last_words(index, AGGREGATION_PURPOSE, place).items()
        if at < said["expires_at"] and not {device, said["owner"]} & revoked
    )
