"""The one tree of exceptions that DMSM raises on purpose.

    DmsmError
    ├── CryptoError
    │   ├── DecryptionError        one uniform error for everything that does not decrypt
    │   ├── EncodingError          bytes or values that are not in their one canonical form
    │   ├── InvalidKeyError
    │   ├── InvalidPointError
    │   ├── InvalidScalarError
    │   ├── InvalidPlaintextError
    │   ├── InvalidOpeningError    an opening that is not the ciphertext's own
    │   ├── PackingError
    │   ├── MerkleError
    │   ├── SharingError
    │   │   ├── InvalidShareError
    │   │   └── NotEnoughSharesError
    │   └── KeystoreError
    │       └── WrongPasswordError
    ├── RecordError
    │   ├── FormatError            bytes, JSON or values that are not in their one canonical form
    │   │   └── MeterCsvError      a line of a meter file, named by file, line and column
    │   └── RebuildError           a record cannot be rebuilt from what was disclosed
    ├── StoreError             what a database cannot do, whichever it is
    │   ├── StoreBusy              another program holds it, or it does not answer: try again
    │   ├── StoreFull              no room, or no right to write: nothing was written
    │   ├── StoreDamaged           an integrity check says so
    │   ├── StoreConflict          another value for what is written once, or nothing to change
    │   └── StoreVersion           a newer program made it
    ├── Unforeseen             a fault of this program, contained (offchain/containment.py)
    ├── BillingError               no bill can be made: the day, instant or meter is named
    │   ├── TariffError            a tariff or price series is malformed; its member is named
    │   ├── DocumentMissing        a tariff or series that the chain names cannot be had: try again
    │   └── RegisterError          readings of registers do not make sense; the place is named
    ├── StorageError           roots the tree in offchain/storage/errors.py
    └── ChainError             roots the tree in offchain/chain/errors.py

A message says what was wrong and what to do; it never holds a secret.
"""


class DmsmError(Exception):
    """Root of all errors that DMSM raises on purpose."""


class ChainError(DmsmError):
    """Root of the errors of `offchain.chain`."""


class CryptoError(DmsmError):
    """Root of the errors of `offchain.crypto`."""


class DecryptionError(CryptoError):
    """Say that a ciphertext was refused, and never why: a reason would be an oracle."""

    def __init__(self) -> None:
        super().__init__("the ciphertext was refused")


class EncodingError(CryptoError):
    """A value has no encoding, or bytes are not the one canonical encoding."""


class InvalidKeyError(CryptoError):
    """A key is malformed, too small, too large, or provably weak."""


class InvalidPointError(CryptoError):
    """A point is off the curve, outside the subgroup, or infinity where that is refused."""


class InvalidScalarError(CryptoError):
    """A secret scalar is outside [1, group order)."""


class InvalidPlaintextError(CryptoError):
    """A plaintext is not an integer, or outside its range."""


class InvalidOpeningError(CryptoError):
    """A claimed opening does not re-encrypt to the ciphertext it was claimed for."""


class PackingError(CryptoError):
    """Values do not fit their slots, or packed plaintexts are not well formed."""


class MerkleError(CryptoError):
    """A tree or a proof was asked for that does not exist."""


class SharingError(CryptoError):
    """Parameters or members of a secret sharing do not make sense."""


class InvalidShareError(SharingError):
    """A share is not the one its index was dealt.

    `index` is the member's position 1..n in the contract's list.
    """

    def __init__(self, index: int) -> None:
        super().__init__(f"the share of member {index} is invalid; ask that member for a valid one")
        self.index = index


class NotEnoughSharesError(SharingError):
    """Fewer valid shares than the threshold are at hand.

    `needed` and `valid` are counts, `false_indices` the members whose shares were refused.
    """

    def __init__(self, *, needed: int, valid: int, false_indices: tuple[int, ...]) -> None:
        blame = f"; refused the shares of members {list(false_indices)}" if false_indices else ""
        super().__init__(f"{needed} valid shares are needed, {valid} are at hand{blame}")
        self.needed = needed
        self.valid = valid
        self.false_indices = false_indices


class KeystoreError(CryptoError):
    """A key or password file cannot be written, read or trusted."""


class WrongPasswordError(KeystoreError):
    """A keystore does not open: the password is wrong or the file is damaged."""


class RecordError(DmsmError):
    """Root of the errors of `offchain.records`."""


class FormatError(RecordError):
    """Bytes, JSON or values are not in their one canonical form, or out of range."""


class MeterCsvError(FormatError):
    """A meter file is not what `offchain.records.meter_csv` reads.

    `path`, `line` (from 1), `column` (name) and `reason` are what the text
    `FILE:LINE: column: reason` says.
    """

    def __init__(self, *, path: str, line: int, column: str, reason: str) -> None:
        super().__init__(f"{path}:{line}: {column}: {reason}")
        self.path = path
        self.line = line
        self.column = column
        self.reason = reason


class RebuildError(RecordError):
    """A record cannot be rebuilt from what was disclosed; the message names what is missing."""


class BillingError(DmsmError):
    """Root of the errors of `offchain.billing`; raised itself where no bill can be made."""


class TariffError(BillingError):
    """A tariff, a price series or a source of prices is not what docs/formats.md §17 says."""


class DocumentMissing(BillingError):
    """A document that the chain's book names cannot be had from anybody now: nothing follows."""

    def __init__(self, digest: str, why: str) -> None:
        super().__init__(
            f"the tariff or price series {digest} of the chain's book cannot be had: {why}; try "
            "again, or ask the region's node to put it into the content store again"
        )
        self.digest = digest


class RegisterError(BillingError):
    """Readings of registers are malformed, or a register falls without a declared reason."""


class StorageError(DmsmError):
    """Root of the errors of `offchain.storage`."""


class StoreError(DmsmError):
    """Root of what a database cannot do. Nothing of the transaction was written."""


class StoreBusy(StoreError):
    """Another program holds the database, or its server does not answer; it was tried again."""


class StoreFull(StoreError):
    """There is no room, or no right, to write. Goes on when there is; nothing is to be renamed."""


class StoreDamaged(StoreError):
    """An integrity check of the database failed: put it aside and restore a copy."""


class StoreConflict(StoreError):
    """What was written once would be written again with another value, or is not there at all."""


class StoreVersion(StoreError):
    """A newer program made this database, or another one."""


class Unforeseen(DmsmError):
    """A step failed for a reason that nobody foresaw: a fault of this program.

    The message names no values. `name` is the kind's in the log, `times` how often it came by now.
    """

    def __init__(self, message: str, *, name: str, times: int) -> None:
        super().__init__(message)
        self.name = name
        self.times = times
