"""Write the fixtures of the Foundry tests, made by ``offchain/crypto``.

    .venv/bin/python -m tests.forge.vectors.make [--check]

``G2Table.sol`` holds scalars and their multiples of G2's generator, which the EVM cannot compute.
``transcripts.json`` holds share transcripts, honest and altered, with their seeds; a new run deals
new ones. ``--check`` writes nothing and verifies what stands in both files.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from offchain.crypto import curve, delivery, sharing

HERE = Path(__file__).resolve().parent

COUNT = 96
SIZES = ((2, 2), (2, 3), (3, 3), (3, 5), (6, 10), (34, 50), (67, 100))
Q = 0x30644E72E131A029B85045B68181585D2833E84879B9709143E1F593F0000001
CHAIN_ID = 31337
PREPAID_LOCK = "0x00000000000000000000000000000000000a11ce"
LOCK_ID, DATA_SET_ID = b"\x01" * 32, b"\x02" * 32

TABLE = """// SPDX-License-Identifier: MIT
pragma solidity 0.8.28;

import {{G2Point}} from "../../../contracts/types/Points.sol";

/// @title G2Table
/// @notice Scalars and their multiples of G2's generator. Written by make.py; do not edit.
library G2Table {{
    uint256 internal constant COUNT = {count};

    /// @notice SHA-256("dmsm forge" ‖ uint32 index) mod q.
    function secret(uint256 index) internal pure returns (uint256) {{
        return uint256(sha256(abi.encodePacked("dmsm forge", uint32(index))))
            % 0x{q:064x};
    }}

    /// @notice [secret(index)]G2.
    function point(uint256 index) internal pure returns (G2Point memory it) {{
        bytes memory all = POINTS;
        require(index < COUNT, "G2Table: index");
        assembly ("memory-safe") {{
            let at := add(add(all, 0x20), mul(index, 0x80))
            mcopy_(it, at)
            function mcopy_(to, from) {{
                mstore(to, mload(from))
                mstore(add(to, 0x20), mload(add(from, 0x20)))
                mstore(add(to, 0x40), mload(add(from, 0x40)))
                mstore(add(to, 0x60), mload(add(from, 0x60)))
            }}
        }}
    }}

    bytes private constant POINTS =
{points};
}}
"""


def secret(index: int) -> int:
    """Return the scalar of an index."""
    return int.from_bytes(hashlib.sha256(b"dmsm forge" + index.to_bytes(4, "big")).digest()) % Q


def table() -> str:
    """Return the Solidity table."""
    points = (sharing.key_commitment(sharing.DataKey(secret(i))).to_bytes() for i in range(COUNT))
    lines = "\n".join(f'        hex"{point.hex()}"' for point in points)
    return TABLE.format(count=COUNT, q=Q, points=lines)


def words(points: Any) -> list[str]:
    """Flatten points to hex words."""
    return [f"0x{word:064x}" for point in points for word in point.words()]


def transcript(threshold: int, members: int) -> dict[str, Any]:
    """Deal and verify one transcript with fresh randomness."""
    secrets = [delivery.DeliverySecretKey.generate() for _ in range(members)]
    keys = [delivery.public_key(it) for it in secrets]
    data_key = sharing.DataKey.generate()
    dealt = sharing.deal(data_key, threshold=threshold, delivery_keys=keys)
    grant = sharing.Grant(
        chain_id=CHAIN_ID,
        prepaid_lock=PREPAID_LOCK,
        lock_id=LOCK_ID,
        data_set_id=DATA_SET_ID,
        threshold=threshold,
        delivery_keys=tuple(keys),
        key_commitment=sharing.key_commitment(data_key),
    )
    return {
        "threshold": threshold,
        "members": members,
        "deliveryKeys": words(keys),
        "shares": words(dealt.shares),
        "commitments": words(dealt.commitments),
        "seed": "0x" + sharing.transcript_seed(dealt, grant).hex(),
    }


def transcripts() -> dict[str, Any]:
    """Return the content of transcripts.json."""
    return {
        "source": "offchain/crypto/sharing.py by tests/forge/vectors/make.py",
        "prepaidLock": PREPAID_LOCK,
        "lockId": "0x" + LOCK_ID.hex(),
        "dataSetId": "0x" + DATA_SET_ID.hex(),
        "transcripts": [transcript(*size) for size in SIZES],
    }


def check() -> bool:
    """Tell whether both files hold what ``offchain/crypto`` accepts."""
    if (HERE / "G2Table.sol").read_text() != table():
        return False
    held = json.loads((HERE / "transcripts.json").read_text())["transcripts"]
    return all(_is_valid(it) for it in held) and [
        (it["threshold"], it["members"]) for it in held
    ] == list(SIZES)


def _is_valid(it: dict[str, Any]) -> bool:
    def points(name: str, kind: Any, width: int) -> list[Any]:
        flat = [int(word, 16) for word in it[name]]
        return [kind.from_words(flat[i : i + width]) for i in range(0, len(flat), width)]

    keys, shares = points("deliveryKeys", curve.G1, 2), points("shares", curve.G1, 2)
    commitments = points("commitments", curve.G2, 4)
    dealt = sharing.Transcript(commitments=tuple(commitments), shares=tuple(shares))
    grant = sharing.Grant(
        chain_id=CHAIN_ID,
        prepaid_lock=PREPAID_LOCK,
        lock_id=LOCK_ID,
        data_set_id=DATA_SET_ID,
        threshold=it["threshold"],
        delivery_keys=tuple(keys),
        key_commitment=commitments[0],
    )
    seed = "0x" + sharing.transcript_seed(dealt, grant).hex()
    return seed == it["seed"] and sharing.verify_transcript(dealt, grant)


def main() -> int:
    """Write or check; return the exit code."""
    if "--check" in sys.argv[1:]:
        return 0 if check() else 1
    (HERE / "G2Table.sol").write_text(table())
    (HERE / "transcripts.json").write_text(json.dumps(transcripts(), indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
