"""The content store on a Kubo (IPFS) daemon, through ipfshttpclient.

``ipfshttpclient.connect()`` refuses any daemon since 0.8; ``Client(address)`` does not ask for the
version and works with Kubo 0.42. Blocks carry no links that Kubo could follow, so a block that is
put alone is pinned by itself; what is put together goes in as one CAR and is kept by one pin on the
group's root (docs/decisions/020-a-data-set-is-one-car.md).
"""

import io
import ipaddress
from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import urlsplit

import ipfshttpclient
import requests
from ipfshttpclient import exceptions as ipfs
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from offchain.storage.blocks import INDEX_TAG
from offchain.storage.cid import Cid
from offchain.storage.errors import ObjectCorrupt, ObjectNotFound, PinMissing, StoreUnavailable
from offchain.storage.group import Group, group_of, raw_link
from offchain.storage.kubo_http import ROTTEN, KuboHttp
from offchain.storage.objects import (
    BlockBackedStore,
    Condition,
    blocks_of_group,
    blocks_of_object,
)

_ADD = {"cid-version": "1", "raw-leaves": "true", "pin": "true", "chunker": "size-262144"}
_PUT_BLOCK = {"cid-codec": "raw", "mhtype": "sha2-256", "pin": "true"}
_ATTEMPTS = 4
_TRANSPORT = (
    ipfs.ConnectionError,
    ipfs.ProtocolError,
    ipfs.TimeoutError,
    requests.RequestException,
)
_ABSENT = ("not found", "could not find", "deadline exceeded", "not pinned")

T = TypeVar("T")


