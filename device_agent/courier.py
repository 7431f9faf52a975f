"""Bring everything in the outbox to where it belongs, whenever node and chain can be reached.

Each round asks the chain who serves the region and what the owner wants to be told. A node that
was replaced, fell silent or forgot something is met anew: what it holds is learned, the rest due.
"""

from collections.abc import Callable
from typing import Protocol

from device_agent.errors import BeginningsStopped, NodeRefused, NodeUnreachable, SafeMode
from device_agent.node_client import NodeClient
from device_agent.outbox import Outbox
from device_agent.progress import Progress
from device_agent.reconcile import is_behind, reconcile_chain, reconcile_node
from device_agent.recorder import Recorder
from device_agent.seal import Sealer
from device_agent.surroundings import Surroundings, find_surroundings
from device_agent.to_chain import ChainDelivery
from device_agent.to_node import NodeDelivery
from offchain.chain.errors import NodeUnavailable
from offchain.chain.gateway import ChainGateway
from offchain.types import Account

# What a node says that has lost something, that lags behind the chain, or that serves no longer.
_ASK_AGAIN = {
    "seq_gap",
    "day_unknown",
    "batch_gap",
    "readings_missing",
    "start_refused",
    "not_a_device",
    "no_key",
}


class Deliveries(Protocol):
    """Make both deliveries on a gateway, once there is one."""

    def __call__(self, gateway: ChainGateway) -> tuple[NodeDelivery, ChainDelivery]: ...


class Courier:
    """One device's way to node and chain. `round` may be called at any time, by one thread."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        recorder: Recorder,
        sealer: Sealer,
        node: NodeClient,
        progress: Progress,
        device: Account,
        connect: Callable[[], ChainGateway],
        deliveries: Deliveries,
        keep_days: int,
    ) -> None:
        self._outbox = outbox
        self._recorder = recorder
        self._sealer = sealer
        self._node = node
        self._progress = progress
        self._device = device
        self._connect = connect
        self._deliveries = deliveries
        self._keep_days = keep_days
        self._gateway: ChainGateway | None = None
        self._ways: tuple[NodeDelivery, ChainDelivery] | None = None
        self._is_chain_met = False
        self._met: Account | None = None  # None: what it holds is to be asked
        self._served: Account | None = None
        self._around: Surroundings | None = None

    def prepare(self) -> None:
        """Use a quiet moment for what the next report will need."""
        if self._ways is not None and self._around is not None:
            self._ways[0].prepare_report(self._around)

    def round(self, *, is_end: bool) -> None:
        """Number, send, report, anchor all that is due.

        `is_end`: no more samples come, so that the last, unfinished window becomes a batch too.
        Raises NodeUnreachable, BeginningsStopped and ChainError, after which it may be called
        again, SafeMode, and BadSetup when the device is not active.
        """
        try:
            self._round(is_end=is_end)
        except SafeMode:
            self._recorder.close()
            raise
        except NodeUnavailable:
            self._is_chain_met = False  # who comes back may tell another history
            raise

    def is_final(self) -> bool:
        """Whether no reorganisation can take back what was reported and anchored."""
        return self._gateway is not None and self._gateway.is_settled()

    def _round(self, *, is_end: bool) -> None:
        self._gateway = gateway = self._gateway or self._connect()
        self._ways = to_node, to_chain = self._ways or self._deliveries(gateway)
        self._around = around = find_surroundings(gateway, self._device, self._around)
        if not self._is_chain_met:
            reconcile_chain(self._outbox, gateway, self._device)
            self._is_chain_met = True
        silent = self._try_node(lambda: self._to_node(to_node, to_chain, around))
        if is_behind(self._outbox, gateway, self._device):
            reconcile_chain(self._outbox, gateway, self._device)
        is_complete = is_end and not self._outbox.samples()
        to_chain.cut_batches(is_end=is_complete)
        stopped = _try_anchoring(to_chain)  # needs no node
        silent = silent or self._try_node(to_node.send_batches)
        gateway.settle()  # what a reorganisation took off is sent again, reports too
        if delay := silent or stopped:
            raise delay
        self._outbox.forget(keep_days=self._keep_days)

    def _to_node(
        self, to_node: NodeDelivery, to_chain: ChainDelivery, around: Surroundings
    ) -> None:
        processor = self._meet(around.processor)
        self._recorder.open(around.policy)
        try:
            self._report(to_node, to_chain, around, processor)  # first: the owner waits for these
        finally:
            to_node.send_readings(processor)

    def _report(
        self, to_node: NodeDelivery, to_chain: ChainDelivery, around: Surroundings, node: Account
    ) -> None:
        policy = around.policy
        waiting = to_chain.open_reports(policy)
        if policy is None or not waiting:
            return
        ready = [to_node.keep_report(entry, policy, around, node) for entry in waiting]
        if not to_chain.report(ready):
            self._recorder.forget_standing()

    def _meet(self, processor: Account | None) -> Account:
        if processor is None:
            self._met = None
            raise NodeUnreachable(f"no processing node serves the region of {self._device} now")
        if processor != self._met:
            reconcile_node(
                self._outbox, self._node, self._sealer, device=self._device, processor=processor
            )
            self._met = processor
            if processor != self._served:
                self._served = processor
                seq = self._outbox.next_seq
                self._progress.tell("started", next_seq=seq, processor=processor)
        return processor

    def _try_node(self, step: Callable[[], None]) -> NodeUnreachable | None:
        """Do a step; return why the node could not be reached, and meet it anew then."""
        try:
            step()
        except NodeUnreachable as error:
            self._met = None
            return error
        except NodeRefused as error:
            if error.name not in _ASK_AGAIN:
                raise
            self._met = None
            return NodeUnreachable(f"the node has to be asked again: {error}")
        return None


def _try_anchoring(to_chain: ChainDelivery) -> BeginningsStopped | None:
    """Anchor; return the emergency stop's error, behind which everything else goes on."""
    try:
        to_chain.anchor_batches()
    except BeginningsStopped as stopped:
        return stopped
    return None
