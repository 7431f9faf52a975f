"""At the start: do chain and node know more than the outbox? Then it may not go on (safe mode)."""

from device_agent.errors import SafeMode
from device_agent.node_client import NodeClient
from device_agent.outbox import Outbox
from offchain.chain.gateway import ChainGateway
from offchain.records import batch as batch_codec
from offchain.types import Account


def reconcile_chain(outbox: Outbox, gateway: ChainGateway, device: Account) -> None:
    """Learn which batches are on chain; those that a reorganisation took off are due again.

    Raises SafeMode when the chain holds what the outbox does not: an old copy of an outbox would
    sign other readings under the same seqs.
    """
    next_seq = gateway.call("DataLedger", "nextSeqOf", device)
    if next_seq > outbox.next_batch_seq:
        raise SafeMode(
            f"the chain expects seq {next_seq} of {device}, this outbox ends at "
            f"{outbox.next_batch_seq - 1}: it is lost or an old copy; restore the newest one"
        )
    batches = [notice.batch for notice in outbox.batches(device)]
    anchored = [batch for batch in batches if batch.from_seq < next_seq]
    calls = [("DataLedger", "anchorOf", (device, batch.from_seq)) for batch in anchored]
    for batch, held in zip(anchored, gateway.call_many(calls) if calls else [], strict=True):
        if bytes(held) != batch_codec.anchor_hash(batch):
            raise SafeMode(
                f"the chain holds another batch at seq {batch.from_seq} of {device}: "
                "two devices use one account, or the outbox is not its own"
            )
    outbox.mark_anchored(before_seq=next_seq)


def reconcile_node(outbox: Outbox, node: NodeClient, device: Account) -> None:
    """Learn what the node holds; what it lost is due again.

    Raises SafeMode when the node holds what the outbox does not.
    """
    held = node.held(device)
    if held.next_seq > outbox.next_seq or held.next_batch_seq > outbox.next_batch_seq:
        raise SafeMode(
            f"the node holds readings of {device} up to {held.next_seq - 1}, this outbox ends at "
            f"{outbox.next_seq - 1}: it is lost or an old copy; restore the newest one"
        )
    for day in outbox.days():
        outbox.mark_day(day, sent=day in held.days)
    outbox.mark_readings_sent(before_seq=held.next_seq)
    outbox.mark_batches_sent(before_seq=held.next_batch_seq)