class KuboStore(BlockBackedStore):
    """Keep blocks in the Kubo daemon whose RPC listens at `url`; `get` may fetch from its peers."""

    def __init__(self, url: str, *, timeout_s: float = 10.0) -> None:
        """Open ``http://host:port``; `timeout_s` bounds a search among peers and a silent daemon.

        Raises StoreUnavailable when `url` has another form. The first call asks the daemon first.
        """
        self.url = url
        self._search_timeout = f"{timeout_s}s"
        self._client = ipfshttpclient.Client(
            _multiaddress(url), timeout=timeout_s + 5, session=True
        )
        self._http = KuboHttp(url, timeout_s=timeout_s + 5)

    def is_up(self) -> bool:
        """Tell within seconds whether the daemon answers."""
        return self._http.is_up()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
        self._http.close()

    def put_all(self, objects: Sequence[bytes], *, lasting: bool = False) -> list[Cid]:
        """Import the objects as one CAR under one pin, and read all of it back."""
        listed = [blocks_of_object(data) for data in objects]
        blocks = blocks_of_group(listed)
        if not blocks:
            return []
        group = group_of(list(blocks))
        size = sum(map(len, blocks.values()))
        self._ask(
            lambda: self._http.put_group(
                group, ((raw_link(cid), data) for cid, data in blocks.items()), size=size
            )
        )
        if missing := self._not_kept(group, list(blocks)):
            raise PinMissing(f"{missing} of {len(blocks)} blocks are gone again; put them again")
        return [Cid.of_block(one[-1]) for one in listed]

    def examine(self, *cids: str | bytes) -> dict[Cid, Condition]:
        """Return which objects are not in order; what is under one root is asked for at once."""
        named = [Cid.of(cid) for cid in cids]
        blocks = self._group_blocks(named)
        try:
            if len(blocks) > 1 and not self._not_kept(group_of(blocks), blocks):
                return {}
        except ObjectCorrupt:
            pass  # which block it is, is found below
        return super().examine(*named)

    def _let_go(self, blocks: Sequence[Cid]) -> None:
        if len(blocks) > 1:
            root_cid = group_of(blocks).root_cid
            self._is_there(lambda: self._client.pin.rm(root_cid))
        super()._let_go(blocks)

    def _not_kept(self, group: Group, blocks: Sequence[Cid]) -> int:
        """Count the blocks that this daemon does not hold under the group's pin."""
        if not self._has_pin(group.root_cid, "recursive"):
            return len(blocks)
        there = self._ask(lambda: {link for link, _ in self._http.blocks_of(group)})
        return sum(raw_link(cid) not in there for cid in blocks)

    def _write_block(self, cid: Cid, data: bytes) -> None:
        # `add` speaks of files, `block put` of blocks; for one block both give the raw CID.
        if data.startswith(INDEX_TAG) or not data:
            answer = self._ask(lambda: self._client.block.put(io.BytesIO(data), opts=_PUT_BLOCK))[
                "Key"
            ]
        else:
            answer = self._ask(lambda: self._client.add_bytes(data, opts=_ADD))
        if answer != cid:
            raise ObjectCorrupt(
                f"Kubo says {answer}, the bytes give {cid}; check the daemon's import settings"
            )

    def _read_block(self, cid: Cid, max_bytes: int) -> bytes:
        def read() -> bytes:
            received = bytearray()
            options = {"length": str(max_bytes + 1), "timeout": self._search_timeout}
            with self._client.cat(cid, stream=True, opts=options) as chunks:
                for chunk in chunks:
                    received += chunk
                    if len(received) > max_bytes:  # also when the daemon ignores the length
                        break
            return bytes(received[: max_bytes + 1])

        try:
            return self._ask(read)
        except ObjectCorrupt as error:
            raise ObjectCorrupt(f"{cid}: {error}") from error

    def _has_block(self, cid: Cid) -> bool:
        try:
            return self._is_there(lambda: self._client.block.stat(cid, offline=True))
        except ObjectCorrupt:  # it is there, such as it is
            return True

    def _is_block_pinned(self, cid: Cid) -> bool:
        # Indirect ones are looked for last: for them Kubo walks every pin.
        return self._has_pin(cid, "recursive") or self._has_pin(cid, "indirect")

    def _has_pin(self, cid: str, kind: str) -> bool:
        return self._is_there(lambda: self._client.pin.ls(cid, type=kind))

    def _unpin_block(self, cid: Cid) -> None:
        self._is_there(lambda: self._client.pin.rm(cid))

    def _remove_block(self, cid: Cid) -> None:
        self._ask(lambda: self._http.remove(cid))

    def _is_there(self, question: Callable[[], object]) -> bool:
        try:
            self._ask(question)
        except ObjectNotFound:
            return False
        return True

    def _ask(self, question: Callable[[], T]) -> T:
        """Ask the daemon; repeat what failed on the way, name what it refused."""
        patient = Retrying(
            retry=retry_if_exception_type(_TRANSPORT),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.05, max=1),
            reraise=True,
        )
        try:
            return patient(question)
        except ipfs.ErrorResponse as error:
            if any(words in str(error) for words in _ABSENT):
                raise ObjectNotFound(f"Kubo at {self.url}: {error}") from error
            if ROTTEN in str(error):
                raise ObjectCorrupt(f"Kubo at {self.url}: {error}") from error
            raise StoreUnavailable(f"Kubo at {self.url} refused: {error}") from error
        except (*_TRANSPORT, ipfs.Error) as error:
            raise StoreUnavailable(
                f"Kubo at {self.url} does not answer ({error}); is `ipfs daemon` running there?"
            ) from error


def _multiaddress(url: str) -> str:
    """Return the libp2p address of an RPC endpoint given as ``http(s)://host:port``."""
    parts = urlsplit(url)
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or not parts.port
        or parts.path.strip("/")
    ):
        raise StoreUnavailable(f"not a Kubo RPC address: {url!r}; write http://host:port")
    try:
        kind = f"ip{ipaddress.ip_address(parts.hostname).version}"
    except ValueError:
        kind = "dns"
    return f"/{kind}/{parts.hostname}/tcp/{parts.port}/{parts.scheme}"
