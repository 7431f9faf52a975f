"""Run a node's worker or publisher once in a process of its own, so that a test may kill it."""

import json
import sys
from pathlib import Path

from offchain.chain.deployment import load_deployment
from offchain.chain.gateway import ChainGateway
from offchain.chain.outbox import TransactionOutbox
from offchain.crypto.secret import SecretBytes
from offchain.index.chain_index import ChainIndex
from offchain.member.directory import MemberDirectory
from offchain.member.keys import MemberKeys
from offchain.node.node import ProcessingNode
from offchain.node.outcome import NodeTerms
from offchain.node.store import NodeStore
from offchain.storage import open_copied_store, open_store

BITS = 2048


def main(config: dict) -> None:
    """Do one round of what the config names: "worker", or "publish" with a window."""
    deployment = load_deployment(config["deployment"])
    keys = MemberKeys.load(Path(config["keys"]), SecretBytes(config["password"].encode()))
    outbox = TransactionOutbox(Path(config["outbox"])) if config["outbox"] else None
    gateway = ChainGateway(
        config["rpc"], deployment, account=keys.account, outbox=outbox, gas_price_wei=0
    )
    store = (
        open_copied_store(config["store"], Path(config["content"]))
        if isinstance(config["store"], list)
        else open_store(config["store"])
    )
    node = ProcessingNode(
        gateway=gateway,
        index=ChainIndex(Path(config["keys"]).parent / "index.sqlite", gateway),
        store=store,
        keys=keys,
        readings=NodeStore(config["held"]),
        directory=MemberDirectory(gateway, store, paillier_bits=BITS),
        terms=NodeTerms(
            data_set_price_wei=config["price_wei"],
            confirmations=config.get("confirmations", 0),
            republish=config.get("republish", False),
        ),
        paillier_bits=BITS,
    )
    if config["what"] == "publish":
        node.publisher.publish(*config["window"])
        return
    outcomes = node.worker.run_once()
    print(json.dumps([outcome.kind for outcome in outcomes]))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
