"""Out of safe mode: a fresh outbox behind what chain and node know (`dmsm-agent recover`).

What the device had signed stays as it is. Readings that the node holds in no batch come back from
it: the device knows its own envelopes by signature and key. A seq that is anchored or held is
never given out again.

An agent keeps no index of the chain: its own anchors, needed once here, are read from the events.
"""

from dataclasses import dataclass
from pathlib import Path

from device_agent.assembly import Kit, claim, open_kit
from device_agent.config import Config
from device_agent.errors import AgentError, NodeUnreachable, SafeMode
from device_agent.node_client import HeldByNode
from device_agent.outbox import Origin, Outbox, Shown
from device_agent.reconcile import reconcile_chain, require_no_more
from device_agent.surroundings import find_surroundings
from offchain.chain import questions
from offchain.chain.gateway import ChainGateway
from offchain.crypto.curve import G1
from offchain.records import batch as batch_codec
from offchain.records import reading as record_codec
from offchain.types import Account, Batch, MeterSample, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a fresh outbox would hold, and what nobody could give back.

    lost: seqs that are anchored, and whose readings neither node nor outbox holds.
    """

    origin: Origin
    records: tuple[bytes, ...]
    batches: tuple[Batch, ...]
    lost: range

    @property
    def next_seq(self) -> int:
        """The seq of the next reading."""
        return self.origin.first_seq + len(self.records)


def recover_outbox(config: Config, *, is_confirmed: bool) -> None:
    """Say what is to be done, and do it when `is_confirmed`.

    Raises NodeUnreachable and ChainError when chain or node cannot be asked, SafeMode when a fresh
    outbox would not help, BadSetup when an agent still runs.
    """
    with open_kit(config) as kit:
        gateway = kit.connect()
        processor = find_surroundings(gateway, kit.place.device).processor
        if processor is None:
            raise NodeUnreachable(f"no processing node serves the region of {kit.place.device} now")
        _require_nothing_under_way(gateway, kit.place.device)
        with Outbox(config.outbox) as outbox:
            claim(outbox, kit.place)
            if not _is_behind(outbox, kit, gateway, processor):
                kit.progress.tell("nothing_to_recover", next_seq=outbox.next_seq)
                return
            samples = outbox.samples()
            plan = _plan(outbox, kit, gateway, processor)
            _tell(kit, plan, waiting=len(samples), is_confirmed=is_confirmed)
            if is_confirmed:
                aside = outbox.give_way_to(_begin_anew(kit, plan, samples))
                kit.progress.tell("recovered", put_aside=str(aside), next_seq=plan.next_seq)


def _is_behind(outbox: Outbox, kit: Kit, gateway: ChainGateway, processor: Account) -> bool:
    """Whether chain or node know more; raises SafeMode when they know something else."""
    device = kit.place.device
    held = kit.node.find(processor, device)
    next_seq = gateway.call("DataLedger", "nextSeqOf", device)
    try:
        reconcile_chain(outbox, gateway, device)
        require_no_more(outbox, held, device)
    except SafeMode:
        behind = next_seq > outbox.next_batch_seq or held.next_seq > outbox.next_seq
        if not behind and held.next_batch_seq <= outbox.next_batch_seq:
            raise SafeMode(
                f"the chain holds another batch of {device} than this outbox: somebody else uses "
                "its account. Have it revoked; a fresh outbox would not help"
            ) from None
        return True
    return False


def _require_nothing_under_way(gateway: ChainGateway, device: Account) -> None:
    """A transaction that is signed or sent and not mined may anchor a seq yet."""
    gateway.transact_many([])  # brings what the journal holds unsettled to its end
    mined, sent = (
        gateway.endpoint.ask(questions.nonce(device, block)) for block in ("latest", "pending")
    )
    if sent > mined:
        raise NodeUnreachable(f"transactions of {device} are not mined yet; try again later")


def _plan(outbox: Outbox, kit: Kit, gateway: ChainGateway, processor: Account) -> Plan:
    device = kit.place.device
    next_anchor = int(gateway.call("DataLedger", "nextSeqOf", device))
    held = kit.node.held(device)
    records = _given_back(kit, processor, held)
    kept = [record_codec.decode(record) for record in records]
    shown = max([outbox.last_read(), *map(Shown.by, kept)])
    first_seq = held.next_batch_seq
    readings = [one for one in kept if one.seq >= first_seq]
    batches = _anchored_batches(gateway, device, readings) if readings else None
    if batches is not None and readings[-1].seq + 1 == held.next_seq >= next_anchor:
        return Plan(
            origin=Origin(first_seq=first_seq, shown=shown),
            records=tuple(records[-len(readings) :]),
            batches=tuple(batches),
            lost=range(0),
        )
    if held.next_seq > next_anchor:
        raise AgentError(
            f"the node holds readings {next_anchor} to {held.next_seq - 1} of {device}, which are "
            "not anchored, and does not give them back: their seqs cannot be used again. Restore "
            "a copy of the outbox that holds them, or have a new account admitted for the device"
        )
    origin = Origin(first_seq=next_anchor, shown=shown)
    lost = range(held.next_seq, next_anchor)
    return Plan(origin=origin, records=(), batches=(), lost=lost)


def _given_back(kit: Kit, processor: Account, held: HeldByNode) -> list[bytes]:
    """Fetch the consecutive records whose envelopes the node keeps, each opened and checked."""
    seq = max(1, held.next_batch_seq - 1)
    records: list[bytes] = []
    while envelopes := kit.node.give_back(kit.sealer.recovery(seq, processor=processor)):
        expected = seq if records else envelopes[0].seq
        seq = expected + len(envelopes)
        if [one.seq for one in envelopes] != list(range(expected, seq)):
            raise AgentError(f"the node gives back other envelopes than those from {expected} on")
        records += [kit.sealer.open_own(envelope, processor) for envelope in envelopes]
    return records


def _anchored_batches(
    gateway: ChainGateway, device: Account, readings: list[Reading]
) -> list[Batch] | None:
    """Return the batches of these readings that are on chain; None if they are others."""
    first = readings[0].seq
    block = gateway.deployment.block("DataLedger")
    events = gateway.events("DataLedger", "BatchAnchored", from_block=block, device=device)
    batches = []
    for event in events:
        from_seq, count = int(event.args["fromSeq"]), int(event.args["count"])
        if from_seq < first:
            continue
        batch = batch_codec.make(readings[from_seq - first : from_seq - first + count])
        if batch.root != bytes(event.args["root"]):
            return None
        batches.append(batch)
    return batches


def _tell(kit: Kit, plan: Plan, *, waiting: int, is_confirmed: bool) -> None:
    kit.progress.tell(
        "recovery" if is_confirmed else "recovery_planned",
        next_seq=plan.next_seq,
        given_back=len(plan.records),
        anchored_and_lost=[plan.lost.start, plan.lost.stop - 1] if plan.lost else None,
        samples_kept=waiting,
        also_lost="what was read, and neither sent nor anchored, before the outbox was lost",
        advice=None if is_confirmed else "run it again with --yes, or restore the newest outbox",
    )


def _begin_anew(kit: Kit, plan: Plan, samples: list[MeterSample]) -> Path:
    """Write the fresh outbox beside the old one; return its path."""
    path = kit.config.outbox
    fresh = path.with_name(f"{path.name}.fresh")
    for tail in ("", "-wal", "-shm", ".lock"):
        Path(f"{fresh}{tail}").unlink(missing_ok=True)  # of a recovery that was interrupted
    with Outbox(fresh) as outbox, outbox.atomic():
        claim(outbox, kit.place)
        outbox.set_origin(plan.origin)
        for record in plan.records:
            outbox.add_reading(record)
        for batch in plan.batches:
            signature: G1 = kit.sealer.batch_signature(batch)
            outbox.add_batch(batch, signature)
        for sample in samples:
            outbox.add_sample(sample)
    Path(f"{fresh}.lock").unlink()
    return fresh
