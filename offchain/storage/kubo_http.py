"""What ipfshttpclient lacks of Kubo's RPC: archives in and out, and the removal of a block."""

import json
import secrets
from collections.abc import Iterable, Iterator

import requests
from ipfshttpclient import exceptions as ipfs

from offchain.storage.car import Block, read_car, write_car
from offchain.storage.errors import ObjectCorrupt, PinMissing, StoreUnavailable
from offchain.storage.group import Group

_READ_BYTES = 256 * 1024
_GLANCE_S = 2.0
ROTTEN = "different hash than requested"  # what a daemon says of a block that is not its hash's
_BYTES_A_SECOND = 1024 * 1024  # at least so many does a daemon write; it answers at the end only


class KuboHttp:
    """Plain HTTP to the daemon whose RPC is at `url`."""

    def __init__(self, url: str, *, timeout_s: float) -> None:
        """Prepare; nothing is asked yet."""
        self._url = url.rstrip("/") + "/api/v0"
        self._timeout_s = timeout_s
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy has no business between a node and its store

    def is_up(self) -> bool:
        """Ask for the version, once and not for long."""
        try:
            return self._session.post(f"{self._url}/version", timeout=_GLANCE_S).ok
        except requests.RequestException:
            return False

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def remove(self, cid: str) -> None:
        """Remove a block at once, unless something pins it. Raises as `put_group`."""
        answer = self._session.post(
            f"{self._url}/block/rm", params={"arg": cid, "force": "true"}, timeout=self._timeout_s
        )
        _require_ok(answer)
        for line in answer.text.splitlines():
            if error := json.loads(line).get("Error"):
                raise ipfs.ErrorResponse(f"{cid} cannot be removed: {error}", None)

    def put_group(self, group: Group, blocks: Iterable[Block], *, size: int) -> None:
        """Import the blocks and the group's tree, and pin its root, as one step for the daemon:
        it collects no garbage from the first block to the pin. `size`: bytes, about.

        Raises PinMissing, ObjectCorrupt, ipfs.ErrorResponse, requests.RequestException.
        """
        boundary = secrets.token_hex(16)
        answer = self._session.post(
            f"{self._url}/dag/import",
            params={"pin-roots": "true", "silent": "false"},
            data=_form(write_car(group.root, (*blocks, *group.nodes)), boundary),
            headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
            timeout=(self._timeout_s, self._timeout_s + size / _BYTES_A_SECOND),
        )
        _require_ok(answer)
        _require_pinned(answer.text, group.root_cid)

    def blocks_of(self, group: Group) -> Iterator[Block]:
        """Yield the blocks that the daemon itself has below a root, each held against its link.

        It ends early where one is missing. Raises ObjectCorrupt, ipfs.ErrorResponse,
        requests.RequestException.
        """
        answer = self._session.post(
            f"{self._url}/dag/export",
            params={"arg": group.root_cid, "offline": "true", "progress": "false"},
            stream=True,
            timeout=self._timeout_s,
        )
        with answer:
            _require_ok(answer)
            yield from read_car(answer.iter_content(_READ_BYTES))


def _form(pieces: Iterable[bytes], boundary: str) -> Iterator[bytes]:
    head = 'Content-Disposition: form-data; name="file"; filename="group.car"'
    yield f"--{boundary}\r\n{head}\r\nContent-Type: application/vnd.ipld.car\r\n\r\n".encode()
    yield from pieces
    yield f"\r\n--{boundary}--\r\n".encode()


def _require_ok(answer: requests.Response) -> None:
    if answer.ok:
        return
    if answer.status_code != 500:  # 500 is how the daemon says no; all else is on the way to it
        answer.raise_for_status()
    try:
        message = str(answer.json()["Message"])
    except (ValueError, KeyError, TypeError):
        message = answer.text[:200]
    raise ipfs.ErrorResponse(message, None)


def _require_pinned(text: str, root_cid: str) -> None:
    """Find the root among the answer's lines; a failure half way is no HTTP status."""
    said = "nothing of its root"
    for line in text.splitlines():
        try:
            root = json.loads(line)["Root"]
            name, said = root["Cid"]["/"], root.get("PinErrorMsg") or ""
        except (ValueError, KeyError, TypeError):
            raise StoreUnavailable(f"an import ended with {line[:200]!r}") from None
        if name == root_cid and not said:
            return
    if ROTTEN in said:
        raise ObjectCorrupt(f"the daemon has another block of {root_cid} on its disk: {said}")
    raise PinMissing(f"the archive of {root_cid} was imported and not pinned: {said}")
