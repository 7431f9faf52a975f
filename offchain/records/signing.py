"""secp256k1 signatures of devices and sharers on what they send (docs/formats.md §8, §11, §13)."""

import hashlib

import coincurve
from eth_hash.auto import keccak

from offchain.crypto.encoding import address_word, exact_bytes, fixed_width, word
from offchain.crypto.secret import SecretBytes
from offchain.errors import CryptoError
from offchain.records.contexts import link_words, tag_hash
from offchain.types import Account, Link, to_account

SIGNATURE_BYTES = 65
_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
_V_OFFSET = 27


def sign(digest: bytes, private_key: SecretBytes) -> bytes:
    """Sign a 32-byte digest: r ‖ s ‖ v, 65 bytes, low s, v 27 or 28. Deterministic (RFC 6979)."""
    key = coincurve.PrivateKey(exact_bytes(private_key.reveal(), 32, name="a private key"))
    raw = key.sign_recoverable(exact_bytes(digest, 32, name="a digest"), hasher=None)
    return raw[:64] + bytes([raw[64] + _V_OFFSET])


def verify_signature(digest: bytes, signature: bytes, account: Account) -> bool:
    """Tell whether an account signed a 32-byte digest; only the canonical form (low s) counts."""
    try:
        raw = exact_bytes(signature, SIGNATURE_BYTES, name="a signature")
        v, s = raw[64], int.from_bytes(raw[32:64], "big")
        if v not in (_V_OFFSET, _V_OFFSET + 1) or s > _HALF_ORDER:
            return False
        recoverable = raw[:64] + bytes([v - _V_OFFSET])
        key = coincurve.PublicKey.from_signature_and_message(
            recoverable, exact_bytes(digest, 32, name="a digest"), hasher=None
        )
        return to_account(keccak(key.format(compressed=False)[1:])[12:]) == to_account(account)
    except (CryptoError, ValueError, TypeError, AttributeError):
        return False  # coincurve raises plain ValueError for points and scalars that do not exist


def day_keys_digest(link: Link, *, day: int, sealed: bytes) -> bytes:
    """What a device signs for the sealed keys of a day."""
    return _link_digest(b"DMSM-V1-day-keys", link, _uint(day, 4) + _sha256(sealed))


def envelope_digest(link: Link, *, seq: int, day: int, box: bytes) -> bytes:
    """What a device signs for the box of one reading."""
    return _link_digest(b"DMSM-V1-envelope", link, _uint(seq, 8) + _uint(day, 4) + _sha256(box))


def report_digest(link: Link, *, sealed: bytes) -> bytes:
    """What a device signs for a sealed status report that its processor shall keep."""
    return _link_digest(b"DMSM-V1-report", link, _sha256(sealed))


def start_digest(link: Link, *, seq: int) -> bytes:
    """What a device signs to say that its node will get no reading below a seq."""
    return _link_digest(b"DMSM-V1-start", link, _uint(seq, 8))


def recovery_digest(link: Link, *, from_seq: int) -> bytes:
    """What a device signs to get back the envelopes that its node holds in no batch."""
    return _link_digest(b"DMSM-V1-recovery", link, _uint(from_seq, 8))


def status_digest(
    *, chain_id: int, data_ledger: Account, device: Account, owner: Account, unsigned: bytes
) -> bytes:
    """What a device signs inside a status report; the owner stands in the processor's place."""
    link = Link(chain_id=chain_id, data_ledger=data_ledger, device=device, processor=owner)
    return _link_digest(b"DMSM-V1-status", link, _sha256(unsigned))


def share_digest(
    *,
    chain_id: int,
    prepaid_lock: Account,
    sender: Account,
    recipient: Account,
    lock_id: bytes,
    sealed: bytes,
) -> bytes:
    """What a member of a group signs when it hands a sealed share to another member."""
    head = word(chain_id) + address_word(prepaid_lock)
    parties = address_word(sender) + address_word(recipient)
    tail = exact_bytes(lock_id, 32, name="a lock id") + _sha256(sealed)
    return keccak(tag_hash(b"DMSM-V1-share") + head + parties + tail)


def _link_digest(tag: bytes, link: Link, tail: bytes) -> bytes:
    return keccak(tag_hash(tag) + link_words(link) + tail)


def _uint(value: int, length: int) -> bytes:
    fixed_width(value, length)
    return word(value)


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
