"""The public description of a region's threshold key (docs/formats.md §14).

It holds everything that a member needs: the key, the group, its own share sealed to it, and the
rules by which anything is opened.
"""

from dataclasses import dataclass
from itertools import pairwise

from offchain.crypto.encoding import address_word, exact_bytes, fixed_width, word
from offchain.crypto.integer_sharing import MAX_MEMBERS, MIN_THRESHOLD
from offchain.crypto.modulus import MAX_BITS
from offchain.crypto.threshold_key import ThresholdPublicKey
from offchain.errors import FormatError
from offchain.records import canonical_json, fields
from offchain.records.contexts import tag_hash
from offchain.types import SECONDS_PER_DAY, Account

MAX_KEY_BYTES = 2**20
LEAST_HOMES = 3  # of two, each would know the other's reading
MAX_HOMES = 2**20
MAX_SEALED_BYTES = 4_096
_MAX_N_BYTES = MAX_BITS // 8
_NAMES = "chain_id data_ledger processor n threshold opening min_homes slot_s members"


@dataclass(frozen=True, slots=True, kw_only=True)
class AggregateMember:
    """A holder of a share: its verification key v_i, and the share sealed to its Paillier key."""

    account: Account
    verification: int
    sealed_share: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AggregateKey:
    """A threshold key with its group (index 1..n in the order of `members`) and its rules.

    min_homes: a total of fewer homes is never opened. slot_s: seconds of a slot, divides a day.
    opening: (a, ρ) of the base v.
    """

    chain_id: int
    data_ledger: Account
    processor: Account
    n: int
    threshold: int
    opening: tuple[int, int]
    min_homes: int
    slot_s: int
    members: tuple[AggregateMember, ...]

    def public_key(self, *, allow_small: bool = False) -> ThresholdPublicKey:
        """Return the key after all checks of a foreign modulus; `verify_dealing` is not run.

        Raises CryptoError.
        """
        return ThresholdPublicKey(
            self.n,
            threshold=self.threshold,
            verification=tuple(member.verification for member in self.members),
            opening=self.opening,
            allow_small=allow_small,
        )

    def index_of(self, account: Account) -> int | None:
        """Return a member's index 1..n, None for somebody else."""
        accounts = [member.account for member in self.members]
        return accounts.index(account) + 1 if account in accounts else None


def share_context(
    *, chain_id: int, data_ledger: Account, processor: Account, member: Account, n_digest: bytes
) -> bytes:
    """Context of a key share, sealed to a member; `n_digest` is the Paillier key's digest."""
    parties = address_word(data_ledger) + address_word(processor) + address_word(member)
    tail = exact_bytes(n_digest, 32, name="a key digest")
    return tag_hash(b"DMSM-V1-aggregate-share") + word(chain_id) + parties + tail


def encode_aggregate_key(key: AggregateKey) -> bytes:
    """Encode a key's description. Raises FormatError for what decoding would refuse."""
    width = _width(key.n)
    obj = {
        "v": 1,
        "chain_id": key.chain_id,
        "data_ledger": fields.from_account(key.data_ledger),
        "processor": fields.from_account(key.processor),
        "n": fixed_width(key.n, width).hex(),
        "threshold": key.threshold,
        "opening": [fixed_width(one, width).hex() for one in key.opening],
        "min_homes": key.min_homes,
        "slot_s": key.slot_s,
        "members": [
            {
                "account": fields.from_account(member.account),
                "verification": fixed_width(member.verification, 2 * width).hex(),
                "share": fields.to_base64(member.sealed_share),
            }
            for member in key.members
        ],
    }
    data = canonical_json.dumps(obj)
    decode_aggregate_key(data)
    return data


def decode_aggregate_key(data: bytes) -> AggregateKey:
    """Decode a key's description; its arithmetic is not checked here. Raises FormatError."""
    value = canonical_json.loads(data, max_bytes=MAX_KEY_BYTES)
    obj = fields.versioned(value, _NAMES, what="an aggregate key")
    n_bytes = fields.from_hex(obj["n"], "n", max_bytes=_MAX_N_BYTES)
    if not n_bytes or n_bytes[0] == 0:
        raise FormatError("n is written without leading zeros")
    opening = fields.sequence(obj["opening"], "opening", min_items=2, max_items=2)
    listed = fields.sequence(
        obj["members"], "members", min_items=MIN_THRESHOLD, max_items=MAX_MEMBERS
    )
    members = tuple(_member(one, 2 * len(n_bytes)) for one in listed)
    _require_order(members)
    lowest = max(MIN_THRESHOLD, len(members) // 2 + 1)  # two halves never open two sets
    key = AggregateKey(
        chain_id=fields.integer(obj["chain_id"], "chain_id"),
        data_ledger=fields.account(obj["data_ledger"], "data_ledger"),
        processor=fields.account(obj["processor"], "processor"),
        n=int.from_bytes(n_bytes, "big"),
        threshold=fields.integer(obj["threshold"], "threshold", low=lowest, high=len(members)),
        opening=(_number(opening[0], len(n_bytes)), _number(opening[1], len(n_bytes))),
        min_homes=fields.integer(obj["min_homes"], "min_homes", low=LEAST_HOMES, high=MAX_HOMES),
        slot_s=fields.integer(obj["slot_s"], "slot_s", low=1, high=SECONDS_PER_DAY),
        members=members,
    )
    if SECONDS_PER_DAY % key.slot_s:
        raise FormatError("slot_s must divide a day")
    return key


def _member(value: object, width: int) -> AggregateMember:
    obj = fields.members(value, "account verification share", what="a member")
    return AggregateMember(
        account=fields.account(obj["account"], "a member"),
        verification=_number(obj["verification"], width),
        sealed_share=fields.from_base64(obj["share"], "share", max_bytes=MAX_SEALED_BYTES),
    )


def _require_order(members: tuple[AggregateMember, ...]) -> None:
    ascending = (a.account.lower() < b.account.lower() for a, b in pairwise(members))
    if not all(ascending):
        raise FormatError("the members of an aggregate key ascend by account")


def _number(value: object, width: int) -> int:
    return int.from_bytes(fields.from_hex(value, "a number of the key", length=width), "big")


def _width(n: int) -> int:
    return -(-n.bit_length() // 8)
