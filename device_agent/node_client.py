"""The processing node as the agent sees it: HTTP with JSON (docs/formats.md §8)."""

from dataclasses import dataclass
from typing import Any

import httpx

from device_agent.errors import NodeRefused, NodeUnreachable
from offchain.errors import FormatError
from offchain.records import canonical_json, fields
from offchain.records.envelope import BatchNotice, DayKeys, Envelopes, SealedReport
from offchain.types import Account

_MAX_ANSWER_BYTES = 1_048_576
_MAX_KEY_BYTES = 1_024
_MAX_DAYS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldByNode:
    """What the node holds durably of a device."""

    next_seq: int
    days: frozenset[int]
    next_batch_seq: int


class NodeClient:
    """One node. Each call raises NodeUnreachable (worth another try) or NodeRefused (not)."""

    def __init__(self, url: str, *, timeout_s: float = 30.0) -> None:
        self._http = httpx.Client(base_url=url, timeout=timeout_s, trust_env=False)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def send_day(self, keys: DayKeys) -> None:
        """Deliver the sealed keys of a day."""
        self._post("/v1/days", keys.to_json())

    def send_readings(self, envelopes: Envelopes) -> int:
        """Deliver envelopes; return the seq that the node wants next."""
        answer = self._post("/v1/readings", envelopes.to_json())
        return _integer(answer, "next_seq")

    def send_batch(self, notice: BatchNotice) -> None:
        """Deliver an anchored batch and its BLS signature."""
        self._post("/v1/batches", notice.to_json())

    def keep_report(self, report: SealedReport) -> bytes:
        """Have a sealed report kept; return the digest it is kept under."""
        answer = self._post("/v1/reports", report.to_json())
        try:
            return fields.from_hex(answer.get("digest"), "digest", length=32)
        except FormatError as error:
            raise NodeUnreachable(f"the node answers nonsense: {error}") from error

    def held(self, device: Account) -> HeldByNode:
        """Ask what the node holds of a device."""
        answer = self._answer("GET", f"/v1/devices/{device}")
        try:
            days = fields.sequence(answer.get("days"), "days", max_items=_MAX_DAYS)
            return HeldByNode(
                next_seq=_integer(answer, "next_seq"),
                days=frozenset(fields.integer(day, "a day") for day in days),
                next_batch_seq=_integer(answer, "next_batch_seq"),
            )
        except FormatError as error:
            raise NodeUnreachable(f"the node answers nonsense: {error}") from error

    def paillier_key(self, member: Account) -> bytes:
        """Fetch the bytes of a member's Paillier key; whoever asks checks them."""
        answer = self._answer("GET", f"/v1/paillier/{member}")
        try:
            return fields.from_base64(answer.get("key"), "key", max_bytes=_MAX_KEY_BYTES)
        except FormatError as error:
            raise NodeUnreachable(f"the node answers nonsense: {error}") from error

    def _post(self, path: str, body: fields.Json) -> fields.Json:
        return self._answer("POST", path, content=canonical_json.dumps(body))

    def _answer(self, method: str, path: str, **options: Any) -> fields.Json:
        try:
            response = self._http.request(method, path, **options)
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise NodeUnreachable(
                f"the node at {self._http.base_url} does not answer: {reason}"
            ) from error
        answer = _parse(response)
        if response.status_code >= 500:
            raise NodeUnreachable(f"the node cannot work now: {answer.get('detail', '')}")
        if response.status_code != 200:
            raise NodeRefused(
                status=response.status_code,
                name=str(answer.get("error")),
                detail=str(answer.get("detail")),
            )
        return answer


def _parse(response: httpx.Response) -> fields.Json:
    try:
        answer = canonical_json.parse(response.content, max_bytes=_MAX_ANSWER_BYTES)
    except FormatError:
        return {"error": "no_json", "detail": "the answer is no JSON"}
    return answer if isinstance(answer, dict) else {}


def _integer(answer: fields.Json, name: str) -> int:
    try:
        return fields.integer(answer.get(name), name)
    except FormatError as error:
        raise NodeUnreachable(f"the node answers nonsense: {error}") from error
