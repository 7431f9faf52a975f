"""Several stores as one: each object lies on this machine and, by and by, in every store.

`put` is done when enough stores have shown the object back; the others are owed it and get it
later. `get` takes from whoever has it and believes nobody: what does not fit its identifier is
refused, and the next one is asked.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

from offchain.storage.cid import Cid
from offchain.storage.directory import DirectoryStore
from offchain.storage.errors import (
    CopiesMissing,
    ObjectCorrupt,
    ObjectMalformed,
    ObjectNotFound,
    ObjectTooLarge,
    PinMissing,
    StorageError,
    StoreUnavailable,
)
from offchain.storage.group import group_of
from offchain.storage.kept import KeptParcels, Owed, Parcel
from offchain.storage.objects import BlockBackedStore

_log = logging.getLogger(__name__)

GRACE_S = 600
HERE = "this machine"


class CopiedStore:
    """A ContentStore over several, each known by its address."""

    def __init__(
        self,
        stores: Mapping[str, BlockBackedStore],
        folder: Path,
        *,
        copies: int,
        keep_s: int,
        grace_s: int = GRACE_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Open the copies on this machine in `folder`; `stores` in the order in which they are
        asked. Raises StoreError where the list of what is kept fails, as all methods do.

        copies: how many stores `put` waits for. keep_s: how long what is not lasting is kept after
        it was put. grace_s: a store that has not answered for so long is waited for no more.
        """
        self.stores = dict(stores)
        self.here = DirectoryStore(folder / "objects")
        self.kept = KeptParcels(folder / "kept.sqlite")
        self._copies, self._keep_s, self._grace_s = copies, keep_s, grace_s
        self._clock = clock
        self._pool = ThreadPoolExecutor(max_workers=len(self.stores))

    def now(self) -> int:
        """Return the time by this machine's clock (unix time)."""
        return int(self._clock())

    def close(self) -> None:
        """Close the stores and the list, when what is under way is done."""
        self._pool.shutdown()
        for store in self.stores.values():
            store.close()
        self.kept.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    # ---- in

    def stage(self, objects: Sequence[bytes]) -> list[Cid]:
        """Make objects durable on this machine, and nothing else; see ContentStore."""
        return self.here.put_all(objects)

    def put(self, data: bytes, *, lasting: bool = False) -> Cid:
        """Keep an object in the stores; see ContentStore. Raises CopiesMissing, too."""
        return self.put_all([data], lasting=lasting)[0]

    def put_all(self, objects: Sequence[bytes], *, lasting: bool = False) -> list[Cid]:
        """Keep objects in the stores, as one parcel; see ContentStore. Raises CopiesMissing, too.

        After an error it is kept here all the same and sent again by `pay_owed`.
        """
        if not objects:
            return []
        cids, now = self.stage(objects), self.now()
        name = parcel_name(cids)

        def send(url: str) -> str | None:
            return self._send(name, url, objects)

        lengths = [len(data) for data in objects]
        self.kept.note(
            name,
            list(zip(cids, lengths, strict=True)),
            now=now,
            keep_until=None if lasting else now + self._keep_s,
            urls=list(self.stores),
        )
        # All at once: what a put takes is the slowest store's time, not everybody's sum.
        reasons = dict(zip(self.stores, self._pool.map(send, self.stores), strict=True))
        self.kept.settle(name, [url for url, why in reasons.items() if not why])
        self._require_enough(name, {url: why for url, why in reasons.items() if why})
        return cids

    def pay_owed(self, *, at_once: bool = False) -> list[Owed]:
        """Send the stores that answer what they are owed; return what is owed still.

        What a store did not keep when it was sent is sent again after growing pauses, or `at_once`.
        """
        for one in self.kept.owed(urls=list(self.stores), due_at=None if at_once else self.now()):
            if self.is_paused(one.url) or (parcel := self.kept.parcel(one.name)) is None:
                continue
            try:
                objects = self.objects_of(parcel)
            except StorageError as error:
                self._owe(one.name, one.url, f"nobody has it to send: {error}", is_refused=True)
                continue
            if self._send(one.name, one.url, objects) is None:
                self.kept.settle(one.name, [one.url])
                _log.info("%s now has %s, which it was owed", one.url, one.name)
        return self.kept.owed(urls=list(self.stores))

    def objects_of(self, parcel: Parcel) -> list[bytes]:
        """Return a parcel's objects, from here or any store. Raises as `get`."""
        pairs = zip(parcel.cids, parcel.lengths, strict=True)
        return [self.get(cid, max_bytes=length) for cid, length in pairs]

    # ---- out

    def get(self, cid: str | bytes, *, max_bytes: int) -> bytes:
        """Return an object from the first that has its true bytes; see ContentStore.

        All are asked for what they have themselves before any of them searches among its peers.
        """
        cid, failures = Cid.of(cid), list[StorageError]()
        searching: dict[str, BlockBackedStore] = {}
        for url, store in {HERE: self.here, **self.stores}.items():
            if self.is_paused(url):
                failures += [] if self._is_lost(url) else [StoreUnavailable(self._silence(url))]
                continue
            try:
                return store.get_here(cid, max_bytes=max_bytes)
            except ObjectNotFound:
                searching[url] = store
            except ObjectMalformed:
                raise  # the true bytes: nobody has better ones
            except StorageError as error:
                failures.append(self._noted(url, error))
        for url, store in searching.items():
            try:
                return store.get(cid, max_bytes=max_bytes)
            except ObjectMalformed:
                raise
            except StorageError as error:
                failures.append(self._noted(url, error))
        raise _worst(cid, failures)

    def has(self, cid: str | bytes) -> bool:
        """Tell whether the object is here or in a store that answers; see ContentStore."""
        return any(self._ask(store.has, cid) for store in (self.here, *self.stores.values()))

    def is_pinned(self, cid: str | bytes) -> bool:
        """Tell whether as many stores as `put` waits for hold the object; see ContentStore."""
        held = sum(self._ask(store.is_pinned, cid) for store in self.stores.values())
        return held >= min(self._copies, len(self.stores))

    # ---- letting go

    def unpin(self, *cids: str | bytes) -> None:
        """Let a parcel go, everywhere; see ContentStore. A store that is down keeps it."""
        named = [Cid.of(cid) for cid in cids]
        self.release(named)
        self.kept.forget(parcel_name(named))
        self.drop_here(named)

    def release(self, cids: Sequence[Cid]) -> None:
        """Unpin a parcel in the stores that answer; what other parcels share is owed them anew."""
        for url, store in self.stores.items():
            try:
                store.unpin(*cids)
            except StorageError as error:
                _log.warning("%s keeps %s: %s", url, parcel_name(cids), error)
                continue
            for other in self.kept.sharing(parcel_name(cids), cids):
                self._owe(other.name, url, "a parcel with the same object was let go")

    def drop_here(self, cids: Sequence[Cid]) -> None:
        """Remove the copies on this machine of what no parcel names any more."""
        sharing = self.kept.sharing(parcel_name(cids), cids)
        shared = {cid for other in sharing for cid in other.cids}
        self.here.unpin(*(cid for cid in cids if cid not in shared))

    # ---- stores that fail

    def is_paused(self, url: str) -> bool:
        """Tell whether a store did not answer and is not asked yet, or not in earnest: one that was
        down must say first that it is back.
        """
        if self.kept.down_since(url) is None:
            return False
        if self.now() < self.kept.retry_at(url):
            return True
        if self.stores[url].is_up():
            return False
        self.kept.set_down(url, now=self.now())
        return True

    def _is_lost(self, url: str) -> bool:
        since = self.kept.down_since(url)
        return since is not None and self.now() - since >= self._grace_s

    def _silence(self, url: str) -> str:
        since = self.kept.down_since(url)
        return f"{url} has not answered for {self.now() - (since or self.now())} s"

    def _send(self, name: str, url: str, objects: Sequence[bytes]) -> str | None:
        """Send a parcel to a store; return why it does not have it, or None."""
        if self.is_paused(url):
            return self._owe(name, url, self._silence(url))
        store = self.stores[url]
        try:
            try:
                _put(store, objects)
            except (ObjectCorrupt, PinMissing) as error:
                _log.warning("%s: %s; what is damaged there is put anew", url, error)
                store.renew(objects)
        except StorageError as error:
            is_refused = not isinstance(error, StoreUnavailable)
            return self._owe(name, url, str(self._noted(url, error)), is_refused=is_refused)
        if self.kept.down_since(url) is not None:
            self.kept.set_up(url)
        return None

    def _owe(self, name: str, url: str, reason: str, *, is_refused: bool = False) -> str:
        self.kept.owe(name, url, now=self.now(), reason=reason, is_refused=is_refused)
        return reason

    def _noted(self, url: str, error: StorageError) -> StorageError:
        if isinstance(error, StoreUnavailable) and url in self.stores:
            self.kept.set_down(url, now=self.now())
            _log.warning("%s", error)
        elif isinstance(error, ObjectCorrupt):
            _log.warning("%s served wrong bytes: %s", url, error)
        return error

    def _ask(self, question: Callable[[str | bytes], bool], cid: str | bytes) -> bool:
        try:
            return question(cid)
        except StorageError as error:
            _log.warning("%s", error)
            return False

    def _require_enough(self, name: str, missing: Mapping[str, str]) -> None:
        done = len(self.stores) - len(missing)
        waited_for = sum(not self._is_lost(url) for url in self.stores)
        needed = max(1, min(self._copies, waited_for))
        why = "; ".join(f"{url}: {reason}" for url, reason in missing.items())
        if done < needed:
            raise CopiesMissing(
                f"{done} of the {needed} stores that must have {name} have it ({why}); it is kept "
                f"here and sent again; a store silent for {self._grace_s} s is waited for no more"
            )
        if done < min(self._copies, len(self.stores)):
            _log.warning("only %d of %d copies of %s for now (%s)", done, self._copies, name, why)


def parcel_name(cids: Sequence[Cid]) -> str:
    """Return the name of what is put together: one object's CID, or that of a list of them."""
    return str(cids[0]) if len(cids) == 1 else group_of(cids).root_cid


def _put(store: BlockBackedStore, objects: Sequence[bytes]) -> None:
    if len(objects) == 1:
        store.put(objects[0])
    else:
        store.put_all(objects)


def _worst(cid: Cid, failures: Sequence[StorageError]) -> StorageError:
    """Return what to raise when nobody gave the object: what may yet change comes first."""
    for kind in (StoreUnavailable, ObjectCorrupt, ObjectTooLarge):
        found = [error for error in failures if isinstance(error, kind)]
        if found:
            return kind("; ".join(map(str, found)))
    return ObjectNotFound(f"{cid} is neither here nor in a store that answers")
