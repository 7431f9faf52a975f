"""Re-read a deployment from the chain: ``brownie run check_deployment --network NAME``.

Every contract's code must be, byte for byte, what its source makes of the expected constructor
arguments: the node runs the constructor again in a dry call, so immutable wiring is compared too.
The arguments are those that the file says the deployment was founded with. The wiring that has a
getter is read as well, and the first rules. Members and k may have changed since by the
consortium's decisions: they are printed. Raises on any difference.
"""

from __future__ import annotations

import json
from dataclasses import astuple
from typing import Any

from brownie import network, project, web3
from web3.exceptions import Web3Exception

from scripts.deploy import (
    ORDER,
    Founding,
    constructor_arguments,
    deployment_path,
    founding_of,
)

# Getters of wiring, where an interface or a public immutable offers one.
WIRING = {
    ("Consortium", "registry"): "MemberRegistry",
    ("MemberRegistry", "consortium"): "Consortium",
    ("RequestCatalogue", "consortium"): "Consortium",
    ("ConsentBook", "registry"): "MemberRegistry",
    ("TariffBook", "registry"): "MemberRegistry",
    ("TariffBook", "consortium"): "Consortium",
    ("DataLedger", "registry"): "MemberRegistry",
    ("NotificationBoard", "registry"): "MemberRegistry",
    ("DataSetBook", "registry"): "MemberRegistry",
    ("DataSetBook", "consents"): "ConsentBook",
    ("DataSetBook", "prepaidLock"): "PrepaidLock",
    ("CreditBook", "prepaidLock"): "PrepaidLock",
    ("PrepaidLock", "registry"): "MemberRegistry",
    ("PrepaidLock", "catalogue"): "RequestCatalogue",
    ("PrepaidLock", "dataSets"): "DataSetBook",
    ("PrepaidLock", "credit"): "CreditBook",
    ("PrepaidLock", "market"): "DataMarket",
    ("PrepaidLock", "court"): "DisputeCourt",
    ("PrepaidLock", "treasury"): "Consortium",
    ("DisputeCourt", "consortium"): "Consortium",
    ("DisputeCourt", "prepaidLock"): "PrepaidLock",
    ("DataMarket", "registry"): "MemberRegistry",
    ("DataMarket", "catalogue"): "RequestCatalogue",
    ("DataMarket", "dataSets"): "DataSetBook",
    ("DataMarket", "credit"): "CreditBook",
    ("DataMarket", "prepaidLock"): "PrepaidLock",
}


class DeploymentMismatch(Exception):
    """The chain does not hold what the deployment file and the sources say."""


def main() -> None:
    """Check the deployment of the network that Brownie is connected to."""
    name = network.show_active()
    path = deployment_path(name)
    deployment = json.loads(path.read_text())
    differences = check(deployment)
    if differences:
        raise DeploymentMismatch(f"{path}:\n" + "\n".join(f"- {line}" for line in differences))
    print(f"{path}: {len(ORDER)} contracts, their code and wiring are as they must be")
    consortium = deployment["contracts"]["Consortium"]["address"]
    members = _read(consortium, "Consortium", "members")
    print(f"{_read(consortium, 'Consortium', 'threshold')} of {len(members)} decide: {members}")


def check(deployment: dict[str, Any]) -> list[str]:
    """Compare a deployment file's content with the chain; return what differs, a line each."""
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
    try:
        chosen = founding_of(deployment)
    except ValueError as error:
        return [str(error)]
    # Whose code differs may answer anything: wiring is read from the right code alone.
    return _code_differences(addresses, chosen) or [
        *_wiring_differences(addresses),
        *_rules_differences(addresses, chosen),
    ]


def _code_differences(addresses: dict[str, str], chosen: Founding) -> list[str]:
    parts = project.get_loaded_projects()[0]
    differences = []
    for name, arguments in constructor_arguments(addresses, chosen).items():
        creation = parts[name].deploy.encode_input(*arguments)
        if web3.eth.get_code(addresses[name]) != _constructed(creation):
            differences.append(f"{name}: the code at {addresses[name]} is not the source's")
    return differences


def _wiring_differences(addresses: dict[str, str]) -> list[str]:
    differences = []
    for (name, getter), target in WIRING.items():
        found = _read(addresses[name], name, getter)
        if found != addresses[target]:
            differences.append(f"{name}.{getter}: {found}, expected {addresses[target]}")
    return differences


def _rules_differences(addresses: dict[str, str], chosen: Founding) -> list[str]:
    """The first rules lie in storage, where no decision can change them."""
    found = _read(addresses["RequestCatalogue"], "RequestCatalogue", "rulesAt", 1)
    if found is not None and tuple(found) == astuple(chosen.rules):
        return []
    return [f"RequestCatalogue.rulesAt(1): {found}, the file says {astuple(chosen.rules)}"]


def _constructed(creation: str) -> bytes | None:
    """Return the code that a constructor would leave, or None when it refuses its arguments."""
    try:
        return web3.eth.call({"data": creation})
    except (ValueError, Web3Exception):
        return None


def _read(address: str, name: str, getter: str, *arguments: Any) -> Any:
    """Return what a getter of a contract gives, or None when there is no such getter.

    Not through Brownie's contract objects: on a live network they fail to note the address.
    """
    abi = project.get_loaded_projects()[0][name].abi
    contract = web3.eth.contract(address=address, abi=abi)
    try:
        return contract.functions[getter](*arguments).call()
    except (ValueError, Web3Exception):
        return None
