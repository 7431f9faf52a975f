"""Whether an answer holds every anchored reading of its window: neither its beginning nor its end
may be left out, and anchors carry no time.

The beginning is proven by the reading before the first one, which lies before the window. The end
is proven by the reading after the last one, which lies behind the window; or by the chain, on which
no batch followed up to the block as of which the answer speaks. An answer has whole UTC days around
the local days that were asked for, so that batches and day keys stay whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from offchain.audit.findings import Finding, not_asked
from offchain.audit.opened_answer import OpenedAnswer
from offchain.billing.window_parts import whole_utc_days
from offchain.chain.gateway import ChainGateway
from offchain.crypto import merkle
from offchain.errors import DmsmError, RecordError
from offchain.index.asked import ledger
from offchain.index.chain_index import ChainIndex
from offchain.member.errors import NotOnChain
from offchain.member.locks import LockBook
from offchain.member.request_notes import AskedRequest
from offchain.records import batch as batches
from offchain.records import packed, reading
from offchain.records.answer import AnchoredReading, DeviceAnswer
from offchain.types import Account, Batch, Reading


@dataclass(frozen=True)
class RebuiltDevice:
    """One device's readings of an answer, with the batches that must be found on chain. Their seqs
    are [first_seq, next_seq); there may be none, between `opening` and `closing`.
    """

    device: Account
    first_seq: int
    next_seq: int
    readings: Sequence[Reading]
    opening: Reading | None
    closing: Reading | None
    batches: Sequence[Batch]

    @property
    def all_readings(self) -> list[Reading]:
        """All of them, those before and after the window too."""
        around = ([self.opening] if self.opening else []), ([self.closing] if self.closing else [])
        return [*around[0], *self.readings, *around[1]]


def rebuild_device(device: DeviceAnswer, chain_id: int) -> RebuiltDevice:
    """Rebuild readings and batches. Raises RecordError for what cannot be."""
    rows = packed.rebuild(device.packed, chain_id=chain_id, nonce_keys=device.nonce_keys)
    first = device.packed.first_seq
    made = [
        batches.make(rows[from_seq - first : from_seq - first + count])
        for from_seq, count in device.batches
    ]
    around = [one for one in (device.opening, device.closing) if one is not None]
    return RebuiltDevice(
        device=device.packed.device,
        first_seq=first,
        next_seq=device.packed.next_seq,
        readings=rows,
        opening=_proven(device.opening, device, "opening"),
        closing=_proven(device.closing, device, "closing"),
        batches=[*made, *(one.batch for one in around)],
    )


def _proven(one: AnchoredReading | None, device: DeviceAnswer, what: str) -> Reading | None:
    """Return the reading if it is in the batch beside it, which is still to be found on chain."""
    if one is None:
        return None
    decoded = reading.decode(one.record)
    is_member = merkle.verify_inclusion(
        reading.commitment(one.record),
        one.proof,
        index=decoded.seq - one.batch.from_seq,
        size=one.batch.count,
        root=one.batch.root,
    )
    if not is_member or decoded.device != device.packed.device:
        raise RecordError(f"the {what} reading of {device.packed.device} is not in its batch")
    return decoded


def check_as_of_block(opened: OpenedAnswer, gateway: ChainGateway, index: ChainIndex) -> Finding:
    """The answer must have what was anchored when it was asked for, and cannot know the future."""
    book, as_of = LockBook(gateway, index), opened.answer.as_of_block
    try:
        asked_in = book.block_of("Requested", opened.lock_id)
        accepted_in = book.block_of("Accepted", opened.lock_id)
    except DmsmError as error:
        return not_asked("as_of_block", error)
    detail = f"block {as_of}; asked in block {asked_in}, accepted in block {accepted_in}"
    return Finding("as_of_block", asked_in <= as_of <= accepted_in, detail)


def check_coverage(
    rebuilt: Sequence[RebuiltDevice],
    opened: OpenedAnswer,
    asked: AskedRequest,
    gateway: ChainGateway,
    index: ChainIndex,
) -> Finding:
    """Look for what is left out before, in and behind the readings, device by device."""
    problems = [problem for one in rebuilt for problem in _gaps(one, asked)]
    try:
        for one in rebuilt:
            problems += _left_out_behind(one, opened.answer.as_of_block, gateway, index)
    except DmsmError as error:
        if not problems:
            return not_asked("coverage", error)
    return Finding("coverage", not problems, "; ".join(problems) or "no reading left out")


def _gaps(one: RebuiltDevice, asked: AskedRequest) -> list[str]:
    start, end = whole_utc_days((asked.window_from, asked.window_to))
    first, last = one.first_seq, one.next_seq - 1
    problems = []
    if any(not start <= reading.time_s < end for reading in one.readings):
        problems.append(f"{one.device}: readings outside the window")
    if one.opening is None and first != 1:
        problems.append(f"{one.device}: readings before seq {first} are left out")
    if one.opening is not None and one.opening.seq != first - 1:
        problems.append(f"{one.device}: the opening reading is not the one before seq {first}")
    if one.opening is not None and one.opening.time_s >= start:
        problems.append(f"{one.device}: the opening reading lies in the window")
    if one.closing is not None and one.closing.seq != last + 1:
        problems.append(f"{one.device}: the closing reading is not the one after seq {last}")
    if one.closing is not None and one.closing.time_s < end:
        problems.append(f"{one.device}: seq {one.closing.seq} lies in the window and is left out")
    return problems


def _left_out_behind(
    one: RebuiltDevice, as_of_block: int, gateway: ChainGateway, index: ChainIndex
) -> list[str]:
    """Without a closing reading nothing may be anchored behind the last one: it might lie in the
    window. The ledger says whether anything is, the tables in which block.
    """
    if one.closing is not None:
        return []
    seq = one.next_seq
    if gateway.call("DataLedger", "nextSeqOf", one.device) <= seq:
        return []
    newest = index.follower.catch_up()
    found = ledger.batches_over(index, one.device, newest, from_seq=seq, to_seq=seq + 1)
    if not found:
        raise NotOnChain(f"the index knows no batch of {one.device} with seq {seq} (yet)")
    block = found[0]["block"]
    if block > as_of_block:
        return []
    return [
        f"{one.device}: the batch from seq {seq}, anchored in block {block}, is left out"
        f" (the answer speaks as of block {as_of_block})"
    ]
