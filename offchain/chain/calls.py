"""Calls by contract and function name, and how what they return is read by the ABI."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from offchain.chain import answers, codec
from offchain.chain.codec import Abi
from offchain.chain.deployment import Deployment
from offchain.chain.errors import AbiMismatch, DeploymentInvalid, NodeRefused
from offchain.chain.questions import BlockId, Question, block_id
from offchain.chain.reverts import is_revert, revert_of


@dataclass(frozen=True)
class Call:
    """A call of a function; `gas` None is estimated, `intent` names it for the outbox.

    One with `secret` arguments is called dry by the first chain node alone.
    """

    contract: str
    function: str
    args: Sequence[Any] = field(default=(), repr=False)
    value_wei: int = 0
    gas: int | None = None
    intent: str | None = None
    secret: bool = False


def entry_of(deployment: Deployment, call: Call) -> tuple[str, Abi]:
    """Return the address that a call goes to, and its function's ABI. Raises AbiMismatch."""
    target = deployment.contract(call.contract)
    try:
        return target.address, codec.find_function(target.abi, call.function, len(call.args))
    except AbiMismatch as error:
        raise AbiMismatch(f"{call.contract}: {error}") from error


def read_question(
    deployment: Deployment, call: Call, *, block: BlockId, sender: str | None
) -> Question[Any]:
    """Return the question what a call returns; its answer is read by the ABI.

    An answer that does not fit may be one node's fault or that of the deployment file: the question
    raises DeploymentInvalid or AbiMismatch, if no node gives another.
    """
    target, entry = entry_of(deployment, call)
    fields = {"to": target, "data": "0x" + codec.encode_call(entry, call.args).hex()}
    if sender is not None:
        fields["from"] = sender

    def read(answer: object) -> Any:
        returned = answers.data(answer)
        if not returned and entry["outputs"]:
            raise DeploymentInvalid(
                f"nothing answers at {call.contract}'s address {target}; "
                "is it deployed on this chain?"
            )
        return codec.decode_result(entry, returned)

    return Question("eth_call", [fields, block_id(block)], read)


def unless_refused(deployment: Deployment, contract: str, answer: Any) -> Any:
    """Return the answer of a call to `contract`. Raises ContractRevert, NodeRefused."""
    if not isinstance(answer, NodeRefused):
        return answer
    if is_revert(answer):
        raise revert_of(deployment, contract, answer) from answer
    raise answer
