"""One data set sold twice: the node deals the same key to two groups, each by itself."""

from offchain.buyer.buyer import Buyer
from offchain.buyer.form import form_of
from offchain.member.roles import LockState
from offchain.types import Account
from tests.integration.town import DATA_SET_PRICE_WEI, SHORTEST_S, Town


def sell(town: Town, buyer: Buyer, members: list[Account]) -> bytes:
    """Let a buyer call for data, select the first node for a group, and have it deliver."""
    node, (start, end), now = town.nodes[0], town.houses[0].window, buyer.gateway.now()
    broadcast_id = buyer.broadcasts.make(
        regions=[node.region],
        window_from=start,
        window_to=end,
        max_price_wei=2 * DATA_SET_PRICE_WEI,
        group_size=len(members),
        respond_by=now + 600,
        select_by=now + 1_200,
        purpose="a study",
    )
    node.worker.run_once()
    (lock_id,) = buyer.selection.select(
        broadcast_id,
        members=members,
        processors=[line.processor for line in form_of(buyer.gateway, broadcast_id)],
        expires_at=buyer.gateway.now() + 10 * SHORTEST_S,
    )
    assert [outcome.kind for outcome in node.worker.run_once()] == ["delivered"]
    return lock_id


def recover(buyer: Buyer, helper: Buyer, lock_id: bytes) -> object:
    buyer.shares.own(lock_id)
    grant = helper.shares.grant(lock_id)
    buyer.inbox.keep(lock_id, grant.my_index, helper.shares.own(lock_id))
    return buyer.shares.recover(lock_id).group_secret


def test_deliver__two_locks_of_one_data_set__give_both_groups_the_same_key(fresh: Town) -> None:
    first, second, third = fresh.buyers
    fresh.nodes[0].publisher.publish(*fresh.houses[0].window)
    old = sell(fresh, first, [first.keys.address, second.keys.address])
    new = sell(fresh, third, [second.keys.address, third.keys.address])

    old_grant, new_grant = second.shares.grant(old), second.shares.grant(new)
    assert old_grant.data_set_id == new_grant.data_set_id
    assert old_grant.transcript.commitments[0] == new_grant.transcript.commitments[0]
    assert old_grant.transcript.commitments[1:] != new_grant.transcript.commitments[1:]
    assert set(old_grant.transcript.shares).isdisjoint(new_grant.transcript.shares)

    secret = recover(first, second, old)
    assert recover(third, second, new) == secret
    for buyer, lock_id in ((first, old), (third, new)):
        assert buyer.locks.lock(lock_id).state is LockState.SETTLED
        opened = buyer.data_sets.open(lock_id, group_secret=secret)
        assert buyer.data_sets.verify(lock_id, opened=opened).ok
