"""A chain of 10,000 blocks and 100,000 events whose answers are prepared: for bench.index.

Requests that were accepted, claimed and settled, and anchored batches beside them: what a busy
consortium's chain holds most of.
"""

from __future__ import annotations

import hashlib
import json
import random
from typing import Any

from offchain.chain import codec
from offchain.chain.deployment import load_abi
from offchain.types import to_account

EVENTS, BLOCKS = 100_000, 10_000
CHAIN_ID, START_S = 31337, 1_700_000_000
NAMES = (
    "MemberRegistry",
    "ConsentBook",
    "DataLedger",
    "RequestCatalogue",
    "CreditBook",
    "PrepaidLock",
    "DataMarket",
    "DisputeCourt",
    "Consortium",
    "NotificationBoard",
    "TariffBook",
)


def _account(number: int) -> str:
    return to_account(number.to_bytes(20, "big"))


PAYEE = _account(0xBEEF)
_FAR = 1_900_000_000


class StandIn:
    """Answers JSON-RPC from memory."""

    def __init__(self) -> None:
        self.addresses = {name: _account(0xC000 + place) for place, name in enumerate(NAMES)}
        contracts = {name: {"address": at, "block": 1} for name, at in self.addresses.items()}
        self.deployment = {"chain_id": CHAIN_ID, "contracts": contracts}
        self._entries = {
            name: {e["name"]: e for e in load_abi(name) if e["type"] == "event"}
            for name in ("PrepaidLock", "DataLedger")
        }
        self._rng = random.Random(1)
        self._blocks = [self._logs(number) for number in range(BLOCKS + 1)]

    def answer(self, body: Any) -> bytes:
        """Return the answer to one request or a batch."""
        if isinstance(body, list):
            return b"[" + b",".join(self._one(one) for one in body) + b"]"
        return self._one(body)

    def _one(self, body: dict[str, Any]) -> bytes:
        method, params = body["method"], body["params"]
        if method == "eth_getLogs":
            start, end = (int(params[0][name], 16) for name in ("fromBlock", "toBlock"))
            result = "[" + ",".join(filter(None, self._blocks[start : end + 1])) + "]"
        elif method == "eth_getBlockByNumber":
            result = json.dumps(self._header(int(params[0], 16)))
        else:
            plain = {"eth_chainId": hex(CHAIN_ID), "eth_blockNumber": hex(BLOCKS)}
            result = json.dumps(plain[method])
        return f'{{"jsonrpc":"2.0","id":{body["id"]},"result":{result}}}'.encode()

    def _header(self, number: int) -> dict[str, str]:
        times = {"number": hex(number), "timestamp": hex(START_S + 5 * number)}
        return {"hash": _hash(number), "parentHash": _hash(number - 1), **times}

    def _logs(self, number: int) -> str:
        """Return a block's logs as JSON: two locks whole and two batches."""
        if number == 0:
            return ""
        events = [one for _ in range(2) for one in [*self._lock(), self._batch()]]
        return ",".join(json.dumps(self._log(number, i, *one)) for i, one in enumerate(events))

    def _lock(self) -> list[tuple[str, str, dict[str, Any]]]:
        rng, lock_id = self._rng, self._rng.randbytes(32)
        payer = _account(0x10000 + rng.randrange(1_000))
        order = {"processor": PAYEE, "typeId": 1, "messageLength": 900, "signedAt": START_S}
        order |= {"expiresAt": _FAR, "messageDigest": lock_id, "nonce": rng.randbytes(32)}
        point = {"x": rng.getrandbits(250), "y": rng.getrandbits(250)}
        terms = {"rulesVersion": 1, "sharingVersion": 0, "disputeWindowSeconds": 60, "feeBps": 200}
        terms |= {"ownersBps": 0}
        order["terms"] = terms | {"longestAnswerBytes": 32_768, "bondWei": 10**15}
        own = {"lockId": lock_id, "payer": payer, "payee": PAYEE}
        asked = {"priceWei": 10**15, "order": order, "signature": point}
        accepted = {"secretHash": lock_id, "answerDigest": lock_id, "answerLength": 900}
        settled = {"priceWei": 10**15, "feeWei": 2 * 10**13, "ownersWei": 0, "gainWei": 0}
        steps = {"Requested": asked, "Accepted": accepted}
        steps |= {"Claimed": {"secret": lock_id, "dueAt": START_S}, "Settled": settled}
        return [("PrepaidLock", name, {**own, **args}) for name, args in steps.items()]

    def _batch(self) -> tuple[str, str, dict[str, Any]]:
        device = _account(0x20000 + self._rng.randrange(1_000))
        args = {"device": device, "fromSeq": 1, "count": 24, "root": self._rng.randbytes(32)}
        return "DataLedger", "BatchAnchored", args

    def _log(
        self, block: int, index: int, contract: str, name: str, args: dict[str, Any]
    ) -> dict[str, Any]:
        entry = self._entries[contract][name]
        indexed = [part for part in entry["inputs"] if part["indexed"]]
        plain = [part for part in entry["inputs"] if not part["indexed"]]
        topics = ["0x" + codec.topic(entry).hex()]
        topics += [codec.encode_topic(entry, part["name"], args[part["name"]]) for part in indexed]
        values = [args[part["name"]] for part in plain]
        return {
            "address": self.addresses[contract].lower(),
            "topics": topics,
            "data": "0x" + codec.encode(plain, values, what=name).hex(),
            "blockNumber": hex(block),
            "blockHash": _hash(block),
            "logIndex": hex(index),
            "transactionHash": _hash(block),
            "transactionIndex": "0x0",
            "removed": False,
        }


def _hash(number: int) -> str:
    return "0x" + hashlib.sha256(number.to_bytes(8, "big", signed=True)).hexdigest()
