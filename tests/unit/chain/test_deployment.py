"""The deployments file: read strictly, and each fault named."""

import json

import pytest

from offchain.chain.deployment import load_abi, load_deployment
from offchain.chain.errors import AbiMismatch, DeploymentInvalid

ADDRESS = "0x" + "ab" * 20
GOOD = {"chain_id": 5, "contracts": {"CreditBook": {"address": ADDRESS, "block": 3}}}


@pytest.fixture
def write(tmp_path):
    def write_file(content) -> str:
        path = tmp_path / "deployment.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    return write_file


def test_load_deployment__good_file__knows_address_block_and_abi(write):
    deployment = load_deployment(write(GOOD))
    assert deployment.chain_id == 5
    assert deployment.names == ("CreditBook",)
    assert deployment.address("CreditBook").lower() == ADDRESS
    assert deployment.address("CreditBook") != ADDRESS  # checksummed
    assert deployment.block("CreditBook") == 3
    assert deployment.abi("CreditBook") == load_abi("CreditBook")


def _with(**changes):
    return {**GOOD, "contracts": {"CreditBook": {"address": ADDRESS, "block": 3, **changes}}}


@pytest.mark.parametrize(
    "content",
    [
        "no json",
        "[]",
        {},
        {"chain_id": "5", "contracts": {}},
        {"chain_id": -5, "contracts": {}},
        {"chain_id": True, "contracts": {}},
        {"chain_id": 5, "contracts": []},
        _with(address="0x12"),
        _with(address=None),
        _with(block=-1),
        _with(block=1.0),
        {"chain_id": 5, "contracts": {"Nobody": {"address": ADDRESS, "block": 3}}},
    ],
)
def test_load_deployment__bad_file__is_refused(write, content):
    with pytest.raises(DeploymentInvalid):
        load_deployment(write(content))


def test_load_deployment__no_file__says_to_deploy(tmp_path):
    with pytest.raises(DeploymentInvalid, match="deploy first"):
        load_deployment(tmp_path / "none.json")


def test_contract__unknown_name__lists_the_known(write):
    with pytest.raises(DeploymentInvalid, match="CreditBook"):
        load_deployment(write(GOOD)).address("PrepaidLock")


def test_event__unknown_name__is_refused(write):
    with pytest.raises(AbiMismatch, match="Nothing"):
        load_deployment(write(GOOD)).contract("CreditBook").event("Nothing")
