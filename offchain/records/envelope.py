"""What a device sends to its node: the JSON bodies of docs/formats.md §8."""

import itertools
from dataclasses import dataclass

from offchain.crypto.curve import G1
from offchain.records import batch as batches
from offchain.records import fields
from offchain.records.points import point
from offchain.records.signing import SIGNATURE_BYTES
from offchain.types import Account, Batch

DAY_KEY_BYTES = 64  # sealing key ‖ nonce key
MAX_SEALED_BYTES = 8_192
MAX_BOX_BYTES = 256
MAX_ENVELOPES = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DayKeys:
    """The sealed keys of one UTC day, signed."""

    device: Account
    day: int
    sealed: bytes
    signature: bytes

    def to_json(self) -> fields.Json:
        """Return the body of `POST /v1/days`."""
        return {
            "device": fields.from_account(self.device),
            "day": self.day,
            "sealed": fields.to_base64(self.sealed),
            "signature": fields.to_base64(self.signature),
        }

    @classmethod
    def from_json(cls, value: object) -> "DayKeys":
        """Read the body of `POST /v1/days`. Raises FormatError."""
        obj = fields.members(value, "device day sealed signature", what="a day's keys")
        return cls(
            device=fields.account(obj["device"], "device"),
            day=fields.integer(obj["day"], "day", high=fields.MAX_DAY),
            sealed=fields.from_base64(obj["sealed"], "sealed", max_bytes=MAX_SEALED_BYTES),
            signature=_signature(obj),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """The sealed box of one reading, signed."""

    seq: int
    day: int
    box: bytes
    signature: bytes

    def to_json(self) -> fields.Json:
        """Return one item of `envelopes`."""
        return {
            "seq": self.seq,
            "day": self.day,
            "box": fields.to_base64(self.box),
            "signature": fields.to_base64(self.signature),
        }

    @classmethod
    def from_json(cls, value: object) -> "Envelope":
        """Read one item of `envelopes`. Raises FormatError."""
        obj = fields.members(value, "seq day box signature", what="an envelope")
        return cls(
            seq=fields.integer(obj["seq"], "seq", low=1),
            day=fields.integer(obj["day"], "day", high=fields.MAX_DAY),
            box=fields.from_base64(obj["box"], "box", max_bytes=MAX_BOX_BYTES),
            signature=_signature(obj),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelopes:
    """At most 1,000 envelopes of one device, seqs ascending."""

    device: Account
    envelopes: tuple[Envelope, ...]

    def to_json(self) -> fields.Json:
        """Return the body of `POST /v1/readings`."""
        return {
            "device": fields.from_account(self.device),
            "envelopes": [envelope.to_json() for envelope in self.envelopes],
        }

    @classmethod
    def from_json(cls, value: object) -> "Envelopes":
        """Read the body of `POST /v1/readings`. Raises FormatError."""
        obj = fields.members(value, "device envelopes", what="envelopes")
        items = fields.sequence(obj["envelopes"], "envelopes", min_items=1, max_items=MAX_ENVELOPES)
        envelopes = tuple(Envelope.from_json(item) for item in items)
        for before, after in itertools.pairwise(envelopes):
            fields.integer(after.seq, "seq (ascending)", low=before.seq + 1)
        return cls(device=fields.account(obj["device"], "device"), envelopes=envelopes)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchNotice:
    """An anchored batch with the device's BLS signature over it (role ROOT)."""

    batch: Batch
    signature: G1

    def to_json(self) -> fields.Json:
        """Return the body of `POST /v1/batches`."""
        return {
            "device": fields.from_account(self.batch.device),
            "from_seq": self.batch.from_seq,
            "count": self.batch.count,
            "root": self.batch.root.hex(),
            "bls_signature": self.signature.to_bytes().hex(),
        }

    @classmethod
    def from_json(cls, value: object) -> "BatchNotice":
        """Read the body of `POST /v1/batches`. Raises FormatError."""
        names = "device from_seq count root bls_signature"
        obj = fields.members(value, names, what="a batch")
        batch = Batch(
            device=fields.account(obj["device"], "device"),
            from_seq=fields.integer(obj["from_seq"], "from_seq", low=1),
            count=fields.integer(obj["count"], "count", low=1, high=batches.MAX_COUNT),
            root=fields.from_hex(obj["root"], "root", length=32),
        )
        return cls(batch=batch, signature=point(obj["bls_signature"], "bls_signature"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedReport:
    """A status report sealed to the owner, signed for the node that keeps it."""

    device: Account
    sealed: bytes
    signature: bytes

    def to_json(self) -> fields.Json:
        """Return the body of `POST /v1/reports`."""
        return {
            "device": fields.from_account(self.device),
            "sealed": fields.to_base64(self.sealed),
            "signature": fields.to_base64(self.signature),
        }

    @classmethod
    def from_json(cls, value: object) -> "SealedReport":
        """Read the body of `POST /v1/reports`. Raises FormatError."""
        obj = fields.members(value, "device sealed signature", what="a sealed report")
        return cls(
            device=fields.account(obj["device"], "device"),
            sealed=fields.from_base64(obj["sealed"], "sealed", max_bytes=MAX_SEALED_BYTES),
            signature=_signature(obj),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedSeq:
    """A device's signed word about a seq: where its readings start, or whence it wants them back.

    Which of the two it is, the signature's tag says.
    """

    device: Account
    seq: int
    signature: bytes

    def to_json(self) -> fields.Json:
        """Return the body of `POST /v1/starts` and `POST /v1/recoveries`."""
        return {
            "device": fields.from_account(self.device),
            "seq": self.seq,
            "signature": fields.to_base64(self.signature),
        }

    @classmethod
    def from_json(cls, value: object) -> "SignedSeq":
        """Read the body of `POST /v1/starts` or `POST /v1/recoveries`. Raises FormatError."""
        obj = fields.members(value, "device seq signature", what="a signed seq")
        return cls(
            device=fields.account(obj["device"], "device"),
            seq=fields.integer(obj["seq"], "seq", low=1),
            signature=_signature(obj),
        )


def _signature(obj: fields.Json) -> bytes:
    decoded = fields.from_base64(obj["signature"], "signature", max_bytes=SIGNATURE_BYTES)
    return fields.exact(decoded, "signature", length=SIGNATURE_BYTES)
