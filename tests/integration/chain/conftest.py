"""A private anvil with the probe contract, and gateways on it."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from offchain.chain.anvil import Anvil, start_anvil
from offchain.chain.deployment import Deployment, load_deployment
from offchain.chain.gateway import ChainGateway

PROJECT = Path(__file__).resolve().parents[3]
SOURCE = PROJECT / "contracts" / "mocks" / "GatewayProbe.sol"


@pytest.fixture(scope="session")
def anvil() -> Iterator[Anvil]:
    with start_anvil() as running:
        yield running


@pytest.fixture(scope="session")
def compiled_probe() -> dict[str, Any]:
    (program,) = (PROJECT / ".cache" / "solcx").glob("solc-v0.8.*")
    question = {
        "language": "Solidity",
        "sources": {"GatewayProbe.sol": {"content": SOURCE.read_text()}},
        "settings": {
            "evmVersion": "london",
            "outputSelection": {"*": {"*": ["abi", "evm.bytecode.object"]}},
        },
    }
    answer = subprocess.run(
        [program, "--standard-json"],
        input=json.dumps(question),
        capture_output=True,
        text=True,
        check=True,
        cwd=PROJECT,
    )
    return json.loads(answer.stdout)["contracts"]["GatewayProbe.sol"]


@pytest.fixture(scope="session")
def deploy_probe(
    compiled_probe: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Anvil], Deployment]:
    """Deploy the probe as the project's deployments file would tell it."""

    def deploy(node: Anvil) -> Deployment:
        creation = {
            "from": node.addresses[0],
            "data": "0x" + compiled_probe["GatewayProbe"]["evm"]["bytecode"]["object"],
        }
        tx_hash = node.request("eth_sendTransaction", creation)
        while (receipt := node.request("eth_getTransactionReceipt", tx_hash)) is None:
            time.sleep(0.01)
        folder = tmp_path_factory.mktemp("probe")
        contracts = {
            "GatewayProbe": {
                "address": receipt["contractAddress"],
                "block": int(receipt["blockNumber"], 16),
            },
        }
        for name, artifact in compiled_probe.items():
            (folder / f"{name}.json").write_text(json.dumps(artifact["abi"]))
        file = folder / "deployment.json"
        file.write_text(json.dumps({"chain_id": node.chain_id, "contracts": contracts}))
        plain = load_deployment(file, folder)
        address = ChainGateway(node.url, plain).call("GatewayProbe", "inner")
        contracts["GatewayProbeInner"] = {**contracts["GatewayProbe"], "address": address}
        file.write_text(json.dumps({"chain_id": node.chain_id, "contracts": contracts}))
        return load_deployment(file, folder)

    return deploy


@pytest.fixture(scope="session")
def deployment(anvil: Anvil, deploy_probe: Callable[[Anvil], Deployment]) -> Deployment:
    return deploy_probe(anvil)


@pytest.fixture
def account(anvil: Anvil) -> Any:
    """A fresh account with ten ether."""
    fresh = Account.create()
    anvil.set_balance(fresh.address, 10 * 10**18)
    return fresh


@pytest.fixture
def gateway(anvil: Anvil, deployment: Deployment, account: Any) -> ChainGateway:
    return ChainGateway(anvil.url, deployment, account=account)
