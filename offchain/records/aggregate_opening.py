"""One member's partial decryptions of a set's totals, proven and signed (docs/formats.md §14)."""

import hashlib
from dataclasses import dataclass

from eth_hash.auto import keccak

from offchain.crypto.encoding import address_word, exact_bytes, word
from offchain.errors import FormatError
from offchain.records import canonical_json, fields
from offchain.records.aggregate_set import Announcement
from offchain.records.contexts import tag_hash
from offchain.records.signing import SIGNATURE_BYTES
from offchain.records.slots import MAX_SLOTS
from offchain.types import Account

MAX_OPENING_BYTES = 4 * 2**20
MAX_PARTIAL_BYTES = 8_192


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberOpening:
    """A member's parts of every ciphertext of the totals of a set, in order."""

    set_digest: bytes
    member: Account
    partials: tuple[bytes, ...]
    signature: bytes = b""

    def digest(self, announcement: Announcement) -> bytes:
        """Return what the member signs, in the place of the announced set."""
        head = tag_hash(b"DMSM-V1-aggregate-opening") + word(announcement.chain_id)
        accounts = (announcement.data_ledger, announcement.processor, self.member)
        parties = b"".join(address_word(account) for account in accounts)
        tail = exact_bytes(self.set_digest, 32, name="a set digest")
        return keccak(head + parties + tail + hashlib.sha256(b"".join(self.partials)).digest())


def partial_context(set_digest: bytes, position: int) -> bytes:
    """Context of the proof of one partial decryption: the set, and which ciphertext of its totals.

    The set's digest binds chain, ledger, processor, key, window, homes and rows.
    """
    tail = exact_bytes(set_digest, 32, name="a set digest") + word(position)
    return tag_hash(b"DMSM-V1-aggregate-partial") + tail


def encode_member_opening(opening: MemberOpening) -> bytes:
    """Encode an opening. Raises FormatError for what decoding would refuse."""
    obj = {
        "v": 1,
        "set": opening.set_digest.hex(),
        "member": fields.from_account(opening.member),
        "partials": [fields.to_base64(one) for one in opening.partials],
        "signature": opening.signature.hex(),
    }
    data = canonical_json.dumps(obj)
    decode_member_opening(data)
    return data


def decode_member_opening(data: bytes) -> MemberOpening:
    """Decode an opening; signature and proofs are not checked here. Raises FormatError."""
    value = canonical_json.loads(data, max_bytes=MAX_OPENING_BYTES)
    obj = fields.versioned(value, "set member partials signature", what="an opening of totals")
    listed = fields.sequence(obj["partials"], "partials", min_items=1, max_items=MAX_SLOTS)
    partials = tuple(
        fields.from_base64(one, "a partial", max_bytes=MAX_PARTIAL_BYTES) for one in listed
    )
    if len({len(one) for one in partials}) != 1:
        raise FormatError("the partials of an opening have one length")
    return MemberOpening(
        set_digest=fields.from_hex(obj["set"], "set", length=32),
        member=fields.account(obj["member"], "member"),
        partials=partials,
        signature=fields.from_hex(obj["signature"], "signature", length=SIGNATURE_BYTES),
    )
