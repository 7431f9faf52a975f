"""Contexts: the bytes that sealed messages authenticate and never send (docs/formats.md §8–§16).

All are `abi.encode` of fixed-width fields behind a tag of their own, so that nothing sealed for
one purpose, party or contract opens for another.
"""

from eth_hash.auto import keccak

from offchain.crypto.encoding import address_word, exact_bytes, fixed_width, word
from offchain.crypto.kdf import hkdf
from offchain.types import Account, Link

FACTOR_INFO = b"DMSM-V1-factor"
DATA_SHARING_PURPOSE = keccak(b"DMSM-V1-data-sharing")


def tag_hash(tag: bytes) -> bytes:
    """Return keccak256 of a domain tag."""
    return keccak(tag)


def link_words(link: Link) -> bytes:
    """Encode chain, ledger, device and processor as four words."""
    return (
        word(link.chain_id)
        + address_word(link.data_ledger)
        + address_word(link.device)
        + address_word(link.processor)
    )


def day(link: Link, *, day: int) -> bytes:
    """Context of a device's day keys."""
    return tag_hash(b"DMSM-V1-day") + link_words(link) + word(_uint(day, 4))


def reading(link: Link, *, seq: int, day: int) -> bytes:
    """Context of the box of one reading."""
    tail = word(_uint(seq, 8)) + word(_uint(day, 4))
    return tag_hash(b"DMSM-V1-reading") + link_words(link) + tail


def request(
    *,
    chain_id: int,
    prepaid_lock: Account,
    requester: Account,
    processor: Account,
    type_id: int,
    nonce: bytes,
) -> bytes:
    """Context of a user's request text, sealed to the processor."""
    parties = _parties(chain_id, prepaid_lock, requester, processor)
    return tag_hash(b"DMSM-V1-request") + parties + word(_uint(type_id, 4)) + _word32(nonce)


def answer(
    *, chain_id: int, prepaid_lock: Account, lock_id: bytes, requester: Account, processor: Account
) -> bytes:
    """Context of an answer, of both its seal to the user and the box under the secret factor."""
    head = word(chain_id) + address_word(prepaid_lock) + _word32(lock_id)
    parties = address_word(requester) + address_word(processor)
    return tag_hash(b"DMSM-V1-answer") + head + parties


def factor_key(factor: bytes, lock_id: bytes) -> bytes:
    """Derive the key of the outer box of an answer from the secret factor x of its lock."""
    return hkdf(_word32(factor), salt=_word32(lock_id), info=FACTOR_INFO)


def status(*, chain_id: int, notification_board: Account, device: Account, owner: Account) -> bytes:
    """Context of a status report, sealed to the device's owner."""
    parties = _parties(chain_id, notification_board, device, owner)
    return tag_hash(b"DMSM-V1-status") + parties


def companion(*, chain_id: int, data_sets: Account, data_set_id: bytes) -> bytes:
    """Context of a data set's companion file."""
    return tag_hash(b"DMSM-V1-companion") + _data_set(chain_id, data_sets, data_set_id)


def manifest(*, chain_id: int, data_sets: Account, data_set_id: bytes) -> bytes:
    """Context of a data set's manifest."""
    return tag_hash(b"DMSM-V1-manifest") + _data_set(chain_id, data_sets, data_set_id)


def opening(
    *,
    chain_id: int,
    data_market: Account,
    requester: Account,
    processor: Account,
    nonce: bytes,
) -> bytes:
    """Context of a sharer's ID opening, sealed to one processor; `nonce` is the broadcast's, whose
    id commits to what is sealed.
    """
    parties = _parties(chain_id, data_market, requester, processor)
    return tag_hash(b"DMSM-V1-opening") + parties + _word32(nonce)


def sharing(
    *, chain_id: int, prepaid_lock: Account, requester: Account, processor: Account, nonce: bytes
) -> bytes:
    """Context of a sharer's selection text M_s, sealed to the processor."""
    parties = _parties(chain_id, prepaid_lock, requester, processor)
    return tag_hash(b"DMSM-V1-sharing") + parties + _word32(nonce)


def share(
    *, chain_id: int, prepaid_lock: Account, lock_id: bytes, sender: Account, recipient: Account
) -> bytes:
    """Context of a recovered share, sealed from one member of a group to another."""
    head = word(chain_id) + address_word(prepaid_lock) + _word32(lock_id)
    return tag_hash(b"DMSM-V1-share") + head + address_word(sender) + address_word(recipient)


def evidence(
    *, chain_id: int, prepaid_lock: Account, lock_id: bytes, by: Account, keys_digest: bytes
) -> bytes:
    """Context of the evidence that one account brings to a dispute; `keys_digest` is SHA-256 of
    what stands before the box.
    """
    head = word(chain_id) + address_word(prepaid_lock) + _word32(lock_id)
    tail = address_word(by) + _word32(keys_digest)
    return tag_hash(b"DMSM-V1-evidence") + head + tail


def evidence_key(
    *, chain_id: int, prepaid_lock: Account, lock_id: bytes, by: Account, judge: Account
) -> bytes:
    """Context of the key to a dispute's evidence, sealed to one judge."""
    head = word(chain_id) + address_word(prepaid_lock) + _word32(lock_id)
    return tag_hash(b"DMSM-V1-evidence-key") + head + address_word(by) + address_word(judge)


def _parties(chain_id: int, contract: Account, first: Account, second: Account) -> bytes:
    return word(chain_id) + address_word(contract) + address_word(first) + address_word(second)


def _data_set(chain_id: int, data_sets: Account, data_set_id: bytes) -> bytes:
    return word(chain_id) + address_word(data_sets) + _word32(data_set_id)


def _uint(value: int, length: int) -> int:
    """Return `value` if it fits a Solidity integer of `length` bytes."""
    fixed_width(value, length)
    return value


def _word32(value: bytes) -> bytes:
    return exact_bytes(value, 32, name="a 32-byte word")
