"""Batches that a device signs, for somebody else to bring (IDataLedger.anchorDigest)."""

from __future__ import annotations

from typing import Any

from brownie import web3
from eth_abi import encode
from eth_keys import keys
from eth_utils import keccak

TAG = keccak(text="DMSM-V1-anchor")
KINDS = ["bytes32", "uint256", "address", "address", "uint64", "uint32", "bytes32", "uint40"]
A_DAY_S = 86_400


def batch_hash(from_seq: int, count: int, root: bytes) -> bytes:
    """Return what the ledger keeps of a batch."""
    return keccak(encode(["uint64", "uint32", "bytes32"], [from_seq, count, root]))


def expiry() -> int:
    """Return a day from the latest block on."""
    return int(web3.eth.get_block("latest")["timestamp"]) + A_DAY_S


def digest_of(
    ledger: Any, device: Any, batch: tuple[int, int, bytes, int], **changed: Any
) -> bytes:
    """Return what a device signs; ``chain_id``, ``ledger_address`` and ``tag`` make it another."""
    place = [changed.get("chain_id", web3.eth.chain_id), changed.get("ledger_address", ledger)]
    values = [changed.get("tag", TAG), place[0], str(place[1]), device.address, *batch]
    return keccak(encode(KINDS, values))


def sign_digest(account: Any, digest: bytes) -> bytes:
    """Return r ‖ s ‖ v with v of 27 or 28, by a local account."""
    signature = keys.PrivateKey(bytes.fromhex(account.private_key[2:])).sign_msg_hash(digest)
    return signature.to_bytes()[:64] + bytes([27 + signature.v])


def signed(
    ledger: Any,
    device: Any,
    from_seq: int,
    count: int,
    root: bytes,
    *,
    expires_at: int | None = None,
) -> tuple:
    """Return a SignedBatch of a member whose account is local; it expires in a day if not told."""
    batch = (from_seq, count, root, expires_at or expiry())
    digest = digest_of(ledger, device, batch)
    return (device.address, *batch, sign_digest(device.account, digest))
