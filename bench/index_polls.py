"""What an idle poll of a whole processing node costs, beside locks that have ended: a process of
its own, so that its memory is the node's alone.

    python -m bench.index_polls FOLDER DEPLOYMENT RPC_URL ENDED

The account of DMSM_NODE_KEY is the node's. Prints the median seconds of a poll and the process's
peak memory in KiB. `prepare` fills the folder, in another process, for the same reason.
"""

from __future__ import annotations

import os
import resource
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from eth_account import Account
from sqlalchemy import Connection, func, insert, select

from offchain.chain.deployment import load_deployment
from offchain.chain.gateway import ChainGateway
from offchain.crypto.modulus import MIN_BITS
from offchain.crypto.secret import SecretBytes
from offchain.index.chain_index import ChainIndex
from offchain.index.projections.locks import locks
from offchain.index.tables import OPEN
from offchain.member.directory import MemberDirectory
from offchain.member.keys import MemberKeys
from offchain.member.roles import LockState, MemberRole
from offchain.node.node import ProcessingNode
from offchain.node.outcome import NodeTerms
from offchain.node.request_tables import JobState
from offchain.node.store import NodeStore
from offchain.node.tables import requests
from offchain.storage.directory import DirectoryStore

_PASSWORD = SecretBytes(b"of a bench")
_POLLS, _WARM_UP, _AT_ONCE = 40, 5, 1_000
_ANSWER = bytes(900)


def prepare(folder: Path, gateway: ChainGateway, account_key: str, *, ended: int) -> None:
    """Make a node's keys, its index up to the chain's head, and `ended` settled requests in both
    the index and the node's own store, with their answers.
    """
    folder.mkdir()
    keys = MemberKeys.generate(
        MemberRole.PROCESSOR, account_key=account_key, paillier_bits=MIN_BITS
    )
    keys.save(folder / "keys", _PASSWORD, light=True)
    with (
        ChainIndex(folder / "index.sqlite", gateway) as index,
        NodeStore(folder / "node.sqlite") as held,
    ):
        index.follower.catch_up()
        block = index.newest()
        for start in range(0, ended, _AT_ONCE):
            numbers = range(start, min(start + _AT_ONCE, ended))
            with index.database.write() as connection:
                _insert_locks(connection, keys.address, numbers, block)
            with held._database.write() as connection:
                _insert_jobs(connection, keys.address, numbers)


def main() -> int:
    """Poll and print."""
    folder, deployment, url, ended = sys.argv[1:]
    gateway = ChainGateway(
        [url],
        load_deployment(Path(deployment)),
        account=Account.from_key(os.environ["DMSM_NODE_KEY"]),
    )
    place = Path(folder)
    with (
        ChainIndex(place / "index.sqlite", gateway) as index,
        NodeStore(place / "node.sqlite") as held,
    ):
        with held._database.read() as connection:
            assert connection.scalar(select(func.count()).select_from(requests)) == int(ended)
        store = DirectoryStore(place / "content")
        node = ProcessingNode(
            gateway=gateway,
            index=index,
            store=store,
            keys=MemberKeys.load(place / "keys", _PASSWORD),
            readings=held,
            directory=MemberDirectory(gateway, store),
            terms=NodeTerms(data_set_price_wei=1, bond_wei=0, bond_limit_wei=0),
        )
        times = []
        for _ in range(_WARM_UP + _POLLS):
            began = time.perf_counter()
            outcomes = node.worker.run_once()
            times.append(time.perf_counter() - began)
            assert outcomes == [], outcomes
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(statistics.median(times[_WARM_UP:]), peak_kb)
    return 0


def _insert_locks(connection: Connection, payee: str, numbers: range, block: int) -> None:
    same: dict[str, Any] = dict.fromkeys((column.name for column in locks.columns), 0)
    same |= {"payer": payee, "payee": payee, "disputed_by": None, "is_demanded": False}
    same |= {"state": LockState.SETTLED, "is_ended": True, "from_block": block, "to_block": OPEN}
    same |= dict.fromkeys(("subject", "binding", "answer_digest", "secret"), bytes(32))
    rows = [same | {"lock_id": number.to_bytes(32, "big")} for number in numbers]
    connection.execute(insert(locks), rows)


def _insert_jobs(connection: Connection, requester: str, numbers: range) -> None:
    same: dict[str, Any] = {
        "requester": requester,
        "type_id": 1,
        "expires_at": 1,
        "state": JobState.CLAIMED,
    }
    same |= {"factor": bytes(32), "answer": _ANSWER}
    ids = [{"lock_id": (id_ := number.to_bytes(32, "big")), "nonce": id_} for number in numbers]
    connection.execute(insert(requests), [same | one for one in ids])


if __name__ == "__main__":
    sys.exit(main())
