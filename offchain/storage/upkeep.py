"""The daily look: is everything that shall be kept still there, sound and pinned, in each store?

What is missing is put again from this machine's copy or from another store. What need not be kept
any longer is let go.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from offchain.storage.copies import HERE, CopiedStore
from offchain.storage.errors import StorageError, StoreUnavailable

_log = logging.getLogger(__name__)

DAY_S = 86_400
_FORGET_S = 7 * DAY_S


@dataclass(frozen=True, slots=True)
class Finding:
    """An object that was not in order at a store, and whether it is now."""

    url: str
    cid: str
    what: str
    is_mended: bool


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What a look found. `silent` are the stores that did not answer."""

    parcels: int
    objects: int
    findings: tuple[Finding, ...]
    silent: tuple[str, ...]
    let_go: int
    owed: int

    @property
    def is_whole(self) -> bool:
        """Tell whether every store has everything now."""
        return not self.owed and not self.silent and all(one.is_mended for one in self.findings)


def due_stores(store: CopiedStore) -> list[str]:
    """Return the stores that were last looked through more than a day ago and may be asked."""
    before = store.now() - DAY_S
    return [
        url
        for url in store.stores
        if store.kept.audited_at(url) < before and not store.is_paused(url)
    ]


def look_after(store: CopiedStore, urls: Sequence[str] | None = None) -> Upkeep:
    """Read everything that shall be kept at each store (of `urls`), and mend what is not in order.

    Needs no chain. Idempotent; may run beside anything else that works with the stores.
    """
    let_go = _let_expired_go(store)
    _mend_here(store)
    found, silent = _look(store, list(store.stores) if urls is None else urls)
    owed = store.pay_owed(at_once=True)
    open_still = {(one.name, one.url) for one in owed}
    findings = tuple(
        Finding(url, cid, what, (name, url) not in open_still) for name, url, cid, what in found
    )
    for one in findings:
        after = "put again" if one.is_mended else "not put again yet"
        _log.warning("%s at %s was %s: %s", one.cid, one.url, one.what, after)
    parcels = store.kept.parcels()
    _sweep(store)
    return Upkeep(
        parcels=len(parcels),
        objects=sum(len(one.cids) for one in parcels),
        findings=findings,
        silent=tuple(silent),
        let_go=let_go,
        owed=len(owed),
    )


def _look(
    store: CopiedStore, urls: Sequence[str]
) -> tuple[list[tuple[str, str, str, str]], list[str]]:
    """Return (parcel, store, object, what is wrong) of all that is not in order, and who is silent.

    Each is noted as owed before the next is looked at; what is owed already is passed over.
    """
    found, silent = [], []
    for url in urls:
        owed = {one.name for one in store.kept.owed(urls=[url])}
        try:
            if not store.stores[url].is_up():
                raise StoreUnavailable(f"{url} does not answer")
            for parcel in store.kept.parcels():
                if parcel.name in owed:
                    continue
                for cid, condition in store.stores[url].examine(*parcel.cids).items():
                    store.kept.owe(parcel.name, url, now=store.now(), reason=str(condition))
                    found.append((parcel.name, url, str(cid), str(condition)))
        except StoreUnavailable as error:
            _log.warning("%s", error)
            store.kept.set_down(url, now=store.now())
            silent.append(url)
        else:
            store.kept.set_up(url)
            store.kept.set_audited(url, now=store.now())
    return found, silent


def _mend_here(store: CopiedStore) -> None:
    """Bring this machine's own copies in order, as far as a store has them."""
    for parcel in store.kept.parcels():
        if not store.here.examine(*parcel.cids):
            continue
        try:
            store.here.renew(store.objects_of(parcel))
        except StorageError as error:
            _log.error("%s of %s cannot be had from anybody: %s", parcel.name, HERE, error)


def _let_expired_go(store: CopiedStore) -> int:
    """Unpin what was kept long enough; return how many parcels."""
    now, gone = store.now(), 0
    for parcel in store.kept.parcels():
        if parcel.keep_until is None or parcel.keep_until > now:
            continue
        store.release(parcel.cids)
        if store.kept.forget(parcel.name, expired_at=now):
            store.drop_here(parcel.cids)
            gone += 1
        else:  # put again meanwhile
            for url in store.stores:
                store.kept.owe(parcel.name, url, now=now, reason="it was let go and put again")
    return gone


def _sweep(store: CopiedStore) -> None:
    """Remove what was staged a week ago and never put: a crash came between."""
    named = {cid for parcel in store.kept.parcels() for cid in parcel.cids}
    needed = {block for cid in named for block in store.here.blocks_of(cid)}
    store.here.remove_older(time.time() - _FORGET_S, keep=needed)
