"""Run a node's worker or publisher once in a process of its own, so that a test may kill it."""

import json
import sys
from pathlib import Path

from offchain.billing import tariff as tariff_codec
from offchain.chain.deployment import load_deployment
from offchain.chain.gateway import ChainGateway
from offchain.chain.outbox import TransactionOutbox
from offchain.crypto.secret import SecretBytes
from offchain.index.chain_index import ChainIndex
from offchain.member.directory import MemberDirectory
from offchain.member.keys import MemberKeys
from offchain.node.outcome import NodeTerms
from offchain.node.publisher import DataSetPublisher
from offchain.node.store import NodeStore
from offchain.node.worker import NodeWorker
from offchain.storage import open_copied_store, open_store


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
    shared = {
        "gateway": gateway,
        "store": store,
        "keys": keys,
        "readings": NodeStore(Path(config["held"])),
        "directory": MemberDirectory(gateway, store, paillier_bits=2048),
    }
    if config["what"] == "publish":
        publisher = DataSetPublisher(**shared, price_wei=config["price_wei"], paillier_bits=2048)
        publisher.publish(*config["window"])
        return
    tariff = tariff_codec.decode(config["tariff"].encode())
    confirmations = config.get("confirmations", 0)
    terms = NodeTerms(data_set_price_wei=config["price_wei"], confirmations=confirmations)
    index = ChainIndex(Path(config["held"]).with_suffix(".index.sqlite"), gateway)
    outcomes = NodeWorker(**shared, index=index, tariff=tariff, terms=terms).run_once()
    print(json.dumps([outcome.kind for outcome in outcomes]))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
