"""The first block: Clique for Geth, QBFT for Besu, both by London's rules.

Sources: EIP-225 (Clique extra data), Besu's QBFT documentation (extraData).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import rlp

from offchain.network.errors import PlanInvalid
from offchain.types import ENGINE_FINALITY, final_depth

GAS_LIMIT = 60_000_000  # room for a burst; the largest call (docs/gas.md) takes 7.03M
BASE_FEE_WEI = 7  # the least that London's rule can fall to; it climbs by 12.5 % a full block
EPOCH = 30_000
RANKED_BLOCK = 1  # not 0: a fork at the genesis is none that a handshake would tell
_VANITY, _SEAL = bytes(32), bytes(65)
_QBFT_MIX_HASH = "0x63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365"
_FORKS = (
    *("homesteadBlock", "eip150Block", "eip155Block", "eip158Block", "byzantiumBlock"),
    *("constantinopleBlock", "petersburgBlock", "istanbulBlock", "berlinBlock", "londonBlock"),
)


def clique_genesis(
    *,
    chain_id: int,
    period_s: int,
    signers: Sequence[str],
    funds_wei: Mapping[str, int],
    ranked: bool = False,
) -> dict[str, Any]:
    """Return a Geth genesis whose blocks `signers` seal, every `period_s` or, at 0, on demand.

    `funds_wei` are the first balances by account. `ranked`: signers are ranked from the first block
    on, a rule that stock Geth lacks (docs/decisions/035). Raises PlanInvalid.
    """
    config: dict[str, Any] = {"chainId": chain_id, **dict.fromkeys(_FORKS, 0)}
    config["clique"] = {"period": period_s, "epoch": EPOCH}
    if ranked:
        config["clique"]["rankedBlock"] = RANKED_BLOCK
    return _genesis(config, funds_wei, extra_data=clique_extra_data(signers))


def qbft_genesis(
    *, chain_id: int, period_s: int, validators: Sequence[str], funds_wei: Mapping[str, int]
) -> dict[str, Any]:
    """Return a Besu genesis for QBFT; a block every `period_s`, at least one second.

    Not run by this project's tests: see docs/network.md. Raises PlanInvalid.
    """
    config: dict[str, Any] = {"chainId": chain_id, **dict.fromkeys(_FORKS, 0)}
    config["qbft"] = {
        "epochlength": EPOCH,
        "blockperiodseconds": max(1, period_s),
        "requesttimeoutseconds": 2 * max(1, period_s),
    }
    ordered = sorted(validators, key=_address_bytes)
    genesis = _genesis(config, funds_wei, extra_data=qbft_extra_data(ordered))
    return genesis | {"mixHash": _QBFT_MIX_HASH}


def clique_extra_data(signers: Sequence[str]) -> str:
    """Return 32 bytes of vanity, the signers in ascending order, an empty seal of 65 bytes."""
    addresses = sorted(_addresses(signers))
    return "0x" + (_VANITY + b"".join(addresses) + _SEAL).hex()


def qbft_extra_data(validators: Sequence[str]) -> str:
    """Return RLP([vanity, validators in the order given, no vote, round 0, no seals])."""
    return "0x" + rlp.encode([_VANITY, _addresses(validators), [], 0, []]).hex()


def confirmations(engine: str, signers: int) -> int:
    """Return how many blocks must lie on one before it is final (`offchain.types.final_depth`)."""
    return final_depth(ENGINE_FINALITY[engine], signers)


def _genesis(
    config: dict[str, Any], funds_wei: Mapping[str, int], *, extra_data: str
) -> dict[str, Any]:
    return {
        "config": config,
        "nonce": "0x0",
        "timestamp": "0x0",
        "extraData": extra_data,
        "gasLimit": hex(GAS_LIMIT),
        "difficulty": "0x1",
        "mixHash": "0x" + bytes(32).hex(),
        "coinbase": "0x" + bytes(20).hex(),
        "baseFeePerGas": hex(BASE_FEE_WEI),
        "alloc": {
            account.removeprefix("0x"): {"balance": hex(wei)} for account, wei in funds_wei.items()
        },
    }


def _addresses(accounts: Sequence[str]) -> list[bytes]:
    found = [_address_bytes(account) for account in accounts]
    if not found:
        raise PlanInvalid("a chain needs at least one signer")
    if len(set(found)) != len(found):
        raise PlanInvalid("a signer is named twice")
    return found


def _address_bytes(account: str) -> bytes:
    try:
        raw = bytes.fromhex(account.removeprefix("0x"))
    except ValueError:
        raw = b""
    if len(raw) != 20:
        raise PlanInvalid(f"{account!r} is no account (0x and 40 hexadecimal digits)")
    return raw
