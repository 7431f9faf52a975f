"""What is deployed where: the deployments file and the checked-in ABIs.

The file is ``{"chain_id": int, "contracts": {Name: {"address": "0x…", "block": int}}}``, written by
the deployment script alone.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from offchain.chain import codec
from offchain.chain.codec import Abi
from offchain.chain.errors import AbiMismatch, DeploymentInvalid
from offchain.types import Account, to_account

ABI_FOLDER = Path(__file__).parent / "abi"


@dataclass(frozen=True)
class DeployedContract:
    """One contract: its checksummed address, the block it was deployed in, its ABI."""

    name: str
    address: str
    block: int
    abi: tuple[Abi, ...]

    @cached_property
    def events_by_topic(self) -> dict[bytes, Abi]:
        """Return the events by their first topic."""
        events = (entry for entry in self.abi if entry["type"] == "event")
        return {codec.topic(entry): entry for entry in events if not entry.get("anonymous")}

    def event(self, name: str) -> Abi:
        """Return the ABI entry of the event `name`. Raises AbiMismatch."""
        for entry in self.events_by_topic.values():
            if entry["name"] == name:
                return entry
        raise AbiMismatch(f"{self.name} has no event {name!r}")


@dataclass(frozen=True)
class Deployment:
    """The contracts of one chain."""

    chain_id: int
    contracts: Mapping[str, DeployedContract]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the contracts' names, sorted."""
        return tuple(sorted(self.contracts))

    def contract(self, name: str) -> DeployedContract:
        """Return a contract. Raises DeploymentInvalid when the chain has none of that name."""
        try:
            return self.contracts[name]
        except KeyError:
            raise DeploymentInvalid(
                f"no contract {name!r} is deployed on chain {self.chain_id}; there are {self.names}"
            ) from None

    def address(self, name: str) -> Account:
        """Return a contract's checksummed address. Raises DeploymentInvalid."""
        return Account(self.contract(name).address)

    def block(self, name: str) -> int:
        """Return the number of the block a contract was deployed in. Raises DeploymentInvalid."""
        return self.contract(name).block

    def abi(self, name: str) -> tuple[Abi, ...]:
        """Return a contract's ABI. Raises DeploymentInvalid."""
        return self.contract(name).abi

    @cached_property
    def last_block(self) -> int:
        """Return the number of the block in which the last contract was deployed; 0 for none."""
        return max((contract.block for contract in self.contracts.values()), default=0)

    @cached_property
    def by_address(self) -> dict[str, DeployedContract]:
        """Return the contracts by checksummed address."""
        return {contract.address: contract for contract in self.contracts.values()}

    @cached_property
    def errors_by_selector(self) -> dict[bytes, list[tuple[str, Abi]]]:
        """Return (contract, error) of every ABI by the error's selector."""
        found: dict[bytes, list[tuple[str, Abi]]] = {}
        for name in self.names:
            for entry in self.contracts[name].abi:
                if entry["type"] == "error":
                    found.setdefault(codec.selector(entry), []).append((name, entry))
        return found


def load_deployment(path: Path | str, abi_dir: Path | str = ABI_FOLDER) -> Deployment:
    """Read a deployments file and the ABI of each contract in it.

    Raises DeploymentInvalid, saying what is missing or malformed.
    """
    content = _read_json(Path(path), hint="deploy first")
    try:
        contracts = {
            name: _deployed(name, where, Path(abi_dir))
            for name, where in content["contracts"].items()
        }
        return Deployment(chain_id=_whole(content["chain_id"]), contracts=contracts)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise DeploymentInvalid(f"{path} is not a deployments file: {error!r}") from error


def load_abi(name: str, abi_dir: Path | str = ABI_FOLDER) -> tuple[Abi, ...]:
    """Return the checked-in ABI of a contract. Raises DeploymentInvalid."""
    return tuple(_read_json(Path(abi_dir) / f"{name}.json", hint="run scripts/export_abi.py"))


def _deployed(name: str, where: Mapping[str, Any], abi_dir: Path) -> DeployedContract:
    given = where["address"]
    address = to_account(given)
    if given not in (address, address.lower(), "0x" + address[2:].upper()):
        raise ValueError(f"{name}: the checksum of {given!r} is wrong")
    return DeployedContract(
        name=name,
        address=address,
        block=_whole(where["block"]),
        abi=load_abi(name, abi_dir),
    )


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r} is not a whole number")
    return value


def _read_json(path: Path, *, hint: str) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DeploymentInvalid(f"{path} does not exist; {hint}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise DeploymentInvalid(f"{path} cannot be read: {error}") from error
