"""Legacy transactions as bytes, signed by libsecp256k1: in a fifth of the time eth-account takes.

Why legacy: Clique and QBFT chains have no fee market, and one price is all there is to raise.
Source: EIP-155; nonces of signatures by RFC 6979, so that the same transaction is the same bytes.
"""

from dataclasses import dataclass, field

import coincurve
from eth_hash.auto import keccak

from offchain.crypto.kept import Kept

# `rlp` takes a quarter of a second to import: only who signs, or reads what was signed, does so.

_FIELDS = 9
_EIP155 = 35


@dataclass(frozen=True, slots=True)
class LegacyTransaction:
    """What is signed; `gas` is its limit, `to` 20 bytes."""

    nonce: int
    gas_price_wei: int
    gas: int
    to: bytes
    value_wei: int
    data: bytes = field(repr=False)


class TransactionSigner(Kept):
    """Sign for one account on one chain. Does not print its key."""

    def __init__(self, key: bytes, *, chain_id: int) -> None:
        """Take a private key of 32 bytes."""
        self._key, self._chain_id = coincurve.PrivateKey(key), chain_id

    def sign(self, transaction: LegacyTransaction) -> tuple[bytes, str]:
        """Return the raw transaction and its 0x-prefixed hash; the same again for the same."""
        import rlp

        fields: list[bytes | int] = [
            transaction.nonce,
            transaction.gas_price_wei,
            transaction.gas,
            transaction.to,
            transaction.value_wei,
            transaction.data,
        ]
        digest = keccak(rlp.encode([*fields, self._chain_id, 0, 0]))
        signature = self._key.sign_recoverable(digest, hasher=None)
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
        raw: bytes = rlp.encode([*fields, _EIP155 + 2 * self._chain_id + signature[64], r, s])
        return raw, "0x" + keccak(raw).hex()


def read_legacy(raw: bytes) -> LegacyTransaction:
    """Return what a raw legacy transaction says. Raises ValueError when it is none."""
    import rlp

    try:
        fields = rlp.decode(raw)
    except rlp.exceptions.RLPException as error:
        raise ValueError(f"no legacy transaction: {error}") from error
    plain = [one for one in fields if isinstance(one, bytes)] if isinstance(fields, list) else []
    if len(plain) != _FIELDS or len(fields) != _FIELDS:
        raise ValueError("no legacy transaction: it has other fields")
    nonce, gas_price_wei, gas, to, value_wei, data = plain[:6]
    return LegacyTransaction(
        nonce=int.from_bytes(nonce, "big"),
        gas_price_wei=int.from_bytes(gas_price_wei, "big"),
        gas=int.from_bytes(gas, "big"),
        to=to,
        value_wei=int.from_bytes(value_wei, "big"),
        data=data,
    )
