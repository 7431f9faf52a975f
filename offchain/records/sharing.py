"""Messages of data sharing (docs/formats.md §13)."""

from dataclasses import dataclass

from offchain.crypto.commitment import SALT_BYTES
from offchain.crypto.curve import G1
from offchain.errors import FormatError
from offchain.records import canonical_json, fields
from offchain.records.points import point
from offchain.records.request import identity
from offchain.records.signing import SIGNATURE_BYTES
from offchain.types import Account

MAX_OPENINGS = 256
MAX_SEALED_BYTES = 16_384
MAX_OPENINGS_BYTES = 2**20
MAX_OPENING_BYTES = 1_024
MAX_SELECTION_BYTES = 12_288
MAX_SHARE_BYTES = 1_024
MIN_MEMBERS, MAX_MEMBERS = 2, 100
MAX_PURPOSE_BYTES = 256  # of a broadcast, which says in public what the data is for


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class IdOpening:
    """The opening of a sharer's ID commitment. Not shown by repr."""

    identity: str
    salt: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionText:
    """M_s: which data set of which broadcast, for which group. What for, the broadcast says."""

    broadcast_id: bytes
    data_set_id: bytes
    members: tuple[Account, ...]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ShareMessage:
    """The recovered share S_i of member `index` (1..n) in a lock's grant. Not shown by repr."""

    lock_id: bytes
    index: int
    share: G1


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareDelivery:
    """The body of `POST /v1/shares` on a member's inbox: a sealed share message, signed."""

    lock_id: bytes
    sender: Account
    sealed: bytes
    signature: bytes

    def to_json(self) -> fields.Json:
        """Return the body."""
        return {
            "lock": self.lock_id.hex(),
            "sender": fields.from_account(self.sender),
            "sealed": fields.to_base64(self.sealed),
            "signature": fields.to_base64(self.signature),
        }

    @classmethod
    def from_json(cls, value: object) -> "ShareDelivery":
        """Read the body. Raises FormatError."""
        obj = fields.members(value, "lock sender sealed signature", what="a share's delivery")
        signature = fields.from_base64(obj["signature"], "signature", max_bytes=SIGNATURE_BYTES)
        return cls(
            lock_id=fields.from_hex(obj["lock"], "lock", length=32),
            sender=fields.account(obj["sender"], "sender"),
            sealed=fields.from_base64(obj["sealed"], "sealed", max_bytes=MAX_SEALED_BYTES),
            signature=fields.exact(signature, "signature", length=SIGNATURE_BYTES),
        )


def encode_openings(openings: dict[Account, bytes]) -> bytes:
    """Encode the sealed ID openings of a broadcast by processor; raises FormatError."""
    sealed = {
        fields.from_account(processor): fields.to_base64(message)
        for processor, message in openings.items()
    }
    data = canonical_json.dumps({"v": 1, "openings": sealed})
    decode_openings(data)
    return data


def decode_openings(data: bytes) -> dict[Account, bytes]:
    """Decode the sealed ID openings of a broadcast by processor. Raises FormatError."""
    value = canonical_json.loads(data, max_bytes=MAX_OPENINGS_BYTES)
    obj = fields.versioned(value, "openings", what="the openings of a broadcast")
    sealed = fields.mapping(obj["openings"], "openings", max_items=MAX_OPENINGS)
    return {
        fields.account(processor, "a processor"): fields.from_base64(
            message, "an opening", max_bytes=MAX_SEALED_BYTES
        )
        for processor, message in sealed.items()
    }


def encode_opening(opening: IdOpening) -> bytes:
    """Encode an ID opening, to be sealed; raises FormatError."""
    data = canonical_json.dumps({"v": 1, "id": opening.identity, "salt": opening.salt.hex()})
    decode_opening(data)
    return data


def decode_opening(data: bytes) -> IdOpening:
    """Decode an ID opening. Raises FormatError."""
    value = canonical_json.loads(data, max_bytes=MAX_OPENING_BYTES)
    obj = fields.versioned(value, "id salt", what="an ID opening")
    salt = fields.from_hex(obj["salt"], "salt", length=SALT_BYTES)
    return IdOpening(identity=identity(obj["id"]), salt=salt)


def encode_selection(text: SelectionText) -> bytes:
    """Encode a selection text M_s, to be sealed; raises FormatError."""
    obj = {
        "v": 1,
        "broadcast": text.broadcast_id.hex(),
        "data_set": text.data_set_id.hex(),
        "members": [fields.from_account(member) for member in text.members],
    }
    data = canonical_json.dumps(obj)
    decode_selection(data)
    return data


def decode_selection(data: bytes) -> SelectionText:
    """Decode a selection text: 2..100 distinct members. Raises FormatError."""
    value = canonical_json.loads(data, max_bytes=MAX_SELECTION_BYTES)
    obj = fields.versioned(value, "broadcast data_set members", what="a selection")
    items = fields.sequence(obj["members"], "members", min_items=MIN_MEMBERS, max_items=MAX_MEMBERS)
    members = tuple(fields.account(item, "a member") for item in items)
    if len(set(members)) != len(members):
        raise FormatError("a group names each member once")
    return SelectionText(
        broadcast_id=fields.from_hex(obj["broadcast"], "broadcast", length=32),
        data_set_id=fields.from_hex(obj["data_set"], "data_set", length=32),
        members=members,
    )


def encode_share(message: ShareMessage) -> bytes:
    """Encode a recovered share, to be sealed to another member; raises FormatError."""
    obj = {
        "v": 1,
        "lock": message.lock_id.hex(),
        "index": message.index,
        "share": message.share.to_bytes().hex(),
    }
    data = canonical_json.dumps(obj)
    decode_share(data)
    return data


def decode_share(data: bytes) -> ShareMessage:
    """Decode a recovered share (not checked against commitments here). Raises FormatError."""
    value = canonical_json.loads(data, max_bytes=MAX_SHARE_BYTES)
    obj = fields.versioned(value, "lock index share", what="a share")
    return ShareMessage(
        lock_id=fields.from_hex(obj["lock"], "lock", length=32),
        index=fields.integer(obj["index"], "index", low=1, high=MAX_MEMBERS),
        share=point(obj["share"], "share"),
    )
