"""Put an agent together from its configuration and run it."""

import time
from collections.abc import Callable
from typing import TypeVar

from eth_account import Account as EthAccount

from device_agent.agent import PASSING, Agent
from device_agent.config import Config
from device_agent.delivery import Delivery
from device_agent.keys import load_keys
from device_agent.meter.csv_replay import CsvReplay
from device_agent.node_client import NodeClient
from device_agent.notify import Watcher, load_trials
from device_agent.outbox import Outbox
from device_agent.progress import Progress
from device_agent.reconcile import reconcile_chain, reconcile_node
from device_agent.seal import Sealer
from device_agent.surroundings import Surroundings, find_policy, find_surroundings
from offchain.chain.deployment import load_deployment
from offchain.chain.gateway import ChainGateway
from offchain.chain.outbox import TransactionOutbox
from offchain.types import to_account

_RETRY_S = 0.5
T = TypeVar("T")


def run_agent(config: Config) -> None:
    """Run one device until its input ends. Raises DmsmError; see `device_agent.errors`."""
    meter = CsvReplay(config.meter_csv, days=config.days)
    trials = load_trials(config.inject)
    keys = load_keys(config.keys, config.password_file)
    account = EthAccount.from_key(keys.account.reveal())
    progress = Progress(device=to_account(account.address), status_file=config.status_file)
    with Outbox(config.outbox) as outbox:
        if outbox.put_aside:
            progress.tell("damaged", put_aside=str(outbox.put_aside))
        transactions = TransactionOutbox(f"{config.outbox}.transactions")
        gateway = _patiently(
            config,
            progress,
            lambda: ChainGateway(
                config.rpc_url,
                load_deployment(config.deployment),
                account=account,
                outbox=transactions,
                gas_price_wei=config.gas_price_wei,
            ),
        )
        node = NodeClient(config.node_url)
        place = _patiently(config, progress, lambda: _arrive(outbox, gateway, node))
        link, sealer = place.link, Sealer(keys, place)
        progress.tell("started", next_seq=outbox.next_seq, processor=link.processor)
        Agent(
            meter=meter,
            outbox=outbox,
            sealer=sealer,
            watcher=Watcher(last=outbox.last_report(), trials=trials),
            delivery=Delivery(
                outbox=outbox,
                sealer=sealer,
                gateway=gateway,
                node=node,
                progress=progress,
                link=link,
                owner=place.owner,
                max_batch=config.max_batch,
            ),
            find_policy=lambda: find_policy(gateway, link.device),
            progress=progress,
            pace_s=config.pace_s,
            flush_every=config.flush_every,
            give_up_after_s=config.give_up_after_s,
        ).run()
        node.close()
        transactions.close()


def _arrive(outbox: Outbox, gateway: ChainGateway, node: NodeClient) -> Surroundings:
    """Learn the device's place, and whether the outbox is its own and the newest."""
    place = find_surroundings(gateway)
    link = place.link
    outbox.claim(chain_id=link.chain_id, device=link.device, data_ledger=link.data_ledger)
    reconcile_chain(outbox, gateway, link.device)
    reconcile_node(outbox, node, link.device)
    return place


def _patiently(config: Config, progress: Progress, step: Callable[[], T]) -> T:
    """Try a step again while node or chain cannot be reached, for `give_up_after_s`."""
    deadline = time.monotonic() + config.give_up_after_s
    while True:
        try:
            return step()
        except PASSING as error:
            if time.monotonic() > deadline:
                raise
            progress.tell("delayed", reason=str(error))
            time.sleep(_RETRY_S)
