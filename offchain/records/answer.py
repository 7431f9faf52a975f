"""The node's answer to a user's request, and the reply that carries it (docs/formats.md §10).

What it says, a bill or advice, is a plain object here: `offchain.billing` gives it its meaning, and
whoever audits it works it out again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from offchain.crypto.curve import G1
from offchain.crypto.merkle import HASH_BYTES
from offchain.errors import FormatError
from offchain.records import batch as batches
from offchain.records import canonical_json, fields, packed
from offchain.records.points import point
from offchain.records.reading import RECORD_BYTES
from offchain.records.request import MAX_DEVICES
from offchain.types import Account, Batch

VERSION = 2
MAX_ANSWER_BYTES = 31_232  # the signature, the seal and the box around it stay within 32 KiB
MAX_DAYS = 4_096
MAX_ROWS = packed.MAX_ROWS  # over all devices: equal rows compress to nearly nothing
MAX_RESULT_MEMBERS = 64
KINDS = ("bill", "advice")
SIGNATURE_BYTES = 64
MAX_PROOF = 17  # 65,536 readings a batch
_NAMES = "type lock nonce signed_at as_of_block devices result"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AnchoredReading:
    """One reading with the proof that it is anchored: `batch` is the anchored one, `proof` the
    path from the reading's commitment to its root.
    """

    record: bytes
    batch: Batch
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class DeviceAnswer:
    """One device's readings of the window, and what the audit needs to rebuild and check them. A
    window without readings of its own lies between `opening` and `closing`, and has both.

    batches: (from_seq, count), covering the readings exactly. nonce_keys: by UTC day. opening:
    the reading before the first, None if that is the device's first of all. closing: the reading
    after the last, which lies beyond the window; None if none was anchored as of the answer.
    """

    packed: packed.Packed
    batches: tuple[tuple[int, int], ...]
    nonce_keys: dict[int, bytes]
    opening: AnchoredReading | None
    closing: AnchoredReading | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Answer:
    """What the node answers; its SHA-256 is what the BLS signature σ_p signs.

    as_of_block: it has everything that was anchored up to this block, and goes by the tariffs of
    then. kind: `bill` or `advice`, whose JSON is `result` (docs/formats.md §17).
    """

    lock_id: bytes
    nonce: bytes
    signed_at: int
    as_of_block: int
    devices: tuple[DeviceAnswer, ...]
    kind: str
    result: fields.Json


def encode(answer: Answer) -> bytes:
    """Encode an answer; raises FormatError for what `decode` would refuse, one too long included.

    A window whose readings do not fit is asked in several requests.
    """
    data = canonical_json.dumps(to_json(answer))
    decode(data)
    return data


def to_json(answer: Answer) -> fields.Json:
    """Return the JSON object of an answer, whatever its size."""
    return {
        "v": VERSION,
        "type": answer.kind,
        "lock": answer.lock_id.hex(),
        "nonce": answer.nonce.hex(),
        "signed_at": answer.signed_at,
        "as_of_block": answer.as_of_block,
        "devices": [_device_to_json(device) for device in answer.devices],
        "result": answer.result,
    }


def decode(data: bytes) -> Answer:
    """Decode an answer of at most 30.5 KiB and 65,536 readings in all. Raises FormatError."""
    value = canonical_json.loads(data, max_bytes=MAX_ANSWER_BYTES)
    obj = fields.versioned(value, _NAMES, what="an answer", version=VERSION)
    items = fields.sequence(obj["devices"], "devices", max_items=MAX_DEVICES)
    devices = _devices_from_json(items)
    if len({device.packed.device for device in devices}) != len(devices):
        raise FormatError("an answer names each device once")
    return Answer(
        lock_id=fields.from_hex(obj["lock"], "lock", length=32),
        nonce=fields.from_hex(obj["nonce"], "nonce", length=32),
        signed_at=fields.integer(obj["signed_at"], "signed_at"),
        as_of_block=fields.integer(obj["as_of_block"], "as_of_block"),
        devices=devices,
        kind=_kind(obj["type"]),
        result=fields.mapping(obj["result"], "result", max_items=MAX_RESULT_MEMBERS),
    )


def encode_reply(answer: bytes, signature: G1) -> bytes:
    """Encode what is sealed to the user: the node's BLS signature, then the answer's bytes."""
    return signature.to_bytes() + answer


def decode_reply(data: bytes) -> tuple[bytes, G1]:
    """Decode a reply into answer bytes and signature. Raises FormatError."""
    signature, answer = data[:SIGNATURE_BYTES], data[SIGNATURE_BYTES:]
    if not answer or len(answer) > MAX_ANSWER_BYTES:
        raise FormatError(f"a reply holds a signature and 1 to {MAX_ANSWER_BYTES} bytes of answer")
    return answer, point(signature.hex(), "signature")


def _kind(value: object) -> str:
    if value not in KINDS:
        raise FormatError("the type of an answer is bill or advice")
    return str(value)


def _device_to_json(device: DeviceAnswer) -> fields.Json:
    return {
        "packed": packed.to_json(device.packed),
        "batches": [list(pair) for pair in device.batches],
        "nonce_keys": fields.from_days(device.nonce_keys),
        "opening": _anchored_to_json(device.opening),
        "closing": _anchored_to_json(device.closing),
    }


def _devices_from_json(items: Sequence[object]) -> tuple[DeviceAnswer, ...]:
    devices: list[DeviceAnswer] = []
    rest = MAX_ROWS
    for item in items:
        if rest == 0:
            raise FormatError(f"an answer has at most {MAX_ROWS} readings over all its devices")
        devices.append(_device_from_json(item, rest))
        rest -= devices[-1].packed.count
    return tuple(devices)


def _device_from_json(value: object, max_rows: int) -> DeviceAnswer:
    names = "packed batches nonce_keys opening closing"
    obj = fields.members(value, names, what="a device's answer")
    columns = packed.from_json(obj["packed"], with_registers=True, min_rows=0, max_rows=max_rows)
    if columns.count == 0 and None in (obj["opening"], obj["closing"]):
        raise FormatError("of a device without readings in the window those around it are shown")
    pairs = tuple(
        _pair(item) for item in fields.sequence(obj["batches"], "batches", max_items=columns.count)
    )
    packed.check_tiled(columns, pairs)
    return DeviceAnswer(
        packed=columns,
        batches=pairs,
        nonce_keys=fields.days(obj["nonce_keys"], "nonce_keys", max_items=MAX_DAYS),
        opening=_anchored_from_json(obj["opening"], columns.device, what="an opening"),
        closing=_anchored_from_json(obj["closing"], columns.device, what="a closing"),
    )


def _pair(value: object) -> tuple[int, int]:
    from_seq, count = fields.sequence(value, "a batch", min_items=2, max_items=2)
    return (
        fields.integer(from_seq, "from_seq", low=1),
        fields.integer(count, "count", low=1, high=batches.MAX_COUNT),
    )


def _anchored_to_json(anchored: AnchoredReading | None) -> fields.Json | None:
    if anchored is None:
        return None
    return {
        "record": anchored.record.hex(),
        "from_seq": anchored.batch.from_seq,
        "count": anchored.batch.count,
        "root": anchored.batch.root.hex(),
        "proof": [sibling.hex() for sibling in anchored.proof],
    }


def _anchored_from_json(value: object, device: Account, *, what: str) -> AnchoredReading | None:
    if value is None:
        return None
    obj = fields.members(value, "record from_seq count root proof", what=what)
    from_seq, count = _pair([obj["from_seq"], obj["count"]])
    siblings = fields.sequence(obj["proof"], "proof", max_items=MAX_PROOF)
    return AnchoredReading(
        record=fields.from_hex(obj["record"], "record", length=RECORD_BYTES),
        batch=Batch(
            device=device,
            from_seq=from_seq,
            count=count,
            root=fields.from_hex(obj["root"], "root", length=HASH_BYTES),
        ),
        proof=tuple(fields.from_hex(item, "proof", length=HASH_BYTES) for item in siblings),
    )
