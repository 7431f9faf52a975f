"""Fixtures of the library tests: the harnesses, vectors, and a reader of custom errors."""

import json
import sys
from pathlib import Path

import pytest
from brownie import LibraryHarness, SortedFormHarness, accounts, web3
from eth_abi import encode
from eth_utils import keccak

sys.path.insert(0, str(Path(__file__).parent))  # for bn254_model

VECTORS = Path(__file__).parents[2] / "vectors"


@pytest.fixture(scope="session")
def deployer():
    return accounts[0]


@pytest.fixture(scope="module")
def harness(deployer):
    return LibraryHarness.deploy({"from": deployer})


@pytest.fixture(scope="module")
def form_harness(deployer):
    return SortedFormHarness.deploy({"from": deployer})


@pytest.fixture(scope="session")
def hash_vectors():
    return json.loads((VECTORS / "bn254_hash_to_curve.json").read_text())


@pytest.fixture(scope="session")
def precompile_vectors():
    return json.loads((VECTORS / "eip196_197.json").read_text())


@pytest.fixture(scope="session")
def revert_data():
    """Return the function that makes a call and gives the bytes it reverts with; it must revert."""

    def call(function, *arguments) -> bytes:
        message = {"to": function._address, "data": function.encode_input(*arguments)}
        with pytest.raises(ValueError, match="revert") as caught:
            web3.eth.call(message)
        return bytes.fromhex(caught.value.args[0]["data"].removeprefix("0x"))

    return call


@pytest.fixture(scope="session")
def error_bytes():
    """Return the function that encodes a custom error: signature, then its arguments."""

    def build(signature: str, *arguments) -> bytes:
        inner = signature[signature.index("(") + 1 : -1]
        types = inner.split(",") if inner else []
        return keccak(text=signature)[:4] + encode(types, arguments)

    return build


@pytest.fixture(scope="session")
def gas_used():
    """Return the function that sends a view function as a transaction and gives its gasUsed.

    Through web3: Brownie may look for a long-running transaction too early and call it dropped.
    """

    def send(function, *arguments, succeeds=True) -> int:
        message = {"from": str(accounts[0]), "to": function._address, "gas": 25_000_000}
        data = function.encode_input(*arguments)
        sent = web3.eth.send_transaction({**message, "data": data, "gasPrice": 0})
        receipt = web3.eth.wait_for_transaction_receipt(sent, timeout=60, poll_latency=0.05)
        assert receipt["status"] == int(succeeds)
        return receipt["gasUsed"]

    return send
