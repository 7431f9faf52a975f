"""What can go wrong with a network that this project runs, by name.

::

    DmsmError
    └── NetworkError
        ├── ProgramMissing     Geth or Kubo is not built and cannot be
        ├── PlanInvalid        a folder lacks what it must hold, or options make no sense
        ├── NodeFailed         a node did not start, or ended
        │   └── PortTaken      because another program has its port
        ├── VoteFailed         the signers did not come to a majority
        ├── RescueRefused      a chain is not halted, or setting it on one head would do harm
        └── DeployFailed       the contracts were not deployed
"""

from offchain.errors import DmsmError


class NetworkError(DmsmError):
    """Root of the errors of `offchain.network`."""


class ProgramMissing(NetworkError):
    """Geth or Kubo is not there and cannot be built."""


class PlanInvalid(NetworkError):
    """A network's folder does not hold what it must, or the options do not make sense."""


class NodeFailed(NetworkError):
    """A node did not start, did not answer, or ended."""


class PortTaken(NodeFailed):
    """Another program listens on a port that a node needs."""


class VoteFailed(NetworkError):
    """Too few signers run, or they did not adopt a change in time."""


class RescueRefused(NetworkError):
    """A chain is not set on one head: it is not halted, or that would do harm or not help."""


class DeployFailed(NetworkError):
    """The contracts were not deployed."""
