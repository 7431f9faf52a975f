"""The processing node as the agent sees it: HTTP with JSON (docs/formats.md §8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from device_agent.errors import NodeRefused, NodeUnreachable
from offchain.errors import FormatError
from offchain.records import canonical_json, fields
from offchain.records.envelope import (
    MAX_ENVELOPES,
    BatchNotice,
    DayKeys,
    Envelope,
    Envelopes,
    SealedReport,
    SignedSeq,
)
from offchain.types import Account

_MAX_ANSWER_BYTES = 1_048_576
_MAX_KEY_BYTES = 1 << 18
_MAX_DAYS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldByNode:
    """What the node holds durably of a device, and the account that it serves as."""

    processor: Account
    next_seq: int
    days: frozenset[int]
    next_batch_seq: int


class NodeClient:
    """The node that was found last. Calls raise NodeUnreachable (worth another try) or NodeRefused.

    Several addresses may be given: the region's processor is one of those that answer.
    """

    def __init__(self, urls: str | Sequence[str], *, timeout_s: float = 30.0) -> None:
        listed = [urls] if isinstance(urls, str) else urls
        self._nodes = [
            httpx.Client(base_url=url, timeout=timeout_s, trust_env=False) for url in listed
        ]
        self._http = self._nodes[0]

    def close(self) -> None:
        """Close the connections."""
        for node in self._nodes:
            node.close()

    def find(self, processor: Account, device: Account) -> HeldByNode:
        """Find the address at which a processor serves; return what it holds of a device.

        What an address says of itself need not be true: what is sent to it is sealed to the
        processor's own key. Raises NodeUnreachable when none says so.
        """
        reasons = []
        for node in self._nodes:
            self._http = node
            try:
                held = self.held(device)
            except (NodeUnreachable, NodeRefused) as error:
                reasons.append(str(error))
                continue
            if held.processor == processor:
                return held
            reasons.append(f"{node.base_url} serves as {held.processor}")
        raise NodeUnreachable(f"{processor} is not reached: {'; '.join(reasons)}")

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

    def send_start(self, message: SignedSeq) -> None:
        """Tell below which seq nothing will come."""
        self._post("/v1/starts", message.to_json())

    def give_back(self, message: SignedSeq) -> list[Envelope]:
        """Ask for own envelopes that are in no batch yet, at most 1,000 from a seq on."""
        answer = self._post("/v1/recoveries", message.to_json())
        try:
            items = fields.sequence(answer.get("envelopes"), "envelopes", max_items=MAX_ENVELOPES)
            return [Envelope.from_json(item) for item in items]
        except FormatError as error:
            raise NodeUnreachable(f"the node answers nonsense: {error}") from error

    def held(self, device: Account) -> HeldByNode:
        """Ask what the node holds of a device."""
        answer = self._answer("GET", f"/v1/devices/{device}")
        try:
            days = fields.sequence(answer.get("days"), "days", max_items=_MAX_DAYS)
            return HeldByNode(
                processor=fields.account(answer.get("processor"), "processor"),
                next_seq=_integer(answer, "next_seq"),
                days=frozenset(fields.integer(day, "a day") for day in days),
                next_batch_seq=_integer(answer, "next_batch_seq"),
            )
        except FormatError as error:
            raise NodeUnreachable(f"the node answers nonsense: {error}") from error

    def paillier_key(self, member: Account) -> bytes:
        """Fetch the file of a member's Paillier key; whoever asks checks it."""
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
