"""Deploy every contract: ``brownie run deploy --network NAME`` writes ``deployments/NAME.json``.

Settings come from the environment: ``DMSM_DEPLOYER_KEY`` (hex private key; without it the node's
first unlocked account, which only test nodes have), ``DMSM_CONSORTIUM_OWNER`` (default: the
deployer) and ``DMSM_DEPLOYMENT_FILE`` (another place for the file). Request types and terms are set
by the consortium afterwards, not here.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from brownie import accounts, network, project, web3

# In this order: each part is given the addresses of those before it. The last three refer to each
# other in a circle, closed by knowing where the deployer's next transactions will create them.
ORDER = (
    "OwnerConsortium",
    "MemberRegistry",
    "RequestCatalogue",
    "ConsentBook",
    "DataLedger",
    "NotificationBoard",
    "CreditBook",
    "PrepaidLock",
    "DataMarket",
)


def main() -> None:
    """Deploy to the network that Brownie is connected to and write the deployment file."""
    deployer = _deployer()
    owner = os.environ.get("DMSM_CONSORTIUM_OWNER") or deployer.address
    contracts = deploy(deployer, consortium_owner=owner)
    name = network.show_active()
    path = deployment_path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(describe(contracts, network_name=name), indent=2) + "\n")
    print(f"deployed {len(contracts)} contracts: {path}")


def deploy(deployer: Any, *, consortium_owner: str, publish_source: bool = False) -> dict[str, Any]:
    """Deploy all contracts from one account and wire them to each other.

    ``deployer`` is a Brownie account that sends nothing else meanwhile. Returns the Brownie
    contracts by name, in the order of their deployment. Raises ``RuntimeError`` when a contract
    did not land at the address that the others were told.
    """
    parts = project.get_loaded_projects()[0]
    addresses = planned_addresses(deployer)
    arguments = constructor_arguments(addresses, consortium_owner=consortium_owner)
    contracts: dict[str, Any] = {}
    for name in ORDER:
        options = {"from": deployer}
        contract = parts[name].deploy(*arguments[name], options, publish_source=publish_source)
        if contract.address != addresses[name]:
            raise RuntimeError(
                f"{name} landed at {contract.address} and not at {addresses[name]}, which other "
                "contracts refer to: deploy again from an account that sends nothing else"
            )
        contracts[name] = contract
    return contracts


def planned_addresses(deployer: Any) -> dict[str, str]:
    """Return where the deployer's next transactions will create each contract."""
    first = web3.eth.get_transaction_count(deployer.address)
    return {name: deployer.get_deployment_address(first + i) for i, name in enumerate(ORDER)}


def constructor_arguments(addresses: dict[str, str], *, consortium_owner: str) -> dict[str, list]:
    """Return each contract's constructor arguments: the whole wiring, in one place."""
    at = addresses
    money = [at["MemberRegistry"], at["RequestCatalogue"], at["DataLedger"], at["CreditBook"]]
    return {
        "OwnerConsortium": [consortium_owner],
        "MemberRegistry": [at["OwnerConsortium"]],
        "RequestCatalogue": [at["OwnerConsortium"]],
        "ConsentBook": [at["MemberRegistry"]],
        "DataLedger": [at["MemberRegistry"]],
        "NotificationBoard": [at["MemberRegistry"]],
        "CreditBook": [at["PrepaidLock"]],
        "PrepaidLock": [*money, at["DataMarket"]],
        "DataMarket": [*money, at["PrepaidLock"]],
    }


def describe(contracts: dict[str, Any], *, network_name: str) -> dict[str, Any]:
    """Return the content of the deployment file."""
    entries = {}
    for name, contract in contracts.items():
        receipt = contract.tx
        entries[name] = {
            "address": contract.address,
            "block": receipt.block_number,
            "gas_used": receipt.gas_used,
            "tx_hash": receipt.txid,
        }
    return {"chain_id": web3.eth.chain_id, "network": network_name, "contracts": entries}


def deployment_path(network_name: str) -> Path:
    """Return where the deployment file of a network lies."""
    return Path(os.environ.get("DMSM_DEPLOYMENT_FILE") or f"deployments/{network_name}.json")


def _deployer() -> Any:
    key = os.environ.get("DMSM_DEPLOYER_KEY")
    if key:
        return accounts.add(key)
    # Brownie lists the node's own accounts by itself on test networks alone.
    unlocked = web3.eth.accounts
    if not unlocked:
        raise RuntimeError("no account to deploy from: set DMSM_DEPLOYER_KEY to a private key")
    return accounts.at(unlocked[0], force=True)
