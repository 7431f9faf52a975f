"""Fetch announcements and openings from a node's notice board, and hand openings in.

Nothing that comes from there is believed here: `AggregateBook` and `combine_openings` check it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx

from offchain.errors import FormatError, StorageError
from offchain.member.errors import AggregateInvalid, MemberError
from offchain.records import aggregate_opening, aggregate_set, canonical_json, fields
from offchain.records.aggregate_opening import MemberOpening
from offchain.records.aggregate_set import Announcement
from offchain.storage import ContentStore

_TIMEOUT_S = 60.0
_MAX_LIST_BYTES = 2**20
_MAX_LISTED = 4_096


class AggregateBoard:
    """A node's notice board at a base URL. Raises MemberError when it does not answer."""

    def __init__(self, node_url: str) -> None:
        self._url = f"{node_url.rstrip('/')}/v1/aggregates"
        # A proxy of the environment is not for this machine.
        self._is_local = urlsplit(node_url).hostname in ("127.0.0.1", "localhost", "::1")

    def announcements(self) -> list[Announcement]:
        """Return what the node announces, by window; signatures are not checked here."""
        value = self._list(self._url, "announcements")
        limit = aggregate_set.MAX_ANNOUNCEMENT_BYTES
        texts = (fields.from_base64(one, "an announcement", max_bytes=limit) for one in value)
        return [aggregate_set.decode_announcement(text) for text in texts]

    def announcement(self, set_digest: bytes) -> Announcement:
        """Return the announcement of a set. Raises AggregateInvalid when there is none."""
        for one in self.announcements():
            if one.set_digest == set_digest:
                return one
        raise AggregateInvalid(f"{self._url} announces no set {set_digest.hex()}")

    def openings(self, set_digest: bytes, store: ContentStore) -> list[MemberOpening]:
        """Return the openings of a set, out of the content store; what is not readable is left
        out.
        """
        digests = self._list(f"{self._url}/{set_digest.hex()}/openings", "openings")
        found = []
        for text in digests:
            digest = fields.from_hex(text, "an opening's digest", length=32)
            try:
                data = store.get(digest, max_bytes=aggregate_opening.MAX_OPENING_BYTES)
                found.append(aggregate_opening.decode_member_opening(data))
            except (StorageError, FormatError):
                continue  # one opening less; t others do
        return found

    def hand_in(self, opening: MemberOpening) -> bytes:
        """Hand an own opening in; return its content digest. Raises MemberError."""
        data = aggregate_opening.encode_member_opening(opening)
        with self._client() as client:
            answer = client.post(f"{self._url}/openings", content=data)
        if not answer.is_success:
            raise MemberError(f"{self._url} refused the opening: {answer.text[:300]}")
        value = fields.members(_parsed(answer), "digest", what="the node's answer")
        return fields.from_hex(value["digest"], "digest", length=32)

    def _list(self, url: str, name: str) -> list[object]:
        with self._client() as client:
            answer = client.get(url)
        if not answer.is_success:
            raise MemberError(f"{url} answers {answer.status_code}: {answer.text[:300]}")
        value = fields.members(_parsed(answer), name, what="the node's answer")
        return fields.sequence(value[name], name, max_items=_MAX_LISTED)

    @contextmanager
    def _client(self) -> Iterator[httpx.Client]:
        try:
            with httpx.Client(timeout=_TIMEOUT_S, trust_env=not self._is_local) as client:
                yield client
        except httpx.HTTPError as error:
            raise MemberError(f"{self._url} does not answer: {error}") from error


def _parsed(answer: httpx.Response) -> object:
    return canonical_json.parse(answer.content, max_bytes=_MAX_LIST_BYTES)
