"""Do chain and node know more than the outbox? Then it may give out no seqs (safe mode)."""

from device_agent.errors import SafeMode
from device_agent.node_client import HeldByNode, NodeClient
from device_agent.outbox import Outbox
from device_agent.seal import Sealer
from offchain.chain.gateway import ChainGateway
from offchain.records import batch as batch_codec
from offchain.types import Account

_COMPARED = 512  # so many of the newest batches are held against the chain
_ADVICE = "restore the newest one, or stop the agent and see `dmsm-agent recover`"


def reconcile_chain(outbox: Outbox, gateway: ChainGateway, device: Account) -> None:
    """Learn which batches are on chain; those that a reorganisation took off are due again.

    Raises SafeMode when the chain holds what the outbox does not: an old copy of an outbox would
    sign other readings under the same seqs.
    """
    next_seq = gateway.call("DataLedger", "nextSeqOf", device)
    if next_seq > outbox.next_batch_seq:
        raise SafeMode(
            f"the chain expects seq {next_seq} of {device}, this outbox ends at "
            f"{outbox.next_batch_seq - 1}: it is lost or an old copy; {_ADVICE}"
        )
    batches = [notice.batch for notice in outbox.batches(device, last=_COMPARED)]
    anchored = [batch for batch in batches if batch.from_seq < next_seq]
    calls = [("DataLedger", "anchorOf", (device, batch.from_seq)) for batch in anchored]
    for batch, held in zip(anchored, gateway.call_many(calls) if calls else [], strict=True):
        if bytes(held) != batch_codec.anchor_hash(batch):
            raise SafeMode(
                f"the chain holds another batch at seq {batch.from_seq} of {device}: "
                "two devices use one account, or the outbox is not its own"
            )
    outbox.mark_anchored(before_seq=next_seq)


def is_behind(outbox: Outbox, gateway: ChainGateway, device: Account) -> bool:
    """Whether the chain lacks a batch that was on it: a reorganisation has taken it off."""
    return bool(gateway.call("DataLedger", "nextSeqOf", device) < outbox.anchored_before)


def reconcile_node(
    outbox: Outbox, node: NodeClient, sealer: Sealer, *, device: Account, processor: Account
) -> None:
    """Turn to the region's processor and learn what it holds; the rest is due.

    Raises NodeUnreachable when no node serves as it, SafeMode when it holds what the outbox does
    not.
    """
    held = node.find(processor, device)
    require_no_more(outbox, held, device)
    outbox.turn_to(processor)
    first_seq = outbox.origin.first_seq
    if min(held.next_seq, held.next_batch_seq) < first_seq:
        node.send_start(sealer.start(first_seq, processor=processor))
        held = node.held(device)
    outbox.mark_days(held=held.days)
    outbox.mark_readings_sent(before_seq=held.next_seq)
    outbox.mark_batches_sent(before_seq=held.next_batch_seq)


def require_no_more(outbox: Outbox, held: HeldByNode, device: Account) -> None:
    """Raise SafeMode when the node holds what the outbox does not."""
    if held.next_seq > outbox.next_seq or held.next_batch_seq > outbox.next_batch_seq:
        raise SafeMode(
            f"the node holds readings of {device} up to {held.next_seq - 1}, this outbox ends at "
            f"{outbox.next_seq - 1}: it is lost or an old copy; {_ADVICE}"
        )
