"""Reading a chain: calls, blocks, balances, events, and which block is final."""

from collections.abc import Sequence
from typing import Any

from offchain.chain import codec, questions
from offchain.chain.calls import Call, read_question, unless_refused
from offchain.chain.clock import PACE_S, ChainClock
from offchain.chain.deployment import Deployment
from offchain.chain.endpoint import Endpoint
from offchain.chain.errors import NodeRefused
from offchain.chain.facts import Block, ChainEvent
from offchain.chain.health import STALE_BEATS, HealthGate, HealthLimits
from offchain.chain.questions import BlockId, Question, block_id
from offchain.chain.receipt import events_question
from offchain.chain.streams import is_stream
from offchain.chain.subscription import NewHeads

Asked = tuple[str, Question[Any]]  # whose contract's, and what


class ChainReader:
    """A chain as nobody in particular sees it. Threads may share it."""

    def __init__(
        self,
        rpc_urls: Sequence[str],
        deployment: Deployment,
        *,
        confirmations: int = 0,
        heartbeat_s: float | None = None,
    ) -> None:
        """Connect to the first that answers. Raises ChainMismatch, NodeUnavailable.

        Addresses of lines (ws://, wss://, the path of an IPC socket) are told new blocks by alone.
        """
        asked = [one for one in rpc_urls if not is_stream(one)]
        self._endpoint = Endpoint(asked, chain_id=deployment.chain_id)
        self.new_heads = NewHeads(rpc_urls)
        self.deployment, self.confirmations = deployment, confirmations
        pace_s = PACE_S if heartbeat_s is None else STALE_BEATS * heartbeat_s
        self._clock = ChainClock(pace_s=pace_s)
        self.chain_id = self._endpoint.ask(questions.chain_id())

    @property
    def endpoint(self) -> Endpoint:
        """Return the JSON-RPC connection, for what has no method here."""
        return self._endpoint

    def health_gate(self, limits: HealthLimits) -> HealthGate:
        """Return a judge of whether this chain is to be believed, node by node."""
        return HealthGate(self._endpoint, limits, chain_id=self.chain_id)

    def call(
        self,
        contract: str,
        function: str,
        *args: Any,
        block: BlockId = "latest",
        sender: str | None = None,
    ) -> Any:
        """Return a function's result: the value, or a named tuple of several; structs are named.

        `function` is a name, or a full signature where names are overloaded. Raises ContractRevert,
        AbiMismatch, DeploymentInvalid (no contract there), NodeRefused, NodeUnavailable.
        """
        asked = self._question(Call(contract, function, args), block, sender)
        try:
            return self._endpoint.ask(asked)
        except NodeRefused as refusal:
            return unless_refused(self.deployment, contract, refusal)

    def call_many(self, calls: Sequence[Call | tuple], block: BlockId = "latest") -> list[Any]:
        """Return the result of each (contract, function, args), read in one JSON-RPC batch.

        Raises like `call`, for the first that fails.
        """
        whole = [call if isinstance(call, Call) else Call(*call) for call in calls]
        answers = self._endpoint.batch([self._question(call, block, None) for call in whole])
        return [
            unless_refused(self.deployment, call.contract, answer)
            for call, answer in zip(whole, answers, strict=True)
        ]

    # ---- many things by one question

    def asking(self, contract: str, function: str, *args: Any, block: BlockId = "latest") -> Asked:
        """Return the question of `call`, for `ask_together`. Raises AbiMismatch."""
        return contract, self._question(Call(contract, function, args), block, None)

    def asking_events(
        self, contract: str, event: str, *, from_block: BlockId, to_block: BlockId, **indexed: Any
    ) -> Asked:
        """Return the question of `events`, for `ask_together`. Raises AbiMismatch."""
        target = self.deployment.contract(contract)
        entry = target.event(event)
        topics = ["0x" + codec.topic(entry).hex(), *codec.topic_filters(entry, indexed)]
        wanted = {
            "address": target.address,
            "topics": topics,
            "fromBlock": block_id(from_block),
            "toBlock": block_id(to_block),
        }
        return contract, events_question(self.deployment, wanted)

    def ask_together(self, asked: Sequence[Asked]) -> tuple[Block, list[Any]]:
        """Return the newest block and the answer of each, all of one node by one JSON-RPC batch.

        Raises like `call`, for the first that fails.
        """
        whole = [questions.header("latest"), *(one for _, one in asked)]
        newest, *answers = self._endpoint.batch(whole)
        if isinstance(newest, NodeRefused):
            raise newest
        return newest, [
            unless_refused(self.deployment, contract, answer)
            for (contract, _), answer in zip(asked, answers, strict=True)
        ]

    def block(self, block: BlockId = "latest") -> Block:
        """Return a block's header. Raises NodeRefused when there is none."""
        return self._endpoint.ask(questions.existing_header(block))

    def block_number(self) -> int:
        """Return the number of the latest block."""
        return self._endpoint.ask(questions.block_number())

    def now(self, newest: Block | None = None) -> int:
        """Return the time it is, unix seconds: the later of the newest block's and this machine's.

        What is yet to be sent is judged by it: a deadline that one sets, a margin that one keeps.
        `newest`: that block, if it was just asked for.
        """
        return self._clock.now(newest or self.block())

    def contract_time(self) -> int:
        """Return the time of the newest block, unix seconds: what contracts went by last.

        What can no longer happen by it never will; what is given up for good goes by it.
        """
        return self.block().timestamp

    def balance_wei(self, address: str, block: BlockId = "latest") -> int:
        """Return an account's balance in wei."""
        return self._endpoint.ask(questions.balance(address, block))

    def events(
        self,
        contract: str,
        event: str,
        *,
        from_block: BlockId,
        to_block: BlockId = "latest",
        **indexed: Any,
    ) -> tuple[ChainEvent, ...]:
        """Return a contract's events of one name, in order; `indexed` arguments filter.

        Raises AbiMismatch, NodeRefused, NodeUnavailable.
        """
        _, asked = self.asking_events(
            contract, event, from_block=from_block, to_block=to_block, **indexed
        )
        return self._endpoint.ask(asked)

    # ---- what is final

    def final(self, confirmations: int | None = None) -> BlockId:
        """Return the newest final block, to be read at: "latest" where every block is final.

        Never one before the contracts were there. `confirmations` None is the gateway's own.
        """
        return self.final_number(confirmations) if self._depth(confirmations) else "latest"

    def final_number(self, confirmations: int | None = None, *, newest: Block | None = None) -> int:
        """Return the number of the block that `final` means. `newest`: the newest block, if that
        was just asked for.
        """
        head = self.block_number() if newest is None else newest.number
        return max(self.deployment.last_block, head - self._depth(confirmations))

    def _depth(self, confirmations: int | None) -> int:
        return self.confirmations if confirmations is None else confirmations

    # ---- requests

    def _reads_as(self) -> str | None:
        """Return whom calls come from, if anybody."""
        return None

    def _question(self, call: Call, block: BlockId, sender: str | None) -> Question[Any]:
        return read_question(self.deployment, call, block=block, sender=sender or self._reads_as())
