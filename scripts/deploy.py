"""Deploy every contract: ``brownie run deploy --network NAME`` writes ``deployments/NAME.json``.

The deployer's key is ``DMSM_DEPLOYER_KEY`` (hex private key; without it the node's first unlocked
account, which only test nodes have), ``DMSM_DEPLOYMENT_FILE`` another place for the file. What the
contracts are given for ever comes from the environment as well: see :func:`founding`. Request types
and terms of sharing are set by the consortium afterwards, during its founding.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from brownie import accounts, network, project, web3

# In this order: each part is given the addresses of those before it. The first two and the last
# five refer to each other in a circle, closed by knowing where the deployer's next transactions
# will create them.
ORDER = (
    "Consortium",
    "MemberRegistry",
    "RequestCatalogue",
    "ConsentBook",
    "TariffBook",
    "DataLedger",
    "NotificationBoard",
    "DataSetBook",
    "CreditBook",
    "DisputeCourt",
    "PrepaidLock",
    "DataMarket",
)

DAY = 86_400
GWEI = 10**9
MOST_MEMBERS = 32

# What RequestCatalogue accepts, by field of Rules: said here in a sentence before anything is sent.
RANGES = {
    "serve_seconds": (60, 30 * DAY),
    "decide_seconds": (60, 30 * DAY),
    "fee_bps": (0, 2_000),
    "bond_bps": (1_000, 10_000),
    "dispute_bond_bps": (100, 10_000),
    "serve_gas_wei": (1, 1_000 * GWEI),
    "dispute_min_wei": (1, 10**18),
}


@dataclass(frozen=True)
class Rules:
    """The first rules of bonds, demands, disputes and fees (IRequestCatalogue.Rules).

    A demand deposits ``serve_gas_wei`` for each gas of serving: the default covers base fees up to
    one gwei.
    """

    serve_seconds: int = DAY
    decide_seconds: int = 7 * DAY
    fee_bps: int = 200
    bond_bps: int = 10_000
    dispute_bond_bps: int = 2_500
    serve_gas_wei: int = GWEI
    dispute_min_wei: int = 10**14


@dataclass(frozen=True)
class Founding:
    """What the contracts are given at construction.

    ``members`` decide by ``threshold`` equal votes; a decision that hurts waits ``delay_seconds``,
    none does until ``founding_ends_at`` (unix seconds). ``point_wei``: the fee behind one point
    of credit.
    """

    members: tuple[str, ...]
    threshold: int
    founding_ends_at: int
    delay_seconds: int = 2 * DAY
    point_wei: int = 10**13
    rules: Rules = Rules()


def main() -> None:
    """Deploy to the network that Brownie is connected to and write the deployment file."""
    deployer = _deployer()
    if web3.eth.block_number == 0:
        # On its first block anvil estimates gas as if in 1970, when any founding is too long.
        deployer.transfer(deployer, 0)
    now = web3.eth.get_block("latest")["timestamp"]
    chosen = founding(dict(os.environ), deployer=deployer.address, now=now)
    contracts = deploy(deployer, chosen)
    name = network.show_active()
    path = deployment_path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    described = describe(contracts, network_name=name, founding=chosen)
    path.write_text(json.dumps(described, indent=2) + "\n")
    print(f"deployed {len(contracts)} contracts: {path}")


def founding(environment: dict[str, str], *, deployer: str, now: int) -> Founding:
    """Read the founding from the environment.

    ``DMSM_CONSORTIUM_MEMBERS``: accounts, separated by commas (default: the deployer alone);
    ``DMSM_CONSORTIUM_THRESHOLD`` (default: the smallest majority); ``DMSM_DELAY_SECONDS`` (two
    days); ``DMSM_FOUNDING_SECONDS``: how long from now (a week); ``DMSM_POINT_WEI``;
    ``DMSM_RULES``: a JSON object with any fields of :class:`Rules`. Raises ``ValueError`` naming
    what is wrong.
    """
    members = _members(environment.get("DMSM_CONSORTIUM_MEMBERS") or deployer)
    majority = len(members) // 2 + 1
    threshold = _integer(environment, "DMSM_CONSORTIUM_THRESHOLD", majority)
    if not majority <= threshold <= len(members):
        raise ValueError(
            f"DMSM_CONSORTIUM_THRESHOLD is {threshold}: of {len(members)} members, "
            f"{majority} to {len(members)} must agree"
        )
    default = Founding(members=members, threshold=threshold, founding_ends_at=now)
    founding_seconds = _integer(environment, "DMSM_FOUNDING_SECONDS", 7 * DAY, most=30 * DAY)
    return Founding(
        members=members,
        threshold=threshold,
        delay_seconds=_integer(
            environment, "DMSM_DELAY_SECONDS", default.delay_seconds, most=14 * DAY
        ),
        founding_ends_at=now + founding_seconds,
        point_wei=_integer(environment, "DMSM_POINT_WEI", default.point_wei, least=1),
        rules=_rules(environment.get("DMSM_RULES") or "{}"),
    )


def _members(text: str) -> tuple[str, ...]:
    accounts = [account.strip() for account in text.split(",")]
    for account in accounts:
        if not web3.is_address(account) or int(account, 16) == 0:
            raise ValueError(f"DMSM_CONSORTIUM_MEMBERS: {account!r} is no account's address")
    members = tuple(web3.to_checksum_address(account) for account in accounts)
    if len(set(members)) < len(members):
        raise ValueError("DMSM_CONSORTIUM_MEMBERS names an account twice")
    if len(members) > MOST_MEMBERS:
        raise ValueError(
            f"DMSM_CONSORTIUM_MEMBERS names {len(members)} accounts, the most are {MOST_MEMBERS}"
        )
    return members


def _integer(
    environment: dict[str, str], name: str, default: int, *, least: int = 0, most: int = 2**256 - 1
) -> int:
    text = environment.get(name) or str(default)
    if not (text.isascii() and text.isdecimal()):
        raise ValueError(f"{name} must be a whole number, not {text!r}")
    return _within(name, int(text), least, most)


def _rules(text: str) -> Rules:
    try:
        given = json.loads(text)
        rules = Rules(**given)
    except (json.JSONDecodeError, TypeError) as error:
        names = ", ".join(RANGES)
        raise ValueError(
            f"DMSM_RULES must be a JSON object with fields of: {names} ({error})"
        ) from error
    for name, value in asdict(rules).items():
        if type(value) is not int:
            raise ValueError(f"DMSM_RULES: {name} must be a whole number, not {value!r}")
        _within(f"DMSM_RULES: {name}", value, *RANGES[name])
    if rules.fee_bps > rules.bond_bps:
        raise ValueError(
            "DMSM_RULES: fee_bps is above bond_bps, from which a verdict takes the fee"
        )
    return rules


def _within(name: str, value: int, least: int, most: int) -> int:
    if not least <= value <= most:
        raise ValueError(f"{name} is {value}: it must be from {least} to {most}")
    return value


def deploy(deployer: Any, chosen: Founding, *, publish_source: bool = False) -> dict[str, Any]:
    """Deploy all contracts from one account and wire them to each other.

    ``deployer`` is a Brownie account that sends nothing else meanwhile. Returns the Brownie
    contracts by name, in the order of their deployment. Raises ``RuntimeError`` when a contract
    did not land at the address that the others were told.
    """
    parts = project.get_loaded_projects()[0]
    addresses = planned_addresses(deployer)
    arguments = constructor_arguments(addresses, chosen)
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


def constructor_arguments(addresses: dict[str, str], chosen: Founding) -> dict[str, list]:
    """Return each contract's constructor arguments: the whole wiring, in one place."""
    at = addresses
    money = [at["MemberRegistry"], at["RequestCatalogue"], at["DataSetBook"], at["CreditBook"]]
    delays = [chosen.delay_seconds, chosen.founding_ends_at]
    return {
        "Consortium": [list(chosen.members), chosen.threshold, *delays, at["MemberRegistry"]],
        "MemberRegistry": [at["Consortium"]],
        "RequestCatalogue": [at["Consortium"], tuple(asdict(chosen.rules).values())],
        "ConsentBook": [at["MemberRegistry"]],
        "TariffBook": [at["MemberRegistry"]],
        "DataLedger": [at["MemberRegistry"]],
        "NotificationBoard": [at["MemberRegistry"]],
        "DataSetBook": [at["MemberRegistry"], at["ConsentBook"], at["PrepaidLock"]],
        "CreditBook": [at["PrepaidLock"], chosen.point_wei],
        "DisputeCourt": [at["Consortium"], at["PrepaidLock"]],
        "PrepaidLock": [*money, at["DataMarket"], at["DisputeCourt"]],
        "DataMarket": [*money, at["PrepaidLock"]],
    }


def describe(contracts: dict[str, Any], *, network_name: str, founding: Founding) -> dict[str, Any]:
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
    return {
        "chain_id": web3.eth.chain_id,
        "network": network_name,
        "founding": asdict(founding),
        "contracts": entries,
    }


def founding_of(deployment: dict[str, Any]) -> Founding:
    """Return what a deployment file says its contracts were given.

    Raises ``ValueError`` when the file does not say it.
    """
    try:
        given = dict(deployment["founding"])
        rules = Rules(**given["rules"])
        return Founding(**given | {"members": tuple(given["members"]), "rules": rules})
    except (KeyError, TypeError) as error:
        raise ValueError(
            "founding: the file does not say what the contracts were given, or not in this "
            f"release's words ({error!r}): deploy again, or use the release that wrote it"
        ) from error


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
