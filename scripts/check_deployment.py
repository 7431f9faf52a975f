"""Re-read a deployment from the chain: ``brownie run check_deployment --network NAME``.

Every contract's code must be, byte for byte, what its source makes of the expected constructor
arguments: the node runs the constructor again in a dry call, so immutable wiring is compared too.
The wiring that has a getter is read as well, and so is the consortium's owner. Settings as in
``deploy.py``; ``DMSM_CONSORTIUM_OWNER`` is compared when it is given. Raises on any difference.
"""

from __future__ import annotations

import json
import os
from typing import Any

from brownie import network, project, web3
from web3.exceptions import Web3Exception

from scripts.deploy import ORDER, constructor_arguments, deployment_path

# Getters of wiring, where an interface or a public immutable offers one.
WIRING = {
    ("MemberRegistry", "consortium"): "OwnerConsortium",
    ("RequestCatalogue", "consortium"): "OwnerConsortium",
    ("ConsentBook", "registry"): "MemberRegistry",
    ("DataLedger", "registry"): "MemberRegistry",
    ("NotificationBoard", "registry"): "MemberRegistry",
    ("CreditBook", "prepaidLock"): "PrepaidLock",
    ("PrepaidLock", "registry"): "MemberRegistry",
    ("PrepaidLock", "catalogue"): "RequestCatalogue",
    ("PrepaidLock", "ledger"): "DataLedger",
    ("PrepaidLock", "credit"): "CreditBook",
    ("PrepaidLock", "market"): "DataMarket",
    ("DataMarket", "registry"): "MemberRegistry",
    ("DataMarket", "catalogue"): "RequestCatalogue",
    ("DataMarket", "ledger"): "DataLedger",
    ("DataMarket", "credit"): "CreditBook",
    ("DataMarket", "prepaidLock"): "PrepaidLock",
}


class DeploymentMismatch(Exception):
    """The chain does not hold what the deployment file and the sources say."""


def main() -> None:
    """Check the deployment of the network that Brownie is connected to."""
    name = network.show_active()
    path = deployment_path(name)
    differences = check(
        json.loads(path.read_text()), consortium_owner=os.environ.get("DMSM_CONSORTIUM_OWNER")
    )
    if differences:
        raise DeploymentMismatch(f"{path}:\n" + "\n".join(f"- {line}" for line in differences))
    print(f"{path}: {len(ORDER)} contracts, their code, wiring and owner are as they must be")


def check(deployment: dict[str, Any], *, consortium_owner: str | None = None) -> list[str]:
    """Compare a deployment file's content with the chain; return what differs, a line each.

    ``consortium_owner``: the owner to expect; ``None`` accepts whoever it is, but not nobody.
    """
    if deployment["chain_id"] != web3.eth.chain_id:
        return [f"chain id: the file says {deployment['chain_id']}, the node {web3.eth.chain_id}"]
    entries = deployment["contracts"]
    missing = [name for name in ORDER if name not in entries]
    if missing:
        return [f"{name}: is not in the file" for name in missing]
    addresses = {name: entries[name]["address"] for name in ORDER}
    absent = [name for name, at in addresses.items() if not web3.eth.get_code(at)]
    if absent:
        return [f"{name}: no code at {addresses[name]}" for name in absent]
    # Whose code differs may answer anything: wiring is read from the right code alone.
    return _code_differences(addresses) or _wiring_differences(addresses, consortium_owner)


def _code_differences(addresses: dict[str, str]) -> list[str]:
    parts = project.get_loaded_projects()[0]
    owner = _read(addresses, "OwnerConsortium", "owner")
    if owner is None or int(owner, 16) == 0:
        return [f"OwnerConsortium: the contract at {addresses['OwnerConsortium']} has no owner"]
    differences = []
    for name, arguments in constructor_arguments(addresses, consortium_owner=owner).items():
        creation = parts[name].deploy.encode_input(*arguments)
        if web3.eth.get_code(addresses[name]) != _constructed(creation):
            differences.append(f"{name}: the code at {addresses[name]} is not the source's")
    return differences


def _wiring_differences(addresses: dict[str, str], consortium_owner: str | None) -> list[str]:
    differences = []
    for (name, getter), target in WIRING.items():
        found = _read(addresses, name, getter)
        if found != addresses[target]:
            differences.append(f"{name}.{getter}: {found}, expected {addresses[target]}")
    owner = _read(addresses, "OwnerConsortium", "owner")
    if consortium_owner and str(owner).lower() != consortium_owner.lower():
        differences.append(f"OwnerConsortium.owner: {owner}, expected {consortium_owner}")
    return differences


def _constructed(creation: str) -> bytes | None:
    """Return the code that a constructor would leave, or None when it refuses its arguments."""
    try:
        return web3.eth.call({"data": creation})
    except (ValueError, Web3Exception):
        return None


def _read(addresses: dict[str, str], name: str, getter: str) -> str | None:
    """Return the address that a getter gives, or None when there is no such getter.

    Not through Brownie's contract objects: on a live network they fail to note the address.
    """
    abi = project.get_loaded_projects()[0][name].abi
    contract = web3.eth.contract(address=addresses[name], abi=abi)
    try:
        return contract.functions[getter]().call()
    except (ValueError, Web3Exception):
        return None
