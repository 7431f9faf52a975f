"""Who owns the rows of a data set, and whether they let it be sold: what its owners' list says, and
consents as of the sale (protocol §2.5).
"""

from __future__ import annotations

from collections.abc import Sequence

from offchain.audit.findings import Finding, not_asked
from offchain.audit.opened_data_set import OpenedDataSet
from offchain.chain.gateway import ChainGateway
from offchain.errors import DmsmError, RecordError
from offchain.index.asked import locks as asked_locks
from offchain.index.asked.rows import LogPlace
from offchain.index.chain_index import ChainIndex
from offchain.member.consent import lacking_consent_as_of
from offchain.member.errors import NotOnChain
from offchain.records import owners
from offchain.records.ciphertexts import CiphertextFile
from offchain.records.owners import OwnedRows
from offchain.storage import Cid

_MOST_NAMED = 5


def owners_root(opened: OpenedDataSet, file: CiphertextFile) -> Finding:
    """Compare the owners' list, its root and its digest with the rows that were sold."""
    published = opened.published
    true = [OwnedRows(one.device, one.rows) for one in file.devices]
    said = (published.device_count, published.owners_root, published.owners_digest)
    digest = Cid.of_object(owners.encode(true)).digest
    names = ("device count", "owners' root", "digest of the owners' list")
    pairs = zip(names, said, (len(true), owners.root(true), digest), strict=True)
    wrong = [name for name, published_one, own in pairs if published_one != own]
    if not wrong:
        homes = f"{len(true)} devices and {sum(one.rows for one in true)} rows"
        return Finding("owners_root", True, f"the owners' list is that of the rows: {homes}")
    why = f"{' and '.join(wrong)} are not those of the rows"
    return Finding("owners_root", False, f"{why}; {_differences(opened.owners_file, true)}")


def _differences(data: bytes | None, true: Sequence[OwnedRows]) -> str:
    """Name what a published list says and the rows do not, or the other way round."""
    if data is None:
        return "nobody serves the list that was published"
    try:
        listed = {one.device: one.rows for one in owners.decode(data)}
    except RecordError as error:
        return f"the list that was published is none: {error}"
    rows = {one.device: one.rows for one in true}
    found = [f"{one} has no row" for one in listed if one not in rows]
    found += [f"{one} is missing" for one in rows if one not in listed]
    both = [one for one in listed if one in rows and listed[one] != rows[one]]
    found += [f"{one} has {rows[one]} rows, not {listed[one]}" for one in both]
    if not found:
        return "the list that was published is that of the rows"
    more = f", and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
    return ", ".join(found[:_MOST_NAMED]) + more


def consent_stood(
    opened: OpenedDataSet, *, gateway: ChainGateway, index: ChainIndex, lock_id: bytes | None
) -> Finding:
    """Compare the devices with the consents that stood when the lock was selected; without a lock,
    when the data set was published.
    """
    devices = [one.packed.device for one in opened.companion.devices]
    try:
        index.follower.catch_up()
        place = _published_at(opened) if lock_id is None else _selected_at(index, lock_id)
        at_s = gateway.block(place.block).timestamp
        lacking = lacking_consent_as_of(index, devices, place, at_s=at_s)
    except DmsmError as error:
        return not_asked("consent_stood", error)
    when = "published; this is no sale" if lock_id is None else "selected"
    named = "; ".join(f"{device}: {reason}" for device, reason in lacking.items())
    detail = f"when it was {when}: {named}" if lacking else f"of {len(devices)} devices when {when}"
    return Finding("consent_stood", not lacking, detail)


def _selected_at(index: ChainIndex, lock_id: bytes) -> LogPlace:
    told = asked_locks.lock(index, lock_id, index.final())
    if told is None:
        raise NotOnChain(f"the tables have no lock {lock_id.hex()} (yet)")
    return LogPlace(told["began_block"], told["began_log"])


def _published_at(opened: OpenedDataSet) -> LogPlace:
    """Return the place before the block of the publication: its sender saw no more."""
    return LogPlace(opened.published.place.block, 0)
