"""What the agent raises on purpose, and with which exit code the process then ends.

DmsmError
└── AgentError            1  anything that trying again cannot mend
    ├── BadSetup          2  configuration, keys or input
    ├── NodeUnreachable   3  the processing node does not answer (tried again first)
    ├── NodeRefused       1  the processing node refuses a message, by a name
    ├── BeginningsStopped 3  the consortium's emergency stop holds: nothing is anchored until then
    └── SafeMode          4  chain or node know more than the outbox: see `dmsm-agent recover`

A damaged store ends it with 5, one of another version with 6, an error that nobody foresaw with 7,
a disk without room with 8 (offchain/containment.py).
"""

from offchain.errors import DmsmError


class AgentError(DmsmError):
    """Root of the agent's errors."""

    exit_code = 1


class BadSetup(AgentError):
    """Configuration, keys or input cannot be used."""

    exit_code = 2


class NodeUnreachable(AgentError):
    """The processing node does not answer, or says that it cannot work now."""

    exit_code = 3


class NodeRefused(AgentError):
    """The processing node refuses a message. `name` is the refusal's."""

    def __init__(self, *, status: int, name: str, detail: str) -> None:
        super().__init__(f"the node refuses ({status} {name}): {detail}")
        self.status = status
        self.name = name


class BeginningsStopped(AgentError):
    """The consortium's emergency stop holds; what waits is anchored after it."""

    exit_code = 3


class SafeMode(AgentError):
    """Chain or node hold readings that the outbox does not: it is an old copy, or another's."""

    exit_code = 4
