"""What can go wrong between this project and a chain, by name.

::

    ChainError
    ├── NodeUnavailable       no endpoint answers
    ├── NodeRefused           the node answers with an error that is not a contract's
    ├── ChainMismatch         the node serves another chain than the deployment names
    ├── DeploymentInvalid     the deployments file or an ABI is missing or wrong
    ├── AbiMismatch           no such function, event or argument in the ABI
    │   └── LogUnreadable     a log of a known event that does not decode
    ├── ContractRevert        a contract refused, with its named error (facts.py)
    ├── TransactionTimeout    sent, and not mined within the time given
    ├── TransactionReplaced   another transaction of the account took its nonce
    ├── AccountMissing        a transaction was asked of a gateway that has no account
    └── EventMissing          a receipt lacks the event that was asked of it
"""

from offchain.errors import ChainError


class NodeUnavailable(ChainError):
    """No endpoint answered in time."""


class NodeRefused(ChainError):
    """The node answered with a JSON-RPC error; `code`, `message` and `data` are its own."""

    def __init__(self, method: str, code: int, message: str, data: object = None) -> None:
        super().__init__(f"the node refused {method}: {message} (code {code})")
        self.method, self.code, self.message, self.data = method, code, message, data


class ChainMismatch(ChainError):
    """The node serves another chain than the deployment names."""


class DeploymentInvalid(ChainError):
    """The deployments file or an ABI is missing, malformed, or not what the chain holds."""


class AbiMismatch(ChainError):
    """The ABI has no such function or event, or the arguments do not fit it."""


class LogUnreadable(AbiMismatch):
    """A deployed contract's log does not decode: who cannot read the chain must begin nothing."""


class AccountMissing(ChainError):
    """The gateway was opened without an account and cannot sign."""


class TransactionTimeout(ChainError):
    """A transaction was sent and not mined in time; it may still be. `tx_hash` names it."""

    def __init__(self, message: str, tx_hash: str) -> None:
        super().__init__(message)
        self.tx_hash = tx_hash


class TransactionReplaced(ChainError):
    """Another transaction of the same account took the nonce: this one can never be mined."""

    def __init__(self, message: str, tx_hash: str) -> None:
        super().__init__(message)
        self.tx_hash = tx_hash


class EventMissing(ChainError):
    """A receipt lacks the event that was asked of it."""
