"""Put an agent together from its configuration and run it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass

from eth_account import Account as EthAccount

from device_agent.agent import Agent
from device_agent.config import Config
from device_agent.courier import Courier
from device_agent.errors import BadSetup
from device_agent.keys import load_keys
from device_agent.meter.csv_replay import CsvReplay
from device_agent.meter.port import Meter
from device_agent.node_client import NodeClient
from device_agent.notify import Watcher, load_trials
from device_agent.outbox import Outbox
from device_agent.patience import Patience
from device_agent.progress import Progress
from device_agent.recorder import Recorder
from device_agent.seal import Sealer
from device_agent.surroundings import Place
from device_agent.to_chain import ChainDelivery
from device_agent.to_node import NodeDelivery
from offchain.chain.deployment import load_deployment
from offchain.chain.gateway import ChainGateway
from offchain.chain.outbox import TransactionOutbox
from offchain.types import to_account

_DEVELOPMENT_CHAINS = (31337, 1337)  # one node, which takes nothing back


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """What a device has without any network. `connect` opens the way to the chain."""

    config: Config
    place: Place
    sealer: Sealer
    node: NodeClient
    progress: Progress
    connect: Callable[[], ChainGateway]


@contextmanager
def open_kit(config: Config) -> Iterator[Kit]:
    """Read keys and deployment file. Raises DmsmError when one cannot be used."""
    keys = load_keys(config.keys, config.password_file)
    account = EthAccount.from_key(keys.account.reveal())
    deployment = load_deployment(config.deployment)
    _require_confirmations(config, deployment.chain_id)
    place = Place.of(deployment, to_account(account.address))
    with (
        closing(TransactionOutbox(f"{config.outbox}.transactions")) as transactions,
        closing(NodeClient(config.node_url)) as node,
    ):
        yield Kit(
            config=config,
            place=place,
            sealer=Sealer(keys, place),
            node=node,
            progress=Progress(device=place.device, status_file=config.status_file),
            connect=lambda: ChainGateway(
                config.rpc_url,
                deployment,
                account=account,
                outbox=transactions,
                gas_price_wei=config.gas_price_wei,
                confirmations=config.confirmations,
            ),
        )


def _require_confirmations(config: Config, chain_id: int) -> None:
    if config.confirmations < 1 and chain_id not in _DEVELOPMENT_CHAINS:
        raise BadSetup(
            f"confirmations must be named and at least 1 on chain {chain_id}: an anchor may be "
            "taken back by a reorganisation; say how many blocks must lie on what is final "
            "(Clique: half of its signers and one more; QBFT: 1)"
        )


def run_agent(config: Config) -> None:
    """Run one device until its input ends. Raises DmsmError; see `device_agent.errors`."""
    meter = CsvReplay(config.meter_csv, days=config.days)
    watcher = Watcher(last=None, trials=load_trials(config.inject))
    with ExitStack() as stack:
        kit, outbox = _opened(config, stack, runs_on=bool(config.pace_s) or meter.is_live)
        if outbox.put_aside:
            kit.progress.tell("damaged", put_aside=str(outbox.put_aside))
        watcher.resume(outbox.last_report())
        make_agent(kit, outbox, meter, watcher).run()


def _opened(config: Config, stack: ExitStack, *, runs_on: bool) -> tuple[Kit, Outbox]:
    """Open kit and outbox, once their disk has room and no other program holds them. A replay gives
    up after `give_up_after_s`, with its files as they were.
    """

    def step() -> tuple[Kit, Outbox]:
        with ExitStack() as tried:
            kit = tried.enter_context(open_kit(config))
            outbox = tried.enter_context(Outbox(config.outbox))
            claim(outbox, kit.place)
            stack.push(tried.pop_all())
        return kit, outbox

    patience = Patience(
        Progress(device=None), give_up_after_s=None if runs_on else config.give_up_after_s
    )
    return patience.until_done("opening the outbox", step)


def claim(outbox: Outbox, place: Place) -> None:
    """Bind an outbox to its device and chain, or see that it is bound to them. Raises SafeMode."""
    outbox.claim(chain_id=place.chain_id, device=place.device, data_ledger=place.data_ledger)


def make_agent(kit: Kit, outbox: Outbox, meter: Meter, watcher: Watcher) -> Agent:
    """Put the parts of an agent together; nothing is asked of the network yet."""
    config, place, sealer, progress = kit.config, kit.place, kit.sealer, kit.progress
    recorder = Recorder(
        outbox=outbox, sealer=sealer, watcher=watcher, progress=progress, is_live=meter.is_live
    )
    courier = Courier(
        outbox=outbox,
        recorder=recorder,
        sealer=sealer,
        node=kit.node,
        progress=progress,
        device=place.device,
        connect=kit.connect,
        deliveries=lambda gateway: _deliveries(kit, outbox, gateway),
        keep_days=config.keep_days,
    )
    return Agent(
        meter=meter,
        outbox=outbox,
        recorder=recorder,
        courier=courier,
        progress=progress,
        pace_s=config.pace_s,
        flush_every=config.flush_every,
        give_up_after_s=config.give_up_after_s,
    )


def _deliveries(
    kit: Kit, outbox: Outbox, gateway: ChainGateway
) -> tuple[NodeDelivery, ChainDelivery]:
    to_node = NodeDelivery(
        outbox=outbox,
        sealer=kit.sealer,
        gateway=gateway,
        node=kit.node,
        progress=kit.progress,
        device=kit.place.device,
        paillier_bits=kit.config.paillier_bits,
    )
    to_chain = ChainDelivery(
        outbox=outbox,
        sealer=kit.sealer,
        gateway=gateway,
        progress=kit.progress,
        device=kit.place.device,
        max_batch=kit.config.max_batch,
        batch_seconds=kit.config.batch_seconds,
    )
    return to_node, to_chain
